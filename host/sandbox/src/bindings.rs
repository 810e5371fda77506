//! The contract line 0.1 as Rust, generated from `wit/v0.1`.
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
