//! Holds what Example CRM answers with, borrowed from the answer where it is read a thousand times.
//!
//! What it means to the host is not decided here.

use std::collections::BTreeMap;

use longshore_sdk::{FieldInfo, FieldKind, RawValue, StageMeaning};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Me {
    pub(crate) account: AccountAnswer,
    pub(crate) user: String,
}

#[derive(Deserialize)]
pub(crate) struct AccountAnswer {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) currency: String,
}

#[derive(Deserialize)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
}

/// One page of a list.
#[derive(Deserialize)]
pub(crate) struct List<'a> {
    #[serde(borrow)]
    pub(crate) items: Vec<Item<'a>>,
    pub(crate) next: Option<&'a str>,
}

/// One record: each value in the vendor's own JSON, not yet read.
pub(crate) type Item<'a> = BTreeMap<&'a str, &'a RawValue>;

#[derive(Deserialize)]
pub(crate) struct PipelineAnswer {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) stages: Vec<StageAnswer>,
}

#[derive(Deserialize)]
pub(crate) struct StageAnswer {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) chance: Option<u8>,
    pub(crate) result: ResultAnswer,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ResultAnswer {
    Open,
    Won,
    Lost,
}

impl From<ResultAnswer> for StageMeaning {
    fn from(result: ResultAnswer) -> Self {
        match result {
            ResultAnswer::Open => Self::Open,
            ResultAnswer::Won => Self::Won,
            ResultAnswer::Lost => Self::Lost,
        }
    }
}

#[derive(Clone, Deserialize)]
pub(crate) struct CustomAnswer {
    pub(crate) key: String,
    label: String,
    #[serde(rename = "type")]
    form: Form,
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Text,
    Number,
    Date,
    Choice,
}

#[derive(Clone, Deserialize)]
struct Choice {
    value: String,
    label: String,
}

impl CustomAnswer {
    pub(crate) fn kind(&self) -> FieldKind {
        match self.form {
            Form::Text => FieldKind::Text,
            Form::Number => FieldKind::Decimal,
            Form::Date => FieldKind::Date,
            Form::Choice => FieldKind::Option,
        }
    }

    pub(crate) fn describe(&self) -> FieldInfo {
        let choices = self
            .choices
            .iter()
            .map(|choice| (choice.value.clone(), choice.label.clone()));
        FieldInfo::new(&self.key, &self.label, self.kind())
            .custom()
            .options(choices)
    }
}
