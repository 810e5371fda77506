//! Holds an object's table: which JSON key becomes which field or association, built-in ones and those of the metadata alike.
//!
//! One table declares the catalog and drives the reading, so that a row can hold nothing undeclared. Values that need more than
//! their own key (a deal's stage, a task's due moment) are marked `Held` and left to the object's own file.

use std::collections::{HashMap, HashSet};

use longshore_sdk::{FieldInfo, FieldKind, FieldName, FieldOption, ObjectInfo};

use crate::metadata::{ADDRESS, FieldMeta, Meaning, Part};

/// What a built-in key means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// The record's id.
    Id,
    /// When it changed last; also a field.
    UpdatedAt,
    /// Whether it is deleted.
    Deleted,
    /// The object that holds the custom fields.
    CustomFields,
    /// One value.
    Plain(FieldKind),
    /// One value of the kind that the metadata name, of this kind where they are silent.
    Described(FieldKind),
    /// An amount whose currency is in the field of that name.
    Money(&'static str),
    /// An address with its parts.
    Address,
    /// A link: association name, object at the other end.
    Link(&'static str, &'static str),
    /// Links of one kind: association name, object at the other end.
    Links(&'static str, &'static str),
    /// Read for the object's own code, which writes it.
    Held,
    /// Known and left out: derived from other values, or not of the CRM.
    Skip,
}

/// One built-in key of an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BuiltIn {
    key: &'static str,
    label: &'static str,
    shape: Shape,
    standard: Option<&'static str>,
    options: &'static [(&'static str, &'static str)],
    read_only: bool,
}

/// A key with its label and meaning.
pub(crate) const fn built_in(key: &'static str, label: &'static str, shape: Shape) -> BuiltIn {
    BuiltIn {
        key,
        label,
        shape,
        standard: None,
        options: &[],
        read_only: false,
    }
}

/// A key with text.
pub(crate) const fn text(key: &'static str, label: &'static str) -> BuiltIn {
    built_in(key, label, Shape::Plain(FieldKind::Text))
}

/// A key whose value is not written by itself.
pub(crate) const fn held(key: &'static str) -> BuiltIn {
    built_in(key, "", Shape::Held)
}

/// A key that is known and left out.
pub(crate) const fn skip(key: &'static str) -> BuiltIn {
    built_in(key, "", Shape::Skip)
}

impl BuiltIn {
    /// The key.
    pub(crate) const fn key(&self) -> &'static str {
        self.key
    }

    /// Names the standard property.
    pub(crate) const fn standard(mut self, name: &'static str) -> Self {
        self.standard = Some(name);
        self
    }

    /// Gives the options that hold where the metadata name none.
    pub(crate) const fn options(
        mut self,
        options: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.options = options;
        self
    }

    /// Says that Pipedrive does not take it.
    pub(crate) const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }
}

/// Meanings of `visible_to` where the metadata do not name them; which of them an account has depends on its plan.
pub(crate) const VISIBILITY: &[(&str, &str)] = &[
    ("1", "Owner"),
    ("3", "Owner's group, or everyone"),
    ("5", "Owner's group and sub-groups"),
    ("7", "Everyone"),
];
/// How often something is billed.
pub(crate) const BILLING: &[(&str, &str)] = &[
    ("one-time", "One-time"),
    ("weekly", "Weekly"),
    ("monthly", "Monthly"),
    ("quarterly", "Quarterly"),
    ("semi-annually", "Semi-annually"),
    ("annually", "Annually"),
];

/// How an object's records carry custom fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CustomForm {
    /// In `custom_fields`, compound values as objects (second generation).
    Nested,
    /// At the top level, parts as `<hash>_currency` and the like, absent when empty (first generation).
    Flat,
}

/// What becomes of a key's value.
#[derive(Debug)]
pub(crate) enum Use {
    /// A field.
    Field(FieldKind),
    /// A field and its parts: key in the object, name of the field, kind.
    Compound(FieldKind, Vec<(&'static str, FieldName, FieldKind)>),
    /// An association of that name.
    Link(String),
    /// Associations of that name.
    Links(String),
    /// The object that holds the custom fields.
    Nested,
    /// Nothing by itself.
    Nothing,
}

/// One key.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Key in the JSON, and name of the field.
    pub(crate) key: String,
    /// The same, as the rows hold it.
    pub(crate) name: FieldName,
    pub(crate) what: Use,
    /// Whether an absent key says that the field is empty.
    pub(crate) absent_is_empty: bool,
}

/// The keys of an object.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) slots: Vec<Slot>,
    keys: HashMap<String, usize>,
    pub(crate) id: usize,
    pub(crate) updated_at: Option<usize>,
    pub(crate) deleted: Option<usize>,
    /// Whether keys that are not in the table are no loss.
    pub(crate) is_partial: bool,
    fields: Vec<FieldInfo>,
    /// Name, object at the other end, label.
    links: Vec<(String, &'static str, Option<String>)>,
}

impl Table {
    /// Joins the built-in keys with what the metadata describe, and adds the fields that the object's own code writes.
    pub(crate) fn new(
        built_ins: &[BuiltIn],
        metadata: &[FieldMeta],
        form: CustomForm,
        computed: Vec<FieldInfo>,
    ) -> Self {
        let mut table = Self {
            slots: Vec::new(),
            keys: HashMap::new(),
            id: 0,
            updated_at: None,
            deleted: None,
            is_partial: false,
            fields: Vec::new(),
            links: Vec::new(),
        };
        for built_in in built_ins {
            table.add_built_in(built_in, find(metadata, built_in.key));
        }
        let own: HashSet<&str> = computed.iter().map(|field| field.name.as_str()).collect();
        for field in metadata {
            let wanted = field.is_custom_field
                || (form == CustomForm::Nested && !field.is_optional_response_field);
            let is_known = ALIASES.iter().any(|(_, other)| *other == field.field_code)
                || own.contains(field.field_code.as_str());
            if wanted && !is_known && !table.keys.contains_key(&field.field_code) {
                table.add_described(field, form);
            }
        }
        table.fields.extend(computed);
        let mut seen = HashSet::new();
        table.fields.retain(|field| seen.insert(field.name.clone()));
        table
    }

    /// The position of a built-in key.
    pub(crate) fn slot(&self, key: &str) -> usize {
        self.find(key)
            .expect("the key is one of the object's built-in ones")
    }

    /// The position of a key.
    pub(crate) fn find(&self, key: &str) -> Option<usize> {
        self.keys.get(key).copied()
    }

    /// Puts fields and associations into an object's description.
    pub(crate) fn describe(&self, mut object: ObjectInfo) -> ObjectInfo {
        for (name, to, label) in &self.links {
            object = match label {
                None => object.association(name.clone(), *to),
                Some(label) => object.labelled_association(name.clone(), *to, label.clone()),
            };
        }
        object.fields(self.fields.iter().cloned())
    }

    fn add(&mut self, key: String, what: Use) -> usize {
        let at = self.slots.len();
        self.keys.insert(key.clone(), at);
        self.slots.push(Slot {
            name: FieldName::new(&key),
            key,
            what,
            absent_is_empty: false,
        });
        at
    }

    fn add_built_in(&mut self, built_in: &BuiltIn, meta: Option<&FieldMeta>) {
        let at = self.slots.len();
        let key = built_in.key.to_owned();
        let what = match built_in.shape {
            Shape::Id => {
                self.id = at;
                Use::Nothing
            }
            Shape::Deleted => {
                self.deleted = Some(at);
                Use::Nothing
            }
            Shape::Held | Shape::Skip => Use::Nothing,
            Shape::CustomFields => Use::Nested,
            Shape::UpdatedAt => {
                self.updated_at = Some(at);
                self.declare(built_in, meta, FieldKind::Instant)
            }
            Shape::Plain(kind) => self.declare(built_in, meta, kind),
            Shape::Described(fallback) => {
                let kind = match meta.map(FieldMeta::meaning) {
                    Some(Meaning::Plain(kind) | Meaning::Compound(kind, _)) => kind,
                    _ => fallback,
                };
                self.declare(built_in, meta, kind)
            }
            Shape::Money(currency) => {
                let what = self.declare(built_in, meta, FieldKind::Money);
                if let Some(field) = self.fields.pop() {
                    self.fields.push(field.currency_field(currency));
                }
                what
            }
            Shape::Address => {
                self.declare(built_in, meta, FieldKind::Text);
                let parts = self.declare_parts(built_in.key, built_in.label, ADDRESS, false);
                Use::Compound(FieldKind::Text, named(parts))
            }
            Shape::Link(name, to) => {
                self.links.push((name.to_owned(), to, None));
                Use::Link(name.to_owned())
            }
            Shape::Links(name, to) => {
                self.links.push((name.to_owned(), to, None));
                Use::Links(name.to_owned())
            }
        };
        self.add(key, what);
    }

    /// Gives an option field other choices than the metadata did, where there are any.
    pub(crate) fn replace_options(
        &mut self,
        name: &str,
        options: impl IntoIterator<Item = (String, String)>,
    ) {
        let mut options = options
            .into_iter()
            .map(|(value, label)| FieldOption { value, label })
            .peekable();
        if let Some(field) = self.fields.iter_mut().find(|field| field.name == name)
            && options.peek().is_some()
        {
            field.options = options.collect();
        }
    }

    /// Says that the table is for some keys only, and that others are no loss.
    #[must_use]
    pub(crate) fn lenient(mut self) -> Self {
        self.is_partial = true;
        self
    }

    /// Adds a labelled association that the object's own code writes.
    #[must_use]
    pub(crate) fn with_link(mut self, name: &str, to: &'static str, label: Option<&str>) -> Self {
        self.links
            .push((name.to_owned(), to, label.map(str::to_owned)));
        self
    }

    fn declare(&mut self, built_in: &BuiltIn, meta: Option<&FieldMeta>, kind: FieldKind) -> Use {
        let mut field = FieldInfo::new(built_in.key, built_in.label, kind);
        if let Some(standard) = built_in.standard {
            field = field.standard(standard);
        }
        if built_in.read_only {
            field = field.read_only();
        }
        if matches!(kind, FieldKind::Option | FieldKind::Options) {
            let described = meta.map(FieldMeta::options).unwrap_or_default();
            field = if described.is_empty() {
                field.options(built_in.options.iter().copied())
            } else {
                field.options(described)
            };
        }
        self.fields.push(field);
        Use::Field(kind)
    }

    /// Adds a custom field, or a built-in one that only the metadata know.
    fn add_described(&mut self, meta: &FieldMeta, form: CustomForm) {
        let code = &meta.field_code;
        let absent_is_empty = form == CustomForm::Flat;
        let at = match meta.meaning() {
            Meaning::Plain(kind) => {
                self.fields.push(meta.field(kind));
                self.add(code.clone(), Use::Field(kind))
            }
            Meaning::Link(to) => {
                self.links
                    .push((code.clone(), to, Some(meta.field_name.clone())));
                self.add(code.clone(), Use::Link(code.clone()))
            }
            Meaning::Compound(kind, parts) => {
                let mut field = meta.field(kind);
                if kind == FieldKind::Money {
                    field = field.currency_field(format!("{code}_currency"));
                }
                self.fields.push(field);
                let parts = self.declare_parts(code, &meta.field_name, parts, meta.is_custom_field);
                match form {
                    CustomForm::Nested => self.add(code.clone(), Use::Compound(kind, named(parts))),
                    CustomForm::Flat => {
                        let at = self.add(code.clone(), Use::Field(kind));
                        for (_, name, kind) in parts {
                            let part = self.add(name, Use::Field(kind));
                            self.slots[part].absent_is_empty = true;
                        }
                        at
                    }
                }
            }
        };
        self.slots[at].absent_is_empty = absent_is_empty;
    }

    fn declare_parts(
        &mut self,
        key: &str,
        label: &str,
        parts: &[Part],
        custom: bool,
    ) -> Vec<(&'static str, String, FieldKind)> {
        let mut declared = Vec::with_capacity(parts.len());
        for (part, part_label, kind) in parts {
            let name = format!("{key}_{part}");
            let field = FieldInfo::new(name.clone(), format!("{label} ({part_label})"), *kind);
            let field = match ADDRESS_STANDARDS
                .iter()
                .find(|(of, at, _)| *of == key && at == part)
            {
                Some((_, _, standard)) => field.standard(*standard),
                None => field,
            };
            self.fields
                .push(if custom { field.custom() } else { field });
            declared.push((*part, name, *kind));
        }
        declared
    }
}

fn named(
    parts: Vec<(&'static str, String, FieldKind)>,
) -> Vec<(&'static str, FieldName, FieldKind)> {
    let prepared = |(part, name, kind): (_, String, _)| (part, FieldName::new(&name), kind);
    parts.into_iter().map(prepared).collect()
}

/// The standard properties of address parts: key, part, property.
const ADDRESS_STANDARDS: &[(&str, &str, &str)] = &[
    ("address", "locality", "city"),
    ("address", "admin_area_level_1", "state"),
    ("address", "postal_code", "zip"),
    ("address", "country", "country"),
    ("postal_address", "locality", "city"),
    ("postal_address", "admin_area_level_1", "state"),
    ("postal_address", "postal_code", "zip"),
    ("postal_address", "country", "country"),
];

/// Keys of records whose metadata stand under an older code; those codes are no fields of their own.
const ALIASES: &[(&str, &str)] = &[
    ("label_ids", "label"),
    ("emails", "email"),
    ("phones", "phone"),
    ("creator_user_id", "creator"),
    ("origin", "source_origin"),
    ("prices", "price"),
    ("title", "name"),
    ("pipeline_id", "pipeline"),
    ("stage_id", "stage"),
    ("value", "weighted_value"),
    ("currency", "weighted_value_currency"),
];

fn find<'m>(metadata: &'m [FieldMeta], key: &str) -> Option<&'m FieldMeta> {
    let find = |code: &str| metadata.iter().find(|field| field.field_code == code);
    find(key).or_else(|| {
        ALIASES
            .iter()
            .filter(|(of, _)| *of == key)
            .find_map(|(_, code)| find(code))
    })
}
