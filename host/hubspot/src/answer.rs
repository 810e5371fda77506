//! The JSON of HubSpot's answers, as far as it is read. Texts are borrowed from the body where they can be.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::explain::Refusal;

/// One record.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) properties: Properties<'a>,
    #[serde(borrow, default)]
    pub(crate) updated_at: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(crate) archived: bool,
    #[serde(borrow, default)]
    pub(crate) object_write_trace_id: Option<Cow<'a, str>>,
    /// Of an upsert: whether it made the record.
    #[serde(default)]
    pub(crate) new: Option<bool>,
    #[serde(borrow, default)]
    pub(crate) associations: Option<std::collections::BTreeMap<Cow<'a, str>, Ends<'a>>>,
}

/// A record's properties in the answer's order.
#[derive(Debug, Default)]
pub(crate) struct Properties<'a>(pub(crate) Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>);

impl<'a> Properties<'a> {
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name)?;
        found.1.as_deref()
    }
}

/// A text that is borrowed where the JSON has no escapes; serde's own `Cow` inside an `Option` or a tuple never is.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Properties<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<'a>(std::marker::PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for Pairs<'a> {
            type Value = Properties<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of property values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties<'a>, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(32));
                while let Some((name, value)) = map.next_entry::<Text<'a>, Option<Text<'a>>>()? {
                    pairs.push((name.0, value.map(|value| value.0)));
                }
                Ok(Properties(pairs))
            }
        }

        deserializer.deserialize_map(Pairs(std::marker::PhantomData))
    }
}

/// What a record is associated with, of one object.
#[derive(Debug, Deserialize)]
pub(crate) struct Ends<'a> {
    #[serde(borrow, default)]
    pub(crate) results: Vec<End<'a>>,
}

/// One end, with the name of the association's type.
#[derive(Debug, Deserialize)]
pub(crate) struct End<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
}

/// A page or the outcome of a batch.
#[derive(Debug, Deserialize)]
pub(crate) struct Records<'a> {
    #[serde(borrow, default = "Vec::new")]
    pub(crate) results: Vec<Record<'a>>,
    #[serde(default)]
    pub(crate) errors: Vec<Refusal>,
    #[serde(default)]
    pub(crate) paging: Option<Paging>,
}

/// Where a list goes on.
#[derive(Debug, Deserialize)]
pub(crate) struct Paging {
    pub(crate) next: Option<Next>,
}

/// The next page.
#[derive(Debug, Deserialize)]
pub(crate) struct Next {
    pub(crate) after: String,
}

/// A list of something that stands on one page.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(crate) struct List<T> {
    #[serde(default = "Vec::new")]
    pub(crate) results: Vec<T>,
    #[serde(default)]
    pub(crate) paging: Option<Paging>,
}

impl<T> List<T> {
    pub(crate) fn next(&mut self) -> Option<String> {
        self.paging.take()?.next.map(|next| next.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_as_the_vendor_prints_it() {
        let body = r#"{"results":[{"id":"551","properties":{"email":"ada@ex.test","firstname":"A\"da","lastname":null},
            "createdAt":"2026-01-05T09:30:00.125Z","updatedAt":"2026-02-01T08:00:00.000Z","archived":false,
            "associations":{"companies":{"results":[{"id":"77","type":"contact_to_company"}]}}}],
            "paging":{"next":{"after":"551","link":"https://x"}}}"#;
        let page: Records<'_> = serde_json::from_str(body).unwrap();
        let record = &page.results[0];
        assert_eq!(record.properties.find("firstname"), Some("A\"da"));
        assert_eq!(record.properties.find("lastname"), None);
        assert!(matches!(
            record.properties.0[0].1,
            Some(Cow::Borrowed("ada@ex.test"))
        ));
        assert_eq!(
            record.associations.as_ref().unwrap()["companies"].results[0].id,
            "77"
        );
        assert_eq!(page.paging.unwrap().next.unwrap().after, "551");
    }
}
