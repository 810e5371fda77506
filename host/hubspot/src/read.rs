//! Records read: by id, by unique property, page by page. It changes nothing.

use std::collections::HashMap;
use std::sync::Arc;

use model::catalog::StandardObject;
use model::destination::SOURCE_KEY_PROPERTY;
use model::{Batch, BatchBuilder, DestinationError, Instant, ObjectInfo};
use serde_json::json;

use crate::answer::{Record, Records};
use crate::api::{Api, Repeat, at_once, read};
use crate::email::{HEADERS, Parties, TEXTS};
use crate::objects::Kind;
use crate::value;

/// The most inputs of a batch, and records of a page.
pub(crate) const BATCH_MAX: usize = 100;

/// Batches that are asked for at once; the portal's limits are kept below.
pub(crate) const AT_ONCE: usize = 40;

/// Builds a batch of records of an object from answers.
pub(crate) struct Reader<'i> {
    info: &'i Arc<ObjectInfo>,
    builder: BatchBuilder,
    scratch: String,
}

impl<'i> Reader<'i> {
    pub(crate) fn new(info: &'i Arc<ObjectInfo>) -> Self {
        Self {
            info,
            builder: BatchBuilder::new(info.clone()),
            scratch: String::new(),
        }
    }

    /// Adds a record. A value that is not of its property's kind counts as unknown.
    pub(crate) fn take(&mut self, record: &Record<'_>) {
        let updated_at = record
            .updated_at
            .as_ref()
            .and_then(|at| at.parse::<Instant>().ok());
        self.builder.begin(&record.id, updated_at);
        for (name, text) in &record.properties.0 {
            if name == HEADERS && self.info.standard == Some(StandardObject::Email) {
                self.take_parties(text.as_deref().unwrap_or_default());
                continue;
            }
            let Some(at) = self.info.fields.find(name) else {
                continue;
            };
            let kind = self.info.fields.get(at).expect("found in the table").kind;
            match value::read(kind, text.as_deref().unwrap_or_default(), &mut self.scratch) {
                Some(value) => drop(self.builder.field(at, value)),
                None => {
                    tracing::warn!(object = %self.info.name, property = %name, %kind, "a value is not of its property's kind")
                }
            }
        }
    }

    fn take_parties(&mut self, json: &str) {
        let parties = Parties::parse(json);
        for ((name, _), text) in TEXTS.iter().zip(&parties.0) {
            if let Some(at) = self.info.fields.find(name) {
                self.builder.field(at, model::ValueRef::Text(text));
            }
        }
    }

    /// Links the record that was taken last.
    pub(crate) fn link(&mut self, association: u16, id: &str) {
        self.builder.association(association, id);
    }

    pub(crate) fn finish(self) -> Batch {
        self.builder.finish()
    }
}

/// The names that HubSpot knows those properties by; each once.
pub(crate) fn asked<'p>(kind: &Kind, properties: &[&'p str]) -> Vec<&'p str> {
    let is_email = kind.standard == StandardObject::Email;
    let mut names = Vec::with_capacity(properties.len() + 1);
    for name in properties {
        let name = if is_email && TEXTS.iter().any(|(text, _)| text == name) {
            HEADERS
        } else {
            *name
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Reads those records, whatever their number; those that are not there are missing.
pub(crate) async fn read_records(
    api: &Api,
    kind: &Kind,
    info: &Arc<ObjectInfo>,
    properties: &[&str],
    ids: &[&str],
) -> Result<Batch, DestinationError> {
    let properties = &asked(kind, properties);
    let answers: Vec<Vec<u8>> = at_once(
        ids.chunks(BATCH_MAX)
            .map(|ids| read_batch(api, kind, properties, ids, None)),
        AT_ONCE,
    )
    .await?;
    let mut reader = Reader::new(info);
    for body in &answers {
        let records: Records<'_> = read(body, "reading records")?;
        records
            .results
            .iter()
            .filter(|record| !record.archived)
            .for_each(|record| reader.take(record));
    }
    Ok(reader.finish())
}

/// Finds records by their source keys: for each key its record's id. The keys are asked for by the unique property, never searched: the
/// search index lags behind.
pub(crate) async fn find_keys<'k>(
    api: &Api,
    kind: &Kind,
    keys: &[&'k str],
) -> Result<HashMap<&'k str, String>, DestinationError> {
    let answers: Vec<Vec<u8>> = at_once(
        keys.chunks(BATCH_MAX).map(|keys| {
            read_batch(
                api,
                kind,
                &[SOURCE_KEY_PROPERTY],
                keys,
                Some(SOURCE_KEY_PROPERTY),
            )
        }),
        AT_ONCE,
    )
    .await?;
    let wanted: std::collections::HashSet<&'k str> = keys.iter().copied().collect();
    let mut found = HashMap::with_capacity(keys.len());
    for body in &answers {
        let records: Records<'_> = read(body, "looking up records")?;
        for record in records.results.iter().filter(|record| !record.archived) {
            let key = record.properties.find(SOURCE_KEY_PROPERTY);
            if let Some(key) = key.and_then(|key| wanted.get(key)) {
                found.insert(*key, record.id.clone().into_owned());
            }
        }
    }
    Ok(found)
}

/// One batch of at most 100. Inputs that are not there are told as errors within the answer.
pub(crate) async fn read_batch(
    api: &Api,
    kind: &Kind,
    properties: &[&str],
    ids: &[&str],
    id_property: Option<&str>,
) -> Result<Vec<u8>, DestinationError> {
    let inputs: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
    let mut body = json!({"inputs": inputs, "properties": properties, "propertiesWithHistory": []});
    if let Some(property) = id_property {
        body["idProperty"] = property.into();
    }
    let path = api.version.objects(kind.path, "/batch/read");
    let answer = api
        .post(&path, body.to_string().into_bytes(), Repeat::Safe)
        .await;
    match answer {
        // Where none of them is there, the whole answer is an error.
        Err(crate::api::Failed::Refused {
            status: 404,
            refusal,
        }) if refusal.category == "OBJECT_NOT_FOUND" => Ok(br#"{"results":[]}"#.to_vec()),
        answer => answer.map_err(|failed| failed.stop(&format!("reading {}", kind.path))),
    }
}

/// One page of all records, in the order of the ids. Answers with the body and where to go on.
pub(crate) async fn list(
    api: &Api,
    kind: &Kind,
    properties: &[&str],
    associations: &[&str],
    after: Option<&str>,
) -> Result<Vec<u8>, DestinationError> {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    let mut query = vec![
        pair("limit", BATCH_MAX.to_string()),
        pair("archived", "false".to_owned()),
        pair("properties", asked(kind, properties).join(",")),
    ];
    if !associations.is_empty() {
        query.push(pair("associations", associations.join(",")));
    }
    query.extend(after.map(|after| pair("after", after.to_owned())));
    let answer = api.get(&api.version.objects(kind.path, ""), query).await;
    answer.map_err(|failed| failed.stop(&format!("listing {}", kind.path)))
}
