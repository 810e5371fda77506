//! How many requests a plan takes of a portal: every kind of work in the batches in which it is sent.

use model::catalog::StandardObject;
use model::estimate::{Call, ObjectWork, Work, Workload};

use crate::link::{CREATE_MAX, READ_MAX};
use crate::objects::Kind;
use crate::read::BATCH_MAX;

/// The lines, in the order of the work. A list that is full makes each request as large as it may be; bodies of e-mails that are long, and
/// halves of a batch that was refused, come on top.
pub(crate) fn calls(work: &Workload) -> Vec<Call> {
    let objects = work.objects.iter().filter(|work| is_written(work));
    let mut calls: Vec<Call> = objects.clone().flat_map(writes).collect();
    let kinds = [("remove", &work.removals), ("make", &work.links)];
    let kinds = kinds
        .iter()
        .flat_map(|(doing, links)| links.iter().map(move |work| (doing, work)));
    for (doing, work) in kinds {
        if Kind::find(&work.from).is_none() || Kind::find(&work.to).is_none() {
            continue;
        }
        let label = work
            .label
            .as_ref()
            .map_or_else(String::new, |label| format!(" labelled {label:?}"));
        let what = format!("{} with {}{label}", work.from, work.to);
        // Each record is asked once for what it has, and no more records are asked than links are to be made.
        let found = Call::batched(
            Work::Associate,
            format!("find {what}"),
            work.links,
            READ_MAX as u64,
        );
        let made = Call::batched(
            Work::Associate,
            format!("{doing} {what}"),
            work.links,
            CREATE_MAX as u64,
        );
        calls.extend(found.map(Call::beside).into_iter().chain(made));
    }
    calls.extend(objects.filter_map(|work| {
        let read = work.creates + work.updates + work.kept;
        Call::batched(Work::Prove, work.object.as_str(), read, BATCH_MAX as u64)
    }));
    calls
}

/// Owners and currencies are the portal's own.
fn is_written(work: &ObjectWork) -> bool {
    let own = [StandardObject::Owner, StandardObject::Currency];
    !own.iter().any(|own| own.name() == work.object.as_str())
}

fn writes(work: &ObjectWork) -> impl Iterator<Item = Call> + use<> {
    let (object, per_request) = (&work.object, BATCH_MAX as u64);
    let line = |work, what: String, items| Call::batched(work, what, items, per_request);
    let change = |what: &str| line(Work::Change, format!("{what} {object}"), work.updates);
    let calls = [
        line(Work::Create, object.to_string(), work.creates),
        // Whether somebody changed it since the plan; then what it is is read, and changed.
        change("check").map(Call::beside),
        change("read").map(Call::beside),
        change("write"),
    ];
    calls.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use model::estimate::LinkWork;

    use super::*;

    #[test]
    fn every_kind_of_work_is_counted_in_its_own_batches() {
        let work = Workload {
            objects: vec![
                ObjectWork {
                    object: "owner".into(),
                    creates: 0,
                    updates: 0,
                    kept: 5,
                },
                ObjectWork {
                    object: "contact".into(),
                    creates: 201,
                    updates: 100,
                    kept: 1,
                },
            ],
            links: vec![
                LinkWork {
                    from: "contact".into(),
                    to: "company".into(),
                    label: None,
                    links: 2_001,
                },
                LinkWork {
                    from: "product".into(),
                    to: "nothing".into(),
                    label: None,
                    links: 7,
                },
            ],
            removals: vec![LinkWork {
                from: "contact".into(),
                to: "company".into(),
                label: None,
                links: 3,
            }],
        };
        let told: Vec<_> = calls(&work)
            .into_iter()
            .map(|call| (call.work, call.what, call.items, call.requests))
            .collect();
        let line = |work, what: &str, items, requests| (work, what.to_owned(), items, requests);
        assert_eq!(
            told,
            [
                line(Work::Create, "contact", 201, 3),
                line(Work::Change, "check contact", 0, 1),
                line(Work::Change, "read contact", 0, 1),
                line(Work::Change, "write contact", 100, 1),
                line(Work::Associate, "find contact with company", 0, 1),
                line(Work::Associate, "remove contact with company", 3, 1),
                line(Work::Associate, "find contact with company", 0, 3),
                line(Work::Associate, "make contact with company", 2_001, 2),
                line(Work::Prove, "contact", 302, 4),
            ]
        );
    }
}
