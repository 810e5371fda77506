//! How the source is reached: over the network, over the network with a tape running, or from a tape.
//!
//! It also tells a person what is waited for, and whether the tape held.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use egress::{Gateway, GatewayOptions, Recorder, Replay};
use sandbox::Outbound;

use crate::args::TapeOptions;
use crate::failure::WithHint;
use crate::progress::tell;

/// How long nothing happens before a person is told what is waited for; and how long until the next time.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_BETWEEN: Duration = Duration::from_secs(30);
/// The same where nothing went wrong: a request may wait for a window of ten seconds, and its answer takes a while.
const PATIENCE_IN_LINE: Duration = Duration::from_secs(25);

/// Which way a person chose.
#[derive(Clone, Debug, Default)]
pub(crate) enum Way {
    /// Over the network.
    #[default]
    Network,
    /// The same, recorded into that file.
    Record(PathBuf),
    /// From that file.
    Replay(PathBuf),
}

impl From<TapeOptions> for Way {
    fn from(options: TapeOptions) -> Self {
        match (options.record, options.replay) {
            (Some(file), _) => Self::Record(file),
            (None, Some(file)) => Self::Replay(file),
            (None, None) => Self::Network,
        }
    }
}

/// A way that was opened.
#[derive(Clone)]
pub(crate) enum Reach {
    /// Over the network.
    Network(Arc<Gateway>),
    /// The same, recorded.
    Recorded(Arc<Gateway>, Arc<Recorder>),
    /// From a tape.
    Replayed(Arc<Replay>),
}

impl Reach {
    /// Opens the way. `options` is asked for only where the network is used, so that a replay needs no vault; `connector` says who asks.
    pub(crate) fn open(
        way: &Way,
        connector: &str,
        grant: (&[model::grant::Endpoint], &model::grant::Injection),
        options: impl FnOnce() -> Result<GatewayOptions>,
    ) -> Result<Self> {
        match way {
            Way::Network => Ok(Self::Network(Arc::new(Gateway::new(options()?)?))),
            Way::Record(file) => {
                let mut options = options()?;
                let recorder = Arc::new(Recorder::create(file, connector)?);
                options.recorder = Some(recorder.clone());
                Ok(Self::Recorded(Arc::new(Gateway::new(options)?), recorder))
            }
            Way::Replay(file) => {
                let replay = Replay::open(file, grant.0, grant.1)?;
                let about = replay.about();
                tell(&format!(
                    "answers come from {}, recorded {} on connection {} by {}",
                    file.display(),
                    about.begun_at,
                    about.connection,
                    about.connector
                ));
                Ok(Self::Replayed(Arc::new(replay)))
            }
        }
    }

    /// Where the cell's requests go.
    pub(crate) fn outbound(&self) -> Arc<dyn Outbound> {
        match self {
            Self::Network(gateway) | Self::Recorded(gateway, _) => gateway.clone(),
            Self::Replayed(replay) => replay.clone(),
        }
    }

    /// Whether exchanges must come in the same order whenever the same is done.
    pub(crate) fn is_on_tape(&self) -> bool {
        !matches!(self, Self::Network(_))
    }

    /// The time that a plan is made at.
    pub(crate) fn now(&self) -> model::Instant {
        self.outbound().now()
    }

    /// Fails where the tape did not hold, whatever the connector made of it.
    pub(crate) fn check(&self) -> Result<()> {
        let (problem, hint) = match self {
            Self::Network(_) => return Ok(()),
            Self::Recorded(_, recorder) => (
                recorder.problem(),
                "make room, then record again into another file",
            ),
            Self::Replayed(replay) => (
                replay.problem(),
                "replay with the connector, settings and command that it was recorded with, into a fresh project; or record it again",
            ),
        };
        match problem {
            Some(problem) => Err(WithHint::error(problem.to_string(), hint)),
            None => Ok(()),
        }
    }

    /// Marks the end of a tape that was recorded.
    pub(crate) fn finish(&self) -> Result<()> {
        match self {
            Self::Recorded(_, recorder) => recorder
                .finish()
                .map_err(|problem| anyhow::anyhow!("{problem}"))
                .context("the recording cannot be finished"),
            Self::Network(_) | Self::Replayed(_) => Ok(()),
        }
    }

    /// Says every now and then what is waited for, as long as the returned value lives.
    pub(crate) fn tell_waits(&self) -> Telling {
        match self {
            Self::Network(gateway) | Self::Recorded(gateway, _) => {
                tell_waits(Some(Gateway::clone(gateway)), "the source")
            }
            Self::Replayed(_) => Telling(None),
        }
    }
}

/// Says every now and then what is waited for on that way, as long as the returned value lives.
pub(crate) fn tell_waits(gateway: Option<Gateway>, whom: &'static str) -> Telling {
    let Some(gateway) = gateway else {
        return Telling(None);
    };
    Telling(Some(tokio::spawn(async move {
        let mut told = None;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let Some(waiting) = gateway.waiting() else {
                continue;
            };
            let (now, since) = (tokio::time::Instant::now(), waiting.since);
            let is_new = told.is_none_or(|(seen, at)| {
                seen != since || now.duration_since(at) >= PATIENCE_BETWEEN
            });
            // Waiting for one's turn is no trouble, and the display shows the limits.
            let patience = if waiting.why.is_some() {
                PATIENCE
            } else {
                PATIENCE_IN_LINE
            };
            if is_new && now.duration_since(since) >= patience {
                told = Some((since, now));
                tell(&line(&waiting, now, whom));
            }
        }
    })))
}

/// Ends the telling when it is dropped.
pub(crate) struct Telling(Option<tokio::task::JoinHandle<()>>);

impl Drop for Telling {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

fn line(waiting: &egress::Waiting, now: tokio::time::Instant, whom: &str) -> String {
    let seconds = now.duration_since(waiting.since).as_secs();
    let why = waiting.why.as_deref().unwrap_or("no answer yet");
    let place = waiting
        .place
        .as_ref()
        .map_or_else(String::new, |place| format!(" ({place})"));
    let left = waiting
        .until
        .map(|until| until.saturating_duration_since(now).as_secs())
        .filter(|left| *left > 0)
        .map_or_else(String::new, |left| format!("; again in {left} s"));
    format!("waiting for {whom} for {seconds} s: {why}{place}{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_told_with_its_cause_and_its_end() {
        let since = tokio::time::Instant::now();
        let mut waiting = egress::Waiting {
            place: None,
            since,
            why: None,
            until: None,
        };
        let now = since + Duration::from_secs(7);
        assert_eq!(
            line(&waiting, now, "the source"),
            "waiting for the source for 7 s: no answer yet"
        );
        waiting.why = Some("the server answered 429".to_owned());
        waiting.until = Some(now + Duration::from_secs(20));
        waiting.place = Some(egress::Place {
            endpoint: "api".to_owned(),
            path: "/v1/deals".to_owned(),
        });
        assert_eq!(
            line(&waiting, now, "the source"),
            "waiting for the source for 7 s: the server answered 429 (endpoint \"api\", path \"/v1/deals\"); again in 20 s"
        );
    }
}
