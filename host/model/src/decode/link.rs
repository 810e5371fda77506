//! Reads the associations of a row: pairs of a declared name and an id.
//!
//! Whether the other end exists is not known here.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::PageReader;
use super::slot::TextSeed;

pub(super) struct LinksSeed<'r, 'p> {
    pub(super) reader: &'r mut PageReader<'p>,
}

impl<'de> DeserializeSeed<'de> for LinksSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for LinksSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("associations: a list of [name, id]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let reader = self.reader;
        let mut count = 0;
        while let Some((name, id)) = seq.next_element_seed(PairSeed)? {
            count += 1;
            if count > reader.limits.associations_max {
                let max = reader.limits.associations_max;
                return Err(de::Error::custom(format_args!(
                    "row has more than {max} associations"
                )));
            }
            let Some(association) = reader.object.find_association(&name) else {
                return Err(de::Error::custom(format_args!(
                    "association {name:?} is not declared"
                )));
            };
            if id.is_empty() || id.len() > reader.limits.id_max_bytes {
                return Err(de::Error::custom(format_args!(
                    "association {name:?} has an id of {} bytes",
                    id.len()
                )));
            }
            let span = reader.keep(id);
            reader.batch.links.push((association, span));
        }
        Ok(())
    }
}

struct PairSeed;

impl<'de> DeserializeSeed<'de> for PairSeed {
    type Value = (Cow<'de, str>, Cow<'de, str>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for PairSeed {
    type Value = (Cow<'de, str>, Cow<'de, str>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[name, id]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let name = seq
            .next_element_seed(TextSeed)?
            .ok_or_else(|| de::Error::invalid_length(0, &"[name, id]"))?;
        let id = seq
            .next_element_seed(TextSeed)?
            .ok_or_else(|| de::Error::invalid_length(1, &"[name, id]"))?;
        match seq.next_element::<IgnoredAny>()? {
            Some(_) => Err(de::Error::invalid_length(3, &"[name, id]")),
            None => Ok((name, id)),
        }
    }
}
