//! Reads the conditions of a filter.

use model::condition::{Condition, Test};
use toml::de::DeValue;

use super::reader::{Node, Reader};

const TESTS: [&str; 10] = [
    "is", "is-not", "contains", "known", "unknown", "before", "after", "in", "greater", "less",
];

/// A condition: `{ field = "…", is = "…" }`, or several under `all` or `any`.
pub(super) fn read_condition(reader: &mut Reader<'_>, node: Node<'_>) -> Option<Condition> {
    let keys: Vec<_> = ["all", "any", "field"].into_iter().chain(TESTS).collect();
    let entries = reader.table(node, &keys);
    let (mut field, mut tests, mut groups) = (None, Vec::new(), Vec::new());
    for (key, value) in entries {
        match key.value.as_str() {
            "field" => field = Some(reader.text(value)?),
            word @ ("all" | "any") => {
                let parts = reader.list(value).iter();
                // Every part is read, so that everything wrong is told at once.
                let parts: Vec<_> = parts.map(|part| read_condition(reader, part)).collect();
                let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
                groups.push(if word == "all" {
                    Condition::All(parts)
                } else {
                    Condition::Any(parts)
                });
            }
            word => tests.push(read_test(reader, word, value)?),
        }
    }
    match (field, tests.len(), groups.len()) {
        (Some(field), 1, 0) => {
            let test = tests.remove(0);
            Some(Condition::Field { field, test })
        }
        (None, 0, 1) => groups.pop(),
        _ => {
            let message = format!(
                "a condition is `field` with one of {}, or a list under `all` or `any`",
                TESTS.join(", ")
            );
            reader.fault(node, message);
            None
        }
    }
}

fn read_test(reader: &mut Reader<'_>, word: &str, node: Node<'_>) -> Option<Test> {
    if matches!(word, "known" | "unknown") {
        let is_known = reader.flag(node)? == (word == "known");
        return Some(if is_known { Test::Known } else { Test::Unknown });
    }
    if word == "in" {
        let values: Vec<_> = match node.get_ref() {
            DeValue::Array(list) => list.iter().map(|one| reader.scalar(one)).collect(),
            _ => {
                reader.fault(node, "expected a list");
                return None;
            }
        };
        return values.into_iter().collect::<Option<Vec<_>>>().map(Test::In);
    }
    let value = reader.scalar(node)?;
    Some(match word {
        "is" => Test::Is(value),
        "is-not" => Test::IsNot(value),
        "contains" => Test::Contains(value),
        "before" => Test::Before(value),
        "after" => Test::After(value),
        "greater" => Test::Greater(value),
        _ => Test::Less(value),
    })
}
