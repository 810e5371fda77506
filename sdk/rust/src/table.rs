//! Holds how each list becomes rows: which fields it has, of which kind, and which links.
//!
//! It fetches nothing but the custom fields.

use std::rc::Rc;

use longshore_sdk::{
    Context, Failure, FieldInfo, FieldKind, ObjectInfo, Page, RawValue, Result, json,
};

use crate::answer::{CustomAnswer, Item, Items};

/// The field's name in answers and in rows, what people see, its kind, and the standard property that it is.
type Field = (&'static str, &'static str, FieldKind, &'static str);

pub(crate) struct Table {
    /// The object's name.
    pub(crate) name: &'static str,
    /// The list's name in the API.
    pub(crate) path: &'static str,
    fields: &'static [Field],
    /// Name in answers and in rows, and the object at the other end.
    links: &'static [(&'static str, &'static str)],
}

const CREATED: Field = ("created_at", "Created", FieldKind::Instant, "createdate");

pub(crate) const OBJECTS: &[Table] = &[
    Table {
        name: "company",
        path: "companies",
        fields: &[
            ("name", "Name", FieldKind::Text, "name"),
            ("domain", "Domain", FieldKind::Text, "domain"),
            CREATED,
        ],
        links: &[],
    },
    Table {
        name: "contact",
        path: "contacts",
        fields: &[
            ("first_name", "First name", FieldKind::Text, "firstname"),
            ("last_name", "Last name", FieldKind::Text, "lastname"),
            ("email", "E-mail", FieldKind::Email, "email"),
            ("phone", "Phone", FieldKind::Phone, "phone"),
            CREATED,
        ],
        links: &[("company", "company")],
    },
    Table {
        name: "deal",
        path: "deals",
        fields: &[
            ("title", "Title", FieldKind::Text, "dealname"),
            ("amount", "Amount", FieldKind::Money, "amount"),
            (
                "currency",
                "Currency",
                FieldKind::Text,
                "deal_currency_code",
            ),
            ("pipeline", "Pipeline", FieldKind::Reference, "pipeline"),
            ("stage", "Stage", FieldKind::Reference, "dealstage"),
            (
                "close_date",
                "Expected close",
                FieldKind::Date,
                "expected_close_date",
            ),
            CREATED,
        ],
        links: &[("company", "company"), ("contacts", "contact")],
    },
];

pub(crate) const NOTES: &[Table] = &[Table {
    name: "note",
    path: "notes",
    fields: &[
        ("body", "Text", FieldKind::Html, "hs_note_body"),
        ("at", "Written", FieldKind::Instant, "hs_timestamp"),
    ],
    links: &[("contact", "contact"), ("deal", "deal")],
}];

impl Table {
    /// The custom fields of the list, asked for once an instance.
    pub(crate) fn custom(&self, ctx: &Context) -> Result<Rc<Vec<CustomAnswer>>> {
        ctx.cached(self.path, || {
            let answer = ctx
                .http()
                .get("api", "/fields")
                .query("object", self.path)
                .send_ok()?;
            Ok(answer.json::<Items<CustomAnswer>>()?.items)
        })
    }

    pub(crate) fn describe(&self, ctx: &Context) -> Result<ObjectInfo> {
        let standard = self.fields.iter().map(|(name, label, kind, standard)| {
            let field = FieldInfo::new(*name, *label, *kind).standard(*standard);
            if *kind == FieldKind::Money {
                field.currency_field("currency")
            } else {
                field
            }
        });
        let custom = self.custom(ctx)?;
        let object = ObjectInfo::new(self.name, self.path)
            .standard(self.name)
            .incremental()
            .fields(standard)
            .fields(custom.iter().map(CustomAnswer::describe));
        Ok(self
            .links
            .iter()
            .fold(object, |object, (name, to)| object.association(*name, *to)))
    }

    /// Writes a record as a row. The row methods hand on what they cannot read; the host sets that one row aside.
    pub(crate) fn write(
        &self,
        item: &Item<'_>,
        custom: &[CustomAnswer],
        page: &mut Page,
    ) -> Result<()> {
        let raw = |name: &str| item.get(name).copied();
        let text = |name: &str| raw(name).and_then(|raw| json::string(raw.get()));
        let id = text("id").ok_or_else(|| missing(self.path, "id"))?;
        let mut row = page.begin(&*id);
        row.updated_at(text("changed_at").as_deref());
        if raw("deleted").is_some_and(|raw| raw.get() == "true") {
            row.deleted();
        }
        for (name, _, kind, _) in self.fields {
            if let Some(value) = raw(name) {
                row.value(*name, *kind, value);
            }
        }
        let own: Item<'_> =
            raw("custom").map_or_else(|| Ok(Item::new()), |raw| serde_json::from_str(raw.get()))?;
        for field in custom {
            if let Some(value) = own.get(field.key.as_str()) {
                row.value(field.key.as_str(), field.kind(), value);
            }
        }
        for (name, _) in self.links {
            for end in raw(name).into_iter().flat_map(ends) {
                row.association(name, &*end);
            }
        }
        row.finish();
        Ok(())
    }
}

/// The ids in a link: one, several, or none.
fn ends(raw: &RawValue) -> Vec<std::borrow::Cow<'_, str>> {
    match json::string(raw.get()) {
        Some(one) => vec![one],
        None => json::elements(raw.get()).filter_map(json::string).collect(),
    }
}

fn missing(path: &str, name: &str) -> Failure {
    Failure::bad_data(
        "example.answer",
        format!("a record of {path} has no {name}"),
    )
}
