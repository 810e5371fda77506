//! Builds the official connectors to components, so that the binary carries them. They are then installed, consented to and run like a
//! stranger's.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Folder below `plugins/`, and the name of its package.
const OFFICIAL: &[(&str, &str)] = &[("pipedrive", "connector-pipedrive")];

const TARGET: &str = "wasm32-unknown-unknown";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for watched in [
        "plugins",
        "sdk/src",
        "sdk/Cargo.toml",
        "wit",
        "Cargo.toml",
        "Cargo.lock",
    ] {
        println!("cargo::rerun-if-changed={}", house.join(watched).display());
    }
    ensure_target()?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    for (folder, package) in OFFICIAL {
        let core = build_guest(&house, &out.join("guests"), package)?;
        let manifest =
            std::fs::read_to_string(house.join("plugins").join(folder).join("manifest.toml"))?;
        let component = market::pack(&std::fs::read(core)?, &manifest)?;
        std::fs::write(out.join(folder).with_extension("wasm"), component)?;
    }
    Ok(())
}

/// `cargo` as the outer one, without what it tells its own children: lints and flags of the host are not the guest's.
fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    for variable in [
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "CARGO_TARGET_DIR",
    ] {
        command.env_remove(variable);
    }
    command
}

/// rustup may have been told not to install what `rust-toolchain.toml` lists, so it is asked.
fn ensure_target() -> Result<(), Box<dyn std::error::Error>> {
    let rustc = std::env::var("RUSTC")?;
    let library = tool(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()?;
    if Path::new(String::from_utf8(library.stdout)?.trim()).exists() {
        return Ok(());
    }
    let added = tool("rustup").args(["target", "add", TARGET]).status();
    match added {
        Ok(status) if status.success() => Ok(()),
        failed => Err(format!(
            "the Rust target {TARGET} is missing and `rustup target add {TARGET}` did not install it ({failed:?}); \
             install it for the toolchain of rust-toolchain.toml and build again"
        )
        .into()),
    }
}

fn build_guest(
    house: &Path,
    target: &Path,
    package: &str,
) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let cargo = std::env::var("CARGO")?;
    let status = tool(&cargo)
        .current_dir(house)
        .args([
            "build",
            "--locked",
            "--profile",
            "guest",
            "--target",
            TARGET,
            "-p",
            package,
            "--target-dir",
        ])
        .arg(target)
        .status()?;
    if !status.success() {
        return Err(
            format!("the connector {package} did not build to WebAssembly; see above").into(),
        );
    }
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(target.join(TARGET).join("guest").join(file))
}
