//! Preparation: what a plan needs of the destination that is not there yet: properties, options, pipelines with stages, labels.
//!
//! How each is made is the destination's.

use model::destination::{Destination, Preparation, Prepared};
use model::plan::Plan;
use model::{Catalog, Choices};

use crate::error::RunError;

/// Creates the properties, options, pipelines, stages and labels that the plan needs. It may be repeated.
pub(crate) async fn prepare(
    destination: &dyn Destination,
    plan: &Plan,
) -> Result<Prepared, RunError> {
    let present = destination.fetch_catalog().await;
    let present = present.map_err(|error| RunError::destination("reading the catalog", error))?;
    let preparation = preparation(plan, &present);
    let prepared = destination.prepare(&preparation).await;
    prepared.map_err(|error| RunError::destination("preparing properties and pipelines", error))
}

fn preparation(plan: &Plan, present: &Catalog) -> Preparation {
    let mut preparation = Preparation {
        pipelines: plan.header.mapping.pipelines.clone(),
        ..Preparation::default()
    };
    for object in &plan.header.mapping.objects {
        let Some(target) = plan.header.target.find_object(object.destination.as_str()) else {
            continue;
        };
        let existing = present.find_object(object.destination.as_str());
        for field in target.fields.iter() {
            let existing =
                existing.and_then(|info| info.fields.get(info.fields.find(&field.name)?));
            match existing {
                None => preparation
                    .properties
                    .push((object.destination.clone(), field.clone())),
                Some(existing) => {
                    let is_new = |option: &&model::catalog::FieldOption| {
                        existing.choices == Choices::Extendable
                            && existing
                                .options
                                .iter()
                                .all(|known| known.value != option.value)
                    };
                    let options: Vec<_> = field.options.iter().filter(is_new).cloned().collect();
                    if !options.is_empty() {
                        preparation.options.push((
                            object.destination.clone(),
                            field.name.clone(),
                            options,
                        ));
                    }
                }
            }
        }
        for association in &object.associations {
            if let Some(label) = &association.label {
                preparation.labels.push((
                    object.destination.clone(),
                    association.to.clone(),
                    label.clone(),
                ));
            }
        }
    }
    preparation
}
