//! What a phase tells while it works. How it is shown is the caller's.

use model::ObjectName;

/// The phases, in order; rolling back is beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Both catalogs are read.
    Discover,
    /// The source's records are read and stored.
    Extract,
    /// Every write is decided.
    Plan,
    /// The plan is carried out.
    Apply,
    /// The destination is read back.
    Audit,
    /// What a run wrote is taken back.
    RollBack,
}

impl Phase {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::Extract => "extract",
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Audit => "audit",
            Self::RollBack => "roll-back",
        }
    }
}

/// Hears how far a phase is.
pub trait Progress: Send + Sync {
    /// Work on an object begins; `expected` records where it is known.
    fn begin(&self, phase: Phase, object: &ObjectName, expected: Option<u64>);

    /// So many more records are done.
    fn advance(&self, records: u64);

    /// Work on the object is over.
    fn end(&self);

    /// Whether a person asked to stop. It is asked between two batches.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: Phase, _: &ObjectName, _: Option<u64>) {}

    fn advance(&self, _: u64) {}

    fn end(&self) {}
}
