//! The attack pack: hostile connectors, each stopped with a typed error, in time and in memory, while a well-behaved neighbour goes on.
//!
//! One module for each threat of the contract. The components are in the text, as WebAssembly that [`guest`] puts together.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod image;
mod guest;
mod trace;
mod beside;
mod outside;

mod bombs;
mod breaker;
mod cache;
mod catalogs;
mod cursors;
mod endless;
mod imports;
mod logs;
mod memory;
mod output;
mod repeats;
mod rows;
mod secrets;
mod smuggling;
mod table;
mod tenants;
mod traps;
mod wasi;
