//! Deliberate defects in the kernels of asynchronous work, each of which must be seen.

use super::{Layout, Machine, ROWS, Row, Target, compiler, issue, module_of, products, target};

/// Part of a kernel's text, and the defect in its place.
type Defect = (&'static str, &'static str);

const FED: &[Defect] = &[
    ("wait(full + stage * 8, tile / STAGES & 1);", ""),
    ("wait(empty + stage * 8, (turn & 1) ^ 1);", ""),
    ("(turn & 1) ^ 1", "turn & 1"),
    ("\"r\"(STAGE_BYTES)", "\"r\"(STAGE_BYTES - 16)"),
    ("\"r\"(STAGE_BYTES)", "\"r\"(STAGE_BYTES + 16)"),
    ("asm volatile(\"wgmma.wait_group.sync.aligned 1;\" ::: \"memory\");", ""),
    ("asm volatile(\"wgmma.wait_group.sync.aligned 0;\" ::: \"memory\");", ""),
    ("asm volatile(\"wgmma.commit_group.sync.aligned;\" ::: \"memory\");", ""),
    ("asm volatile(\"wgmma.fence.sync.aligned;\" ::: \"memory\");", ""),
    ("arrive(empty + (tile - 1) % STAGES * 8)", "arrive(empty + tile % STAGES * 8)"),
    ("if (tile > 0 && threadIdx.x % 128 == 0)", "if (threadIdx.x % 128 > 128)"),
    ("asm volatile(\"fence.mbarrier_init.release.cluster;\" ::: \"memory\");", ""),
    ("(u64)(1024 >> 4) << 32", "(u64)(512 >> 4) << 32"),
    ("LEFT_BYTES, BOX_BYTES);", "LEFT_BYTES, 16);"),
    ("| 1ull << 62", "| 2ull << 62"),
    ("group * 8192", "group * 4096"),
    ("to_row < m &&", "to_row <= m &&"),
    ("&& to_column < n", ""),
    ("(k + BLOCK_K - 1) / BLOCK_K", "k / BLOCK_K"),
    ("i / 2 % 2 * 8", "i / 2 % 2 * 4"),
    ("step < STEPS", "step < STEPS - 1"),
];

const WARPGROUP: &[Defect] = &[
    ("asm volatile(\"fence.proxy.async.shared::cta;\" ::: \"memory\");", ""),
    ("__syncthreads();", ""),
    ("\"wgmma.fence.sync.aligned;\" : SUMS64(0), SUMS64(64) ::", "\"wgmma.fence.sync.aligned;\" :::"),
    ("wgmma.wait_group.sync.aligned 0;", "wgmma.wait_group.sync.aligned 1;"),
    ("step < UNROLL", "step < UNROLL - 1"),
    ("step % STEPS * 2", "step % STEPS"),
    ("group * 64 * 128", "0"),
];

const TENSOR: &[Defect] = &[
    ("asm volatile(\"fence.proxy.async.shared::cta;\" ::: \"memory\");", ""),
    ("AGAIN: mbarrier.try_wait.parity.shared::cta.b64 q, [%0], 0; @!q bra AGAIN;", ""),
    ("asm volatile(\"tcgen05.wait::ld.sync.aligned;\" ::: \"memory\");", ""),
    ("if (warp == 0) asm volatile(\"tcgen05.dealloc", "if (warp == 9) asm volatile(\"tcgen05.dealloc"),
    ("warp << 21", "warp << 20"),
    ("(u64)(1024 >> 4) << 32", "(u64)(512 >> 4) << 32"),
    ("2ull << 61", "4ull << 61"),
    ("\"r\"(trip | step)", "\"r\"(1)"),
    ("if (elected) {", "{"),
    ("rows + column", "rows + (column ^ 8)"),
    ("step < UNROLL", "step < UNROLL + 1"),
];

fn row(name: &str) -> &'static Row {
    ROWS.iter().find(|row| row.name == name).unwrap()
}

/// Defects that no run found, among those of one row's kernel.
fn unseen(
    name: &str,
    target: &Target,
    defects: &[Defect],
    wrong: impl Fn(&mut Machine) -> Option<String>,
) -> Vec<String> {
    let (Some(nvrtc), row) = (compiler(), row(name)) else { return Vec::new() };
    let mut unseen = Vec::new();
    for (part, defect) in defects {
        let text = row.source.text.replace(part, defect);
        assert_ne!(text, row.source.text, "{part} is not in {}", row.source.file);
        let mut machine =
            Machine::new(module_of(&nvrtc, &text, row.source.file, &row.options(target, Layout::Nn)));
        if wrong(&mut machine).is_none() {
            unseen.push(format!("{name}: {part} -> {defect}"));
        }
    }
    unseen
}

#[test]
fn defects_of_asynchronous_kernels_are_seen() {
    let (hopper, blackwell) = (target("sm_90a"), target("sm_100a"));
    let mut left = unseen("flopgauge-wgmma-bf16", hopper, FED, |machine| {
        products::wrong(machine, row("flopgauge-wgmma-bf16"), hopper, [131, 137, 700], Layout::Nn)
    });
    left.extend(unseen("wgmma-bf16", hopper, WARPGROUP, |machine| {
        issue::wrong(machine, row("wgmma-bf16"), hopper, (1, 2))
    }));
    left.extend(unseen("tcgen05-bf16", blackwell, TENSOR, |machine| {
        issue::wrong(machine, row("tcgen05-bf16"), blackwell, (1, 2))
    }));
    assert!(left.is_empty(), "not seen:\n{}", left.join("\n"));
}
