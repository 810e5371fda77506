//! Reads Example CRM: companies, contacts, deals with their pipelines, and notes. The same connector as in `sdk/python` and `sdk/javascript`.
//!
//! It holds no credential and names no host: it asks the host for a path below the endpoint `api` of manifest.toml.

mod answer;

mod table;

use answer::{Items, List, Me, PipelineAnswer};
use longshore_sdk::{
    Account, Connector, Context, Cursor, CursorPager, Engagements, Failure, ObjectInfo, Page,
    PageRequest, Pipeline, Response, Result, Stage, Stages,
};
use table::{NOTES, OBJECTS, Table};

const PAGE_MAX: u32 = 100;

/// The connector.
#[derive(Debug)]
pub struct Example;

longshore_sdk::export!(Example: engagements, stages);

impl Connector for Example {
    fn check(ctx: &Context) -> Result<Account> {
        let answer = ctx.http().get("api", "/me").send_ok()?;
        let Me { account, user } = answer.json()?;
        Ok(Account::new(account.id, account.name, user).currency(account.currency))
    }

    fn list_objects(ctx: &Context) -> Result<Vec<ObjectInfo>> {
        OBJECTS.iter().map(|table| table.describe(ctx)).collect()
    }

    fn fetch_records(
        ctx: &Context,
        request: &PageRequest,
        page: &mut Page,
    ) -> Result<Option<Cursor>> {
        fetch(OBJECTS, ctx, request, page)
    }
}

impl Engagements for Example {
    fn list_engagements(ctx: &Context) -> Result<Vec<ObjectInfo>> {
        NOTES.iter().map(|table| table.describe(ctx)).collect()
    }

    fn fetch_engagements(
        ctx: &Context,
        request: &PageRequest,
        page: &mut Page,
    ) -> Result<Option<Cursor>> {
        fetch(NOTES, ctx, request, page)
    }
}

impl Stages for Example {
    fn describe_stages(ctx: &Context) -> Result<Vec<Pipeline>> {
        let answer = ctx.http().get("api", "/pipelines").send_ok()?;
        let Items { items } = answer.json::<Items<PipelineAnswer>>()?;
        Ok(items.into_iter().map(pipeline).collect())
    }
}

fn pipeline(found: PipelineAnswer) -> Pipeline {
    let empty = Pipeline::new(found.id, found.name, "deal");
    found.stages.into_iter().fold(empty, |pipeline, step| {
        let stage = Stage::new(step.id, step.name, step.result.into());
        pipeline.stage(match step.chance {
            Some(percent) => stage.probability(percent),
            None => stage,
        })
    })
}

fn fetch(
    tables: &[Table],
    ctx: &Context,
    request: &PageRequest,
    page: &mut Page,
) -> Result<Option<Cursor>> {
    let table = tables.iter().find(|table| table.name == request.object);
    let table = table.ok_or_else(|| request.unknown_object())?;
    let custom = table.custom(ctx)?;
    let pager = CursorPager::resume(request)?;
    let answer = ctx
        .http()
        .get("api", format!("/{}", table.path))
        .query("limit", request.limit.min(PAGE_MAX))
        .query_opt("after", pager.cursor())
        .query_opt("changed_since", request.updated_since)
        .send_ok_or(stale)?;
    let list: List<'_> = answer.json()?;
    for item in &list.items {
        table.write(item, &custom, page)?;
    }
    pager.next(list.next)
}

/// What the vendor calls a position that it no longer knows.
fn stale(answer: &Response) -> Option<Failure> {
    let is_stale = answer.status == 400 && answer.beginning().contains("\"bad_cursor\"");
    is_stale.then(|| Failure::stale_cursor("example.bad-cursor", "the position is no longer known"))
}
