//! Decides the custom values, addresses, labels and texts of generated records.
//!
//! It does not define the fields: the settings do.

use super::{DELETED_USER, Generated, settings};
use crate::truth::dice::Dice;
use crate::truth::words;
use crate::truth::{Address, Amount, Crm, Custom, Day, FieldDef, FieldKind, FieldValue, Kind};

impl Generated {
    pub(super) fn custom(&self, kind: Kind, id: u64) -> Custom {
        let mut dice = self.dice(kind, id);
        let topic = dice.roll();
        let fields = self.fields(kind);
        let value = |(place, field): (usize, &FieldDef)| {
            let mut dice = Dice::new(topic, 900, place as u64);
            dice.chance(field.filled_per_mille)
                .then(|| self.value(&mut dice, field, id))
                .flatten()
        };
        Custom(fields.iter().enumerate().map(value).collect())
    }

    /// A value, or none where a reference would have nothing to refer to.
    fn value(&self, dice: &mut Dice, field: &FieldDef, id: u64) -> Option<FieldValue> {
        let day = |dice: &mut Dice| Day(Day::of(2020, 1, 1).0 + dice.below(3000) as i32);
        Some(match field.kind {
            FieldKind::Text => FieldValue::Text(self.short_text(dice)),
            FieldKind::SuggestedText => FieldValue::Text(format!("REF-{id:07}")),
            FieldKind::LongText => FieldValue::Text(paragraphs(dice, 3)),
            FieldKind::Phone => FieldValue::Text(phone(dice)),
            FieldKind::Whole => FieldValue::Number(Amount::whole(dice.below(2000) as i64 - 100)),
            FieldKind::Decimal => FieldValue::Number(Amount {
                units: dice.below(2_000_000) as i64 - 500_000,
                scale: dice.below(5) as u8,
            }),
            FieldKind::Choice => FieldValue::Choice(choice(dice, field)),
            FieldKind::Choices => {
                let mut ids: Vec<u32> = (0..=dice.below(3)).map(|_| choice(dice, field)).collect();
                ids.sort_unstable();
                ids.dedup();
                FieldValue::Choices(ids)
            }
            FieldKind::Day => FieldValue::Day(day(dice)),
            FieldKind::Days => {
                let first = day(dice);
                FieldValue::Days(first, Day(first.0 + dice.below(400) as i32))
            }
            FieldKind::Time => FieldValue::Time(dice.below(86_400) as u32),
            FieldKind::Times => {
                let start = dice.below(43_200) as u32;
                FieldValue::Times(start, start + dice.below(43_000) as u32)
            }
            FieldKind::Money => {
                let (amount, currency) = money(dice);
                FieldValue::Money(amount, currency)
            }
            FieldKind::Address => FieldValue::Address(Box::new(address(dice))),
            FieldKind::Link(Kind::User) => FieldValue::Link(if dice.chance(50) {
                DELETED_USER
            } else {
                1001 + dice.below(12)
            }),
            FieldKind::Link(kind) => match self.count(kind) {
                0 => return None,
                count => FieldValue::Link(1 + dice.below(count)),
            },
        })
    }

    pub(super) fn short_text(&self, dice: &mut Dice) -> String {
        match dice.below(100) {
            0..6 => (*dice.pick(words::NASTY)).to_owned(),
            6..10 => String::new(),
            10 => "long ".repeat(51),
            _ => dice.pick(words::FIRST).0.to_owned(),
        }
    }

    pub(super) fn label_ids(&self, dice: &mut Dice, kind: Kind) -> Vec<u64> {
        let labels = self.labels(kind);
        match dice.below(10) {
            0..6 => Vec::new(),
            6..9 => vec![labels[dice.below(4) as usize].id],
            _ => vec![labels[0].id, labels[1 + dice.below(3) as usize].id],
        }
    }
}

fn choice(dice: &mut Dice, field: &FieldDef) -> u32 {
    match field.removed_choice {
        Some(removed) if dice.chance(40) => removed,
        _ => dice.pick(&field.choices).id,
    }
}

pub(super) fn phone(dice: &mut Dice) -> String {
    let number = dice.below(90_000_000) + 10_000_000;
    match dice.below(4) {
        0 => format!("+32 {number}"),
        1 => format!("0049-{number}"),
        2 => format!("({}) {}", number / 100_000, number % 100_000),
        _ => format!("+1{number}0"),
    }
}

pub(super) fn money(dice: &mut Dice) -> (Amount, &'static str) {
    let currency = settings::IN_USE[[0, 0, 0, 1, 1, 2][dice.below(6) as usize]];
    let whole = dice.below(50_000) as i64;
    let amount = match dice.below(100) {
        0..7 => Amount::whole(0),
        7..10 => Amount::cents(-(dice.below(100_000) as i64) - 1),
        _ if currency == "JPY" => Amount::whole(whole * 100),
        _ => Amount::cents(whole * 100 + [0, 0, 50, 99, 1][dice.below(5) as usize]),
    };
    (
        if currency == "JPY" {
            Amount::whole(amount.in_cents() / 100)
        } else {
            amount
        },
        currency,
    )
}

pub(super) fn address(dice: &mut Dice) -> Address {
    let (town, region, country, post) = *dice.pick(words::TOWNS);
    let street = *dice.pick(words::STREETS);
    let number = dice.below(200) + 1;
    let postal_code = format!("{post}{:03}", dice.below(1000));
    Address {
        whole: format!("{street} {number}, {postal_code} {town}, {country}"),
        street: street.to_owned(),
        number: number.to_string(),
        postal_code,
        town: town.to_owned(),
        region: region.to_owned(),
        country: country.to_owned(),
    }
}

pub(super) fn paragraphs(dice: &mut Dice, up_to: u64) -> String {
    let mut text = String::new();
    for _ in 0..=dice.below(up_to) {
        text.push_str("<p>");
        for _ in 0..=dice.below(4) {
            let sentence = *dice.pick(words::SENTENCES);
            text.push_str(sentence);
        }
        text.push_str("</p>");
    }
    text
}
