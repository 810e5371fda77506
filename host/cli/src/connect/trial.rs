//! Tries an account with a credential that is not kept yet: one that does not work never takes the place of one that does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use model::Source as _;
use vault::{EntryName, Secret, Vault};

use crate::progress::tell;
use crate::project::Project;

/// How long a person waits before being told that the account is tried again.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the account says, and the credential as it is afterwards: its tokens may have been refreshed on the way.
pub(super) async fn try_secret(
    project: &Project,
    entry: &EntryName,
    secret: Secret,
) -> Result<(model::Account, Secret)> {
    let vault = Arc::new(Vault::in_memory());
    vault.store(entry, &secret)?;
    let source = project.source_with(vault.clone())?;
    let account = check(&source).await?;
    Ok((account, vault.load(entry)?))
}

/// Tries the account, and says so where that takes long: an address where nobody answers is tried several times.
async fn check(source: &sandbox::ConnectorSource) -> Result<model::Account> {
    let answer = source.check();
    tokio::pin!(answer);
    tokio::select! {
        answered = &mut answer => return Ok(answered?),
        () = tokio::time::sleep(PATIENCE) => tell("no answer yet; trying again for up to a minute"),
    }
    Ok(answer.await?)
}
