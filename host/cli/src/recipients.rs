//! Who is told what became of a run: the section `notify` of `longshore.toml`. It holds no secret.

use egress::{Email, Security};
use serde::{Deserialize, Serialize};

/// The name of the e-mail among the recipients.
pub(crate) const EMAIL: &str = "email";

/// Who is told, and of what.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotifySection {
    /// What is told: any of `completed`, `paused`, `failed` and `token-lost`. All of them where it is not said.
    #[serde(default = "Event::all")]
    pub(crate) on: Vec<Event>,
    /// People, by e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<EmailSection>,
    /// Programs, by a signed call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) webhook: Vec<WebhookSection>,
}

/// What may become of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Event {
    /// It came to its end, with or without findings.
    Completed,
    /// It waits for a person: too many records failed for one cause, or somebody stopped it.
    Paused,
    /// It could not be done.
    Failed,
    /// One side does not take the credential any more.
    TokenLost,
}

impl Event {
    /// All of them.
    pub(crate) fn all() -> Vec<Self> {
        vec![Self::Completed, Self::Paused, Self::Failed, Self::TokenLost]
    }

    /// As it is written in settings and calls.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Paused => "paused",
            Self::Failed => "failed",
            Self::TokenLost => "token-lost",
        }
    }
}

/// E-mail through a server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmailSection {
    /// Addresses, with or without a name: `Ada <ada@example.com>`.
    pub(crate) to: Vec<String>,
    /// The sender's address.
    pub(crate) from: String,
    /// Name or address of the SMTP server.
    pub(crate) host: String,
    /// Its port. Where it is not said: 587 for `starttls`, 465 for `tls`, 25 for `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    /// How the connection is kept from others' eyes: `starttls`, which is the default, `tls`, or `none` to a server on this machine.
    #[serde(default)]
    pub(crate) security: Transport,
    /// Who we are at the server, where it asks; `longshore notify secret email` keeps the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
}

/// How the connection to an SMTP server is kept from others' eyes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Transport {
    /// It begins in plain text and turns to TLS before anything is said.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Not at all.
    None,
}

/// A program that is called.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookSection {
    /// Its name, for people; `longshore notify secret NAME` keeps the secret that signs the calls.
    pub(crate) name: String,
    /// Its address: https, or http on this machine.
    pub(crate) url: String,
}

impl EmailSection {
    /// The recipient, without its password.
    pub(crate) fn to_email(&self) -> Email {
        let security = match self.security {
            Transport::Starttls => Security::Starttls,
            Transport::Tls => Security::Tls,
            Transport::None => Security::Nothing,
        };
        Email {
            to: self.to.clone(),
            from: self.from.clone(),
            host: self.host.clone(),
            port: self.port.unwrap_or(security.usual_port()),
            security,
            login: None,
        }
    }
}

impl NotifySection {
    /// Everything that is wrong with it, for a person; nothing where it can be used.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(section) = &self.email {
            let found = section.to_email().faults().into_iter();
            faults.extend(found.map(|fault| format!("notify.email: {fault}")));
            if section.user.is_some() && section.security == Transport::None {
                faults.push(
                    "notify.email: a password is not sent over a connection without TLS".to_owned(),
                );
            }
        }
        let mut names = vec![EMAIL];
        for section in &self.webhook {
            let name = section.name.as_str();
            if names.contains(&name) || name.is_empty() || name.chars().any(char::is_control) {
                faults.push(format!(
                    "notify.webhook {name:?}: each needs a name of its own other than {EMAIL:?}"
                ));
            }
            names.push(name);
            if let Err(fault) = egress::webhook::check_url(&section.url) {
                faults.push(format!("notify.webhook {name:?}: url: {fault}"));
            }
        }
        if self.email.is_none() && self.webhook.is_empty() {
            faults.push(
                "notify: it names nobody; add [notify.email] or [[notify.webhook]]".to_owned(),
            );
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, faults: &[&str]) {
        let section: NotifySection = toml::from_str(text).unwrap();
        let found = section.faults();
        assert_eq!(found.len(), faults.len(), "{found:?}");
        for (found, part) in found.iter().zip(faults) {
            assert!(found.contains(part), "{found} lacks {part}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_all_at_once() {
        check(
            "[email]\nto = [\"a@b.example\"]\nfrom = \"l@b.example\"\nhost = \"smtp.b.example\"\nuser = \"l\"",
            &[],
        );
        check("on = [\"failed\"]", &["names nobody"]);
        check(
            "[email]\nto = []\nfrom = \"x\"\nhost = \"smtp.b.example\"\nsecurity = \"none\"\nuser = \"l\"
             [[webhook]]\nname = \"email\"\nurl = \"https://h.example\"
             [[webhook]]\nname = \"ops\"\nurl = \"http://h.example\"
             [[webhook]]\nname = \"ops\"\nurl = \"https://h.example\"",
            &["nobody", "no e-mail address", "not this machine", "without TLS", "\"email\"", "use https", "of its own"],
        );
    }
}
