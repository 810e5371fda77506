//! The published lines of the contract stay compatible: every world of a line is held against the same world of the line before.

use std::path::{Path, PathBuf};

use wit_parser::{PackageId, Resolve, UnresolvedPackageGroup};

fn lines() -> Vec<PathBuf> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut lines: Vec<_> = std::fs::read_dir(wit)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    lines.sort();
    lines
}

/// Reads a line's files as one package; `edit` may change their text, `version` replaces the package's.
fn push(
    resolve: &mut Resolve,
    line: &Path,
    version: &str,
    edit: impl Fn(String) -> String,
) -> PackageId {
    let mut files: Vec<_> = std::fs::read_dir(line)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut sources = wit_parser::SourceMap::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (package, rest) = text.split_once(";\n").unwrap();
        let (name, _) = package.split_once('@').unwrap();
        sources.push(&file, edit(format!("{name}@{version};\n{rest}")));
    }
    let group: UnresolvedPackageGroup = sources.parse().map_err(|(_, error)| error).unwrap();
    resolve.push_group(group).unwrap()
}

/// The worlds of the first package that are broken in the second.
fn broken(resolve: &Resolve, old: PackageId, new: PackageId) -> Vec<String> {
    let old_worlds = &resolve.packages[old].worlds;
    let is_broken = |name: &str, world| match resolve.packages[new].worlds.get(name) {
        Some(newer) => wit_component::semver_check(resolve.clone(), world, *newer).is_err(),
        None => true,
    };
    old_worlds
        .iter()
        .filter(|(name, world)| is_broken(name, **world))
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn each_line_is_compatible_with_the_one_before() {
    let lines = lines();
    assert!(!lines.is_empty(), "there is a line");
    for pair in lines.windows(2) {
        let mut resolve = Resolve::default();
        let old = push(&mut resolve, &pair[0], "0.0.1", |text| text);
        let new = push(&mut resolve, &pair[1], "0.0.2", |text| text);
        assert_eq!(
            broken(&resolve, old, new),
            Vec::<String>::new(),
            "{:?} breaks {:?}",
            pair[1],
            pair[0]
        );
    }
}

/// The check bites: what is known to break compiled guests is found, what is known to be safe is not.
#[test]
fn the_check_tells_safe_changes_from_breaking_ones() {
    let newest = lines().pop().unwrap();
    let check = |edit: &dyn Fn(String) -> String| {
        let mut resolve = Resolve::default();
        let old = push(&mut resolve, &newest, "0.0.1", |text| text);
        let new = push(&mut resolve, &newest, "0.0.2", edit);
        broken(&resolve, old, new)
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(check(&|text| text), none);
    let host_function = |text: String| {
        text.replace(
            "now: func() -> string;",
            "now: func() -> string;\n    zone: func() -> string;",
        )
    };
    assert_eq!(
        check(&host_function),
        none,
        "a new function that the host provides"
    );
    let optional_field = |text: String| {
        text.replace(
            "http-status: option<u16>,",
            "http-status: option<u16>,\n  more: option<string>,",
        )
    };
    assert_eq!(
        check(&optional_field),
        ["connector", "connector-engagements", "connector-stages"]
    );
    let guest_function =
        |text: String| text.replace("check: func()", "extra: func();\n    check: func()");
    assert_eq!(check(&guest_function), ["connector"]);
    let renamed_world =
        |text: String| text.replace("world connector-stages", "world connector-steps");
    assert_eq!(check(&renamed_world), ["connector-stages"]);
}
