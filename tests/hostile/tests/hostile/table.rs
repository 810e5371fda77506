//! Holds the table of the pack's README to the cases that there are.

use std::fs;
use std::path::Path;

/// The tests of a file of this folder, as `module::name`.
fn cases(path: &Path) -> Vec<String> {
    let module = path.file_stem().unwrap().to_str().unwrap();
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let mut cases = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            let head = lines.next().unwrap().trim_start_matches("async ");
            let name = head.strip_prefix("fn ").unwrap();
            cases.push(format!("{module}::{}", name.split_once('(').unwrap().0));
        }
    }
    cases
}

#[test]
fn the_table_has_every_case_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(root.join("tests/hostile")).unwrap();
    let mut cases: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.file_stem().is_some_and(|stem| stem != "table"))
        .flat_map(|path| cases(&path))
        .collect();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let mut listed: Vec<_> = readme
        .lines()
        .filter_map(|line| Some(line.split("| `").nth(1)?.split_once('`')?.0.to_owned()))
        .collect();
    cases.sort();
    listed.sort();
    assert_eq!(cases, listed);
}
