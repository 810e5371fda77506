//! What a portal keeps by itself: the account, its owners, its currencies. They are read and never written.

use std::collections::HashSet;
use std::sync::Arc;

use model::catalog::{FieldTable, StandardObject};
use model::{
    Account, Batch, BatchBuilder, DestinationError, FieldInfo, FieldKind, ObjectInfo, ValueRef,
};
use serde::Deserialize;

use crate::answer::List;
use crate::api::{Api, read};

/// The most owners of a page that every version takes.
const OWNERS_PAGE: &str = "100";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Details {
    portal_id: u64,
    account_type: String,
    time_zone: String,
    company_currency: Option<String>,
    additional_currencies: Vec<String>,
    data_hosting_location: String,
    ui_domain: String,
}

/// The account, and the codes of its currencies, its own first.
pub(crate) async fn account(api: &Api) -> Result<(Account, Vec<String>), DestinationError> {
    let doing = "reading the account";
    let body = api.get("/account-info/v3/details", Vec::new()).await;
    let body = body.map_err(|failed| failed.stop(doing))?;
    let details: Details = read(&body, doing)?;
    let mut account = Account {
        id: details.portal_id.to_string(),
        name: format!("HubSpot portal {}", details.portal_id),
        currency: details.company_currency.clone(),
        ..Account::default()
    };
    let told = [
        ("account type", details.account_type),
        ("time zone", details.time_zone),
        ("data hosting", details.data_hosting_location),
        ("address", details.ui_domain),
    ];
    let told = told.into_iter().filter(|(_, text)| !text.is_empty());
    account
        .attributes
        .extend(told.map(|(name, text)| (name.to_owned(), text)));
    let mut codes: Vec<String> = details.company_currency.into_iter().collect();
    codes.extend(details.additional_currencies);
    Ok((account, codes))
}

fn fixed(standard: StandardObject, label: &str, fields: &[(&str, FieldKind)]) -> Arc<ObjectInfo> {
    let fields = fields.iter().map(|(name, kind)| FieldInfo {
        standard: Some((*name).to_owned()),
        read_only: true,
        ..FieldInfo::new(*name, *kind)
    });
    Arc::new(ObjectInfo {
        name: standard.name().into(),
        label: label.to_owned(),
        standard: Some(standard),
        fields: FieldTable::new(fields.collect()).expect("the names are constants and differ"),
        ..ObjectInfo::default()
    })
}

/// The object of owners.
pub(crate) fn owner_object() -> Arc<ObjectInfo> {
    use FieldKind::{Boolean, Email, Text};
    let fields = [
        ("email", Email),
        ("firstname", Text),
        ("lastname", Text),
        ("name", Text),
        ("active", Boolean),
    ];
    fixed(StandardObject::Owner, "Owner", &fields)
}

/// The object of currencies.
pub(crate) fn currency_object() -> Arc<ObjectInfo> {
    fixed(
        StandardObject::Currency,
        "Currency",
        &[("code", FieldKind::Text)],
    )
}

/// The currencies as records, whose ids are their codes.
pub(crate) fn currencies(codes: &[String]) -> Batch {
    let mut batch = BatchBuilder::new(currency_object());
    for code in codes {
        batch.begin(code, None).field(0, ValueRef::Text(code));
    }
    batch.finish()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Owner {
    id: String,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    archived: bool,
}

/// Every owner. Of several with one address an active one: who has an account again is that one, and not the deactivated one.
pub(crate) async fn owners(api: &Api) -> Result<Batch, DestinationError> {
    let doing = "reading the owners";
    let (mut batch, mut addresses) = (BatchBuilder::new(owner_object()), HashSet::new());
    for archived in ["false", "true"] {
        let mut after = None;
        loop {
            let mut query = vec![
                ("limit".to_owned(), OWNERS_PAGE.to_owned()),
                ("archived".to_owned(), archived.to_owned()),
            ];
            query.extend(after.map(|after| ("after".to_owned(), after)));
            let body = api.get(&api.version.owners(), query).await;
            let body = body.map_err(|failed| failed.stop(doing))?;
            let mut list: List<Owner> = read(&body, doing)?;
            for owner in &list.results {
                let email = owner.email.as_deref().unwrap_or_default().to_lowercase();
                if addresses.insert(email.clone()) || email.is_empty() {
                    add(&mut batch, owner);
                }
            }
            after = list.next();
            if after.is_none() {
                break;
            }
        }
    }
    Ok(batch.finish())
}

fn add(batch: &mut BatchBuilder, owner: &Owner) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (first, last) = (text(&owner.first_name), text(&owner.last_name));
    let name = format!("{first} {last}");
    batch
        .begin(&owner.id, None)
        .field(0, ValueRef::Text(&text(&owner.email)))
        .field(1, ValueRef::Text(&first))
        .field(2, ValueRef::Text(&last))
        .field(3, ValueRef::Text(name.trim()))
        .field(4, ValueRef::Boolean(!owner.archived));
}
