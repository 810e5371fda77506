//! Persons (`/v2/persons`), the contacts: their keys, and how several addresses and numbers become fields.
//!
//! Which persons are one and the same is not decided here: Pipedrive knows no uniqueness.

use std::rc::Rc;

use longshore_sdk::{
    Context, Cursor, FieldInfo, FieldKind, ObjectInfo, Page, PageRequest, Result, Row,
};

use crate::json;
use crate::lists::{self, Changes, List};
use crate::metadata;
use crate::table::{BuiltIn, CustomForm, Shape, Table, VISIBILITY, built_in, held, text};

/// The object's name.
pub(crate) const NAME: &str = "person";
const LIST: List = List {
    path: "/v2/persons",
    include_fields: None,
    changes: Changes::Since,
};

const BUILT_INS: &[BuiltIn] = &[
    built_in("id", "", Shape::Id),
    text("name", "Name"),
    text("first_name", "First name").standard("firstname"),
    text("last_name", "Last name").standard("lastname"),
    built_in("owner_id", "Owner", Shape::Plain(FieldKind::Owner)).standard("hubspot_owner_id"),
    built_in(
        "org_id",
        "Organization",
        Shape::Link("organization", "organization"),
    ),
    built_in("add_time", "Created", Shape::Plain(FieldKind::Instant)).standard("createdate"),
    built_in("update_time", "Updated", Shape::UpdatedAt).read_only(),
    built_in("is_deleted", "", Shape::Deleted),
    built_in("visible_to", "Visible to", Shape::Plain(FieldKind::Option)).options(VISIBILITY),
    built_in("label_ids", "Labels", Shape::Plain(FieldKind::Options)),
    built_in("picture_id", "Picture", Shape::Skip),
    text("job_title", "Job title").standard("jobtitle"),
    built_in("birthday", "Birthday", Shape::Plain(FieldKind::Date)).standard("date_of_birth"),
    text("notes", "Contact sync notes"),
    built_in("postal_address", "Postal address", Shape::Address).standard("address"),
    text("marketing_status", "Marketing status"),
    text("doi_status", "Double opt-in status"),
    held("emails"),
    held("phones"),
    held("im"),
    built_in("custom_fields", "", Shape::CustomFields),
];

/// The object's table.
///
/// # Errors
/// When the metadata can not be read.
pub(crate) fn table(ctx: &Context) -> Result<Rc<Table>> {
    ctx.cached(NAME, || {
        let metadata = metadata::fields(ctx, "personFields")?;
        let computed = vec![
            FieldInfo::new("email", "E-mail", FieldKind::Email).standard("email"),
            FieldInfo::new("other_emails", "Other e-mails", FieldKind::Options)
                .standard("hs_additional_emails"),
            FieldInfo::new("email_labels", "E-mails with their labels", FieldKind::Text),
            FieldInfo::new("phone", "Phone", FieldKind::Phone).standard("phone"),
            FieldInfo::new("mobile", "Mobile", FieldKind::Phone).standard("mobilephone"),
            FieldInfo::new("other_phones", "Other phones", FieldKind::Text),
            FieldInfo::new("phone_labels", "Phones with their labels", FieldKind::Text),
            FieldInfo::new("im", "Instant messengers", FieldKind::Text),
        ];
        Ok(Table::new(
            BUILT_INS,
            &metadata,
            CustomForm::Nested,
            computed,
        ))
    })
}

/// Describes the object.
///
/// # Errors
/// When the metadata can not be read.
pub(crate) fn describe(ctx: &Context) -> Result<ObjectInfo> {
    Ok(table(ctx)?.describe(
        ObjectInfo::new(NAME, "Person")
            .standard("contact")
            .incremental(),
    ))
}

/// Reads a page.
///
/// # Errors
/// As the request fails.
pub(crate) fn fetch(
    ctx: &Context,
    request: &PageRequest,
    page: &mut Page,
) -> Result<Option<Cursor>> {
    let table = table(ctx)?;
    let (emails, phones, im) = (table.slot("emails"), table.slot("phones"), table.slot("im"));
    lists::fetch(ctx, &[LIST], &table, request, &mut |record| {
        let mut row = record.row(page)?;
        if let Some(raw) = record.raw(emails) {
            write_emails(&mut row, &Entry::list(raw));
        }
        if let Some(raw) = record.raw(phones) {
            write_phones(&mut row, &Entry::list(raw));
        }
        if let Some(raw) = record.raw(im) {
            row.text_opt("im", labelled(&Entry::list(raw)));
        }
        row.finish();
        Ok(())
    })
}

/// One address or number.
struct Entry<'a> {
    value: std::borrow::Cow<'a, str>,
    label: std::borrow::Cow<'a, str>,
    is_primary: bool,
}

impl<'a> Entry<'a> {
    /// Those with a value, in order.
    fn list(raw: &'a str) -> Vec<Self> {
        let mut entries = Vec::new();
        json::for_each_element(raw, |element| {
            let mut entry = Self {
                value: "".into(),
                label: "".into(),
                is_primary: false,
            };
            if element.starts_with('"') {
                entry.value = json::text(element).unwrap_or_default();
            }
            json::for_each_member(element, |key, value| match key {
                "value" => entry.value = json::text(value).unwrap_or_default(),
                "label" => entry.label = json::text(value).unwrap_or_default(),
                "primary" => entry.is_primary = json::boolean(value) == Some(true),
                _ => {}
            });
            if !entry.value.is_empty() {
                entries.push(entry);
            }
        });
        entries
    }
}

/// The primary one is the e-mail, else the first; the others are additional.
fn write_emails(row: &mut Row<'_>, entries: &[Entry<'_>]) {
    let main = entries
        .iter()
        .position(|entry| entry.is_primary)
        .unwrap_or(0);
    row.text_opt("email", entries.get(main).map(|entry| &entry.value));
    let others = entries
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != main)
        .map(|(_, entry)| entry.value.replace(['\n', '\r'], " "));
    row.options("other_emails", others);
    row.text_opt("email_labels", labelled(entries));
}

/// The first one labelled as mobile is the mobile number; the primary one of the rest, else their first, is the phone. A single number is
/// the phone as well, whatever its label.
fn write_phones(row: &mut Row<'_>, entries: &[Entry<'_>]) {
    let mobile = entries
        .iter()
        .position(|entry| entry.label.eq_ignore_ascii_case("mobile"));
    let rest = || {
        entries
            .iter()
            .enumerate()
            .filter(|(at, _)| Some(*at) != mobile)
    };
    let main = rest()
        .find(|(_, entry)| entry.is_primary)
        .or_else(|| rest().next())
        .map(|(at, _)| at);
    let number = |at: Option<usize>| at.and_then(|at| entries.get(at)).map(|entry| &entry.value);
    row.text_opt("phone", number(main.or(mobile)));
    row.text_opt("mobile", number(mobile));
    let others: Vec<&str> = rest()
        .filter(|(at, _)| Some(*at) != main)
        .map(|(_, entry)| &*entry.value)
        .collect();
    row.text_opt(
        "other_phones",
        (!others.is_empty()).then(|| others.join("; ")),
    );
    row.text_opt("phone_labels", labelled(entries));
}

/// `work: ada@ex.test; home: a@ex.test`; `None` where there is nothing to tell.
fn labelled(entries: &[Entry<'_>]) -> Option<String> {
    if entries.is_empty() {
        return None;
    }
    let mut text = String::new();
    for entry in entries {
        if !text.is_empty() {
            text.push_str("; ");
        }
        if !entry.label.is_empty() {
            text.push_str(&entry.label);
            text.push_str(": ");
        }
        text.push_str(&entry.value);
    }
    Some(text)
}
