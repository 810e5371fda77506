//! One value on its way from a field to its property: bound, chosen, converted or cut, and what is to be said about it.
//!
//! What becomes of the whole record is [`crate::record`]'s.

use std::borrow::Cow;

use model::mapping::Binding;
use model::value::OptionsRef;
use model::{Choices, FieldKind, Finding, FindingCode, ObjectName, RecordRef, ValueRef};

use crate::choice::{Addition, ExtraOptions, OptionTable};
use crate::convert::{Conversion, Loss, convert, find_cut, is_equal};
use crate::normal;
use crate::planner::{Entry, ObjectPlanner};
use crate::transform::{Transform, read};

/// The longest value that a finding quotes, in characters.
const QUOTED_MAX_CHARS: u32 = 1_000;

/// What the caller knows of other records while one is planned. It is asked several times for each record, so it answers from memory.
pub trait Directory {
    /// Whether the source has that record of that object of its own (an owner, a product).
    fn has_record(&self, object: &ObjectName, id: &str) -> bool;

    /// The destination's id of the source's pipeline, stage or record `id`; `None` while it has none. Never asked for
    /// [`Binding::None`].
    fn find_bound(&self, binding: &Binding, id: &str) -> Option<Cow<'_, str>>;

    /// Whether amounts may be in that currency. Unless the caller knows better: whether it has the form of an ISO 4217 code.
    fn has_currency(&self, code: &str) -> bool {
        code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
    }
}

/// Whether the destination already says what is planned. A planned id of the source is compared as what it is bound to.
pub(crate) fn is_as_planned(
    entry: &Entry,
    planned: ValueRef<'_>,
    now: ValueRef<'_>,
    directory: &dyn Directory,
) -> bool {
    match (&entry.binding, planned, now) {
        (Binding::None, planned, now) => is_equal(entry.kind, planned, now),
        (binding, ValueRef::Text(id), ValueRef::Text(now)) => directory
            .find_bound(binding, id)
            .is_some_and(|bound| *bound == *now),
        _ => false,
    }
}

/// The value for a finding, cut where it is very long.
pub(crate) fn quote(value: ValueRef<'_>) -> String {
    let mut text = value.to_string();
    if let Some(cut) = find_cut(&text, QUOTED_MAX_CHARS) {
        text = format!("{cut}…");
    }
    text
}

/// The values of one record on their way, and what is to be said about them.
pub(crate) struct Notes<'n> {
    pub(crate) planner: &'n ObjectPlanner,
    pub(crate) record: RecordRef<'n>,
    pub(crate) directory: &'n dyn Directory,
    pub(crate) findings: &'n mut Vec<Finding>,
    pub(crate) extra_options: &'n mut ExtraOptions,
}

impl<'n> Notes<'n> {
    /// The value as the property takes it; `None` where nothing can be written.
    pub(crate) fn carry<'v>(
        &mut self,
        entry: &'v Entry,
        value: ValueRef<'v>,
        scratch: &'v mut String,
    ) -> Option<ValueRef<'v>> {
        if let Binding::Record(object) = &entry.binding {
            return self.check_record(entry, object, value);
        }
        if let Some(transform) = entry.transform.as_deref() {
            return self.carry_transformed(entry, transform, value, scratch);
        }
        if entry.is_currency
            && let ValueRef::Text(code) = value
        {
            self.check_currency(entry, code);
        }
        if entry.is_address
            && let ValueRef::Text(text) = value
            && normal::email(text).is_none()
        {
            self.tell_loss(entry, value, Loss::NotAnAddress);
            return None;
        }
        let (carried, loss) = match entry.options.as_deref() {
            Some(options) => self.carry_options(entry, options, value, scratch)?,
            None => convert(entry.conversion, value, scratch),
        };
        if let Some(loss) = loss {
            self.tell_loss(entry, value, loss);
        }
        let carried = match (carried, entry.text_max) {
            (ValueRef::Text(text), Some(max)) => match find_cut(text, max) {
                Some(cut) => {
                    self.tell_loss(entry, value, Loss::Cut(max));
                    ValueRef::Text(cut)
                }
                None => carried,
            },
            _ => carried,
        };
        (!carried.is_blank()).then_some(carried)
    }

    /// The outcome of the field's transform, as a value of the property's kind.
    fn carry_transformed<'v>(
        &mut self,
        entry: &'v Entry,
        transform: &Transform,
        value: ValueRef<'v>,
        scratch: &'v mut String,
    ) -> Option<ValueRef<'v>> {
        let made = match transform.run(self.record) {
            Ok(made) => made,
            Err(loss) => {
                self.tell_loss(entry, value, loss);
                return None;
            }
        };
        if made.is_empty() {
            return None;
        }
        if entry.is_address && normal::email(&made).is_none() {
            self.tell_loss(entry, ValueRef::Text(&made), Loss::NotAnAddress);
            return None;
        }
        if entry.is_currency {
            self.check_currency(entry, &made);
        }
        scratch.clear();
        match (entry.kind, entry.options.as_deref()) {
            (FieldKind::Options, Some(options)) => {
                for line in made.lines() {
                    if let Some(option) = self.choose(entry, options, line) {
                        push_option(scratch, option);
                    }
                }
                let chosen = ValueRef::Options(OptionsRef::Lines(scratch));
                (!chosen.is_blank()).then_some(chosen)
            }
            (_, Some(options)) => {
                scratch.push_str(self.choose(entry, options, &made)?);
                Some(ValueRef::Text(scratch))
            }
            (kind, None) if kind.is_textual() => {
                let text = made.replace('\n', "; ");
                let text = text.as_str();
                let cut = entry
                    .text_max
                    .and_then(|max| Some((find_cut(text, max)?, max)));
                if let Some((_, max)) = cut {
                    self.tell_loss(entry, ValueRef::Text(text), Loss::Cut(max));
                }
                scratch.push_str(cut.map_or(text, |(cut, _)| cut));
                Some(ValueRef::Text(scratch))
            }
            (kind, None) => {
                let found = read(kind, &made);
                if found.is_none() {
                    self.tell_loss(entry, ValueRef::Text(&made), Loss::NotOfItsKind(kind));
                }
                found
            }
        }
    }

    fn check_currency(&mut self, entry: &Entry, code: &str) {
        if !self.directory.has_currency(code) {
            self.tell(
                FindingCode::UnknownCurrency,
                entry,
                format!("the destination does not have the currency {code:?}: add it there, or it may refuse the record"),
            );
        }
    }

    fn check_record<'v>(
        &mut self,
        entry: &Entry,
        object: &ObjectName,
        value: ValueRef<'v>,
    ) -> Option<ValueRef<'v>> {
        let ValueRef::Text(id) = value else {
            return None;
        };
        if self.directory.has_record(object, id) {
            return Some(value);
        }
        let code = match entry.kind {
            FieldKind::Owner => FindingCode::UnknownOwner,
            _ => FindingCode::UnknownProduct,
        };
        self.tell(
            code,
            entry,
            format!("{object} {id:?} is unknown; the property stays blank"),
        );
        None
    }

    fn carry_options<'v>(
        &mut self,
        entry: &'v Entry,
        options: &'v OptionTable,
        value: ValueRef<'v>,
        scratch: &'v mut String,
    ) -> Option<(ValueRef<'v>, Option<Loss>)> {
        scratch.clear();
        match (entry.conversion, value) {
            (Conversion::Choose | Conversion::Known, ValueRef::Text(option)) => {
                Some((ValueRef::Text(self.choose(entry, options, option)?), None))
            }
            (Conversion::ChooseOne, ValueRef::Text(option)) => {
                push_option(scratch, self.choose(entry, options, option)?);
                Some((ValueRef::Options(OptionsRef::Lines(scratch)), None))
            }
            (Conversion::ChooseMany, ValueRef::Options(chosen)) => {
                for option in chosen.iter() {
                    if let Some(option) = self.choose(entry, options, option) {
                        push_option(scratch, option);
                    }
                }
                Some((ValueRef::Options(OptionsRef::Lines(scratch)), None))
            }
            (Conversion::Label, ValueRef::Text(option)) => {
                Some((ValueRef::Text(self.label(entry, options, option)), None))
            }
            (Conversion::Labels, ValueRef::Options(chosen)) => {
                let mut is_joined = false;
                for option in chosen.iter() {
                    let label = self.label(entry, options, option);
                    is_joined |= label.contains(';');
                    if !scratch.is_empty() {
                        scratch.push_str("; ");
                    }
                    scratch.push_str(label);
                }
                Some((ValueRef::Text(scratch), is_joined.then_some(Loss::Joined)))
            }
            _ => None,
        }
    }

    /// The property's option. One that it lacks is added to it, and told where the source itself does not list it.
    fn choose<'v>(
        &mut self,
        entry: &Entry,
        options: &'v OptionTable,
        option: &'v str,
    ) -> Option<&'v str> {
        let choice = options.choose(option);
        if choice.exists {
            return Some(choice.value);
        }
        match entry.choices {
            Choices::Open => return Some(choice.value),
            Choices::Closed => {
                self.tell_loss(entry, ValueRef::Text(option), Loss::NotAnOption);
                return None;
            }
            Choices::Extendable => {}
        }
        let object = &self.planner.planned.name;
        match self
            .extra_options
            .add(object, &entry.property, choice.value, choice.label)
        {
            Addition::Refused => {
                self.tell_loss(entry, ValueRef::Text(option), Loss::TooManyOptions);
                return None;
            }
            Addition::Added if !choice.declared && options.has_declared() => {
                self.tell(
                    FindingCode::UnknownOption,
                    entry,
                    format!("option {option:?} is not one of the field's; it is added"),
                );
            }
            Addition::Added | Addition::Known => {}
        }
        Some(choice.value)
    }

    fn label<'v>(&mut self, entry: &Entry, options: &'v OptionTable, option: &'v str) -> &'v str {
        let (label, is_declared) = options.label(option);
        if !is_declared && options.has_declared() {
            self.tell(
                FindingCode::UnknownOption,
                entry,
                format!("option {option:?} is not one of the field's; it is kept as text"),
            );
        }
        label
    }

    /// The source's pipeline that the record is in: the one its stage belongs to, whatever the record says of it.
    pub(crate) fn find_pipeline(&mut self, entry: &Entry) -> Option<&'n str> {
        let planner = self.planner;
        let told = self
            .record
            .find_text(entry.source)
            .filter(|id| !id.is_empty());
        let staged = planner
            .find_stage_id(self.record)
            .and_then(|id| planner.stages.get(id))
            .map(|stage| stage.pipeline.as_str());
        match (told, staged) {
            (Some(told), Some(staged)) if told != staged => {
                self.tell(
                    FindingCode::LossyValue,
                    entry,
                    format!(
                        "pipeline {told:?} is left out: the stage is one of pipeline {staged:?}"
                    ),
                );
                Some(staged)
            }
            (_, Some(staged)) => Some(staged),
            (Some(told), None) if planner.pipelines.contains(told) => Some(told),
            (Some(told), None) => {
                self.tell(
                    FindingCode::LossyValue,
                    entry,
                    format!("pipeline {told:?} is unknown; the property stays blank"),
                );
                None
            }
            (None, None) => None,
        }
    }

    fn tell_loss(&mut self, entry: &Entry, value: ValueRef<'_>, loss: Loss) {
        self.tell(
            FindingCode::LossyValue,
            entry,
            format!("{:?} {loss}", quote(value)),
        );
    }

    fn tell(&mut self, code: FindingCode, entry: &Entry, message: String) {
        let (object, record) = (
            self.planner.source.name.clone(),
            Some(self.record.id().to_owned()),
        );
        self.findings.push(Finding {
            code,
            object,
            record,
            field: Some(entry.field.clone()),
            message,
        });
    }
}

/// Adds an option to a list of lines, once.
fn push_option(lines: &mut String, option: &str) {
    if lines.split_terminator('\n').any(|other| other == option) {
        return;
    }
    let start = lines.len();
    lines.push_str(option);
    if lines[start..].contains('\n') {
        let clean = lines[start..].replace('\n', " ");
        lines.truncate(start);
        lines.push_str(&clean);
    }
    lines.push('\n');
}
