//! E-mail through the SMTP server that a person named, over TLS or to this machine.
//!
//! The server may stand in a private network, as a company's often does: a person chose it, no connector can.

use std::time::Duration;

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Mailboxes};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use vault::SecretText;

use crate::webhook::CallFailed;

/// How long one answer of the server may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How the connection is kept from others' eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// It begins in plain text and turns to TLS before anything is said; port 587.
    Starttls,
    /// TLS from the first byte; port 465.
    Tls,
    /// Not at all: to this machine only.
    Nothing,
}

impl Security {
    /// The port that is usual for it (RFC 8314; 25 for plain text).
    pub fn usual_port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::Nothing => 25,
        }
    }
}

/// Who we are at the server.
#[derive(Clone, Debug)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: SecretText,
}

/// Whom to write to, and through which server.
#[derive(Clone, Debug)]
pub struct Email {
    /// Addresses, with or without a name: `Ada <ada@example.com>`.
    pub to: Vec<String>,
    /// The sender's address.
    pub from: String,
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others' eyes.
    pub security: Security,
    /// `None` where the server asks for none.
    pub login: Option<Login>,
}

/// Nobody's absence note answers a machine (RFC 3834, section 5).
#[derive(Clone, Debug)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Email {
    /// Everything that is wrong with it, for a person; nothing where it can be used.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.to.is_empty() {
            faults.push("`to` names nobody".to_owned());
        }
        for address in self.to.iter().chain([&self.from]) {
            if let Err(error) = address.parse::<Mailbox>() {
                faults.push(format!("{address:?} is no e-mail address: {error}"));
            }
        }
        if self.security == Security::Nothing && !self.is_loopback() {
            faults.push(format!(
                "{:?} is not this machine, so the connection has to be `starttls` or `tls`",
                self.host
            ));
        }
        if self.security == Security::Nothing && self.login.is_some() {
            faults.push("a password is not sent over a connection without TLS".to_owned());
        }
        faults
    }

    fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self
                .host
                .parse()
                .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }

    /// Sends once.
    pub(crate) async fn send(&self, id: &str, subject: &str, text: &str) -> Result<(), CallFailed> {
        let for_good = |why: String| CallFailed {
            why,
            may_pass: false,
        };
        if let Some(fault) = self.faults().into_iter().next() {
            return Err(for_good(fault));
        }
        let message = self
            .message(id, subject, text)
            .map_err(|error| for_good(error.to_string()))?;
        let server = self
            .server()
            .map_err(|error| for_good(format!("the server {:?}: {error}", self.host)))?;
        match server.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(CallFailed {
                may_pass: !error.is_permanent() && !error.is_client(),
                why: explain(&error),
            }),
        }
    }

    fn message(
        &self,
        id: &str,
        subject: &str,
        text: &str,
    ) -> Result<Message, Box<dyn std::error::Error>> {
        let mut to = Mailboxes::new();
        for address in &self.to {
            to.push(address.parse()?);
        }
        let message = Message::builder()
            .from(self.from.parse()?)
            .mailbox(lettre::message::header::To::from(to))
            .subject(one_line(subject))
            .message_id(Some(format!("<{}@longshore>", one_line(id))))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(text.to_owned())?;
        Ok(message)
    }

    fn server(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
        let builder = match self.security {
            Security::Starttls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&self.host)?,
            Security::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&self.host)?,
            Security::Nothing => {
                AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.host)
            }
        };
        let builder = builder.port(self.port).timeout(Some(TIMEOUT));
        let builder = match &self.login {
            None => builder,
            Some(login) => builder.credentials(Credentials::new(
                login.user.clone(),
                login.password.expose().to_owned(),
            )),
        };
        Ok(builder.build())
    }
}

/// A line of its own begins another header, so there is none.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// What happened, with what the server said.
fn explain(error: &lettre::transport::smtp::Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let text = inner.to_string();
        let last = parts.pop().unwrap_or_default();
        match (last.contains(&text), text.contains(&last)) {
            (true, _) => parts.push(last),
            (_, true) => parts.push(text),
            _ => parts.extend([last, text]),
        }
        source = inner.source();
    }
    one_line(&parts.join(": ")).chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email() -> Email {
        Email {
            to: vec![
                "Ada <ada@example.com>".to_owned(),
                "bo@example.com".to_owned(),
            ],
            from: "longshore@example.com".to_owned(),
            host: "localhost".to_owned(),
            port: 25,
            security: Security::Nothing,
            login: None,
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_all_at_once() {
        assert_eq!(email().faults(), Vec::<String>::new());
        let wrong = Email {
            to: vec![
                "ada@example.com\r\nBcc: all@example.com".to_owned(),
                "nobody".to_owned(),
            ],
            host: "smtp.example.com".to_owned(),
            login: Some(Login {
                user: "ada".to_owned(),
                password: "canary".into(),
            }),
            ..email()
        };
        let faults = wrong.faults();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(!faults.concat().contains("canary"));
    }

    #[test]
    fn nothing_that_a_customer_wrote_adds_a_header() {
        let subject = "done\r\nBcc: all@example.com\r\n\r\nhello";
        let message = email().message("1\r\nX-Evil: 1", subject, "text").unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let begins = |name: &str| head.lines().any(|line| line.starts_with(name));
        assert!(!begins("Bcc:") && !begins("X-Evil:"), "{head}");
        for name in [
            "From:",
            "To:",
            "Subject:",
            "Date:",
            "Message-ID:",
            "Auto-Submitted:",
        ] {
            assert!(begins(name), "{name} in {head}");
        }
    }
}
