//! Decides an account's own names: the 40-digit keys of custom fields, the ids of leads, its secrets.
//!
//! None of it is cryptography; two accounts differ by their salt.

use crate::truth::{Crm, Kind, mix};

/// An account's own names.
#[derive(Debug)]
pub(super) struct Keys {
    salt: u64,
    fields: Vec<(Kind, Vec<String>)>,
}

impl Keys {
    pub(super) fn new(salt: &str, crm: &dyn Crm) -> Self {
        let salt = salt.bytes().fold(0xcbf2_9ce4_8422_2325, |salt, byte| {
            mix(salt ^ u64::from(byte))
        });
        let kinds = [
            Kind::Person,
            Kind::Organization,
            Kind::Deal,
            Kind::Product,
            Kind::Project,
        ];
        let keys = |kind| {
            (0..crm.fields(kind).len() as u64)
                .map(|place| hex40(mix(salt ^ kind as u64) ^ place))
                .collect()
        };
        Self {
            salt,
            fields: kinds.map(|kind| (kind, keys(kind))).to_vec(),
        }
    }

    /// Keys of a kind's custom fields, in the order of their definitions; leads have those of deals.
    pub(super) fn fields(&self, kind: Kind) -> &[String] {
        let kind = if kind == Kind::Lead { Kind::Deal } else { kind };
        self.fields
            .iter()
            .find(|(of, _)| *of == kind)
            .map_or(&[], |(_, keys)| keys)
    }

    /// A secret of the account, 40 hexadecimal digits.
    pub(super) fn secret(&self, topic: u64) -> String {
        hex40(mix(self.salt ^ topic.wrapping_mul(0x0123_4567_89ab_cdef)))
    }

    /// The id of a lead, a UUID in text form.
    pub(super) fn lead(&self, number: u64) -> String {
        let head = mix(self.salt ^ mix(number));
        let tail = (number ^ self.salt) & 0xffff_ffff_ffff;
        let (a, b, c, d) = (
            head >> 32,
            (head >> 16) & 0xffff,
            head & 0xfff,
            (head >> 50) & 0xfff,
        );
        format!("{a:08x}-{b:04x}-4{c:03x}-8{d:03x}-{tail:012x}")
    }

    /// The number of the lead of that id.
    pub(super) fn lead_number(&self, id: &str) -> Option<u64> {
        let tail = u64::from_str_radix(id.rsplit('-').next()?, 16).ok()?;
        let number = (tail ^ self.salt) & 0xffff_ffff_ffff;
        (self.lead(number) == id).then_some(number)
    }

    /// The id of another thing that has a UUID, such as a lead label.
    pub(super) fn uuid(&self, topic: u64) -> String {
        self.lead((1 << 40) | topic)
    }
}

fn hex40(seed: u64) -> String {
    let (one, two, three) = (mix(seed), mix(seed ^ 0x5151), mix(seed ^ 0xa2a2));
    format!("{one:016x}{two:016x}{:08x}", three >> 32)
}
