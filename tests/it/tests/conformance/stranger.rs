//! Holds a connector from outside of this tree: what `LONGSHORE_CONFORM` names is a TOML file that says where its package is, and where
//! its vendor's API was started on loopback. Without it there is nothing to test.
//!
//! The file's keys are described by [`Description`] and, with an example, in `sdk/README.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;

use super::bench::{Account, Vendor};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    /// The package, beside the file.
    package: PathBuf,
    /// An account with several records of every object.
    full: Place,
    /// A fresh account.
    empty: Place,
    /// Values for the places in the endpoints' addresses.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    /// The full account's id.
    account: String,
    /// Object to texts that fields of its records hold; some of them beyond ASCII.
    texts: BTreeMap<String, Vec<String>>,
    /// Objects that the fresh account has records of.
    #[serde(default)]
    never_empty: Vec<String>,
    /// Objects whose vendor narrows only a part of the list by time, and repeats some records with more in them.
    #[serde(default)]
    loose: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    base_url: String,
    token: String,
}

fn description() -> Option<&'static Description> {
    static DESCRIPTION: OnceLock<Option<Description>> = OnceLock::new();
    let read = || {
        let path = std::env::var_os("LONGSHORE_CONFORM")?;
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut read: Description = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        let folder = Path::new(&path).parent().unwrap_or(Path::new(""));
        read.package = folder.join(&read.package);
        Some(read)
    };
    DESCRIPTION.get_or_init(read).as_ref()
}

pub(crate) fn package() -> Option<Vec<u8>> {
    let path = &description()?.package;
    let read = std::fs::read(path);
    Some(read.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

pub(crate) async fn start(account: Account) -> Vendor {
    let about = description().expect("there is a package");
    let place = match account {
        Account::Full => about.full.clone(),
        Account::Empty => about.empty.clone(),
    };
    let texts = about.texts.iter().flat_map(|(object, texts)| {
        let object = object.as_str();
        texts.iter().map(move |text| (object, text.clone()))
    });
    Vendor {
        base_url: place.base_url,
        token: place.token,
        parameters: about.parameters.clone(),
        account: about.account.clone(),
        texts: texts.collect(),
        never_empty: about.never_empty.clone(),
        loose: about.loose.clone(),
        _running: Box::new(()),
    }
}
