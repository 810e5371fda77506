//! Options: which option of the property a source's option becomes, and which options the property lacks.
//!
//! It decides by value and label only. That lacking options are added before the first write is `apply`'s work; the planner
//! collects them.

use std::collections::{BTreeMap, HashMap};

use model::catalog::FieldOption;
use model::{FieldInfo, ObjectName};

use crate::normal;

/// The most options that one property is given beyond its own; records with yet others keep the property blank, with a finding.
pub const EXTRA_OPTIONS_MAX: usize = 5_000;

/// What a source's option becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<'t> {
    /// The value at the destination.
    pub value: &'t str,
    /// What a person sees.
    pub label: &'t str,
    /// Whether the destination's property has it.
    pub exists: bool,
    /// Whether the source's field lists it.
    pub declared: bool,
}

#[derive(Clone, Debug)]
struct Declared {
    label: String,
    value: String,
    exists: bool,
}

/// The options of a field and of the property it fills, compiled.
#[derive(Clone, Debug, Default)]
pub struct OptionTable {
    declared: HashMap<String, Declared>,
    by_value: HashMap<String, String>,
    by_label: HashMap<String, String>,
}

impl OptionTable {
    /// Compiles the options. In a property that people made (or Longshore for them) an option is found by its value, then by its
    /// label; in a standard one the label decides, because the values of two vendors mean nothing to each other.
    pub fn new(source: &FieldInfo, destination: &FieldInfo) -> Self {
        let mut table = Self::default();
        for option in &destination.options {
            table
                .by_value
                .entry(option.value.clone())
                .or_insert_with(|| option.label.clone());
            table
                .by_label
                .entry(normal::label(&option.label))
                .or_insert_with(|| option.value.clone());
        }
        for option in &source.options {
            let found = table.find(option, destination.custom);
            let exists = found.is_some();
            let free = if table.by_value.contains_key(&option.value) {
                &option.label
            } else {
                &option.value
            };
            let value = found.unwrap_or_else(|| free.clone());
            let label = if option.label.is_empty() {
                option.value.clone()
            } else {
                option.label.clone()
            };
            table
                .declared
                .entry(option.value.clone())
                .or_insert(Declared {
                    label,
                    value,
                    exists,
                });
        }
        table
    }

    fn find(&self, option: &FieldOption, custom: bool) -> Option<String> {
        let label = normal::label(&option.label);
        let at_value = self.by_value.get(&option.value);
        let is_same = at_value
            .is_some_and(|other| custom || *other == option.label || normal::label(other) == label);
        if is_same {
            return Some(option.value.clone());
        }
        self.by_label
            .get(&label)
            .filter(|_| !label.is_empty())
            .cloned()
    }

    /// What that option of the source becomes at the destination.
    pub fn choose<'t>(&'t self, value: &'t str) -> Choice<'t> {
        if let Some(declared) = self.declared.get(value) {
            return Choice {
                value: &declared.value,
                label: &declared.label,
                exists: declared.exists,
                declared: true,
            };
        }
        if let Some(label) = self.by_value.get(value) {
            return Choice {
                value,
                label,
                exists: true,
                declared: false,
            };
        }
        match self.by_label.get(&normal::label(value)) {
            Some(found) => Choice {
                value: found,
                label: value,
                exists: true,
                declared: false,
            },
            None => Choice {
                value,
                label: value,
                exists: false,
                declared: false,
            },
        }
    }

    /// Whether the source lists any options at all.
    pub fn has_declared(&self) -> bool {
        !self.declared.is_empty()
    }

    /// The label of that option of the source, the value itself where the source does not list it.
    pub fn label<'t>(&'t self, value: &'t str) -> (&'t str, bool) {
        self.declared
            .get(value)
            .map_or((value, false), |declared| (&declared.label, true))
    }
}

/// Options to add to properties of the destination, each once, in a stable order.
#[derive(Clone, Debug, Default)]
pub struct ExtraOptions {
    objects: BTreeMap<ObjectName, BTreeMap<String, BTreeMap<String, String>>>,
}

/// What became of an option that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addition {
    /// It is new.
    Added,
    /// It was added before.
    Known,
    /// The property has [`EXTRA_OPTIONS_MAX`] of them.
    Refused,
}

impl ExtraOptions {
    /// Adds an option to that property of that object of the destination.
    pub fn add(
        &mut self,
        object: &ObjectName,
        property: &str,
        value: &str,
        label: &str,
    ) -> Addition {
        let found = self
            .objects
            .get_mut(object.as_str())
            .and_then(|properties| properties.get_mut(property));
        let options = match found {
            Some(options) => options,
            None => self
                .objects
                .entry(object.clone())
                .or_default()
                .entry(property.to_owned())
                .or_default(),
        };
        if options.contains_key(value) {
            Addition::Known
        } else if options.len() >= EXTRA_OPTIONS_MAX {
            Addition::Refused
        } else {
            options.insert(value.to_owned(), label.to_owned());
            Addition::Added
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The options as [`model::destination::Preparation::options`] takes them: object, property, options by value.
    pub fn list(&self) -> Vec<(ObjectName, String, Vec<FieldOption>)> {
        let properties = self
            .objects
            .iter()
            .flat_map(|(object, properties)| properties.iter().map(move |at| (object, at)));
        let option = |(value, label): (&String, &String)| FieldOption {
            value: value.clone(),
            label: label.clone(),
        };
        properties
            .map(|(object, (name, options))| {
                (
                    object.clone(),
                    name.clone(),
                    options.iter().map(option).collect(),
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use model::FieldKind;

    use super::*;

    fn field(custom: bool, options: &[(&str, &str)]) -> FieldInfo {
        let options = options.iter().map(|(value, label)| FieldOption {
            value: (*value).into(),
            label: (*label).into(),
        });
        FieldInfo {
            custom,
            options: options.collect(),
            ..FieldInfo::new("f", FieldKind::Option)
        }
    }

    #[track_caller]
    fn check(
        source: &FieldInfo,
        destination: &FieldInfo,
        value: &str,
        expected: (&str, bool, bool),
    ) {
        let table = OptionTable::new(source, destination);
        let choice = table.choose(value);
        assert_eq!((choice.value, choice.exists, choice.declared), expected);
    }

    #[test]
    fn a_standard_property_is_chosen_by_label() {
        let source = field(false, &[("1", "Hot"), ("2", "Cold"), ("3", "Warm")]);
        let destination = field(false, &[("HOT", "hot"), ("1", "Cold"), ("3", "Lukewarm")]);
        check(&source, &destination, "1", ("HOT", true, true));
        check(&source, &destination, "2", ("1", true, true));
        // "3" means something else there, so the new option is called by its label.
        check(&source, &destination, "3", ("Warm", false, true));
    }

    #[test]
    fn a_custom_property_is_chosen_by_value_even_when_the_label_changed() {
        let source = field(true, &[("1", "Hot!"), ("2", "Cold")]);
        let destination = field(true, &[("1", "Hot"), ("9", "cold")]);
        check(&source, &destination, "1", ("1", true, true));
        check(&source, &destination, "2", ("9", true, true));
    }

    #[test]
    fn an_option_that_nobody_lists_is_kept_as_it_is() {
        let source = field(true, &[("1", "Hot")]);
        check(
            &source,
            &field(true, &[("1", "Hot")]),
            "77",
            ("77", false, false),
        );
        check(
            &source,
            &field(false, &[("TECH", "Technology")]),
            "technology",
            ("TECH", true, false),
        );
    }

    #[test]
    fn additions_are_counted_once_and_bounded() {
        let (mut extra, object) = (ExtraOptions::default(), ObjectName::new("deal"));
        assert_eq!(extra.add(&object, "p", "b", "B"), Addition::Added);
        assert_eq!(extra.add(&object, "p", "b", "B"), Addition::Known);
        assert_eq!(extra.add(&object, "p", "a", "A"), Addition::Added);
        let values: Vec<_> = extra.list()[0]
            .2
            .iter()
            .map(|option| option.value.clone())
            .collect();
        assert_eq!(values, ["a", "b"]);
        for number in 2..EXTRA_OPTIONS_MAX {
            extra.add(&object, "p", &number.to_string(), "");
        }
        assert_eq!(extra.add(&object, "p", "one more", ""), Addition::Refused);
        assert_eq!(extra.add(&object, "q", "one more", ""), Addition::Added);
    }
}
