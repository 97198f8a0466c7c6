//! Register-resident kernels: what the arithmetic units do without memory. One row per format and instruction set.
//!
//! A row counts its operations from the constants that its kernel is compiled with, and every row can be
//! replayed in scalar arithmetic, bit by bit. Timing is in `sample.rs` and `sweep.rs`.

mod accumulators;
mod calibrate;
#[cfg(target_arch = "x86_64")]
mod float;
#[cfg(target_arch = "x86_64")]
mod half_float;
#[cfg(target_arch = "x86_64")]
mod int8;
mod loaded_clock;
#[cfg(test)]
mod machine_code;
#[cfg(target_arch = "aarch64")]
mod neon;
mod operands;
mod register_kernel;
mod replay;
mod row;
mod sample;
mod sweep;
#[cfg(target_arch = "x86_64")]
mod tile;

pub use accumulators::Accumulators;
pub use loaded_clock::LoadedClock;
pub use replay::replay;
pub use row::IssueKernel;
pub use sample::SAMPLE;
pub use sweep::{SweepPoint, sweep};

#[cfg(target_arch = "x86_64")]
const KERNELS: &[IssueKernel] = &[
    float::fp64_sse2::ROW,
    float::fp64_avx2::ROW,
    float::fp64_avx512::ROW,
    float::fp32_sse2::ROW,
    float::fp32_avx2::ROW,
    float::fp32_avx512::ROW,
    half_float::fp16_f16c::ROW,
    half_float::fp16_avx512::ROW,
    half_float::bf16_avx2::ROW,
    half_float::bf16_avx512::ROW,
    tile::bf16_amx::ROW,
    int8::int8_avx2::ROW,
    int8::int8_avx::ROW,
    int8::int8_avx512::ROW,
    tile::int8_amx::ROW,
];

#[cfg(target_arch = "aarch64")]
const KERNELS: &[IssueKernel] = &[neon::fp64_neon::ROW, neon::fp32_neon::ROW];

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const KERNELS: &[IssueKernel] = &[];

/// All rows that are compiled for this architecture, available here or not.
#[must_use]
pub const fn kernels() -> &'static [IssueKernel] {
    KERNELS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Up to 4,097 trips: some thousands later the contraction of binary32 meets its fixed point, where one trip
    /// more cannot be told.
    const COUNTS: [u64; 6] = [0, 1, 2, 7, 1000, 4097];

    #[test]
    fn every_available_row_equals_its_scalar_replay_bit_by_bit() {
        for row in kernels() {
            if !row.available() {
                println!("skipped {}: no {} here", row.name, row.isa.name());
                continue;
            }
            for iterations in COUNTS {
                row.verify(iterations).unwrap();
            }
            println!("verified {}: {} chains x {} lanes", row.name, row.chains, row.lanes);
        }
    }

    #[test]
    fn every_chain_count_of_every_row_equals_its_replay() {
        for row in kernels().iter().filter(|row| row.available()) {
            for chains in 1..=row.most_chains() {
                row.with_chains(chains).unwrap().verify(33).unwrap();
            }
        }
    }

    #[test]
    fn one_trip_more_or_less_is_seen() {
        for row in kernels().iter().filter(|row| row.available()) {
            let mut seen = row.start();
            row.run(4000, &mut seen).unwrap();
            for other in [3998, 3999, 4001, 4002] {
                assert!(replay(row, other).first_difference(&seen).is_some(), "{} {other}", row.name);
            }
        }
    }

    #[test]
    fn two_runs_continue_each_other() {
        for row in kernels().iter().filter(|row| row.available()) {
            let mut seen = row.start();
            row.run(100, &mut seen).unwrap();
            row.run(233, &mut seen).unwrap();
            assert_eq!(replay(row, 333).first_difference(&seen), None, "{}", row.name);
        }
    }

    #[test]
    fn accumulators_of_another_row_are_refused() {
        for row in kernels().iter().filter(|row| row.available()) {
            let mut short = row.with_chains(1).unwrap().start();
            assert!(row.run(1, &mut short).is_err());
        }
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = kernels().iter().map(|row| row.name).collect();
        assert_eq!(names.len(), kernels().len());
    }
}
