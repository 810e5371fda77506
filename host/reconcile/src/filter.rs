//! Filters: whether a record of the source meets the conditions of its object, and if not, which one it misses.
//!
//! Conditions are compiled once against the source's fields, so that asking a record looks nothing up and cannot fail. It reads the
//! source's values as they came, before any transform.

use model::condition::{Condition, Test};
use model::{Date, Decimal, FieldInfo, FieldKind, Instant, ObjectInfo, RecordRef, ValueRef};

use crate::fault::MappingError;
use crate::normal;

/// The conditions of one object, compiled.
#[derive(Clone, Debug)]
pub struct Filter {
    root: Node,
}

#[derive(Clone, Debug)]
enum Node {
    All(Vec<Node>),
    Any {
        parts: Vec<Node>,
        told: String,
    },
    Field {
        field: u16,
        check: Check,
        told: String,
    },
}

#[derive(Clone, Debug)]
enum Check {
    Known,
    Unknown,
    OneOf(Vec<Operand>),
    NoneOf(Vec<Operand>),
    Contains(String),
    Before(Moment),
    After(Moment),
    Greater(Decimal),
    Less(Decimal),
}

/// A value that others are equal to.
#[derive(Clone, Debug)]
enum Operand {
    /// Folded.
    Text(String),
    Number(Decimal),
    Boolean(bool),
    Date(Date),
    Instant(Instant),
}

/// A day or an instant that others come before or after. A day has no time, so an instant within it is neither before nor after it.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Day(Date),
    Instant(Instant),
}

impl Filter {
    /// Compiles the conditions against the source's object, whose table the records have.
    ///
    /// # Errors
    /// Everything in them that the object's fields do not bear out.
    pub fn new(condition: &Condition, source: &ObjectInfo) -> Result<Self, Vec<MappingError>> {
        let mut errors = Vec::new();
        let root = compile(condition, source, &mut errors);
        match root {
            Some(root) if errors.is_empty() => Ok(Self { root }),
            _ => Err(errors),
        }
    }

    /// The condition that the record does not meet, for a person; `None` where it meets them all.
    pub fn find_unmet(&self, record: RecordRef<'_>) -> Option<&str> {
        self.root.find_unmet(record)
    }
}

impl Node {
    fn find_unmet(&self, record: RecordRef<'_>) -> Option<&str> {
        match self {
            Self::All(parts) => parts.iter().find_map(|part| part.find_unmet(record)),
            Self::Any { parts, told } => parts
                .iter()
                .all(|part| part.find_unmet(record).is_some())
                .then_some(told),
            Self::Field { field, check, told } => {
                let value = record.find_field(*field).unwrap_or(ValueRef::Null);
                (!check.holds(value)).then_some(told)
            }
        }
    }
}

impl Check {
    fn holds(&self, value: ValueRef<'_>) -> bool {
        if value.is_blank() {
            return matches!(self, Self::Unknown | Self::NoneOf(_));
        }
        match self {
            Self::Known => true,
            Self::Unknown => false,
            Self::OneOf(operands) => operands.iter().any(|operand| operand.is(value)),
            Self::NoneOf(operands) => !operands.iter().any(|operand| operand.is(value)),
            Self::Contains(part) => match value {
                ValueRef::Text(text) => normal::fold(text).contains(part.as_str()),
                ValueRef::Options(options) => {
                    options.iter().any(|option| normal::fold(option) == *part)
                }
                _ => false,
            },
            Self::Before(moment) => moment.order(value).is_some_and(|order| order.is_lt()),
            Self::After(moment) => moment.order(value).is_some_and(|order| order.is_gt()),
            Self::Greater(than) => number(value).is_some_and(|number| number > *than),
            Self::Less(than) => number(value).is_some_and(|number| number < *than),
        }
    }
}

impl Operand {
    fn is(&self, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (Self::Text(own), ValueRef::Text(text)) => normal::fold(text) == *own,
            (Self::Number(own), value) => number(value) == Some(*own),
            (Self::Boolean(own), ValueRef::Boolean(flag)) => *own == flag,
            (Self::Date(own), ValueRef::Date(date)) => *own == date,
            (Self::Date(own), ValueRef::Instant(instant)) => *own == instant.date(),
            (Self::Instant(own), ValueRef::Instant(instant)) => *own == instant,
            _ => false,
        }
    }
}

impl Moment {
    /// How the value lies to it.
    fn order(self, value: ValueRef<'_>) -> Option<std::cmp::Ordering> {
        match (self, value) {
            (Self::Day(day), ValueRef::Date(date)) => Some(date.cmp(&day)),
            (Self::Day(day), ValueRef::Instant(instant)) => Some(instant.date().cmp(&day)),
            (Self::Instant(own), ValueRef::Instant(instant)) => Some(instant.cmp(&own)),
            (Self::Instant(own), ValueRef::Date(date)) => Some(date.midnight().cmp(&own)),
            _ => None,
        }
    }
}

fn number(value: ValueRef<'_>) -> Option<Decimal> {
    match value {
        ValueRef::Integer(number) => Some(Decimal::from(number)),
        ValueRef::Decimal(number) => Some(number),
        _ => None,
    }
}

/// `None` where it cannot be asked; what is wrong is then among the errors.
fn compile(
    condition: &Condition,
    source: &ObjectInfo,
    errors: &mut Vec<MappingError>,
) -> Option<Node> {
    let mut list = |parts: &[Condition]| {
        // All parts are looked at, so that everything wrong is told at once.
        let nodes: Vec<_> = parts
            .iter()
            .map(|part| compile(part, source, errors))
            .collect();
        nodes.into_iter().collect::<Option<Vec<_>>>()
    };
    match condition {
        Condition::All(parts) => list(parts).map(Node::All),
        Condition::Any(parts) => list(parts).map(|parts| Node::Any {
            parts,
            told: condition.to_string(),
        }),
        Condition::Field { field, test } => {
            let Some(position) = source.fields.find(field) else {
                errors.push(MappingError::NoField(field.clone()));
                return None;
            };
            let info = source.fields.get(position).expect("found in the table");
            match compile_test(test, info) {
                Ok(check) => Some(Node::Field {
                    field: position,
                    check,
                    told: condition.to_string(),
                }),
                Err(problem) => {
                    errors.push(MappingError::Condition {
                        field: field.clone(),
                        problem,
                    });
                    None
                }
            }
        }
    }
}

fn compile_test(test: &Test, info: &FieldInfo) -> Result<Check, String> {
    use FieldKind as K;
    let needs = |what: &str, instead: &str| {
        Err(format!(
            "it is {}, and only {what} can be asked this; {instead}",
            info.kind
        ))
    };
    let all = |values: &[String]| -> Result<Vec<Operand>, String> {
        values.iter().map(|value| operand(value, info)).collect()
    };
    Ok(match test {
        Test::Known => Check::Known,
        Test::Unknown => Check::Unknown,
        Test::Is(_) | Test::IsNot(_) | Test::In(_) if info.kind == K::Options => {
            return needs("a single value", "use `contains`");
        }
        Test::Is(value) => Check::OneOf(vec![operand(value, info)?]),
        Test::IsNot(value) => Check::NoneOf(vec![operand(value, info)?]),
        Test::In(values) => Check::OneOf(all(values)?),
        Test::Contains(value) if info.kind == K::Options => {
            Check::Contains(normal::fold(&option(value, info)?).into_owned())
        }
        Test::Contains(value) if info.kind.is_textual() && info.kind != K::Option => {
            Check::Contains(normal::fold(value).into_owned())
        }
        Test::Contains(_) => return needs("a text or several options", "use `is`"),
        Test::Before(value) | Test::After(value) => {
            if !matches!(info.kind, K::Date | K::Instant) {
                return needs("a date or instant", "use `less` or `greater`");
            }
            let moment = moment(value)?;
            match test {
                Test::Before(_) => Check::Before(moment),
                _ => Check::After(moment),
            }
        }
        Test::Greater(value) | Test::Less(value) => {
            if !matches!(info.kind, K::Integer | K::Decimal | K::Money) {
                return needs("a number", "use `before` or `after` for dates");
            }
            let than = decimal(value)?;
            match test {
                Test::Greater(_) => Check::Greater(than),
                _ => Check::Less(than),
            }
        }
    })
}

fn operand(value: &str, info: &FieldInfo) -> Result<Operand, String> {
    use FieldKind as K;
    Ok(match info.kind {
        K::Integer | K::Decimal | K::Money => Operand::Number(decimal(value)?),
        K::Boolean => Operand::Boolean(
            value
                .parse()
                .map_err(|_| format!("{value:?} is neither true nor false"))?,
        ),
        K::Date | K::Instant => match moment(value)? {
            Moment::Day(date) => Operand::Date(date),
            Moment::Instant(instant) => Operand::Instant(instant),
        },
        K::Time => return Err("times of day can only be known or unknown".to_owned()),
        K::Option => Operand::Text(normal::fold(&option(value, info)?).into_owned()),
        _ => Operand::Text(normal::fold(value).into_owned()),
    })
}

/// The option's value, by its value or its label. A field that lists its options has no others that one would ask for.
fn option(value: &str, info: &FieldInfo) -> Result<String, String> {
    let label = normal::label(value);
    let found = info.options.iter().find(|option| option.value == value);
    let found = found.or_else(|| {
        let mut options = info.options.iter();
        options.find(|option| normal::label(&option.label) == label)
    });
    match found {
        Some(option) => Ok(option.value.clone()),
        None if info.options.is_empty() => Ok(value.to_owned()),
        None => {
            let labels: Vec<_> = info
                .options
                .iter()
                .take(10)
                .map(|option| &option.label)
                .collect();
            Err(format!("it has no option {value:?}; there are {labels:?}"))
        }
    }
}

fn decimal(value: &str) -> Result<Decimal, String> {
    Decimal::from_str_exact(value).map_err(|_| format!("{value:?} is no number"))
}

fn moment(value: &str) -> Result<Moment, String> {
    if let Ok(date) = value.parse() {
        return Ok(Moment::Day(date));
    }
    let instant = value.parse().map(Moment::Instant);
    instant.map_err(|_| format!("{value:?} is neither a date nor an instant"))
}

#[cfg(test)]
mod tests;
