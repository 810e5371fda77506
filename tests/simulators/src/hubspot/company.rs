//! The portal of a company whose truth is known: its people have seats there under their own addresses, and its currencies are set up.
//!
//! It holds no records yet: they are what a migration brings.

use super::options::Options;
use super::owners::Owner;
use crate::crm_sample::CrmSample;
use crate::truth::{Crm, Generated, Source, SourceError};

/// What a portal numbers its owners from; a source's numbers mean nothing there.
const FIRST_OWNER: u64 = 70_000;
/// The same for users.
const FIRST_USER: u64 = 5_000_000;

impl Options {
    /// A portal of that company. Who left has a deactivated seat.
    ///
    /// # Errors
    ///
    /// [`SourceError`] where the truth cannot be read.
    pub fn of_company(source: &Source) -> Result<Self, SourceError> {
        Ok(match source {
            Source::Generated { records, seed } => Self::of(&Generated::new(*records, *seed)),
            Source::CrmSample(folder) => Self::of(&CrmSample::read(folder)?),
        })
    }

    fn of(crm: &dyn Crm) -> Self {
        let company = crm.company().default_currency;
        let others = crm
            .currencies()
            .iter()
            .filter(|currency| currency.code != company);
        let mut codes: Vec<_> = others
            .map(|currency| (currency.code.to_owned(), 1.0))
            .collect();
        // A company's own inventions are no currencies to others.
        codes.retain(|(code, _)| {
            code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase())
        });
        codes.dedup();
        let owners = crm.users().iter().map(|user| {
            let (first, last) = user.name.split_once(' ').unwrap_or((&user.name, ""));
            Owner {
                id: FIRST_OWNER + user.id,
                user: FIRST_USER + user.id,
                email: Some(user.email.clone()),
                first_name: first.to_owned(),
                last_name: last.to_owned(),
                archived: !user.active,
                created: 1_700_000_000_000,
                updated: 1_700_000_000_000,
                ..Owner::default()
            }
        });
        Self {
            owners: owners.collect(),
            currency: company.to_owned(),
            currencies: codes,
            ..Self::default()
        }
    }
}
