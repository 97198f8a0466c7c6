//! AMX kernels: 16 x 16 tiles of accumulators, one left and one right tile. Whether AMX may be used: `amx.rs`.
//!
//! The whole call is assembly, for the compiler knows nothing of tile registers: configuration, loads, loop,
//! stores. These cost about 300 cycles a call, 0.1 % of a sample of 100 us.

use super::accumulators::{Element, Starts};
use super::operands::{
    TILE_ROW_BYTES, TILE_ROWS, tile_bf16_left, tile_bf16_right, tile_i8_left, tile_i8_right,
};
use super::row::IssueKernel;
use crate::backend::cpu::isa::Isa;
use crate::precision::{Accumulate, Precision};

const LANES: usize = TILE_ROWS * TILE_ROW_BYTES / 4;

/// Shapes of the eight tiles, as `ldtilecfg` reads them.
///
/// **Source**: Intel SDM vol. 1, section 18.3, palette 1.
#[repr(C, align(64))]
struct TileConfig {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static FULL_TILES: TileConfig = TileConfig {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Links of three cycles in a chain of `cycles`. The chain is `imul`, which has a port of its own on every core with
/// AMX; `add` shares one with the tile products and read up to 1.6 % low beside them.
const fn multiplies(cycles: usize) -> usize {
    cycles / 3
}

/// Defines a module with one tile-kernel family and its table row `ROW`.
macro_rules! tile_kernel {
    (
        $(#[$doc:meta])*
        $module:ident {
            name: $name:literal, precision: $precision:ident, accumulate: $accumulate:ident, isa: $isa:ident,
            elements: $elements:ident, macs_per_lane: $macs:literal, chains: $chains:literal,
            left: $left:expr, right: $right:expr, instruction: $instruction:literal $(,)?
        }
    ) => {
        $(#[$doc])*
        pub(super) mod $module {
            use super::*;

            #[doc = concat!("Table row of `", $name, "`.")]
            pub(in crate::backend::cpu::issue) const ROW: IssueKernel = IssueKernel {
                name: $name,
                precision: Precision::$precision,
                accumulate: Accumulate::$accumulate,
                isa: Isa::$isa,
                lanes: LANES,
                macs_per_lane: $macs,
                chains: $chains,
                native: true,
                starts: Starts::Whole,
                element: Element::$elements,
                plain: &[run_1::<0>, run_2::<0>, run_3::<0>, run_4::<0>, run_5::<0>, run_6::<0>],
                clocked: &[(54, run_6::<54>), (108, run_6::<108>), (216, run_6::<216>), (432, run_6::<432>)],
            };

            tile_kernel!(@body run_1 $instruction, $left, $right, 0);
            tile_kernel!(@body run_2 $instruction, $left, $right, 0 1);
            tile_kernel!(@body run_3 $instruction, $left, $right, 0 1 2);
            tile_kernel!(@body run_4 $instruction, $left, $right, 0 1 2 3);
            tile_kernel!(@body run_5 $instruction, $left, $right, 0 1 2 3 4);
            tile_kernel!(@body run_6 $instruction, $left, $right, 0 1 2 3 4 5);
        }
    };
    (@body $run:ident $instruction:literal, $left:expr, $right:expr, $($tile:literal)+) => {
        #[expect(unsafe_code, reason = "tile registers are reached by assembly only")]
        unsafe fn $run<const LINKS: usize>(iterations: u64, accumulators: *mut u8) {
            if iterations == 0 {
                return;
            }
            let (left, right) = ($left, $right);
            // SAFETY: the caller has AMX granted and passes one tile of elements per chain; each load and store
            // moves 16 rows of 64 bytes, the size of a tile, of `left` and of `right`.
            unsafe {
                std::arch::asm!(
                    "ldtilecfg [{config}]",
                    "tileloadd tmm6, [{left} + {stride}]",
                    "tileloadd tmm7, [{right} + {stride}]",
                    $(concat!("tileloadd tmm", $tile, ", [{at} + {stride} + 1024 * ", $tile, "]"),)+
                    "2:",
                    $(concat!($instruction, " tmm", $tile, ", tmm6, tmm7"),)+
                    ".rept {links}",
                    "imul {link}, {stride}",
                    ".endr",
                    "dec {trips}",
                    "jnz 2b",
                    $(concat!("tilestored [{at} + {stride} + 1024 * ", $tile, "], tmm", $tile),)+
                    "tilerelease",
                    config = in(reg) &raw const FULL_TILES,
                    left = in(reg) left.as_ptr(),
                    right = in(reg) right.as_ptr(),
                    at = in(reg) accumulators,
                    stride = in(reg) TILE_ROW_BYTES,
                    links = const multiplies(LINKS),
                    link = inout(reg) 1_u64 => _,
                    trips = inout(reg) iterations => _,
                    options(nostack)
                );
            }
        }
    };
}

tile_kernel! {
    /// Signed bytes, `[16, 64] x [64, 16]`, added to 32-bit integers.
    int8_amx {
        name: "int8-amx", precision: Int8, accumulate: Int32, isa: AmxInt8,
        elements: I32, macs_per_lane: 64, chains: 6,
        left: const { &tile_i8_left() }, right: const { &tile_i8_right() }, instruction: "tdpbssd",
    }
}

tile_kernel! {
    /// bfloat16, `[16, 32] x [32, 16]`, added to binary32.
    bf16_amx {
        name: "bf16-amx", precision: Bf16, accumulate: Fp32, isa: AmxBf16,
        elements: F32, macs_per_lane: 32, chains: 6,
        left: const { &tile_bf16_left() }, right: const { &tile_bf16_right() }, instruction: "tdpbf16ps",
    }
}
