//! The one integration binary: the command line, the sources and the rooms.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod catalogue;
mod commands;
mod measure;
mod profile;
mod rooms;
