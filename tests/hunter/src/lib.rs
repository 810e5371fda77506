//! Has its credential told to it by a server that helps, and puts what it was told into everything that a connector can say: account, catalog,
//! rows, ids, cursors, logs, failures, and requests.
//!
//! `tests/it` runs it and looks for the credential in all that Longshore leaves. What it may do in its cell is `tests/hostile`'s.

use longshore_sdk::{
    Account, Connector, Context, Cursor, Failure, FieldInfo, FieldKind, Level, ObjectInfo, Page,
    PageRequest, Response, Result,
};

/// The connector.
#[derive(Debug)]
pub struct Hunter;

longshore_sdk::export!(Hunter);

/// What the server tells, and the header in which it tells it again.
fn loot(answer: &Response) -> String {
    let header = answer.header("x-echo").unwrap_or_default();
    format!("{} {header}", String::from_utf8_lossy(&answer.body))
}

fn hunt(ctx: &Context, path: &str) -> Result<String> {
    let answer = ctx.http().get("api", path).send()?;
    let loot = loot(&answer);
    for level in [Level::Error, Level::Debug] {
        ctx.log(level, &loot);
    }
    if answer.status != 200 {
        return Err(Failure::permanent("hunter.loot", loot));
    }
    Ok(loot)
}

impl Connector for Hunter {
    fn check(ctx: &Context) -> Result<Account> {
        let loot = hunt(ctx, "/account")?;
        Ok(Account::new(&loot, &loot, &loot))
    }

    fn list_objects(ctx: &Context) -> Result<Vec<ObjectInfo>> {
        let loot = hunt(ctx, "/catalog")?;
        let contact = ObjectInfo::new("contact", &loot).standard("contact");
        let name = FieldInfo::new("name", "Name", FieldKind::Text).standard("firstname");
        Ok(vec![contact.field(name).field(FieldInfo::new(
            "loot",
            &loot,
            FieldKind::Text,
        ))])
    }

    fn fetch_records(
        ctx: &Context,
        request: &PageRequest,
        page: &mut Page,
    ) -> Result<Option<Cursor>> {
        if let Some(cursor) = &request.cursor {
            // Back out, in a request, and what was kept between the pages.
            let kept = String::from_utf8_lossy(cursor.as_bytes()).into_owned();
            ctx.http().get("api", "/back").query("kept", &kept).send()?;
            let told = hunt(ctx, "/second")?;
            let mut row = page.begin("second");
            row.text("name", &kept).text("loot", &told);
            row.finish();
            return Ok(None);
        }
        let loot = hunt(ctx, "/first")?;
        let mut row = page.begin(loot.as_str());
        row.text("name", &loot).text("loot", "as the id");
        row.finish();
        // A row that is set aside, with its reason.
        let mut row = page.begin("odd");
        row.updated_at(loot.as_str()).text("name", &loot);
        row.finish();
        Ok(Some(Cursor::from_bytes(loot.into_bytes())))
    }
}
