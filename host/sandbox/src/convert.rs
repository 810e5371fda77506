//! Turns what a connector says of its account, objects and pipelines into the host's words, as hostile input.
//!
//! A broken promise (a name twice, too much of anything) refuses the catalog; a name that the host does not know becomes a
//! finding. Rows are not read here; that is `model::decode`.

use std::collections::HashSet;
use std::sync::Arc;

use model::catalog::{FieldOption, StandardObject};
use model::id::PipelineId;
use model::{
    Account, AssociationInfo, FieldInfo, FieldKind, FieldTable, Finding, FindingCode, ObjectInfo,
    ObjectName, Pipeline, Stage, StageId, StageMeaning,
};

use crate::bindings::longshore::connector::types as wit;
use crate::text::{clean, is_hidden};

const NAME_MAX_BYTES: usize = 255;
const LABEL_MAX_CHARS: usize = 500;
const OBJECTS_MAX: usize = 500;
const FIELDS_MAX: usize = 10_000;
const OPTIONS_MAX: usize = 20_000;
const OPTION_MAX_BYTES: usize = 4_096;
const ASSOCIATIONS_MAX: usize = 1_000;
const PIPELINES_MAX: usize = 1_000;
const STAGES_MAX: usize = 1_000;
const ATTRIBUTES_MAX: usize = 100;

/// Says which promise of the contract a catalog breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CatalogError {
    #[error("{what} {name:?} is declared twice")]
    Twice { what: &'static str, name: String },
    #[error("{count} {what} are declared; the most is {max}")]
    TooMany {
        what: &'static str,
        count: usize,
        max: usize,
    },
    #[error(
        "{what} {name:?} has no usable name: it needs 1 to {NAME_MAX_BYTES} bytes without control characters"
    )]
    Name { what: &'static str, name: String },
}

fn bounded(what: &'static str, count: usize, max: usize) -> Result<(), CatalogError> {
    if count <= max {
        Ok(())
    } else {
        Err(CatalogError::TooMany { what, count, max })
    }
}

fn named(what: &'static str, name: String) -> Result<String, CatalogError> {
    let fits = (1..=NAME_MAX_BYTES).contains(&name.len()) && !name.chars().any(is_hidden);
    if fits {
        Ok(name)
    } else {
        Err(CatalogError::Name {
            what,
            name: clean(&name, 80),
        })
    }
}

fn once(seen: &mut HashSet<String>, what: &'static str, name: &str) -> Result<(), CatalogError> {
    if seen.insert(name.to_owned()) {
        Ok(())
    } else {
        Err(CatalogError::Twice {
            what,
            name: name.to_owned(),
        })
    }
}

/// The account, every text shortened and cleaned.
pub(crate) fn account_of(account: wit::Account) -> Account {
    let text = |text: String| clean(&text, LABEL_MAX_CHARS);
    Account {
        id: text(account.id),
        name: text(account.name),
        user: text(account.user),
        currency: account.currency.map(text).filter(|code| !code.is_empty()),
        missing_scopes: account
            .missing_scopes
            .into_iter()
            .take(ATTRIBUTES_MAX)
            .map(text)
            .collect(),
        attributes: account
            .attributes
            .into_iter()
            .take(ATTRIBUTES_MAX)
            .map(|(name, value)| (text(name), text(value)))
            .collect(),
    }
}

/// Which of the two lists an object came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListedBy {
    /// `list-objects`.
    Source,
    /// `list-engagements`.
    Engagements,
}

/// Collects a catalog's parts, with the names seen so far and the findings.
#[derive(Default)]
pub(crate) struct CatalogReader {
    pub(crate) objects: Vec<Arc<ObjectInfo>>,
    pub(crate) pipelines: Vec<Pipeline>,
    pub(crate) findings: Vec<Finding>,
    names: HashSet<String>,
}

impl CatalogReader {
    /// Takes a list of objects or engagement kinds.
    pub(crate) fn take_objects(
        &mut self,
        objects: Vec<wit::ObjectInfo>,
        by: ListedBy,
    ) -> Result<(), CatalogError> {
        bounded("objects", self.objects.len() + objects.len(), OBJECTS_MAX)?;
        for object in objects {
            let name = named("object", object.name)?;
            once(&mut self.names, "object", &name)?;
            let name = ObjectName::new(name);
            let standard = self.standard_of(&name, object.standard, by);
            if by == ListedBy::Engagements && standard.is_none() {
                self.note(
                    &name,
                    None,
                    format!(
                        "kind of engagement {name} is none that the host knows and is left out"
                    ),
                );
                continue;
            }
            let fields = self.fields_of(&name, object.fields)?;
            let associations = associations_of(object.associations)?;
            let label = clean(&object.label, LABEL_MAX_CHARS);
            let (incremental, count) = (object.incremental, object.count);
            self.objects.push(Arc::new(ObjectInfo {
                name,
                label,
                standard,
                fields,
                associations,
                incremental,
                count,
            }));
        }
        Ok(())
    }

    /// The standard object of that name, where it fits the list that the object came from.
    fn standard_of(
        &mut self,
        object: &ObjectName,
        name: Option<String>,
        by: ListedBy,
    ) -> Option<StandardObject> {
        let name = name?;
        let fits =
            |standard: &StandardObject| standard.is_engagement() == (by == ListedBy::Engagements);
        let standard = StandardObject::find(&name).filter(fits);
        if standard.is_none() {
            let name = clean(&name, 80);
            self.note(
                object,
                None,
                format!(
                    "object {object} claims to be {name:?}, which is no standard object of its list"
                ),
            );
        }
        standard
    }

    fn fields_of(
        &mut self,
        object: &ObjectName,
        fields: Vec<wit::FieldInfo>,
    ) -> Result<FieldTable, CatalogError> {
        bounded("fields", fields.len(), FIELDS_MAX)?;
        let (mut seen, mut standards) = (HashSet::new(), HashSet::new());
        let names: HashSet<String> = fields.iter().map(|field| field.name.clone()).collect();
        let mut table = Vec::with_capacity(fields.len());
        for field in fields {
            let mut info = field_of(field)?;
            once(&mut seen, "field", &info.name)?;
            if let Some(standard) = info.standard.take() {
                if standards.insert(standard.clone()) {
                    info.standard = Some(standard);
                } else {
                    let message = format!(
                        "standard property {standard:?} is claimed by two fields; the first has it"
                    );
                    self.note(object, Some(&info.name), message);
                }
            }
            if let Some(currency) = info
                .currency_field
                .take_if(|currency| !names.contains(currency.as_str()))
            {
                self.note(
                    object,
                    Some(&info.name),
                    format!("currency field {currency:?} is not declared"),
                );
            }
            table.push(info);
        }
        FieldTable::new(table).map_err(|_| CatalogError::TooMany {
            what: "fields",
            count: seen.len(),
            max: FIELDS_MAX,
        })
    }

    /// Takes the pipelines, after the objects.
    pub(crate) fn take_pipelines(
        &mut self,
        pipelines: Vec<wit::Pipeline>,
    ) -> Result<(), CatalogError> {
        bounded("pipelines", pipelines.len(), PIPELINES_MAX)?;
        let (mut seen, mut stages_seen) = (HashSet::new(), HashSet::new());
        for pipeline in pipelines {
            let id = named("pipeline", pipeline.id)?;
            once(&mut seen, "pipeline", &id)?;
            let object = ObjectName::new(named("object", pipeline.object)?);
            bounded("stages", pipeline.stages.len(), STAGES_MAX)?;
            let mut stages = Vec::with_capacity(pipeline.stages.len());
            for stage in pipeline.stages {
                let stage = self.stage_of(&object, stage)?;
                once(&mut stages_seen, "stage", stage.id.as_str())?;
                stages.push(stage);
            }
            if !self.objects.iter().any(|known| known.name == object) {
                self.note(&object, None, format!("pipeline {id:?} is for the object {object}, which this account does not have"));
                continue;
            }
            let label = clean(&pipeline.label, LABEL_MAX_CHARS);
            self.pipelines.push(Pipeline {
                id: PipelineId::new(id),
                label,
                object,
                stages,
            });
        }
        Ok(())
    }

    fn stage_of(&mut self, object: &ObjectName, stage: wit::Stage) -> Result<Stage, CatalogError> {
        let id = named("stage", stage.id)?;
        let probability = stage.probability.filter(|percent| *percent <= 100);
        if probability != stage.probability {
            self.note(
                object,
                None,
                format!("stage {id:?} has a probability over 100 percent, which is left out"),
            );
        }
        let meaning = match stage.meaning {
            wit::StageMeaning::Open => StageMeaning::Open,
            wit::StageMeaning::Won => StageMeaning::Won,
            wit::StageMeaning::Lost => StageMeaning::Lost,
        };
        Ok(Stage {
            id: StageId::new(id),
            label: clean(&stage.label, LABEL_MAX_CHARS),
            probability,
            meaning,
        })
    }

    /// Keeps a finding that the account may not see, or does not have, a part of the catalog.
    pub(crate) fn missing(&mut self, code: FindingCode, part: &str, message: String) {
        self.findings.push(Finding {
            code,
            object: ObjectName::new(part),
            record: None,
            field: None,
            message,
        });
    }

    fn note(&mut self, object: &ObjectName, field: Option<&str>, message: String) {
        let (object, field) = (object.clone(), field.map(str::to_owned));
        self.findings.push(Finding {
            code: FindingCode::SourceNote,
            object,
            record: None,
            field,
            message,
        });
    }
}

fn field_of(field: wit::FieldInfo) -> Result<FieldInfo, CatalogError> {
    let mut info = FieldInfo::new(named("field", field.name)?, kind_of(field.kind));
    info.label = clean(&field.label, LABEL_MAX_CHARS);
    (info.custom, info.read_only) = (field.custom, field.read_only);
    info.standard = field
        .standard
        .filter(|name| (1..=NAME_MAX_BYTES).contains(&name.len()) && !name.chars().any(is_hidden));
    bounded("options", field.options.len(), OPTIONS_MAX)?;
    let mut seen = HashSet::with_capacity(field.options.len());
    for option in field.options {
        // Options are the account's own data: one that comes twice, or that no row could hold, says nothing against the connector.
        let fits =
            (1..=OPTION_MAX_BYTES).contains(&option.value.len()) && !option.value.contains('\n');
        if fits && seen.insert(option.value.clone()) {
            info.options.push(FieldOption {
                value: option.value,
                label: clean(&option.label, LABEL_MAX_CHARS),
            });
        }
    }
    bounded("attributes", field.attributes.len(), ATTRIBUTES_MAX)?;
    for (name, value) in field.attributes {
        match name.as_str() {
            "currency-field" => info.currency_field = Some(value),
            "unique" => info.unique = value == "true",
            "max-chars" => info.max_chars = value.parse().ok(),
            _ => {}
        }
    }
    Ok(info)
}

fn associations_of(
    associations: Vec<wit::AssociationInfo>,
) -> Result<Vec<AssociationInfo>, CatalogError> {
    bounded("associations", associations.len(), ASSOCIATIONS_MAX)?;
    let mut seen = HashSet::new();
    let convert = |association: wit::AssociationInfo| {
        let name = named("association", association.name)?;
        once(&mut seen, "association", &name)?;
        let to = ObjectName::new(named("object", association.to)?);
        let label = association
            .label
            .map(|label| clean(&label, LABEL_MAX_CHARS))
            .filter(|label| !label.is_empty());
        Ok(AssociationInfo { name, to, label })
    };
    associations.into_iter().map(convert).collect()
}

fn kind_of(kind: wit::FieldKind) -> FieldKind {
    match kind {
        wit::FieldKind::Text => FieldKind::Text,
        wit::FieldKind::Html => FieldKind::Html,
        wit::FieldKind::Email => FieldKind::Email,
        wit::FieldKind::Phone => FieldKind::Phone,
        wit::FieldKind::Url => FieldKind::Url,
        wit::FieldKind::Integer => FieldKind::Integer,
        wit::FieldKind::Decimal => FieldKind::Decimal,
        wit::FieldKind::Money => FieldKind::Money,
        wit::FieldKind::Boolean => FieldKind::Boolean,
        wit::FieldKind::Date => FieldKind::Date,
        wit::FieldKind::Instant => FieldKind::Instant,
        wit::FieldKind::Time => FieldKind::Time,
        wit::FieldKind::Option => FieldKind::Option,
        wit::FieldKind::Options => FieldKind::Options,
        wit::FieldKind::Owner => FieldKind::Owner,
        wit::FieldKind::Reference => FieldKind::Reference,
    }
}

#[cfg(test)]
mod tests;
