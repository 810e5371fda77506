//! Reads the contacts of a CRM that there is not: the smallest whole connector.

use std::borrow::Cow;

use longshore_sdk::{
    Account, Connector, Context, Cursor, CursorPager, Decimal, Failure, FieldInfo, FieldKind, ObjectInfo, Page,
    PageRequest, Result,
};
use serde::Deserialize;

/// The connector.
#[derive(Debug)]
pub struct Acme;

#[cfg(not(any(feature = "engagements", feature = "stages")))]
longshore_sdk::export!(Acme);
#[cfg(all(feature = "stages", not(feature = "engagements")))]
longshore_sdk::export!(Acme: stages);
#[cfg(all(feature = "stages", feature = "engagements"))]
longshore_sdk::export!(Acme: engagements, stages);

#[derive(Deserialize)]
struct Contacts<'a> {
    #[serde(borrow)]
    data: Vec<Contact<'a>>,
    next: Option<&'a str>,
}

#[derive(Deserialize)]
struct Contact<'a> {
    id: u64,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    value: Option<Decimal<'a>>,
    changed: &'a str,
    company: Option<u64>,
}

#[derive(Deserialize)]
struct Me {
    id: u64,
    name: String,
}

impl Connector for Acme {
    fn check(ctx: &Context) -> Result<Account> {
        let answer = ctx.http().get("api", "/me").send_ok()?;
        let me: Me = answer.json()?;
        Ok(Account::new(me.id, "Acme", me.name))
    }

    fn list_objects(_: &Context) -> Result<Vec<ObjectInfo>> {
        let contact = ObjectInfo::new("contact", "Contact")
            .standard("contact")
            .field(FieldInfo::new("name", "Name", FieldKind::Text).standard("firstname"))
            .field(FieldInfo::new("value", "Value", FieldKind::Money))
            .association("company", "company");
        Ok(vec![contact, ObjectInfo::new("company", "Company").standard("company")])
    }

    fn fetch_records(ctx: &Context, request: &PageRequest, page: &mut Page) -> Result<Option<Cursor>> {
        if request.object != "contact" {
            return Err(request.unknown_object());
        }
        let pager = CursorPager::resume(request)?;
        let answer = ctx
            .http()
            .get("api", "/contacts")
            .query("limit", page.limit())
            .query_opt("cursor", pager.cursor())
            .query_opt("since", request.updated_since)
            .send_ok_or(|answer| (answer.status == 402).then(|| Failure::permanent("acme.plan", "the plan has no API")))?;
        let contacts: Contacts<'_> = answer.json()?;
        for contact in &contacts.data {
            let mut row = page.begin(contact.id);
            row.updated_at(contact.changed).text("name", &contact.name).money("value", &contact.value);
            if let Some(company) = contact.company {
                row.association("company", company);
            }
            row.finish();
        }
        pager.next(contacts.next)
    }
}

#[cfg(feature = "engagements")]
impl longshore_sdk::Engagements for Acme {
    fn list_engagements(_: &Context) -> Result<Vec<ObjectInfo>> {
        Ok(vec![ObjectInfo::new("note", "Note").standard("note")])
    }

    fn fetch_engagements(_: &Context, request: &PageRequest, page: &mut Page) -> Result<Option<Cursor>> {
        page.begin(format_args!("{}-1", request.object)).finish();
        Ok(None)
    }
}

#[cfg(feature = "stages")]
impl longshore_sdk::Stages for Acme {
    fn describe_stages(_: &Context) -> Result<Vec<longshore_sdk::Pipeline>> {
        use longshore_sdk::{Pipeline, Stage, StageMeaning};
        let won = Stage::new("won", "Won", StageMeaning::Won).probability(100);
        Ok(vec![Pipeline::new(1, "Sales", "deal").stage(won)])
    }
}
