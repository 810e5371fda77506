//! Corrections: what people decided of single records, laid over what is staged before a phase reads it.
//!
//! A correction that does not fit any more stops nothing: the record is then as it came, and a finding says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::mapping::ObjectMapping;
use model::plan::Plan;
use model::{
    Catalog, Correction, Decision, Finding, FindingCode, ObjectInfo, ObjectName, SourceRecordId,
};
use reconcile::CorrectionError;
use store::{Laid, QuarantinedRow};

use crate::context::{BATCH_RECORDS, Context};
use crate::error::RunError;

/// Kind of the documents that hold up to which correction a plan knew of them.
pub(crate) const CORRECTIONS: &str = "corrections";

/// What was laid.
#[derive(Debug, Default)]
pub(crate) struct LaidCorrections {
    /// One for each correction of values, whether it fits or not.
    pub(crate) findings: Vec<Finding>,
    /// The ids of records that were made of broken rows without one, by object and the name that the row goes by.
    pub(crate) renamed: BTreeMap<(ObjectName, SourceRecordId), SourceRecordId>,
}

/// Lays the corrections up to the number `until` over what is staged of these objects.
pub(crate) fn lay_corrections(
    ctx: &mut Context<'_>,
    source: &Catalog,
    objects: &[ObjectMapping],
    until: i64,
) -> Result<LaidCorrections, RunError> {
    ctx.store.lay_nothing()?;
    let mut laid = LaidCorrections::default();
    if until == 0 {
        return Ok(laid);
    }
    for object in objects {
        let Some(info) = source.find_object(object.source.as_str()) else {
            continue;
        };
        let mut after = String::new();
        loop {
            let batch = ctx.store.load_corrections(
                &ctx.connection,
                &object.source,
                until,
                &after,
                BATCH_RECORDS,
            )?;
            let Some(last) = batch.last() else { break };
            after = last.record.to_string();
            let mut rows = Vec::with_capacity(batch.len());
            for correction in &batch {
                rows.extend(lay_one(ctx, info, correction, &mut laid)?);
            }
            ctx.store.lay(&ctx.connection, &object.source, &rows)?;
        }
    }
    Ok(laid)
}

/// Lays what a plan was made with, for the phases that follow it.
pub(crate) fn lay_plan_corrections(ctx: &mut Context<'_>, plan: &Plan) -> Result<(), RunError> {
    let until = ctx.store.load_document(CORRECTIONS, plan.id.as_str())?;
    let header = &plan.header;
    let objects = &header.mapping.objects;
    lay_corrections(ctx, &header.source, objects, until.unwrap_or(0)).map(|_| ())
}

fn lay_one(
    ctx: &Context<'_>,
    info: &Arc<ObjectInfo>,
    correction: &Correction,
    laid: &mut LaidCorrections,
) -> Result<Option<(SourceRecordId, Laid)>, RunError> {
    let (object, record) = (&info.name, &correction.record);
    let (staged, broken) = ctx.store.find_as_it_came(&ctx.connection, object, record)?;
    let why = format!("by {}, {}", correction.made_by, correction.made_at);
    if correction.decision == Decision::LeaveOut {
        let only_broken = broken.is_some_and(|row| row.is_second);
        let out = Laid {
            row: None,
            adds: None,
            only_broken,
            why,
        };
        return Ok(Some((record.clone(), out)));
    }
    let Some(base) = Base::find(staged, broken, record) else {
        return Ok(None);
    };
    let made = reconcile::lay_over(info, base.id.as_deref(), &base.row, &correction.decision);
    let made = match made {
        Ok((id, row)) if base.id.is_none() => {
            let id = SourceRecordId::from(id);
            let (staged, broken) = ctx.store.find_as_it_came(&ctx.connection, object, &id)?;
            match staged.is_none() && broken.is_none() {
                true => Ok((id, row)),
                false => Err(format!("there is another {object} {id}")),
            }
        }
        Ok((_, row)) => Ok((record.clone(), row)),
        Err(error) => Err(error.to_string()),
    };
    let message = match &made {
        Ok(_) => format!(
            "corrected by hand {why}: {}",
            told_correction(&correction.decision)
        ),
        Err(error) => format!("the correction {why} is not used: {error}"),
    };
    laid.findings.push(Finding {
        code: FindingCode::CorrectedByHand,
        object: object.clone(),
        record: Some(record.to_string()),
        field: None,
        message,
    });
    let Ok((id, row)) = made else { return Ok(None) };
    if id != *record {
        let name = (object.clone(), record.clone());
        laid.renamed.insert(name, id.clone());
    }
    let row = Laid {
        row: Some(row),
        adds: base.adds,
        only_broken: false,
        why,
    };
    Ok(Some((id, row)))
}

/// What a correction of values says, for a person.
pub fn told_correction(decision: &Decision) -> String {
    match decision {
        Decision::Set(fields) => {
            let told = fields
                .iter()
                .map(|(name, value)| format!("{name} = {value}"));
            told.collect::<Vec<_>>().join("; ")
        }
        Decision::Row { .. } => "the whole row was given".to_owned(),
        Decision::LeaveOut => "left out".to_owned(),
        Decision::Undo => "nothing any more".to_owned(),
    }
}

/// The row that a correction is laid over: what the source said last.
struct Base {
    row: String,
    /// The id that the corrected row must have; a broken row without one may get any.
    id: Option<String>,
    /// The broken row that becomes a record.
    adds: Option<i64>,
}

impl Base {
    fn find(
        staged: Option<String>,
        broken: Option<QuarantinedRow>,
        record: &SourceRecordId,
    ) -> Option<Self> {
        match (staged, broken) {
            (_, Some(row)) if !row.is_second => Some(Self {
                adds: (!row.is_staged).then_some(row.position),
                id: row.id.map(|id| id.to_string()),
                row: row.text,
            }),
            (Some(row), _) => Some(Self {
                row,
                id: Some(record.to_string()),
                adds: None,
            }),
            (None, _) => None,
        }
    }
}

/// Holds a correction against what is staged now: nothing is kept.
///
/// # Errors
/// [`CheckError::Refused`] when it does not fit, [`CheckError::Unknown`] when there is no such record, else as every read.
pub fn check_correction(
    store: &store::Store,
    connection: &model::ConnectionId,
    info: &Arc<ObjectInfo>,
    record: &SourceRecordId,
    decision: &Decision,
) -> Result<(), CheckError> {
    let (staged, broken) = store.find_as_it_came(connection, &info.name, record)?;
    let known = staged.is_some() || broken.is_some();
    match (decision, Base::find(staged, broken, record)) {
        (Decision::LeaveOut | Decision::Undo, _) if known => Ok(()),
        (_, None) => Err(CheckError::Unknown),
        (_, Some(base)) => reconcile::lay_over(info, base.id.as_deref(), &base.row, decision)
            .map(|_| ())
            .map_err(CheckError::Refused),
    }
}

/// The broken row of that record as it came, where the source's last word on it is one: what a whole row may be given for.
///
/// # Errors
/// As every read.
pub fn find_broken_row(
    store: &store::Store,
    connection: &model::ConnectionId,
    object: &ObjectName,
    record: &SourceRecordId,
) -> Result<Option<String>, RunError> {
    let (_, broken) = store.find_as_it_came(connection, object, record)?;
    Ok(broken.filter(|row| !row.is_second).map(|row| row.text))
}

/// Why a correction cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It does not fit.
    #[error(transparent)]
    Refused(#[from] CorrectionError),
    /// Nothing was read of that record.
    #[error("nothing was read of it")]
    Unknown,
    /// The state cannot be read.
    #[error("the project's state failed")]
    Store(#[from] store::StoreError),
}
