//! Decides which properties and groups every kind of record has, and who may change them how.
//!
//! It checks definitions, not values.

mod changes;

mod catalog;

use super::answer::{Answer, Failure};
use super::call::{Call, Method};
use super::context::{self, Ctx};
use super::definition::{Definition, Draft, PropertyType, check_options, invalid, paired};
use super::objects::{ObjectType, Objects};
use super::standard;
use catalog::Catalog;
use changes::{apply, check_name, drafted, names};
use serde_json::{Value, json};
use std::collections::HashMap;

/// How many custom properties there may be (fact sheet, section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertyLimits {
    /// Per kind of record.
    pub custom: usize,
    /// In the whole account.
    pub custom_in_all: usize,
    /// Per kind of record, with unique values.
    pub unique: usize,
}

impl Default for PropertyLimits {
    fn default() -> Self {
        Self {
            custom: 1000,
            custom_in_all: 10_000,
            unique: 10,
        }
    }
}

/// The properties of all kinds of record.
#[derive(Debug, Clone, Default)]
pub struct Properties {
    catalogs: HashMap<ObjectType, Catalog>,
    limits: PropertyLimits,
}

impl Properties {
    /// The vendor's own properties of these kinds.
    pub(super) fn new(objects: &Objects, limits: PropertyLimits) -> Self {
        let mut all = Self {
            catalogs: HashMap::new(),
            limits,
        };
        for object in objects.all() {
            all.define(object.object_type, &object.singular, &object.constant());
        }
        all
    }

    /// Gives a kind of record the vendor's properties.
    pub(super) fn define(&mut self, object: ObjectType, singular: &str, constant: &str) {
        let mut catalog = Catalog::new(constant);
        catalog.add_group(&standard::main_group(object, singular));
        for definition in standard::definitions(object, singular) {
            if catalog.group(&definition.group).is_none() {
                catalog.add_group(&definition.group);
            }
            catalog.push(definition);
        }
        self.catalogs.insert(object, catalog);
    }

    /// Takes a kind of record away.
    pub(super) fn undefine(&mut self, object: ObjectType) {
        self.catalogs.remove(&object);
    }

    /// A property that is not archived.
    pub fn get(&self, object: ObjectType, name: &str) -> Option<&Definition> {
        self.catalogs.get(&object)?.live(name)
    }

    /// All properties of a kind that are not archived, the vendor's first.
    pub fn all(&self, object: ObjectType) -> impl Iterator<Item = &Definition> {
        let catalog = self.catalogs.get(&object);
        catalog
            .into_iter()
            .flat_map(|catalog| &catalog.list)
            .filter(|property| property.archived.is_none())
    }

    /// Names of the custom properties that hold unique values.
    pub fn unique(&self, object: ObjectType) -> impl Iterator<Item = &str> {
        self.all(object)
            .filter(|property| property.unique && property.is_custom())
            .map(|property| property.name.as_str())
    }

    /// How many custom properties a kind has.
    pub fn custom(&self, object: ObjectType) -> usize {
        self.all(object)
            .filter(|property| property.is_custom())
            .count()
    }

    /// What is allowed.
    pub(super) fn limits(&self) -> PropertyLimits {
        self.limits
    }

    /// Answers below `/crm/v3/properties/{object}`; `rest` is what follows.
    ///
    /// # Errors
    ///
    /// 400, 404, 405 or 409 in the vendor's envelope.
    pub(super) fn answer(
        &mut self,
        ctx: Ctx,
        object: ObjectType,
        call: &Call,
        rest: &[&str],
    ) -> Result<Answer, Failure> {
        match (call.method, rest) {
            (Method::Get, []) => {
                let catalog = self.catalog(object)?;
                let wanted = call.flag("archived");
                let results: Vec<_> = catalog
                    .list
                    .iter()
                    .filter(|property| property.archived.is_some() == wanted)
                    .map(Definition::json)
                    .collect();
                Ok(Answer::json(200, &json!({ "results": results })))
            }
            (Method::Post, []) => {
                let created = self.create(ctx, object, context::body(call)?)?;
                Ok(Answer::json(201, &created.json()))
            }
            (Method::Post, ["batch", "create"]) => self.create_many(ctx, object, call),
            (Method::Post, ["batch", "read"]) => self.read_many(ctx, object, call),
            (Method::Post, ["batch", "archive"]) => self.archive_many(ctx, object, call),
            (_, ["groups", rest @ ..]) => self.catalog_mut(object)?.groups_answer(call, rest),
            (Method::Get, [name]) => {
                let found = self.find(object, name, call.flag("archived"))?;
                Ok(Answer::json(200, &found.json()))
            }
            (Method::Patch, [name]) => {
                let changed = self.change(ctx, object, name, &call.json()?)?;
                Ok(Answer::json(200, &changed.json()))
            }
            (Method::Delete, [name]) => {
                self.archive(ctx, object, name)?;
                Ok(Answer::no_content())
            }
            (_, [] | [_] | ["batch", "create" | "read" | "archive"]) => Err(Failure::method()),
            _ => Err(Failure::no_endpoint()),
        }
    }

    fn catalog(&self, object: ObjectType) -> Result<&Catalog, Failure> {
        self.catalogs.get(&object).ok_or_else(Failure::not_found)
    }

    fn catalog_mut(&mut self, object: ObjectType) -> Result<&mut Catalog, Failure> {
        self.catalogs
            .get_mut(&object)
            .ok_or_else(Failure::not_found)
    }

    fn find(&self, object: ObjectType, name: &str, archived: bool) -> Result<&Definition, Failure> {
        let catalog = self.catalog(object)?;
        let place = catalog.places.get(name);
        place
            .map(|place| &catalog.list[*place])
            .filter(|property| property.archived.is_some() == archived)
            .ok_or_else(|| catalog.missing(name))
    }

    /// Creates a property as the API does.
    ///
    /// # Errors
    ///
    /// 400 where the definition is not valid or a limit is reached, 409 where the name is taken, by an archived property too.
    pub(super) fn create(
        &mut self,
        ctx: Ctx,
        object: ObjectType,
        draft: Draft,
    ) -> Result<&Definition, Failure> {
        let limits = self.limits;
        let in_all: usize = self
            .catalogs
            .keys()
            .map(|object| self.custom(*object))
            .sum();
        let custom = self.custom(object);
        let unique = self.unique(object).count();
        let catalog = self.catalog_mut(object)?;
        check_name(&draft.name)?;
        if draft.label.is_empty() {
            return Err(invalid("label", "Property label must not be blank"));
        }
        if catalog.places.contains_key(&draft.name) {
            return Err(taken(&draft.name));
        }
        let kind = paired(&draft.kind, &draft.field_type)?;
        check_options(kind, &draft.field_type, &draft.options)?;
        if catalog.group(&draft.group_name).is_none() {
            return Err(no_group(&draft.group_name));
        }
        if draft.has_unique_value
            && !matches!(
                kind,
                PropertyType::String | PropertyType::Number | PropertyType::PhoneNumber
            )
        {
            return Err(invalid(
                "hasUniqueValue",
                &format!("Properties of type '{}' cannot be unique", kind.name()),
            ));
        }
        if draft.has_unique_value && unique >= limits.unique {
            return Err(limit("unique properties", limits.unique, &catalog.constant));
        }
        if custom >= limits.custom {
            return Err(limit("custom properties", limits.custom, &catalog.constant));
        }
        if in_all >= limits.custom_in_all {
            return Err(limit(
                "custom properties",
                limits.custom_in_all,
                "the account",
            ));
        }
        Ok(catalog.push(drafted(ctx, kind, draft)))
    }

    fn change(
        &mut self,
        ctx: Ctx,
        object: ObjectType,
        name: &str,
        patch: &Value,
    ) -> Result<&Definition, Failure> {
        let catalog = self.catalog_mut(object)?;
        let place = match catalog.places.get(name) {
            Some(place) if catalog.list[*place].archived.is_none() => *place,
            _ => return Err(catalog.missing(name)),
        };
        let mut changed = catalog.list[place].clone();
        apply(&mut changed, patch)?;
        if catalog.group(&changed.group).is_none() {
            return Err(no_group(&changed.group));
        }
        changed.updated = ctx.now;
        catalog.list[place] = changed;
        Ok(&catalog.list[place])
    }

    /// Archives a property; one that is archived already stays so.
    fn archive(&mut self, ctx: Ctx, object: ObjectType, name: &str) -> Result<(), Failure> {
        let catalog = self.catalog_mut(object)?;
        let Some(place) = catalog.places.get(name).copied() else {
            return Err(catalog.missing(name));
        };
        let property = &mut catalog.list[place];
        if !property.is_custom() {
            return Err(Failure::validation(format!(
                "Property '{name}' is defined by HubSpot and cannot be deleted"
            ))
            .context("name", [name]));
        }
        property.archived.get_or_insert(ctx.now);
        Ok(())
    }

    fn create_many(
        &mut self,
        ctx: Ctx,
        object: ObjectType,
        call: &Call,
    ) -> Result<Answer, Failure> {
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for input in context::inputs(call, 100)? {
            let draft: Draft = context::read(input)?;
            match self.create(ctx, object, draft) {
                Ok(created) => results.push(created.json()),
                Err(failure) => errors.push(failure.entry()),
            }
        }
        Ok(context::batch(ctx, 201, results, errors))
    }

    fn read_many(&self, ctx: Ctx, object: ObjectType, call: &Call) -> Result<Answer, Failure> {
        let archived = call.json()?["archived"] == json!(true);
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for name in names(call)? {
            match self.find(object, &name, archived) {
                Ok(found) => results.push(found.json()),
                Err(failure) => errors.push(failure.entry()),
            }
        }
        Ok(context::batch(ctx, 200, results, errors))
    }

    fn archive_many(
        &mut self,
        ctx: Ctx,
        object: ObjectType,
        call: &Call,
    ) -> Result<Answer, Failure> {
        for name in names(call)? {
            self.archive(ctx, object, &name)?;
        }
        Ok(Answer::no_content())
    }
}

/// As recorded in amp-labs/connectors, `custom/update/3-response-batch-create-properties.json`.
fn taken(name: &str) -> Failure {
    Failure::new(
        409,
        "OBJECT_ALREADY_EXISTS",
        format!("A property named '{name}' already exists."),
    )
    .sub("Properties.PROPERTY_WITH_NAME_EXISTS")
    .context("name", [name])
}

fn no_group(name: &str) -> Failure {
    invalid(
        "groupName",
        &format!("Property group '{name}' does not exist"),
    )
}

fn limit(what: &str, most: usize, of: &str) -> Failure {
    Failure::validation(format!(
        "The limit of {most} {what} has been reached for {of}"
    ))
    .sub("Properties.LIMIT_EXCEEDED")
}
