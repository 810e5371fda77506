//! The account and the connected user (`/v1/users/me`), the cheapest authenticated request there is.

use std::rc::Rc;

use longshore_sdk::{Account, Context, Failure, Level, Result};
use serde::Deserialize;

use crate::envelope;

/// The connected user and his company.
#[derive(Debug, Deserialize)]
pub(crate) struct Me {
    name: String,
    #[serde(default)]
    email: String,
    company_id: i64,
    #[serde(default)]
    company_name: String,
    #[serde(default)]
    company_domain: Option<String>,
    /// ISO 4217 code.
    #[serde(default)]
    pub(crate) default_currency: Option<String>,
    #[serde(default)]
    timezone_name: Option<String>,
    #[serde(default)]
    access: Option<Vec<Access>>,
    #[serde(default)]
    is_admin: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Access {
    #[serde(default)]
    app: String,
    #[serde(default)]
    admin: bool,
}

impl Me {
    /// Whether he sees all deals and contacts; a token sees only what its user may.
    fn is_admin(&self) -> bool {
        let by_access = self
            .access
            .iter()
            .flatten()
            .any(|access| access.admin && matches!(access.app.as_str(), "sales" | "global"));
        by_access
            || self
                .is_admin
                .as_ref()
                .is_some_and(|flag| *flag == true || *flag == 1)
    }
}

/// Reads it once for the life of the instance.
///
/// # Errors
/// As the request fails; `bad-data` when the answer holds nobody.
pub(crate) fn me(ctx: &Context) -> Result<Rc<Me>> {
    ctx.cached("me", || {
        let me = envelope::read_whole::<Me>(ctx, "/v1/users/me")?;
        me.ok_or_else(|| {
            Failure::bad_data(
                "pipedrive.no-user",
                "pipedrive did not say who is connected",
            )
        })
    })
}

/// Tells which account the credential reaches.
///
/// # Errors
/// `auth` when the credential is refused; else as the request fails.
pub(crate) fn check(ctx: &Context) -> Result<Account> {
    let me = me(ctx)?;
    let user = if me.email.is_empty() {
        me.name.clone()
    } else {
        format!("{} <{}>", me.name, me.email)
    };
    let mut account = Account::new(me.company_id, &me.company_name, user);
    account.currency = me.default_currency.clone().filter(|code| !code.is_empty());
    account.attributes.extend(
        me.company_domain
            .clone()
            .map(|domain| ("company-domain".to_owned(), domain)),
    );
    account.attributes.extend(
        me.timezone_name
            .clone()
            .map(|zone| ("timezone".to_owned(), zone)),
    );
    account
        .attributes
        .push(("admin".to_owned(), me.is_admin().to_string()));
    if !me.is_admin() {
        ctx.log(
            Level::Warn,
            "the connected user is no admin: records that others own and do not share are not read",
        );
    }
    Ok(account)
}
