//! Joins the traits to the contract inside the sandbox: generated bindings, and the conversions between them and the SDK's own types.
//!
//! It decides nothing. No connector author sees it; only the export macro names it.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Once;

use crate::catalog;
use crate::connector::{Connector, Engagements, PageRequest, Stages};
use crate::context::{Context, Level, Transport};
use crate::cursor::Cursor;
use crate::failure::{Failure, FailureKind, Result};
use crate::page::Page;
use crate::request::{HttpRequest, HttpResponse, Method};
use crate::time::Instant;

/// The bindings of every connector.
pub mod base {
    wit_bindgen::generate!({
        path: "../wit/v0.1",
        world: "connector",
        pub_export_macro: true,
        export_macro_name: "export_connector",
        default_bindings_module: "longshore_sdk::guest::base",
    });
}

/// The bindings of a connector with engagements.
pub mod engagements {
    wit_bindgen::generate!({
        path: "../wit/v0.1",
        world: "connector-engagements",
        with: { "longshore:connector/types@0.1.0": crate::guest::base::longshore::connector::types },
        pub_export_macro: true,
        export_macro_name: "export_engagements",
        default_bindings_module: "longshore_sdk::guest::engagements",
    });
}

/// The bindings of a connector with stages.
pub mod stages {
    wit_bindgen::generate!({
        path: "../wit/v0.1",
        world: "connector-stages",
        with: { "longshore:connector/types@0.1.0": crate::guest::base::longshore::connector::types },
        pub_export_macro: true,
        export_macro_name: "export_stages",
        default_bindings_module: "longshore_sdk::guest::stages",
    });
}

pub use base::export_connector;
pub use engagements::export_engagements;
pub use stages::export_stages;

use base::longshore::connector::{http, runtime, types};

/// A connector as the contract sees it.
#[derive(Debug)]
pub struct Exported<T>(PhantomData<T>);

impl<T: Connector> base::exports::longshore::connector::source::Guest for Exported<T> {
    fn check() -> Result<types::Account, types::Failure> {
        call(T::check).map(account)
    }

    fn list_objects() -> Result<Vec<types::ObjectInfo>, types::Failure> {
        call(T::list_objects).map(objects)
    }

    fn fetch_records(request: types::PageRequest) -> Result<types::Page, types::Failure> {
        fetch(request, T::fetch_records)
    }
}

impl<T: Engagements> engagements::exports::longshore::connector::engagements::Guest
    for Exported<T>
{
    fn list_engagements() -> Result<Vec<types::ObjectInfo>, types::Failure> {
        call(T::list_engagements).map(objects)
    }

    fn fetch_engagements(request: types::PageRequest) -> Result<types::Page, types::Failure> {
        fetch(request, T::fetch_engagements)
    }
}

impl<T: Stages> stages::exports::longshore::connector::stages::Guest for Exported<T> {
    fn describe_stages() -> Result<Vec<types::Pipeline>, types::Failure> {
        call(T::describe_stages).map(|pipelines| pipelines.into_iter().map(pipeline).collect())
    }
}

thread_local! {
    /// One context an instance: its cache lives as long.
    static CONTEXT: Context = Context::native(Host);
    /// How large the last page was: the next one will be about as large.
    static PAGE_BYTES: Cell<usize> = const { Cell::new(64 << 10) };
}

fn call<R>(function: impl FnOnce(&Context) -> Result<R>) -> Result<R, types::Failure> {
    static HOOK: Once = Once::new();
    // A panic ends as a trap without words; the log is the only place left for its message.
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            runtime::log(runtime::LogLevel::Error, &panic.to_string())
        }));
    });
    CONTEXT.with(function).map_err(failure)
}

fn fetch(
    request: types::PageRequest,
    function: impl FnOnce(&Context, &PageRequest, &mut Page) -> Result<Option<Cursor>>,
) -> Result<types::Page, types::Failure> {
    call(|ctx| {
        let updated_since = request
            .updated_since
            .as_deref()
            .map(Instant::parse)
            .transpose()?;
        let cursor = request.cursor.map(Cursor::from_bytes);
        let request = PageRequest {
            object: request.object,
            cursor,
            updated_since,
            limit: request.limit,
        };
        let mut page = Page::with_capacity(request.limit, PAGE_BYTES.get());
        let next = function(ctx, &request, &mut page)?.map(Cursor::into_bytes);
        let rows = page.into_bytes();
        PAGE_BYTES.set((rows.len() + rows.len() / 8).clamp(4 << 10, 16 << 20));
        Ok(types::Page {
            rows,
            next,
            attributes: Vec::new(),
        })
    })
}

/// The host, as a transport.
struct Host;

impl Transport for Host {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let request = http::Request {
            endpoint: request.endpoint.clone(),
            method: match request.method {
                Method::Get => http::Method::Get,
                Method::Post => http::Method::Post,
                Method::Put => http::Method::Put,
                Method::Patch => http::Method::Patch,
                Method::Delete => http::Method::Delete,
            },
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            idempotent: request.idempotent,
        };
        match http::send(&request) {
            Ok(http::Response {
                status,
                headers,
                body,
            }) => Ok(HttpResponse {
                status,
                headers,
                body,
            }),
            Err(failure) => Err(failure_of_host(failure)),
        }
    }

    fn now(&self) -> Instant {
        Instant::parse(&runtime::now())
            .expect("the contract: the host tells the present as RFC 3339")
    }

    fn setting(&self, name: &str) -> Option<String> {
        runtime::setting(name)
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Error => runtime::LogLevel::Error,
            Level::Warn => runtime::LogLevel::Warn,
            Level::Info => runtime::LogLevel::Info,
            Level::Debug => runtime::LogLevel::Debug,
        };
        runtime::log(level, message);
    }

    fn deadline_ms(&self) -> u64 {
        runtime::deadline_ms()
    }
}

fn failure(failure: Failure) -> types::Failure {
    types::Failure {
        kind: match failure.kind {
            FailureKind::Auth => types::FailureKind::Auth,
            FailureKind::Permission => types::FailureKind::Permission,
            FailureKind::RateLimited => types::FailureKind::RateLimited,
            FailureKind::Transient => types::FailureKind::Transient,
            FailureKind::StaleCursor => types::FailureKind::StaleCursor,
            FailureKind::NotFound => types::FailureKind::NotFound,
            FailureKind::BadData => types::FailureKind::BadData,
            FailureKind::Unsupported => types::FailureKind::Unsupported,
            FailureKind::Permanent => types::FailureKind::Permanent,
        },
        code: failure.code,
        message: failure.message,
        retry_after_ms: failure.retry_after_ms,
        http_status: failure.http_status,
        attributes: Vec::new(),
    }
}

fn failure_of_host(failure: types::Failure) -> Failure {
    let kind = match failure.kind {
        types::FailureKind::Auth => FailureKind::Auth,
        types::FailureKind::Permission => FailureKind::Permission,
        types::FailureKind::RateLimited => FailureKind::RateLimited,
        types::FailureKind::Transient => FailureKind::Transient,
        types::FailureKind::StaleCursor => FailureKind::StaleCursor,
        types::FailureKind::NotFound => FailureKind::NotFound,
        types::FailureKind::BadData => FailureKind::BadData,
        types::FailureKind::Unsupported => FailureKind::Unsupported,
        types::FailureKind::Permanent => FailureKind::Permanent,
    };
    let mut own = Failure::new(kind, failure.code, failure.message);
    own.retry_after_ms = failure.retry_after_ms;
    own.http_status = failure.http_status;
    own
}

fn account(account: catalog::Account) -> types::Account {
    let catalog::Account {
        id,
        name,
        user,
        currency,
        missing_scopes,
        attributes,
    } = account;
    types::Account {
        id,
        name,
        user,
        currency,
        missing_scopes,
        attributes,
    }
}

fn objects(objects: Vec<catalog::ObjectInfo>) -> Vec<types::ObjectInfo> {
    objects.into_iter().map(object).collect()
}

fn object(object: catalog::ObjectInfo) -> types::ObjectInfo {
    let catalog::ObjectInfo {
        name,
        label,
        standard,
        fields,
        associations,
        incremental,
        count,
        attributes,
    } = object;
    let fields = fields.into_iter().map(field).collect();
    let associations = associations.into_iter().map(|association| {
        let catalog::AssociationInfo {
            name,
            to,
            label,
            attributes,
        } = association;
        types::AssociationInfo {
            name,
            to,
            label,
            attributes,
        }
    });
    let associations = associations.collect();
    types::ObjectInfo {
        name,
        label,
        standard,
        fields,
        associations,
        incremental,
        count,
        attributes,
    }
}

fn field(field: catalog::FieldInfo) -> types::FieldInfo {
    let catalog::FieldInfo {
        name,
        label,
        kind,
        custom,
        read_only,
        standard,
        options,
        attributes,
    } = field;
    let options = options.into_iter().map(|option| types::FieldOption {
        value: option.value,
        label: option.label,
    });
    let options = options.collect();
    types::FieldInfo {
        name,
        label,
        kind: field_kind(kind),
        custom,
        read_only,
        standard,
        options,
        attributes,
    }
}

fn field_kind(kind: catalog::FieldKind) -> types::FieldKind {
    match kind {
        catalog::FieldKind::Text => types::FieldKind::Text,
        catalog::FieldKind::Html => types::FieldKind::Html,
        catalog::FieldKind::Email => types::FieldKind::Email,
        catalog::FieldKind::Phone => types::FieldKind::Phone,
        catalog::FieldKind::Url => types::FieldKind::Url,
        catalog::FieldKind::Integer => types::FieldKind::Integer,
        catalog::FieldKind::Decimal => types::FieldKind::Decimal,
        catalog::FieldKind::Money => types::FieldKind::Money,
        catalog::FieldKind::Boolean => types::FieldKind::Boolean,
        catalog::FieldKind::Date => types::FieldKind::Date,
        catalog::FieldKind::Instant => types::FieldKind::Instant,
        catalog::FieldKind::Time => types::FieldKind::Time,
        catalog::FieldKind::Option => types::FieldKind::Option,
        catalog::FieldKind::Options => types::FieldKind::Options,
        catalog::FieldKind::Owner => types::FieldKind::Owner,
        catalog::FieldKind::Reference => types::FieldKind::Reference,
    }
}

fn pipeline(pipeline: catalog::Pipeline) -> types::Pipeline {
    let catalog::Pipeline {
        id,
        label,
        object,
        stages,
        attributes,
    } = pipeline;
    let stages = stages.into_iter().map(stage).collect();
    types::Pipeline {
        id,
        label,
        object,
        stages,
        attributes,
    }
}

fn stage(stage: catalog::Stage) -> types::Stage {
    let catalog::Stage {
        id,
        label,
        probability,
        meaning,
        attributes,
    } = stage;
    let meaning = match meaning {
        catalog::StageMeaning::Open => types::StageMeaning::Open,
        catalog::StageMeaning::Won => types::StageMeaning::Won,
        catalog::StageMeaning::Lost => types::StageMeaning::Lost,
    };
    types::Stage {
        id,
        label,
        probability,
        meaning,
        attributes,
    }
}
