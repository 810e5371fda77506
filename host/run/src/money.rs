//! Money per stage and currency on both sides, so that the audit can compare to the cent.

use std::collections::HashMap;

use model::catalog::StandardObject;
use model::destination::Prepared;
use model::mapping::ObjectMapping;
use model::{Batch, Catalog, ObjectInfo, RecordRef, ValueRef};
use reconcile::{MoneyKey, MoneyTotals};

/// Totals of the deals, both sides keyed by the destination's labels: two stages that became one are one line.
#[derive(Debug)]
pub(crate) struct DealMoney {
    labels: HashMap<String, (String, String)>,
    stages: HashMap<String, String>,
    source_fields: Option<Fields>,
    currency: String,
    pub(crate) source: MoneyTotals,
    pub(crate) destination: MoneyTotals,
}

#[derive(Clone, Copy, Debug)]
struct Fields {
    stage: u16,
    amount: u16,
    currency: Option<u16>,
}

impl Fields {
    fn find(object: &ObjectInfo, by: impl Fn(&ObjectInfo, &str) -> Option<u16>) -> Option<Self> {
        let (stage, amount) = (by(object, "dealstage")?, by(object, "amount")?);
        Some(Self {
            stage,
            amount,
            currency: by(object, "deal_currency_code"),
        })
    }
}

impl DealMoney {
    /// Empty totals for deals; `None` for any other object. `currency` is the account's own.
    pub(crate) fn new(
        object: &ObjectMapping,
        source: &ObjectInfo,
        destination: &Catalog,
        prepared: &Prepared,
        currency: &str,
    ) -> Option<Self> {
        if object.standard != StandardObject::Deal {
            return None;
        }
        let stages = destination.pipelines.iter().flat_map(|pipeline| {
            pipeline.stages.iter().map(|stage| {
                (
                    stage.id.to_string(),
                    (pipeline.label.clone(), stage.label.clone()),
                )
            })
        });
        Some(Self {
            labels: stages.collect(),
            stages: prepared
                .stages
                .iter()
                .map(|(source, made)| (source.to_string(), made.to_string()))
                .collect(),
            source_fields: Fields::find(source, |object, standard| {
                object.fields.find_standard(standard)
            }),
            currency: currency.to_owned(),
            source: MoneyTotals::default(),
            destination: MoneyTotals::default(),
        })
    }

    /// Adds records of the source that are at the destination.
    pub(crate) fn add_source(&mut self, records: &Batch) {
        records
            .iter()
            .for_each(|record| self.add_source_record(record));
    }

    /// Adds one record of the source.
    pub(crate) fn add_source_record(&mut self, record: RecordRef<'_>) {
        if let Some(fields) = self.source_fields {
            let stage = record
                .find_text(fields.stage)
                .and_then(|stage| self.stages.get(stage))
                .cloned();
            let (key, amount) = self.key(record, fields, stage.as_deref());
            self.source.add(&key, amount);
        }
    }

    /// Adds records that were read back.
    pub(crate) fn add_destination(&mut self, records: &Batch) {
        self.add_destination_where(records, |_| true);
    }

    /// Adds those records of a batch that were read back.
    pub(crate) fn add_destination_where(
        &mut self,
        records: &Batch,
        is_meant: impl Fn(&str) -> bool,
    ) {
        let Some(fields) = Fields::find(records.object(), |object, name| object.fields.find(name))
        else {
            return;
        };
        for record in records.iter().filter(|record| is_meant(record.id())) {
            let (key, amount) = self.key(record, fields, record.find_text(fields.stage));
            self.destination.add(&key, amount);
        }
    }

    fn key(
        &self,
        record: RecordRef<'_>,
        fields: Fields,
        stage: Option<&str>,
    ) -> (MoneyKey, Option<model::Decimal>) {
        let (pipeline, label) = stage
            .and_then(|stage| self.labels.get(stage))
            .cloned()
            .unwrap_or_default();
        let currency = fields
            .currency
            .and_then(|field| record.find_text(field))
            .filter(|code| !code.is_empty());
        let amount = match record.find_field(fields.amount) {
            Some(ValueRef::Decimal(amount)) => Some(amount),
            _ => None,
        };
        (
            MoneyKey {
                pipeline,
                stage: label,
                currency: currency.unwrap_or(&self.currency).to_owned(),
            },
            amount,
        )
    }
}
