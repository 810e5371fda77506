//! A source in the test's process that holds what the test wrote down, in whatever order and pages the test likes, and a project over it and
//! the local CRM.
//!
//! It is for rules of the host that no vendor's API can be made to show on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use async_trait::async_trait;
use model::catalog::{FieldTable, StandardObject};
use model::plan::Plan;
use model::source::PageRequest;
use model::{
    Account, AssociationInfo, Batch, BatchBuilder, Catalog, Cursor, FieldInfo, FieldKind, Finding,
    Instant, ObjectInfo, Pipeline, RecordPage, RunId, Source, SourceError, Stage, StageMeaning,
    ValueRef,
};
use store::{Commit, Moment};

/// One record: its id, its values by position, the ids that it is linked to by association.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) fields: Vec<(u16, String)>,
    pub(crate) links: Vec<(u16, String)>,
}

impl Line {
    /// A deal in the only stage there is.
    pub(crate) fn deal(id: &str, name: &str) -> Self {
        let fields = [(0, name), (1, "open"), (2, "sales")];
        Self {
            id: id.to_owned(),
            fields: fields.map(|(at, text)| (at, text.to_owned())).to_vec(),
            links: Vec::new(),
        }
    }
}

/// Companies, persons and deals, as they are handed out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sheet {
    pub(crate) lines: BTreeMap<&'static str, Vec<Line>>,
    /// Records of one page.
    pub(crate) page: usize,
    /// When everything was changed last.
    pub(crate) updated_at: Option<Instant>,
}

fn field(name: &str, standard: Option<&str>, kind: FieldKind) -> FieldInfo {
    FieldInfo {
        standard: standard.map(str::to_owned),
        custom: standard.is_none(),
        ..FieldInfo::new(name, kind)
    }
}

fn object(
    name: &str,
    standard: StandardObject,
    fields: Vec<FieldInfo>,
    links: &[&str],
) -> ObjectInfo {
    let link = |to: &&str| AssociationInfo {
        name: (*to).to_owned(),
        to: (*to).into(),
        label: None,
    };
    ObjectInfo {
        name: name.into(),
        label: name.to_owned(),
        standard: Some(standard),
        fields: FieldTable::new(fields).unwrap(),
        associations: links.iter().map(link).collect(),
        ..ObjectInfo::default()
    }
}

pub(crate) fn catalog() -> Catalog {
    use FieldKind::{Email, Text};
    let company = vec![
        field("title", Some("name"), Text),
        field("site", Some("domain"), Text),
    ];
    let person = vec![
        field("first", Some("firstname"), Text),
        field("last", Some("lastname"), Text),
        field("mail", Some("email"), Email),
        field("note", None, Text),
    ];
    let deal = vec![
        field("title", Some("dealname"), Text),
        field("stage", Some("dealstage"), FieldKind::Reference),
        field("pipeline", Some("pipeline"), FieldKind::Reference),
    ];
    let objects = [
        object("company", StandardObject::Company, company, &[]),
        object("person", StandardObject::Contact, person, &["company"]),
        object("deal", StandardObject::Deal, deal, &["person", "company"]),
    ];
    Catalog {
        objects: objects.map(Into::into).to_vec(),
        pipelines: vec![Pipeline {
            id: "sales".into(),
            label: "Sales".to_owned(),
            object: "deal".into(),
            stages: vec![Stage {
                id: "open".into(),
                label: "Open".to_owned(),
                probability: Some(50),
                meaning: StageMeaning::Open,
            }],
        }],
        ..Catalog::default()
    }
}

impl Sheet {
    fn batch(&self, object: &str, lines: &[Line]) -> Batch {
        let info = catalog().find_object(object).unwrap().clone();
        let mut page = BatchBuilder::new(info);
        for line in lines {
            page.begin(&line.id, self.updated_at);
            for (at, value) in &line.fields {
                page.field(*at, ValueRef::Text(value));
            }
            for (association, to) in &line.links {
                page.association(*association, to);
            }
        }
        page.finish()
    }
}

#[async_trait]
impl Source for Sheet {
    async fn check(&self) -> Result<Account, SourceError> {
        Ok(Account::default())
    }

    async fn fetch_catalog(&self) -> Result<(Catalog, Vec<Finding>), SourceError> {
        Ok((catalog(), Vec::new()))
    }

    async fn fetch_page(&self, request: &PageRequest) -> Result<RecordPage, SourceError> {
        let (name, lines) = self
            .lines
            .get_key_value(request.object.as_str())
            .map_or(("company", &[][..]), |(name, lines)| (*name, &lines[..]));
        let from = request.cursor.as_ref().map_or(0, |cursor| {
            std::str::from_utf8(cursor.as_bytes())
                .unwrap()
                .parse()
                .unwrap()
        });
        let until = (from + self.page).min(lines.len());
        let records = match lines.is_empty() {
            true => self.batch(request.object.as_str(), &[]),
            false => self.batch(name, &lines[from..until]),
        };
        Ok(RecordPage {
            records,
            rejected: Vec::new(),
            next: (until < lines.len()).then(|| Cursor::new(until.to_string().into_bytes())),
        })
    }
}

/// A project in a folder that goes with it.
pub(crate) struct House {
    runtime: tokio::runtime::Runtime,
    pub(crate) folder: tempfile::TempDir,
    store: store::Store,
    destination: localcrm::LocalCrm,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let builder = tokio::runtime::Builder::new_current_thread().build();
        Self {
            runtime: builder.unwrap(),
            store: store::Store::open(folder.path()).unwrap(),
            destination: localcrm::LocalCrm::open(&folder.path().join("local-crm.db")).unwrap(),
            folder,
        }
    }

    /// Reads the source and plans; at a time that is always the same.
    pub(crate) fn plan(&mut self, source: &Sheet) -> Plan {
        let run = self.store.start_run("test").unwrap();
        let (owners, now) = (BTreeMap::new(), || Instant::from_unix_us(0).unwrap());
        let mut ctx = run::Context {
            store: &mut self.store,
            run,
            connection: "sheet".into(),
            source,
            destination: &self.destination,
            owners: &owners,
            overrides: None,
            progress: &run::Silent,
            now: &now,
        };
        self.runtime.block_on(async {
            let discovered = run::discover(&mut ctx).await.unwrap();
            run::extract(&mut ctx, &discovered.source, &discovered.mapping)
                .await
                .unwrap();
            run::plan(&mut ctx, &discovered, None).await.unwrap()
        })
    }

    /// Carries the plan out, under a run of that number.
    pub(crate) fn apply(&mut self, source: &Sheet, plan: Plan) -> RunId {
        let run = self.store.start_run("test").unwrap();
        let (owners, now) = (BTreeMap::new(), || Instant::from_unix_us(0).unwrap());
        let mut ctx = run::Context {
            store: &mut self.store,
            run,
            connection: "sheet".into(),
            source,
            destination: &self.destination,
            owners: &owners,
            overrides: None,
            progress: &run::Silent,
            now: &now,
        };
        let hash = plan.hash.clone();
        let approved = plan.approve(&hash, now()).unwrap();
        let applied = self.runtime.block_on(run::apply(&mut ctx, &approved));
        applied.unwrap();
        run
    }

    /// Holds both sides against each other, after reading the source once more.
    pub(crate) fn certify(&mut self, source: &Sheet) -> run::Certificate {
        let run = self.store.start_run("test").unwrap();
        let (owners, now) = (BTreeMap::new(), || Instant::from_unix_us(0).unwrap());
        let mut ctx = run::Context {
            store: &mut self.store,
            run,
            connection: "sheet".into(),
            source,
            destination: &self.destination,
            owners: &owners,
            overrides: None,
            progress: &run::Silent,
            now: &now,
        };
        let files = run::Files {
            json: self.folder.path().join("certificate.json"),
            workbook: self.folder.path().join("certificate.xlsx"),
        };
        self.runtime.block_on(async {
            let discovered = run::discover(&mut ctx).await.unwrap();
            run::extract(&mut ctx, &discovered.source, &discovered.mapping)
                .await
                .unwrap();
            run::certify(&mut ctx, &discovered, &files).await.unwrap()
        })
    }

    /// The process dies right before that is durable for the `nth` time, and another one goes on.
    pub(crate) fn apply_dying_at(
        &mut self,
        (commit, nth): (Commit, usize),
        source: &Sheet,
        plan: Plan,
    ) -> RunId {
        let mut reached = 0;
        self.store.set_commit_hook(Box::new(move |point| {
            if point.commit == commit && point.moment == Moment::Before {
                reached += 1;
                if reached == nth {
                    std::panic::resume_unwind(Box::new("dead"));
                }
            }
        }));
        let first = AssertUnwindSafe(|| self.apply(source, plan.clone()));
        assert!(catch_unwind(first).is_err(), "it was reached");
        self.apply(source, plan)
    }

    /// Takes back what the run wrote.
    pub(crate) fn roll_back(&mut self, run: RunId) -> run::RollbackSummary {
        let by = self.store.start_run("rollback").unwrap();
        let (undone, plan) = run::find_undoable(&self.store, Some(run)).unwrap();
        let mut ctx = run::RollbackContext {
            store: &mut self.store,
            destination: &self.destination,
            progress: &run::Silent,
        };
        let mut tell = |_| Ok(());
        let aim = run::Aim::Apply(by);
        let done = run::rollback(&mut ctx, (undone, &plan), aim, &mut tell);
        self.runtime.block_on(done).unwrap()
    }

    /// All associations of the local CRM, by the source ids of both ends.
    pub(crate) fn links(&self) -> BTreeSet<(String, String)> {
        let db = rusqlite::Connection::open(self.folder.path().join("local-crm.db")).unwrap();
        let ends = "SELECT 'contact' AS object, id, longshore_source_id AS source FROM contacts
             UNION ALL SELECT 'company', id, longshore_source_id FROM companies
             UNION ALL SELECT 'deal', id, longshore_source_id FROM deals";
        let select = format!(
            "SELECT f.source, t.source FROM associations a
             JOIN ({ends}) f ON f.object = a.from_object AND f.id = a.from_id
             JOIN ({ends}) t ON t.object = a.to_object AND t.id = a.to_id"
        );
        let mut select = db.prepare(&select).unwrap();
        let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Changes the local CRM behind Longshore's back.
    #[track_caller]
    pub(crate) fn run(&self, sql: &str) {
        let db = rusqlite::Connection::open(self.folder.path().join("local-crm.db")).unwrap();
        db.execute_batch(sql).unwrap();
    }

    /// One number of the local CRM.
    #[track_caller]
    pub(crate) fn count(&self, select: &str) -> i64 {
        let db = rusqlite::Connection::open(self.folder.path().join("local-crm.db")).unwrap();
        db.query_row(select, [], |row| row.get(0)).unwrap()
    }
}
