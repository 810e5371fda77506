//! Tells projects, boards and phases.
//!
//! There is no order to choose and no `updated_since`, as at the vendor.

use super::account::Account;
use super::call::{Call, Refusal};
use super::custom::Shown;
use super::json::Json;
use super::paging::{Order, one, page_v2, whole};
use crate::truth::{Kind, Project, ProjectStatus};

pub(super) fn list(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    listed(account, call, |project| !project.archived)
}

pub(super) fn archived(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    listed(account, call, |project| project.archived)
}

fn listed(
    account: &Account,
    call: &Call,
    belongs: impl Fn(&Project) -> bool,
) -> Result<Vec<u8>, Refusal> {
    let custom = Shown::of(account, call, Kind::Project)?;
    let asked = call.list("status");
    if let Some(unknown) = asked
        .iter()
        .find(|word| !["open", "completed", "canceled", "deleted"].contains(word))
    {
        return Err(Refusal::bad_request(&format!(
            "status {unknown:?} is not known"
        )));
    }
    let phase = call.number("phase_id")?;
    let shown = |project: &Project| {
        let named = if asked.is_empty() {
            project.status != ProjectStatus::Deleted
        } else {
            asked.contains(&status(project))
        };
        belongs(project) && named && phase.is_none_or(|phase| project.phase == phase)
    };
    let crm = account.live.base();
    let order = Order {
        field: "id",
        places: crm.count(Kind::Project),
        at: Box::new(|place| Some(place + 1)),
    };
    page_v2(
        call,
        &order,
        |id| crm.project(id).filter(shown),
        |out, project| write(&custom, out, project),
    )
}

pub(super) fn get(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let custom = Shown::of(account, call, Kind::Project)?;
    one(
        account.live.base().project(call.id()?),
        "Project not found",
        |out, project| write(&custom, out, project),
    )
}

fn status(project: &Project) -> &'static str {
    match project.status {
        ProjectStatus::Open => "open",
        ProjectStatus::Completed => "completed",
        ProjectStatus::Canceled => "canceled",
        ProjectStatus::Deleted => "deleted",
    }
}

fn write(custom: &Shown<'_>, out: &mut Json, project: &Project) {
    out.object(|out| {
        out.key("id").number(project.id);
        out.key("title").text(&project.title);
        out.key("description")
            .text_or_null(project.description.as_deref());
        out.key("status").text(status(project));
        out.key("board_id").number(project.board);
        out.key("phase_id").number(project.phase);
        out.key("owner_id").number(project.owner);
        out.key("start_date").or_null(project.start, Json::day);
        out.key("end_date").or_null(project.end, Json::day);
        out.key("deal_ids").numbers(&project.deals);
        out.key("person_ids").numbers(&project.persons);
        out.key("org_ids").numbers(&project.organizations);
        out.key("label_ids").array(|_| ());
        out.key("health_status").null();
        out.key("add_time").moment_millis(project.added);
        out.key("update_time").moment_millis(project.updated);
        out.key("status_change_time").moment_millis(project.updated);
        out.key("archive_time").or_null(
            project.archived.then_some(project.updated),
            Json::moment_millis,
        );
        custom.write(out.key("custom_fields"), &project.custom);
    });
}

pub(super) fn boards(account: &Account, _call: &Call) -> Result<Vec<u8>, Refusal> {
    let crm = account.live.base();
    let made = crm.company().now.plus_seconds(-200_000_000);
    Ok(whole(crm.boards(), |out, board| {
        out.object(|out| {
            out.key("id").number(board.id);
            out.key("name").text(board.name);
            out.key("order_nr").number(board.id);
            out.key("add_time").moment_millis(made);
            out.key("update_time").moment_millis(made);
        });
    }))
}

pub(super) fn phases(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let board = call
        .number("board_id")?
        .ok_or_else(|| Refusal::bad_request("board_id is required"))?;
    let crm = account.live.base();
    let made = crm.company().now.plus_seconds(-200_000_000);
    let phases: Vec<_> = crm
        .phases()
        .iter()
        .filter(|phase| phase.board == board)
        .collect();
    Ok(whole(&phases, |out, phase| {
        out.object(|out| {
            out.key("id").number(phase.id);
            out.key("name").text(phase.name);
            out.key("board_id").number(phase.board);
            out.key("order_nr").number(phase.id);
            out.key("add_time").moment_millis(made);
            out.key("update_time").moment_millis(made);
        });
    }))
}
