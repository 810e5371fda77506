//! Decides what may become of a property's definition: what a valid draft makes, and what a PATCH changes.
//!
//! It knows no other property.

use crate::hubspot::answer::Failure;
use crate::hubspot::call::Call;
use crate::hubspot::context::{self, Ctx};
use crate::hubspot::definition::{
    Choice, Definition, Draft, Maker, PropertyType, Values, check_options, invalid, paired,
};
use serde_json::{Value, json};

/// What a valid draft becomes.
pub(super) fn drafted(ctx: Ctx, kind: PropertyType, draft: Draft) -> Definition {
    let values = match (
        draft.external_options,
        draft.referenced_object_type.as_deref(),
    ) {
        (true, Some("OWNER")) => Values::Owners,
        (true, _) => Values::Elsewhere,
        _ => Values::Own,
    };
    Definition {
        name: draft.name,
        label: draft.label,
        kind,
        calculated: draft.field_type.starts_with("calculation"),
        field_type: draft.field_type,
        description: draft.description,
        group: draft.group_name,
        options: draft.options,
        values,
        unique: draft.has_unique_value,
        read_only: false,
        fixed_options: false,
        hidden: draft.hidden,
        form_field: draft.form_field,
        currency: false,
        display_order: draft.display_order,
        maker: Maker::User(ctx.user),
        created: ctx.now,
        updated: ctx.now,
        archived: None,
    }
}

/// Changes what a PATCH names; a list of options replaces the one before.
pub(super) fn apply(property: &mut Definition, patch: &Value) -> Result<(), Failure> {
    let text = |field: &str| patch[field].as_str().map(str::to_owned);
    if !patch["hasUniqueValue"].is_null() && patch["hasUniqueValue"] != json!(property.unique) {
        return Err(invalid(
            "hasUniqueValue",
            "hasUniqueValue can only be set when a property is created",
        ));
    }
    let definition_fields = ["label", "type", "fieldType", "groupName", "description"];
    let changes_definition = definition_fields
        .iter()
        .any(|field| !patch[field].is_null());
    if changes_definition && !property.is_custom() {
        return Err(Failure::validation(format!(
            "Property '{}' is defined by HubSpot: its definition is read only",
            property.name
        )));
    }
    if !patch["options"].is_null() {
        if property.fixed_options {
            return Err(Failure::validation(format!(
                "The options of property '{}' are read only",
                property.name
            )));
        }
        property.options = context::read::<Vec<Choice>>(patch["options"].clone())?;
    }
    property.label = text("label").unwrap_or_else(|| property.label.clone());
    property.group = text("groupName").unwrap_or_else(|| property.group.clone());
    property.description = text("description").unwrap_or_else(|| property.description.clone());
    if let Some(order) = patch["displayOrder"].as_i64() {
        property.display_order = order;
    }
    property.hidden = patch["hidden"].as_bool().unwrap_or(property.hidden);
    property.form_field = patch["formField"].as_bool().unwrap_or(property.form_field);
    let kind = text("type").unwrap_or_else(|| property.kind.name().to_owned());
    property.field_type = text("fieldType").unwrap_or_else(|| property.field_type.clone());
    property.kind = paired(&kind, &property.field_type)?;
    check_options(property.kind, &property.field_type, &property.options)
}

/// The names of a batch of properties.
pub(super) fn names(call: &Call) -> Result<Vec<String>, Failure> {
    let inputs = context::inputs(call, 100)?;
    let name = |input: Value| input["name"].as_str().map(str::to_owned);
    inputs
        .into_iter()
        .map(|input| name(input).ok_or_else(|| invalid("name", "Property name must not be blank")))
        .collect()
}

/// Lower case, digits and `_`, a letter first, at most 100 characters.
pub(super) fn check_name(name: &str) -> Result<(), Failure> {
    let starts = name.starts_with(|first: char| first.is_ascii_lowercase());
    let fits = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if starts && fits && name.len() <= 100 {
        return Ok(());
    }
    Err(invalid(
        "name",
        &format!(
            "Invalid name '{name}': names start with a letter, have at most 100 characters, and contain lower case letters, digits and underscores only"
        ),
    ))
}
