//! The file that `mapping init` writes: what holds without it, field by field, and how to say otherwise.

use std::fmt::Write as _;

use model::mapping::{FieldMapping, ObjectMapping, PipelineMapping, StageTarget};
use model::{Catalog, FieldInfo, ObjectInfo};
use run::Discovered;

/// How to say otherwise.
const GUIDE: &str = r#"# What becomes of what. Longshore reads this file before every plan; what it does not name is mapped as it would be without it.
# `longshore mapping check` says what is wrong with it, `longshore mapping show` what follows from it.
#
# An object:
#   leave-out = true                                # it stays at the source as a whole
#   match = "default"                               # or "never", or { field = "tax_id", property = "tax_id" }: that field alone
#   filter = { field = "email", known = true }      # who does not meet it is left out; the destination is untouched
#   filter = { all = [{ field = "value", greater = 1000 }, { any = [{ field = "city", is = "Berlin" }, { field = "vip", is = true }] }] }
#     tests: is, is-not, contains, known, unknown, before, after, in, greater, less
#   conflict = "destination"                        # who wins where both sides changed one field; or "source", "latest-edit"; for the sync
#   conflict-mode = "always"                        # or "close": only edits within five minutes are a conflict, else the later one wins
#
# A field: the property it fills, false to leave it out, or a table; a list of tables fills several properties.
#   name = { to = "lastname", transform = ["trim", "last-name"], tests = [{ from = " Ann Lee ", to = "Lee" }] }
#   code = { to = "our_code", new = "text" }        # creates the property, of that kind
#   direction = "both"                              # or "to-destination", "to-source"; for the sync that follows a migration
#   write = "always"                                # or "fill-if-empty", "never-overwrite"
#   blank = "keep"                                  # or "clear": a blank of the source clears the property
#   conflict = "source"                             # where that is not the object's rule
#   transform: "trim", "upper", "lower", "title", "first-name", "last-name", { round = 2 }, { constant = "web" },
#     { join = { with = ["last_name"], separator = " " } }, { options = { map = { Hot = "High" }, otherwise = "Low" } },
#     { number = { decimal = ",", group = "." } }, { date = { from = "%d.%m.%Y", to = "%Y-%m-%d" } }
#     An option goes in as its label, a date as 2026-01-31, an instant as 2026-01-31T09:30:00Z. What comes out is read as the property's kind.
#   tests: what the transform must make of a value. One that fails refuses the plan. For a join: from = ["Ann", "Lee"].
#
# A pipeline:
#   to = "Sales"                                    # the destination's pipeline, by label or id
#   auto-map = true                                 # stages go where they look or sound like; what is like nothing is left out by name
#   a stage: the destination's stage, false to leave its deals out, or { new = true }
"#;

/// The whole file.
pub(super) fn write(found: &Discovered) -> String {
    let mut file = GUIDE.to_owned();
    for object in &found.mapping.objects {
        let source = found.source.find_object(object.source.as_str());
        let target = found.destination.find_object(object.destination.as_str());
        if let (Some(source), Some(target)) = (source, target) {
            write_object(&mut file, object, source, target);
        }
    }
    for pipeline in &found.mapping.pipelines {
        write_pipeline(&mut file, pipeline, &found.source, &found.destination);
    }
    file
}

fn put(file: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(file, "{line}").expect("a String takes every write");
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A comment of one line, whatever a vendor calls its fields.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// A key, bare where it may be.
fn key(name: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !name.is_empty() && name.chars().all(is_bare) {
        name.to_owned()
    } else {
        // A JSON text is a TOML one, too.
        serde_json::Value::String(name.to_owned()).to_string()
    }
}

fn write_object(
    file: &mut String,
    object: &ObjectMapping,
    source: &ObjectInfo,
    target: &ObjectInfo,
) {
    put(
        file,
        format_args!(
            "\n# {} becomes {}",
            plain(&source.label),
            plain(&target.label)
        ),
    );
    put(
        file,
        format_args!("[objects.{}.fields]", key(object.source.as_str())),
    );
    for field in &object.fields {
        let info = source
            .fields
            .find(&field.source)
            .and_then(|at| source.fields.get(at));
        let property = target
            .fields
            .find(&field.destination)
            .and_then(|at| target.fields.get(at));
        let property = field.create.as_ref().or(property);
        let note = info
            .zip(property)
            .map_or_else(String::new, |(info, property)| note(field, info, property));
        put(
            file,
            format_args!(
                "{} = {}{note}",
                key(&field.source),
                quoted(&field.destination)
            ),
        );
    }
    for (name, reason) in &object.unmapped {
        put(
            file,
            format_args!("# {} fills nothing: {}", plain(name), plain(reason)),
        );
    }
}

fn note(field: &FieldMapping, info: &FieldInfo, property: &FieldInfo) -> String {
    let loss = if field.lossless { "lossless" } else { "lossy" };
    let new = if field.create.is_some() {
        ", created"
    } else {
        ""
    };
    let label = plain(&info.label);
    format!(
        " # {label}: {} into {}, {loss}{new}",
        info.kind, property.kind
    )
}

fn write_pipeline(
    file: &mut String,
    pipeline: &PipelineMapping,
    source: &Catalog,
    destination: &Catalog,
) {
    let labels = source
        .pipelines
        .iter()
        .find(|other| other.id == pipeline.source);
    let label = labels.map_or(pipeline.label.as_str(), |other| other.label.as_str());
    let target = destination
        .pipelines
        .iter()
        .find(|other| Some(&other.id) == pipeline.destination.as_ref());
    let Some(target) = target else {
        put(
            file,
            format_args!(
                "\n# Pipeline {:?} is new and gets all its stages.",
                plain(label)
            ),
        );
        return;
    };
    let is_alone = source
        .pipelines
        .iter()
        .filter(|other| other.label == label)
        .count()
        == 1;
    let name = key(if is_alone {
        label
    } else {
        pipeline.source.as_str()
    });
    put(
        file,
        format_args!("\n[pipelines.{name}]\nto = {}", quoted(target.id.as_str())),
    );
    put(file, format_args!("\n[pipelines.{name}.stages]"));
    for stage in &pipeline.stages {
        let to = match &stage.target {
            StageTarget::Existing(id) => quoted(id.as_str()),
            StageTarget::Create => "{ new = true }".to_owned(),
            StageTarget::Unmapped => "false".to_owned(),
        };
        put(
            file,
            format_args!(
                "{} = {to} # {}",
                key(stage.source.id.as_str()),
                plain(&stage.source.label)
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn keys_are_read_back_as_they_were() {
        for name in [
            "plain",
            "with space",
            "qu\"ote",
            "back\\slash",
            "",
            "ü",
            "a\nb",
        ] {
            let table: toml::Table = toml::from_str(&format!("{} = 1", key(name))).unwrap();
            assert_eq!(table.keys().collect::<Vec<_>>(), [name]);
        }
    }
}
