//! Discover: both catalogs, and the mapping that follows from them.

use model::mapping::Mapping;
use model::{Account, Catalog, ConnectionId, Destination, Finding, FindingCode, PlanId};
use store::Store;

use crate::context::Context;
use crate::error::RunError;
use crate::progress::Phase;

/// What both sides have, and what would become of what.
#[derive(Clone, Debug)]
pub struct Discovered {
    /// The source's account.
    pub account: Account,
    /// The destination's account.
    pub destination_account: Account,
    /// The source's objects and pipelines.
    pub source: Catalog,
    /// The destination's objects and pipelines.
    pub destination: Catalog,
    /// The mapping between them: the default one, with what a person said put over it.
    pub mapping: Mapping,
    /// What a person should know.
    pub findings: Vec<Finding>,
}

/// Kind of the documents that hold which account of the destination a connection was written into.
const DESTINATION: &str = "destination-account";

/// What is bound was bound in one account of the destination. In another one the bound records would look deleted, so it is refused.
pub(crate) async fn check_destination(ctx: &mut Context<'_>) -> Result<Account, RunError> {
    check_account(ctx.store, ctx.destination, &ctx.connection).await
}

/// As [`check_destination`], without a source.
pub(crate) async fn check_account(
    store: &mut Store,
    destination: &dyn Destination,
    connection: &ConnectionId,
) -> Result<Account, RunError> {
    let account = destination.check().await;
    let account =
        account.map_err(|error| RunError::destination("asking for the account", error))?;
    let key = connection.as_str();
    match store.load_document::<String>(DESTINATION, key)? {
        Some(known) if known != account.id => Err(RunError::OtherDestination {
            known,
            found: account.id,
        }),
        Some(_) => Ok(account),
        None => {
            store.save_document(DESTINATION, key, &account.id)?;
            Ok(account)
        }
    }
}

/// Reads both catalogs.
///
/// # Errors
/// When a side does not answer, and when what a person said of the mapping does not fit the two.
pub async fn discover(ctx: &mut Context<'_>) -> Result<Discovered, RunError> {
    let catalog = "catalog".into();
    ctx.progress.begin(Phase::Discover, &catalog, None);
    let destination_account = check_destination(ctx).await?;
    let account = ctx
        .source
        .check()
        .await
        .map_err(|error| RunError::source(&catalog, error))?;
    let (source, mut findings) = ctx
        .source
        .fetch_catalog()
        .await
        .map_err(|error| RunError::source(&catalog, error))?;
    let destination = ctx.destination.fetch_catalog().await;
    let destination =
        destination.map_err(|error| RunError::destination("reading the catalog", error))?;
    let (mapping, mapped) = match ctx.overrides {
        Some(said) => reconcile::map_with(&source, &destination, said, &findings)
            .map_err(RunError::Mapping)?,
        None => reconcile::default_mapping(&source, &destination),
    };
    findings.extend(mapped);
    let missing = destination_account
        .missing_scopes
        .iter()
        .map(|what| Finding {
            code: FindingCode::NoPermission,
            object: catalog.clone(),
            record: None,
            field: None,
            message: format!("destination: {what}"),
        });
    findings.extend(missing);
    ctx.store.save_document(
        "account-currency",
        ctx.connection.as_str(),
        &account.currency.clone().unwrap_or_default(),
    )?;
    ctx.store
        .save_document(SOURCE_CATALOG, ctx.connection.as_str(), &source)?;
    ctx.progress.end();
    Ok(Discovered {
        account,
        destination_account,
        source,
        destination,
        mapping,
        findings,
    })
}

/// Kind of the documents that hold what a source has.
const SOURCE_CATALOG: &str = "source-catalog";

/// What the source had when it was discovered last; `None` where it never was.
///
/// # Errors
/// When the state cannot be read.
pub fn find_source_catalog(
    store: &Store,
    connection: &ConnectionId,
) -> Result<Option<Catalog>, RunError> {
    Ok(store.load_document(SOURCE_CATALOG, connection.as_str())?)
}

/// Kind of the documents that hold the mapping file that a plan was made with.
const PLAN_MAPPING: &str = "plan-mapping";

/// Keeps the mapping file with the plan that was made with it.
pub(crate) fn keep_mapping(ctx: &mut Context<'_>, plan: &PlanId) -> Result<(), RunError> {
    match ctx.overrides {
        Some(said) => Ok(ctx
            .store
            .save_document(PLAN_MAPPING, plan.as_str(), &said.text)?),
        None => Ok(()),
    }
}

/// The mapping file that a plan was made with, as it was then; `None` where it was made without one.
///
/// # Errors
/// When the state cannot be read.
pub fn find_plan_mapping(store: &Store, plan: &PlanId) -> Result<Option<String>, RunError> {
    Ok(store.load_document(PLAN_MAPPING, plan.as_str())?)
}
