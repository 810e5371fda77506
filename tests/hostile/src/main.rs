//! The process that compiles for the tests and the benchmark, as `longshore compile-connector` does for the product.

fn main() -> std::process::ExitCode {
    sandbox::compile_in_child()
}
