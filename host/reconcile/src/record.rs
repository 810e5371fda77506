//! What becomes of one record: create, update, keep, link or exclude, with its reason and its row.
//!
//! The rows hold the source's ids where a value refers to another record; `apply` puts the destination's in their place. Who is
//! bound to whom, and who has the same key, is told by the caller.

use model::catalog::StandardObject;
use model::mapping::{Binding, Write};
use model::plan::{Action, Reason};
use model::row::RowWriter;
use model::{DestinationRecordId, Finding, FindingCode, RecordRef, ValueRef};

use crate::carry::{Directory, Notes, is_as_planned, quote};
use crate::choice::ExtraOptions;
use crate::convert::is_equal;
use crate::matching::MatchKey;
use crate::planner::{Entry, ObjectPlanner};

/// A record of the source that another one is the same as, and that is kept.
#[derive(Clone, Copy, Debug)]
pub struct Survivor<'a> {
    /// Its id at the source.
    pub id: &'a str,
    /// The key that both have.
    pub key: &'a MatchKey,
    /// The record itself, of the same table; where it is missing, every value of the linked record is told as lost.
    pub record: Option<RecordRef<'a>>,
    /// What it is bound to, where it is.
    pub bound: Option<&'a DestinationRecordId>,
}

/// A record of the destination that a match rule found.
#[derive(Clone, Copy, Debug)]
pub struct Matched<'a> {
    /// Its id.
    pub destination: &'a DestinationRecordId,
    /// The key that both have.
    pub key: &'a MatchKey,
}

/// What is known of a record before it is planned. The default knows nothing: the record is new.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// What an earlier run bound it to.
    pub bound: Option<&'a DestinationRecordId>,
    /// The destination's record that it is bound to or matched with, as it is now, in the table that the planner was given as
    /// `current`.
    pub current: Option<RecordRef<'a>>,
    /// The record of the source that it is the same as; its own id, or none, where it is the survivor itself.
    pub survivor: Option<Survivor<'a>>,
    /// The record of the destination that it is the same as.
    pub matched: Option<Matched<'a>>,
    /// Whether it is bound and the destination, asked in full, no longer has the record.
    pub deleted_at_destination: bool,
}

/// What planning says beside the actions, and memory that it uses again. One serves a whole plan.
#[derive(Debug, Default)]
pub struct PlannerOutput {
    /// What a person should know, in the order it was found. The caller takes it away between batches.
    pub findings: Vec<Finding>,
    /// Options that the destination's properties lack.
    pub extra_options: ExtraOptions,
    row: RowWriter,
    before: RowWriter,
    scratch: String,
}

impl ObjectPlanner {
    /// Decides on one record of the source.
    ///
    /// What was bound stays bound. A blank value overwrites nothing. A record that already has all values is kept, so that a plan
    /// after a perfect apply writes nothing.
    pub fn plan_record(
        &self,
        record: RecordRef<'_>,
        known: &Known<'_>,
        directory: &dyn Directory,
        output: &mut PlannerOutput,
    ) -> Action {
        if record.is_deleted() {
            return Action::Exclude {
                reason: Reason::DeletedAtSource,
            };
        }
        if known.deleted_at_destination {
            return Action::Exclude {
                reason: Reason::DeletedAtDestination,
            };
        }
        if let Some(condition) = self.find_unmet(record) {
            let condition = condition.to_owned();
            return Action::Exclude {
                reason: Reason::Filtered { condition },
            };
        }
        let survivor = known
            .survivor
            .filter(|survivor| survivor.id != record.id() && !has_own_record(known, survivor));
        if let Some(survivor) = survivor {
            return self.link(record, known, &survivor, output);
        }
        let target = match (known.bound, known.matched) {
            (Some(bound), _) => Some((bound, Reason::Bound)),
            (None, Some(Matched { destination, key })) => Some((
                destination,
                Reason::Matched {
                    rule: key.rule.name().to_owned(),
                    key: key.key.clone(),
                },
            )),
            (None, None) => None,
        };
        if let Some(stage) = self.find_unmapped_stage(record, target.is_none()) {
            return Action::Exclude {
                reason: Reason::UnmappedStage { stage },
            };
        }
        match target {
            Some((destination, reason)) if self.is_writable => self.update(
                record,
                known.current,
                destination,
                reason,
                directory,
                output,
            ),
            Some((destination, reason)) => Action::Keep {
                destination: destination.clone(),
                reason,
            },
            None if self.is_writable => self.create(record, directory, output),
            None => {
                if self.standard == StandardObject::Owner {
                    output.findings.push(self.unmatched_owner(record));
                }
                Action::Exclude {
                    reason: Reason::NotWritable,
                }
            }
        }
    }

    /// Owners are people, and nobody is put in the place of another without being told.
    fn unmatched_owner(&self, record: RecordRef<'_>) -> Finding {
        let text = |name: &str| {
            let field = self.source.fields.find_standard(name);
            field
                .and_then(|field| record.find_text(field))
                .unwrap_or_default()
        };
        let (name, email) = (text("name"), text("email"));
        Finding {
            code: FindingCode::UnknownOwner,
            object: self.source.name.clone(),
            record: Some(record.id().to_owned()),
            field: None,
            message: format!(
                "{name:?} ({email}) is no owner at the destination: what is theirs stays without an owner, unless the project's table of \
                 owners names one"
            ),
        }
    }

    fn create(
        &self,
        record: RecordRef<'_>,
        directory: &dyn Directory,
        output: &mut PlannerOutput,
    ) -> Action {
        let PlannerOutput {
            findings,
            extra_options,
            row,
            scratch,
            ..
        } = output;
        row.clear();
        row.begin(record.id(), record.updated_at());
        let mut notes = Notes {
            planner: self,
            record,
            directory,
            findings,
            extra_options,
        };
        self.carry_all(record, &mut notes, scratch, |entry, value, _| {
            if !value.is_blank() {
                row.field(&entry.property, value);
            }
        });
        row.end();
        Action::Create {
            row: one_row(row),
            reason: Reason::New,
        }
    }

    fn update(
        &self,
        record: RecordRef<'_>,
        current: Option<RecordRef<'_>>,
        destination: &DestinationRecordId,
        reason: Reason,
        directory: &dyn Directory,
        output: &mut PlannerOutput,
    ) -> Action {
        let PlannerOutput {
            findings,
            extra_options,
            row,
            before,
            scratch,
        } = output;
        row.clear();
        before.clear();
        row.begin(record.id(), record.updated_at());
        before.begin(
            destination.as_str(),
            current.and_then(|current| current.updated_at()),
        );
        let mut notes = Notes {
            planner: self,
            record,
            directory,
            findings,
            extra_options,
        };
        let mut is_changed = false;
        self.carry_all(record, &mut notes, scratch, |entry, value, directory| {
            let now = current.and_then(|current| current.find_field(entry.current?));
            let now = now.unwrap_or(ValueRef::Null);
            let may_write = match entry.write {
                Write::Always => true,
                Write::FillIfEmpty => now.is_blank(),
                Write::NeverOverwrite => false,
            };
            if may_write && !is_as_planned(entry, value, now, directory) {
                is_changed = true;
                row.field(&entry.property, value);
                before.field(&entry.property, now);
            }
        });
        row.end();
        before.end();
        if is_changed {
            Action::Update {
                destination: destination.clone(),
                row: one_row(row),
                before: one_row(before),
                reason,
            }
        } else {
            Action::Keep {
                destination: destination.clone(),
                reason,
            }
        }
    }

    /// Calls `take` for each property that the record fills, with its value; null where a blank clears the property.
    fn carry_all<'a>(
        &self,
        record: RecordRef<'a>,
        notes: &mut Notes<'_>,
        scratch: &mut String,
        mut take: impl FnMut(&Entry, ValueRef<'_>, &dyn Directory),
    ) {
        for (field, value) in record.fields() {
            let is_blank = value.is_blank();
            if is_blank && !self.has_clears {
                continue;
            }
            let mut next = self.by_field[usize::from(field)];
            while let Some(at) = next {
                let entry = &self.entries[usize::from(at)];
                next = entry.next;
                if is_blank {
                    if entry.clears {
                        take(entry, ValueRef::Null, notes.directory);
                    }
                    continue;
                }
                if entry.binding != Binding::Pipeline
                    && let Some(value) = notes.carry(entry, value, scratch)
                {
                    take(entry, value, notes.directory);
                }
            }
        }
        for at in &self.whole {
            let entry = &self.entries[usize::from(*at)];
            let value = record.find_field(entry.source).unwrap_or(ValueRef::Null);
            match notes.carry(entry, value, scratch) {
                Some(value) => take(entry, value, notes.directory),
                None if entry.clears => take(entry, ValueRef::Null, notes.directory),
                None => {}
            }
        }
        if let Some(at) = self.pipeline {
            let entry = &self.entries[usize::from(at)];
            if let Some(pipeline) = notes.find_pipeline(entry) {
                take(entry, ValueRef::Text(pipeline), notes.directory);
            }
        }
    }

    /// The stage that keeps the record out, for a person. A deal that is to be created needs a stage; any other record may be without.
    fn find_unmapped_stage(&self, record: RecordRef<'_>, is_new: bool) -> Option<String> {
        let id = self.find_stage_id(record);
        match id {
            None if self.standard == StandardObject::Deal && self.stage.is_some() && is_new => {
                Some("(none)".to_owned())
            }
            None => None,
            Some(id) => match self.stages.get(id) {
                Some(stage) if stage.is_mapped => None,
                Some(stage) => Some(stage.label.clone()),
                None => Some(id.to_owned()),
            },
        }
    }

    fn link(
        &self,
        record: RecordRef<'_>,
        known: &Known<'_>,
        survivor: &Survivor<'_>,
        output: &mut PlannerOutput,
    ) -> Action {
        let MatchKey { rule, key } = survivor.key;
        let mut tell = |code, field: Option<&str>, message| {
            let (object, record) = (self.source.name.clone(), Some(record.id().to_owned()));
            output.findings.push(Finding {
                code,
                object,
                record,
                field: field.map(str::to_owned),
                message,
            });
        };
        tell(
            FindingCode::Duplicate,
            None,
            format!(
                "same {rule} as record {}, which is kept: {key}",
                survivor.id
            ),
        );
        for (field, value) in record.fields().filter(|(_, value)| !value.is_blank()) {
            let Some(entry) =
                self.by_field[usize::from(field)].map(|at| &self.entries[usize::from(at)])
            else {
                continue;
            };
            let kept = survivor
                .record
                .and_then(|survivor| survivor.find_field(field))
                .filter(|kept| !kept.is_blank());
            let at_destination = || {
                known
                    .current
                    .and_then(|current| current.find_field(entry.current?))
            };
            let is_kept = match kept {
                Some(kept) => is_equal(entry.source_kind, kept, value),
                None => at_destination().is_some_and(|there| is_equal(entry.kind, there, value)),
            };
            if !is_kept {
                let kept =
                    kept.map_or_else(|| "nothing".to_owned(), |kept| format!("{:?}", quote(kept)));
                let message = format!(
                    "{:?} is left out: record {}, which is kept, has {kept}",
                    quote(value),
                    survivor.id
                );
                tell(FindingCode::LossyValue, Some(&entry.field), message);
            }
        }
        let reason = Reason::Duplicate {
            rule: rule.name().to_owned(),
            key: key.clone(),
        };
        Action::Link {
            survivor: survivor.id.into(),
            reason,
        }
    }
}

/// Once bound, a pair stays bound: a record that has its own record at the destination is not linked to another's.
fn has_own_record(known: &Known<'_>, survivor: &Survivor<'_>) -> bool {
    matches!((known.bound, survivor.bound), (Some(own), Some(other)) if own != other)
}

fn one_row(rows: &RowWriter) -> String {
    rows.as_str().trim_end_matches('\n').to_owned()
}

#[cfg(test)]
mod tests;
