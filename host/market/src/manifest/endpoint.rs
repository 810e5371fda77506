//! Finds what makes no sense in an endpoint: an address that parameters could bend, patterns, rates and costs.
//!
//! Whether the address leads to a place that connectors may reach is seen when it is resolved, by `egress`.

use model::grant::{Endpoint, PathCost, RateLimit};
use regex::RegexBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::check::Check;
use super::places::Step::{self, At, Key};

const PATTERN_MAX_BYTES: usize = 500;
/// Of the compiled pattern: a few repetitions of repetitions would take gigabytes.
const PROGRAM_MAX_BYTES: usize = 1 << 20;

impl Check<'_> {
    /// Everything about the endpoint at that position.
    pub(super) fn endpoint(&mut self, endpoint: &Endpoint, at: usize) {
        let here = [Key("endpoints"), At(at)];
        self.id(&[here[0], here[1], Key("id")], &endpoint.id);
        let places = find_places(&endpoint.url);
        self.address(endpoint, &places, at);
        for (name, parameter) in &endpoint.parameters {
            let path = [here[0], here[1], Key("parameters"), Key(name)];
            if !places.contains(&name.as_str()) {
                let message = format!("parameter {name:?} stands nowhere in the url");
                self.tell(
                    &path,
                    message,
                    "put it in the url in braces, or leave it out",
                );
            }
            self.shown(&path, &parameter.label, 80);
            self.pattern(&path, &parameter.pattern);
        }
        if endpoint.methods.is_empty() {
            let path = [here[0], here[1], Key("methods")];
            self.tell(
                &path,
                "no method is granted",
                "list the methods, for example [\"GET\"]",
            );
        }
        if let Some(limit) = &endpoint.rate_limit {
            self.rate_limit(limit, at);
        }
        for (position, cost) in endpoint.costs.iter().enumerate() {
            self.cost(cost, at, position);
        }
    }

    fn address(&mut self, endpoint: &Endpoint, places: &[&str], at: usize) {
        let path = [Key("endpoints"), At(at), Key("url")];
        for name in places
            .iter()
            .filter(|name| !endpoint.parameters.contains_key(**name))
        {
            let message = format!("parameter {name:?} is not declared");
            self.tell(
                &path,
                message,
                format!("add parameters.{name} with label and pattern"),
            );
        }
        let place = |name: &str| format!("{{{name}}}");
        // A place stands for one host label or a part of one, so any label shows whether the address around it is good.
        let filled = places.iter().fold(endpoint.url.clone(), |url, name| {
            url.replace(&place(name), "x")
        });
        let Some(url) = self.https(&path, &filled) else {
            return;
        };
        let host = endpoint.url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default();
        if places.iter().any(|name| !host.contains(&place(name))) {
            self.tell(
                &path,
                "a parameter stands outside of the host",
                "parameters may stand in the host only",
            );
        }
        let is_listed = |name: &str| {
            endpoint
                .parameters
                .get(name)
                .is_some_and(|found| is_list(&found.pattern))
        };
        let free: Vec<String> = places
            .iter()
            .filter(|name| !is_listed(name))
            .map(|name| place(name))
            .collect();
        let is_open = |label: &str| free.iter().any(|place| label.contains(place.as_str()));
        if host.rsplit('.').take(2).any(is_open)
            || !url.host_str().unwrap_or_default().contains('.')
        {
            let remedy = r"the last two labels of the host must be fixed, or the pattern a plain list such as com|eu|com\.au";
            self.tell(&path, "a parameter could choose the whole domain", remedy);
        }
    }

    fn pattern(&mut self, path: &[Step<'_>], pattern: &str) {
        let remedy = "one host label: for example [a-z0-9][a-z0-9-]{0,62}";
        match read_pattern(pattern) {
            Err(error) => {
                let last = error.lines().last().unwrap_or_default().trim();
                self.tell(
                    path,
                    format!("pattern cannot be read: {last}"),
                    "a regular expression that the whole value matches",
                );
            }
            Ok(_) if is_list(pattern) => {}
            Ok(hir) => {
                // A value is put into a host name: other characters would change which host, port, user or path is meant.
                if hir
                    .properties()
                    .minimum_len()
                    .is_none_or(|bytes| bytes == 0)
                {
                    self.tell(path, "pattern lets an empty value through", remedy);
                } else if !is_of_label(&hir) {
                    let message = "pattern lets more than letters, digits, - and _ through";
                    self.tell(path, message, remedy);
                }
            }
        }
    }

    fn rate_limit(&mut self, limit: &RateLimit, at: usize) {
        let path = [Key("endpoints"), At(at), Key("rate_limit")];
        if !(limit.per_second.is_finite() && (0.001..=10_000.0).contains(&limit.per_second)) {
            self.tell(&path, "per_second is out of range", "0.001 to 10000");
        }
        if !(1..=100_000).contains(&limit.burst) || !(1..=1_000).contains(&limit.concurrency) {
            self.tell(
                &path,
                "burst or concurrency is out of range",
                "burst 1 to 100000, concurrency 1 to 1000",
            );
        }
        if limit.daily_budget == Some(0) {
            self.tell(
                &path,
                "daily_budget is 0",
                "leave it out where the vendor has none",
            );
        }
    }

    fn cost(&mut self, cost: &PathCost, at: usize, position: usize) {
        let path = [Key("endpoints"), At(at), Key("costs"), At(position)];
        let inner = cost.path.strip_suffix("/**").unwrap_or(&cost.path);
        let fits = cost.path.starts_with('/')
            && !inner.contains("**")
            && !cost.path.contains(['?', '#', '\\']);
        if !fits {
            self.tell(
                &path,
                format!("{:?} is no path", cost.path),
                "a path from /, * for one segment, /** only at the end",
            );
        }
    }
}

/// Reads a pattern as it is used, and by itself: `x)|(?:y` is one only between the brackets that are put around it.
fn read_pattern(pattern: &str) -> Result<Hir, String> {
    if pattern.len() > PATTERN_MAX_BYTES {
        return Err(format!("it has more than {PATTERN_MAX_BYTES} bytes"));
    }
    RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .size_limit(PROGRAM_MAX_BYTES)
        .build()
        .map_err(|error| error.to_string())?;
    regex_syntax::parse(pattern).map_err(|error| error.to_string())
}

/// Whether all that a pattern lets through are ASCII letters, digits, `-` and `_`: decided on its syntax, not by trying samples.
fn is_of_label(hir: &Hir) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => literal.0.iter().copied().all(fits),
        HirKind::Class(Class::Unicode(class)) => class.ranges().iter().all(|range| {
            // ASCII has 128 characters, so the range that reaches further is refused before it is walked.
            range.end().is_ascii() && (range.start()..=range.end()).all(|c| fits(c as u8))
        }),
        HirKind::Class(Class::Bytes(_)) => false,
        HirKind::Repetition(repetition) => is_of_label(&repetition.sub),
        HirKind::Capture(capture) => is_of_label(&capture.sub),
        HirKind::Concat(all) | HirKind::Alternation(all) => all.iter().all(is_of_label),
    }
}

/// Whether a pattern is a plain list of host names or labels, such as `com|eu|com\.au`: all that it lets through is shown to the person.
fn is_list(pattern: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    pattern.split('|').all(|name| {
        name.split("\\.")
            .all(|label| !label.is_empty() && label.bytes().all(plain))
    })
}

/// The names in braces, in order.
fn find_places(url: &str) -> Vec<&str> {
    url.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .collect()
}
