//! Holds what an endpoint of the settings is told besides the call: the time, and whose portal it is.
//!
//! It decides nothing.

use super::answer::Failure;
use super::call::Call;
use super::clock::iso;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The circumstances of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ctx {
    /// Milliseconds since 1970.
    pub(super) now: i64,
    /// Number of the portal.
    pub(super) portal: u64,
    /// Number of the user that the token belongs to.
    pub(super) user: u64,
}

/// The body of a call in the shape that is expected.
///
/// # Errors
///
/// 400 where it is no JSON or a field has another type.
pub(super) fn body<T: DeserializeOwned>(call: &Call) -> Result<T, Failure> {
    read(call.json()?)
}

/// A part of a body in the shape that is expected.
///
/// # Errors
///
/// 400 where a field is missing or has another type.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value)
        .map_err(|error| Failure::validation(format!("Invalid input JSON: {error}")))
}

/// The `inputs` of a batch.
///
/// # Errors
///
/// 400 where there are none, or more than `max`.
pub(super) fn inputs(call: &Call, max: usize) -> Result<Vec<Value>, Failure> {
    let mut body = call.json()?;
    let Value::Array(inputs) = body["inputs"].take() else {
        return Err(Failure::validation(
            "Invalid input JSON: inputs must be a list",
        ));
    };
    if inputs.is_empty() || inputs.len() > max {
        return Err(Failure::validation(format!(
            "The number of inputs must be between 1 and {max}, not {}",
            inputs.len()
        )));
    }
    Ok(inputs)
}

/// The envelope of a batch's answer; the status is 207 where anything failed.
pub(super) fn batch(
    ctx: Ctx,
    good: u16,
    results: Vec<Value>,
    errors: Vec<Value>,
) -> super::answer::Answer {
    let mut out = json!({
        "status": "COMPLETE",
        "results": results,
        "startedAt": iso(ctx.now),
        "completedAt": iso(ctx.now),
    });
    let status = if errors.is_empty() { good } else { 207 };
    if !errors.is_empty() {
        out["numErrors"] = json!(errors.len());
        out["errors"] = Value::Array(errors);
    }
    super::answer::Answer::json(status, &out)
}
