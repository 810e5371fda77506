//! Whether what a run wrote can be taken back: what holds now what the run wrote goes back to what it was, and what somebody edited since
//! stays.
//!
//! What is read and what is written is not decided here.

use model::mapping::Binding;
use model::{FieldKind, ObjectInfo, RecordRef, ValueRef};

use crate::audit::{Difference, ReadBack};
use crate::carry::{Directory, is_as_planned};
use crate::convert::is_equal;
use crate::hold::Row;
use crate::planner::Entry;

/// What becomes of one property that a run overwrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds what the run wrote: the value before goes back.
    Restore,
    /// It holds the value before: a roll back that was cut off, or a person, was here already.
    Already,
    /// It holds something else: somebody edited it since.
    Edited,
}

/// Decides by what a property was before, what the run wrote, which is told as whether it `holds_written`, and what it is now.
pub fn judge(
    kind: FieldKind,
    before: ValueRef<'_>,
    holds_written: bool,
    now: ValueRef<'_>,
) -> Verdict {
    if is_same(kind, before, now) {
        Verdict::Already
    } else if holds_written {
        Verdict::Restore
    } else {
        Verdict::Edited
    }
}

/// What becomes of one updated record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UndoneUpdate {
    /// The properties to set, by position in the planned table, each to the value before; blank where it was blank.
    pub restore: Vec<(u16, model::Value)>,
    /// The properties that somebody edited since: what was written, and what is there.
    pub edited: Vec<Difference>,
}

impl ReadBack<'_> {
    /// The properties of a record that a run made which hold something else now than it wrote. Where it wrote nothing a mapped property was
    /// blank, unless it is one of `fills`, which the destination fills in by itself.
    pub fn find_edited(
        &self,
        written: RecordRef<'_>,
        now: RecordRef<'_>,
        fills: &[&str],
        directory: &dyn Directory,
    ) -> Vec<Difference> {
        let mut edited = Vec::new();
        self.compare(written, now, directory, &mut edited);
        // A blank that was written is there, whatever it would be bound to.
        edited
            .retain(|difference| !(difference.planned.is_empty() && difference.actual.is_empty()));
        for (entry, position) in self.unwritten(written) {
            let is = now.find_field(position).unwrap_or(ValueRef::Null);
            if !is.is_blank() && !fills.contains(&entry.property.as_str()) {
                edited.push(Difference {
                    property: entry.property.clone(),
                    planned: String::new(),
                    actual: is.to_string(),
                });
            }
        }
        edited
    }

    /// What becomes of a record that a run changed. `before` is how the ledger says that the written properties were, `planned_before` how
    /// the plan does: an update that was repeated after a crash found its own values, so that the plan knows better.
    pub fn undo_update(
        &self,
        written: RecordRef<'_>,
        before: Row<'_>,
        planned_before: Option<Row<'_>>,
        now: Row<'_>,
        directory: &dyn Directory,
    ) -> UndoneUpdate {
        let mut undone = UndoneUpdate::default();
        for (field, value) in written.fields() {
            let Some(entry) = self.entry(field) else {
                continue;
            };
            let (is, mut was) = (find(now, &entry.property), find(before, &entry.property));
            if holds(entry, value, was, directory)
                && let Some(planned) = planned_before
            {
                was = find(planned, &entry.property);
            }
            match judge(entry.kind, was, holds(entry, value, is, directory), is) {
                Verdict::Already => {}
                Verdict::Restore => undone.restore.push((field, was.to_owned())),
                Verdict::Edited => undone.edited.push(Difference {
                    property: entry.property.clone(),
                    planned: value.to_string(),
                    actual: is.to_string(),
                }),
            }
        }
        undone
    }
}

/// Whether the property holds what was written, ids of the source as what they are bound to.
fn holds(
    entry: &Entry,
    written: ValueRef<'_>,
    now: ValueRef<'_>,
    directory: &dyn Directory,
) -> bool {
    let is_unbound = || match written {
        ValueRef::Text(id) if entry.binding != Binding::None => {
            now.is_blank() && directory.find_bound(&entry.binding, id).is_none()
        }
        written => written.is_blank() && now.is_blank(),
    };
    is_as_planned(entry, written, now, directory) || is_unbound()
}

fn is_same(kind: FieldKind, left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    (left.is_blank() && right.is_blank()) || left == right || is_equal(kind, left, right)
}

fn find<'r>((record, object): (RecordRef<'r>, &'r ObjectInfo), property: &str) -> ValueRef<'r> {
    let at = object.fields.find(property);
    at.and_then(|at| record.find_field(at))
        .unwrap_or(ValueRef::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        kind: FieldKind,
        before: ValueRef<'_>,
        written: ValueRef<'_>,
        now: ValueRef<'_>,
        expected: Verdict,
    ) {
        let holds_written = is_same(kind, written, now);
        assert_eq!(
            judge(kind, before, holds_written, now),
            expected,
            "{before:?} -> {written:?}, now {now:?}"
        );
    }

    fn text(text: &str) -> ValueRef<'_> {
        ValueRef::Text(text)
    }

    #[test]
    fn what_holds_the_written_value_goes_back() {
        check(
            FieldKind::Text,
            text("old"),
            text("new"),
            text("new"),
            Verdict::Restore,
        );
        // What was blank becomes blank again, and what was cleared comes back.
        check(
            FieldKind::Text,
            ValueRef::Null,
            text("new"),
            text("new"),
            Verdict::Restore,
        );
        check(
            FieldKind::Text,
            text("old"),
            ValueRef::Null,
            ValueRef::Null,
            Verdict::Restore,
        );
        check(
            FieldKind::Text,
            text("old"),
            ValueRef::Null,
            text(""),
            Verdict::Restore,
        );
    }

    #[test]
    fn what_holds_the_value_before_is_done() {
        check(
            FieldKind::Text,
            text("old"),
            text("new"),
            text("old"),
            Verdict::Already,
        );
        check(
            FieldKind::Text,
            ValueRef::Null,
            text("new"),
            text(""),
            Verdict::Already,
        );
        // The run changed nothing here, so nothing is to be changed back.
        check(
            FieldKind::Text,
            text("same"),
            text("same"),
            text("same"),
            Verdict::Already,
        );
    }

    #[test]
    fn what_somebody_edited_stays() {
        check(
            FieldKind::Text,
            text("old"),
            text("new"),
            text("mine"),
            Verdict::Edited,
        );
        check(
            FieldKind::Text,
            text("old"),
            text("new"),
            ValueRef::Null,
            Verdict::Edited,
        );
        check(
            FieldKind::Text,
            ValueRef::Null,
            text("new"),
            text("mine"),
            Verdict::Edited,
        );
        check(
            FieldKind::Text,
            text("old"),
            ValueRef::Null,
            text("mine"),
            Verdict::Edited,
        );
    }

    #[test]
    fn one_number_is_one_value_however_it_is_written() {
        let decimal = |text: &str| ValueRef::Decimal(model::Decimal::from_str_exact(text).unwrap());
        check(
            FieldKind::Money,
            decimal("1"),
            decimal("2"),
            decimal("2.00"),
            Verdict::Restore,
        );
        check(
            FieldKind::Money,
            decimal("1"),
            decimal("2"),
            decimal("1.00"),
            Verdict::Already,
        );
        check(
            FieldKind::Money,
            decimal("1"),
            decimal("2"),
            decimal("2.01"),
            Verdict::Edited,
        );
    }
}
