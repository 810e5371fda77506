//! The default mapping: what goes where when nobody said otherwise.
//!
//! Standard fields fill the standard property where their kinds agree; every other field gets a property of its own, so that nothing
//! is lost. It reads catalogs only, never records.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use model::catalog::{Catalog, FieldTable, StandardObject};
use model::destination::SOURCE_KEY_PROPERTY;
use model::mapping::{
    AssociationMapping, Binding, ConflictRule, FieldMapping, FieldRules, Mapping, Matching,
    ObjectMapping,
};
use model::{FieldInfo, FieldKind, Finding, FindingCode, ObjectInfo, ObjectName};

use crate::convert::{Conversion, find_standard_conversion};
use crate::naming::{candidates, field_name};
use crate::stages::map_pipelines;

/// The most fields an object of the destination may come to.
const FIELDS_MAX: usize = 65_000;

/// Maps a source to a destination. Objects come in the order of writing. Mapping again after an apply finds the properties and
/// pipelines that were made then.
pub fn default_mapping(source: &Catalog, destination: &Catalog) -> (Mapping, Vec<Finding>) {
    let mut draft = Draft {
        source,
        destination,
        created: HashMap::new(),
        findings: Vec::new(),
    };
    let mut pairs: Vec<(StandardObject, &Arc<ObjectInfo>, &Arc<ObjectInfo>)> = Vec::new();
    let mut unmapped_objects = Vec::new();
    for object in &source.objects {
        match object
            .standard
            .and_then(|standard| Some((standard, destination.find_standard(standard)?)))
        {
            Some((standard, target)) => pairs.push((standard, object, target)),
            None => {
                let count = object
                    .count
                    .map_or_else(String::new, |count| format!(", with {count} records"));
                draft.find_fault(
                    object,
                    None,
                    format!(
                        "object {} has no counterpart at the destination{count}",
                        object.name
                    ),
                );
                unmapped_objects.push(object.name.clone());
            }
        }
    }
    pairs.sort_by_key(|(standard, ..)| *standard);
    let mut objects = Vec::with_capacity(pairs.len());
    for (standard, object, target) in &pairs {
        let (fields, unmapped) = draft.map_fields(*standard, object, target);
        let associations = draft.map_associations(object, target, &fields, &pairs);
        objects.push(ObjectMapping {
            source: object.name.clone(),
            standard: *standard,
            destination: target.name.clone(),
            fields,
            unmapped,
            associations,
            filter: None,
            matching: Matching::Default,
            conflict: ConflictRule::default(),
        });
    }
    let (pipelines, stage_findings) = map_pipelines(source, destination, &objects);
    let mut findings = draft.findings;
    findings.extend(stage_findings);
    (
        Mapping {
            objects,
            unmapped_objects,
            pipelines,
        },
        findings,
    )
}

/// The destination's catalog as it will be once the mapping's properties exist: they follow those that exist now, in the order of
/// the mapping, so that positions of existing properties stay. Every written object knows [`SOURCE_KEY_PROPERTY`].
pub fn planned_catalog(destination: &Catalog, mapping: &Mapping) -> Catalog {
    let mut planned = destination.clone();
    for object in &mut planned.objects {
        let entries = || {
            mapping
                .objects
                .iter()
                .filter(|entry| entry.destination == object.name)
        };
        if entries().next().is_none() || !is_writable(object) {
            continue;
        }
        let mut fields: Vec<FieldInfo> = object.fields.iter().cloned().collect();
        let mut names: HashSet<String> = fields.iter().map(|field| field.name.clone()).collect();
        let created = entries()
            .flat_map(|entry| &entry.fields)
            .filter_map(|field| field.create.as_ref());
        fields.extend(
            created
                .filter(|field| names.insert(field.name.clone()))
                .cloned(),
        );
        if names.insert(SOURCE_KEY_PROPERTY.to_owned()) {
            let mut key = FieldInfo::new(SOURCE_KEY_PROPERTY, FieldKind::Text);
            (key.unique, key.custom, key.label) = (true, true, "Longshore source id".to_owned());
            fields.push(key);
        }
        if let Ok(fields) = FieldTable::new(fields) {
            let mut grown = ObjectInfo::clone(object);
            grown.fields = fields;
            *object = Arc::new(grown);
        }
    }
    planned
}

/// Whether the destination lets anybody but itself write that object.
pub fn is_writable(object: &ObjectInfo) -> bool {
    object
        .fields
        .iter()
        .any(|field| !field.read_only && field.name != SOURCE_KEY_PROPERTY)
}

struct Draft<'c> {
    source: &'c Catalog,
    destination: &'c Catalog,
    /// Properties to be created, by the destination's object and the property's name.
    created: HashMap<ObjectName, BTreeMap<String, FieldInfo>>,
    findings: Vec<Finding>,
}

type Unmapped = Vec<(String, String)>;

impl Draft<'_> {
    fn find_fault(&mut self, object: &ObjectInfo, field: Option<&str>, message: String) {
        let field = field.map(str::to_owned);
        self.findings.push(Finding {
            code: FindingCode::UnmappedField,
            object: object.name.clone(),
            record: None,
            field,
            message,
        });
    }

    fn map_fields(
        &mut self,
        standard: StandardObject,
        object: &ObjectInfo,
        target: &ObjectInfo,
    ) -> (Vec<FieldMapping>, Unmapped) {
        let mut taken: HashSet<String> = HashSet::from([SOURCE_KEY_PROPERTY.to_owned()]);
        // Standard properties are given away first, so that no custom field takes one by its label.
        let mut chosen: Vec<Option<FieldMapping>> = Vec::with_capacity(object.fields.len());
        for field in object.fields.iter() {
            let entry = self.map_to_standard(standard, object, field, target, &taken);
            taken.extend(entry.iter().map(|entry| entry.destination.clone()));
            chosen.push(entry);
        }
        let (mut fields, mut unmapped) = (Vec::with_capacity(chosen.len()), Vec::new());
        for (field, chosen) in object.fields.iter().zip(chosen) {
            let entry = chosen.map_or_else(|| self.map_to_own(field, target, &taken), Ok);
            match entry {
                Ok(entry) => {
                    taken.insert(entry.destination.clone());
                    fields.push(entry);
                }
                Err(reason) => {
                    // What the destination keeps by itself is only looked up there: nobody expects its fields to go anywhere.
                    if is_writable(target) {
                        self.find_fault(
                            object,
                            Some(&field.name),
                            format!(
                                "field {:?} of {} is left out: {reason}",
                                field.label, object.name
                            ),
                        );
                    }
                    unmapped.push((field.name.clone(), reason));
                }
            }
        }
        carry_currencies(object, &mut fields);
        for field in fields.iter().filter_map(|entry| entry.create.as_ref()) {
            let created = self.created.entry(target.name.clone()).or_default();
            created
                .entry(field.name.clone())
                .or_insert_with(|| field.clone());
        }
        (fields, unmapped)
    }

    /// The standard property of a standard field, where it may be written, is free and takes its kind.
    fn map_to_standard(
        &self,
        standard: StandardObject,
        object: &ObjectInfo,
        field: &FieldInfo,
        target: &ObjectInfo,
        taken: &HashSet<String>,
    ) -> Option<FieldMapping> {
        let name = field.standard.as_deref()?;
        let position = target
            .fields
            .find_standard(name)
            .or_else(|| target.fields.find(name))?;
        let property = target.fields.get(position)?;
        if property.read_only || taken.contains(&property.name) {
            return None;
        }
        let (conversion, binding) = self.bind_standard(standard, object, field, name, property)?;
        Some(FieldMapping {
            source: field.name.clone(),
            destination: property.name.clone(),
            create: None,
            binding,
            lossless: is_lossless(conversion, field, property),
            rules: FieldRules::default(),
        })
    }

    fn bind_standard(
        &self,
        standard: StandardObject,
        object: &ObjectInfo,
        field: &FieldInfo,
        name: &str,
        property: &FieldInfo,
    ) -> Option<(Conversion, Binding)> {
        let is_id = |kind: FieldKind| {
            matches!(
                kind,
                FieldKind::Text | FieldKind::Option | FieldKind::Owner | FieldKind::Reference
            )
        };
        let bound = |binding| {
            (is_id(field.kind) && is_id(property.kind)).then_some((Conversion::Same, binding))
        };
        // A deal's stage is bound even where the source shows no stages: its deals are then excluded by the stage's id.
        let has_stages = standard == StandardObject::Deal
            || self
                .source
                .pipelines
                .iter()
                .any(|pipeline| pipeline.object == object.name);
        match name {
            "pipeline" | "hs_pipeline" if has_stages => bound(Binding::Pipeline),
            "dealstage" | "hs_pipeline_stage" if has_stages => bound(Binding::Stage),
            "pipeline" | "hs_pipeline" | "dealstage" | "hs_pipeline_stage" => None,
            "hs_product_id" => bound(self.bind_record(StandardObject::Product)?),
            _ => match (field.kind, property.kind) {
                (FieldKind::Owner, FieldKind::Owner) => {
                    bound(self.bind_record(StandardObject::Owner)?)
                }
                // An id that nothing binds means nothing at the other side.
                (_, FieldKind::Owner | FieldKind::Reference) => None,
                (from, to) => Some((find_standard_conversion(name, from, to)?, Binding::None)),
            },
        }
    }

    /// The binding to the source's records of that meaning, where they migrate.
    fn bind_record(&self, standard: StandardObject) -> Option<Binding> {
        let object = self.source.find_standard(standard)?;
        self.destination.find_standard(standard)?;
        Some(Binding::Record(object.name.clone()))
    }

    /// A property of the field's own: one that was made for it before, or a new one. Two fields of one label get two properties.
    fn map_to_own(
        &self,
        field: &FieldInfo,
        target: &ObjectInfo,
        taken: &HashSet<String>,
    ) -> Result<FieldMapping, String> {
        let created = self.created.get(&target.name);
        if !is_writable(target) {
            return Err(format!("the destination keeps {} by itself", target.name));
        }
        if target.fields.len() + created.map_or(0, BTreeMap::len) + taken.len() >= FIELDS_MAX {
            return Err(format!("{} has no room for more properties", target.name));
        }
        let binding = match field.kind {
            FieldKind::Owner => self
                .bind_record(StandardObject::Owner)
                .unwrap_or(Binding::None),
            _ => Binding::None,
        };
        let kind = match field.kind {
            FieldKind::Owner if binding == Binding::None => FieldKind::Text,
            FieldKind::Reference => FieldKind::Text,
            kind => kind,
        };
        let kind = kept_kind(kind, self.destination);
        let label = if field.label.trim().is_empty() {
            &field.name
        } else {
            &field.label
        };
        let is_same = |property: &FieldInfo| property.kind == kind && property.label == *label;
        for name in candidates(&field_name(&field.name, &field.label, field.custom)) {
            if taken.contains(&name) {
                continue;
            }
            let existing = target
                .fields
                .find(&name)
                .and_then(|position| target.fields.get(position));
            let planned = created.and_then(|created| created.get(&name));
            let create = match (existing, planned) {
                (Some(property), _)
                    if property.custom && !property.read_only && is_same(property) =>
                {
                    None
                }
                (None, Some(property)) if is_same(property) => Some(property.clone()),
                (None, None) => Some(new_property(name.clone(), label, kind, field, target)),
                _ => continue,
            };
            return Ok(FieldMapping {
                source: field.name.clone(),
                destination: name,
                create,
                binding,
                // Where the destination lacks the kind, the nearest one keeps every value.
                lossless: true,
                rules: FieldRules::default(),
            });
        }
        unreachable!("candidates do not end")
    }

    fn map_associations(
        &mut self,
        object: &ObjectInfo,
        own: &ObjectInfo,
        fields: &[FieldMapping],
        pairs: &[(StandardObject, &Arc<ObjectInfo>, &Arc<ObjectInfo>)],
    ) -> Vec<AssociationMapping> {
        let mut mapped = Vec::with_capacity(object.associations.len());
        let is_unlinkable =
            |object: &ObjectInfo| self.destination.unlinkable.contains(&object.name);
        for association in &object.associations {
            match pairs
                .iter()
                .find(|(_, other, _)| other.name == association.to)
            {
                Some((_, _, target)) if is_unlinkable(own) || is_unlinkable(target) => {
                    // A property that names the record says as much as the association would.
                    let binding = Binding::Record(association.to.clone());
                    if !fields.iter().any(|field| field.binding == binding) {
                        let message = format!(
                            "association {:?} is left out: the destination associates no {} with {}",
                            association.name, own.name, target.name
                        );
                        self.find_fault(object, Some(&association.name), message);
                    }
                }
                Some((_, _, target)) => mapped.push(AssociationMapping {
                    source: association.name.clone(),
                    to_source: association.to.clone(),
                    to: target.name.clone(),
                    label: association
                        .label
                        .clone()
                        .filter(|label| !label.trim().is_empty()),
                }),
                None => {
                    let message = format!(
                        "association {:?} is left out: object {} is not mapped",
                        association.name, association.to
                    );
                    self.find_fault(object, Some(&association.name), message);
                }
            }
        }
        mapped
    }
}

/// The kind that keeps every value of `kind` at a destination that may not have it.
fn kept_kind(kind: FieldKind, destination: &Catalog) -> FieldKind {
    use FieldKind as K;
    let nearest: &[FieldKind] = match kind {
        K::Integer | K::Money => &[K::Decimal, K::Text],
        _ => &[K::Text],
    };
    let kinds = std::iter::once(kind).chain(nearest.iter().copied());
    let mut kept = kinds.filter(|kind| destination.has_kind(*kind));
    kept.next().unwrap_or(FieldKind::Text)
}

/// Texts as long as the destination's own texts may be: what is longer is cut with a finding, and the record is not refused.
fn new_property(
    name: String,
    label: &str,
    kind: FieldKind,
    field: &FieldInfo,
    target: &ObjectInfo,
) -> FieldInfo {
    let mut property = FieldInfo::new(name, kind);
    label.clone_into(&mut property.label);
    property.custom = true;
    if matches!(kind, FieldKind::Option | FieldKind::Options) {
        let mut seen = HashSet::new();
        property.options = field
            .options
            .iter()
            .filter(|option| seen.insert(&option.value))
            .cloned()
            .collect();
    }
    // Replaced by the destination's name once all fields are mapped.
    property.currency_field = field
        .currency_field
        .clone()
        .filter(|_| kind == FieldKind::Money);
    if matches!(kind, FieldKind::Text | FieldKind::Html) {
        let alike = target
            .fields
            .iter()
            .filter(|other| matches!(other.kind, FieldKind::Text | FieldKind::Html));
        property.max_chars = alike.filter_map(|other| other.max_chars).max();
    }
    property
}

/// A created amount names the property that its currency goes to, where it goes anywhere.
fn carry_currencies(object: &ObjectInfo, fields: &mut [FieldMapping]) {
    let renamed: HashMap<String, String> = fields
        .iter()
        .map(|entry| (entry.source.clone(), entry.destination.clone()))
        .collect();
    for entry in fields.iter_mut() {
        let Some(create) = entry
            .create
            .as_mut()
            .filter(|create| create.kind == FieldKind::Money)
        else {
            continue;
        };
        let source = object
            .fields
            .find(&entry.source)
            .and_then(|position| object.fields.get(position));
        create.currency_field =
            source.and_then(|field| renamed.get(field.currency_field.as_ref()?).cloned());
    }
}

/// Whether every value of the field arrives in the property as it was.
pub(crate) fn is_lossless(conversion: Conversion, field: &FieldInfo, property: &FieldInfo) -> bool {
    let fits = match property.max_chars {
        Some(max) => {
            !matches!(property.kind, FieldKind::Text | FieldKind::Html)
                || field.max_chars.is_some_and(|most| most <= max)
                || max >= 65_536
        }
        None => true,
    };
    let mut labels = HashSet::new();
    let has_twins = conversion == Conversion::Label
        && !field
            .options
            .iter()
            .all(|option| labels.insert(&option.label));
    conversion.is_lossless() && fits && !has_twins
}

#[cfg(test)]
mod tests;
