//! `longshore connectors`: what is there, and what a package is, without running it.

use anyhow::{Context as _, Result};
use market::{Consent, Inspection};
use serde_json::json;

use crate::args::ConnectorsCommand;
use crate::bundle::{OFFICIAL, find_official};
use crate::output::{Ending, print_json, print_line};
use crate::project::Project;

/// The package of an official connector or of a file.
pub(crate) fn load_package(connector: &str) -> Result<Vec<u8>> {
    match find_official(connector) {
        Some(package) => Ok(package.to_vec()),
        None => std::fs::read(connector).with_context(|| {
            format!("{connector:?} is neither an official connector nor a package that can be read")
        }),
    }
}

/// Lists or inspects.
pub(crate) fn connectors(command: &ConnectorsCommand, json: bool) -> Result<Ending> {
    match command {
        ConnectorsCommand::List(folder) => {
            let installed = Project::open(&folder.dir)
                .ok()
                .map(|project| project.installed().list())
                .transpose()?;
            list(&installed.unwrap_or_default(), json)?;
        }
        ConnectorsCommand::Inspect { connector } => {
            let inspection = market::inspect(&load_package(connector)?)?;
            if json {
                print_json(&describe(&inspection));
            } else {
                print_inspection(&inspection);
            }
        }
    }
    Ok(Ending::Done)
}

fn list(
    installed: &std::collections::BTreeMap<String, market::InstalledConnector>,
    json: bool,
) -> Result<()> {
    let mut rows = Vec::new();
    for (id, package) in OFFICIAL {
        let inspection = market::inspect(package)?;
        let version = inspection.manifest.version.to_string();
        rows.push((
            *id,
            version,
            inspection.manifest.publisher,
            "official",
            installed.contains_key(*id),
        ));
    }
    for (id, entry) in installed
        .iter()
        .filter(|(id, _)| find_official(id).is_none())
    {
        rows.push((
            id,
            entry.version.clone(),
            entry.publisher.clone(),
            "installed",
            true,
        ));
    }
    if json {
        let rows = rows.iter().map(|(id, version, publisher, origin, installed)| {
            json!({"id": id, "version": version, "publisher": publisher, "origin": origin, "installed": installed})
        });
        print_json(&json!({"connectors": rows.collect::<Vec<_>>()}));
    } else {
        for (id, version, publisher, origin, installed) in rows {
            let state = if installed {
                "installed"
            } else {
                "not installed"
            };
            print_line(&format!(
                "{id:<16} {version:<8} {publisher:<16} {origin:<9} {state}"
            ));
        }
    }
    Ok(())
}

fn describe(inspection: &Inspection) -> serde_json::Value {
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

fn print_inspection(inspection: &Inspection) {
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
