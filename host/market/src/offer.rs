//! A package that is offered for installing, what was found out about it, and the answer that lets it in.
//!
//! An [`Agreed`] can only be made of an [`Examined`], so nothing is installed that was not judged, and agreed to or not wider.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::consent::Consent;
use crate::inspect::Inspection;
use crate::line::Line;
use crate::trust::{Backing, Verdict};

/// Where a package came from. Written `bundled`, `file:…`, `folder:…` or `oci://…`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Origin {
    /// Out of the binary.
    Bundled,
    /// A file that was named.
    File(String),
    /// A registry that is a folder.
    Folder(String),
    /// A repository of an OCI registry, `host/name`.
    Oci(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => f.write_str("bundled"),
            Self::File(path) => write!(f, "file:{path}"),
            Self::Folder(path) => write!(f, "folder:{path}"),
            Self::Oci(repository) => write!(f, "oci://{repository}"),
        }
    }
}

/// Says that a text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an origin: expected bundled, file:…, folder:… or oci://…")]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let rest = |prefix: &str| text.strip_prefix(prefix).map(str::to_owned);
        if text == "bundled" {
            return Ok(Self::Bundled);
        }
        let file = rest("file:").map(Self::File);
        let folder = || rest("folder:").map(Self::Folder);
        let oci = || rest("oci://").map(Self::Oci);
        file.or_else(folder).or_else(oci).ok_or(OriginError)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        text.parse()
    }
}

/// A package that is offered: its bytes, what speaks for it, where it came from. Nothing of it is checked yet.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The package.
    pub package: Vec<u8>,
    /// What speaks for it.
    pub backing: Backing,
    /// Where it came from.
    pub origin: Origin,
}

/// What an offered package changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The connector is not installed.
    New,
    /// It is the package that is installed.
    Same,
    /// Nothing that was not agreed to before.
    NotWider,
    /// It may do more than before, or other people stand for it.
    Wider(Vec<Line>),
}

/// An offered package that may be trusted, and what to ask about it.
#[derive(Clone, Debug)]
pub struct Examined {
    pub(crate) offer: Offer,
    pub(crate) inspection: Inspection,
    pub(crate) consent: Consent,
    pub(crate) verdict: Verdict,
    pub(crate) change: Change,
    pub(crate) replaces: Option<String>,
}

/// How it came that a package may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// A person said yes to what it asks for.
    Answered,
    /// Nobody had to be asked: it asks for nothing that was not agreed to before.
    NotWider,
}

impl Agreement {
    /// As it is written in the ledger and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NotWider => "not-wider",
        }
    }
}

/// A package that may be installed.
#[derive(Clone, Debug)]
pub struct Agreed {
    pub(crate) examined: Examined,
    agreement: Agreement,
}

impl Examined {
    /// What it asks for, bound to the digests of the package and its manifest.
    pub fn consent(&self) -> &Consent {
        &self.consent
    }

    /// What it is.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// On what it is trusted.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What it changes.
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// The version that it takes the place of, where the connector is installed.
    pub fn replaces(&self) -> Option<&str> {
        self.replaces.as_deref()
    }

    /// A person agreed to it.
    #[must_use]
    pub fn agreed(self) -> Agreed {
        Agreed {
            examined: self,
            agreement: Agreement::Answered,
        }
    }

    /// Goes on without asking, where nothing is wider than what was agreed to before; else gives the package back.
    ///
    /// # Errors
    /// With the package, when somebody must be asked.
    pub fn without_asking(self) -> Result<Agreed, Box<Self>> {
        match self.change {
            Change::Same | Change::NotWider => Ok(Agreed {
                examined: self,
                agreement: Agreement::NotWider,
            }),
            Change::New | Change::Wider(_) => Err(Box::new(self)),
        }
    }
}

impl Agreed {
    /// What it asks for.
    pub fn consent(&self) -> &Consent {
        &self.examined.consent
    }

    /// What it is.
    pub fn inspection(&self) -> &Inspection {
        &self.examined.inspection
    }

    /// The package's bytes.
    pub fn package(&self) -> &[u8] {
        &self.examined.offer.package
    }

    /// What it changes.
    pub fn change(&self) -> &Change {
        &self.examined.change
    }

    /// Where it came from.
    pub fn origin(&self) -> &Origin {
        &self.examined.offer.origin
    }

    /// How it came that it may be installed.
    pub fn agreement(&self) -> Agreement {
        self.agreement
    }
}
