//! The records that a project has read of its source, for the matcher: the standard properties that say who or what a record is.
//!
//! Properties that people made themselves are left out: most of them say how something stands, not what it is.

use std::sync::Arc;

use anyhow::Result;
use model::{ConnectionId, FieldInfo, FieldKind, ObjectInfo, RecordRef};
use reconcile::linkage::{Column, Records, SAMPLE, choose, infer};
use store::Store;

use crate::args::Match;
use crate::failure::WithHint;
use crate::plans::{find_objects, find_plan};
use crate::project::Project;

/// The records of one object as they were read, and the properties that are not compared.
pub(super) fn read(command: &Match, object: &str) -> Result<(Records, Vec<String>)> {
    let project = Project::open(&command.folder.dir)?;
    let connection = ConnectionId::from(project.connection()?.name.as_str());
    let store = Store::open_read_only(&project.folder)?;
    let plan = find_plan(&store, None)?;
    let names = find_objects(&plan, &[object.to_owned()])?;
    let [name] = &names[..] else {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        return Err(WithHint::error(
            format!("{object} stands for several objects of the source"),
            format!("name one of them: {}", names.join(", ")),
        ));
    };
    let known = plan.header.source.find_object(name.as_str());
    let info = known.cloned().ok_or_else(|| {
        WithHint::error(
            format!("the source has no object {name}"),
            "make a new plan: `longshore plan`",
        )
    })?;
    let candidates: Vec<u16> = (0_u16..)
        .zip(info.fields.iter())
        .filter(|(_, field)| says_who(field) && !is_ignored(field, &command.ignore))
        .map(|(at, _)| at)
        .collect();
    let columns = find_columns(&store, &connection, &info, &candidates)?;
    let left_out = (0_u16..)
        .zip(info.fields.iter())
        .filter(|(at, _)| columns.iter().all(|(other, _)| other != at))
        .map(|(_, field)| name_of(field).to_owned());
    let left_out = left_out.collect();
    let mut records = Records::new(columns.iter().map(|(_, column)| column.clone()).collect())?;
    run::visit_staged(&store, &connection, &info, |record| {
        let values: Vec<_> = columns.iter().map(|(at, _)| text(record, *at)).collect();
        records.push(record.id(), values.iter().map(String::as_str));
        true
    })?;
    if records.is_empty() {
        return Err(WithHint::error(
            format!("nothing was read of {name}"),
            "read it first: `longshore plan`",
        ));
    }
    Ok((records, left_out))
}

/// What the values of each hold, as far as some of them tell.
fn find_columns(
    store: &Store,
    connection: &ConnectionId,
    info: &Arc<ObjectInfo>,
    candidates: &[u16],
) -> Result<Vec<(u16, Column)>> {
    let mut samples: Vec<Vec<String>> = vec![Vec::new(); candidates.len()];
    let mut seen = 0;
    run::visit_staged(store, connection, info, |record| {
        for (at, sample) in candidates.iter().zip(&mut samples) {
            let value = text(record, *at);
            if !value.is_empty() && sample.len() < SAMPLE {
                sample.push(value);
            }
        }
        seen += 1;
        // What is still empty then is nearly always empty.
        seen < 4 * SAMPLE
    })?;
    let inferred = candidates.iter().zip(&samples).filter_map(|(at, sample)| {
        let name = name_of(info.fields.get(*at)?).to_owned();
        let kind = infer(&name, sample.iter().map(String::as_str))?;
        Some((*at, Column { name, kind }))
    });
    let inferred: Vec<_> = inferred.collect();
    let kinds: Vec<_> = inferred.iter().map(|(_, column)| column.clone()).collect();
    let chosen = inferred.into_iter().zip(choose(&kinds));
    Ok(chosen
        .filter(|(_, is)| *is)
        .map(|(column, _)| column)
        .collect())
}

/// Standard properties in words, dates and addresses; who looks after it and how it stands say nothing of that.
fn says_who(field: &FieldInfo) -> bool {
    field.standard.is_some()
        && matches!(
            field.kind,
            FieldKind::Text
                | FieldKind::Email
                | FieldKind::Phone
                | FieldKind::Url
                | FieldKind::Date
        )
}

fn name_of(field: &FieldInfo) -> &str {
    field.standard.as_deref().unwrap_or(&field.name)
}

fn is_ignored(field: &FieldInfo, ignored: &[String]) -> bool {
    ignored
        .iter()
        .any(|name| *name == field.name || field.standard.as_ref() == Some(name))
}

fn text(record: RecordRef<'_>, field: u16) -> String {
    record
        .find_field(field)
        .map_or_else(String::new, |value| value.to_string())
}
