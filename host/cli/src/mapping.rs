//! The mapping file: `mapping.toml` in the project's folder, and the commands that write, show and check it.
//!
//! What a mapping may say, and what follows from it, is `reconcile`'s. Without the file the default mapping holds.

mod file;
mod template;
mod view;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use reconcile::Overrides;
use run::Discovered;

use crate::failure::WithHint;
use crate::output::print_line;
use crate::project::Project;

const FILE: &str = "mapping.toml";

/// Where the project's mapping file is, whether or not it is there.
pub(crate) fn path(project: &Project) -> PathBuf {
    project.folder.join(FILE)
}

/// What the project's mapping file says; `None` where there is none. What is wrong with it is told with what the two sides do not bear
/// out, when they are read.
pub(crate) fn load(project: &Project) -> Result<Option<Overrides>> {
    let path = path(project);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(file::parse(text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Writes a file that says what holds without it.
pub(crate) fn write(project: &Project, found: &Discovered) -> Result<PathBuf> {
    let path = path(project);
    let mut aside = tempfile::NamedTempFile::new_in(&project.folder)?;
    std::io::Write::write_all(&mut aside, template::write(found).as_bytes())?;
    aside.as_file().sync_all()?;
    let written = aside.persist_noclobber(&path);
    written.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Refuses where there is a file already: what a person wrote is not written over.
pub(crate) fn refuse_existing(project: &Project) -> Result<()> {
    let path = path(project);
    if path.exists() {
        return Err(WithHint::error(
            format!("{} is there already", path.display()),
            "move it away for a fresh one; `longshore mapping check` says whether it still fits",
        ));
    }
    Ok(())
}

/// Shows what becomes of what, field by field and stage by stage.
pub(crate) fn show(found: &Discovered) {
    view::lines(found).iter().for_each(|line| print_line(line));
}
