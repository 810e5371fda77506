//! Whether a record was changed at the destination since an update of it was planned: then somebody decided something that the plan does
//! not know of, and the update is held back.
//!
//! What is read and what is written is not decided here.

use model::{ObjectInfo, RecordRef, ValueRef};

use crate::audit::{Difference, ReadBack};
use crate::carry::Directory;

/// A record with the object whose table it has.
pub type Row<'r> = (RecordRef<'r>, &'r ObjectInfo);

/// The properties of a planned update that hold now neither what they held when it was planned, which is [`Difference::planned`], nor
/// what it would write: that is what an update leaves behind whose outcome was lost.
pub fn find_changed(
    read_back: &ReadBack<'_>,
    planned: RecordRef<'_>,
    before: Row<'_>,
    now: Row<'_>,
    directory: &dyn Directory,
) -> Vec<Difference> {
    let mut changed = Vec::new();
    read_back.compare(planned, now.0, directory, &mut changed);
    changed.retain_mut(|difference| {
        let (was, is) = (
            find(before, &difference.property),
            find(now, &difference.property),
        );
        (difference.planned, difference.actual) = (was.to_string(), is.to_string());
        was != is && !(was.is_blank() && is.is_blank())
    });
    changed
}

fn find<'r>((record, object): Row<'r>, property: &str) -> ValueRef<'r> {
    let value = object
        .fields
        .find(property)
        .and_then(|at| record.find_field(at));
    value.unwrap_or(ValueRef::Null)
}
