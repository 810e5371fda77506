//! What can be wrong with a mapping. Everything is told together; nothing here decides what is wrong.

use std::fmt;

use model::FieldKind;

/// One thing that is wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// The source's object has no such field.
    #[error("source field {0:?} does not exist")]
    NoField(String),
    /// The destination's object has no such property, and the mapping does not create it.
    #[error("destination property {0:?} does not exist")]
    NoProperty(String),
    /// The destination does not let it be written.
    #[error("destination property {0:?} is read-only")]
    ReadOnly(String),
    /// Two fields would fill one property.
    #[error("destination property {0:?} is filled twice")]
    FilledTwice(String),
    /// The kinds do not go together.
    #[error(
        "source field {field:?} is {from}, which does not go into {property:?}, a property of kind {to}"
    )]
    Kinds {
        /// The source's field.
        field: String,
        /// Its kind.
        from: FieldKind,
        /// The property.
        property: String,
        /// Its kind.
        to: FieldKind,
    },
    /// The source's object has no such association.
    #[error("source association {0:?} does not exist")]
    NoAssociation(String),
    /// A condition of the filter cannot be asked of its field.
    #[error("condition on source field {field:?}: {problem}")]
    Condition {
        /// The source's field.
        field: String,
        /// What is wrong.
        problem: String,
    },
    /// A transform cannot be carried out on its field.
    #[error("transform of source field {field:?}: {problem}")]
    Transform {
        /// The source's field.
        field: String,
        /// What is wrong.
        problem: String,
    },
    /// A transform makes something else of a value than its example says.
    #[error(
        "transform of source field {field:?} fails its test: {input:?} becomes {found}, expected {expected:?}"
    )]
    Example {
        /// The source's field.
        field: String,
        /// The values that were given, joined by ` | `.
        input: String,
        /// What the example says.
        expected: String,
        /// What came out.
        found: String,
    },
}

/// Everything that is wrong with the mapping of one object, told together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingErrors {
    /// The source's object.
    pub object: String,
    /// At least one.
    pub errors: Vec<MappingError>,
}

impl fmt::Display for MappingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "mapping of source object {} cannot be used: ",
            self.object
        )?;
        for (at, error) in self.errors.iter().enumerate() {
            write!(f, "{}{error}", if at > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for MappingErrors {}
