//! The official connectors, built by `build.rs` and carried in the binary. They get no privilege from it.

/// Id of each official connector and its package.
pub(crate) const OFFICIAL: &[(&str, &[u8])] = &[(
    "pipedrive",
    include_bytes!(concat!(env!("OUT_DIR"), "/pipedrive.wasm")),
)];

/// The package of that official connector.
pub(crate) fn find_official(id: &str) -> Option<&'static [u8]> {
    OFFICIAL
        .iter()
        .find(|(official, _)| *official == id)
        .map(|(_, package)| *package)
}
