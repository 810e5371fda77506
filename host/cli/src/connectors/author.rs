//! The connector author's way: pack, make a key, sign, publish; and the registry operator's: revoke.
//!
//! A secret key is read from a file and never printed.

use std::path::Path;

use anyhow::{Context as _, Result};
use market::registry::{OciAddress, OciRepository, Registry};
use market::{Backing, Revocations, Revoked, Rotation, SecretKey, SignatureFile};
use serde_json::json;

use super::find::{login, read_file, read_signature, registry_location, signature_path};
use crate::args::{Pack, Publish, Revoke, Sign};
use crate::failure::WithHint;
use crate::output::{print_json, print_line};

/// Makes a package.
pub(super) fn pack(command: &Pack, json: bool) -> Result<()> {
    let read = |path: &Path| format!("cannot read {}", path.display());
    let module = std::fs::read(&command.module).with_context(|| read(&command.module))?;
    let manifest =
        std::fs::read_to_string(&command.manifest).with_context(|| read(&command.manifest))?;
    let package = market::pack(&module, &manifest)?;
    // Looked into before it is written: what nobody could install is better told now.
    let inspection = market::inspect(&package)?;
    write(&command.out, &package)?;
    if json {
        print_json(&json!({
            "package": command.out, "id": inspection.manifest.id, "version": inspection.manifest.version,
            "component_digest": inspection.component_digest,
        }));
    } else {
        print_line(&format!(
            "packed {} {} as {}; next: `longshore connectors sign`",
            inspection.manifest.id,
            inspection.manifest.version,
            command.out.display()
        ));
    }
    Ok(())
}

/// Makes a key.
pub(super) fn keygen(out: &Path, json: bool) -> Result<()> {
    let key = SecretKey::generate()?;
    key.save(out)?;
    let mut name = out.as_os_str().to_owned();
    name.push(".pub");
    let public = Path::new(&name);
    write(public, format!("{}\n", key.public()).as_bytes())?;
    if json {
        print_json(&json!({"key": key.public(), "secret_file": out, "public_file": public}));
    } else {
        print_line(&format!("{}", key.public()));
        print_line(&format!(
            "the secret key is in {}: keep it, and a copy elsewhere; who has it can publish in your name",
            out.display()
        ));
    }
    Ok(())
}

/// Signs a package.
pub(super) fn sign(command: &Sign, json: bool) -> Result<()> {
    let key = SecretKey::load(&command.key)?;
    let path = signature_path(&command.package);
    // What lies beside the package may be an older signature that does not fit any more, so it is not looked at.
    let package = std::fs::read(&command.package)
        .with_context(|| format!("cannot read {}", command.package.display()))?;
    let inspection = market::inspect(&package)?;
    let mut rotations = match &command.earlier {
        Some(earlier) => read_signature(earlier)?.rotation_texts(),
        None => Vec::new(),
    };
    if let Some(old) = &command.old_key {
        rotations.push(Rotation::announce(&SecretKey::load(old)?, key.public()));
    }
    let file = SignatureFile::sign(&inspection, &key, &rotations)?;
    write(&path, file.text().as_bytes())?;
    if json {
        print_json(&json!({
            "signature": path, "key": key.public(), "id": inspection.manifest.id, "version": inspection.manifest.version,
            "component_digest": inspection.component_digest, "announced_keys": rotations.len(),
        }));
    } else {
        print_line(&format!(
            "signed {} {} with {}: {}",
            inspection.manifest.id,
            inspection.manifest.version,
            key.public(),
            path.display()
        ));
    }
    Ok(())
}

/// Publishes a signed package.
pub(super) async fn publish(command: Publish, json: bool) -> Result<()> {
    let location = registry_location(command.registry)?;
    let offer = read_file(&command.package)?;
    let inspection = market::inspect(&offer.package)?;
    let Backing::Signed(signature) = &offer.backing else {
        let message = format!("{} is not signed", command.package.display());
        return Err(WithHint::error(
            message,
            "sign it first: `longshore connectors sign PACKAGE --key FILE`",
        ));
    };
    signature.check(&inspection)?;
    let registry = Registry::of_connector(&location, &inspection.manifest.id, login())?;
    let published = registry
        .publish(&offer.package, &inspection, signature)
        .await?;
    if json {
        print_json(&json!({
            "at": published.at, "artifact": published.artifact, "was_there": published.was_there, "id": inspection.manifest.id,
            "version": inspection.manifest.version, "component_digest": inspection.component_digest,
        }));
    } else {
        let done = if published.was_there {
            "was published already"
        } else {
            "published"
        };
        print_line(&format!("{done}: {}", published.at));
    }
    Ok(())
}

/// Adds to a registry's list of revocations.
pub(super) async fn revoke(command: Revoke, json: bool) -> Result<()> {
    let location = registry_location(command.registry)?;
    let registry = match OciAddress::parse(&location) {
        Some(address) => {
            let opened = OciRepository::open(&address?.repository, login())?;
            Registry::Oci(Box::new(opened))
        }
        None => Registry::folder(&location)?,
    };
    let revoked = match (command.revoked.parse(), command.revoked.parse()) {
        (Ok(digest), _) => Revoked::Package(digest),
        (_, Ok(key)) => Revoked::Key(key),
        _ => {
            let message = format!("{:?} is neither a digest nor a public key", command.revoked);
            return Err(WithHint::error(
                message,
                "give sha256:… of a package or ed25519:… of a publisher",
            ));
        }
    };
    if !market::revocation::is_reason(&command.reason) {
        return Err(WithHint::error(
            "that reason cannot be written down",
            "one line of at most 200 ASCII characters",
        ));
    }
    let operator = SecretKey::load(&command.key)?;
    let before = registry.fetch_revocations().await?;
    let (mut entries, mut serial) = (Vec::new(), 0);
    if let Some(text) = before {
        let list = Revocations::parse(&text).context("the registry's list is refused")?;
        if list.operator != operator.public() {
            let message = format!("the registry's list is signed with {}", list.operator);
            return Err(WithHint::error(
                message,
                "sign with that key: everybody who saw the list refuses another",
            ));
        }
        (entries, serial) = (list.entries, list.serial);
    }
    entries.push((revoked, command.reason));
    let list = Revocations::sign(&operator, serial + 1, &entries)?;
    registry.publish_revocations(&list).await?;
    if json {
        print_json(
            &json!({"registry": registry.origin(), "serial": list.serial, "revoked": entries.len()}),
        );
    } else {
        print_line(&format!(
            "revoked {revoked}; list {} of {}",
            list.serial,
            registry.origin()
        ));
    }
    Ok(())
}

/// Writes a whole file aside, then in its place.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    Ok(market::write_aside(path, bytes)?)
}
