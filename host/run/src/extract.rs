//! Extract: the source's records into the store. A page and its cursor commit together, so a killed run goes on with the next page.

use model::mapping::Mapping;
use model::source::PageRequest;
use model::{Catalog, Finding, FindingCode, ObjectName, RecordPage, SourceError};
use reconcile::trips;
use store::Checkpoint;

use crate::breaker::Breaker;
use crate::context::Context;
use crate::error::RunError;
use crate::progress::Phase;

/// Pages in a row without anything new that are let pass on any list.
const PAGES_WITHOUT_NEWS: u64 = 100;

/// How often a list may bring again what it has brought before. A message that hangs on three persons, a deal and its company comes
/// once for each, all persons' before all deals', so pages without news may be more than those with.
const REPEATS_MAX: u64 = 8;

/// How often an object's list is started again because its cursor went stale.
const RESTARTS_MAX: u32 = 3;

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtractSummary {
    /// Records that were stored in this run, by object.
    pub records: Vec<(ObjectName, u64)>,
    /// What a person should know.
    pub findings: Vec<Finding>,
}

/// Reads every mapped object to its end, going on where the run before it stopped.
///
/// # Errors
/// When the source does not answer, repeats itself without end, or the state cannot be written. What was read stays.
pub async fn extract(
    ctx: &mut Context<'_>,
    catalog: &Catalog,
    mapping: &Mapping,
) -> Result<ExtractSummary, RunError> {
    let extraction = ctx.store.begin_extraction(&ctx.connection)?;
    let mut summary = ExtractSummary::default();
    for object in &mapping.objects {
        let info = catalog.find_object(object.source.as_str());
        let count = info.and_then(|info| info.count);
        ctx.progress.begin(Phase::Extract, &object.source, count);
        let read = extract_object(ctx, extraction, &object.source, count).await;
        ctx.progress.end();
        match read {
            Ok(records) => summary.records.push((object.source.clone(), records)),
            Err(RunError::Source {
                error: SourceError::Permission(message) | SourceError::Unsupported(message),
                ..
            }) => {
                summary.findings.push(Finding {
                    code: FindingCode::NoPermission,
                    object: object.source.clone(),
                    record: None,
                    field: None,
                    message: format!("{} cannot be read: {message}", object.source),
                });
                ctx.store
                    .finish_object(&ctx.connection, &object.source, extraction)?;
                summary.records.push((object.source.clone(), 0));
            }
            Err(error) => return Err(error),
        }
    }
    ctx.store.finish_extraction(extraction)?;
    Ok(summary)
}

async fn extract_object(
    ctx: &mut Context<'_>,
    extraction: i64,
    object: &ObjectName,
    count: Option<u64>,
) -> Result<u64, RunError> {
    let (mut stored, mut restarts, mut idle_pages) = (0, 0, 0_u64);
    let mut breaker = Breaker::of_reading(ctx.store, &ctx.connection, object, extraction)?;
    loop {
        ctx.go_on()?;
        let (cursor, pages) =
            match ctx
                .store
                .load_checkpoint(&ctx.connection, object, extraction)?
            {
                Checkpoint::Done { .. } => {
                    check_breaker(ctx, object, extraction, &mut breaker, count.or(Some(0)))?;
                    ctx.store
                        .finish_object(&ctx.connection, object, extraction)?;
                    return Ok(stored);
                }
                Checkpoint::Start => (None, 0),
                Checkpoint::At(cursor, pages) => (Some(cursor), pages),
            };
        let request = PageRequest {
            object: object.clone(),
            cursor,
            updated_since: None,
            limit: 500,
        };
        let page = match ctx.source.fetch_page(&request).await {
            Ok(page) => page,
            Err(SourceError::StaleCursor(_)) if restarts < RESTARTS_MAX => {
                restarts += 1;
                ctx.store
                    .reset_checkpoint(&ctx.connection, object, extraction)?;
                continue;
            }
            Err(error) => return Err(RunError::source(object, error)),
        };
        let fresh = store_page(ctx, extraction, object, &page)?;
        stored += fresh;
        for row in &page.rejected {
            breaker.add_broken(row.id.as_deref().unwrap_or("without an id"), &row.reason);
        }
        check_breaker(ctx, object, extraction, &mut breaker, count)?;
        let is_empty = page.records.is_empty() && page.rejected.is_empty();
        // An empty page repeats nothing: a search among records that rarely have any finds none for long. How many of them may follow
        // each other is the source's own limit.
        idle_pages = match fresh {
            0 if is_empty => idle_pages,
            0 => idle_pages + 1,
            _ => 0,
        };
        if is_endless(pages + 1, idle_pages) {
            return Err(RunError::Endless {
                object: object.clone(),
                pages: idle_pages,
            });
        }
    }
}

/// Pauses the reading where too many rows are broken for one cause. How many are 5 % is known at the end of the list, before it only where
/// the source says how many there are; `count` is then that, and more where more came.
fn check_breaker(
    ctx: &Context<'_>,
    object: &ObjectName,
    extraction: i64,
    breaker: &mut Breaker,
    count: Option<u64>,
) -> Result<(), RunError> {
    // Counting asks the whole table; nothing is counted where nothing would be paused by however small an account.
    if !trips(breaker.most(), 0) {
        return Ok(());
    }
    // A page that came again brought its rows again: they are counted once.
    *breaker = Breaker::of_reading(ctx.store, &ctx.connection, object, extraction)?;
    let (connection, store) = (&ctx.connection, &ctx.store);
    let read =
        store.staged_count(connection, object)? + store.quarantined_count(connection, object)?;
    breaker.check(count.map_or(u64::MAX, |count| count.max(read)))
}

/// Whether a list that has brought nothing new for so many of its pages, the last ones, is taken to be endless.
fn is_endless(pages: u64, idle_pages: u64) -> bool {
    let with_news = pages.saturating_sub(idle_pages);
    idle_pages >= PAGES_WITHOUT_NEWS.max(REPEATS_MAX * with_news)
}

/// Commits the page and says how many of its records were new or changed.
fn store_page(
    ctx: &mut Context<'_>,
    extraction: i64,
    object: &ObjectName,
    page: &RecordPage,
) -> Result<u64, RunError> {
    let staged = ctx
        .store
        .stage_page(&ctx.connection, object, extraction, page)?;
    ctx.progress.advance(page.records.len() as u64);
    Ok(staged.new + staged.changed + staged.unchanged + staged.rejected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_repeats_itself_is_endless_after_a_hundred_pages_or_eight_rounds() {
        assert!(!is_endless(100, 99));
        assert!(is_endless(101, 100));
        assert!(is_endless(112, 100));
        assert!(!is_endless(113, 100));
        assert!(is_endless(9_000, 8_000));
    }

    #[test]
    fn e_mails_of_a_hundred_thousand_persons_come_again_with_their_deals() {
        assert!(!is_endless(200 + 140, 140));
    }
}
