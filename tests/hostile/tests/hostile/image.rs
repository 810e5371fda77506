//! Lays answers out in a guest's memory as the canonical ABI of contract 0.1 has them.

/// A guest's static memory.
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
}

/// A field of [`Image::objects`]: its name and the position of its kind in the enum.
pub(crate) type Field<'a> = (&'a str, u32);

/// The fields of a well-behaved guest's object.
pub(crate) const FIELDS: &[Field<'static>] = &[("name", 0), ("amount", 7)];

impl Image {
    pub(crate) const BASE: u32 = 1024;

    pub(crate) fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let at = Self::BASE + u32::try_from(self.bytes.len()).unwrap();
        self.bytes.extend_from_slice(bytes);
        at
    }

    /// A text or a list of bytes: where, and how long.
    pub(crate) fn list(&mut self, bytes: &[u8]) -> [u32; 2] {
        [self.put(bytes), u32::try_from(bytes.len()).unwrap()]
    }

    pub(crate) fn words(&mut self, words: &[u32]) -> u32 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.put(&bytes)
    }

    /// A list of pairs of texts.
    pub(crate) fn pairs(&mut self, pairs: &[(&str, &str)]) -> [u32; 2] {
        let mut words = Vec::new();
        for (name, value) in pairs {
            words.extend(self.list(name.as_bytes()));
            words.extend(self.list(value.as_bytes()));
        }
        [self.words(&words), u32::try_from(pairs.len()).unwrap()]
    }

    /// `ok(page)`.
    pub(crate) fn page(&mut self, rows: &[u8], next: Option<&[u8]>) -> u32 {
        let rows = self.list(rows);
        self.page_at(rows, next)
    }

    /// `ok(page)` with rows that are elsewhere.
    pub(crate) fn page_at(&mut self, [rows_at, rows_len]: [u32; 2], next: Option<&[u8]>) -> u32 {
        let [next_at, next_len] = self.list(next.unwrap_or_default());
        let has_next = u32::from(next.is_some());
        self.words(&[0, 0, rows_at, rows_len, has_next, next_at, next_len, 0, 0])
    }

    /// `err(failure)` of the kind at that position of the enum.
    pub(crate) fn failure(&mut self, kind: u32, message: &[u8]) -> u32 {
        let [code_at, code_len] = self.list(b"test.code");
        let [message_at, message_len] = self.list(message);
        let mut words = vec![1, 0, kind, code_at, code_len, message_at, message_len];
        words.resize(16, 0);
        self.words(&words)
    }

    /// `ok(account)` with that name.
    pub(crate) fn account(&mut self, name: &[u8]) -> u32 {
        let [at, len] = self.list(name);
        self.words(&[0, 0, at, len, at, len, at, len, 0, 0, 0, 0, 0, 0, 0])
    }

    /// `ok([object])`, each by that name and with those fields.
    pub(crate) fn objects(&mut self, names: &[&str], fields: &[Field<'_>]) -> u32 {
        let fields = self.fields(fields);
        let objects: Vec<u32> = names
            .iter()
            .flat_map(|name| self.object(name, None, fields))
            .collect();
        self.object_list(&objects)
    }

    /// `ok([kind])`: one kind of engagement, `note`.
    pub(crate) fn notes(&mut self) -> u32 {
        let fields = self.fields(FIELDS);
        let note = self.object("note", Some("note"), fields);
        self.object_list(&note)
    }

    /// `ok([object])` that says it has so many objects.
    pub(crate) fn objects_claiming(&mut self, count: u32) -> u32 {
        self.words(&[0, 0, 8, count])
    }

    fn object_list(&mut self, objects: &[u32]) -> u32 {
        let count = u32::try_from(objects.len() / OBJECT_WORDS).unwrap();
        let at = self.words(objects);
        self.words(&[0, 0, at, count])
    }

    fn fields(&mut self, fields: &[Field<'_>]) -> [u32; 2] {
        let mut words = Vec::new();
        for (name, kind) in fields {
            let [at, len] = self.list(name.as_bytes());
            words.extend([at, len, at, len, *kind, 0, 0, 0, 0, 0, 0, 0]);
        }
        [self.words(&words), u32::try_from(fields.len()).unwrap()]
    }

    fn object(&mut self, name: &str, standard: Option<&str>, fields: [u32; 2]) -> Vec<u32> {
        let [at, len] = self.list(name.as_bytes());
        let [standard_at, standard_len] = self.list(standard.unwrap_or_default().as_bytes());
        let has_standard = u32::from(standard.is_some());
        let [fields_at, fields_len] = fields;
        let mut object = vec![at, len, at, len, has_standard, standard_at, standard_len];
        object.extend([fields_at, fields_len]);
        object.resize(OBJECT_WORDS, 0);
        object
    }

    /// `ok([])`.
    pub(crate) fn no_pipelines(&mut self) -> u32 {
        self.words(&[0, 0, 0, 0])
    }
}

const OBJECT_WORDS: usize = 18;
