//! Reads the mapping file: TOML into what a person said, with the line of everything and every mistake in it.

mod condition;
mod reader;

use model::FieldKind;
use model::mapping::FieldRules;
use model::transform::Example;
use reconcile::Overrides;
use reconcile::overrides::{
    At, FieldOverride, MatchOverride, ObjectOverride, PipelineOverride, StageOverride,
};
use toml::de::DeValue;

use condition::read_condition;
use reader::{Node, Reader};

/// Reads the text. What is wrong is among the faults of the answer.
pub(crate) fn parse(text: String) -> Overrides {
    let mut said = Overrides::default();
    let mut reader = Reader::new(&text);
    if let Some(root) = reader.parse() {
        for (key, value) in reader.table(&root, &["objects", "pipelines"]) {
            match key.value.as_str() {
                "objects" => said.objects = reader.named(value, read_object),
                _ => said.pipelines = reader.named(value, read_pipeline),
            }
        }
    }
    said.faults = reader.finish();
    said.text = text;
    said
}

fn read_object(reader: &mut Reader<'_>, node: Node<'_>) -> Option<ObjectOverride> {
    let mut said = ObjectOverride::default();
    for (key, value) in reader.table(
        node,
        &[
            "leave-out",
            "match",
            "filter",
            "conflict",
            "conflict-mode",
            "fields",
        ],
    ) {
        match key.value.as_str() {
            "leave-out" => said.left_out = reader.flag(value)?,
            "match" => said.matching = at(key.line, read_match(reader, value)),
            "conflict" => said.conflict.winner = reader.read(value)?,
            "conflict-mode" => said.conflict.mode = reader.read(value)?,
            "filter" => said.filter = at(key.line, read_condition(reader, value)),
            _ => {
                let named = reader.named(value, |reader, node| Some(read_fields(reader, node)));
                let each = named.into_iter().flat_map(|(key, fields)| {
                    fields.into_iter().map(move |(line, field)| {
                        let value = key.value.clone();
                        (At { line, value }, field)
                    })
                });
                said.fields = each.collect();
            }
        }
    }
    Some(said)
}

fn at<T>(line: usize, value: Option<T>) -> Option<At<T>> {
    value.map(|value| At { line, value })
}

fn read_match(reader: &mut Reader<'_>, node: Node<'_>) -> Option<MatchOverride> {
    match node.get_ref() {
        DeValue::String(word) if word == "default" => Some(MatchOverride::Default),
        DeValue::String(word) if word == "never" => Some(MatchOverride::Never),
        DeValue::Table(_) => {
            let (mut field, mut property) = (None, None);
            for (key, value) in reader.table(node, &["field", "property"]) {
                match key.value.as_str() {
                    "field" => field = reader.text(value),
                    _ => property = reader.text(value),
                }
            }
            if field.is_none() {
                reader.fault(node, "match names no field: `{ field = \"…\" }`");
            }
            Some(MatchOverride::Field(field?, property))
        }
        _ => {
            reader.fault(
                node,
                "match is \"default\", \"never\" or { field = \"…\", property = \"…\" }",
            );
            None
        }
    }
}

/// What one field fills: nothing, one property or several, each with its line.
fn read_fields(reader: &mut Reader<'_>, node: Node<'_>) -> Vec<(usize, FieldOverride)> {
    match node.get_ref() {
        DeValue::Array(several) => {
            let each = several.iter().flat_map(|one| read_fields(reader, one));
            each.collect()
        }
        _ => {
            let line = reader.line(node);
            let field = read_field(reader, node);
            field.map(|field| (line, field)).into_iter().collect()
        }
    }
}

fn read_field(reader: &mut Reader<'_>, node: Node<'_>) -> Option<FieldOverride> {
    let (mut to, mut create, mut rules) = (None, None, FieldRules::default());
    match node.get_ref() {
        DeValue::Boolean(false) => return Some(FieldOverride::LeftOut),
        DeValue::String(property) => to = Some(property.to_string()),
        DeValue::Table(_) => {
            let keys = [
                "to",
                "new",
                "direction",
                "write",
                "blank",
                "conflict",
                "transform",
                "tests",
            ];
            for (key, value) in reader.table(node, &keys) {
                match key.value.as_str() {
                    "to" => to = reader.text(value),
                    "new" => create = reader.read::<FieldKind>(value),
                    "direction" => rules.direction = reader.read(value)?,
                    "write" => rules.write = reader.read(value)?,
                    "blank" => rules.blank = reader.read(value)?,
                    "conflict" => rules.winner = reader.read(value),
                    "transform" => {
                        let steps = reader.list(value).iter();
                        rules.transform = steps.filter_map(|step| reader.read(step)).collect();
                    }
                    _ => {
                        let tests = reader.list(value).iter();
                        rules.examples = tests
                            .filter_map(|test| read_example(reader, test))
                            .collect();
                    }
                }
            }
        }
        _ => {
            reader.fault(
                node,
                "a field is the name of a property, false, a table or a list of tables",
            );
            return None;
        }
    }
    Some(FieldOverride::Filled { to, create, rules })
}

fn read_example(reader: &mut Reader<'_>, node: Node<'_>) -> Option<Example> {
    let (mut from, mut to) = (None, None);
    for (key, value) in reader.table(node, &["from", "to"]) {
        match (key.value.as_str(), value.get_ref()) {
            ("from", DeValue::Array(several)) => {
                from = several.iter().map(|one| reader.scalar(one)).collect();
            }
            ("from", _) => from = reader.scalar(value).map(|text| vec![text]),
            _ => to = reader.scalar(value),
        }
    }
    if from.is_none() || to.is_none() {
        reader.fault(node, "a test is { from = \"…\", to = \"…\" }");
    }
    Some(Example {
        from: from?,
        to: to?,
    })
}

fn read_pipeline(reader: &mut Reader<'_>, node: Node<'_>) -> Option<PipelineOverride> {
    let mut said = PipelineOverride::default();
    for (key, value) in reader.table(node, &["to", "auto-map", "stages"]) {
        match key.value.as_str() {
            "to" => said.to = at(key.line, reader.text(value)),
            "auto-map" => said.auto_map = reader.flag(value)?,
            _ => {
                said.stages = reader.named(value, |reader, node| {
                    let line = reader.line(node);
                    at(line, read_stage(reader, node))
                });
            }
        }
    }
    Some(said)
}

fn read_stage(reader: &mut Reader<'_>, node: Node<'_>) -> Option<StageOverride> {
    match node.get_ref() {
        DeValue::Boolean(false) => Some(StageOverride::Unmapped),
        DeValue::String(stage) => Some(StageOverride::To(stage.to_string())),
        DeValue::Table(_) => {
            let new = reader
                .table(node, &["new"])
                .first()
                .map(|(_, value)| *value);
            new.and_then(|value| reader.flag(value))
                .filter(|flag| *flag)
                .map(|_| StageOverride::New)
        }
        _ => {
            reader.fault(
                node,
                "a stage is the name of a stage, false or { new = true }",
            );
            None
        }
    }
}

#[cfg(test)]
mod tests;
