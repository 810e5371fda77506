//! Holds who owns records: people with a seat, people who left, and queues.
//!
//! Nothing here is written through the API.

use super::answer::{Answer, Failure};
use super::call::{Call, Method};
use super::clock::iso;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::HashSet;

/// What an owner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OwnerKind {
    /// A user.
    #[default]
    Person,
    /// A queue of work.
    Queue,
}

/// A team that an owner belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Number, as text.
    pub id: String,
    /// Name.
    pub name: String,
    /// The owner's main team.
    pub primary: bool,
}

/// Somebody who can own records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owner {
    /// What `hubspot_owner_id` holds.
    pub id: u64,
    /// Number of the user; never the same as `id`.
    pub user: u64,
    /// Address; a queue has none.
    pub email: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Person or queue.
    pub kind: OwnerKind,
    /// Teams.
    pub teams: Vec<Team>,
    /// Deactivated: listed with `archived=true` only.
    pub archived: bool,
    /// Milliseconds since 1970.
    pub created: i64,
    /// Milliseconds since 1970.
    pub updated: i64,
}

impl Owner {
    fn json(&self) -> Value {
        let mut out = json!({
            "id": self.id.to_string(),
            "firstName": self.first_name,
            "lastName": self.last_name,
            "type": if self.kind == OwnerKind::Person { "PERSON" } else { "QUEUE" },
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
            "archived": self.archived,
        });
        if let Some(email) = &self.email {
            out["email"] = json!(email);
        }
        if self.kind == OwnerKind::Person {
            out["userIdIncludingInactive"] = json!(self.user);
            // Who left has no user any more.
            if !self.archived {
                out["userId"] = json!(self.user);
            }
        }
        if !self.teams.is_empty() {
            let teams = self.teams.iter();
            out["teams"] = teams
                .map(|team| json!({"id": team.id, "name": team.name, "primary": team.primary}))
                .collect();
        }
        out
    }
}

/// The owners of a portal.
#[derive(Debug, Clone, Default)]
pub struct Owners {
    all: Vec<Owner>,
    ids: HashSet<String>,
}

impl Owners {
    /// Those owners, in the order they are listed.
    pub(super) fn new(all: Vec<Owner>) -> Self {
        let ids = all.iter().map(|owner| owner.id.to_string()).collect();
        Self { all, ids }
    }

    /// Everyone, those who left included.
    pub fn all(&self) -> &[Owner] {
        &self.all
    }

    /// Whether somebody has that id, gone or not: records keep the owners that they had.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Answers below `/crm/v3/owners`; `rest` is what follows.
    ///
    /// # Errors
    ///
    /// 400, 404 or 405 in the vendor's envelope.
    pub(super) fn answer(&self, call: &Call, rest: &[&str]) -> Result<Answer, Failure> {
        match (call.method, rest) {
            (Method::Get, []) => self.list(call),
            (Method::Get, [id]) => self.one(call, id),
            (_, [] | [_]) => Err(Failure::method()),
            _ => Err(Failure::no_endpoint()),
        }
    }

    fn list(&self, call: &Call) -> Result<Answer, Failure> {
        let limit = call.limit(100, 500)?;
        let start = match call.get("after") {
            None | Some("") => 0,
            Some(after) => offset(after).ok_or_else(|| {
                Failure::validation(format!("Invalid value for query parameter after: {after}"))
            })?,
        };
        let archived = call.flag("archived");
        let email = call.get("email").filter(|email| !email.is_empty());
        let fits = |owner: &&Owner| {
            owner.archived == archived
                && email.is_none_or(|wanted| {
                    let have = owner.email.as_deref();
                    have.is_some_and(|have| have.eq_ignore_ascii_case(wanted))
                })
        };
        let mut found = self.all.iter().filter(fits).skip(start);
        let results: Vec<_> = found.by_ref().take(limit).map(Owner::json).collect();
        let mut out = json!({ "results": results });
        if found.next().is_some() {
            let after = BASE64_STANDARD.encode((start + limit).to_string());
            let link = format!("https://api.hubapi.com/crm/v3/owners/?limit={limit}&after={after}");
            out["paging"] = json!({"next": {"after": after, "link": link}});
        }
        Ok(Answer::json(200, &out))
    }

    fn one(&self, call: &Call, id: &str) -> Result<Answer, Failure> {
        let number: u64 = id
            .parse()
            .map_err(|_| Failure::validation(format!("Invalid owner id: {id}")))?;
        let by_user = match call.get("idProperty") {
            None | Some("id") => false,
            Some("userId") => true,
            Some(other) => {
                return Err(Failure::validation(format!(
                    "Invalid value for query parameter idProperty: {other}, it must be one of [id, userId]"
                )));
            }
        };
        let archived = call.flag("archived");
        let found = self.all.iter().find(|owner| {
            let have = if by_user { owner.user } else { owner.id };
            have == number && owner.archived == archived
        });
        let owner = found.ok_or_else(Failure::not_found)?;
        Ok(Answer::json(200, &owner.json()))
    }
}

/// Where a page starts: the cursor is opaque to callers.
fn offset(after: &str) -> Option<usize> {
    let bytes = BASE64_STANDARD.decode(after).ok()?;
    std::str::from_utf8(&bytes).ok()?.parse().ok()
}
