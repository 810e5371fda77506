//! The estimate of a plan: its counts, put to both sides. It is kept beside the plan, not in it: what a vendor lets through today is no
//! part of what was decided.

use std::collections::HashMap;

use model::PlanId;
use model::estimate::{Call, Estimate, LinkWork, ObjectWork, SideEstimate, Work, Workload};
use model::plan::Plan;
use store::{LinkCount, Store};

use crate::context::Context;
use crate::error::RunError;

/// Kind of the documents that hold a plan's estimate.
const ESTIMATE: &str = "plan-estimate";

/// Works out how long the plan will take, and keeps it.
pub(crate) fn keep_estimate(ctx: &mut Context<'_>, plan: &Plan) -> Result<(), RunError> {
    let work = workload(ctx.store, plan)?;
    let selected: HashMap<_, _> = plan
        .header
        .counts
        .iter()
        .map(|(name, _, counts)| (name, counts.selected))
        .collect();
    let pages = ctx.store.extracted_pages(&ctx.connection)?;
    let reads = pages.into_iter().map(|(object, pages)| Call {
        work: Work::Read,
        what: object.to_string(),
        items: selected.get(&object).copied().unwrap_or_default(),
        requests: pages,
    });
    let estimate = Estimate {
        destination: SideEstimate {
            calls: ctx.destination.estimate(&work),
            pace: ctx.destination.pace(),
        },
        source: SideEstimate {
            calls: reads.collect(),
            pace: ctx.source.pace(),
        },
    };
    Ok(ctx
        .store
        .save_document(ESTIMATE, plan.id.as_str(), &estimate)?)
}

/// How long the plan was thought to take when it was made; `None` for plans of versions that did not estimate.
///
/// # Errors
/// When the state cannot be read.
pub fn find_estimate(store: &Store, plan: &PlanId) -> Result<Option<Estimate>, RunError> {
    Ok(store.load_document(ESTIMATE, plan.as_str())?)
}

fn workload(store: &Store, plan: &Plan) -> Result<Workload, RunError> {
    let mapped = plan.header.mapping.objects.iter();
    let destinations: HashMap<_, _> = mapped
        .map(|object| (&object.source, &object.destination))
        .collect();
    let objects = plan.header.counts.iter().filter_map(|(source, _, counts)| {
        Some(ObjectWork {
            object: (*destinations.get(source)?).clone(),
            creates: counts.create,
            updates: counts.update,
            kept: counts.keep,
        })
    });
    let works = |counts: Vec<LinkCount>| -> Vec<LinkWork> {
        let works = counts.into_iter().filter_map(|(from, to, label, links)| {
            Some(LinkWork {
                from: (*destinations.get(&from)?).clone(),
                to: (*destinations.get(&to)?).clone(),
                label,
                links,
            })
        });
        works.collect()
    };
    Ok(Workload {
        objects: objects.collect(),
        links: works(store.planned_link_counts(&plan.id)?),
        removals: works(store.planned_removal_counts(&plan.id)?),
    })
}
