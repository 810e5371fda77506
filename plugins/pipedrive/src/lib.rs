//! The Pipedrive connector: an account's objects, engagements and pipelines, over both generations of its API.
//!
//! It only reads. It holds no credential and knows no host: the manifest names the endpoint, the host adds the rest.

mod json;

mod fault;

mod envelope;

mod metadata;

mod value;

mod table;

mod reading;

mod lists;
mod offsets;

mod stages;

mod persons;

mod organizations;

mod deals;

mod account;

mod users;

mod currencies;

mod products;

mod line_items;

mod projects;

mod leads;

mod activity;

mod call_logs;

mod notes;

mod mail;

mod engagements;

use longshore_sdk::{
    Account, Connector, Context, Cursor, Engagements, ObjectInfo, Page, PageRequest, Pipeline,
    Result, Stages,
};

/// The connector.
#[derive(Debug)]
pub struct Pipedrive;

impl Connector for Pipedrive {
    fn check(ctx: &Context) -> Result<Account> {
        account::check(ctx)
    }

    fn list_objects(ctx: &Context) -> Result<Vec<ObjectInfo>> {
        let mut objects = vec![
            users::describe(ctx)?,
            currencies::describe(ctx)?,
            organizations::describe(ctx)?,
            persons::describe(ctx)?,
            leads::describe(ctx)?,
            products::describe(ctx)?,
            deals::describe(ctx)?,
            line_items::describe(ctx)?,
        ];
        objects.extend(projects::describe(ctx)?);
        Ok(objects)
    }

    fn fetch_records(
        ctx: &Context,
        request: &PageRequest,
        page: &mut Page,
    ) -> Result<Option<Cursor>> {
        match request.object.as_str() {
            users::NAME => users::fetch(ctx, request, page),
            currencies::NAME => currencies::fetch(ctx, request, page),
            organizations::NAME => organizations::fetch(ctx, request, page),
            persons::NAME => persons::fetch(ctx, request, page),
            leads::NAME => leads::fetch(ctx, request, page),
            products::NAME => products::fetch(ctx, request, page),
            deals::NAME => deals::fetch(ctx, request, page),
            line_items::NAME => line_items::fetch(ctx, request, page),
            projects::NAME => projects::fetch(ctx, request, page),
            _ => Err(request.unknown_object()),
        }
    }
}

impl Engagements for Pipedrive {
    fn list_engagements(ctx: &Context) -> Result<Vec<ObjectInfo>> {
        engagements::describe(ctx)
    }

    fn fetch_engagements(
        ctx: &Context,
        request: &PageRequest,
        page: &mut Page,
    ) -> Result<Option<Cursor>> {
        engagements::fetch(ctx, request, page)
    }
}

impl Stages for Pipedrive {
    fn describe_stages(ctx: &Context) -> Result<Vec<Pipeline>> {
        stages::describe(ctx)
    }
}

longshore_sdk::export!(Pipedrive: engagements, stages);

#[cfg(test)]
mod tests;
