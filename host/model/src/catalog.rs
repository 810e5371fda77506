//! What a side has: its account, objects with their fields and associations, pipelines with their stages.
//!
//! A catalog is a description at one moment. It makes no decision about how two catalogs fit; that is `reconcile`'s.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{ObjectName, PipelineId, StageId};
use crate::value::FieldKind;

/// The objects and engagements that Longshore knows the meaning of, in the order in which `apply` writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandardObject {
    /// A user of the CRM who owns records.
    Owner,
    /// A currency that amounts are in.
    Currency,
    /// An organisation.
    Company,
    /// A person.
    Contact,
    /// A possible deal, not yet qualified.
    Lead,
    /// An entry of the product catalogue.
    Product,
    /// An opportunity in a stage of a pipeline.
    Deal,
    /// A product on a deal: quantity and price. It belongs to exactly one deal.
    LineItem,
    /// An invoice.
    Invoice,
    /// A project.
    Project,
    /// Engagement: a note.
    Note,
    /// Engagement: a call.
    Call,
    /// Engagement: a task.
    Task,
    /// Engagement: a meeting.
    Meeting,
    /// Engagement: a sales e-mail.
    Email,
}

impl StandardObject {
    /// Every standard object, in the order of writing.
    pub const ALL: [Self; 15] = [
        Self::Owner,
        Self::Currency,
        Self::Company,
        Self::Contact,
        Self::Lead,
        Self::Product,
        Self::Deal,
        Self::LineItem,
        Self::Invoice,
        Self::Project,
        Self::Note,
        Self::Call,
        Self::Task,
        Self::Meeting,
        Self::Email,
    ];

    /// The name in WIT, JSON and SQL, for example `line_item`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Currency => "currency",
            Self::Company => "company",
            Self::Contact => "contact",
            Self::Lead => "lead",
            Self::Product => "product",
            Self::Deal => "deal",
            Self::LineItem => "line_item",
            Self::Invoice => "invoice",
            Self::Project => "project",
            Self::Note => "note",
            Self::Call => "call",
            Self::Task => "task",
            Self::Meeting => "meeting",
            Self::Email => "email",
        }
    }

    /// The standard object of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object| object.name() == name)
    }

    /// Whether it is a note, call, task, meeting or e-mail.
    pub fn is_engagement(self) -> bool {
        self >= Self::Note
    }
}

impl fmt::Display for StandardObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The account that a connection reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account's own id.
    pub id: String,
    /// The company's name, for a person.
    pub name: String,
    /// Who is connected, for a person.
    pub user: String,
    /// ISO 4217 code of the account's default currency, where it has one.
    pub currency: Option<String>,
    /// Scopes that the credential lacks, each with what that costs.
    pub missing_scopes: Vec<String>,
    /// What else the side says of it.
    pub attributes: BTreeMap<String, String>,
}

/// One side's objects and pipelines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Objects and engagement kinds; names are unique.
    pub objects: Vec<std::sync::Arc<ObjectInfo>>,
    /// Pipelines in the side's order.
    pub pipelines: Vec<Pipeline>,
    /// The kinds that a new property may have here; empty where it may have every kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<FieldKind>,
    /// Objects whose records cannot be associated with any other here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlinkable: Vec<ObjectName>,
}

impl Catalog {
    /// Whether a new property may have that kind.
    pub fn has_kind(&self, kind: FieldKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// The object of that name.
    pub fn find_object(&self, name: &str) -> Option<&std::sync::Arc<ObjectInfo>> {
        self.objects
            .iter()
            .find(|object| object.name.as_str() == name)
    }

    /// The first object with that meaning.
    pub fn find_standard(&self, standard: StandardObject) -> Option<&std::sync::Arc<ObjectInfo>> {
        self.objects
            .iter()
            .find(|object| object.standard == Some(standard))
    }
}

/// One object of a side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// The side's own name for it; also the name in its rows.
    pub name: ObjectName,
    /// The name a person sees.
    pub label: String,
    /// What it means, where that is known.
    pub standard: Option<StandardObject>,
    /// Its fields.
    pub fields: FieldTable,
    /// The links its records carry.
    pub associations: Vec<AssociationInfo>,
    /// Whether a list can be narrowed to what changed since an instant.
    pub incremental: bool,
    /// How many records there are, where the side says so.
    pub count: Option<u64>,
}

impl Default for ObjectName {
    fn default() -> Self {
        Self::new("")
    }
}

impl ObjectInfo {
    /// The position of the association of that name.
    pub fn find_association(&self, name: &str) -> Option<u16> {
        self.associations
            .iter()
            .position(|association| association.name == name)
            .and_then(|at| u16::try_from(at).ok())
    }
}

/// A typed link that the records of one object carry to those of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociationInfo {
    /// Its name in the rows, unique within the object.
    pub name: String,
    /// The object at the other end.
    pub to: ObjectName,
    /// The label that tells it from the plain link between the two objects, for example `Decision maker`.
    pub label: Option<String>,
}

/// One field of an object (at HubSpot and in the local CRM: a property).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldInfo {
    /// The side's own name for it; also its key in the rows.
    pub name: String,
    /// The name a person sees.
    pub label: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether the account's people made it.
    pub custom: bool,
    /// The standard property that it corresponds to (HubSpot's internal name, for example `firstname`), where there is one.
    pub standard: Option<String>,
    /// For [`FieldKind::Option`] and [`FieldKind::Options`]: what may be chosen. Records may hold others.
    pub options: Vec<FieldOption>,
    /// For [`FieldKind::Money`]: the field that holds its currency code.
    pub currency_field: Option<String>,
    /// Whether the side refuses to have it written.
    pub read_only: bool,
    /// Whether no two records may have the same value.
    pub unique: bool,
    /// The longest text, in characters, where the side says so.
    pub max_chars: Option<u32>,
    /// For [`FieldKind::Option`] and [`FieldKind::Options`]: what becomes of a value that is not among the options.
    #[serde(default, skip_serializing_if = "is_default")]
    pub choices: Choices,
}

/// What becomes of a value that is not among an option field's options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choices {
    /// It is added to them before the first record comes.
    #[default]
    Extendable,
    /// It is refused: the side lets nobody add any.
    Closed,
    /// It is taken: the options are no list to choose from, as with further e-mail addresses.
    Open,
}

fn is_default(choices: &Choices) -> bool {
    *choices == Choices::default()
}

impl FieldInfo {
    /// A field with that name as its label too, and nothing special about it.
    pub fn new(name: impl Into<String>, kind: FieldKind) -> Self {
        let name = name.into();
        Self {
            label: name.clone(),
            name,
            kind,
            custom: false,
            standard: None,
            options: Vec::new(),
            currency_field: None,
            read_only: false,
            unique: false,
            max_chars: None,
            choices: Choices::default(),
        }
    }
}

/// One choice of an option field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldOption {
    /// What the records hold.
    pub value: String,
    /// What a person sees.
    pub label: String,
}

/// Says why a list of fields is not a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldTableError {
    /// Two fields have one name.
    #[error("field {0:?} is declared twice")]
    Twice(String),
    /// There are more fields than a table holds.
    #[error("{0} fields are declared; the most is 65535")]
    TooMany(usize),
}

/// The fields of an object, found by name or by position. Names are unique; there are at most 65,535.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<FieldInfo>", into = "Vec<FieldInfo>")]
pub struct FieldTable {
    fields: Vec<FieldInfo>,
    positions: HashMap<String, u16>,
}

impl FieldTable {
    /// Builds the table.
    ///
    /// # Errors
    /// When two fields share a name, or there are more than 65,535.
    pub fn new(fields: Vec<FieldInfo>) -> Result<Self, FieldTableError> {
        let mut positions = HashMap::with_capacity(fields.len());
        for (position, field) in fields.iter().enumerate() {
            let position = u16::try_from(position)
                .ok()
                .filter(|position| *position < u16::MAX);
            let position = position.ok_or(FieldTableError::TooMany(fields.len()))?;
            if positions.insert(field.name.clone(), position).is_some() {
                return Err(FieldTableError::Twice(field.name.clone()));
            }
        }
        Ok(Self { fields, positions })
    }

    /// The field at that position.
    pub fn get(&self, position: u16) -> Option<&FieldInfo> {
        self.fields.get(usize::from(position))
    }

    /// The position of the field of that name.
    pub fn find(&self, name: &str) -> Option<u16> {
        self.positions.get(name).copied()
    }

    /// The position of the field that corresponds to that standard property.
    pub fn find_standard(&self, standard: &str) -> Option<u16> {
        let at = self
            .fields
            .iter()
            .position(|field| field.standard.as_deref() == Some(standard));
        at.and_then(|at| u16::try_from(at).ok())
    }

    /// The fields in order.
    pub fn iter(&self) -> std::slice::Iter<'_, FieldInfo> {
        self.fields.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl TryFrom<Vec<FieldInfo>> for FieldTable {
    type Error = FieldTableError;

    fn try_from(fields: Vec<FieldInfo>) -> Result<Self, FieldTableError> {
        Self::new(fields)
    }
}

impl From<FieldTable> for Vec<FieldInfo> {
    fn from(table: FieldTable) -> Self {
        table.fields
    }
}

/// What being in a stage says of a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageMeaning {
    /// It can still be won or lost.
    Open,
    /// It was won.
    Won,
    /// It was lost.
    Lost,
}

/// An ordered list of stages that a deal (or lead, or project) goes through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Its id on its side.
    pub id: PipelineId,
    /// The name a person sees.
    pub label: String,
    /// The object whose records are in it.
    pub object: ObjectName,
    /// Its stages, in order.
    pub stages: Vec<Stage>,
}

/// One stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its id, unique on its side.
    pub id: StageId,
    /// The name a person sees.
    pub label: String,
    /// Probability of winning in percent, 0 to 100, where the side has one.
    pub probability: Option<u8>,
    /// What it says of a deal.
    pub meaning: StageMeaning,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_refuses_two_fields_of_one_name() {
        let twice = vec![
            FieldInfo::new("email", FieldKind::Email),
            FieldInfo::new("email", FieldKind::Text),
        ];
        assert_eq!(
            FieldTable::new(twice),
            Err(FieldTableError::Twice("email".into()))
        );
    }

    #[test]
    fn standard_objects_are_in_the_order_of_writing() {
        let mut sorted = StandardObject::ALL;
        sorted.sort();
        assert_eq!(sorted, StandardObject::ALL);
        assert!(
            StandardObject::ALL
                .iter()
                .all(|object| StandardObject::find(object.name()) == Some(*object))
        );
    }
}
