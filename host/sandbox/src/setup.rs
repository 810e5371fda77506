//! How the engine is configured: what connectors may be made of, and how they are compiled.
//!
//! The process that compiles and the process that runs must agree on every line of it; where instances get their memory is not part of it,
//! that is `engine`'s.

use std::time::Duration;

use wasmtime::Config;

/// How often running guests are looked at.
pub(crate) const TICK: Duration = Duration::from_millis(10);

pub(crate) fn configure() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true);
    // Nothing that a connector needs, and less to go wrong.
    config
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false);
    config.max_wasm_stack(512 << 10).async_stack_size(1 << 20);
    config
}
