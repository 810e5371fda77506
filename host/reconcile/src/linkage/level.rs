//! How far two values agree: the steps of the ladder, and those of all fields of a pair in one number.
//!
//! It says nothing of what a step is worth.

/// How many fields can be compared: three bits each in 64.
pub const FIELDS_MAX: usize = 20;

/// How far the values of one field agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// One of them or both are not there: no evidence.
    Missing,
    /// The same.
    Exact,
    /// A slip of the finger apart, or the same person's other name.
    Near,
    /// Alike: the same sound, an initial, most words, two of three parts of a date.
    Far,
    /// Each stands in the other's place: surname and given name, two lines of an address.
    Swapped,
    /// Different.
    Differ,
}

impl Level {
    /// Every level, in the order of its number.
    pub const ALL: [Self; 6] = [
        Self::Missing,
        Self::Exact,
        Self::Near,
        Self::Far,
        Self::Swapped,
        Self::Differ,
    ];

    /// The level as it is written for a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Exact => "exact",
            Self::Near => "near",
            Self::Far => "far",
            Self::Swapped => "swapped",
            Self::Differ => "differ",
        }
    }
}

/// The levels of every field of a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Levels(u64);

impl Levels {
    /// Sets a field that is not set yet.
    pub(super) fn with(self, field: usize, level: Level) -> Self {
        Self((self.0 & !(7 << (3 * field))) | (level as u64) << (3 * field))
    }

    /// The level of a field.
    pub(super) fn get(self, field: usize) -> Level {
        let number = (self.0 >> (3 * field)) & 7;
        Level::ALL
            .get(number as usize)
            .copied()
            .unwrap_or(Level::Missing)
    }
}
