//! Everything that is known of one record: as it was read, what each plan decided of it, what was written and when, its associations,
//! its findings.
//!
//! It is for a person who asks about one record; whole plans are read by [`crate::audit`].

use model::ledger::{LinkOutcome, RemovalOutcome};
use model::plan::{PlannedAction, PlannedLink};
use model::undo::UndoKind;
use model::{
    ConnectionId, Correction, DestinationRecordId, Finding, Instant, ObjectName, PlanId, RunId,
    SourceRecordId,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::action::{ACTION_COLUMNS, read_action};
use crate::audit::{OUTCOME_COLUMNS, read_outcome};
use crate::database::Store;
use crate::error::StoreError;
use crate::finding::{FINDING_COLUMNS, read_finding};
use crate::ledger::RecordedOutcome;
use crate::link::{LINK_COLUMNS, read_link};
use crate::names::{NO_CONNECTION, load_objects};
use crate::progress::{instant, unknown_word};
use crate::removal::read_outcome as read_removal;

/// The most associations that are told of one record.
const LINKS_MAX: u32 = 1_000;

/// What is known of one record of the source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    /// Its newest row and when the reading that saw it last began; `None` where none was read.
    pub staged: Option<(String, Instant)>,
    /// What people decided of it by hand, oldest first; the last one holds.
    pub corrections: Vec<Correction>,
    /// The destination's object and record that stand for it.
    pub bound: Option<(ObjectName, DestinationRecordId)>,
    /// What each plan decided, oldest first.
    pub chapters: Vec<Chapter>,
    /// The associations that have it at an end, with what became of each, a thousand at most: those of the plan that was approved last,
    /// else of the newest.
    pub links: Vec<(PlannedLink, Option<StoredLinkOutcome>)>,
    /// The associations of it that runs took away, or that the newest plan is to, oldest first, a thousand at most: what became of each.
    pub removals: Vec<(PlannedLink, Option<StoredRemoval>)>,
    /// What a person should know of it, with the run that said so; oldest first.
    pub findings: Vec<(RunId, Finding)>,
}

/// What became of an association, and why where it failed.
pub type StoredLinkOutcome = (LinkOutcome, Option<String>);

/// In which run it was, what became of an association that was to be taken away, and why where it stays.
pub type StoredRemoval = (RunId, RemovalOutcome, Option<String>);

/// What one plan decided of a record, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// The plan.
    pub plan: PlanId,
    /// The action.
    pub planned: PlannedAction,
    /// When the plan was approved first, where it was.
    pub approved_at: Option<Instant>,
    /// When the write was announced, each time.
    pub intended_at: Vec<Instant>,
    /// What came of it and the run that noted it; `None` where it was not carried out yet.
    pub outcome: Option<(RunId, RecordedOutcome)>,
    /// What became of it when its run was rolled back, where it was.
    pub undone: Option<Undone>,
}

/// What a roll back made of one write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The run that rolled back.
    pub run: RunId,
    /// What became of the record.
    pub kind: UndoKind,
    /// When it was noted.
    pub at: Instant,
    /// What is not as it was before, in words for a person.
    pub exceptions: Vec<String>,
}

impl Store {
    /// Gathers what is known of one record of a connection.
    ///
    /// # Errors
    /// As every read.
    pub fn load_story(
        &self,
        connection: &ConnectionId,
        object: &ObjectName,
        record: &SourceRecordId,
    ) -> Result<Story, StoreError> {
        let staged_as = self.find_object(connection.as_str(), object)?;
        let planned_as = self.find_object(NO_CONNECTION, object)?;
        let corrections = self.correction_history(connection, object, record)?;
        self.read_many(
            format_args!("gather what is known of {object} {record}"),
            |db| {
                let mut story = Story {
                    corrections,
                    ..Story::default()
                };
                if let Some(number) = staged_as {
                    story.staged = staged(db, number, record)?;
                    story.bound = bound(db, number, record)?;
                }
                if let Some(number) = planned_as {
                    story.chapters = chapters(db, number, object, record)?;
                    story.links = links(db, number, record)?;
                    story.removals = removals(db, number, record)?;
                    story.findings = findings(db, number, record)?;
                }
                Ok(story)
            },
        )
    }
}

fn staged(
    db: &Connection,
    object: i64,
    record: &SourceRecordId,
) -> rusqlite::Result<Option<(String, Instant)>> {
    let mut select = db.prepare_cached(
        "SELECT s.row, e.started_at FROM staged_record s JOIN extraction e ON e.id = s.extraction
         WHERE s.object = ?1 AND s.source_id = ?2",
    )?;
    let row = select.query_row(params![object, record.as_str()], |row| {
        Ok((row.get(0)?, instant(row, 1)?))
    });
    row.optional()
}

fn bound(
    db: &Connection,
    object: i64,
    record: &SourceRecordId,
) -> rusqlite::Result<Option<(ObjectName, DestinationRecordId)>> {
    let mut select = db.prepare_cached(
        "SELECT o.name, i.destination_id FROM identity i JOIN object o ON o.id = i.destination_object
         WHERE i.object = ?1 AND i.source_id = ?2",
    )?;
    let row = select.query_row(params![object, record.as_str()], |row| {
        let (object, id): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((object.into(), id.into()))
    });
    row.optional()
}

fn chapters(
    db: &Connection,
    number: i64,
    object: &ObjectName,
    record: &SourceRecordId,
) -> rusqlite::Result<Vec<Chapter>> {
    let mut select = db.prepare_cached(&format!(
        "SELECT {ACTION_COLUMNS}, {OUTCOME_COLUMNS}, r.run, p.plan_id,
             (SELECT min(v.approved_at) FROM approval v WHERE v.plan = p.id), p.id,
             u.run, u.kind, u.noted_at, u.exceptions
         FROM plan p
         JOIN plan_object x ON x.plan = p.id AND x.object = ?1
         JOIN action a ON a.position BETWEEN x.first_action AND x.last_action
         LEFT JOIN outcome r ON r.position = a.position
         LEFT JOIN undo_outcome u ON u.position = a.position
         WHERE p.hash IS NOT NULL AND a.object = ?1 AND a.source_id = ?2 ORDER BY a.position"
    ))?;
    let mut intents = db.prepare_cached(
        "SELECT written_at FROM intent WHERE plan = ?1 AND ?2 BETWEEN first_action AND last_action ORDER BY id",
    )?;
    let mut rows = select.query(params![number, record.as_str()])?;
    let mut chapters = Vec::new();
    while let Some(row) = rows.next()? {
        let (position, record, action) = read_action(row)?;
        let run: Option<i64> = row.get(12)?;
        let intended =
            intents.query_map([row.get::<_, i64>(15)?, position], |row| instant(row, 0))?;
        chapters.push(Chapter {
            plan: row.get::<_, String>(13)?.as_str().into(),
            planned: PlannedAction {
                object: object.clone(),
                record,
                action,
            },
            approved_at: match row.get::<_, Option<i64>>(14)? {
                Some(_) => Some(instant(row, 14)?),
                None => None,
            },
            intended_at: intended.collect::<Result<_, _>>()?,
            outcome: run.map(RunId).zip(read_outcome(row)?),
            undone: read_undone(row)?,
        });
    }
    Ok(chapters)
}

fn read_undone(row: &Row<'_>) -> rusqlite::Result<Option<Undone>> {
    let Some(run) = row.get(16)? else {
        return Ok(None);
    };
    let name: String = row.get(17)?;
    let exceptions: Option<String> = row.get(19)?;
    Ok(Some(Undone {
        run: RunId(run),
        kind: UndoKind::find(&name).ok_or_else(|| unknown_word(17, &name))?,
        at: instant(row, 18)?,
        exceptions: exceptions
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default(),
    }))
}

fn links(
    db: &Connection,
    number: i64,
    record: &SourceRecordId,
) -> rusqlite::Result<Vec<(PlannedLink, Option<StoredLinkOutcome>)>> {
    let names = load_objects(db)?;
    let mut select = db.prepare_cached(&format!(
        "SELECT {LINK_COLUMNS}, r.kind, r.error
         FROM planned_link l CROSS JOIN association s ON s.id = l.association LEFT JOIN link_outcome r ON r.position = l.position
         WHERE l.plan = coalesce((SELECT max(plan) FROM approval), (SELECT max(id) FROM plan WHERE hash IS NOT NULL))
             AND ((s.from_object = ?1 AND l.from_id = ?2) OR (s.to_object = ?1 AND l.to_id = ?2))
         ORDER BY l.position LIMIT ?3"
    ))?;
    let rows = select.query_map(params![number, record.as_str(), LINKS_MAX], |row| {
        let (_, link) = read_link(row, &names)?;
        let outcome = match row.get_ref(6)?.as_str_or_null()? {
            None => None,
            Some(name) => {
                let found = LinkOutcome::find(name);
                Some((found.ok_or_else(|| unknown_word(6, name))?, row.get(7)?))
            }
        };
        Ok((link, outcome))
    })?;
    rows.collect()
}

fn removals(
    db: &Connection,
    number: i64,
    record: &SourceRecordId,
) -> rusqlite::Result<Vec<(PlannedLink, Option<StoredRemoval>)>> {
    let names = load_objects(db)?;
    let mut select = db.prepare_cached(&format!(
        "SELECT {LINK_COLUMNS}, o.kind, o.run, o.error
         FROM planned_removal m CROSS JOIN plan p ON p.id = m.plan CROSS JOIN planned_link l ON l.position = m.made
         CROSS JOIN association s ON s.id = l.association LEFT JOIN removal_outcome o ON o.position = m.position
         WHERE (o.position IS NOT NULL OR p.id = (SELECT max(id) FROM plan WHERE hash IS NOT NULL))
             AND ((s.from_object = ?1 AND l.from_id = ?2) OR (s.to_object = ?1 AND l.to_id = ?2))
         ORDER BY m.position LIMIT ?3"
    ))?;
    let rows = select.query_map(params![number, record.as_str(), LINKS_MAX], |row| {
        let (_, link) = read_link(row, &names)?;
        let outcome = match row.get_ref(6)?.as_str_or_null()? {
            None => None,
            Some(_) => Some((RunId(row.get(7)?), read_removal(row, 6)?, row.get(8)?)),
        };
        Ok((link, outcome))
    })?;
    rows.collect()
}

fn findings(
    db: &Connection,
    number: i64,
    record: &SourceRecordId,
) -> rusqlite::Result<Vec<(RunId, Finding)>> {
    let mut select = db.prepare_cached(&format!(
        "SELECT {FINDING_COLUMNS}, f.run FROM finding f CROSS JOIN object o ON o.id = f.object
         WHERE f.object = ?1 AND f.record = ?2 ORDER BY f.position"
    ))?;
    let rows = select.query_map(params![number, record.as_str()], |row| {
        Ok((RunId(row.get(6)?), read_finding(row)?.1))
    })?;
    rows.collect()
}
