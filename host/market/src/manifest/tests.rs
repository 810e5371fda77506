use super::*;

const GOOD: &str = r#"id = "acme"
name = "Acme CRM"
version = "1.2.3"
publisher = "Acme"
contract = "0.1"
homepage = "https://acme.example/docs"

[[endpoints]]
id = "api"
url = "https://{company}.acme.com/api"
methods = ["GET", "POST"]
parameters = { company = { label = "company domain", pattern = "[a-z0-9][a-z0-9-]{0,62}" } }
rate_limit = { per_second = 10.0, burst = 20, concurrency = 4, daily_budget = 30000 }
costs = [{ path = "/v2/deals/*", cost = 20 }, { path = "/**", cost = 1 }]

[[credentials]]
kind = "key"
id = "api-token"
label = "API token"
inject = { header = "x-api-token", endpoints = ["api"] }

[[credentials]]
kind = "oauth2"
id = "oauth"
authorize_url = "https://login.acme.com/authorize"
token_url = "https://login.acme.com/token"
scopes = ["deals:read"]
client_auth = "basic"
inject = { header = "authorization", prefix = "Bearer ", endpoints = ["api"] }

[[objects]]
name = "person"
standard = "contact"
supports = ["read", "incremental", "associations"]

[[engagements]]
name = "note"
standard = "note"
supports = ["read"]

[settings.bodies]
type = "string"
enum = ["on", "off"]
default = "on"
description = "Whether bodies are read"

[limits]
memory_mib = 128
"#;

#[test]
fn a_good_manifest_is_read_and_keeps_its_defaults() {
    let manifest = Manifest::parse(GOOD).unwrap();
    assert_eq!(manifest.version, semver::Version::new(1, 2, 3));
    assert_eq!(
        manifest.limits,
        Limits {
            memory_mib: 128,
            call_timeout_ms: 120_000
        }
    );
    assert_eq!(
        manifest
            .find_credential("oauth")
            .unwrap()
            .injection()
            .prefix,
        "Bearer "
    );
    let chosen = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    assert_eq!(manifest.settings(&chosen(&[])).unwrap()["bodies"], "on");
    assert_eq!(
        manifest.settings(&chosen(&[("bodies", "off")])).unwrap()["bodies"],
        "off"
    );
    assert!(matches!(
        manifest.settings(&chosen(&[("bodies", "x")])),
        Err(SettingError::Value { .. })
    ));
    assert!(matches!(
        manifest.settings(&chosen(&[("other", "x")])),
        Err(SettingError::Undeclared(_))
    ));
}

/// Checks that the manifest with `old` replaced is refused at that line with a message that has those words.
#[track_caller]
fn refused(old: &str, new: &str, line: usize, words: &str) {
    assert!(GOOD.contains(old), "the good manifest has {old:?}");
    let error = Manifest::parse(&GOOD.replacen(old, new, 1)).unwrap_err();
    let told = error
        .problems
        .iter()
        .any(|problem| problem.line == line && problem.message.contains(words));
    assert!(told, "expected line {line} with {words:?}, got {error}");
    assert!(
        error
            .problems
            .iter()
            .all(|problem| !problem.remedy.is_empty())
    );
}

#[test]
fn each_mistake_is_told_with_its_line() {
    refused(
        "publisher = \"Acme\"",
        "publisher = \"Acme\"\ncolour = \"red\"",
        5,
        "colour",
    );
    refused("id = \"acme\"", "id = \"../acme\"", 1, "no id");
    refused("id = \"acme\"", "id = \"Acme\"", 1, "no id");
    refused("\"1.2.3\"", "\"1.2\"", 3, "unexpected end");
    refused("contract = \"0.1\"", "contract = \"0.2\"", 5, "not spoken");
    refused(
        "name = \"Acme CRM\"",
        "name = \"Ac\\u001bme\"",
        2,
        "cannot be shown",
    );
    refused(
        "methods = [\"GET\", \"POST\"]",
        "methods = []",
        11,
        "no method",
    );
    refused("[\"GET\", \"POST\"]", "[\"FETCH\"]", 11, "FETCH");
    refused("per_second = 10.0", "per_second = nan", 13, "out of range");
    refused("burst = 20", "burst = 0", 13, "out of range");
    refused("/v2/deals/*", "v2/**/deals", 14, "no path");
    refused("x-api-token", "cookie", 20, "no header");
    refused(
        "x-api-token\", endpoints = [\"api\"]",
        "x-api-token\", endpoints = [\"apo\"]",
        20,
        "does not exist",
    );
    refused("id = \"oauth\"", "id = \"api-token\"", 24, "declared twice");
    refused(
        "https://login.acme.com/token",
        "http://login.acme.com/token",
        26,
        "no plain https",
    );
    refused(
        "standard = \"contact\"",
        "standard = \"person\"",
        33,
        "no standard object",
    );
    refused(
        "standard = \"contact\"",
        "standard = \"note\"",
        33,
        "no standard object",
    );
    refused("name = \"note\"", "name = \"person\"", 37, "declared twice");
    refused("default = \"on\"", "default = 7", 44, "default");
    refused("memory_mib = 128", "memory_mib = 9999", 48, "out of range");
}

#[test]
fn an_address_cannot_be_bent_by_its_parameters() {
    let url = "https://{company}.acme.com/api";
    refused(url, "Https://{company}.acme.com/api", 10, "no plain https");
    refused(url, "https:///{company}.acme.com/api", 10, "no plain https");
    refused(url, "https://{company}/api", 10, "whole domain");
    refused(url, "https://{company}.com/api", 10, "whole domain");
    refused(
        url,
        "https://x.acme.com/{company}",
        10,
        "outside of the host",
    );
    refused(url, "https://{region}.acme.com/api", 10, "not declared");
    refused(
        url,
        "https://user@{company}.acme.com/api",
        10,
        "no plain https",
    );
    refused(url, "https://127.0.0.1/api", 10, "no plain https");
    refused(url, "https://2130706433/{company}", 10, "no plain https");
    refused(url, "https://acme/api", 10, "whole domain");
    for pattern in [
        ".*",
        "[^x]+",
        "[a-z./]+",
        "a|.+",
        "[a-z@]+",
        "[+-9]+",
        "[A-z]+",
        "evil[.]com/x",
        "(?i)k",
        "[a-z]*",
        "a{0}",
        "a|b?",
    ] {
        refused("[a-z0-9][a-z0-9-]{0,62}", pattern, 12, "lets");
    }
    // Between the brackets that are put around it, the second would let anything through that begins with x.
    for pattern in ["[a-z", "x)|(?:y", "a{60000}{60000}"] {
        refused("[a-z0-9][a-z0-9-]{0,62}", pattern, 12, "cannot be read");
    }
}

#[test]
fn a_parameter_with_a_plain_list_may_stand_anywhere_in_the_host() {
    let listed = GOOD.replace(
        "https://{company}.acme.com/api",
        "https://www.acme.{company}/crm",
    );
    let listed = listed.replace("\"[a-z0-9][a-z0-9-]{0,62}\"", r"'com|eu|com\.au'");
    Manifest::parse(&listed).unwrap();
    assert!(
        Manifest::parse(&listed.replace(r"com\.au", "com.au")).is_err(),
        "a dot stands for any character"
    );
}

/// What a person agrees to is what he sees: nothing may hide in it, turn it round, or steer his terminal.
#[test]
fn nothing_hides_in_what_is_shown() {
    let hidden = ["\\u001b[2J", "\\u202e", "\\u200b", "\\u0085"];
    for hidden in hidden {
        refused(
            "Acme CRM",
            &format!("Acme{hidden}CRM"),
            2,
            "cannot be shown",
        );
        refused(
            "deals:read",
            &format!("deals{hidden}:read"),
            27,
            "a scope is",
        );
        let described = format!("contract = \"0.1\"\ndescription = \"a\\nb{hidden}\"");
        refused("contract = \"0.1\"", &described, 6, "cannot be shown");
        refused(
            "acme.com/api",
            &format!("acme.com/{hidden}api"),
            10,
            "no plain https",
        );
        let key = format!("\"x{hidden}\" = 1\nid = \"acme\"");
        let error = Manifest::parse(&GOOD.replacen("id = \"acme\"", &key, 1)).unwrap_err();
        assert!(
            !error.to_string().contains(check::is_hidden) || error.to_string().lines().count() == 2,
            "{error:?}"
        );
    }
    refused("acme.com/api", "äcme.com/api", 10, "no plain https");
    let long = format!("# {}\n{GOOD}", "x".repeat(MANIFEST_MAX_BYTES));
    assert_eq!(Manifest::parse(&long).unwrap_err().problems[0].line, 1);
}

#[test]
fn all_mistakes_are_told_together() {
    let twice = GOOD
        .replace("id = \"acme\"", "id = \"A\"")
        .replace("memory_mib = 128", "memory_mib = 0");
    let error = Manifest::parse(&twice).unwrap_err();
    assert_eq!(
        error
            .problems
            .iter()
            .map(|problem| problem.line)
            .collect::<Vec<_>>(),
        [1, 48],
        "{error}"
    );
}
