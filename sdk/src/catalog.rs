//! Holds what a connector says of its account: objects, fields, associations, pipelines.
//!
//! It checks nothing: the host refuses names that come twice, unknown standard names and absurd sizes.

/// What a field holds; the form of each kind's values is in the row grammar of `wit/README.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// Plain text.
    Text,
    /// HTML, as the source has it.
    Html,
    /// One e-mail address.
    Email,
    /// One phone number.
    Phone,
    /// One URL.
    Url,
    /// An integer of 64 bits.
    Integer,
    /// A decimal of at most 28 digits.
    Decimal,
    /// A decimal that is an amount of a currency.
    Money,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A moment, in UTC.
    Instant,
    /// A time of day.
    Time,
    /// One of the field's options.
    Option,
    /// Several of the field's options.
    Options,
    /// The id of an owner.
    Owner,
    /// The id of a record of the same source.
    Reference,
}

impl FieldKind {
    /// Whether its values are any text.
    pub fn is_textual(self) -> bool {
        matches!(
            self,
            Self::Text | Self::Html | Self::Email | Self::Phone | Self::Url
        )
    }
}

/// One choice of an `option` or `options` field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldOption {
    /// What the rows hold: text without line feeds.
    pub value: String,
    /// What people see.
    pub label: String,
}

/// One field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// The key in the rows, unique within the object.
    pub name: String,
    /// What people see.
    pub label: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether the account's people made this field.
    pub custom: bool,
    /// Whether the source refuses to have it written.
    pub read_only: bool,
    /// The standard property it corresponds to.
    pub standard: Option<String>,
    /// For `option` and `options`: what may be chosen.
    pub options: Vec<FieldOption>,
    /// Names and values beyond the typed ones; each name at most once.
    pub attributes: Vec<(String, String)>,
}

impl FieldInfo {
    /// A built-in, writable field without standard property.
    pub fn new(name: impl Into<String>, label: impl Into<String>, kind: FieldKind) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            kind,
            custom: false,
            read_only: false,
            standard: None,
            options: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// Names the standard property it corresponds to, for example `firstname`.
    #[must_use]
    pub fn standard(mut self, name: impl Into<String>) -> Self {
        self.standard = Some(name.into());
        self
    }

    /// Says that the account's people made it.
    #[must_use]
    pub fn custom(mut self) -> Self {
        self.custom = true;
        self
    }

    /// Says that the source refuses to have it written.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Adds a choice.
    #[must_use]
    pub fn option(mut self, value: impl Into<String>, label: impl Into<String>) -> Self {
        self.options.push(FieldOption {
            value: value.into(),
            label: label.into(),
        });
        self
    }

    /// Adds choices: values with their labels.
    #[must_use]
    pub fn options<V: Into<String>, L: Into<String>>(
        mut self,
        options: impl IntoIterator<Item = (V, L)>,
    ) -> Self {
        let options = options.into_iter().map(|(value, label)| FieldOption {
            value: value.into(),
            label: label.into(),
        });
        self.options.extend(options);
        self
    }

    /// For `money`: names the field with its ISO 4217 code.
    #[must_use]
    pub fn currency_field(self, name: impl Into<String>) -> Self {
        self.attribute("currency-field", name)
    }

    /// Says that no two records have the same value.
    #[must_use]
    pub fn unique(self) -> Self {
        self.attribute("unique", "true")
    }

    /// Says how many characters the source takes.
    #[must_use]
    pub fn max_chars(self, count: u32) -> Self {
        self.attribute("max-chars", count.to_string())
    }

    /// Adds a name and value beyond the typed ones.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }
}

/// A typed link that an object's rows carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssociationInfo {
    /// The name in the rows, unique within the object.
    pub name: String,
    /// The object at the other end, by its name in this connector.
    pub to: String,
    /// What tells it from the plain link between the two objects.
    pub label: Option<String>,
    /// Names and values beyond the typed ones; each name at most once.
    pub attributes: Vec<(String, String)>,
}

/// One object, or one kind of engagement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The source's name for it, unique in the connector (engagements included).
    pub name: String,
    /// What people see.
    pub label: String,
    /// Which standard object it is.
    pub standard: Option<String>,
    /// Its fields, in the order in which the rows hold them (the host reads that order fastest).
    pub fields: Vec<FieldInfo>,
    /// Its links.
    pub associations: Vec<AssociationInfo>,
    /// Whether `updated_since` narrows its list.
    pub incremental: bool,
    /// How many records there are, where the source says so.
    pub count: Option<u64>,
    /// Names and values beyond the typed ones; each name at most once.
    pub attributes: Vec<(String, String)>,
}

impl ObjectInfo {
    /// An object without fields that is not incremental.
    pub fn new(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            standard: None,
            fields: Vec::new(),
            associations: Vec::new(),
            incremental: false,
            count: None,
            attributes: Vec::new(),
        }
    }

    /// Names the standard object it is, for example `contact`.
    #[must_use]
    pub fn standard(mut self, name: impl Into<String>) -> Self {
        self.standard = Some(name.into());
        self
    }

    /// Says that `updated_since` narrows its list.
    #[must_use]
    pub fn incremental(mut self) -> Self {
        self.incremental = true;
        self
    }

    /// Says how many records there are.
    #[must_use]
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, field: FieldInfo) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds fields.
    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = FieldInfo>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Adds the plain link to another object.
    #[must_use]
    pub fn association(mut self, name: impl Into<String>, to: impl Into<String>) -> Self {
        let (name, to) = (name.into(), to.into());
        self.associations.push(AssociationInfo {
            name,
            to,
            label: None,
            attributes: Vec::new(),
        });
        self
    }

    /// Adds a link with a label that tells it from the plain one, for example "Participant".
    #[must_use]
    pub fn labelled_association(
        mut self,
        name: impl Into<String>,
        to: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        let (name, to, label) = (name.into(), to.into(), Some(label.into()));
        self.associations.push(AssociationInfo {
            name,
            to,
            label,
            attributes: Vec::new(),
        });
        self
    }

    /// Adds a name and value beyond the typed ones.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }
}

/// The account a connection reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The source's id of the account, stable over reconnects.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who is connected.
    pub user: String,
    /// ISO 4217 code of the default currency.
    pub currency: Option<String>,
    /// Scopes the credential lacks, each with what that costs.
    pub missing_scopes: Vec<String>,
    /// Names and values beyond the typed ones; each name at most once.
    pub attributes: Vec<(String, String)>,
}

impl Account {
    /// An account where no scope is missing.
    pub fn new(id: impl ToString, name: impl Into<String>, user: impl Into<String>) -> Self {
        Self {
            id: id.to_string(),
            name: name.into(),
            user: user.into(),
            currency: None,
            missing_scopes: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// Adds the default currency, as its ISO 4217 code.
    #[must_use]
    pub fn currency(mut self, code: impl Into<String>) -> Self {
        self.currency = Some(code.into());
        self
    }

    /// Adds a scope that the credential lacks, with what that costs: `mail:read: sales e-mails are not read`.
    #[must_use]
    pub fn missing_scope(mut self, scope: impl Into<String>) -> Self {
        self.missing_scopes.push(scope.into());
        self
    }
}

/// What being in a stage says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StageMeaning {
    /// Not decided.
    Open,
    /// Won.
    Won,
    /// Lost.
    Lost,
}

/// One stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What the rows hold, unique in the connector.
    pub id: String,
    /// What people see.
    pub label: String,
    /// Percent, 0 to 100.
    pub probability: Option<u8>,
    /// What being in it says.
    pub meaning: StageMeaning,
    /// Names and values beyond the typed ones; each name at most once.
    pub attributes: Vec<(String, String)>,
}

impl Stage {
    /// A stage without probability.
    pub fn new(id: impl ToString, label: impl Into<String>, meaning: StageMeaning) -> Self {
        Self {
            id: id.to_string(),
            label: label.into(),
            probability: None,
            meaning,
            attributes: Vec::new(),
        }
    }

    /// Adds the probability in percent, 0 to 100.
    #[must_use]
    pub fn probability(mut self, percent: u8) -> Self {
        self.probability = Some(percent);
        self
    }
}

/// One pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// What the rows hold, unique in the connector.
    pub id: String,
    /// What people see.
    pub label: String,
    /// The object whose records are in it.
    pub object: String,
    /// In order.
    pub stages: Vec<Stage>,
    /// Names and values beyond the typed ones; each name at most once.
    pub attributes: Vec<(String, String)>,
}

impl Pipeline {
    /// A pipeline without stages.
    pub fn new(id: impl ToString, label: impl Into<String>, object: impl Into<String>) -> Self {
        Self {
            id: id.to_string(),
            label: label.into(),
            object: object.into(),
            stages: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// Adds a stage behind the others.
    #[must_use]
    pub fn stage(mut self, stage: Stage) -> Self {
        self.stages.push(stage);
        self
    }
}
