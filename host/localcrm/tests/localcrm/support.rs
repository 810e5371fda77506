//! What the tests of the local CRM share: a fresh file, batches of one record, answers that must be good.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::sync::Arc;

use localcrm::LocalCrm;
use model::catalog::StandardObject;
use model::destination::{Link, Preparation, Prepared, Write, WriteBatch, WriteOutcome};
use model::id::PipelineId;
use model::mapping::{PipelineMapping, StageMapping, StageTarget};
use model::{
    Batch, BatchBuilder, Destination, DestinationRecordId, FieldInfo, FieldTable, ObjectInfo,
    ObjectName, Stage, StageId, StageMeaning, Value, ValueRef,
};

/// A file in a folder of its own.
pub struct House {
    pub dir: tempfile::TempDir,
    pub crm: LocalCrm,
}

impl House {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let crm = LocalCrm::open(&dir.path().join("crm.sqlite")).unwrap();
        Self { dir, crm }
    }

    pub fn reopen(self) -> Self {
        let Self { dir, crm } = self;
        drop(crm);
        let crm = LocalCrm::open(&dir.path().join("crm.sqlite")).unwrap();
        Self { dir, crm }
    }

    /// A person's own connection.
    pub fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.dir.path().join("crm.sqlite")).unwrap()
    }

    pub fn object(&self, name: &str) -> Arc<ObjectInfo> {
        now(self.crm.fetch_catalog())
            .unwrap()
            .find_object(name)
            .unwrap()
            .clone()
    }

    pub fn prepare(&self, preparation: &Preparation) -> Prepared {
        now(self.crm.prepare(preparation)).unwrap()
    }

    pub fn property(&self, object: &str, field: FieldInfo) {
        let properties = vec![(ObjectName::new(object), field)];
        self.prepare(&Preparation {
            properties,
            ..Preparation::default()
        });
    }

    /// Writes one record with those properties.
    pub fn write(
        &self,
        object: &str,
        id: &str,
        write: Write,
        values: &[(&str, Value)],
    ) -> WriteOutcome {
        let info = self.object(object);
        let mut builder = BatchBuilder::new(info.clone());
        builder.begin(id, None);
        for (name, value) in values {
            builder.field(
                info.fields
                    .find(name)
                    .unwrap_or_else(|| panic!("{object} has no {name}")),
                value.as_ref(),
            );
        }
        self.write_batch(builder.finish(), vec![write]).remove(0)
    }

    pub fn write_batch(&self, records: Batch, writes: Vec<Write>) -> Vec<WriteOutcome> {
        let source_object = ObjectName::new(format!("their_{}", records.object().name));
        let batch = WriteBatch {
            connection: "acme".into(),
            source_object,
            records,
            writes,
            ties: Vec::new(),
        };
        now(self.crm.write_records(&batch)).unwrap()
    }

    pub fn create(&self, object: &str, id: &str, values: &[(&str, Value)]) -> DestinationRecordId {
        written(self.write(object, id, Write::Create, values)).0
    }

    pub fn read(&self, object: &str, id: &DestinationRecordId) -> Vec<(String, Value)> {
        let batch =
            now(self
                .crm
                .read_records(&ObjectName::new(object), &[], std::slice::from_ref(id)))
            .unwrap();
        let record = batch
            .iter()
            .next()
            .unwrap_or_else(|| panic!("{object} {id} is there"));
        let name = |at| batch.object().fields.get(at).unwrap().name.clone();
        record
            .fields()
            .map(|(at, value)| (name(at), value.to_owned()))
            .collect()
    }

    pub fn value(&self, object: &str, id: &DestinationRecordId, property: &str) -> Value {
        let found = self
            .read(object, id)
            .into_iter()
            .find(|(name, _)| name == property);
        found.unwrap_or_else(|| panic!("{object} has {property}")).1
    }

    /// Makes the pipeline "Sales" with three stages; gives the pipeline's id and the stages'.
    pub fn sales(&self) -> (String, Vec<String>) {
        let prepared = self.prepare(&Preparation {
            pipelines: vec![sales()],
            ..Preparation::default()
        });
        let stages = prepared
            .stages
            .iter()
            .map(|(_, id)| id.to_string())
            .collect();
        (prepared.pipelines[0].1.to_string(), stages)
    }

    pub fn deal(
        &self,
        id: &str,
        stage: usize,
        amount: &str,
        currency: &str,
    ) -> DestinationRecordId {
        let (pipeline, stages) = self.sales();
        let values = [
            ("dealname", text(id)),
            ("amount", decimal(amount)),
            ("deal_currency_code", text(currency)),
            ("pipeline", text(&pipeline)),
            ("dealstage", text(&stages[stage])),
        ];
        self.create("deal", id, &values)
    }
}

pub fn sales() -> PipelineMapping {
    let stage = |id: &str, label: &str, probability, meaning| StageMapping {
        source: Stage {
            id: StageId::new(id),
            label: label.to_owned(),
            probability,
            meaning,
        },
        target: StageTarget::Create,
        reason: "test".to_owned(),
    };
    PipelineMapping {
        source: PipelineId::new("p1"),
        label: "Sales".to_owned(),
        object: ObjectName::new("deal"),
        destination: None,
        stages: vec![
            stage("s1", "Qualified", Some(20), StageMeaning::Open),
            stage("s2", "Closed won", Some(100), StageMeaning::Won),
            stage("s3", "Closed lost", None, StageMeaning::Lost),
        ],
    }
}

/// An object as a plan knows it: only these fields, in this order.
pub fn planned(object: &str, fields: Vec<FieldInfo>) -> Arc<ObjectInfo> {
    let fields = FieldTable::new(fields).unwrap();
    Arc::new(ObjectInfo {
        name: ObjectName::new(object),
        standard: StandardObject::find(object),
        fields,
        ..ObjectInfo::default()
    })
}

pub fn link(
    from: (&str, &DestinationRecordId),
    to: (&str, &DestinationRecordId),
    label: Option<&str>,
) -> Link {
    Link {
        from_object: ObjectName::new(from.0),
        from: from.1.clone(),
        to_object: ObjectName::new(to.0),
        to: to.1.clone(),
        label: label.map(str::to_owned),
    }
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse().unwrap())
}

#[track_caller]
pub fn written(outcome: WriteOutcome) -> (DestinationRecordId, Option<String>) {
    match outcome {
        WriteOutcome::Written { id, before, .. } => (id, before),
        WriteOutcome::Refused(why) => panic!("refused: {why}"),
    }
}

#[track_caller]
pub fn refused(outcome: WriteOutcome) -> String {
    match outcome {
        WriteOutcome::Refused(why) => why,
        WriteOutcome::Written { id, .. } => panic!("written as {id}"),
    }
}

/// Runs a call to its end; the calls of the local CRM never wait.
pub fn now<T>(call: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(call)
}

/// For comparing a whole record: what was written, and null for the rest.
pub fn is_null(value: &Value) -> bool {
    value.as_ref() == ValueRef::Null
}
