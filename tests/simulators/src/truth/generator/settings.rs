//! Holds what is fixed about a generated company: users, currencies, pipelines, stages, labels and custom fields.
//!
//! It depends on the seed only where two companies must differ.

use crate::truth::{
    ActivityKind, Board, Choice, Company, Currency, FieldDef, FieldKind, Kind, Label, Phase,
    Pipeline, Stage, User,
};

pub(super) const CURRENCIES: &[Currency] = &[
    Currency {
        code: "EUR",
        name: "Euro",
        symbol: "€",
        decimals: 2,
    },
    Currency {
        code: "USD",
        name: "US Dollar",
        symbol: "$",
        decimals: 2,
    },
    Currency {
        code: "JPY",
        name: "Japanese Yen",
        symbol: "¥",
        decimals: 0,
    },
    Currency {
        code: "GBP",
        name: "British Pound Sterling",
        symbol: "£",
        decimals: 2,
    },
    Currency {
        code: "KWD",
        name: "Kuwaiti Dinar",
        symbol: "د.ك",
        decimals: 3,
    },
    Currency {
        code: "PLN",
        name: "Polish Złoty",
        symbol: "zł",
        decimals: 2,
    },
    Currency {
        code: "BRL",
        name: "Brazilian Real",
        symbol: "R$",
        decimals: 2,
    },
];

/// The currencies that records of a generated company use.
pub(super) const IN_USE: [&str; 3] = ["EUR", "USD", "JPY"];

pub(super) const ACTIVITY_KINDS: &[ActivityKind] = &[
    ActivityKind {
        id: 1,
        key: "call",
        name: "Call",
        custom: false,
    },
    ActivityKind {
        id: 2,
        key: "meeting",
        name: "Meeting",
        custom: false,
    },
    ActivityKind {
        id: 3,
        key: "task",
        name: "Task",
        custom: false,
    },
    ActivityKind {
        id: 4,
        key: "deadline",
        name: "Deadline",
        custom: false,
    },
    ActivityKind {
        id: 5,
        key: "email",
        name: "E-mail",
        custom: false,
    },
    ActivityKind {
        id: 6,
        key: "lunch",
        name: "Lunch",
        custom: false,
    },
    ActivityKind {
        id: 7,
        key: "site_visit",
        name: "Site visit",
        custom: true,
    },
];

pub(super) const BOARDS: &[Board] = &[
    Board {
        id: 1,
        name: "Delivery",
    },
    Board {
        id: 2,
        name: "Intern / Umbau",
    },
];

pub(super) const PHASES: &[Phase] = &[
    Phase {
        id: 1,
        board: 1,
        name: "Kick-off",
    },
    Phase {
        id: 2,
        board: 1,
        name: "Build",
    },
    Phase {
        id: 3,
        board: 1,
        name: "Handover",
    },
    Phase {
        id: 4,
        board: 2,
        name: "Planung",
    },
    Phase {
        id: 5,
        board: 2,
        name: "Ausführung",
    },
];

const USER_NAMES: [&str; 12] = [
    "Anna Admin",
    "Bob Baker",
    "Carla Çelik",
    "David O'Brien",
    "Émile Zola",
    "Fatima Noor",
    "Gustav Gräf",
    "Hana 佐藤",
    "Ivan Petrov",
    "Jill Jones",
    "Karl Left",
    "Lena Gone",
];

/// Pipelines with their stages: name, probability, deleted.
type StageWords = (&'static str, u8, bool);
const PIPELINES: [(&str, bool, &[StageWords]); 3] = [
    (
        "Sales",
        true,
        &[
            ("Qualified", 10, false),
            ("Contact made", 25, false),
            ("Demo scheduled", 40, false),
            ("Old proposal", 50, true),
            ("Proposal made", 60, false),
            ("Negotiations started", 80, false),
        ],
    ),
    (
        "Verlängerungen",
        true,
        &[
            ("Anstehend", 30, false),
            ("Angeboten", 60, false),
            ("Zugesagt", 90, false),
        ],
    ),
    (
        "Partners",
        false,
        &[
            ("New", 100, false),
            ("Active", 100, false),
            ("Won", 100, false),
        ],
    ),
];

const COLORS: [&str; 4] = ["red", "blue", "yellow", "green"];

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) company: Company,
    pub(super) users: Vec<User>,
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) stages: Vec<Stage>,
    labels: Vec<(Kind, Vec<Label>)>,
    fields: Vec<(Kind, Vec<FieldDef>)>,
}

impl Settings {
    pub(super) fn new(seed: u64) -> Self {
        let users = USER_NAMES.iter().zip(1001..).map(|(name, id)| User {
            id,
            name: (*name).to_owned(),
            email: format!("user{id}@longshore-sim.example"),
            active: id <= 1010,
            admin: id == 1001,
        });
        let labelled = [
            Kind::Person,
            Kind::Organization,
            Kind::Deal,
            Kind::Lead,
            Kind::Project,
        ];
        let with_fields = [
            Kind::Person,
            Kind::Organization,
            Kind::Deal,
            Kind::Product,
            Kind::Project,
        ];
        Self {
            company: Company {
                id: 7_000_000 + seed % 100_000,
                name: "Quayside Trading".to_owned(),
                domain: format!("quayside{}", seed % 100_000),
                default_currency: "EUR",
                time_zone: "Europe/Brussels",
                now: super::NOW,
                token_user: 1001,
            },
            users: users.collect(),
            pipelines: pipelines(),
            stages: stages(),
            labels: labelled
                .map(|kind| (kind, labels(kind as u64 * 10 + 1)))
                .to_vec(),
            fields: with_fields.map(|kind| (kind, fields(kind))).to_vec(),
        }
    }

    pub(super) fn labels(&self, kind: Kind) -> &[Label] {
        self.labels
            .iter()
            .find(|(of, _)| *of == kind)
            .map_or(&[], |(_, labels)| labels)
    }

    pub(super) fn fields(&self, kind: Kind) -> &[FieldDef] {
        let kind = if kind == Kind::Lead { Kind::Deal } else { kind };
        self.fields
            .iter()
            .find(|(of, _)| *of == kind)
            .map_or(&[], |(_, fields)| fields)
    }
}

fn pipelines() -> Vec<Pipeline> {
    let all = PIPELINES.iter().zip(1..);
    all.map(|((name, probabilities, _), id)| Pipeline {
        id,
        name: (*name).to_owned(),
        probabilities: *probabilities,
    })
    .collect()
}

fn stages() -> Vec<Stage> {
    let all = PIPELINES
        .iter()
        .zip(1..)
        .flat_map(|((_, _, stages), pipeline)| stages.iter().map(move |stage| (pipeline, stage)));
    let stage = |((pipeline, (name, probability, deleted)), id): ((u64, &StageWords), u64)| Stage {
        id,
        pipeline,
        name: (*name).to_owned(),
        probability: *probability,
        deleted: *deleted,
    };
    all.zip(1..).map(stage).collect()
}

fn labels(first: u64) -> Vec<Label> {
    let names = ["Hot lead", "Customer", "Cold lead", "VIP ⭐"];
    names
        .iter()
        .zip(COLORS)
        .zip(first..)
        .map(|((name, color), id)| Label { id, name, color })
        .collect()
}

/// One custom field of every kind, with how full it is.
const FIELDS: [(&str, FieldKind, u64); 20] = [
    ("Preferred name", FieldKind::Text, 700),
    ("Reference", FieldKind::SuggestedText, 1000),
    ("Background", FieldKind::LongText, 100),
    ("Hotline", FieldKind::Phone, 120),
    ("Visits", FieldKind::Whole, 1000),
    ("Score", FieldKind::Decimal, 1000),
    ("Tier", FieldKind::Choice, 600),
    ("Interests", FieldKind::Choices, 300),
    ("Signed on", FieldKind::Day, 400),
    ("Contract period", FieldKind::Days, 120),
    ("Best time", FieldKind::Time, 120),
    ("Opening hours", FieldKind::Times, 100),
    ("Budget", FieldKind::Money, 250),
    ("Site", FieldKind::Address, 120),
    ("Parent company", FieldKind::Link(Kind::Organization), 100),
    ("Referred by", FieldKind::Link(Kind::Person), 100),
    ("Account manager", FieldKind::Link(Kind::User), 150),
    ("Earlier deal", FieldKind::Link(Kind::Deal), 100),
    ("Original lead", FieldKind::Link(Kind::Lead), 60),
    ("Rollout project", FieldKind::Link(Kind::Project), 60),
];

fn fields(of: Kind) -> Vec<FieldDef> {
    let field = |(index, (name, kind, filled)): (usize, &(&str, FieldKind, u64))| {
        let first = 1000 + of as u32 * 200 + index as u32 * 10;
        let labels: &[&str] = match kind {
            FieldKind::Choice => &["Gold", "Silver", "Bronze", "Größe \"XL\""],
            FieldKind::Choices => &["Price", "Quality", "Speed", "Umwelt 🌱", "a, b; c"],
            _ => &[],
        };
        FieldDef {
            name: (*name).to_owned(),
            kind: *kind,
            choices: labels
                .iter()
                .zip(first..)
                .map(|(label, id)| Choice {
                    id,
                    label: (*label).to_owned(),
                })
                .collect(),
            removed_choice: (!labels.is_empty()).then_some(first + 9),
            filled_per_mille: *filled,
        }
    };
    FIELDS.iter().enumerate().map(field).collect()
}
