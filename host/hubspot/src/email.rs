//! The parties of a sales e-mail: HubSpot keeps them as JSON in one property, everybody else as three texts.
//!
//! The texts are `Ada Byron <ada@ex.test>, bob@ex.test` (`wit/README.md`).

use serde::{Deserialize, Serialize};

/// The property that holds the JSON.
pub(crate) const HEADERS: &str = "hs_email_headers";

/// The texts in its place, in the order of [`Parties`].
pub(crate) const TEXTS: [(&str, &str); 3] = [
    ("hs_email_from", "From"),
    ("hs_email_to", "To"),
    ("hs_email_cc", "Cc"),
];

/// The JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Headers {
    from: Option<Party>,
    to: Vec<Party>,
    cc: Vec<Party>,
    bcc: Vec<Party>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Party {
    email: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    first_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    last_name: String,
}

/// From, to and cc, as texts; empty where there is nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parties(pub(crate) [String; 3]);

impl Parties {
    /// The texts of what HubSpot holds; nothing where it is not readable.
    pub(crate) fn parse(json: &str) -> Self {
        let headers: Headers = serde_json::from_str(json).unwrap_or_default();
        let from: Vec<Party> = headers.from.into_iter().collect();
        Self([&from, &headers.to, &headers.cc].map(|parties| {
            let told = parties
                .iter()
                .map(Party::text)
                .filter(|text| !text.is_empty());
            told.collect::<Vec<_>>().join(", ")
        }))
    }

    /// What HubSpot is given.
    pub(crate) fn to_json(&self) -> String {
        let [from, to, cc] = self.0.each_ref().map(|text| parties(text));
        let headers = Headers {
            from: from.into_iter().next(),
            to,
            cc,
            bcc: Vec::new(),
        };
        serde_json::to_string(&headers).expect("texts are always JSON")
    }
}

impl Party {
    fn text(&self) -> String {
        let name = [self.first_name.as_str(), self.last_name.as_str()];
        let name = name
            .iter()
            .filter(|part| !part.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join(" ");
        match (name.is_empty(), self.email.is_empty()) {
            (true, _) => self.email.clone(),
            (false, true) => name,
            (false, false) => format!("{name} <{}>", self.email),
        }
    }
}

/// The parties of a text. A comma inside of a name does not part two of them: only what follows an address does.
fn parties(text: &str) -> Vec<Party> {
    let mut found: Vec<Party> = Vec::new();
    let mut open = String::new();
    for part in text.split(", ") {
        if !open.is_empty() {
            open.push_str(", ");
        }
        open.push_str(part);
        if open.contains('@') {
            found.push(party(&std::mem::take(&mut open)));
        }
    }
    if !open.is_empty() {
        found.push(party(&open));
    }
    found
}

fn party(text: &str) -> Party {
    let (name, email) = match text
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once(" <"))
    {
        Some((name, email)) => (name, email),
        None if text.contains('@') => ("", text),
        None => (text, ""),
    };
    let (first, last) = name.split_once(' ').unwrap_or((name, ""));
    Party {
        email: email.to_owned(),
        first_name: first.to_owned(),
        last_name: last.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parties_go_there_and_come_back_as_they_were() {
        for texts in [
            [
                "Ada Byron <ada@ex.test>",
                "bob@ex.test, Eve van der Berg <eve@ex.test>",
                "",
            ],
            [
                "",
                "Müller, Jörg <j@ex.test>, Cher <c@ex.test>",
                "x@ex.test",
            ],
            ["Nobody Known", "", ""],
            ["", "", ""],
        ] {
            let parties = Parties(texts.map(str::to_owned));
            assert_eq!(Parties::parse(&parties.to_json()), parties);
        }
    }

    #[test]
    fn the_json_is_as_the_vendor_wants_it() {
        let parties = Parties([
            "Ada Byron <ada@ex.test>".into(),
            "bob@ex.test".into(),
            String::new(),
        ]);
        assert_eq!(
            parties.to_json(),
            r#"{"from":{"email":"ada@ex.test","firstName":"Ada","lastName":"Byron"},"to":[{"email":"bob@ex.test"}],"cc":[],"bcc":[]}"#
        );
        assert_eq!(Parties::parse("not json"), Parties::default());
    }
}
