//! Decides which of the settings an endpoint belongs to.
//!
//! Versions of paths, tokens, scopes and limits were dealt with before.

use super::account::{self, Account, Counted};
use super::answer::{Answer, Failure};
use super::association_types::AssociationTypes;
use super::call::Call;
use super::context::Ctx;
use super::objects::{ObjectType, Objects};
use super::pipelines::InUse;
use super::schemas::Parts;
use super::settings::Settings;

/// What the settings are told about the rest of the portal.
pub(super) struct Around<'a> {
    pub(super) objects: &'a mut Objects,
    pub(super) types: &'a mut AssociationTypes,
    pub(super) account: Account,
    /// Whether the account may have custom objects.
    pub(super) enterprise: bool,
    /// How many records of a kind there are.
    pub(super) records: &'a dyn Fn(ObjectType) -> usize,
    /// Whether records stand in a stage.
    pub(super) in_use: InUse<'a>,
}

/// Answers what belongs to the settings; none where the path does not. `path` is without versions:
/// `["crm", "properties", "contacts", …]`, `["crm", "schemas", …]`, `["account-info", "details"]`.
pub(super) fn answer(
    settings: &mut Settings,
    ctx: Ctx,
    around: Around<'_>,
    call: &Call,
    path: &[&str],
) -> Option<Result<Answer, Failure>> {
    let Around {
        objects,
        types,
        account,
        enterprise,
        records,
        in_use,
    } = around;
    Some(match path {
        ["crm", "properties", word, rest @ ..] => objects
            .resolve(word)
            .map_err(Failure::from)
            .and_then(|object| settings.properties.answer(ctx, object, call, rest)),
        ["crm", "pipelines", word, rest @ ..] => objects
            .resolve(word)
            .map_err(Failure::from)
            .and_then(|object| {
                let pipelines = &mut settings.pipelines;
                pipelines.answer(ctx, object, call, rest, in_use)
            }),
        ["crm", "owners", rest @ ..] => settings.owners.answer(call, rest),
        ["crm", "property-validations", rest @ ..] => {
            settings.validations.answer(objects, call, rest)
        }
        ["crm" | "crm-object-schemas", "schemas", rest @ ..] => {
            let parts = Parts {
                objects,
                properties: &mut settings.properties,
                types,
                allowed: enterprise,
                records,
            };
            settings.schemas.answer(ctx, call, rest, parts)
        }
        ["crm", "limits", rest @ ..] => {
            let counted = Counted {
                objects,
                properties: &settings.properties,
                pipelines: &settings.pipelines,
                records,
            };
            account::limits(counted, call, rest)
        }
        ["settings", "currencies", rest @ ..] => settings.currencies.answer(ctx, call, rest),
        ["account-info", rest @ ..] => account.info(ctx, &settings.currencies, call, rest),
        _ => return None,
    })
}
