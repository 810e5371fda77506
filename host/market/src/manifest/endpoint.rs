//! Finds what makes no sense in an endpoint: an address that parameters could bend, patterns, rates and costs.
//!
//! Whether the address leads to a place that connectors may reach is seen when it is resolved, by `egress`.

use model::grant::{Endpoint, PathCost, RateLimit};
use regex::Regex;

use super::check::Check;
use super::places::Step::{self, At, Key};

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
        match Regex::new(&format!(r"\A(?:{pattern})\z")) {
            Err(error) => {
                let error = error.to_string();
                let last = error.lines().last().unwrap_or_default().trim();
                self.tell(
                    path,
                    format!("pattern cannot be read: {last}"),
                    "a regular expression that the whole value matches",
                );
            }
            Ok(_) if is_list(pattern) => {}
            // A value is put into a host name: these would change which host, port, user or path is meant.
            Ok(regex) => {
                let samples = [
                    "a.b", "a/b", "a@b", "a:1", "a#b", "a?b", "a\\b", "a%2eb", "",
                ];
                if let Some(sample) = samples.into_iter().find(|sample| regex.is_match(sample)) {
                    self.tell(
                        path,
                        format!("pattern lets {sample:?} through"),
                        "one host label: for example [a-z0-9][a-z0-9-]{0,62}",
                    );
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
