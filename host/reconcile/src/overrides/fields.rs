//! Fields: which property each fills where a person says so, and whether that can be.

use std::collections::HashSet;

use model::catalog::Catalog;
use model::mapping::{Binding, Direction, FieldMapping, FieldRules, ObjectMapping};
use model::{FieldInfo, FieldKind, Finding, ObjectInfo};

use super::{At, FieldOverride, MappingFault, did_you_mean, fault, names, unmapped_finding};
use crate::convert::find_standard_conversion;
use crate::fault::MappingError;
use crate::mapping::{is_lossless, is_writable};
use crate::naming::is_property_name;
use crate::planner::compile_field;

/// One object's fields while a person's words are put over them.
pub(super) struct Draft<'d> {
    pub(super) info: &'d ObjectInfo,
    pub(super) target: &'d ObjectInfo,
    pub(super) faults: &'d mut Vec<MappingFault>,
    pub(super) findings: &'d mut Vec<Finding>,
}

impl Draft<'_> {
    /// Puts the fields over the default ones. A field that a person names fills what they say and nothing else.
    pub(super) fn override_fields(
        &mut self,
        entry: &mut ObjectMapping,
        said: &[(At<String>, FieldOverride)],
    ) {
        for (at, _) in said {
            if self.info.fields.find(&at.value).is_none() {
                let message = format!(
                    "source field {:?} does not exist{}",
                    at.value,
                    did_you_mean(&at.value, names(self.info))
                );
                self.faults.push(fault(at.line, message));
            }
        }
        let mut fields = Vec::with_capacity(entry.fields.len());
        for field in self.info.fields.iter() {
            let default = entry.fields.iter().find(|other| other.source == field.name);
            let mut named = said
                .iter()
                .filter(|(at, _)| at.value == field.name)
                .peekable();
            if named.peek().is_none() {
                fields.extend(default.cloned());
                continue;
            }
            entry.unmapped.retain(|(name, _)| *name != field.name);
            self.findings.retain(|finding| {
                let is_own =
                    finding.object == entry.source && finding.field.as_ref() == Some(&field.name);
                !(is_own && finding.code == model::FindingCode::UnmappedField)
            });
            for (at, said) in named {
                match said {
                    FieldOverride::LeftOut => {
                        let reason = format!("left out by line {} of the mapping file", at.line);
                        self.findings.push(unmapped_finding(
                            &entry.source,
                            Some(&field.name),
                            format!("field {:?} of {} is {reason}", field.label, entry.source),
                        ));
                        entry.unmapped.push((field.name.clone(), reason));
                    }
                    FieldOverride::Filled { to, create, rules } => {
                        let made = self.fill(field, default, to.as_deref(), *create, rules);
                        match made {
                            Ok(made) => fields.push(made),
                            Err(message) => self.faults.push(fault(at.line, message)),
                        }
                    }
                }
            }
        }
        forget_currencies(&mut fields, self.target);
        entry.fields = fields;
    }

    fn fill(
        &self,
        field: &FieldInfo,
        default: Option<&FieldMapping>,
        to: Option<&str>,
        create: Option<FieldKind>,
        rules: &FieldRules,
    ) -> Result<FieldMapping, String> {
        let name = match (to, default) {
            (Some(name), _) => name,
            (None, Some(default)) => default.destination.as_str(),
            (None, None) => {
                return Err(format!(
                    "{:?} fills no property by default; say which: `to = …`",
                    field.name
                ));
            }
        };
        let mut made = match default.filter(|default| default.destination == name) {
            Some(default) => default.clone(),
            None => self.fill_other(field, default, name, create)?,
        };
        check_rules(field, &made, rules)?;
        made.lossless &= rules.transform.is_empty();
        made.rules = rules.clone();
        Ok(made)
    }

    /// A mapping to another property than the default one.
    fn fill_other(
        &self,
        field: &FieldInfo,
        default: Option<&FieldMapping>,
        name: &str,
        create: Option<FieldKind>,
    ) -> Result<FieldMapping, String> {
        let mut made = FieldMapping {
            source: field.name.clone(),
            destination: name.to_owned(),
            create: None,
            binding: Binding::None,
            lossless: true,
            rules: FieldRules::default(),
        };
        let existing = self
            .target
            .fields
            .find(name)
            .and_then(|at| self.target.fields.get(at));
        match (existing, create) {
            (Some(property), _) => {
                if let (FieldKind::Owner, FieldKind::Owner, Some(default)) =
                    (field.kind, property.kind, default)
                {
                    made.binding = default.binding.clone();
                }
                if matches!(property.kind, FieldKind::Owner | FieldKind::Reference)
                    && made.binding == Binding::None
                {
                    return Err(format!(
                        "destination property {name:?} holds ids of the destination"
                    ));
                }
                let conversion = find_standard_conversion("", field.kind, property.kind);
                made.lossless = conversion.is_some_and(|found| is_lossless(found, field, property));
            }
            (None, Some(kind)) if is_property_name(name) && is_writable(self.target) => {
                if matches!(kind, FieldKind::Owner | FieldKind::Reference) {
                    return Err(format!("a new property cannot be {kind}"));
                }
                let mut property = FieldInfo::new(name, kind);
                (property.custom, property.label) = (true, field.label.clone());
                if matches!(kind, FieldKind::Option | FieldKind::Options) {
                    property.options = field.options.clone();
                }
                made.create = Some(property);
            }
            (None, Some(_)) => {
                return Err(format!(
                    "{name:?} cannot be the name of a property: letters, digits and _, a letter first"
                ));
            }
            (None, None) => {
                return Err(format!(
                    "destination property {name:?} does not exist{}; `new = \"text\"` would create it",
                    did_you_mean(name, names(self.target))
                ));
            }
        }
        Ok(made)
    }
}

/// What no rule may be said of.
fn check_rules(field: &FieldInfo, made: &FieldMapping, rules: &FieldRules) -> Result<(), String> {
    let is_bound = matches!(made.binding, Binding::Pipeline | Binding::Stage);
    if is_bound && *rules != FieldRules::default() {
        return Err(format!(
            "{:?} goes by the pipelines' mapping; no rules can be said of it",
            field.name
        ));
    }
    if rules.direction == Direction::ToSource && field.read_only {
        return Err(format!(
            "source field {:?} is read-only, so nothing goes to the source",
            field.name
        ));
    }
    Ok(())
}

/// An amount's property that is to be created names the property of its currency only where something fills that one.
fn forget_currencies(fields: &mut [FieldMapping], target: &ObjectInfo) {
    let filled: HashSet<String> = fields
        .iter()
        .map(|entry| entry.destination.clone())
        .collect();
    for create in fields.iter_mut().filter_map(|entry| entry.create.as_mut()) {
        let is_there = |name: &String| filled.contains(name) || target.fields.find(name).is_some();
        create.currency_field = create.currency_field.take().filter(is_there);
    }
}

/// Holds the fields that a person named against the catalogs: source, destination as it is, and as it will be.
pub(super) fn check_fields(
    (source, destination, planned): (&Catalog, &Catalog, &Catalog),
    entry: &ObjectMapping,
    said: &[(At<String>, FieldOverride)],
    faults: &mut Vec<MappingFault>,
) {
    let find = |catalog: &'_ Catalog, name: &str| catalog.find_object(name).cloned();
    let destination_name = entry.destination.as_str();
    let (Some(info), Some(current), Some(planned)) = (
        find(source, entry.source.as_str()),
        find(destination, destination_name),
        find(planned, destination_name),
    ) else {
        return;
    };
    let mut seen = HashSet::new();
    for (at, _) in said.iter().filter(|(at, _)| seen.insert(&at.value)) {
        let lines = said
            .iter()
            .filter(|(other, _)| other.value == at.value)
            .map(|(other, _)| other.line);
        let own = entry.fields.iter().filter(|field| field.source == at.value);
        // What could not be filled is told already, and then the lines and the fields are not as many.
        for (field, line) in own.zip(lines) {
            let is_rival = |other: &&FieldMapping| {
                other.destination == field.destination && other.source != field.source
            };
            if let Some(other) = entry.fields.iter().find(is_rival) {
                let message = format!(
                    "destination property {:?} is filled twice, by {:?} and {:?}; `false` for one of them leaves it out",
                    field.destination, field.source, other.source
                );
                faults.push(fault(line, message));
            }
            if let Err(error) = compile_field(entry.standard, field, &info, &current, &planned) {
                let hint = match &error {
                    MappingError::NoField(name) => did_you_mean(name, names(&info)),
                    _ => String::new(),
                };
                faults.push(fault(line, format!("{error}{hint}")));
            }
        }
    }
}
