//! Components that are made to eat the compiler: it is a process of its own, which is stopped, and what runs beside it runs on.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox::{CompileError, CompileLimits, Compiler, ConnectorCache, SandboxError};

use crate::beside::{Silence, TURN, compile, engine, fetch, limits, resident_bytes, source};
use crate::guest::Guest;

/// What compiling may take here.
const LIMIT: Duration = Duration::from_millis(1_000);
const SLACK: Duration = Duration::from_millis(600);

/// The program that compiles for the tests.
pub(crate) fn compiler() -> Compiler {
    Compiler {
        program: env!("CARGO_BIN_EXE_cell-compiler").into(),
        arguments: Vec::new(),
        limits: CompileLimits::default(),
    }
}

fn limited(limits: CompileLimits) -> Compiler {
    Compiler {
        limits,
        ..compiler()
    }
}

fn in_a_second() -> Compiler {
    limited(CompileLimits {
        timeout: LIMIT,
        ..CompileLimits::default()
    })
}

/// Compiles it beside a neighbour that reads its pages, and says why it was not compiled.
async fn refuse(make: impl FnOnce() -> Vec<u8>, compiler: Compiler) -> CompileError {
    match refuse_any(make, compiler).await {
        SandboxError::Compile(error) => error,
        other => panic!("it is no bomb: {other:?}"),
    }
}

/// As [`refuse`], where it may be refused for another reason.
async fn refuse_any(make: impl FnOnce() -> Vec<u8>, compiler: Compiler) -> SandboxError {
    // Made when it is its turn: a bomb takes memory here too, as text.
    let _turn = TURN.lock().await;
    let component = make();
    let limit = compiler.limits.timeout;
    let folder = tempfile::tempdir().unwrap();
    let cache = ConnectorCache::open(folder.path().join("compiled"), compiler).unwrap();
    let (near, _) = source(
        compile(&Guest::new()),
        "neighbour",
        Arc::new(Silence),
        limits(),
    );
    fetch(&near).await.unwrap();
    let (start, resident) = (Instant::now(), resident_bytes());
    let compiling = tokio::task::spawn_blocking(move || cache.load(engine(), &component));
    let mut pages = 0;
    while !compiling.is_finished() {
        let page = fetch(&near).await.expect("the neighbour is unharmed");
        assert_eq!(page.records.len(), 2);
        pages += 1;
        tokio::task::yield_now().await;
    }
    let took = start.elapsed();
    let time_max = limit.max(LIMIT) + SLACK;
    assert!(took < time_max, "stopped after {took:?}");
    assert!(
        took < Duration::from_millis(50) || pages > 2,
        "{pages} pages in {took:?}"
    );
    let growth = resident_bytes().saturating_sub(resident);
    assert!(growth < 64 << 20, "this process grew by {growth} bytes");
    let entries = std::fs::read_dir(folder.path().join("compiled")).unwrap();
    assert_eq!(entries.count(), 1, "there is a key and no entry");
    compiling.await.unwrap().expect_err("it is refused")
}

/// A component of one module with those functions.
fn component(functions: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (core module (memory 1) {functions}))")).unwrap()
}

#[track_caller]
fn check_time(error: &CompileError) {
    assert!(matches!(error, CompileError::Time(LIMIT)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_functions_are_stopped() {
    let body = "(func (param i32) (result i32) (i32.load (i32.add (local.get 0) (i32.load (local.get 0)))))";
    check_time(&refuse(|| component(&body.repeat(100_000)), in_a_second()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_huge_function_is_stopped() {
    let step = "(local.set 0 (i32.add (i32.load (local.get 0)) (i32.load offset=8 (local.get 0))))";
    let function = format!("(func (param i32) {})", step.repeat(100_000));
    check_time(&refuse(|| component(&function), in_a_second()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_function_of_nested_loops_and_many_values_is_stopped() {
    // Every value lives through every loop: the work for the register allocator is the product.
    let step = |n: usize| {
        let (own, other) = (n + 1, (n + 7) % 1_000 + 1);
        format!("(local.set {own} (i64.add (local.get {own}) (local.get {other})))")
    };
    let steps: String = (0..1_000).map(step).collect();
    let function = format!(
        "(func (param i32) (local {}) {} {} {})",
        "i64 ".repeat(1_000),
        "(loop ".repeat(200),
        steps.repeat(20),
        "(br_if 0 (local.get 0)))".repeat(200),
    );
    let error = refuse(|| component(&function), in_a_second()).await;
    assert!(
        matches!(error, CompileError::Time(_) | CompileError::Memory(_)),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_takes_more_memory_than_compiling_may_is_stopped() {
    let step = "(local.set 0 (i32.add (i32.load (local.get 0)) (i32.load offset=8 (local.get 0))))";
    let function = format!("(func (param i32) {})", step.repeat(60_000));
    let compiler = limited(CompileLimits {
        memory_max_bytes: 160 << 20,
        timeout: LIMIT * 20,
        ..CompileLimits::default()
    });
    let error = refuse(|| component(&function), compiler).await;
    assert!(matches!(error, CompileError::Memory(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_whose_code_is_larger_than_agreed_is_refused() {
    let compiler = limited(CompileLimits {
        code_max_bytes: 4 << 10,
        ..CompileLimits::default()
    });
    let error = refuse(|| Guest::new().build(), compiler).await;
    assert!(matches!(error, CompileError::Size(4_096)), "{error:?}");
}

/// Wraps components in components, as deep as that.
fn nested(depth: usize) -> Vec<u8> {
    const HEAD: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
    let mut inner = HEAD.to_vec();
    for _ in 0..depth {
        let mut outer = HEAD.to_vec();
        outer.push(4);
        let mut rest = inner.len();
        while rest >= 0x80 {
            outer.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
            rest >>= 7;
        }
        outer.push(u8::try_from(rest).unwrap());
        outer.extend(inner);
        inner = outer;
    }
    inner
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn components_nested_ten_thousand_deep_are_refused() {
    let error = refuse(|| nested(10_000), in_a_second()).await;
    let is_expected = matches!(
        error,
        CompileError::Refused(_) | CompileError::Crash(_) | CompileError::Time(_)
    );
    assert!(is_expected, "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_nested_fifty_thousand_deep_are_stopped_or_refused() {
    let function = format!(
        "(func {} {})",
        "block ".repeat(50_000),
        "end ".repeat(50_000)
    );
    let error = refuse_any(|| component(&function.repeat(20)), in_a_second()).await;
    // The engine may get through it in time; then it is a component, and no connector.
    let is_expected = matches!(
        error,
        SandboxError::Compile(_) | SandboxError::MissingExport { .. }
    );
    assert!(is_expected, "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_component_are_refused_with_a_reason() {
    let good = Guest::new().build();
    for bytes in [
        b"no wasm".to_vec(),
        good[..good.len() - 9].to_vec(),
        Vec::new(),
    ] {
        let error = refuse(|| bytes, in_a_second()).await;
        let CompileError::Refused(reason) = &error else {
            panic!("{error:?}")
        };
        assert!(!reason.is_empty() && !reason.contains('\n'), "{reason:?}");
    }
}

/// Programs of every system, in the compiler's place.
fn impostor(program: &str, arguments: &[&str]) -> Compiler {
    assert!(Path::new(program).exists());
    Compiler {
        program: program.into(),
        arguments: arguments.iter().map(OsString::from).collect(),
        ..in_a_second()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compiler_that_hangs_breaks_down_or_is_not_there_is_an_error() {
    let component = || Guest::new().build();
    check_time(&refuse(component, impostor("/bin/sleep", &["600"])).await);
    // Closes its output and stays.
    check_time(
        &refuse(
            component,
            impostor("/bin/sh", &["-c", "exec >&-; exec /bin/sleep 600"]),
        )
        .await,
    );
    let error = refuse(component, impostor("/bin/sh", &["-c", "kill -SEGV $$"])).await;
    assert!(matches!(error, CompileError::Crash(_)), "{error:?}");
    let error = refuse(component, impostor("/bin/false", &[])).await;
    assert!(matches!(error, CompileError::Crash(_)), "{error:?}");
    let missing = Compiler {
        program: "/nowhere/compiler".into(),
        ..in_a_second()
    };
    let error = refuse(component, missing).await;
    assert!(matches!(error, CompileError::Process(_)), "{error:?}");
}

#[test]
fn output_of_a_compiler_that_is_no_code_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let cache = ConnectorCache::open(folder.path(), impostor("/bin/cat", &[])).unwrap();
    let error = cache.load(engine(), &Guest::new().build()).unwrap_err();
    assert!(matches!(error, SandboxError::Foreign(_)), "{error:?}");
}
