//! What to do when a connector's package, signature or registry is refused.

use market::registry::RegistryError;
use market::{
    InstallError, KeyError, RevocationsError, SignatureError, StatementError, TrustError,
};

/// The hint for a cause that comes from `market`.
pub(super) fn find_hint(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    if let Some(error) = cause.downcast_ref::<InstallError>() {
        return Some(match error {
            InstallError::Trust(error) => hint_for_trust(error),
            InstallError::Revocations { source, .. } => hint_for_revocations(source),
            InstallError::NotInstalled(_) => "`longshore connectors list` shows what is installed",
            InstallError::Refused(_) => {
                "nothing was installed: report it to the connector's publisher"
            }
            _ => "connect again: `longshore connect` installs the connector anew",
        });
    }
    if let Some(error) = cause.downcast_ref::<RegistryError>() {
        return Some(hint_for_registry(error));
    }
    if cause.is::<SignatureError>() || cause.is::<StatementError>() {
        return Some(
            "the package or its signature was changed: get both again from the publisher, or sign the package anew if it is yours",
        );
    }
    match cause.downcast_ref::<KeyError>()? {
        KeyError::Disk(_) => {
            Some("a key is never overwritten: name another file, or the one that holds your key")
        }
        _ => Some("make a key with `longshore connectors keygen --out FILE`"),
    }
}

fn hint_for_trust(error: &TrustError) -> &'static str {
    match error {
        TrustError::Unsigned { .. } => {
            "ask its publisher for the signature, which lies beside the package with the ending .sig; developers: --allow-unsigned"
        }
        TrustError::Signature { .. } => {
            "the package was changed on its way, or signed by somebody else: nothing was installed; get it again from the publisher"
        }
        TrustError::Changed { .. } => {
            "nothing was installed; ask the publisher by another way whether this is right, and only then forget the old key: \
             `longshore connectors remove NAME --forget-key`"
        }
        TrustError::Revoked { .. } => {
            "do not use it; `longshore connectors upgrade NAME` takes a newer version where there is one"
        }
        TrustError::Downgrade { .. } => {
            "an older version may have faults that were mended: to take it all the same, `longshore connectors remove NAME --forget-key` first"
        }
        TrustError::SameVersion { .. } => {
            "a version is one package for good: report it to the publisher, who must give it a new number"
        }
    }
}

fn hint_for_revocations(error: &RevocationsError) -> &'static str {
    match error {
        RevocationsError::Statement(_)
        | RevocationsError::Gone
        | RevocationsError::Older { .. } => {
            "somebody may be hiding what was revoked: nothing was installed; ask who runs the registry"
        }
        RevocationsError::OtherKey { .. } => {
            "nothing was installed; ask who runs the registry whether the key was changed"
        }
    }
}

fn hint_for_registry(error: &RegistryError) -> &'static str {
    match error {
        RegistryError::Location(_) => {
            "a folder is named by its path, a registry as oci://HOST/REPOSITORY in lower case"
        }
        RegistryError::NotFound { .. } => {
            "`longshore connectors search --registry REGISTRY` shows what there is"
        }
        RegistryError::Exists { .. } => {
            "a version is never published twice: give the manifest a higher one, pack and sign again"
        }
        RegistryError::Login { .. } => {
            "set LONGSHORE_REGISTRY_USER and LONGSHORE_REGISTRY_PASSWORD"
        }
        RegistryError::Unusable { .. } => {
            "check the address and the network, then give the same command again"
        }
        _ => "nothing was changed here: report it to who runs the registry",
    }
}
