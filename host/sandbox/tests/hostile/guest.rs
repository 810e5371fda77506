//! Writes small guests as WebAssembly text, with their answers laid out by the canonical ABI of contract 0.1.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The bodies of a guest's functions; what is not given answers as a well-behaved connector of one object, `thing`.
pub(crate) struct Guest {
    /// Imports, globals and further functions.
    pub(crate) head: String,
    /// Body of `source.check`.
    pub(crate) check: String,
    /// Body of `source.list-objects`.
    pub(crate) list_objects: String,
    /// Body of `source.fetch-records`.
    pub(crate) fetch_records: String,
    /// What lies in memory.
    pub(crate) image: Image,
    /// The contract's version, `0.1.0`.
    pub(crate) version: &'static str,
}

/// The rows that a well-behaved guest answers with: two good ones.
pub(crate) const GOOD_ROWS: &str = "{\"id\":\"1\",\"fields\":{\"name\":\"Ada\",\"amount\":\"12.50\"}}\n{\"id\":\"2\",\"fields\":{\"name\":null}}\n";

impl Guest {
    pub(crate) fn new() -> Self {
        let mut image = Image::new();
        let (check, list, fetch) = (
            image.account(),
            image.objects("thing"),
            image.page(GOOD_ROWS.as_bytes(), None),
        );
        let answer = |at: u32| format!("(i32.const {at})");
        let (check, list_objects, fetch_records) = (answer(check), answer(list), answer(fetch));
        Self {
            head: String::new(),
            check,
            list_objects,
            fetch_records,
            image,
            version: "0.1.0",
        }
    }

    /// A guest whose `fetch-records` does that.
    pub(crate) fn fetching(body: &str) -> Self {
        Self {
            fetch_records: body.to_owned(),
            ..Self::new()
        }
    }

    /// A guest whose `fetch-records` answers with that page.
    pub(crate) fn paging(rows: &[u8], next: Option<&[u8]>) -> Self {
        let mut guest = Self::new();
        guest.fetch_records = format!("(i32.const {})", guest.image.page(rows, next));
        guest
    }

    /// The component.
    pub(crate) fn build(&self) -> Vec<u8> {
        let Self {
            head,
            check,
            list_objects,
            fetch_records,
            image,
            version,
        } = self;
        let data: String = image
            .bytes
            .iter()
            .map(|byte| format!("\\{byte:02x}"))
            .collect();
        let export =
            |name: &str| format!("(export \"longshore:connector/source@{version}#{name}\")");
        let (named_check, named_list, named_fetch) = (
            export("check"),
            export("list-objects"),
            export("fetch-records"),
        );
        let params = "i32 ".repeat(11);
        let text = format!(
            r#"(module
                {head}
                (memory (export "memory") 16)
                (global $free (mut i32) (i32.const 524288))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
                    (global.set $free (i32.add (local.get $at) (local.get 3)))
                    (local.get $at))
                (func {named_check} (result i32) {check})
                (func {named_list} (result i32) {list_objects})
                (func {named_fetch} (param {params}) (result i32) {fetch_records})
                (data (i32.const {base}) "{data}"))"#,
            base = Image::BASE,
        );
        let mut module = wat::parse_str(&text).expect("the guest's text is good");
        let (resolve, world) = contract(version);
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("the world is good");
        let encoder = ComponentEncoder::default().validate(true).module(&module);
        encoder
            .and_then(|mut encoder| encoder.encode())
            .expect("the module is a component")
    }
}

fn contract(version: &str) -> (Resolve, wit_parser::WorldId) {
    let files = [
        include_str!("../../../../wit/v0.1/types.wit"),
        include_str!("../../../../wit/v0.1/host.wit"),
        include_str!("../../../../wit/v0.1/connector.wit"),
    ];
    let head = "package longshore:connector@0.1.0;";
    let bodies: String = files.iter().map(|file| file.replace(head, "")).collect();
    let mut resolve = Resolve::default();
    let text = format!("package longshore:connector@{version};\n{bodies}");
    let package = resolve
        .push_str("contract.wit", &text)
        .expect("the contract is good");
    let world = resolve
        .select_world(&[package], Some("connector"))
        .expect("the contract has this world");
    (resolve, world)
}

/// A guest's static memory.
pub(crate) struct Image {
    bytes: Vec<u8>,
}

impl Image {
    const BASE: u32 = 1024;

    fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    fn put(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let at = Self::BASE + u32::try_from(self.bytes.len()).unwrap();
        self.bytes.extend_from_slice(bytes);
        at
    }

    fn list(&mut self, bytes: &[u8]) -> [u32; 2] {
        [self.put(bytes), u32::try_from(bytes.len()).unwrap()]
    }

    fn words(&mut self, words: &[u32]) -> u32 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.put(&bytes)
    }

    /// `ok(page)`.
    pub(crate) fn page(&mut self, rows: &[u8], next: Option<&[u8]>) -> u32 {
        let [rows_at, rows_len] = self.list(rows);
        let [next_at, next_len] = self.list(next.unwrap_or_default());
        self.words(&[
            0,
            0,
            rows_at,
            rows_len,
            u32::from(next.is_some()),
            next_at,
            next_len,
            0,
            0,
        ])
    }

    /// `ok(page)` that claims `len` bytes of rows from address 0.
    pub(crate) fn page_claiming(&mut self, len: u32) -> u32 {
        self.words(&[0, 0, 0, len, 0, 0, 0, 0, 0])
    }

    /// `err(failure)` of the kind at that position of the enum.
    pub(crate) fn failure(&mut self, kind: u32, message: &[u8]) -> u32 {
        let [code_at, code_len] = self.list(b"test.code");
        let [message_at, message_len] = self.list(message);
        self.words(&[
            1,
            0,
            kind,
            code_at,
            code_len,
            message_at,
            message_len,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ])
    }

    fn account(&mut self) -> u32 {
        let [at, len] = self.list(b"acme");
        self.words(&[0, 0, at, len, at, len, at, len, 0, 0, 0, 0, 0, 0, 0])
    }

    /// `ok([object])` with a text field `name` and a money field `amount`.
    pub(crate) fn objects(&mut self, name: &str) -> u32 {
        let [name_at, name_len] = self.list(name.as_bytes());
        let mut fields = Vec::new();
        for (field, kind) in [("name", 0), ("amount", 7)] {
            let [at, len] = self.list(field.as_bytes());
            fields.extend([at, len, at, len, kind, 0, 0, 0, 0, 0, 0, 0]);
        }
        let fields_at = self.words(&fields);
        let mut object = vec![name_at, name_len, name_at, name_len, 0, 0, 0, fields_at, 2];
        object.resize(18, 0);
        let object_at = self.words(&object);
        self.words(&[0, 0, object_at, 1])
    }
}
