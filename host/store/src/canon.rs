//! The bytes of a plan that its hash is taken over: every text with its length before it, so that no two plans share them.
//!
//! Positions are not in it: they say where a plan is stored, not what it says.

use sha2::{Digest as _, Sha256};

const DOMAIN: &[u8] = b"longshore plan 1";

/// The texts of one action, as they are stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActionText<'a> {
    pub(crate) object: &'a str,
    pub(crate) record: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) destination: Option<&'a str>,
    pub(crate) survivor: Option<&'a str>,
    pub(crate) row: Option<&'a str>,
    pub(crate) before: Option<&'a str>,
}

/// The texts of one link, as they are stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkText<'a> {
    pub(crate) from_object: &'a str,
    pub(crate) from: &'a str,
    pub(crate) to_object: &'a str,
    pub(crate) to: &'a str,
    pub(crate) label: Option<&'a str>,
}

/// A plan's hash as far as its actions and links are known. Actions and links are each in order; between them there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlanHasher {
    actions: Sha256,
    links: Sha256,
    /// `None` as long as there is no removal, so that plans without any keep the hash that they always had.
    removals: Option<Sha256>,
    buffer: Vec<u8>,
}

impl PlanHasher {
    pub(crate) fn action(&mut self, action: &ActionText<'_>) {
        self.buffer.clear();
        for text in [action.object, action.record, action.kind, action.reason] {
            push(&mut self.buffer, text);
        }
        for text in [
            action.destination,
            action.survivor,
            action.row,
            action.before,
        ] {
            push_option(&mut self.buffer, text);
        }
        self.actions.update(&self.buffer);
    }

    pub(crate) fn link(&mut self, link: &LinkText<'_>) {
        self.buffer_link(link);
        self.links.update(&self.buffer);
    }

    /// An association that is to be taken away.
    pub(crate) fn removal(&mut self, link: &LinkText<'_>) {
        self.buffer_link(link);
        let removals = self.removals.get_or_insert_default();
        removals.update(&self.buffer);
    }

    fn buffer_link(&mut self, link: &LinkText<'_>) {
        self.buffer.clear();
        for text in [link.from_object, link.from, link.to_object, link.to] {
            push(&mut self.buffer, text);
        }
        push_option(&mut self.buffer, link.label);
    }

    /// The hash in hexadecimal, with the header as it is stored.
    pub(crate) fn finish(self, header: &str) -> String {
        let mut whole = Sha256::new();
        whole.update(DOMAIN);
        whole.update(self.actions.finalize());
        whole.update(self.links.finalize());
        if let Some(removals) = self.removals {
            whole.update(b"removals");
            whole.update(removals.finalize());
        }
        whole.update(header.as_bytes());
        whole
            .finalize()
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                for digit in [byte >> 4, byte & 15] {
                    text.push(
                        char::from_digit(u32::from(digit), 16).expect("four bits are one digit"),
                    );
                }
                text
            })
    }
}

fn push(buffer: &mut Vec<u8>, text: &str) {
    buffer.extend_from_slice(&(text.len() as u64).to_le_bytes());
    buffer.extend_from_slice(text.as_bytes());
}

fn push_option(buffer: &mut Vec<u8>, text: Option<&str>) {
    buffer.push(u8::from(text.is_some()));
    if let Some(text) = text {
        push(buffer, text);
    }
}
