//! The contract line 0.1 as Rust, generated from `wit/v0.1`; and the few interfaces of WASI from `wasi.wit`.
//!
//! Nothing outside of this crate sees these types.

wasmtime::component::bindgen!({
    path: "../../wit/v0.1",
    inline: "
        package longshore:host;

        world everything {
            import longshore:connector/http@0.1.0;
            import longshore:connector/runtime@0.1.0;
            export longshore:connector/source@0.1.0;
            export longshore:connector/engagements@0.1.0;
            export longshore:connector/stages@0.1.0;
        }
    ",
    world: "longshore:host/everything",
    imports: {
        "longshore:connector/http.send": async | trappable,
        "longshore:connector/runtime": trappable,
    },
    exports: { default: async },
});

/// What a component of another language may import.
pub(crate) mod wasi {
    wasmtime::component::bindgen!({
        path: "wasi.wit",
        world: "longshore:wasi/imports",
        imports: {
            "wasi:io/poll.poll": async | trappable,
            "wasi:io/poll.[method]pollable.block": async | trappable,
            default: trappable,
        },
        with: {
            "wasi:io/error.error": crate::console::StreamFailure,
            "wasi:io/poll.pollable": crate::console::Pollable,
            "wasi:io/streams.input-stream": crate::console::InputStream,
            "wasi:io/streams.output-stream": crate::console::OutputStream,
        },
    });
}
