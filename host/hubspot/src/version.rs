//! Which of HubSpot's path families is spoken: v3 and v4, or a dated version, and where each thing lies in it.

use std::fmt;
use std::str::FromStr;

/// A path family. Dated versions come out every March and September and live for 18 months.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ApiVersion {
    /// `/crm/v3/…`, associations `/crm/v4/…`.
    #[default]
    V3,
    /// `/crm/objects/2026-03/…`.
    Dated(String),
}

/// Says that a text names no version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVersion(String);

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "HubSpot API version {:?} is neither \"v3\" nor a date such as \"2026-03\"",
            self.0
        )
    }
}

impl std::error::Error for UnknownVersion {}

impl FromStr for ApiVersion {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        let is_date = matches!(text.as_bytes(), [b'2', b'0', a, b, b'-', c, d] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()));
        match text {
            "v3" => Ok(Self::V3),
            _ if is_date => Ok(Self::Dated(text.to_owned())),
            _ => Err(UnknownVersion(text.to_owned())),
        }
    }
}

impl ApiVersion {
    /// The records of an object; `rest` begins with `/` or is empty.
    pub(crate) fn objects(&self, object: &str, rest: &str) -> String {
        match self {
            Self::V3 => format!("/crm/v3/objects/{object}{rest}"),
            Self::Dated(date) => format!("/crm/objects/{date}/{object}{rest}"),
        }
    }

    /// The associations between two objects.
    pub(crate) fn associations(&self, from: &str, to: &str, rest: &str) -> String {
        match self {
            Self::V3 => format!("/crm/v4/associations/{from}/{to}{rest}"),
            Self::Dated(date) => format!("/crm/associations/{date}/{from}/{to}{rest}"),
        }
    }

    /// The properties of an object.
    pub(crate) fn properties(&self, object: &str, rest: &str) -> String {
        match self {
            Self::V3 => format!("/crm/v3/properties/{object}{rest}"),
            Self::Dated(date) => format!("/crm/properties/{date}/{object}{rest}"),
        }
    }

    /// The pipelines of an object.
    pub(crate) fn pipelines(&self, object: &str, rest: &str) -> String {
        match self {
            Self::V3 => format!("/crm/v3/pipelines/{object}{rest}"),
            Self::Dated(date) => format!("/crm/pipelines/{date}/{object}{rest}"),
        }
    }

    /// The owners.
    pub(crate) fn owners(&self) -> String {
        match self {
            Self::V3 => "/crm/v3/owners".to_owned(),
            Self::Dated(date) => format!("/crm/owners/{date}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_are_spoken_and_nothing_else() {
        let dated: ApiVersion = "2026-03".parse().unwrap();
        assert_eq!(
            ApiVersion::V3.objects("deals", "/batch/read"),
            "/crm/v3/objects/deals/batch/read"
        );
        assert_eq!(
            dated.objects("deals", "/batch/read"),
            "/crm/objects/2026-03/deals/batch/read"
        );
        assert_eq!(
            ApiVersion::V3.associations("deals", "contacts", "/labels"),
            "/crm/v4/associations/deals/contacts/labels"
        );
        assert_eq!(
            dated.associations("deals", "contacts", "/labels"),
            "/crm/associations/2026-03/deals/contacts/labels"
        );
        assert_eq!("v3".parse(), Ok(ApiVersion::V3));
        for wrong in ["", "v4", "2026-3", "2026-03/..", "20a6-03"] {
            assert!(wrong.parse::<ApiVersion>().is_err(), "{wrong}");
        }
    }
}
