//! Decides which custom objects there are: their names, their properties, what they can be associated with.
//!
//! Only Enterprise accounts have any.

use super::answer::{Answer, Failure};
use super::association_types::AssociationTypes;
use super::call::{Call, Method};
use super::clock::iso;
use super::context::{self, Ctx};
use super::definition::{Definition, Draft, invalid};
use super::objects::{Object, ObjectType, Objects};
use super::properties::Properties;
use super::standard;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What people call one of them and many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
struct Labels {
    #[serde(default)]
    singular: String,
    #[serde(default)]
    plural: String,
}

/// One direction in which a custom object can be associated.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    /// Its type, when it was opened.
    id: u32,
    from: ObjectType,
    to: ObjectType,
    name: String,
}

/// A custom object.
#[derive(Debug, Clone, PartialEq)]
struct Schema {
    object: ObjectType,
    name: String,
    labels: Labels,
    description: String,
    primary: String,
    secondary: Vec<String>,
    required: Vec<String>,
    searchable: Vec<String>,
    links: Vec<Link>,
    created: i64,
    updated: i64,
    archived: bool,
}

/// The custom objects of a portal.
#[derive(Debug, Clone, Default)]
pub(super) struct Schemas {
    all: Vec<Schema>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewSchema {
    #[serde(default)]
    name: String,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    description: String,
    #[serde(default)]
    primary_display_property: String,
    #[serde(default)]
    secondary_display_properties: Vec<String>,
    #[serde(default)]
    required_properties: Vec<String>,
    #[serde(default)]
    searchable_properties: Vec<String>,
    #[serde(default)]
    properties: Vec<Value>,
    #[serde(default)]
    associated_objects: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewLink {
    from_object_type_id: String,
    to_object_type_id: String,
    name: Option<String>,
}

/// What a custom object is made of, besides its schema.
pub(super) struct Parts<'a> {
    pub(super) objects: &'a mut Objects,
    pub(super) properties: &'a mut Properties,
    pub(super) types: &'a mut AssociationTypes,
    /// Whether the account may have custom objects.
    pub(super) allowed: bool,
    /// How many records of a kind there are.
    pub(super) records: &'a dyn Fn(ObjectType) -> usize,
}

/// Engagements can be associated with every custom object.
const ALWAYS: [ObjectType; 6] = [
    ObjectType::NOTE,
    ObjectType::CALL,
    ObjectType::TASK,
    ObjectType::MEETING,
    ObjectType::EMAIL,
    ObjectType::COMMUNICATION,
];

impl Schemas {
    /// Answers below `/crm-object-schemas/v3/schemas`; `rest` is what follows.
    ///
    /// # Errors
    ///
    /// 400, 403 without Enterprise, 404, 405 or 409 in the vendor's envelope.
    pub(super) fn answer(
        &mut self,
        ctx: Ctx,
        call: &Call,
        rest: &[&str],
        mut parts: Parts<'_>,
    ) -> Result<Answer, Failure> {
        if call.method != Method::Get && !parts.allowed {
            return Err(Failure::new(
                403,
                "MISSING_SCOPES",
                "This account does not have access to custom objects",
            )
            .context("requiredGranularScopes", ["crm.schemas.custom.write"]));
        }
        match (call.method, rest) {
            (Method::Get, []) => {
                let archived = call.flag("archived");
                let of = self.all.iter().filter(|schema| schema.archived == archived);
                let results: Vec<_> = of.map(|schema| schema.json(ctx, &parts)).collect();
                Ok(Answer::json(200, &json!({ "results": results })))
            }
            (Method::Post, []) => self.create(ctx, context::body(call)?, &mut parts),
            (Method::Get, [word]) => {
                let object = parts.objects.resolve(word)?;
                let found = self.all.iter().find(|schema| schema.object == object);
                let body = found.map_or_else(
                    || own_json(parts.objects.get(object), parts.properties),
                    |schema| schema.json(ctx, &parts),
                );
                Ok(Answer::json(200, &body))
            }
            (Method::Patch, [word]) => {
                let place = self.place(parts.objects.resolve(word)?)?;
                self.change(ctx, place, &call.json()?, &mut parts)
            }
            (Method::Delete, [word]) => {
                let object = parts.objects.resolve(word)?;
                let place = self.place(object)?;
                if (parts.records)(object) > 0 {
                    return Err(Failure::validation(format!(
                        "Object type {object} cannot be deleted: it still has records"
                    )));
                }
                self.all[place].archived = true;
                parts.objects.undefine(object);
                Ok(Answer::no_content())
            }
            (Method::Post, [word, "associations"]) => {
                let place = self.place(parts.objects.resolve(word)?)?;
                self.associate(place, context::body(call)?, &mut parts)
            }
            (_, [] | [_] | [_, "associations"]) => Err(Failure::method()),
            _ => Err(Failure::no_endpoint()),
        }
    }

    fn place(&self, object: ObjectType) -> Result<usize, Failure> {
        let found = self.all.iter().position(|schema| schema.object == object);
        found.ok_or_else(|| {
            Failure::validation(format!("Object type {object} is defined by HubSpot"))
        })
    }

    fn create(
        &mut self,
        ctx: Ctx,
        new: NewSchema,
        parts: &mut Parts<'_>,
    ) -> Result<Answer, Failure> {
        let drafts = check(&new)?;
        let name = new.name.to_ascii_lowercase();
        if self.all.iter().any(|schema| schema.name == name) || parts.objects.resolve(&name).is_ok()
        {
            return Err(Failure::new(
                409,
                "OBJECT_ALREADY_EXISTS",
                format!("An object type named '{name}' already exists"),
            ));
        }
        let partners = new.associated_objects.iter();
        let partners = partners
            .map(|word| parts.objects.resolve(word).map_err(Failure::from))
            .collect::<Result<Vec<_>, _>>()?;
        let mut shown = vec![new.primary_display_property.clone()];
        shown.extend(new.secondary_display_properties.clone());
        let required = new.required_properties.clone();
        let object = parts.objects.define(ctx.portal, &name, required, shown);
        let constant = parts.objects.get(object).constant();
        parts.properties.define(object, &name, &constant);
        let group = standard::main_group(object, &name);
        for mut draft in drafts {
            if draft.group_name.is_empty() {
                draft.group_name.clone_from(&group);
            }
            let made = parts.properties.create(ctx, object, draft);
            if let Err(failure) = made.map(|_| ()) {
                parts.objects.undefine(object);
                parts.properties.undefine(object);
                return Err(failure);
            }
        }
        let mut schema = Schema {
            object,
            name,
            labels: new.labels,
            description: new.description,
            primary: new.primary_display_property,
            secondary: new.secondary_display_properties,
            required: new.required_properties,
            searchable: new.searchable_properties,
            links: Vec::new(),
            created: ctx.now,
            updated: ctx.now,
            archived: false,
        };
        for partner in partners.into_iter().chain(ALWAYS) {
            schema.open(partner, None, parts);
        }
        let body = schema.json(ctx, parts);
        self.all.push(schema);
        Ok(Answer::json(201, &body))
    }

    fn change(
        &mut self,
        ctx: Ctx,
        place: usize,
        patch: &Value,
        parts: &mut Parts<'_>,
    ) -> Result<Answer, Failure> {
        let mut changed = self.all[place].clone();
        let names = |field: &str, old: &Vec<String>| match &patch[field] {
            Value::Null => Ok(old.clone()),
            given => context::read::<Vec<String>>(given.clone()),
        };
        changed.required = names("requiredProperties", &changed.required)?;
        changed.searchable = names("searchableProperties", &changed.searchable)?;
        changed.secondary = names("secondaryDisplayProperties", &changed.secondary)?;
        if !patch["labels"].is_null() {
            changed.labels = context::read(patch["labels"].clone())?;
        }
        if let Some(primary) = patch["primaryDisplayProperty"].as_str() {
            primary.clone_into(&mut changed.primary);
        }
        if let Some(description) = patch["description"].as_str() {
            description.clone_into(&mut changed.description);
        }
        let mut named = changed.required.iter().chain(&changed.secondary);
        if let Some(unknown) =
            named.find(|name| parts.properties.get(changed.object, name).is_none())
        {
            return Err(Failure::validation(format!(
                "Property '{unknown}' does not exist"
            )));
        }
        changed.updated = ctx.now;
        if let Some(object) = parts.objects.get_mut(changed.object) {
            object.required.clone_from(&changed.required);
        }
        let body = changed.json(ctx, parts);
        self.all[place] = changed;
        Ok(Answer::json(200, &body))
    }

    fn associate(
        &mut self,
        place: usize,
        new: NewLink,
        parts: &mut Parts<'_>,
    ) -> Result<Answer, Failure> {
        let from = parts.objects.resolve(&new.from_object_type_id)?;
        let to = parts.objects.resolve(&new.to_object_type_id)?;
        let schema = &mut self.all[place];
        if from != schema.object && to != schema.object {
            return Err(Failure::validation(format!(
                "The association must be from or to object type {}",
                schema.object
            )));
        }
        let partner = if from == schema.object { to } else { from };
        let opened = schema.open(partner, new.name, parts);
        Ok(Answer::json(201, &opened))
    }
}

impl Schema {
    /// Lets it be associated with another kind; tells how.
    fn open(&mut self, partner: ObjectType, name: Option<String>, parts: &mut Parts<'_>) -> Value {
        let [there, _] = parts.types.open(parts.objects, self.object, partner);
        let name = name
            .unwrap_or_else(|| format!("{}_to_{}", self.name, parts.objects.get(partner).singular));
        let link = Link {
            id: there.id,
            from: self.object,
            to: partner,
            name,
        };
        let told = link.json();
        if self.links.iter().all(|have| have.id != link.id) {
            self.links.push(link);
        }
        told
    }

    fn json(&self, ctx: Ctx, parts: &Parts<'_>) -> Value {
        let properties = parts.properties.all(self.object);
        json!({
            "id": self.object.number.to_string(),
            "objectTypeId": self.object.to_string(),
            "fullyQualifiedName": format!("p{}_{}", ctx.portal, self.name),
            "name": self.name,
            "labels": self.labels,
            "description": self.description,
            "primaryDisplayProperty": self.primary,
            "secondaryDisplayProperties": self.secondary,
            "requiredProperties": self.required,
            "searchableProperties": self.searchable,
            "properties": properties.map(Definition::json).collect::<Vec<_>>(),
            "associations": self.links.iter().map(Link::json).collect::<Vec<_>>(),
            "createdByUserId": ctx.user,
            "updatedByUserId": ctx.user,
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
            "archived": self.archived,
        })
    }
}

impl Link {
    fn json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "fromObjectTypeId": self.from.to_string(),
            "toObjectTypeId": self.to.to_string(),
            "name": self.name,
        })
    }
}

/// The schema of one of the vendor's own kinds.
fn own_json(object: &Object, properties: &Properties) -> Value {
    let of = properties.all(object.object_type);
    json!({
        "id": object.object_type.number.to_string(),
        "objectTypeId": object.object_type.to_string(),
        "fullyQualifiedName": object.constant(),
        "name": object.constant(),
        "labels": {"singular": object.title(), "plural": object.plural},
        "primaryDisplayProperty": object.defaults.first(),
        "secondaryDisplayProperties": object.defaults.iter().skip(1).collect::<Vec<_>>(),
        "requiredProperties": object.required,
        "searchableProperties": object.defaults,
        "properties": of.map(Definition::json).collect::<Vec<_>>(),
        "associations": [],
        "createdAt": iso(0),
        "updatedAt": iso(0),
        "archived": false,
    })
}

/// The drafts of its properties, where all that it must name is there.
fn check(new: &NewSchema) -> Result<Vec<Draft>, Failure> {
    let starts = new
        .name
        .starts_with(|first: char| first.is_ascii_alphabetic());
    let fits = new
        .name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !starts || !fits {
        return Err(invalid(
            "name",
            "Object names start with a letter, and contain letters, digits, underscores and hyphens only",
        ));
    }
    if new.labels.singular.is_empty() || new.labels.plural.is_empty() {
        return Err(invalid(
            "labels",
            "Labels must have a singular and a plural",
        ));
    }
    let drafts = new.properties.iter().cloned();
    let drafts = drafts
        .map(context::read)
        .collect::<Result<Vec<Draft>, _>>()?;
    let named = std::iter::once(&new.primary_display_property)
        .chain(&new.secondary_display_properties)
        .chain(&new.required_properties)
        .chain(&new.searchable_properties);
    for name in named {
        if drafts.iter().all(|draft| draft.name != *name) {
            return Err(invalid(
                "properties",
                &format!("Property '{name}' is named but not defined"),
            ));
        }
    }
    Ok(drafts)
}
