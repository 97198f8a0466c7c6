//! `flopgauge`: what an accelerator's dense matrix units really deliver, beside what its maker says.
//!
//! The rooms below are listed in import order: a room uses only rooms above it, and a test enforces that.
//! Left of [`record`] a device is touched; right of it the same records give the same answer on any machine.

pub mod units;

pub mod precision;

pub mod files;

pub mod workload;

pub mod device;

#[expect(clippy::disallowed_methods, reason = "timing is what this room is for")]
pub mod backend;

pub mod measure;

pub mod record;

pub mod profile;

pub mod compare;

pub mod chip;

pub mod cluster;

pub mod training;

pub mod threshold;

pub mod filing;

pub mod accept;

pub mod report;

pub mod cli;
