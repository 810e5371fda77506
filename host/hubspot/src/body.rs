//! The bodies of writes: one JSON text for a batch, written value by value, and what is filled in where HubSpot insists on a value.

use model::catalog::StandardObject;
use model::destination::{SOURCE_KEY_PROPERTY, SourceKey, WriteBatch};
use model::{DestinationRecordId, FieldKind, ObjectInfo, ObjectName, RecordRef, ValueRef};
use serde_json::json;

use crate::email::{HEADERS, Parties, TEXTS};
use crate::objects::Kind;
use crate::value;

/// What the body of a new e-mail says of its direction where the record does not.
const DIRECTION: (&str, &str) = ("hs_email_direction", "EMAIL");

/// Where new records go that must be in a stage and say none: the portal's first pipeline and its first stage, with their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FirstStage {
    pub(crate) pipeline: String,
    pub(crate) stage: String,
    pub(crate) label: String,
}

/// Writes the inputs of a batch.
pub(crate) struct Inputs<'b> {
    kind: &'b Kind,
    object: &'b ObjectInfo,
    out: Vec<u8>,
    text: String,
    is_first: bool,
    /// A property that the next record is written without.
    left_out: Option<&'static str>,
}

impl<'b> Inputs<'b> {
    pub(crate) fn new(kind: &'b Kind, object: &'b ObjectInfo) -> Self {
        Self {
            kind,
            object,
            out: br#"{"inputs":["#.to_vec(),
            text: String::new(),
            is_first: true,
            left_out: None,
        }
    }

    /// The records to come are written without that property.
    pub(crate) fn leave_out(&mut self, property: Option<&'static str>) {
        self.left_out = property;
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(b"]}");
        self.out
    }

    /// A record that is made, or found by its key and set. Says what was filled in.
    pub(crate) fn upsert(
        &mut self,
        record: RecordRef<'_>,
        trace: usize,
        key: &str,
        first: Option<&FirstStage>,
    ) -> Vec<String> {
        self.begin(trace);
        self.member("id", key);
        self.member("idProperty", SOURCE_KEY_PROPERTY);
        self.created(record, key, first)
    }

    /// A record that is made, tied to others at once.
    pub(crate) fn create(
        &mut self,
        record: RecordRef<'_>,
        trace: usize,
        key: &str,
        first: Option<&FirstStage>,
        ties: &[(ObjectName, DestinationRecordId)],
    ) -> Vec<String> {
        self.begin(trace);
        let associations: Vec<_> = ties
            .iter()
            .filter_map(|(object, id)| {
                let tie = self.kind.ties.iter().find(|(standard, _)| standard.name() == object.as_str());
                let types = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": tie?.1}]);
                Some(json!({"to": {"id": id.as_str()}, "types": types}))
            })
            .collect();
        self.out.extend_from_slice(b",\"associations\":");
        serde_json::to_writer(&mut self.out, &associations).expect("a Vec takes every write");
        self.created(record, key, first)
    }

    /// New values of a record that is there. `parties` are those that it has.
    pub(crate) fn update(
        &mut self,
        record: RecordRef<'_>,
        trace: usize,
        id: &str,
        parties: Option<Parties>,
    ) {
        self.begin(trace);
        self.member("id", id);
        self.begin_properties();
        self.fields(record, parties);
        self.out.extend_from_slice(b"}}");
    }

    fn created(
        &mut self,
        record: RecordRef<'_>,
        key: &str,
        first: Option<&FirstStage>,
    ) -> Vec<String> {
        self.begin_properties();
        self.property(SOURCE_KEY_PROPERTY, key);
        self.fields(record, None);
        let notes = self.fill_in(record, first);
        self.out.extend_from_slice(b"}}");
        notes
    }

    fn begin(&mut self, trace: usize) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(b',');
        }
        self.out.extend_from_slice(br#"{"objectWriteTraceId":"#);
        self.string(&trace.to_string());
    }

    fn member(&mut self, name: &str, value: &str) {
        self.out.push(b',');
        self.pair(name, value);
    }

    fn begin_properties(&mut self) {
        self.out.extend_from_slice(b",\"properties\":{");
    }

    fn property(&mut self, name: &str, value: &str) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        self.pair(name, value);
    }

    fn pair(&mut self, name: &str, value: &str) {
        self.string(name);
        self.out.push(b':');
        self.string(value);
    }

    fn string(&mut self, text: &str) {
        serde_json::to_writer(&mut self.out, text).expect("a Vec takes every write");
    }

    fn fields(&mut self, record: RecordRef<'_>, parties: Option<Parties>) {
        let (object, mut told) = (self.object, parties);
        let is_email = self.kind.standard == StandardObject::Email;
        let mut has_new = false;
        for (at, value) in record.fields() {
            let name = &object
                .fields
                .get(at)
                .expect("cells name declared fields")
                .name;
            if name == SOURCE_KEY_PROPERTY {
                continue;
            }
            if self.left_out == Some(name.as_str()) {
                continue;
            }
            let party = if is_email {
                TEXTS.iter().position(|(text, _)| text == name)
            } else {
                None
            };
            let mut text = std::mem::take(&mut self.text);
            value::write(value, &mut text);
            let info = object.fields.get(at).expect("cells name declared fields");
            if info.kind == FieldKind::Email {
                text = text.trim().to_owned();
            }
            match party {
                Some(place) => {
                    has_new = true;
                    told.get_or_insert_default().0[place].clone_from(&text);
                }
                None => self.property(name, &text),
            }
            self.text = text;
        }
        if let Some(parties) = told.filter(|_| has_new) {
            self.property(HEADERS, &parties.to_json());
        }
    }

    /// What HubSpot insists on and the record lacks.
    fn fill_in(&mut self, record: RecordRef<'_>, first: Option<&FirstStage>) -> Vec<String> {
        let mut notes = Vec::new();
        let lacks = |name: &str| {
            let at = self.object.fields.find(name);
            at.and_then(|at| record.find_field(at))
                .is_none_or(ValueRef::is_blank)
        };
        let lacks_moment = self.kind.moment.filter(|name| lacks(name));
        let lacks_stage = self.kind.stage.filter(|(_, stage)| lacks(stage));
        let lacks_direction = self.kind.standard == StandardObject::Email && lacks(DIRECTION.0);
        if let (Some(name), Some(at)) = (lacks_moment, record.updated_at()) {
            value::write(ValueRef::Instant(at), &mut self.text);
            let text = std::mem::take(&mut self.text);
            self.property(name, &text);
            notes.push(format!("{name} was blank and HubSpot wants one: filled in with the time of the last change, {text}"));
        }
        if let (Some((pipeline, stage)), Some(first)) = (lacks_stage, first) {
            self.property(pipeline, &first.pipeline);
            self.property(stage, &first.stage);
            notes.push(format!(
                "{stage} was blank and HubSpot wants one: filled in with the first, {:?}",
                first.label
            ));
        }
        if lacks_direction {
            self.property(DIRECTION.0, DIRECTION.1);
            notes.push(format!(
                "{} was blank and HubSpot wants one: filled in with {}",
                DIRECTION.0, DIRECTION.1
            ));
        }
        notes
    }
}

/// The source keys of a batch, in order.
pub(crate) fn keys(batch: &WriteBatch) -> Vec<String> {
    let mut key = SourceKey {
        connection: batch.connection.clone(),
        object: batch.source_object.clone(),
        record: String::new(),
    };
    let key = batch.records.iter().map(|record| {
        key.record.clear();
        key.record.push_str(record.id());
        key.to_string()
    });
    key.collect()
}
