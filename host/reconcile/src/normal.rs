//! Normal forms of e-mail addresses, domains and names: two texts that mean the same have one normal form.
//!
//! Every form is idempotent. It does not decide which field is compared, nor what follows from two equal forms.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// Hosts that many unrelated people and companies share, so that a domain there says nothing of a company. Sorted.
const SHARED_HOSTS: [&str; 70] = [
    "126.com",
    "163.com",
    "aol.com",
    "bigpond.com",
    "bit.ly",
    "bluewin.ch",
    "btinternet.com",
    "comcast.net",
    "cox.net",
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "facebook.com",
    "fastmail.com",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "google.com",
    "googlemail.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "icloud.com",
    "instagram.com",
    "laposte.net",
    "libero.it",
    "linkedin.com",
    "linktr.ee",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.de",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "o2.pl",
    "optonline.net",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "pm.me",
    "posteo.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rediffmail.com",
    "sbcglobal.net",
    "seznam.cz",
    "sfr.fr",
    "shaw.ca",
    "sky.com",
    "t-online.de",
    "telenet.be",
    "tiktok.com",
    "twitter.com",
    "uol.com.br",
    "verizon.net",
    "wanadoo.fr",
    "web.de",
    "x.com",
    "yahoo.com",
    "yandex.ru",
    "youtube.com",
    "zoho.com",
];

/// Legal forms at the end of a company's name, as [`name`] leaves them. `spa` is missing on purpose: a "Day Spa" is no S.p.A.
const LEGAL_FORMS: [&str; 55] = [
    "ab",
    "ag",
    "aps",
    "as",
    "asa",
    "bv",
    "bvba",
    "co",
    "company",
    "corp",
    "corporation",
    "doo",
    "ek",
    "eirl",
    "ev",
    "gbr",
    "gmbh",
    "inc",
    "incorporated",
    "kft",
    "kg",
    "kgaa",
    "kk",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "ltda",
    "mbh",
    "nv",
    "ohg",
    "ou",
    "oy",
    "oyj",
    "plc",
    "pte",
    "pty",
    "pvt",
    "sa",
    "sarl",
    "sas",
    "se",
    "sl",
    "slu",
    "snc",
    "sprl",
    "srl",
    "sro",
    "ua",
    "ug",
    "vof",
    "zoo",
    "zrt",
    "gesmbh",
];

/// Names that people type when they have none.
const PLACEHOLDERS: [&str; 8] = [
    "",
    "n a",
    "na",
    "none",
    "null",
    "tbd",
    "unbekannt",
    "unknown",
];

/// Folds case and compatibility forms (NFKC) and trims white space at both ends.
pub fn fold(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.is_ascii() {
        return if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    // Character by character, so that a Greek sigma has one lower case wherever it stands.
    let lower = text
        .nfkc()
        .flat_map(char::to_lowercase)
        .map(|letter| if letter == 'ς' { 'σ' } else { letter });
    let folded: String = lower.nfkc().collect();
    let trimmed = folded.trim();
    if trimmed.len() == folded.len() {
        Cow::Owned(folded)
    } else {
        Cow::Owned(trimmed.to_owned())
    }
}

/// The normal form of an e-mail address: trimmed, NFKC, lower case. `None` for what is no address: it needs a local part, one
/// `@` and a domain of at least two labels, and has neither white space nor angle brackets; at most 254 bytes (RFC 5321).
pub fn email(text: &str) -> Option<String> {
    let folded = fold(text);
    let (local, domain) = folded.split_once('@')?;
    let is_wrong = |letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || matches!(letter, '@' | '<' | '>' | ',' | ';' | ':' | '"' | '(' | ')')
    };
    let is_address = folded.len() <= 254
        && !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && !local.contains(is_wrong)
        && is_host(domain);
    is_address.then(|| folded.into_owned())
}

/// The registrable domain (one label below a public suffix, by Mozilla's list) of a domain, web address or e-mail address.
/// `None` where there is none: a bare suffix, an IP address, a single label, or a host that many share, such as `gmail.com`.
pub fn registrable_domain(text: &str) -> Option<String> {
    let folded = fold(text);
    let first = folded
        .split([',', ';', '|', ' '])
        .next()
        .unwrap_or_default();
    let after_scheme = first.split_once("://").map_or(first, |(_, rest)| rest);
    let after_scheme = after_scheme.strip_prefix("//").unwrap_or(after_scheme);
    let authority = after_scheme
        .split(['/', '?', '#', '\\'])
        .next()
        .unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().trim_matches('.');
    if !is_host(host)
        || host
            .split('.')
            .all(|label| label.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return None;
    }
    let domain = psl::domain_str(host)?;
    SHARED_HOSTS
        .binary_search(&domain)
        .is_err()
        .then(|| domain.to_owned())
}

/// The normal form of a name: folded; dots, apostrophes and brackets' like gone, `&` and `+` spelt `and`, words parted by one space.
/// `None` where nothing remains, or only a placeholder such as `n/a`.
pub fn name(text: &str) -> Option<String> {
    let words = words(text);
    (!PLACEHOLDERS.contains(&words.as_str())).then_some(words)
}

/// The normal form of a company's name: as [`name`], without legal forms at its end (`Acme GmbH & Co. KG` is `acme`), unless
/// nothing else would remain.
pub fn company_name(text: &str) -> Option<String> {
    let folded = fold(text);
    let without_spa = folded.trim_end_matches([' ', ',', '.']);
    let without_spa = without_spa
        .strip_suffix(" s.p.a")
        .or_else(|| without_spa.strip_suffix(",s.p.a"))
        .unwrap_or(&folded);
    let mut name = name(without_spa)?;
    while let Some((rest, last)) = name.rsplit_once(' ') {
        let keep = match last {
            last if LEGAL_FORMS.contains(&last) => rest.len(),
            // "A/S" and "sp. z o.o." come apart into words.
            "s" if rest.ends_with(" a") => rest.len() - 2,
            "oo" if rest.ends_with(" sp z") => rest.len() - 5,
            "o" if rest.ends_with(" sp z o") => rest.len() - 7,
            "and" => rest.len(),
            _ => break,
        };
        // A company may be called NA; what is left must still be a name.
        if PLACEHOLDERS.contains(&&name[..keep]) {
            break;
        }
        name.truncate(keep);
    }
    Some(name)
}

/// The words of a label, for comparing pipelines, stages and options; empty for a blank one.
pub fn label(text: &str) -> String {
    words(text)
}

fn words(text: &str) -> String {
    let folded = fold(text);
    let mut words = String::with_capacity(folded.len() + 4);
    let mut gap = false;
    for letter in folded.chars() {
        let spelt = match letter {
            '.' | '\'' | '’' | '`' | '´' => continue,
            '&' | '+' => Some("and"),
            letter if is_gap(letter) => None,
            letter => {
                if std::mem::take(&mut gap) && !words.is_empty() {
                    words.push(' ');
                }
                words.push(letter);
                continue;
            }
        };
        gap = true;
        if let Some(spelt) = spelt {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(spelt);
        }
    }
    // What stood apart may be neighbours now, and compose or change places: marks on both sides of an apostrophe.
    if words.is_ascii() {
        words
    } else {
        words.nfkc().collect()
    }
}

fn is_gap(letter: char) -> bool {
    let is_mark = matches!(letter, '\u{80}'..='\u{a9}' | '\u{ab}'..='\u{b1}' | '\u{b6}'..='\u{b8}' | '\u{bb}' | '\u{bf}');
    let is_punctuation = matches!(letter, '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{3003}' | '\u{3008}'..='\u{301f}' | '\u{feff}');
    letter.is_whitespace()
        || letter.is_control()
        || (letter.is_ascii() && !letter.is_ascii_alphanumeric())
        || is_mark
        || is_punctuation
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|letter| {
                letter.is_ascii_alphanumeric()
                    || matches!(letter, '-' | '_')
                    || (!letter.is_ascii() && !is_gap(letter))
            })
    };
    host.len() <= 253 && host.contains('.') && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(form: fn(&str) -> Option<String>, input: &str, expected: Option<&str>) {
        assert_eq!(form(input).as_deref(), expected, "{input:?}");
    }

    #[test]
    fn e_mail_addresses_are_trimmed_and_folded_and_others_are_none() {
        check(email, "  Ann.Lee@Example.COM ", Some("ann.lee@example.com"));
        check(email, "ａｎｎ@example.com", Some("ann@example.com"));
        check(email, "jürgen@müller.de", Some("jürgen@müller.de"));
        for wrong in [
            "",
            "ann",
            "ann@",
            "@example.com",
            "ann@example",
            "ann lee@example.com",
            "Ann <ann@example.com>",
            "a@b@c.de",
            "n/a",
            "ann@exa mple.com",
            "ann@.com",
            "ann@example..com",
            "a..b@example.com",
            "a@x.de, b@x.de",
        ] {
            check(email, wrong, None);
        }
    }

    #[test]
    fn domains_are_those_that_somebody_registered() {
        check(
            registrable_domain,
            "https://www.Acme.co.uk:8080/about?x=1",
            Some("acme.co.uk"),
        );
        check(registrable_domain, "acme.com.", Some("acme.com"));
        check(registrable_domain, "//shop.acme.com", Some("acme.com"));
        check(registrable_domain, "info@mail.acme.com", Some("acme.com"));
        check(registrable_domain, "www.müller.de", Some("müller.de"));
        check(registrable_domain, "acme.com, acme.de", Some("acme.com"));
        for none in [
            "",
            "co.uk",
            "com",
            "localhost",
            "192.168.0.1",
            "gmail.com",
            "http://mail.google.com/x",
            "www.linkedin.com/company/acme",
            "not a domain",
            "n/a",
            "http://",
            "https://[::1]/",
        ] {
            check(registrable_domain, none, None);
        }
    }

    #[test]
    fn names_of_companies_lose_their_legal_form() {
        check(company_name, "ACME, Inc.", Some("acme"));
        check(company_name, "Acme GmbH & Co. KG", Some("acme"));
        check(
            company_name,
            "Müller  &  Söhne GmbH",
            Some("müller and söhne"),
        );
        check(company_name, "Smith and Sons Ltd", Some("smith and sons"));
        check(company_name, "Novo Nordisk A/S", Some("novo nordisk"));
        check(company_name, "Allegro Sp. z o.o.", Some("allegro"));
        check(company_name, "Ferrari S.p.A.", Some("ferrari"));
        check(company_name, "Day Spa", Some("day spa"));
        check(company_name, "Nokia Oyj", Some("nokia"));
        check(company_name, "AG", Some("ag"));
        check(company_name, "NA GmbH", Some("na gmbh"));
        check(company_name, "Company Co", Some("company"));
        check(company_name, "O'Brien L.L.C.", Some("obrien"));
        check(company_name, "株式会社トヨタ", Some("株式会社トヨタ"));
        check(company_name, "e.\u{301}tude's", Some("\u{e9}tudes"));
        check(company_name, "\u{d4d}'\u{16ff0}", Some("\u{16ff0}\u{d4d}"));
        for none in ["", "  ", "---", "N/A", "Unknown", "."] {
            check(company_name, none, None);
        }
    }

    #[test]
    fn the_lists_are_in_order() {
        assert!(SHARED_HOSTS.is_sorted());
        assert!(
            SHARED_HOSTS
                .iter()
                .all(|host| psl::domain_str(host) == Some(host))
        );
    }

    proptest! {
        #[test]
        fn every_form_is_idempotent(text in "\\PC{0,30}|[a-zA-Z.&' ]{0,20}( GmbH| Inc\\.| A/S| Co)?|[A-Za-z.]{1,9}@[A-Za-z.ÄÖÜ]{1,9}\\.com") {
            for form in [email, registrable_domain, name, company_name] {
                if let Some(once) = form(&text) {
                    prop_assert_eq!(form(&once), Some(once.clone()), "{:?}", text);
                }
            }
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
        }

        #[test]
        fn case_and_space_around_make_no_difference(local in "[a-z0-9]{1,12}", domain in "[a-z0-9]{1,12}\\.(com|de|co\\.uk)") {
            let plain = format!("{local}@{domain}");
            prop_assert_eq!(email(&format!("\t {} ", plain.to_uppercase())), Some(plain));
        }
    }
}
