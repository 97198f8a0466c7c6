//! The rows.

mod asynchronous;
mod gemm;
mod issue;

use super::Row;

/// Number of rows.
const COUNT: usize = issue::FMA.len()
    + issue::MMA.len()
    + asynchronous::WGMMA.len()
    + asynchronous::TCGEN05.len()
    + gemm::GEMM.len();

/// Every kernel: vector rates, matrix rates, products.
pub static ROWS: [Row; COUNT] = {
    let mut rows = [issue::FMA[0]; COUNT];
    let parts: [&[Row]; 5] =
        [&issue::FMA, &issue::MMA, &asynchronous::WGMMA, &asynchronous::TCGEN05, &gemm::GEMM];
    let (mut part, mut to) = (0, 0);
    while part < parts.len() {
        let mut from = 0;
        while from < parts[part].len() {
            rows[to] = parts[part][from];
            from += 1;
            to += 1;
        }
        part += 1;
    }
    rows
};

/// Compute capabilities, by what they first brought.
mod have {
    /// Everything.
    pub(super) const ALL: &[u32] = &[75, 80, 86, 87, 89, 90, 100, 103, 107, 110, 120, 121];
    /// bfloat16, TF32, asynchronous copies.
    pub(super) const AMPERE: &[u32] = &[80, 86, 87, 89, 90, 100, 103, 107, 110, 120, 121];
    /// Turing alone.
    pub(super) const TURING: &[u32] = &[75];
    /// Two binary32 in one instruction. On 11.0 and 12.x the compiler splits it into two.
    pub(super) const PACKED: &[u32] = &[100, 103, 107];
    /// 8-bit floating point in warp-wide instructions; Hopper and 10.x compile it to fp16 arithmetic.
    pub(super) const FP8: &[u32] = &[89, 120, 121];
    /// 4-bit integers; later chips emulate them in a routine.
    pub(super) const INT4: &[u32] = &[80, 86, 87, 89];
    /// Small and block-scaled formats in warp-wide instructions.
    pub(super) const BLOCK_SCALED: &[u32] = &[120, 121];
    /// Hopper.
    pub(super) const HOPPER: &[u32] = &[90];
    /// Tensor memory.
    pub(super) const TENSOR_MEMORY: &[u32] = &[100, 103, 107, 110];
    /// Tensor memory and integer matrix instructions on it.
    pub(super) const TENSOR_INT8: &[u32] = &[100, 110];
    /// Warp-wide fp64 matrix instructions m8n8k4; Hopper has a larger one.
    pub(super) const FP64: &[u32] = &[80, 86, 87, 89, 100, 103, 107, 110, 120, 121];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len());
    }

    #[test]
    fn every_row_names_an_instruction_on_every_architecture_it_runs_on() {
        for row in &ROWS {
            assert!(!row.targets.is_empty(), "{}", row.name);
            for target in crate::backend::cuda::rows::TARGETS.iter().filter(|target| row.runs_on(target)) {
                assert!(!row.hot_loop(target).instruction.is_empty(), "{} on {}", row.name, target.name);
            }
        }
    }
}
