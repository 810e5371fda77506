//! The portal as a destination.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::catalog::StandardObject;
use model::destination::{
    Archived, Link, LinkRefused, Preparation, Prepared, SourceKey, WriteBatch, WriteOutcome,
};
use model::estimate::{Call, Pace, Workload};
use model::{
    Account, Batch, BatchBuilder, Catalog, Cursor, Destination, DestinationError,
    DestinationRecordId, ObjectName,
};

use crate::answer::Records;
use crate::api::read;
use crate::archive::archive_records;
use crate::create::find_kind;
use crate::estimate;
use crate::link::{Ask, ask_links};
use crate::objects::{KINDS, Kind};
use crate::office;
use crate::portal::Portal;
use crate::prepare::prepare;
use crate::property;
use crate::read::{Reader, find_keys, list, read_records};
use crate::unlink::{read_links, remove_links};
use crate::write::Writer;

/// Records of one call: fifty batches, so that the portal's window never waits for the ledger.
const BATCH_RECORDS: u32 = 5_000;

/// What can be associated with nothing; a line item names its product in a property (associations guide, 2026).
const UNLINKABLE: [StandardObject; 3] = [
    StandardObject::Owner,
    StandardObject::Currency,
    StandardObject::Product,
];

impl Portal {
    /// Objects and pipelines as they are now, with what the portal keeps by itself.
    pub(crate) async fn catalog(&self) -> Result<Catalog, DestinationError> {
        self.forget_old();
        let described = self.described().await?;
        let mut objects = vec![office::owner_object(), office::currency_object()];
        objects.extend(described.objects.iter().cloned());
        Ok(Catalog {
            objects,
            pipelines: described.pipelines.clone(),
            kinds: property::KINDS.to_vec(),
            unlinkable: UNLINKABLE.map(|standard| standard.name().into()).to_vec(),
        })
    }
}

impl Portal {
    /// Asks for links group by group; one answer for each, in order.
    async fn ask_links(
        &self,
        links: &[Link],
        ask: Ask,
    ) -> Result<Vec<Result<bool, LinkRefused>>, DestinationError> {
        let mut answers = vec![Ok(false); links.len()];
        for (ends, places) in groups(links) {
            let Some((from, to)) = ends else {
                let (from, to) = (&links[places[0]].from_object, &links[places[0]].to_object);
                let why = LinkRefused(format!(
                    "HubSpot has no associations between {from} and {to}"
                ));
                places
                    .into_iter()
                    .for_each(|place| answers[place] = Err(why.clone()));
                continue;
            };
            let types = self.link_types(from, to).await?;
            let group: Vec<&Link> = places.iter().map(|place| &links[*place]).collect();
            let told = ask_links(&self.api, (from, to), &types, &group, ask).await?;
            places
                .into_iter()
                .zip(told)
                .for_each(|(place, answer)| answers[place] = answer);
        }
        Ok(answers)
    }
}

#[async_trait]
impl Destination for Portal {
    async fn check(&self) -> Result<Account, DestinationError> {
        Ok(self.account().await?.0)
    }

    async fn fetch_catalog(&self) -> Result<Catalog, DestinationError> {
        self.catalog().await
    }

    async fn prepare(&self, preparation: &Preparation) -> Result<Prepared, DestinationError> {
        let described = self.described().await?;
        let prepared = prepare(&self.api, &described, preparation).await;
        self.forget();
        prepared
    }

    async fn fetch_page(
        &self,
        object: &ObjectName,
        cursor: Option<&Cursor>,
        _limit: u32,
    ) -> Result<(Batch, Option<Cursor>), DestinationError> {
        if object.as_str() == StandardObject::Owner.name() {
            return Ok((self.owners().await?.as_ref().clone(), None));
        }
        if object.as_str() == StandardObject::Currency.name() {
            return Ok((office::currencies(&self.account().await?.1), None));
        }
        let kind = find_kind(object)?;
        let described = self.described().await?;
        let info = described.object(object)?;
        let after = cursor.map(|cursor| String::from_utf8_lossy(cursor.as_bytes()).into_owned());
        let body = list(&self.api, kind, kind.matching, &[], after.as_deref()).await?;
        let page: Records<'_> = read(&body, "listing records")?;
        let mut reader = Reader::new(info);
        page.results.iter().for_each(|record| reader.take(record));
        let next = page.paging.and_then(|paging| paging.next);
        Ok((
            reader.finish(),
            next.map(|next| Cursor::new(next.after.into_bytes())),
        ))
    }

    async fn read_records(
        &self,
        object: &ObjectName,
        properties: &[&str],
        ids: &[DestinationRecordId],
    ) -> Result<Batch, DestinationError> {
        if object.as_str() == StandardObject::Owner.name() {
            let owners = self.owners().await?;
            return Ok(pick(&owners, ids));
        }
        if object.as_str() == StandardObject::Currency.name() {
            return Ok(pick(&office::currencies(&self.account().await?.1), ids));
        }
        let kind = find_kind(object)?;
        let described = self.described().await?;
        let ids: Vec<&str> = ids.iter().map(DestinationRecordId::as_str).collect();
        read_records(&self.api, kind, described.object(object)?, properties, &ids).await
    }

    async fn find_records(
        &self,
        object: &ObjectName,
        keys: &[SourceKey],
    ) -> Result<Vec<Option<DestinationRecordId>>, DestinationError> {
        let keys: Vec<String> = keys.iter().map(SourceKey::to_string).collect();
        let asked: Vec<&str> = keys.iter().map(String::as_str).collect();
        let found = find_keys(&self.api, find_kind(object)?, &asked).await?;
        Ok(asked
            .iter()
            .map(|key| found.get(key).map(|id| id.as_str().into()))
            .collect())
    }

    async fn write_records(
        &self,
        batch: &WriteBatch,
    ) -> Result<Vec<WriteOutcome>, DestinationError> {
        let object = &batch.records.object().name;
        let kind = find_kind(object)?;
        let described = self.described().await?;
        let writer = Writer {
            api: &self.api,
            kind,
            info: described.object(object)?,
            batch,
            first_stage: self.first_stage(kind).await?,
            without_upsert: self.without_upsert(kind),
        };
        writer.write().await
    }

    async fn write_links(
        &self,
        links: &[Link],
    ) -> Result<Vec<Result<bool, LinkRefused>>, DestinationError> {
        self.ask_links(links, Ask::Make).await
    }

    async fn find_links(
        &self,
        links: &[Link],
    ) -> Result<Vec<Result<bool, LinkRefused>>, DestinationError> {
        self.ask_links(links, Ask::Find).await
    }

    async fn archive_records(
        &self,
        object: &ObjectName,
        ids: &[DestinationRecordId],
    ) -> Result<Vec<Archived>, DestinationError> {
        archive_records(&self.api, find_kind(object)?, ids).await
    }

    async fn remove_links(
        &self,
        links: &[Link],
    ) -> Result<Vec<Result<bool, LinkRefused>>, DestinationError> {
        let mut answers = vec![Ok(false); links.len()];
        for (ends, places) in groups(links) {
            // Where there are no associations, none is there.
            let Some((from, to)) = ends else { continue };
            let types = self.link_types(from, to).await?;
            let group: Vec<&Link> = places.iter().map(|place| &links[*place]).collect();
            let told = remove_links(&self.api, (from, to), &types, &group).await?;
            places
                .into_iter()
                .zip(told)
                .for_each(|(place, answer)| answers[place] = answer);
        }
        Ok(answers)
    }

    async fn read_links(
        &self,
        object: &ObjectName,
        ids: &[DestinationRecordId],
    ) -> Result<Option<Vec<Link>>, DestinationError> {
        if UNLINKABLE
            .iter()
            .any(|standard| standard.name() == object.as_str())
        {
            return Ok(Some(Vec::new()));
        }
        let kind = find_kind(object)?;
        let mut others = Vec::new();
        for other in &KINDS {
            let is_linkable = !UNLINKABLE.contains(&other.standard);
            if is_linkable && self.link_types(kind, other).await?.is_ok() {
                others.push(other);
            }
        }
        Ok(Some(read_links(&self.api, kind, &others, ids).await?))
    }

    fn ties(&self, object: &ObjectName) -> Vec<ObjectName> {
        let ties = Kind::find(object).map_or(&[][..], |kind| kind.ties);
        ties.iter()
            .map(|(standard, _)| standard.name().into())
            .collect()
    }

    fn estimate(&self, work: &Workload) -> Vec<Call> {
        estimate::calls(work)
    }

    fn pace(&self) -> Option<Pace> {
        self.api.pace()
    }

    fn fills(&self, object: &ObjectName) -> &'static [&'static str] {
        Kind::find(object).map_or(&[], Kind::fills)
    }

    fn batch_records(&self) -> u32 {
        BATCH_RECORDS
    }
}

/// Links of one pair of objects and one label.
type Group = (Option<(&'static Kind, &'static Kind)>, Vec<usize>);

/// The places of links that go into one call, labelled ones first: a label stands on the plain association of its pair.
fn groups(links: &[Link]) -> Vec<Group> {
    let mut groups: BTreeMap<(&ObjectName, &ObjectName, Option<&str>), Vec<usize>> =
        BTreeMap::new();
    for (place, link) in links.iter().enumerate() {
        let group = (&link.from_object, &link.to_object, link.label.as_deref());
        groups.entry(group).or_default().push(place);
    }
    let kinds = |from, to| Some((Kind::find(from)?, Kind::find(to)?));
    groups
        .into_iter()
        .rev()
        .map(|((from, to, _), places)| (kinds(from, to), places))
        .collect()
}

/// The records of those ids.
fn pick(batch: &Batch, ids: &[DestinationRecordId]) -> Batch {
    let wanted: std::collections::HashSet<&str> =
        ids.iter().map(DestinationRecordId::as_str).collect();
    let mut picked = BatchBuilder::new(batch.object().clone());
    for record in batch.iter().filter(|record| wanted.contains(record.id())) {
        picked.begin(record.id(), record.updated_at());
        record.fields().for_each(|(at, value)| {
            picked.field(at, value);
        });
    }
    picked.finish()
}
