//! Writes small guests as WebAssembly text: a well-behaved connector, of which a case replaces one part.

use std::fmt::Write as _;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::image::{FIELDS, Image};

/// The bodies of a guest's functions; what is not given answers as a well-behaved connector of one object, `thing`.
pub(crate) struct Guest {
    /// Imports, then globals and further functions.
    pub(crate) head: String,
    /// Body of `source.check`.
    pub(crate) check: String,
    /// Body of `source.list-objects`.
    pub(crate) list_objects: String,
    /// Body of `source.fetch-records`.
    pub(crate) fetch_records: String,
    /// Bodies of the optional interfaces' functions; without them they are not exported.
    pub(crate) extras: Option<Extras>,
    /// Runs before the guest's allocator gives memory.
    pub(crate) realloc: String,
    /// Pages of 64 KiB that it starts with.
    pub(crate) memory_pages: u32,
    /// What is imported beyond the contract, as items of the world.
    pub(crate) world: &'static str,
    /// What lies in memory.
    pub(crate) image: Image,
    /// The contract's version, `0.1.0`.
    pub(crate) version: &'static str,
}

/// The bodies of the optional interfaces' functions.
pub(crate) struct Extras {
    pub(crate) list_engagements: String,
    pub(crate) fetch_engagements: String,
    pub(crate) describe_stages: String,
}

/// The rows that a well-behaved guest answers with: two good ones.
pub(crate) const GOOD_ROWS: &str = "{\"id\":\"1\",\"fields\":{\"name\":\"Ada\",\"amount\":\"12.50\"}}\n{\"id\":\"2\",\"fields\":{\"name\":null}}\n";

/// The text of an answer that lies there.
pub(crate) fn answer(at: u32) -> String {
    format!("(i32.const {at})")
}

impl Guest {
    pub(crate) fn new() -> Self {
        let mut image = Image::new();
        let check = answer(image.account(b"acme"));
        let list_objects = answer(image.objects(&["thing"], FIELDS));
        let fetch_records = answer(image.page(GOOD_ROWS.as_bytes(), None));
        Self {
            head: String::new(),
            check,
            list_objects,
            fetch_records,
            extras: None,
            realloc: String::new(),
            memory_pages: 16,
            world: "",
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
        guest.fetch_records = answer(guest.image.page(rows, next));
        guest
    }

    /// A guest that has that besides its functions, and does that in `fetch-records`.
    pub(crate) fn with_head(head: &str, fetch_records: &str) -> Self {
        Self {
            head: head.to_owned(),
            ..Self::fetching(fetch_records)
        }
    }

    /// A guest with engagements and stages, all of them well-behaved.
    pub(crate) fn with_extras() -> Self {
        let mut guest = Self::new();
        guest.extras = Some(Extras {
            list_engagements: answer(guest.image.notes()),
            fetch_engagements: answer(guest.image.page(GOOD_ROWS.as_bytes(), None)),
            describe_stages: answer(guest.image.no_pipelines()),
        });
        guest
    }

    /// The module's text.
    fn text(&self) -> String {
        let Self {
            head,
            image,
            version,
            realloc,
            memory_pages,
            ..
        } = self;
        let page_params = "i32 ".repeat(11);
        let source = [
            ("check", "", &self.check),
            ("list-objects", "", &self.list_objects),
            ("fetch-records", page_params.as_str(), &self.fetch_records),
        ];
        let mut functions = String::new();
        let mut export = |interface: &str, (name, params, body): (&str, &str, &String)| {
            writeln!(
                functions,
                "(func (export \"longshore:connector/{interface}@{version}#{name}\") (param {params}) (result i32) {body})"
            )
            .unwrap();
        };
        for function in source {
            export("source", function);
        }
        if let Some(extras) = &self.extras {
            export(
                "engagements",
                ("list-engagements", "", &extras.list_engagements),
            );
            export(
                "engagements",
                ("fetch-engagements", &page_params, &extras.fetch_engagements),
            );
            export("stages", ("describe-stages", "", &extras.describe_stages));
        }
        let data: String = image
            .bytes
            .iter()
            .map(|byte| format!("\\{byte:02x}"))
            .collect();
        format!(
            r#"(module
                {head}
                (memory (export "memory") {memory_pages})
                (global $free (mut i32) (i32.const 524288))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
                    {realloc}
                    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
                    (global.set $free (i32.add (local.get $at) (local.get 3)))
                    (local.get $at))
                {functions}
                (data (i32.const {base}) "{data}"))"#,
            base = Image::BASE,
        )
    }

    /// The component.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut module = wat::parse_str(self.text()).expect("the guest's text is good");
        let (resolve, world) = contract(self);
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("the world is good");
        let encoder = ComponentEncoder::default().validate(true).module(&module);
        encoder
            .and_then(|mut encoder| encoder.encode())
            .expect("the module is a component")
    }
}

/// The contract at the guest's version, with a world of what the guest imports and exports.
fn contract(guest: &Guest) -> (Resolve, wit_parser::WorldId) {
    let files = [
        include_str!("../../../../wit/v0.1/types.wit"),
        include_str!("../../../../wit/v0.1/host.wit"),
        include_str!("../../../../wit/v0.1/connector.wit"),
    ];
    let head = "package longshore:connector@0.1.0;";
    let bodies: String = files.iter().map(|file| file.replace(head, "")).collect();
    let mut resolve = Resolve::default();
    let wasi = include_str!("../../../../host/sandbox/wasi.wit");
    resolve
        .push_str("wasi.wit", wasi)
        .expect("the interfaces of WASI are good");
    let extras = match guest.extras {
        Some(_) => "export engagements; export stages;",
        None => "",
    };
    let world = guest.world;
    let text = format!(
        "package longshore:connector@{};\n{bodies}\nworld guest {{ import http; import runtime; {world} export source; {extras} }}",
        guest.version
    );
    let package = resolve
        .push_str("contract.wit", &text)
        .expect("the contract is good");
    let world = resolve
        .select_world(&[package], Some("guest"))
        .expect("the contract has this world");
    (resolve, world)
}

/// The import of `http.send`, as `$send`.
pub(crate) fn import_send() -> String {
    let params = "i32 ".repeat(14);
    format!(r#"(import "longshore:connector/http@0.1.0" "send" (func $send (param {params})))"#)
}

/// The import of `runtime.log`, as `$log`.
pub(crate) const IMPORT_LOG: &str =
    r#"(import "longshore:connector/runtime@0.1.0" "log" (func $log (param i32 i32 i32)))"#;

/// A request, as a guest makes it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ask<'a> {
    pub(crate) endpoint: &'a str,
    /// The position of the method in the enum.
    pub(crate) method: u32,
    pub(crate) path: &'a str,
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: Option<&'a [u8]>,
}

/// Where `http.send` puts its answer.
pub(crate) const SENT: u32 = 640;

impl Ask<'_> {
    /// A GET of that path.
    pub(crate) fn get(path: &str) -> Ask<'_> {
        Ask {
            endpoint: "api",
            path,
            ..Ask::default()
        }
    }

    /// The call, whose answer is at [`SENT`].
    pub(crate) fn call(&self, image: &mut Image) -> String {
        let [endpoint, path] = [self.endpoint, self.path].map(|text| image.list(text.as_bytes()));
        let [query, headers] = [self.query, self.headers].map(|pairs| image.pairs(pairs));
        let body = image.list(self.body.unwrap_or_default());
        let mut arguments = endpoint.to_vec();
        arguments.push(self.method);
        arguments.extend([path, query, headers].as_flattened());
        arguments.push(u32::from(self.body.is_some()));
        arguments.extend(body);
        arguments.extend([0, SENT]);
        let arguments: String = arguments.into_iter().map(answer).collect();
        format!("(call $send {arguments})")
    }
}

/// Where the answer's body is: a list, which is an address and a length.
pub(crate) const BODY: u32 = SENT + 20;

/// Copies a list's address and length.
pub(crate) fn copy_list(to: u32, from: u32) -> String {
    let word = |offset: u32| {
        format!(
            "(i32.store (i32.const {}) (i32.load (i32.const {})))",
            to + offset,
            from + offset
        )
    };
    word(0) + &word(4)
}

/// A guest that sends this request when it is asked for records, and answers with the failure that comes, or with the body as its rows. `then`
/// runs between the two; it is told where the page lies.
pub(crate) fn asking(
    ask: &Ask<'_>,
    head: &str,
    then: impl FnOnce(&mut Image, u32) -> String,
) -> Guest {
    let mut guest = Guest::new();
    guest.head = format!("{} {head}", import_send());
    let call = ask.call(&mut guest.image);
    let page = guest.image.page(b"", None);
    let (rows, then) = (copy_list(page + 8, BODY), then(&mut guest.image, page));
    // `err(failure)` looks the same here and there.
    guest.fetch_records = format!(
        "{call} (if (i32.load8_u (i32.const {SENT})) (then (return (i32.const {SENT}))))
        {rows} {then} (i32.const {page})"
    );
    guest
}

/// Does nothing between question and answer.
pub(crate) fn nothing(_: &mut Image, _: u32) -> String {
    String::new()
}
