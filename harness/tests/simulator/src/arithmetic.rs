//! What one thread computes: PTX ISA 9.7.1 to 9.7.6, 9.7.8 and `cvt`.

use crate::number::{BF16, F16, F32, Format, Rounding, TF32, add_to_odd, fused};
use crate::operation::{Comparison, Convert, Float, How, Integer, Type};

/// Sign-extended value.
pub fn signed(ty: Type, bits: u64) -> i64 {
    match ty.size() {
        1 => bits as i8 as i64,
        2 => bits as i16 as i64,
        4 => bits as i32 as i64,
        _ => bits as i64,
    }
}

/// Result of an integer instruction; division by zero gives all ones, as the specification leaves it open.
pub fn integer(kind: Integer, ty: Type, [a, b, c]: [u64; 3]) -> u64 {
    let mask = ty.mask();
    let width = 8 * ty.size();
    let (ua, ub) = (a & mask, b & mask);
    let (sa, sb) = (signed(ty, a), signed(ty, b));
    let product = || {
        if ty.signed() { (i128::from(sa) * i128::from(sb)) as u128 } else { u128::from(ua) * u128::from(ub) }
    };
    let value = match kind {
        Integer::Add => ua.wrapping_add(ub),
        Integer::Sub => ua.wrapping_sub(ub),
        Integer::MulLow => product() as u64,
        Integer::MulHigh => (product() >> width) as u64,
        // The result has twice the width.
        Integer::MulWide => return product() as u64 & wide_mask(ty),
        Integer::MadLow => (product() as u64).wrapping_add(c),
        Integer::MadHigh => ((product() >> width) as u64).wrapping_add(c),
        Integer::MadWide => return (product() as u64).wrapping_add(c) & wide_mask(ty),
        Integer::Div if ub == 0 => u64::MAX,
        Integer::Rem if ub == 0 => ua,
        Integer::Div if ty.signed() => sa.wrapping_div(sb) as u64,
        Integer::Div => ua / ub,
        Integer::Rem if ty.signed() => sa.wrapping_rem(sb) as u64,
        Integer::Rem => ua % ub,
        Integer::Min if ty.signed() => sa.min(sb) as u64,
        Integer::Min => ua.min(ub),
        Integer::Max if ty.signed() => sa.max(sb) as u64,
        Integer::Max => ua.max(ub),
        Integer::Neg => ua.wrapping_neg(),
        Integer::Abs => sa.wrapping_abs() as u64,
        Integer::And => a & b,
        Integer::Or => a | b,
        Integer::Xor => a ^ b,
        Integer::Not if ty == Type::Pred => u64::from(a == 0),
        Integer::Not => !a,
        // Amounts above the width are clamped to it.
        Integer::Shl => ua.checked_shl((b as u32).min(width)).unwrap_or(0),
        Integer::Shr if ty.signed() => (sa >> (b as u32).min(width).min(63)) as u64,
        Integer::Shr => ua.checked_shr((b as u32).min(width)).unwrap_or(0),
        Integer::Lop3(table) => lop3(table, a, b, c),
        Integer::Prmt => prmt(a, b, c),
        Integer::Bfe => bfe(ty, ua, b as u32 & 0xff, c as u32 & 0xff),
        Integer::Bfi(length) => bfi(width, [a, b], c as u32 & 0xff, length.into()),
        Integer::Popc => u64::from(ua.count_ones()),
        Integer::Clz => u64::from(ua.leading_zeros() - (64 - width)),
        Integer::ShfLeft => ((b & 0xffff_ffff) << 32 | ua) << (c & 31) >> 32,
        Integer::ShfRight => ((b & 0xffff_ffff) << 32 | ua) >> (c & 31),
    };
    value & mask
}

fn wide_mask(ty: Type) -> u64 {
    if ty.size() >= 4 { u64::MAX } else { (1 << (16 * ty.size())) - 1 }
}

fn lop3(table: u8, a: u64, b: u64, c: u64) -> u64 {
    // Bit `index` of the table stands for the bits of a, b and c in `index`, a's highest.
    let pick = |word: u64, bit: bool| if bit { word } else { !word };
    let all = (0..8).filter(|index| table >> index & 1 == 1).fold(0, |word, index| {
        word | pick(a, index & 4 != 0) & pick(b, index & 2 != 0) & pick(c, index & 1 != 0)
    });
    all & 0xffff_ffff
}

/// Default mode: each nibble of `c` picks one of eight bytes, or repeats its sign.
fn prmt(a: u64, b: u64, c: u64) -> u64 {
    let bytes = (b & 0xffff_ffff) << 32 | (a & 0xffff_ffff);
    (0..4).fold(0, |word, i| {
        let nibble = c >> (4 * i) & 0xf;
        let byte = bytes >> (8 * (nibble & 7)) & 0xff;
        let byte = if nibble & 8 != 0 { (byte >> 7) * 0xff } else { byte };
        word | byte << (8 * i)
    })
}

fn bfe(ty: Type, a: u64, from: u32, length: u32) -> u64 {
    let width = 8 * ty.size();
    let sign = if length == 0 { 0 } else { a >> (from + length - 1).min(width - 1) & 1 };
    let fill = if ty.signed() { sign } else { 0 };
    (0..width).fold(0, |word, i| {
        let bit = if i < length && from + i < width { a >> (from + i) & 1 } else { fill };
        word | bit << i
    })
}

/// The low bits of `a` in place of those of `b` from bit `from` on.
fn bfi(width: u32, [a, b]: [u64; 2], from: u32, length: u32) -> u64 {
    (from..(from + length).min(width)).fold(b, |word, i| word & !(1 << i) | (a >> (i - from) & 1) << i)
}

/// Format of a type that has at most 32 bits.
fn format(ty: Type) -> Option<Format> {
    match ty {
        Type::F16 | Type::F16x2 => Some(F16),
        Type::Bf16 | Type::Bf16x2 => Some(BF16),
        Type::F32 | Type::F32x2 => Some(F32),
        Type::Tf32 => Some(TF32),
        _ => None,
    }
}

/// Result of a floating-point instruction, packed types part by part.
pub fn float(kind: Float, how: How, a: [u64; 3]) -> u64 {
    match how.ty {
        Type::F64 => float64(kind, a),
        Type::F32
            if kind == Float::Fma && how.rounding == Rounding::Nearest && !how.flush && !how.saturate =>
        {
            let [a, b, c] = a.map(|bits| f32::from_bits(bits as u32));
            let value = a.mul_add(b, c);
            u64::from(if value.is_nan() { 0x7fff_ffff } else { value.to_bits() })
        }
        Type::F16x2 => pair(F16, kind, how, a),
        Type::Bf16x2 => pair(BF16, kind, how, a),
        Type::F32x2 => {
            let low = part(F32, kind, how, a.map(|bits| bits as u32));
            let high = part(F32, kind, how, a.map(|bits| (bits >> 32) as u32));
            u64::from(high) << 32 | u64::from(low)
        }
        ty => format(ty).map_or(0, |format| u64::from(part(format, kind, how, a.map(|bits| bits as u32)))),
    }
}

fn pair(format: Format, kind: Float, how: How, a: [u64; 3]) -> u64 {
    let low = part(format, kind, how, a.map(|bits| bits as u32 & 0xffff));
    let high = part(format, kind, how, a.map(|bits| bits as u32 >> 16));
    u64::from(high << 16 | low)
}

fn float64(kind: Float, bits: [u64; 3]) -> u64 {
    let [a, b, c] = bits.map(f64::from_bits);
    let value = match kind {
        Float::Add => a + b,
        Float::Sub => a - b,
        Float::Mul => a * b,
        Float::Fma => a.mul_add(b, c),
        Float::Div => a / b,
        Float::Sqrt => a.sqrt(),
        Float::Rcp => 1.0 / a,
        Float::Neg => return bits[0] ^ 1 << 63,
        Float::Abs => return bits[0] & !(1 << 63),
        Float::Min | Float::Max => extreme(a, b, kind == Float::Min, false),
    };
    value.to_bits()
}

/// NaN gives way to a number unless `.NaN` is set; -0 is less than +0.
fn extreme(a: f64, b: f64, least: bool, nan: bool) -> f64 {
    if a.is_nan() || b.is_nan() {
        return if nan || a.is_nan() && b.is_nan() {
            f64::NAN
        } else if a.is_nan() {
            b
        } else {
            a
        };
    }
    if (a.total_cmp(&b).is_le()) == least { a } else { b }
}

fn flushed(bits: u32, format: Format) -> u32 {
    let sign = 1u32 << (format.exponent + format.fraction);
    let exponent = bits >> format.fraction & ((1 << format.exponent) - 1);
    if exponent == 0 { bits & sign } else { bits }
}

#[inline]
fn part(format: Format, kind: Float, how: How, bits: [u32; 3]) -> u32 {
    let bits = if how.flush { bits.map(|b| flushed(b, format)) } else { bits };
    let sign = 1u32 << (format.exponent + format.fraction);
    let [a, b, c] = bits.map(|b| format.decode(b));
    let value = match kind {
        Float::Add => add_to_odd(a, b),
        Float::Sub => add_to_odd(a, -b),
        Float::Mul => a * b,
        Float::Fma => fused(a, b, c),
        Float::Min | Float::Max => extreme(a, b, kind == Float::Min, how.nan),
        Float::Neg if !a.is_nan() => return bits[0] ^ sign,
        Float::Abs if !a.is_nan() => return bits[0] & !sign,
        Float::Neg | Float::Abs => a,
        Float::Div => f64::from(a as f32 / b as f32),
        Float::Sqrt => f64::from((a as f32).sqrt()),
        Float::Rcp => f64::from(1.0 / a as f32),
    };
    // An exact zero of unlike addends is -0 when rounding down, else +0, as binary64 to nearest has it.
    let addends = match kind {
        Float::Add => [a, b],
        Float::Sub => [a, -b],
        Float::Fma => [a * b, c],
        _ => [0.0, 0.0],
    };
    let down = how.rounding == Rounding::Minus && addends.iter().any(|x| x.is_sign_negative());
    let value = if value == 0.0 && down { -0.0 } else { value };
    let value = if how.saturate { if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) } } else { value };
    let value = if how.relu && !value.is_nan() { value.max(0.0) + 0.0 } else { value };
    let encoded = format.encode(value, how.rounding, false);
    if how.flush { flushed(encoded, format) } else { encoded }
}

/// A floating-point value of a register.
fn value(ty: Type, bits: u64) -> f64 {
    match format(ty) {
        Some(format) => format.decode(bits as u32),
        None => f64::from_bits(bits),
    }
}

/// Result of `cvt`.
pub fn convert(how: Convert, bits: u64) -> u64 {
    let Convert { to, from, rounding, saturate, flush } = how;
    let bits =
        if flush && from == Type::F32 { u64::from(flushed(bits as u32, F32)) } else { bits & from.mask() };
    if !from.floating() && !to.floating() {
        let wide = if from.signed() { i128::from(signed(from, bits)) } else { i128::from(bits) };
        return if saturate { clamp(to, wide) } else { wide as u64 & to.mask() };
    }
    if !to.floating() {
        let x = value(from, bits);
        let whole = match rounding {
            Rounding::Nearest | Rounding::Away => x.round_ties_even(),
            Rounding::Zero => x.trunc(),
            Rounding::Minus => x.floor(),
            Rounding::Plus => x.ceil(),
        };
        // NaN is 0; what is out of range is clamped: PTX ISA, cvt.
        return if whole.is_nan() { 0 } else { clamp(to, whole as i128) };
    }
    let x = match (from.floating(), from.signed()) {
        (true, _) => value(from, bits),
        // Rounded to odd where binary64 cannot hold it.
        (false, true) => add_to_odd(
            (signed(from, bits) >> 32) as f64 * 4_294_967_296.0,
            (bits & 0xffff_ffff) as f64 * f64::from(u8::from(from.size() == 8))
                + if from.size() == 8 { 0.0 } else { small(from, bits) },
        ),
        (false, false) => add_to_odd((bits >> 32) as f64 * 4_294_967_296.0, (bits & 0xffff_ffff) as f64),
    };
    let x = if saturate { if x.is_nan() { 0.0 } else { x.clamp(0.0, 1.0) } } else { x };
    match (to, format(to)) {
        (Type::Tf32, _) => {
            // Rounded to 10 bits of fraction, which stand above 13 zeros.
            if x.is_nan() { 0x7fff_ffff } else { u64::from(TF32.encode(x, rounding, false)) << 13 }
        }
        (_, Some(format)) => u64::from(format.encode(x, rounding, false)),
        (_, None) if from.floating() => x.to_bits(),
        (_, None) => (if from.signed() { signed(from, bits) as f64 } else { bits as f64 }).to_bits(),
    }
}

/// Low part of a signed integer that has at most 32 bits, so that the high part above stays its sign.
fn small(from: Type, bits: u64) -> f64 {
    (signed(from, bits) - (signed(from, bits) >> 32 << 32)) as f64
}

fn clamp(to: Type, value: i128) -> u64 {
    let width = 8 * to.size();
    let (low, high) = if to.signed() {
        (-(1i128 << (width - 1)), (1i128 << (width - 1)) - 1)
    } else {
        (0, (1i128 << width) - 1)
    };
    value.clamp(low, high) as u64 & to.mask()
}

/// Result of a comparison.
pub fn compare(test: Comparison, unordered: bool, ty: Type, a: u64, b: u64) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = if ty.floating() {
        value(ty, a & ty.mask()).partial_cmp(&value(ty, b & ty.mask()))
    } else if ty.signed() {
        Some(signed(ty, a).cmp(&signed(ty, b)))
    } else {
        Some((a & ty.mask()).cmp(&(b & ty.mask())))
    };
    let Some(order) = order else { return unordered || test == Comparison::Nan };
    match test {
        Comparison::Eq => order == Equal,
        Comparison::Ne => order != Equal,
        Comparison::Lt => order == Less,
        Comparison::Le => order != Greater,
        Comparison::Gt => order == Greater,
        Comparison::Ge => order != Less,
        Comparison::Num => true,
        Comparison::Nan => false,
    }
}
