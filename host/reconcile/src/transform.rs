//! Transforms, compiled: what becomes of a field's text, step by step, and of the examples that prove it.
//!
//! What cannot be made of a value is a [`Loss`], never an invention. Which property takes the outcome is [`crate::planner`]'s.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::fmt::strtime::BrokenDownTime;
use model::transform::{Example, Step};
use model::{Decimal, FieldInfo, FieldKind, ObjectInfo, RecordRef, ValueRef};
use rust_decimal::RoundingStrategy;

use crate::convert::Loss;
use crate::fault::MappingError;

/// The steps of one field, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Transform {
    /// The field itself, then those that are joined to it.
    inputs: Vec<Input>,
    steps: Vec<Compiled>,
    /// Whether each of several options goes through the steps by itself.
    is_list: bool,
    /// Whether it also makes something of a blank field.
    pub(crate) is_whole: bool,
}

#[derive(Clone, Debug)]
struct Input {
    field: u16,
    labels: HashMap<String, String>,
}

#[derive(Clone, Debug)]
enum Compiled {
    Step(Step),
    /// Positions among the inputs.
    Join(std::ops::Range<usize>, String),
    Options(HashMap<String, String>, Option<String>),
}

impl Transform {
    /// Compiles the steps of that field of the source's object.
    pub(crate) fn new(
        steps: &[Step],
        field: (u16, &FieldInfo),
        source: &ObjectInfo,
    ) -> Result<Self, MappingError> {
        let (position, info) = field;
        let failed = |problem: String| MappingError::Transform {
            field: info.name.clone(),
            problem,
        };
        let mut inputs = vec![Input::new(position, info)];
        let mut compiled = Vec::with_capacity(steps.len());
        for step in steps {
            compiled.push(match step {
                Step::Join { with, separator } => {
                    let first = inputs.len();
                    for name in with {
                        let at = source.fields.find(name);
                        let at = at.ok_or_else(|| MappingError::NoField(name.clone()))?;
                        inputs.push(Input::new(
                            at,
                            source.fields.get(at).expect("found in the table"),
                        ));
                    }
                    Compiled::Join(first..inputs.len(), separator.clone())
                }
                Step::Options { map, otherwise } => {
                    let label =
                        |named: &String| inputs[0].labels.get(named).unwrap_or(named).clone();
                    let map = map.iter().map(|(from, to)| (label(from), to.clone()));
                    Compiled::Options(map.collect(), otherwise.clone())
                }
                Step::Date { from, to } => {
                    check_format(from).map_err(failed)?;
                    check_format(to).map_err(failed)?;
                    Compiled::Step(step.clone())
                }
                Step::Round(decimals) if *decimals > Decimal::MAX_SCALE => {
                    return Err(failed(format!(
                        "a number has at most {} decimals",
                        Decimal::MAX_SCALE
                    )));
                }
                step => Compiled::Step(step.clone()),
            });
        }
        let is_whole = steps
            .iter()
            .any(|step| matches!(step, Step::Join { .. } | Step::Constant(_)));
        Ok(Self {
            inputs,
            steps: compiled,
            is_list: info.kind == FieldKind::Options && !is_whole,
            is_whole,
        })
    }

    /// The text that becomes of the record's field; several options make one line each. Empty where nothing is left.
    pub(crate) fn run(&self, record: RecordRef<'_>) -> Result<String, Loss> {
        if self.is_list {
            let Some(ValueRef::Options(options)) = record.find_field(self.inputs[0].field) else {
                return Ok(String::new());
            };
            let made = options
                .iter()
                .map(|option| self.make(&[Cow::Borrowed(self.inputs[0].label(option))]));
            let mut lines = made.collect::<Result<Vec<_>, _>>()?;
            lines.retain(|line| !line.is_empty());
            return Ok(lines.join("\n"));
        }
        let texts: Vec<_> = self.inputs.iter().map(|input| input.text(record)).collect();
        self.make(&texts)
    }

    /// Holds the steps against an example.
    pub(crate) fn check(&self, field: &str, example: &Example) -> Result<(), MappingError> {
        if example.from.len() != self.inputs.len() {
            let problem = format!(
                "the test of {:?} gives {} values, and the transform reads {} fields",
                example.from,
                example.from.len(),
                self.inputs.len()
            );
            let field = field.to_owned();
            return Err(MappingError::Transform { field, problem });
        }
        let texts: Vec<_> = example
            .from
            .iter()
            .map(|text| Cow::Borrowed(text.as_str()))
            .collect();
        let found = match self.make(&texts) {
            Ok(found) if found == example.to => return Ok(()),
            Ok(found) => format!("{found:?}"),
            Err(loss) => format!("nothing ({loss})"),
        };
        Err(MappingError::Example {
            field: field.to_owned(),
            input: example.from.join(" | "),
            expected: example.to.clone(),
            found,
        })
    }

    fn make(&self, texts: &[Cow<'_, str>]) -> Result<String, Loss> {
        let mut text = texts[0].clone().into_owned();
        for step in &self.steps {
            text = match step {
                Compiled::Join(with, separator) => {
                    let parts = std::iter::once(text.as_str())
                        .chain(texts[with.clone()].iter().map(AsRef::as_ref));
                    let filled: Vec<_> = parts.filter(|part| !part.trim().is_empty()).collect();
                    filled.join(separator)
                }
                Compiled::Options(map, otherwise) => match (map.get(&text), otherwise) {
                    (Some(to), _) => to.clone(),
                    (None, Some(otherwise)) if !text.is_empty() => otherwise.clone(),
                    _ => text,
                },
                Compiled::Step(Step::Constant(constant)) => constant.clone(),
                // A blank stays blank, whatever is done to it.
                Compiled::Step(_) if text.is_empty() => text,
                Compiled::Step(step) => change(step, &text)?,
            };
        }
        Ok(text)
    }
}

impl Input {
    fn new(field: u16, info: &FieldInfo) -> Self {
        let options = info.options.iter();
        let labels = options
            .filter(|option| !option.label.is_empty())
            .map(|option| (option.value.clone(), option.label.clone()));
        Self {
            field,
            labels: labels.collect(),
        }
    }

    fn label<'t>(&'t self, option: &'t str) -> &'t str {
        self.labels.get(option).map_or(option, String::as_str)
    }

    fn text<'a>(&'a self, record: RecordRef<'a>) -> Cow<'a, str> {
        match record.find_field(self.field) {
            None | Some(ValueRef::Null) => Cow::Borrowed(""),
            Some(ValueRef::Text(text)) => Cow::Borrowed(self.label(text)),
            Some(ValueRef::Options(options)) => {
                let labels: Vec<_> = options.iter().map(|option| self.label(option)).collect();
                Cow::Owned(labels.join("; "))
            }
            Some(value) => Cow::Owned(value.to_string()),
        }
    }
}

fn change(step: &Step, text: &str) -> Result<String, Loss> {
    Ok(match step {
        Step::Trim => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Step::Upper => text.to_uppercase(),
        Step::Lower => text.to_lowercase(),
        Step::Title => title(text),
        Step::FirstName => split_name(text).0,
        Step::LastName => split_name(text).1,
        Step::Number { decimal, group } => {
            let bare = text
                .chars()
                .filter(|letter| !letter.is_whitespace() && Some(*letter) != *group)
                .map(|letter| if letter == *decimal { '.' } else { letter });
            let bare: String = bare.collect();
            Decimal::from_str_exact(&bare)
                .map_err(|_| Loss::NotANumber)?
                .to_string()
        }
        Step::Round(decimals) => {
            let number = Decimal::from_str_exact(text).map_err(|_| Loss::NotANumber)?;
            let rounded =
                number.round_dp_with_strategy(*decimals, RoundingStrategy::MidpointAwayFromZero);
            format!("{rounded:.*}", *decimals as usize)
        }
        Step::Date { from, to } => BrokenDownTime::parse(from, text)
            .and_then(|time| time.to_string(to))
            .map_err(|_| Loss::NotADate)?,
        // These read more than one text; they are compiled.
        Step::Join { .. } | Step::Constant(_) | Step::Options { .. } => text.to_owned(),
    })
}

fn title(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut is_first = true;
    for letter in text.chars() {
        if is_first {
            titled.extend(letter.to_uppercase());
        } else {
            titled.extend(letter.to_lowercase());
        }
        is_first = !letter.is_alphanumeric() && letter != '\'' && letter != '’';
    }
    titled
}

/// All words but the last, and the last; one word alone is a first name.
fn split_name(text: &str) -> (String, String) {
    let words: Vec<_> = text.split_whitespace().collect();
    match words.split_last() {
        Some((last, first)) if !first.is_empty() => (first.join(" "), (*last).to_owned()),
        _ => (words.concat(), String::new()),
    }
}

/// Whether a format can be written at all: it is tried on one moment.
fn check_format(format: &str) -> Result<(), String> {
    let moment = jiff::civil::date(2026, 1, 5).at(9, 30, 0, 0);
    let written = BrokenDownTime::from(moment).to_string(format);
    written
        .map(drop)
        .map_err(|error| format!("date format {format:?} cannot be used: {error}"))
}

/// Reads the outcome as a value of a kind that is not textual; `None` where it is none.
pub(crate) fn read(kind: FieldKind, text: &str) -> Option<ValueRef<'static>> {
    let text = text.trim();
    match kind {
        FieldKind::Integer => text.parse().ok().map(ValueRef::Integer),
        FieldKind::Decimal | FieldKind::Money => {
            Decimal::from_str_exact(text).ok().map(ValueRef::Decimal)
        }
        FieldKind::Boolean => match text.to_lowercase().as_str() {
            "true" | "yes" | "1" => Some(ValueRef::Boolean(true)),
            "false" | "no" | "0" => Some(ValueRef::Boolean(false)),
            _ => None,
        },
        FieldKind::Date => text.parse().ok().map(ValueRef::Date),
        FieldKind::Instant => text.parse().ok().map(ValueRef::Instant),
        FieldKind::Time => text.parse().ok().map(ValueRef::Time),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
