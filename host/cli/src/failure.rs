//! What a person reads when something could not be done: the whole chain once, an empty line, then a hint.

mod packages;

use anyhow::Error;
use model::{DestinationError, SourceError};
use sandbox::{CompileError, SandboxError};

/// A failure with the remedy that the code which failed knows.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct WithHint {
    message: String,
    hint: String,
    /// Whether a person was asked and said no: it is no news to anybody.
    is_declined: bool,
}

impl WithHint {
    /// A failure and what to do about it.
    pub(crate) fn error(message: impl Into<String>, hint: impl Into<String>) -> Error {
        Self {
            message: message.into(),
            hint: hint.into(),
            is_declined: false,
        }
        .into()
    }

    /// A person was asked and said no.
    pub(crate) fn declined(message: impl Into<String>, hint: impl Into<String>) -> Error {
        Self {
            message: message.into(),
            hint: hint.into(),
            is_declined: true,
        }
        .into()
    }
}

/// Whether a person was asked and said no.
pub(crate) fn is_declined(error: &Error) -> bool {
    let found = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<WithHint>());
    found.is_some_and(|with| with.is_declined)
}

/// What was to be printed did not arrive; what the command did besides is as it is.
pub(crate) fn unprinted(error: &std::io::Error) -> Error {
    WithHint::error(
        format!("cannot write to standard output: {error}"),
        "free some space if the disk is full; `longshore status` says what is done, and the same command given again goes on from there",
    )
}

/// The text for standard error: `error: …`, its causes, and a hint where there is one.
pub(crate) fn render(error: &Error) -> String {
    let mut text = format!("error: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // A cause that only repeats what was said adds nothing.
        if !last.ends_with(&cause) {
            text.push_str("\n  because: ");
            text.push_str(&cause);
        }
        last = cause;
    }
    if let Some(hint) = find_hint(error) {
        text.push_str("\n\nhint: ");
        text.push_str(&hint);
    }
    // A message may quote a stranger's file or server, and a terminal obeys some characters.
    text.replace(|c: char| c.is_control() && c != '\n', " ")
}

/// What to do about it, where that is known.
pub(crate) fn find_hint(error: &Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(with) = cause.downcast_ref::<WithHint>() {
            return Some(with.hint.clone());
        }
        if matches!(cause.downcast_ref::<run::RunError>(), Some(run::RunError::Owners(_))) {
            return Some("correct the section [owners] of longshore.toml".to_owned());
        }
        if matches!(cause.downcast_ref::<run::RunError>(), Some(run::RunError::Mapping(_))) {
            return Some("correct mapping.toml; `longshore mapping check` says whether it fits".to_owned());
        }
        if let Some(run::RunError::Paused(tripped)) = cause.downcast_ref() {
            return Some(format!(
                "what is done is kept. `longshore quarantine list` tells more. Put the cause right, in mapping.toml or at the destination, and \
                 make another plan; or give the same command again with --ignore-cause {}",
                tripped.handle
            ));
        }
        if matches!(cause.downcast_ref::<run::RunError>(), Some(run::RunError::NothingHeld)) {
            return Some("`longshore quarantine list` tells what is held".to_owned());
        }
        if let Some(source) = cause.downcast_ref::<SourceError>() {
            return hint_for_source(source).map(str::to_owned);
        }
        if cause.is::<localcrm::OpenError>() {
            return Some(
                "the file was left as it is: free some space if the disk is full, end other programs that write it, or \
                 put a backup in its place, then give the same command again"
                    .to_owned(),
            );
        }
        if let Some(refused) = cause.downcast_ref::<SandboxError>() {
            return hint_for_refused(refused).map(str::to_owned);
        }
        if cause.is::<store::StoreError>() {
            return None;
        }
        if let Some(hint) = packages::find_hint(cause) {
            return Some(hint.to_owned());
        }
        if cause.is::<toml::de::Error>() {
            return Some("correct or remove that line; `longshore connect` writes this file anew".to_owned());
        }
        if cause.is::<simulators::pipedrive::StartError>() || cause.is::<simulators::hubspot::StartError>() {
            return Some("give another --port, or 0 for a free one".to_owned());
        }
        match cause.downcast_ref::<DestinationError>()? {
            DestinationError::Auth(_) => {
                Some("run `longshore connect hubspot` again with a valid token, then give the same command: it goes on where it stopped".to_owned())
            }
            DestinationError::RateLimited { .. } => {
                Some("wait, then give the same command again: it goes on where it stopped".to_owned())
            }
            DestinationError::Ambiguous(_) => Some(
                "nothing is lost and nothing is written twice: give the same command again, and what became of the last writes is looked up"
                    .to_owned(),
            ),
            _ => Some("nothing is lost: put it right and give the same command again".to_owned()),
        }
    })
}

/// What the message does not say itself.
fn hint_for_refused(error: &SandboxError) -> Option<&'static str> {
    match error {
        SandboxError::Cache { .. } => Some("make the folder writable, or free some space"),
        SandboxError::Compile(CompileError::Process(_))
        | SandboxError::Engine(_)
        | SandboxError::Foreign(_) => None,
        _ => Some(
            "nothing of it has run: ask its publisher for a release that fits, and do not trust one that cannot be compiled",
        ),
    }
}

fn hint_for_source(error: &SourceError) -> Option<&'static str> {
    Some(match error {
        SourceError::Auth(_) => {
            "run `longshore connect` again with a valid token; what was read so far is kept"
        }
        SourceError::Permission(_) => "use the token of an administrator of the account",
        SourceError::RateLimited { .. } => {
            "wait, then give the same command again: it goes on where it stopped"
        }
        SourceError::Transient(_) => {
            "check the network and the address of the account, then give the same command again: it goes on where it stopped"
        }
        SourceError::Paused { .. } => {
            "wait until then, then give the same command again; if it goes on, report it to the connector's publisher"
        }
        SourceError::Trapped(_) | SourceError::BadData(_) => {
            "this is a fault of the connector: report it to its publisher"
        }
        _ => return None,
    })
}
