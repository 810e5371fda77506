//! What a person's correction makes of a row, and whether the row it makes is one of the grammar.
//!
//! It keeps nothing and asks nobody: who corrected what is `store`'s.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::row::RowLimits;
use model::{Batch, Decision, FieldInfo, FieldKind, ObjectInfo};
use serde_json::{Map, Value};

/// Why a correction cannot be laid over a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CorrectionError {
    /// The object has no such field.
    #[error("there is no field {field:?}{}", near.as_ref().map_or_else(String::new, |near| format!("; did you mean {near:?}?")))]
    NoField {
        /// What was asked for.
        field: String,
        /// A field of nearly that name or label.
        near: Option<String>,
    },
    /// The field does not hold such a value.
    #[error("field {field:?} is {kind}, and {value:?} is none: write {form}")]
    Value {
        /// The field.
        field: String,
        /// What it holds.
        kind: FieldKind,
        /// What was given.
        value: String,
        /// What would be right.
        form: &'static str,
    },
    /// Fields cannot be set in a row that cannot be read at all.
    #[error("the row as it came is no JSON object, so no field of it can be set")]
    Unreadable,
    /// The source sends another row by now.
    #[error("the row that it corrects is not the one that the source sends now")]
    OtherRow,
    /// With the correction the row still breaks the grammar.
    #[error("with it the row is still broken: {0}")]
    StillBroken(String),
    /// The row is one of another record.
    #[error("the row has the id {found:?}, and the record's is {expected:?}")]
    OtherId {
        /// The row's.
        found: String,
        /// The record's.
        expected: String,
    },
}

/// The field that a person means by its name or its label, and the value as a row holds it. No text at all means known to be empty.
///
/// # Errors
/// When there is no such field, or it does not hold such a value.
pub fn parse_value(
    object: &Arc<ObjectInfo>,
    field: &str,
    text: &str,
) -> Result<(String, Value), CorrectionError> {
    let info = find_field(object, field)?;
    let wrong = || CorrectionError::Value {
        field: info.name.clone(),
        kind: info.kind,
        value: text.to_owned(),
        form: form(info.kind),
    };
    let value = match info.kind {
        _ if text.is_empty() => Value::Null,
        FieldKind::Integer => text.parse::<i64>().map_err(|_| wrong())?.into(),
        FieldKind::Boolean => text.parse::<bool>().map_err(|_| wrong())?.into(),
        FieldKind::Options => text.split(';').map(str::trim).collect(),
        _ => Value::from(text),
    };
    let fields: Map<_, _> = [(info.name.clone(), value.clone())].into_iter().collect();
    let row = serde_json::json!({"id": "1", "fields": fields}).to_string();
    match find_fault(object, &row) {
        Ok(_) => Ok((info.name.clone(), value)),
        Err(_) => Err(wrong()),
    }
}

fn find_field<'o>(object: &'o ObjectInfo, name: &str) -> Result<&'o FieldInfo, CorrectionError> {
    if let Some(at) = object.fields.find(name) {
        return Ok(object.fields.get(at).expect("found in the table"));
    }
    let mut labelled = object.fields.iter().filter(|field| field.label == name);
    if let (Some(field), None) = (labelled.next(), labelled.next()) {
        return Ok(field);
    }
    let folded = name.to_lowercase();
    let mut near = object.fields.iter().filter(|field| {
        let (name, label) = (field.name.to_lowercase(), field.label.to_lowercase());
        name.contains(&folded) || label.contains(&folded) || folded.contains(&name)
    });
    Err(CorrectionError::NoField {
        field: name.to_owned(),
        near: near.next().map(|field| field.name.clone()),
    })
}

/// How a value of that kind is written on the command line.
fn form(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Integer => "a whole number, such as 42",
        FieldKind::Decimal | FieldKind::Money => "digits with a point, such as 1250.50",
        FieldKind::Boolean => "true or false",
        FieldKind::Date => "a day such as 2026-11-27",
        FieldKind::Instant => "a time with its zone, such as 2026-11-27T09:30:00Z",
        FieldKind::Time => "a time of day such as 09:30:00",
        FieldKind::Options => "the options' values, separated by a semicolon",
        _ => "text",
    }
}

/// The row that takes the place of the one that came, checked, behind its id. `id` is the record's, where the row as it came had one.
///
/// # Errors
/// When the correction does not fit that row, or makes a row of it that breaks the grammar.
pub fn lay_over(
    object: &Arc<ObjectInfo>,
    id: Option<&str>,
    row: &str,
    decision: &Decision,
) -> Result<(String, String), CorrectionError> {
    let laid = match decision {
        Decision::Set(fields) => set_fields(row, fields)?,
        Decision::Row { of, .. } if of != row => return Err(CorrectionError::OtherRow),
        Decision::Row { row, .. } => row.clone(),
        Decision::LeaveOut | Decision::Undo => row.to_owned(),
    };
    let found = find_fault(object, &laid)?;
    match id {
        Some(expected) if expected != found => Err(CorrectionError::OtherId {
            found,
            expected: expected.to_owned(),
        }),
        _ => Ok((found, laid)),
    }
}

fn set_fields(row: &str, fields: &BTreeMap<String, Value>) -> Result<String, CorrectionError> {
    let mut parsed: Map<String, Value> =
        serde_json::from_str(row).map_err(|_| CorrectionError::Unreadable)?;
    let held = parsed
        .entry("fields")
        .or_insert_with(|| Value::Object(Map::new()));
    if !held.is_object() {
        *held = Value::Object(Map::new());
    }
    let held = held.as_object_mut().expect("it was made one");
    held.extend(fields.clone());
    Ok(Value::Object(parsed).to_string())
}

/// The id of a row that follows the grammar, or what is wrong with it.
fn find_fault(object: &Arc<ObjectInfo>, row: &str) -> Result<String, CorrectionError> {
    let broken = |why: String| Err(CorrectionError::StillBroken(why));
    let (batch, rejected) = match Batch::decode(
        object.clone(),
        row.as_bytes().to_vec(),
        &RowLimits::default(),
    ) {
        Ok(read) => read,
        Err(error) => return broken(error.to_string()),
    };
    match (batch.len(), rejected.into_iter().next()) {
        (1, None) => Ok(batch.record(0).id().to_owned()),
        (_, Some(row)) => broken(row.reason),
        (rows, None) => broken(format!("it is {rows} rows")),
    }
}

#[cfg(test)]
mod tests {
    use model::FieldTable;
    use serde_json::json;

    use super::*;

    fn deal() -> Arc<ObjectInfo> {
        let field = |name: &str, label: &str, kind| FieldInfo {
            label: label.to_owned(),
            ..FieldInfo::new(name, kind)
        };
        let fields = vec![
            field("title", "Title", FieldKind::Text),
            field("value", "Value", FieldKind::Money),
            field("count", "How many", FieldKind::Integer),
            field("hot", "Hot", FieldKind::Boolean),
            field("close", "Expected close", FieldKind::Date),
            field("tags", "Tags", FieldKind::Options),
        ];
        Arc::new(ObjectInfo {
            name: "deal".into(),
            fields: FieldTable::new(fields).unwrap(),
            ..ObjectInfo::default()
        })
    }

    #[track_caller]
    fn check(field: &str, text: &str, expected: Result<(&str, Value), &str>) {
        let parsed = parse_value(&deal(), field, text).map_err(|error| error.to_string());
        let expected = expected
            .map(|(name, value)| (name.to_owned(), value))
            .map_err(str::to_owned);
        assert_eq!(parsed, expected);
    }

    #[test]
    fn a_value_is_read_by_the_kind_of_its_field() {
        check("value", "12.50", Ok(("value", json!("12.50"))));
        check("How many", "-3", Ok(("count", json!(-3))));
        check("hot", "true", Ok(("hot", json!(true))));
        check("tags", "a; b", Ok(("tags", json!(["a", "b"]))));
        check("title", "", Ok(("title", Value::Null)));
        check("title", "x = \"y\"", Ok(("title", json!("x = \"y\""))));
    }

    #[test]
    fn what_is_wrong_with_a_value_is_told_with_the_right_form() {
        check(
            "value",
            "12,5",
            Err(
                "field \"value\" is money, and \"12,5\" is none: write digits with a point, such as 1250.50",
            ),
        );
        check(
            "close",
            "27.11.2026",
            Err(
                "field \"close\" is date, and \"27.11.2026\" is none: write a day such as 2026-11-27",
            ),
        );
        check("amount", "1", Err("there is no field \"amount\""));
        check(
            "expected",
            "1",
            Err("there is no field \"expected\"; did you mean \"close\"?"),
        );
    }

    #[track_caller]
    fn check_row(row: &str, decision: &Decision, expected: Result<Value, &str>) {
        let laid = lay_over(&deal(), Some("7"), row, decision);
        let laid = laid
            .map(|(_, row)| serde_json::from_str::<Value>(&row).unwrap())
            .map_err(|error| error.to_string());
        assert_eq!(laid, expected.map_err(str::to_owned));
    }

    #[test]
    fn fields_are_set_in_sound_and_in_broken_rows() {
        let set = Decision::Set([("value".to_owned(), json!("12.50"))].into());
        let fixed = json!({"id": "7", "fields": {"title": "A", "value": "12.50"}});
        for row in [
            r#"{"id":"7","fields":{"title":"A","value":"1"}}"#,
            r#"{"id":"7","fields":{"title":"A","value":12.5}}"#,
        ] {
            check_row(row, &set, Ok(fixed.clone()));
        }
        let row = r#"{"id":"7","fields":{"colour":"red"}}"#;
        let refused = lay_over(&deal(), Some("7"), row, &set)
            .unwrap_err()
            .to_string();
        let words = "with it the row is still broken: field \"colour\" is not declared";
        assert!(refused.starts_with(words), "{refused}");
        check_row(
            "{\"id\":",
            &set,
            Err("the row as it came is no JSON object, so no field of it can be set"),
        );
    }

    #[test]
    fn a_row_stands_in_place_of_the_one_it_was_made_for() {
        let decision = |row: &str| Decision::Row {
            row: row.to_owned(),
            of: "{".to_owned(),
        };
        let sound = r#"{"id":"7","fields":{}}"#;
        check_row("{", &decision(sound), Ok(json!({"id": "7", "fields": {}})));
        check_row(
            "{{",
            &decision(sound),
            Err("the row that it corrects is not the one that the source sends now"),
        );
        check_row(
            "{",
            &decision(r#"{"id":"8"}"#),
            Err("the row has the id \"8\", and the record's is \"7\""),
        );
    }
}
