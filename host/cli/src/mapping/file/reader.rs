//! Walks TOML with the line of everything, and collects what is wrong instead of stopping at it.

use reconcile::overrides::{At, MappingFault, did_you_mean};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
pub(super) type Node<'n> = &'n Spanned<DeValue<'n>>;

/// The text, and what was found wrong with it.
pub(super) struct Reader<'t> {
    text: &'t str,
    faults: Vec<MappingFault>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let faults = Vec::new();
        Self { text, faults }
    }

    /// The file as a table; `None` where it is no TOML.
    pub(super) fn parse(&mut self) -> Option<Spanned<DeValue<'t>>> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let line = error.span().map_or(1, |span| self.line_at(span.start));
            self.tell(line, error.message().to_owned());
        }
        let span = root.span();
        errors
            .is_empty()
            .then(|| Spanned::new(span, DeValue::Table(root.into_inner())))
    }

    pub(super) fn finish(self) -> Vec<MappingFault> {
        self.faults
    }

    fn line_at(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    pub(super) fn line(&self, node: Node<'_>) -> usize {
        self.line_at(node.span().start)
    }

    fn tell(&mut self, line: usize, message: String) {
        self.faults.push(MappingFault { line, message });
    }

    pub(super) fn fault(&mut self, node: Node<'_>, message: impl Into<String>) {
        self.tell(self.line(node), message.into());
    }

    /// The entries of a table that may have those keys only.
    pub(super) fn table<'n>(
        &mut self,
        node: Node<'n>,
        allowed: &[&str],
    ) -> Vec<(At<String>, Node<'n>)> {
        let mut entries = self.entries(node);
        entries.retain(|(key, _)| {
            let is_allowed = allowed.contains(&key.value.as_str());
            if !is_allowed {
                let hint = did_you_mean(&key.value, allowed.iter().copied());
                let hint = if hint.is_empty() {
                    format!("; known here: {}", allowed.join(", "))
                } else {
                    hint
                };
                self.tell(key.line, format!("unknown key {:?}{hint}", key.value));
            }
            is_allowed
        });
        entries
    }

    /// The entries of a table whose keys are names that a person gives.
    pub(super) fn named<T>(
        &mut self,
        node: Node<'_>,
        mut read: impl FnMut(&mut Self, Node<'_>) -> Option<T>,
    ) -> Vec<(At<String>, T)> {
        let entries = self.entries(node).into_iter();
        let read = entries.filter_map(|(key, value)| Some((key, read(self, value)?)));
        read.collect()
    }

    /// In the order of the lines.
    fn entries<'n>(&mut self, node: Node<'n>) -> Vec<(At<String>, Node<'n>)> {
        let DeValue::Table(table) = node.get_ref() else {
            self.fault(node, "expected a table");
            return Vec::new();
        };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let placed = entries.into_iter().map(|(key, value)| {
            let line = self.line_at(key.span().start);
            let value_of = key.get_ref().to_string();
            (
                At {
                    line,
                    value: value_of,
                },
                value,
            )
        });
        placed.collect()
    }

    pub(super) fn list<'n>(&mut self, node: Node<'n>) -> &'n [Spanned<DeValue<'n>>] {
        match node.get_ref() {
            DeValue::Array(list) => list,
            _ => {
                self.fault(node, "expected a list");
                &[]
            }
        }
    }

    pub(super) fn text(&mut self, node: Node<'_>) -> Option<String> {
        let text = node.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.fault(node, "expected a text");
        }
        text
    }

    pub(super) fn flag(&mut self, node: Node<'_>) -> Option<bool> {
        let flag = node.get_ref().as_bool();
        if flag.is_none() {
            self.fault(node, "expected true or false");
        }
        flag
    }

    /// A text, number, truth or date, as it would be written in a text.
    pub(super) fn scalar(&mut self, node: Node<'_>) -> Option<String> {
        match node.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) => Some(number.as_str().to_owned()),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            DeValue::Boolean(flag) => Some(flag.to_string()),
            DeValue::Datetime(moment) => Some(moment.to_string()),
            DeValue::Array(_) | DeValue::Table(_) => {
                self.fault(node, "expected a single value");
                None
            }
        }
    }

    /// A word or table of the model's own.
    pub(super) fn read<T: DeserializeOwned>(&mut self, node: Node<'_>) -> Option<T> {
        match T::deserialize(toml::de::ValueDeserializer::from(node.clone())) {
            Ok(value) => Some(value),
            Err(error) => {
                let line = error
                    .span()
                    .map_or_else(|| self.line(node), |span| self.line_at(span.start));
                self.tell(line, error.message().to_owned());
                None
            }
        }
    }
}
