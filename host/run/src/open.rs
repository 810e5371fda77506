//! What is remembered of a plan beside it: that it was approved, prepared and audited, and which run made it; so which plan a stopped
//! migration goes on with.

use model::plan::ApprovedPlan;
use model::undo::Rollback;
use model::{Instant, PlanId, RunId};
use store::Store;

use crate::error::RunError;

/// Kind of the documents that hold which run made a plan.
pub(crate) const PLAN_RUN: &str = "plan-run";

/// Kind of the documents that hold what preparation found or made for a plan.
pub(crate) const PREPARED: &str = "prepared";

/// Kind of the documents that hold when a plan was approved, and when it was audited.
pub(crate) const APPROVED: &str = "approved";
pub(crate) const AUDITED: &str = "audited";

/// The roll back of a plan, begun or done.
///
/// # Errors
/// When the state cannot be read.
pub fn find_rollback(store: &Store, plan: &PlanId) -> Result<Option<Rollback>, RunError> {
    let rollbacks = store.rollbacks()?;
    let found = rollbacks.into_iter().find(|(_, undone)| undone == plan);
    Ok(found.map(|(rollback, _)| rollback))
}

/// What is rolled back is over: it is neither gone on with nor audited.
pub(crate) fn refuse_rolled_back(store: &Store, plan: &PlanId) -> Result<(), RunError> {
    match find_rollback(store, plan)? {
        None => Ok(()),
        Some(rollback) => Err(RunError::PlanRolledBack {
            plan: plan.clone(),
            by: rollback.run,
        }),
    }
}

/// The newest plan where it was approved and its audit is not done: what a stopped migration goes on with.
///
/// # Errors
/// When the state cannot be read.
pub fn find_open_plan(store: &Store) -> Result<Option<ApprovedPlan>, RunError> {
    let Some(plan) = store.latest_plan()? else {
        return Ok(None);
    };
    let id = plan.id.as_str().to_owned();
    if find_rollback(store, &plan.id)?.is_some() {
        return Ok(None);
    }
    if store.load_document::<Instant>(AUDITED, &id)?.is_some() {
        return Ok(None);
    }
    let Some(approved_at) = store.load_document::<Instant>(APPROVED, &id)? else {
        return Ok(None);
    };
    let hash = plan.hash.clone();
    plan.approve(&hash, approved_at)
        .map(Some)
        .map_err(|error| RunError::Inconsistent(error.to_string()))
}

/// The run that made a plan, so that all its findings stand together.
///
/// # Errors
/// When the state cannot be read.
pub fn find_plan_run(store: &Store, plan: &PlanId) -> Result<Option<RunId>, RunError> {
    Ok(store.load_document(PLAN_RUN, plan.as_str())?)
}
