//! Whole-house tests, one binary.

mod architecture;
mod contract;
