//! Match rules: the keys by which a record is the same as another, on its own side or on the other.
//!
//! It names keys; finding who else has them is the store's, and what follows is [`crate::record`]'s. Deals, line items, invoices,
//! projects, leads and engagements have no keys: they are never matched or merged.

use std::borrow::Cow;
use std::fmt;

use model::catalog::StandardObject;
use model::mapping::{Matching, ObjectMapping};
use model::{ObjectInfo, RecordRef, ValueRef};

use crate::normal;

/// Why two records are one (product.md section 3, defaults).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchRule {
    /// Equal e-mail addresses: contacts, owners.
    Email,
    /// Equal registrable domains: companies.
    Domain,
    /// Equal names: companies, products, owners.
    Name,
    /// Equal stock keeping units: products.
    Sku,
    /// Equal ISO 4217 codes: currencies.
    Code,
    /// Equal values of the one field that a person chose.
    Own,
}

impl MatchRule {
    /// Every rule, in declaration order.
    pub const ALL: [Self; 6] = [
        Self::Email,
        Self::Domain,
        Self::Name,
        Self::Sku,
        Self::Code,
        Self::Own,
    ];

    /// The rule as it is written in plans, SQL and reasons.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "e-mail",
            Self::Domain => "domain",
            Self::Name => "name",
            Self::Sku => "SKU",
            Self::Code => "code",
            Self::Own => "own field",
        }
    }

    /// The rule of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

impl fmt::Display for MatchRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One key of one record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchKey {
    /// The rule.
    pub rule: MatchRule,
    /// The normal form that is compared; never empty.
    pub key: String,
}

/// The keys of one record: at most two, the stronger first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchKeys {
    claims: [Option<MatchKey>; 2],
}

impl MatchKeys {
    /// The keys under which others find this record.
    pub fn claims(&self) -> impl Iterator<Item = &MatchKey> {
        self.claims.iter().flatten()
    }

    /// The one key by which this record looks for others: its strongest. A company with a domain is found by its name but does not
    /// look by it, so that two companies of one name and different domains stay two.
    pub fn query(&self) -> Option<&MatchKey> {
        self.claims().next()
    }

    fn new(strong: Option<MatchKey>, weak: Option<MatchKey>) -> Self {
        Self {
            claims: [strong, weak],
        }
    }
}

/// The key under which an owner with that e-mail address is found; `None` where it is no address.
pub fn owner_key(email: &str) -> Option<MatchKey> {
    normal::email(email).map(|key| MatchKey {
        rule: MatchRule::Email,
        key,
    })
}

/// The key under which a currency of that code is found.
pub fn currency_key(code: &str) -> MatchKey {
    MatchKey {
        rule: MatchRule::Code,
        key: normal::fold(code).into_owned(),
    }
}

/// The match rules of one object of one side, compiled to field positions. It serves both sides alike: fields are found by the
/// standard property that they correspond to, whether or not they are mapped.
#[derive(Clone, Debug)]
pub struct Matcher {
    fields: Fields,
}

#[derive(Clone, Copy, Debug)]
enum Fields {
    Nothing,
    Contact {
        email: Option<u16>,
    },
    Company {
        domain: Option<u16>,
        website: Option<u16>,
        name: Option<u16>,
    },
    Product {
        sku: Option<u16>,
        name: Option<u16>,
    },
    Owner {
        email: Option<u16>,
        name: Option<u16>,
        first: Option<u16>,
        last: Option<u16>,
    },
    Currency {
        code: Option<u16>,
    },
    Own {
        field: Option<u16>,
    },
}

impl Matcher {
    /// The default rules of that object. Records given to the matcher are of this `object`'s table.
    pub fn new(standard: StandardObject, object: &ObjectInfo) -> Self {
        let find = |name: &str| {
            object
                .fields
                .find_standard(name)
                .or_else(|| object.fields.find(name))
        };
        let fields = match standard {
            StandardObject::Contact => Fields::Contact {
                email: find("email"),
            },
            StandardObject::Company => Fields::Company {
                domain: find("domain"),
                website: find("website"),
                name: find("name"),
            },
            StandardObject::Product => Fields::Product {
                sku: find("hs_sku"),
                name: find("name"),
            },
            StandardObject::Owner => Fields::Owner {
                email: find("email"),
                name: find("name"),
                first: find("firstname"),
                last: find("lastname"),
            },
            StandardObject::Currency => Fields::Currency { code: find("code") },
            _ => Fields::Nothing,
        };
        Self { fields }
    }

    /// The rules that the mapping has for that object, for the source's records. Fields need not be mapped.
    pub fn of_source(object: &ObjectMapping, info: &ObjectInfo) -> Self {
        Self::chosen(object, info, |(source, _)| source)
    }

    /// The same for the destination's records.
    pub fn of_destination(object: &ObjectMapping, info: &ObjectInfo) -> Self {
        Self::chosen(object, info, |(_, destination)| destination)
    }

    fn chosen<'m>(
        object: &'m ObjectMapping,
        info: &ObjectInfo,
        side: fn((&'m str, &'m str)) -> &'m str,
    ) -> Self {
        let fields = match &object.matching {
            Matching::Default => return Self::new(object.standard, info),
            Matching::Never => Fields::Nothing,
            Matching::Field {
                source,
                destination,
            } => Fields::Own {
                field: info.fields.find(side((source, destination))),
            },
        };
        Self { fields }
    }

    /// Whether records of this object can have keys at all.
    pub fn has_rules(&self) -> bool {
        !matches!(self.fields, Fields::Nothing)
    }

    /// The keys of that record; a deleted record has none.
    pub fn match_keys(&self, record: RecordRef<'_>) -> MatchKeys {
        if record.is_deleted() {
            return MatchKeys::default();
        }
        let find =
            |field, rule, form: fn(&str) -> Option<String>| find_key(record, field, rule, form);
        match self.fields {
            Fields::Nothing => MatchKeys::default(),
            Fields::Contact { email } => {
                MatchKeys::new(find(email, MatchRule::Email, normal::email), None)
            }
            Fields::Company {
                domain,
                website,
                name,
            } => {
                let by_domain = find(domain, MatchRule::Domain, normal::registrable_domain)
                    .or_else(|| find(website, MatchRule::Domain, normal::registrable_domain));
                MatchKeys::new(by_domain, find(name, MatchRule::Name, normal::company_name))
            }
            Fields::Product { sku, name } => MatchKeys::new(
                find(sku, MatchRule::Sku, code),
                find(name, MatchRule::Name, normal::name),
            ),
            Fields::Owner {
                email,
                name,
                first,
                last,
            } => {
                let by_name = find(name, MatchRule::Name, normal::name).or_else(|| {
                    let (first, last) = (find_text(record, first)?, find_text(record, last)?);
                    let key = normal::name(&format!("{first} {last}"))?;
                    Some(MatchKey {
                        rule: MatchRule::Name,
                        key,
                    })
                });
                MatchKeys::new(find(email, MatchRule::Email, normal::email), by_name)
            }
            Fields::Currency { code: field } => {
                MatchKeys::new(find(field, MatchRule::Code, code), None)
            }
            Fields::Own { field } => MatchKeys::new(own_key(record, field), None),
        }
    }
}

fn find_key(
    record: RecordRef<'_>,
    field: Option<u16>,
    rule: MatchRule,
    form: fn(&str) -> Option<String>,
) -> Option<MatchKey> {
    let key = form(&find_text(record, field)?)?;
    Some(MatchKey { rule, key })
}

/// The value in one form for both sides, whose kinds may differ: numbers without needless decimals, texts without case.
fn own_key(record: RecordRef<'_>, field: Option<u16>) -> Option<MatchKey> {
    let value = record.find_field(field?)?;
    let key = match value {
        ValueRef::Decimal(number) => number.normalize().to_string(),
        ValueRef::Options(_) => return None,
        value => code(&value.to_string())?,
    };
    let rule = MatchRule::Own;
    Some(MatchKey { rule, key })
}

fn find_text<'a>(record: RecordRef<'a>, field: Option<u16>) -> Option<Cow<'a, str>> {
    match record.find_field(field?)? {
        ValueRef::Text(text) => Some(Cow::Borrowed(text)),
        // Some sources keep SKUs as numbers.
        ValueRef::Integer(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

fn code(text: &str) -> Option<String> {
    let folded = normal::fold(text);
    (!folded.is_empty()).then(|| folded.into_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{BatchBuilder, FieldInfo, FieldKind, FieldTable};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(standard: StandardObject, fields: &[(&str, &str)], claims: &[(MatchRule, &str)]) {
        assert_eq!(
            keys(standard, fields),
            claims
                .iter()
                .map(|(rule, key)| MatchKey {
                    rule: *rule,
                    key: (*key).into()
                })
                .collect::<Vec<_>>()
        );
    }

    /// The claims of a record whose source calls its fields `f0`, `f1`, … with those standard names.
    fn keys(standard: StandardObject, fields: &[(&str, &str)]) -> Vec<MatchKey> {
        let table = fields.iter().enumerate().map(|(at, (name, _))| FieldInfo {
            standard: Some((*name).to_owned()),
            ..FieldInfo::new(format!("f{at}"), FieldKind::Text)
        });
        let object = ObjectInfo {
            fields: FieldTable::new(table.collect()).unwrap(),
            ..ObjectInfo::default()
        };
        let object = Arc::new(object);
        let mut builder = BatchBuilder::new(object.clone());
        builder.begin("1", None);
        for (at, (_, value)) in fields.iter().enumerate() {
            builder.field(u16::try_from(at).unwrap(), ValueRef::Text(value));
        }
        let batch = builder.finish();
        let keys = Matcher::new(standard, &object).match_keys(batch.record(0));
        assert_eq!(keys.query(), keys.claims().next());
        keys.claims().cloned().collect()
    }

    #[test]
    fn contacts_go_by_e_mail_only() {
        check(
            StandardObject::Contact,
            &[("firstname", "Ann"), ("email", " ANN@x.com")],
            &[(MatchRule::Email, "ann@x.com")],
        );
        check(
            StandardObject::Contact,
            &[("firstname", "Ann"), ("email", "n/a")],
            &[],
        );
    }

    #[test]
    fn companies_go_by_domain_then_name() {
        use MatchRule::{Domain, Name};
        check(
            StandardObject::Company,
            &[("name", "Acme Ltd"), ("domain", "acme.com")],
            &[(Domain, "acme.com"), (Name, "acme")],
        );
        check(
            StandardObject::Company,
            &[("name", "Acme"), ("website", "http://www.acme.com/")],
            &[(Domain, "acme.com"), (Name, "acme")],
        );
        check(
            StandardObject::Company,
            &[("name", "Acme"), ("domain", "gmail.com")],
            &[(Name, "acme")],
        );
        check(
            StandardObject::Company,
            &[("domain", ""), ("website", "")],
            &[],
        );
    }

    #[test]
    fn products_owners_and_currencies_have_their_own_keys() {
        use MatchRule::{Code, Email, Name, Sku};
        check(
            StandardObject::Product,
            &[("hs_sku", " ab-1 "), ("name", "Widget  2")],
            &[(Sku, "ab-1"), (Name, "widget 2")],
        );
        check(
            StandardObject::Product,
            &[("hs_sku", ""), ("name", "Widget")],
            &[(Name, "widget")],
        );
        check(
            StandardObject::Owner,
            &[
                ("email", "a@x.de"),
                ("firstname", "Ann"),
                ("lastname", "Lee"),
            ],
            &[(Email, "a@x.de"), (Name, "ann lee")],
        );
        check(StandardObject::Owner, &[("firstname", "Ann")], &[]);
        check(
            StandardObject::Currency,
            &[("code", "EUR")],
            &[(Code, "eur")],
        );
    }

    #[test]
    fn rule_02_deals_and_engagements_are_never_matched() {
        for standard in StandardObject::ALL
            .into_iter()
            .filter(|object| *object >= StandardObject::Deal || *object == StandardObject::Lead)
        {
            check(
                standard,
                &[
                    ("name", "Acme"),
                    ("email", "a@x.com"),
                    ("domain", "acme.com"),
                    ("hs_sku", "1"),
                ],
                &[],
            );
        }
    }

    fn mapping(standard: StandardObject, matching: Matching) -> ObjectMapping {
        ObjectMapping {
            source: "item".into(),
            standard,
            destination: "product".into(),
            fields: vec![],
            unmapped: vec![],
            associations: vec![],
            filter: None,
            matching,
            conflict: Default::default(),
        }
    }

    /// The claims of a record of such a table under that mapping, as the side has them.
    fn claims(
        matcher: fn(&ObjectMapping, &ObjectInfo) -> Matcher,
        mapping: &ObjectMapping,
        fields: &[(&str, FieldKind, ValueRef<'_>)],
    ) -> Vec<MatchKey> {
        let table = fields.iter().map(|(name, kind, _)| FieldInfo {
            standard: Some((*name).to_owned()),
            ..FieldInfo::new(*name, *kind)
        });
        let object = Arc::new(ObjectInfo {
            fields: FieldTable::new(table.collect()).unwrap(),
            ..ObjectInfo::default()
        });
        let mut builder = BatchBuilder::new(object.clone());
        builder.begin("1", None);
        for (at, (.., value)) in (0_u16..).zip(fields) {
            builder.field(at, *value);
        }
        let keys = matcher(mapping, &object).match_keys(builder.finish().record(0));
        keys.claims().cloned().collect()
    }

    #[test]
    fn rule_11_products_match_by_sku_also_where_no_field_of_theirs_is_mapped() {
        let mapping = mapping(StandardObject::Product, Matching::Default);
        let fields = [
            ("hs_sku", FieldKind::Text, ValueRef::Text("AB-1")),
            ("name", FieldKind::Text, ValueRef::Text("Widget")),
        ];
        for side in [Matcher::of_source, Matcher::of_destination] {
            let found = claims(side, &mapping, &fields);
            assert_eq!(
                (found[0].rule, found[0].key.as_str()),
                (MatchRule::Sku, "ab-1")
            );
        }
    }

    #[test]
    fn rule_12_only_the_own_field_is_used_and_without_matching_nothing_is() {
        let own = Matching::Field {
            source: "tax".into(),
            destination: "tax_id".into(),
        };
        let by_own = mapping(StandardObject::Contact, own);
        let number = ValueRef::Decimal(model::Decimal::new(471_100, 2));
        let source = claims(
            Matcher::of_source,
            &by_own,
            &[
                ("email", FieldKind::Email, ValueRef::Text("a@x.de")),
                ("tax", FieldKind::Decimal, number),
            ],
        );
        let destination = claims(
            Matcher::of_destination,
            &by_own,
            &[
                ("email", FieldKind::Email, ValueRef::Text("other@x.de")),
                ("tax_id", FieldKind::Text, ValueRef::Text(" 4711 ")),
            ],
        );
        assert_eq!(source, destination);
        let expected = MatchKey {
            rule: MatchRule::Own,
            key: "4711".into(),
        };
        assert_eq!(source, [expected]);
        let email = [("email", FieldKind::Email, ValueRef::Text("a@x.de"))];
        assert_eq!(claims(Matcher::of_source, &by_own, &email), []);
        let never = mapping(StandardObject::Contact, Matching::Never);
        assert_eq!(claims(Matcher::of_source, &never, &email), []);
        assert_eq!(claims(Matcher::of_destination, &never, &email), []);
    }

    proptest! {
        #[test]
        fn the_order_of_fields_makes_no_difference(
            fields in Just(vec![("name", "Acme SA"), ("domain", "acme.fr"), ("website", "x.org"), ("email", "a@b.de"), ("hs_sku", "7"), ("code", "USD")]).prop_shuffle(),
            standard in prop::sample::select(StandardObject::ALL.to_vec()),
        ) {
            let mut sorted = fields.clone();
            sorted.sort_unstable();
            prop_assert_eq!(keys(standard, &fields), keys(standard, &sorted));
        }
    }
}
