//! The connector author's side of Longshore: implement [`Connector`], name it in [`export!`], build for `wasm32-unknown-unknown`.
//!
//! It holds no credential, opens no connection and reads no file or clock; all of that is the host's, behind [`Context`]. How to write a
//! connector from nothing is in this crate's README.

mod failure;

mod decimal;
mod time;

mod cursor;

mod catalog;

mod encode;
pub mod json;
mod value;

mod page;

mod request;

mod context;

mod connector;

mod paging;

pub mod testing;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod guest;

mod export;

pub use catalog::{
    Account, AssociationInfo, FieldInfo, FieldKind, FieldOption, ObjectInfo, Pipeline, Stage,
    StageMeaning,
};
pub use connector::{Connector, Engagements, PageRequest, Stages};
pub use context::{Context, Http, Level, Request, Transport};
pub use cursor::Cursor;
pub use decimal::{Decimal, MAX_DIGITS};
#[doc(hidden)]
pub use export::check;
pub use failure::{Failure, FailureKind, Result};
pub use page::{FieldKey, FieldName, Page, Record, Row, Value};
pub use paging::{CursorPager, OffsetPager};
pub use request::{HttpRequest, HttpResponse, Method, Response, path_segment};
pub use serde_json::Error as JsonError;
pub use serde_json::value::RawValue;
pub use time::{Date, Instant, Time, clock_seconds};
pub use value::{FieldValue, kind};
