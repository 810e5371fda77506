//! Prints what connectors there are, and what a package is, without running it.

use std::path::Path;

use anyhow::Result;
use market::registry::{FolderRegistry, Listing, OciAddress, OciRepository};
use market::{Backing, Consent, Inspection};
use serde_json::{Value, json};

use super::find::{Where, find_offer, login, registry_location};
use crate::args::Search;
use crate::bundle::OFFICIAL;
use crate::output::{print_json, print_line};
use crate::project::Project;

struct Row {
    id: String,
    version: String,
    publisher: String,
    origin: String,
    trust: String,
    installed: bool,
}

/// Lists the official connectors and the project's.
pub(super) fn list(folder: &Path, json: bool) -> Result<()> {
    let project = Project::open(folder).ok();
    let mut installed = match &project {
        Some(project) => project.installed().list()?,
        None => std::collections::BTreeMap::new(),
    };
    let mut rows = Vec::new();
    for (id, package) in OFFICIAL {
        let manifest = market::inspect(package)?.manifest;
        let entry = installed.remove(*id);
        rows.push(Row {
            id: (*id).to_owned(),
            installed: entry.is_some(),
            version: entry.as_ref().map_or_else(
                || manifest.version.to_string(),
                |entry| entry.version.clone(),
            ),
            publisher: manifest.publisher,
            origin: "official".to_owned(),
            trust: entry.map_or_else(|| "bundled".to_owned(), |entry| entry.trust.to_string()),
        });
    }
    rows.extend(installed.into_iter().map(|(id, entry)| Row {
        id,
        version: entry.version,
        publisher: entry.publisher,
        origin: "installed".to_owned(),
        trust: entry.trust.to_string(),
        installed: true,
    }));
    if json {
        let rows = rows.iter().map(|row| {
            json!({
                "id": row.id, "version": row.version, "publisher": row.publisher, "origin": row.origin, "trust": row.trust,
                "installed": row.installed,
            })
        });
        print_json(&json!({"connectors": rows.collect::<Vec<_>>()}));
        return Ok(());
    }
    for row in rows {
        let state = if row.installed {
            "installed"
        } else {
            "not installed"
        };
        print_line(&format!(
            "{:<16} {:<8} {:<16} {:<9} {state:<13} {}",
            row.id, row.version, row.publisher, row.origin, row.trust
        ));
    }
    Ok(())
}

/// Searches a folder, or lists a repository.
pub(super) async fn search(command: Search, json: bool) -> Result<()> {
    let location = registry_location(command.registry)?;
    if let Some(address) = OciAddress::parse(&location) {
        let repository = OciRepository::open(&address?.repository, login())?;
        let mut versions = repository.list_versions().await?;
        versions.sort_by(|a, b| b.cmp(a));
        if json {
            print_json(&json!({"registry": location, "versions": versions}));
        } else {
            versions
                .iter()
                .for_each(|version| print_line(&format!("{location}:{version}")));
        }
        return Ok(());
    }
    let folder = FolderRegistry::new(std::path::absolute(&location)?);
    let found = folder.search(&command.words.join(" "))?;
    if json {
        print_json(&json!({"registry": location, "connectors": found}));
    } else {
        found.iter().for_each(print_listing);
    }
    Ok(())
}

fn print_listing(listing: &Listing) {
    let versions: Vec<_> = listing.versions.iter().map(ToString::to_string).collect();
    print_line(&format!(
        "{:<16} {:<16} {} ({})",
        listing.id,
        listing.publisher,
        listing.name,
        versions.join(", ")
    ));
    if !listing.description.is_empty() {
        print_line(&format!("  {}", listing.description));
    }
}

/// Shows what a package is, wants, imports and exports, and who signed it.
pub(super) async fn inspect(connector: &str, json: bool) -> Result<()> {
    let offer = find_offer(connector, &Where::default()).await?.offer;
    let inspection = market::inspect(&offer.package)?;
    let (state, key, told) = match &offer.backing {
        Backing::Bundled => (
            "bundled",
            None,
            "part of this longshore, and trusted as it is".to_owned(),
        ),
        Backing::Unsigned => (
            "unsigned",
            None,
            "none: anybody may have made it or changed it on its way".to_owned(),
        ),
        Backing::Signed(file) => {
            let key = file.envelope.key;
            match file.check(&inspection) {
                Ok(()) => (
                    "signed",
                    Some(key),
                    format!("by {key}; whose key that is, nobody has proved"),
                ),
                Err(error) => ("refused", Some(key), error.to_string()),
            }
        }
    };
    if json {
        let mut found = describe(&inspection);
        found["signature"] = json!({"state": state, "key": key, "told": told});
        print_json(&found);
    } else {
        print_inspection(&inspection, &told);
    }
    Ok(())
}

fn describe(inspection: &Inspection) -> Value {
    let consent = Consent::new(inspection);
    json!({
        "id": inspection.manifest.id,
        "name": inspection.manifest.name,
        "version": inspection.manifest.version.to_string(),
        "publisher": inspection.manifest.publisher,
        "contract": inspection.manifest.contract,
        "component_digest": inspection.component_digest.to_string(),
        "manifest_digest": inspection.manifest_digest.to_string(),
        "imports": inspection.imports,
        "wasi_imports": inspection.wasi_imports,
        "exports": inspection.exports,
        "size_bytes": inspection.size_bytes,
        "wants": consent.lines.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn print_inspection(inspection: &Inspection, signature: &str) {
    let manifest = &inspection.manifest;
    print_line(&format!(
        "{} {} by {}",
        manifest.name, manifest.version, manifest.publisher
    ));
    print_line(&manifest.description);
    print_line(&format!("contract    {}", manifest.contract));
    print_line(&format!(
        "component   {} ({} KiB)",
        inspection.component_digest,
        inspection.size_bytes / 1024
    ));
    print_line(&format!("manifest    {}", inspection.manifest_digest));
    print_line(&format!("signature   {signature}"));
    print_line(&format!("imports     {}", inspection.imports.join(", ")));
    if !inspection.wasi_imports.is_empty() {
        print_line(&format!(
            "WASI        {}",
            inspection.wasi_imports.join(", ")
        ));
    }
    print_line(&format!("exports     {}", inspection.exports.join(", ")));
    print_line("It asks to:");
    for line in &Consent::new(inspection).lines {
        print_line(&format!("  - {line}"));
    }
}
