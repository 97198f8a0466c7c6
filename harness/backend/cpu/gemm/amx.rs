//! AMX kernels, 32 x 32: int8 (`tdpbssd`, exact) and bf16 (`tdpbf16ps`, f32 accumulators).
//!
//! Four C tiles, two A and two B tiles are all eight; a step of 64 bytes of k has four products
//! (64 cycles) and four loads (32 cycles). By inline assembly: the intrinsics are unstable.

use super::edge;
use super::kernel::{MicroKernel, Tile, View};
use super::pack_sse2;
use half::bf16;
use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use std::sync::OnceLock;

/// Rows and columns of C per tile pair, and bytes of k per step.
const SIDE: usize = 32;
const STEP: usize = 64;

/// Whether the CPU has the units, the system saves them and this process may use them.
/// Asks for the permission once; it holds for all threads of the process.
pub(super) fn usable(bit: u32) -> Result<(), &'static str> {
    static PERMITTED: OnceLock<bool> = OnceLock::new();
    let features = __cpuid_count(7, 0).edx;
    if (features >> 24) & 1 == 0 || (features >> bit) & 1 == 0 {
        return Err("the CPU has no such AMX unit");
    }
    if !saved_by_system() {
        return Err("the system does not save AMX state");
    }
    if *PERMITTED.get_or_init(permit) { Ok(()) } else { Err("the system refused AMX (arch_prctl)") }
}

/// CPUID(7, 0).EDX bit of `tdpbssd`.
pub(super) const INT8: u32 = 25;
/// CPUID(7, 0).EDX bit of `tdpbf16ps`.
pub(super) const BF16: u32 = 22;

fn saved_by_system() -> bool {
    #[target_feature(enable = "xsave")]
    fn xcr0() -> u64 {
        // SAFETY: the caller has checked OSXSAVE.
        #[expect(unsafe_code, reason = "reads XCR0")]
        unsafe {
            _xgetbv(0)
        }
    }
    let osxsave = (__cpuid(1).ecx >> 27) & 1 == 1;
    // SAFETY: OSXSAVE implies the instruction. Bits 17 and 18: tile configuration and data.
    #[expect(unsafe_code, reason = "calls a function with a target feature")]
    let state = if osxsave { unsafe { xcr0() } } else { 0 };
    (state >> 17) & 3 == 3
}

#[cfg(target_os = "linux")]
fn permit() -> bool {
    /// `ARCH_REQ_XCOMP_PERM` and the number of the tile-data component.
    const REQUEST: libc::c_int = 0x1023;
    const TILE_DATA: libc::c_int = 18;
    // SAFETY: changes only which instructions this process may use.
    #[expect(unsafe_code, reason = "arch_prctl has no wrapper")]
    let refused = unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST, TILE_DATA) };
    refused == 0
}

#[cfg(not(target_os = "linux"))]
fn permit() -> bool {
    false
}

/// Layout of `ldtilecfg`: eight tiles of 16 rows of 64 bytes.
#[repr(C, align(64))]
struct Config {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static CONFIG: Config = Config {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

macro_rules! amx_kernel {
    ($(#[$doc:meta])* $name:ident, $in:ty, $out:ty, $dot:literal, $interleave:path, $lanes:literal) => {
        $(#[$doc])*
        pub(super) struct $name;

        #[expect(unsafe_code, reason = "AMX instructions on packed panels")]
        // SAFETY: a step of A is 32 rows of 64 bytes, one of B is 16 groups of 32 x 4 bytes.
        unsafe impl MicroKernel for $name {
            type In = $in;
            type A = $in;
            type B = $in;
            type Out = $out;
            const MR: usize = SIDE;
            const NR: usize = SIDE;
            const KR: usize = STEP / size_of::<$in>();
            const DEPTH: usize = 1024 / size_of::<$in>();

            unsafe fn enter() {
                // SAFETY: `usable` was asked before this kernel was chosen.
                unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const CONFIG, options(nostack, readonly)) };
            }

            unsafe fn leave() {
                // SAFETY: frees the tiles, so that context switches do not save them.
                unsafe { asm!("tilerelease", options(nostack)) };
            }

            unsafe fn pack_a(a: View<$in>, rows: usize, depth: usize, to: *mut $in) {
                // SAFETY: forwarded.
                unsafe { pack_rows(a, rows, depth, Self::KR, to) }
            }

            unsafe fn pack_b(b: View<$in>, depth: usize, cols: usize, to: *mut $in) {
                const GROUP: usize = 4 / size_of::<$in>();
                // SAFETY: vectors only where the block has whole groups of 32 columns; the rest
                // element by element, inside the block and the panel.
                unsafe {
                    let whole = if cols == SIDE { depth - depth % GROUP } else { 0 };
                    for p in (0..whole).step_by(GROUP) {
                        for j in (0..SIDE).step_by($lanes) {
                            $interleave(b.at(p, j).start.cast(), b.rows, to.add(p * SIDE + j * GROUP).cast());
                        }
                    }
                    for p in whole..depth.next_multiple_of(Self::KR) {
                        for j in 0..SIDE {
                            let value = if p < depth && j < cols { *b.at(p, j).start } else { <$in>::default() };
                            to.add((p - p % GROUP) * SIDE + j * GROUP + p % GROUP).write(value);
                        }
                    }
                }
            }

            unsafe fn tile(tile: Tile<$in, $in, $out>) {
                // SAFETY: forwarded; the buffer holds 32 rows of 32.
                unsafe {
                    if tile.rows == SIDE && tile.cols == SIDE {
                        whole(tile);
                    } else {
                        edge::narrow::<$in, $in, $out, { SIDE * SIDE }>(tile, SIDE, whole);
                    }
                }
                unsafe fn whole(tile: Tile<$in, $in, $out>) {
                    let steps = (tile.depth * size_of::<$in>()).div_ceil(STEP);
                    let lower = tile.c.wrapping_add(16 * tile.stride);
                    // SAFETY: C has 32 rows of 32 at `stride`; the panels hold `steps` steps of
                    // 2 KiB. The tiles are set up by `enter`.
                    unsafe {
                        asm!(
                            "test {add}, {add}",
                            "jz 2f",
                            "tileloadd tmm0, [{c0} + {stride}]",
                            "tileloadd tmm1, [{c0} + {stride} + 64]",
                            "tileloadd tmm2, [{c1} + {stride}]",
                            "tileloadd tmm3, [{c1} + {stride} + 64]",
                            "jmp 3f",
                            "2:",
                            "tilezero tmm0",
                            "tilezero tmm1",
                            "tilezero tmm2",
                            "tilezero tmm3",
                            "3:",
                            "tileloadd tmm4, [{a} + {s64}]",
                            "tileloadd tmm6, [{b} + {s128}]",
                            "tileloadd tmm5, [{a} + {s64} + 1024]",
                            "tileloadd tmm7, [{b} + {s128} + 64]",
                            concat!($dot, " tmm0, tmm4, tmm6"),
                            concat!($dot, " tmm2, tmm5, tmm6"),
                            concat!($dot, " tmm1, tmm4, tmm7"),
                            concat!($dot, " tmm3, tmm5, tmm7"),
                            "add {a}, 2048",
                            "add {b}, 2048",
                            "dec {steps}",
                            "jnz 3b",
                            "tilestored [{c0} + {stride}], tmm0",
                            "tilestored [{c0} + {stride} + 64], tmm1",
                            "tilestored [{c1} + {stride}], tmm2",
                            "tilestored [{c1} + {stride} + 64], tmm3",
                            add = in(reg) usize::from(tile.add),
                            stride = in(reg) tile.stride * 4,
                            c0 = in(reg) tile.c,
                            c1 = in(reg) lower,
                            s64 = in(reg) 64_usize,
                            s128 = in(reg) 128_usize,
                            a = inout(reg) tile.a => _,
                            b = inout(reg) tile.b => _,
                            steps = inout(reg) steps => _,
                            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                            options(nostack),
                        );
                    }
                }
            }
        }
    };
}

amx_kernel!(
    /// int8 with int32 accumulators.
    I8, i8, i32, "tdpbssd", pack_sse2::quads, 16
);
amx_kernel!(
    /// bf16 with f32 accumulators.
    Bf16, bf16, f32, "tdpbf16ps", pack_sse2::pairs, 8
);

/// Packs A as steps of 32 rows of 64 bytes, zero beyond `rows` and `depth`.
#[expect(unsafe_code, reason = "raw operands and panels")]
unsafe fn pack_rows<T: Copy + Default>(a: View<T>, rows: usize, depth: usize, chunk: usize, to: *mut T) {
    for (step, p) in (0..depth).step_by(chunk).enumerate() {
        let have = chunk.min(depth - p);
        for i in 0..SIDE {
            // SAFETY: reads inside the block, writes inside the panel.
            unsafe {
                let out = to.add((step * SIDE + i) * chunk);
                if i < rows && a.cols == 1 && have == chunk {
                    std::ptr::copy_nonoverlapping(a.at(i, p).start, out, chunk);
                    continue;
                }
                for q in 0..chunk {
                    out.add(q).write(if i < rows && q < have { *a.at(i, p + q).start } else { T::default() });
                }
            }
        }
    }
}
