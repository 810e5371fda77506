//! Tells people and programs what became of a run, wherever they want to be told; each by itself, and again where it may pass.
//!
//! What is told is the caller's. Secrets that it may hold are taken out here, before anything is sent.

use std::fmt;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use futures_util::future::join_all;
use model::Instant;
use vault::SecretText;

use crate::email::Email;
use crate::redact::Scrubber;
use crate::webhook::{CallFailed, Webhook};

/// How long a recipient may take altogether: a run has ended, and somebody waits for the prompt.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tries after the first.
const RETRIES: usize = 3;

/// Somebody who is told.
#[derive(Clone, Debug)]
pub enum Recipient {
    /// People.
    Email(Email),
    /// A program.
    Webhook(Webhook),
}

/// What is told.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The same for every try and every recipient, so that one who hears it twice knows.
    pub id: String,
    /// When it happened.
    pub at: Instant,
    /// In one line, for a person.
    pub subject: String,
    /// For a person.
    pub text: String,
    /// For a program.
    pub data: serde_json::Value,
}

/// Why somebody was not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} was not told: {why}")]
pub struct NotifyError {
    /// Which one, by its name in the settings.
    pub name: String,
    /// Why, for a person, without secrets.
    pub why: String,
}

/// Everybody who is told, by name.
pub struct Notifier {
    recipients: Vec<(String, Recipient)>,
    user_agent: String,
    scrubber: Scrubber,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.recipients.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

impl Notifier {
    /// Tells those. `secrets` are taken out of what is told; those of the recipients are known.
    pub fn new(
        recipients: Vec<(String, Recipient)>,
        user_agent: impl Into<String>,
        secrets: &[SecretText],
    ) -> Self {
        let own = recipients
            .iter()
            .filter_map(|(_, recipient)| match recipient {
                Recipient::Email(email) => email.login.as_ref().map(|login| &login.password),
                Recipient::Webhook(webhook) => Some(&webhook.secret),
            });
        let scrubber = Scrubber::new(own.chain(secrets));
        Self {
            scrubber,
            recipients,
            user_agent: user_agent.into(),
        }
    }

    /// Whether there is nobody to be told.
    pub fn is_empty(&self) -> bool {
        self.recipients.is_empty()
    }

    /// Tells everybody at once, and says of each by name whether it arrived. It takes half a minute at most.
    pub async fn send(&self, notice: &Notice) -> Vec<(String, Result<(), NotifyError>)> {
        let clean = |text: &str| self.scrubber.text(text).into_owned();
        let (subject, text) = (clean(&notice.subject), clean(&notice.text));
        let body = clean(&notice.data.to_string());
        let told = self.recipients.iter().map(async |(name, recipient)| {
            let once = || async {
                match recipient {
                    Recipient::Email(email) => email.send(&notice.id, &subject, &text).await,
                    Recipient::Webhook(webhook) => {
                        let (agent, id) = (&self.user_agent, &notice.id);
                        webhook.call(agent, id, notice.at, &body).await
                    }
                }
            };
            let pauses = ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(300))
                .with_factor(3.0)
                .with_max_times(RETRIES)
                .with_jitter();
            let tries = once
                .retry(pauses)
                .when(|failed: &CallFailed| failed.may_pass);
            let ended = tokio::time::timeout(PATIENCE, tries).await;
            let failed = match ended {
                Ok(Ok(())) => None,
                Ok(Err(failed)) => Some(failed.why),
                Err(_) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            let outcome = match failed {
                None => Ok(()),
                Some(why) => Err(NotifyError {
                    name: name.clone(),
                    why: clean(&why),
                }),
            };
            (name.clone(), outcome)
        });
        join_all(told).await
    }
}

#[cfg(test)]
mod tests;
