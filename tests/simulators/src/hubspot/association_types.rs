//! Decides which associations exist between two kinds of record, in which direction, under which type id and name.
//!
//! It does not know which records are associated.

use super::objects::{ObjectType, Objects};
use std::collections::HashMap;

/// Who defined a type of association.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// The vendor.
    HubspotDefined,
    /// The customer: labels, and everything about custom objects.
    UserDefined,
    /// An app.
    IntegratorDefined,
}

impl Category {
    /// As the vendor writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HubspotDefined => "HUBSPOT_DEFINED",
            Self::UserDefined => "USER_DEFINED",
            Self::IntegratorDefined => "INTEGRATOR_DEFINED",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        [
            Self::HubspotDefined,
            Self::UserDefined,
            Self::IntegratorDefined,
        ]
        .into_iter()
        .find(|category| category.name() == name)
    }
}

/// A type of association; meaningful only together with its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spec {
    /// Who defined it.
    pub category: Category,
    /// Its number, unique within the category.
    pub id: u32,
}

const fn hubspot(id: u32) -> Spec {
    Spec {
        category: Category::HubspotDefined,
        id,
    }
}

/// What a type means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// That there is an association at all; every pair of records that has any has this.
    Unlabelled,
    /// The one main association; true on the side that has only one of them.
    Primary { single: bool },
    /// A label.
    Labelled,
}

/// One direction of a type of association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) spec: Spec,
    /// The same association seen from the other side.
    pub(super) inverse: u32,
    pub(super) meaning: Meaning,
    /// Shown by reads; null where unlabelled.
    pub(super) label: Option<String>,
    /// As the third generation names it, such as `contact_to_company_unlabeled`.
    pub(super) name: String,
    /// Most associations of this type that a record may have.
    pub(super) most: Option<u64>,
}

type O = ObjectType;

/// from, to, forth, back: unlabelled.
const PLAIN: &[(ObjectType, ObjectType, u32, u32)] = &[
    (O::CONTACT, O::COMPANY, 279, 280),
    (O::DEAL, O::CONTACT, 3, 4),
    (O::DEAL, O::COMPANY, 341, 342),
    (O::CONTACT, O::CONTACT, 449, 449),
    (O::COMPANY, O::COMPANY, 450, 450),
    (O::DEAL, O::DEAL, 451, 451),
    (O::TICKET, O::TICKET, 452, 452),
    (O::DEAL, O::LINE_ITEM, 19, 20),
    (O::NOTE, O::CONTACT, 202, 201),
    (O::NOTE, O::COMPANY, 190, 189),
    (O::NOTE, O::DEAL, 214, 213),
    (O::NOTE, O::TICKET, 228, 227),
    (O::CALL, O::CONTACT, 194, 193),
    (O::CALL, O::COMPANY, 182, 181),
    (O::CALL, O::DEAL, 206, 205),
    (O::CALL, O::TICKET, 220, 219),
    (O::TASK, O::CONTACT, 204, 203),
    (O::TASK, O::COMPANY, 192, 191),
    (O::TASK, O::DEAL, 216, 215),
    (O::TASK, O::TICKET, 230, 229),
    (O::MEETING, O::CONTACT, 200, 199),
    (O::MEETING, O::COMPANY, 188, 187),
    (O::MEETING, O::DEAL, 212, 211),
    (O::MEETING, O::TICKET, 226, 225),
    (O::EMAIL, O::CONTACT, 198, 197),
    (O::EMAIL, O::COMPANY, 186, 185),
    (O::EMAIL, O::DEAL, 210, 209),
    (O::EMAIL, O::TICKET, 224, 223),
    (O::LEAD, O::CONTACT, 608, 609),
    (O::LEAD, O::COMPANY, 610, 611),
    (O::LEAD, O::DEAL, 1037, 1038),
    (O::LEAD, O::CALL, 596, 597),
    (O::LEAD, O::EMAIL, 598, 599),
    (O::LEAD, O::MEETING, 600, 601),
    (O::LEAD, O::NOTE, 854, 855),
    (O::LEAD, O::TASK, 646, 647),
    (O::INVOICE, O::CONTACT, 177, 178),
    (O::INVOICE, O::COMPANY, 179, 180),
    (O::INVOICE, O::DEAL, 175, 176),
    (O::INVOICE, O::LINE_ITEM, 409, 410),
    (O::INVOICE, O::DISCOUNT, 411, 412),
    (O::INVOICE, O::FEE, 413, 414),
    (O::INVOICE, O::TAX, 415, 416),
    (O::PROJECT, O::CONTACT, 1242, 1243),
    (O::PROJECT, O::COMPANY, 1236, 1237),
    (O::PROJECT, O::DEAL, 1238, 1239),
    (O::PROJECT, O::NOTE, 1248, 1249),
    (O::PROJECT, O::TASK, 1246, 1247),
    (O::PROJECT, O::CALL, 1257, 1258),
    (O::PROJECT, O::EMAIL, 1259, 1260),
    (O::PROJECT, O::MEETING, 1255, 1256),
    (O::COMMUNICATION, O::CONTACT, 81, 82),
    (O::COMMUNICATION, O::TICKET, 83, 84),
    (O::COMMUNICATION, O::DEAL, 85, 86),
    (O::COMMUNICATION, O::COMPANY, 87, 88),
    (O::QUOTE, O::LINE_ITEM, 67, 68),
    (O::DEAL, O::QUOTE, 63, 64),
    (O::QUOTE, O::CONTACT, 69, 70),
    (O::QUOTE, O::COMPANY, 71, 72),
    (O::CONTACT, O::TICKET, 15, 16),
    (O::TICKET, O::COMPANY, 339, 340),
    (O::DEAL, O::TICKET, 27, 28),
];

/// from (which has one), to, forth, back. The way back of 1299 and those of leads to contacts and companies are not documented [U].
const PRIMARY: &[(ObjectType, ObjectType, u32, u32)] = &[
    (O::CONTACT, O::COMPANY, 1, 2),
    (O::DEAL, O::COMPANY, 5, 6),
    (O::TICKET, O::COMPANY, 26, 25),
    (O::LEAD, O::CONTACT, 578, 579),
    (O::LEAD, O::COMPANY, 580, 581),
    (O::LEAD, O::DEAL, 582, 583),
    (O::PROJECT, O::COMPANY, 1299, 1300),
];

/// Every type of association of a portal, by direction.
#[derive(Debug)]
pub(super) struct AssociationTypes {
    by_pair: HashMap<(ObjectType, ObjectType), Vec<Kind>>,
    targets: HashMap<(ObjectType, Spec), ObjectType>,
    next_user_defined: u32,
}

impl AssociationTypes {
    /// The vendor's own.
    pub(super) fn new(objects: &Objects) -> Self {
        let mut types = Self {
            by_pair: HashMap::new(),
            targets: HashMap::new(),
            // Small, as in real portals: such numbers also occur among the vendor's own.
            next_user_defined: 28,
        };
        let word = |object: ObjectType| objects.get(object).singular.clone();
        for (from, to, forth, back) in PRIMARY.iter().copied() {
            let kind = |spec, inverse, single, name| Kind {
                spec: hubspot(spec),
                inverse,
                meaning: Meaning::Primary { single },
                label: Some("Primary".to_owned()),
                name,
                most: None,
            };
            let there = format!("{}_to_{}", word(from), word(to));
            let here = format!("{}_to_{}", word(to), word(from));
            types.add(from, to, kind(forth, back, true, there));
            types.add(to, from, kind(back, forth, false, here));
        }
        for (from, to, forth, back) in PLAIN.iter().copied() {
            let mut plain = |from, to, spec, inverse| {
                let more = types.by_pair.contains_key(&(from, to));
                let end = if more { "_unlabeled" } else { "" };
                let kind = Kind {
                    spec: hubspot(spec),
                    inverse,
                    meaning: Meaning::Unlabelled,
                    label: None,
                    name: format!("{}_to_{}{end}", word(from), word(to)),
                    most: None,
                };
                types.add(from, to, kind);
            };
            plain(from, to, forth, back);
            if from != to {
                plain(to, from, back, forth);
            }
        }
        for (spec, inverse, label, name) in [
            (13, 14, "Child Company", "parent_to_child_company"),
            (14, 13, "Parent Company", "child_to_parent_company"),
        ] {
            let kind = Kind {
                spec: hubspot(spec),
                inverse,
                meaning: Meaning::Labelled,
                label: Some(label.to_owned()),
                name: name.to_owned(),
                most: None,
            };
            types.add(O::COMPANY, O::COMPANY, kind);
        }
        types
    }

    fn add(&mut self, from: ObjectType, to: ObjectType, kind: Kind) {
        self.targets.insert((from, kind.spec), to);
        self.by_pair.entry((from, to)).or_default().push(kind);
    }

    /// The kind of record that a type leads to from another.
    pub(super) fn target(&self, from: ObjectType, spec: Spec) -> Option<ObjectType> {
        self.targets.get(&(from, spec)).copied()
    }

    /// All from one kind of record to another, in the order they were defined.
    pub(super) fn between(&self, from: ObjectType, to: ObjectType) -> &[Kind] {
        self.by_pair.get(&(from, to)).map_or(&[], Vec::as_slice)
    }

    /// The type in that direction; none for an unknown type and for one of the other direction.
    pub(super) fn find(&self, from: ObjectType, to: ObjectType, spec: Spec) -> Option<&Kind> {
        self.between(from, to).iter().find(|kind| kind.spec == spec)
    }

    /// The type that every association of the two kinds has; none where they cannot be associated.
    pub(super) fn unlabelled(&self, from: ObjectType, to: ObjectType) -> Option<&Kind> {
        self.between(from, to)
            .iter()
            .find(|kind| kind.meaning == Meaning::Unlabelled)
    }

    /// The type of the main association.
    pub(super) fn primary(&self, from: ObjectType, to: ObjectType) -> Option<&Kind> {
        self.between(from, to)
            .iter()
            .find(|kind| matches!(kind.meaning, Meaning::Primary { .. }))
    }

    /// Lets a custom object be associated with another kind; tells the unlabelled types there and back.
    pub(super) fn open(
        &mut self,
        objects: &Objects,
        from: ObjectType,
        to: ObjectType,
    ) -> [Spec; 2] {
        if let Some(kind) = self.unlabelled(from, to) {
            let back = Spec {
                id: kind.inverse,
                ..kind.spec
            };
            return [kind.spec, back];
        }
        let word = |object: ObjectType| objects.get(object).singular.clone();
        let names = [
            format!("{}_to_{}", word(from), word(to)),
            format!("{}_to_{}", word(to), word(from)),
        ];
        self.define(from, to, Meaning::Unlabelled, [None, None], names)
    }

    /// Adds a label with its inverse; tells the types there and back.
    pub(super) fn label(
        &mut self,
        from: ObjectType,
        to: ObjectType,
        labels: [String; 2],
        name: &str,
    ) -> [Spec; 2] {
        let inverse = format!("{name}_inverse");
        self.define(
            from,
            to,
            Meaning::Labelled,
            labels.map(Some),
            [name.to_owned(), inverse],
        )
    }

    fn define(
        &mut self,
        from: ObjectType,
        to: ObjectType,
        meaning: Meaning,
        [label, back_label]: [Option<String>; 2],
        [name, back_name]: [String; 2],
    ) -> [Spec; 2] {
        let one = from == to && label == back_label;
        let there = self.next_user_defined;
        let back = if one { there } else { there + 1 };
        self.next_user_defined = back + 1;
        let spec = |id| Spec {
            category: Category::UserDefined,
            id,
        };
        let kind = Kind {
            spec: spec(there),
            inverse: back,
            meaning: meaning.clone(),
            label,
            name,
            most: None,
        };
        self.add(from, to, kind);
        if !one {
            let kind = Kind {
                spec: spec(back),
                inverse: there,
                meaning,
                label: back_label,
                name: back_name,
                most: None,
            };
            self.add(to, from, kind);
        }
        [spec(there), spec(back)]
    }

    /// Sets the most associations of a type that a record may have; false where there is no such type.
    pub(super) fn limit(
        &mut self,
        from: ObjectType,
        to: ObjectType,
        spec: Spec,
        most: Option<u64>,
    ) -> bool {
        let kinds = self.by_pair.get_mut(&(from, to)).into_iter().flatten();
        let mut found = false;
        for kind in kinds.filter(|kind| kind.spec == spec) {
            kind.most = most;
            found = true;
        }
        found
    }

    /// Changes the text of a label; false where there is none of that id.
    pub(super) fn rename(
        &mut self,
        from: ObjectType,
        to: ObjectType,
        id: u32,
        label: &str,
    ) -> bool {
        let kinds = self.by_pair.get_mut(&(from, to)).into_iter().flatten();
        let mut found = false;
        for kind in kinds.filter(|kind| is_label(kind, id)) {
            kind.label = Some(label.to_owned());
            found = true;
        }
        found
    }

    /// Removes a label and its inverse; tells both types.
    pub(super) fn remove(
        &mut self,
        from: ObjectType,
        to: ObjectType,
        id: u32,
    ) -> Option<[Spec; 2]> {
        let kind = self
            .between(from, to)
            .iter()
            .find(|kind| is_label(kind, id))?;
        let back = kind.inverse;
        let spec = kind.spec;
        for (pair, id) in [((from, to), id), ((to, from), back)] {
            self.targets.remove(&(pair.0, Spec { id, ..spec }));
            if let Some(kinds) = self.by_pair.get_mut(&pair) {
                kinds.retain(|kind| !is_label(kind, id));
            }
        }
        Some([spec, Spec { id: back, ..spec }])
    }
}

fn is_label(kind: &Kind, id: u32) -> bool {
    kind.meaning == Meaning::Labelled
        && kind.spec.category == Category::UserDefined
        && kind.spec.id == id
}
