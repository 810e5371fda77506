//! Match keys of both sides into the store, so that a record's match is one lookup and memory stays flat.

use std::collections::HashSet;

use model::catalog::StandardObject;
use model::mapping::ObjectMapping;
use model::{Batch, Catalog, RecordRef};
use reconcile::{Filter, MappingErrors, MatchKeys, Matcher, owner_key};
use store::Side;

use crate::context::{BATCH_BYTES, BATCH_RECORDS, Context, decode_stored};
use crate::error::RunError;

/// Stores the match keys of every object that has match rules.
pub(crate) async fn collect_keys(
    ctx: &mut Context<'_>,
    source: &Catalog,
    target: &Catalog,
    objects: &[ObjectMapping],
) -> Result<(), RunError> {
    ctx.store.clear_match_keys()?;
    for object in objects {
        if let Some(info) = source.find_object(object.source.as_str()) {
            let matcher = Matcher::of_source(object, info);
            if matcher.has_rules() {
                collect_source_keys(ctx, object, info, &matcher)?;
            }
        }
        if let Some(info) = target.find_object(object.destination.as_str()) {
            let matcher = Matcher::of_destination(object, info);
            if matcher.has_rules() {
                let ids = collect_destination_keys(ctx, object, &matcher).await?;
                if object.standard == StandardObject::Owner {
                    pair_owners(ctx, object, &ids)?;
                }
            }
        }
    }
    Ok(ctx.store.settle_match_keys()?)
}

/// What the filter or a person leaves out has no keys: nothing is linked to a record that does not migrate.
fn collect_source_keys(
    ctx: &mut Context<'_>,
    object: &ObjectMapping,
    info: &std::sync::Arc<model::ObjectInfo>,
    matcher: &Matcher,
) -> Result<(), RunError> {
    let filter = object
        .filter
        .as_ref()
        .map(|filter| Filter::new(filter, info));
    let filter = filter.transpose().map_err(|errors| {
        let (object, errors) = (object.source.to_string(), errors);
        RunError::Inconsistent(MappingErrors { object, errors }.to_string())
    })?;
    let mut after = 0;
    loop {
        ctx.go_on()?;
        let staged = ctx.store.load_staged(
            &ctx.connection,
            &object.source,
            after,
            4 * BATCH_RECORDS,
            BATCH_BYTES,
        )?;
        if staged.len == 0 {
            return Ok(());
        }
        after = staged.last;
        let records = decode_stored(info, staged.rows)?;
        let left_out = find_left_out(ctx, object, &records)?;
        add_keys(
            ctx,
            Side::Source,
            object,
            &records,
            |record| match &filter {
                _ if left_out.contains(record.id()) => MatchKeys::default(),
                Some(filter) if filter.find_unmet(record).is_some() => MatchKeys::default(),
                _ => matcher.match_keys(record),
            },
        )?;
    }
}

/// The records that a person left out.
fn find_left_out<'r>(
    ctx: &Context<'_>,
    object: &ObjectMapping,
    records: &'r Batch,
) -> Result<HashSet<&'r str>, RunError> {
    let ids: Vec<_> = records.iter().map(|record| record.id()).collect();
    let laid = ctx.store.find_laid(&ctx.connection, &object.source, &ids)?;
    let out = ids.into_iter().zip(laid).filter(|(_, laid)| {
        let laid = laid.as_ref();
        laid.is_some_and(|laid| laid.row.is_none() && !laid.only_broken)
    });
    Ok(out.map(|(id, _)| id).collect())
}

async fn collect_destination_keys(
    ctx: &mut Context<'_>,
    object: &ObjectMapping,
    matcher: &Matcher,
) -> Result<HashSet<String>, RunError> {
    let (mut cursor, mut ids) = (None, HashSet::new());
    loop {
        ctx.go_on()?;
        let page = ctx
            .destination
            .fetch_page(&object.destination, cursor.as_ref(), BATCH_RECORDS)
            .await;
        let failed =
            |error| RunError::destination(format!("reading {} records", object.destination), error);
        let (records, next) = page.map_err(failed)?;
        add_keys(ctx, Side::Destination, object, &records, |record| {
            matcher.match_keys(record)
        })?;
        if object.standard == StandardObject::Owner {
            ids.extend(records.iter().map(|record| record.id().to_owned()));
        }
        cursor = next;
        if cursor.is_none() {
            return Ok(ids);
        }
    }
}

/// Lets the owners of the table be found under the addresses that they have at the source. Everything wrong with it is told together.
fn pair_owners(
    ctx: &mut Context<'_>,
    object: &ObjectMapping,
    ids: &HashSet<String>,
) -> Result<(), RunError> {
    let (mut pairs, mut faults) = (Vec::new(), Vec::new());
    for (source, destination) in ctx.owners {
        let Some(key) = owner_key(source) else {
            faults.push(format!("{source:?} is no e-mail address"));
            continue;
        };
        let found = match owner_key(destination) {
            Some(key) => {
                let rule = key.rule.name();
                ctx.store
                    .find_match(Side::Destination, &object.source, rule, &key.key)?
            }
            None => ids.get(destination).cloned(),
        };
        match found {
            Some(id) => pairs.push((key, id)),
            None => faults.push(format!(
                "the destination has no owner {destination:?} for {source}"
            )),
        }
    }
    if !faults.is_empty() {
        return Err(RunError::Owners(faults));
    }
    let mut claims = pairs
        .iter()
        .map(|(key, id)| (key.rule.name(), key.key.as_str(), id.as_str()));
    Ok(ctx
        .store
        .set_match_keys(Side::Destination, &object.source, &mut claims)?)
}

/// Destination keys are stored under the source object's name, as the source's are: the two are asked together.
fn add_keys(
    ctx: &mut Context<'_>,
    side: Side,
    object: &ObjectMapping,
    records: &Batch,
    find_keys: impl Fn(RecordRef<'_>) -> MatchKeys,
) -> Result<(), RunError> {
    let keys: Vec<_> = records
        .iter()
        .map(|record| (record.id(), find_keys(record)))
        .collect();
    let mut claims = keys.iter().flat_map(|(id, keys)| {
        keys.claims()
            .map(move |claim| (claim.rule.name(), claim.key.as_str(), *id))
    });
    // Owners and currencies are few, and are looked for by others too.
    let is_few = matches!(
        object.standard,
        StandardObject::Owner | StandardObject::Currency
    );
    Ok(match is_few {
        true => ctx
            .store
            .add_few_match_keys(side, &object.source, &mut claims),
        false => ctx.store.add_match_keys(side, &object.source, &mut claims),
    }?)
}
