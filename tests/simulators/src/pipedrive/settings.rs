//! Tells what belongs to the account as a whole: users, currencies, pipelines, stages.
//!
//! Owners who were deleted are in no list.

use super::account::Account;
use super::call::{Call, Refusal};
use super::json::Json;
use super::paging::{fixed, one, page_v2, whole};
use crate::truth::{Company, Pipeline, Stage, User};

pub(super) fn pipelines(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    call.word("sort_by", &["id", "update_time", "add_time"])?;
    let crm = account.live.base();
    let find = |id: u64| crm.pipelines().iter().find(|pipeline| pipeline.id == id);
    let order = fixed(
        "id",
        crm.pipelines().iter().map(|pipeline| pipeline.id).collect(),
    );
    page_v2(call, &order, find, |out, pipeline| {
        write_pipeline(account, out, pipeline)
    })
}

pub(super) fn pipeline(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let id = call.id()?;
    let found = account
        .live
        .base()
        .pipelines()
        .iter()
        .find(|pipeline| pipeline.id == id);
    one(found, "Pipeline not found", |out, pipeline| {
        write_pipeline(account, out, pipeline)
    })
}

fn write_pipeline(account: &Account, out: &mut Json, pipeline: &Pipeline) {
    out.object(|out| {
        out.key("id").number(pipeline.id);
        out.key("name").text(&pipeline.name);
        out.key("order_nr").number(pipeline.id);
        out.key("is_deleted").bool(false);
        out.key("is_deal_probability_enabled")
            .bool(pipeline.probabilities);
        made(account, out);
    });
}

pub(super) fn stages(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    call.word("sort_by", &["id", "update_time", "add_time", "order_nr"])?;
    let pipeline = call.number("pipeline_id")?;
    let crm = account.live.base();
    let stages = crm
        .stages()
        .iter()
        .filter(|stage| pipeline.is_none_or(|pipeline| stage.pipeline == pipeline));
    let order = fixed("id", stages.map(|stage| stage.id).collect());
    let find = |id: u64| crm.stages().iter().find(|stage| stage.id == id);
    page_v2(call, &order, find, |out, stage| {
        write_stage(account, out, stage)
    })
}

pub(super) fn stage(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let id = call.id()?;
    let found = account
        .live
        .base()
        .stages()
        .iter()
        .find(|stage| stage.id == id);
    one(found, "Stage not found", |out, stage| {
        write_stage(account, out, stage)
    })
}

fn write_stage(account: &Account, out: &mut Json, stage: &Stage) {
    let before = account
        .live
        .base()
        .stages()
        .iter()
        .take_while(|other| other.id != stage.id);
    let place = before
        .filter(|other| other.pipeline == stage.pipeline)
        .count() as u64;
    out.object(|out| {
        out.key("id").number(stage.id);
        out.key("order_nr").number(place);
        out.key("name").text(&stage.name);
        out.key("is_deleted").bool(stage.deleted);
        out.key("deal_probability")
            .number(u64::from(stage.probability));
        out.key("pipeline_id").number(stage.pipeline);
        out.key("is_deal_rot_enabled").bool(false);
        out.key("days_to_rotten").null();
        made(account, out);
    });
}

fn made(account: &Account, out: &mut Json) {
    let made = account.live.base().company().now.plus_seconds(-200_000_000);
    out.key("add_time").moment_v2(made);
    out.key("update_time").moment_v2(made);
}

pub(super) fn currencies(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let term = call.get("term").unwrap_or_default().to_lowercase();
    let found = (1..)
        .zip(account.live.base().currencies())
        .filter(|(_, currency)| {
            currency.code.to_lowercase().contains(&term)
                || currency.name.to_lowercase().contains(&term)
        });
    let found: Vec<_> = found.collect();
    Ok(whole(&found, |out, (id, currency)| {
        out.object(|out| {
            out.key("id").number(*id);
            out.key("code").text(currency.code);
            out.key("name").text(currency.name);
            out.key("decimal_points")
                .number(u64::from(currency.decimals));
            out.key("symbol").text(currency.symbol);
            out.key("active_flag").bool(true);
            out.key("is_custom_flag").bool(false);
        });
    }))
}

pub(super) fn users(account: &Account, _call: &Call) -> Result<Vec<u8>, Refusal> {
    let crm = account.live.base();
    Ok(whole(crm.users(), |out, user| {
        out.object(|out| write_user(out, crm.company(), user))
    }))
}

pub(super) fn user(account: &Account, call: &Call) -> Result<Vec<u8>, Refusal> {
    let (crm, id) = (account.live.base(), call.id()?);
    let found = crm.users().iter().find(|user| user.id == id);
    let missing = "User not found or not accessible.";
    one(found, missing, |out, user| {
        out.object(|out| write_user(out, crm.company(), user))
    })
}

pub(super) fn me(account: &Account, _call: &Call) -> Result<Vec<u8>, Refusal> {
    let crm = account.live.base();
    let company = crm.company();
    let found = crm
        .users()
        .iter()
        .find(|user| user.id == company.token_user);
    one(found, "User not found or not accessible.", |out, user| {
        out.object(|out| {
            write_user(out, company, user);
            out.key("company_id").number(company.id);
            out.key("company_name").text(&company.name);
            out.key("company_domain").text(&company.domain);
            out.key("company_country").text("BE");
            out.key("company_industry").text("Shipping");
            out.key("language").object(|out| {
                out.key("language_code").text("en");
                out.key("country_code").text("US");
            });
        });
    })
}

fn write_user(out: &mut Json, company: &Company, user: &User) {
    let made = company.now.plus_seconds(-200_000_000);
    out.key("id").number(user.id);
    out.key("name").text(&user.name);
    out.key("default_currency").text(company.default_currency);
    out.key("locale").text("en_US");
    out.key("lang").number(1);
    out.key("email").text(&user.email);
    out.key("phone").null();
    out.key("activated").bool(true);
    out.key("last_login").moment_v1(company.now);
    out.key("created").moment_v1(made);
    out.key("modified").moment_v1(made);
    out.key("has_created_company")
        .bool(user.id == company.token_user);
    out.key("access").array(|out| {
        for app in ["sales", "global", "account_settings"] {
            out.object(|out| {
                out.key("app").text(app);
                out.key("admin").bool(user.admin);
                out.key("permission_set_id")
                    .text("233b7976-39bd-43a9-b305-ef3a2b0998e5");
            });
        }
    });
    out.key("active_flag").bool(user.active);
    out.key("timezone_name").text(company.time_zone);
    out.key("timezone_offset").text("+02:00");
    out.key("role_id").number(1);
    out.key("icon_url").null();
    out.key("is_you").bool(user.id == company.token_user);
    out.key("is_deleted").bool(false);
}
