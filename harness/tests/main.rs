//! The one integration binary: the command line, the sources and the rooms.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod acceptance;
mod acceptance_checks;
mod acceptance_devices;
mod acceptance_exports;
mod acceptance_runs;
mod acceptance_simulated;
mod acceptance_together;
mod agreement;
mod catalogue;
mod cluster_files;
mod clusters;
mod collecting;
mod commands;
mod compare;
mod comparing;
mod copies;
mod cuda_faults;
mod cuda_libraries;
mod cuda_simulated;
mod filing_packets;
mod filing_readers;
mod filings;
mod ibnetdiscover;
mod kernels_on_simulator;
mod measure;
mod profile;
mod profile_use;
mod reports;
mod rooms;
mod rule_listing;
mod terminal;
mod together;
mod topic_reports;
mod training_runs;
mod wgpu;
