//! Asks a person for what a connector wants, writes the answer into the ledger, and lets the package in.
//!
//! What is wider than before, and whether it may be trusted at all, `market` decides.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::Result;
use market::{Agreed, Change, Examined, Offer, UnsignedPackages, Verdict};

use crate::args::Answer;
use crate::failure::WithHint;
use crate::progress::tell;
use crate::project::Project;

/// Examines an offered package and asks where somebody must be asked. Nothing is written yet.
pub(crate) fn ask_consent(project: &Project, offer: Offer, answer: Answer) -> Result<Agreed> {
    let unsigned = if answer.allow_unsigned {
        UnsignedPackages::Allowed
    } else {
        UnsignedPackages::Refused
    };
    let examined = project.installed().examine(offer, unsigned)?;
    let examined = match examined.without_asking() {
        Ok(agreed) => {
            tell_unasked(&agreed);
            return Ok(agreed);
        }
        Err(examined) => *examined,
    };
    show(&examined);
    if answer.yes || ask("Agree?")? {
        return Ok(examined.agreed());
    }
    let message = match examined.change() {
        Change::Wider(_) => format!(
            "connector {:?} stays as it is: what it asks for in addition was not agreed to",
            examined.consent().id
        ),
        _ => "not connected: the connector was not agreed to".to_owned(),
    };
    Err(WithHint::error(message, "answer y, or give --yes"))
}

fn tell_unasked(agreed: &Agreed) {
    let consent = agreed.consent();
    if let Some(verdict @ Verdict::AnnouncedKey { .. }) = consent.trust {
        tell(&format!(
            "{} {} is {verdict}",
            consent.name, consent.version
        ));
    }
    if *agreed.change() == Change::NotWider {
        tell(&format!(
            "{} {} asks for nothing that was not agreed to before",
            consent.name, consent.version
        ));
    }
}

fn show(examined: &Examined) {
    let consent = examined.consent();
    let head = format!(
        "{} {} by {} ({})",
        consent.name, consent.version, consent.publisher, consent.component_digest
    );
    let lines = match (examined.change(), examined.replaces()) {
        (Change::Wider(wider), Some(before)) => {
            tell(&format!(
                "{head} asks for more than {before}, which was agreed to:"
            ));
            wider
        }
        _ => {
            tell(&format!("{head} asks to:"));
            &consent.lines
        }
    };
    lines.iter().for_each(|line| tell(&format!("  - {line}")));
    tell(&format!("It is {}.", examined.verdict()));
}

/// Asks on the terminal. Without one nobody can answer, so it is a no.
pub(crate) fn ask(question: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    tell(&format!("{question} [y/N]"));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Compiles, which refuses what this host cannot run; writes the agreement into the ledger, then installs: a crash in between leaves an
/// agreement that nothing came of.
pub(crate) fn carry_out(project: &Project, agreed: &Agreed) -> Result<()> {
    let consent = agreed.consent();
    project.compile(&consent.id, agreed.package())?;
    let asked = match agreed.change() {
        Change::Wider(wider) => wider,
        Change::New | Change::Same | Change::NotWider => &consent.lines,
    };
    let entry = store::ConsentEntry {
        connector: consent.id.clone(),
        version: consent.version.clone(),
        publisher: consent.publisher.clone(),
        component: consent.component_digest.clone(),
        manifest: consent.manifest_digest.clone(),
        trust: consent
            .trust
            .map(|verdict| verdict.trust().to_string())
            .unwrap_or_default(),
        origin: agreed.origin().to_string(),
        agreement: agreed.agreement().name().to_owned(),
        lines: asked.iter().map(ToString::to_string).collect(),
    };
    // The store is this process's alone until it is dropped, so no run is in the middle of its work with the older package.
    let mut store = project.store()?;
    if *agreed.change() != Change::Same {
        store.write_consent(&entry)?;
    }
    project.installed().install(agreed)?;
    Ok(())
}
