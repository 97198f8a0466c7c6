//! The constant operands of the issue kernels, shared with the scalar replay. No arithmetic here.

/// Contraction factor: `acc = acc * FACTOR + TERM` stays near 1, so no infinity, NaN or denormal slows a lane.
pub const FACTOR: f64 = 0.999;
/// Added term of the contraction; `FACTOR + TERM` is 1, the fixed point.
pub const TERM: f64 = 0.001;

/// [`FACTOR`] in binary32.
pub const FACTOR_F32: f32 = 0.999;
/// [`TERM`] in binary32.
pub const TERM_F32: f32 = 0.001;

/// [`FACTOR`] in binary16 (0.99902).
pub const FACTOR_F16: u16 = 0x3bfe;
/// Added term of `acc = acc * acc + TERM_F16`, -1.7998: orbits in [-1.8, 1.44] that do not settle.
///
/// The contraction would: binary16 near 1 rounds 0.999 x 1.49 + 0.001 back to 1.49, and no trip could be told.
pub const TERM_F16: u16 = 0xbf33;

/// Two bfloat16 factors of one 32-bit word, low half first: 1 and 2.
pub const BF16_LEFT: [u16; 2] = [0x3f80, 0x4000];
/// Their partners, 0.5 and 0.25: each step adds exactly 1, exact in binary32 up to 2^24 steps.
pub const BF16_RIGHT: [u16; 2] = [0x3f00, 0x3e80];

/// Unsigned bytes of `vpdpbusd`; a step adds 255·(-128) + 3·127 + 200·(-3) + 18·5 = -32769, odd, so 2^32 steps differ.
pub const U8_LEFT: [u8; 4] = [255, 3, 200, 18];
/// Signed bytes of `vpdpbusd`.
pub const I8_RIGHT: [i8; 4] = [-128, 127, -3, 5];

/// Unsigned bytes of `vpmaddubsw`, at most 127: its 16-bit sum saturates beyond (255·127·2 > 32767).
pub const U7_LEFT: [u8; 4] = [127, 126, 120, 18];
/// Signed bytes of `vpmaddubsw`; a step adds 127·(-128) + 126·127 + 120·(-3) + 18·6 = -506.
pub const I8_RIGHT_OF_U7: [i8; 4] = [-128, 127, -3, 6];

/// Rows of an AMX tile.
pub const TILE_ROWS: usize = 16;
/// Bytes of one row of an AMX tile.
pub const TILE_ROW_BYTES: usize = 64;

/// Left int8 tile `[16, 64]`, row-major: full range, different in each row.
#[must_use]
pub const fn tile_i8_left() -> [i8; TILE_ROWS * TILE_ROW_BYTES] {
    tile_i8(37, 11)
}

/// Right int8 tile in the layout of `tdpbssd`: row `k / 4` holds four consecutive `k` for each of 16 columns.
#[must_use]
pub const fn tile_i8_right() -> [i8; TILE_ROWS * TILE_ROW_BYTES] {
    tile_i8(91, 5)
}

const fn tile_i8(stride: usize, offset: usize) -> [i8; TILE_ROWS * TILE_ROW_BYTES] {
    let mut tile = [0_i8; TILE_ROWS * TILE_ROW_BYTES];
    let mut i = 0;
    while i < tile.len() {
        let [low, ..] = (i * stride + i / TILE_ROW_BYTES + offset).to_le_bytes();
        tile[i] = low.cast_signed();
        i += 1;
    }
    tile
}

/// Left bfloat16 tile `[16, 32]`, row-major, of 0 and 1 only; see [`tile_bf16`].
#[must_use]
pub const fn tile_bf16_left() -> [u16; TILE_ROWS * TILE_ROW_BYTES / 2] {
    tile_bf16(3)
}

/// Right bfloat16 tile in the layout of `tdpbf16ps`: row `k / 2` holds two consecutive `k` for each of 16 columns.
#[must_use]
pub const fn tile_bf16_right() -> [u16; TILE_ROWS * TILE_ROW_BYTES / 2] {
    tile_bf16(5)
}

/// Zeros and ones: a step adds 2 to 20, so binary32 sums are exact up to 838,000 steps, 25 ms at 3.2 GHz.
const fn tile_bf16(stride: usize) -> [u16; TILE_ROWS * TILE_ROW_BYTES / 2] {
    let mut tile = [0_u16; TILE_ROWS * TILE_ROW_BYTES / 2];
    let mut i = 0;
    while i < tile.len() {
        if (i * i + i / 32 * stride) % 7 < 4 {
            tile[i] = 0x3f80;
        }
        i += 1;
    }
    tile
}
