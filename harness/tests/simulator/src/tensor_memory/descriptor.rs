//! The two descriptors of `tcgen05.mma`.

use super::wrong;
use crate::memory::Checked;
use crate::operation::{Element, Kind, Shape};
use crate::tensor_map::Swizzle;
use crate::wgmma::Descriptor;

/// Reads a matrix descriptor of PTX ISA 9.7.16.4.1: version 1, offsets relative, no base offset.
pub(crate) fn matrix_descriptor(bits: u64) -> Checked<Descriptor> {
    let field = |at: u32| (bits >> at & 0x3fff) << 4;
    let known = 0x3fff | 0x3fff << 16 | 0x3fff << 32 | 7 << 46 | 7 << 61;
    let swizzle = match bits >> 61 {
        0 => Some(Swizzle::None),
        2 => Some(Swizzle::Bytes128),
        4 => Some(Swizzle::Bytes64),
        6 => Some(Swizzle::Bytes32),
        _ => None,
    };
    match swizzle {
        Some(swizzle) if bits & !known == 0 && bits >> 46 & 7 == 1 => {
            Ok(Descriptor { start: field(0), leading: field(16), stride: field(32), swizzle })
        }
        _ => wrong(format!("tcgen05 matrix descriptor {bits:#x}")),
    }
}

/// Reads an instruction descriptor of PTX ISA 9.7.16.4.2, dense, both operands along K, 128 rows.
pub(crate) fn instruction_descriptor(kind: Kind, bits: u32) -> Checked<Shape> {
    use Element::{Bf16, E2m1, E2m3, E3m2, E4m3, E5m2, F16, F32, S8, S32, Tf32, U8};
    let field = |at: u32, size: u32| bits >> at & ((1 << size) - 1);
    let fail = || wrong(format!("tcgen05 instruction descriptor {bits:#x}"));
    let element = |code: u32| match (kind, code) {
        (Kind::Tf32, 2) => Some(Tf32),
        (Kind::F16, 0) => Some(F16),
        (Kind::F16, 1) => Some(Bf16),
        (Kind::F8f6f4, 0) => Some(E4m3),
        (Kind::F8f6f4, 1) => Some(E5m2),
        (Kind::F8f6f4, 3) => Some(E2m3),
        (Kind::F8f6f4, 4) => Some(E3m2),
        (Kind::F8f6f4, 5) | (Kind::Mxf4(_), 1) => Some(E2m1),
        (Kind::I8, 0) => Some(U8),
        (Kind::I8, 1) => Some(S8),
        _ => None,
    };
    let scaled = matches!(kind, Kind::Mxf4(_));
    let (known, m, d_type): (u32, u32, _) = if scaled {
        (
            0x3 << 4 | 0x7 << 7 | 0x3 << 10 | 0x3 << 13 | 0x3f << 17 | 1 << 23 | 0x3 << 27 | 0x3 << 29,
            field(27, 2) << 7,
            Some(F32),
        )
    } else {
        let d_type = match (kind, field(4, 2)) {
            (Kind::I8, 2) => Some(S32),
            (Kind::Tf32 | Kind::F16 | Kind::F8f6f4, 1) => Some(F32),
            _ => None,
        };
        (1 << 3 | 0x3 << 4 | 0x3f << 7 | 0x3 << 13 | 0x3f << 17 | 0x1f << 24, field(24, 5) << 4, d_type)
    };
    let n = field(17, 6) as usize * 8;
    let types = (element(field(7, 3)), element(field(10, if scaled { 2 } else { 3 })), d_type);
    let (Some(a), Some(b), Some(d)) = types else { return fail() };
    let integer = kind == Kind::I8;
    if bits & !known != 0 || m != 128 || !(16..=256).contains(&n) || !n.is_multiple_of(16) {
        return fail();
    }
    if !integer && !scaled && field(3, 1) == 1 || integer && field(13, 2) != 0 {
        return fail();
    }
    let byte = [field(29, 2) as usize, field(4, 2) as usize];
    let fraction = scaled && field(23, 1) == 0;
    if let Kind::Mxf4(count) = kind
        && (byte.iter().any(|byte| byte % count != 0) || fraction && count != 4)
    {
        return fail();
    }
    Ok(Shape {
        n,
        types: [a, b, d],
        saturate: field(3, 1) == 1,
        negated: field(13, 1) != field(14, 1),
        fraction,
        byte: if scaled { byte } else { [0; 2] },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_anything_else_is_refused() {
        // 128 x 256, bf16, sums in binary32.
        let dense = 1 << 4 | 1 << 7 | 1 << 10 | 32 << 17 | 8 << 24;
        let shape = instruction_descriptor(Kind::F16, dense).unwrap();
        assert_eq!((shape.n, shape.types), (256, [Element::Bf16, Element::Bf16, Element::F32]));
        assert!(instruction_descriptor(Kind::F16, dense | 1 << 13).unwrap().negated);
        for wrong in [
            dense | 1,
            dense | 4,
            dense | 8,
            dense | 1 << 6,
            dense | 1 << 15,
            dense | 1 << 23,
            dense ^ 3 << 4,
            dense ^ 12 << 24,
            dense ^ 33 << 17,
        ] {
            assert!(instruction_descriptor(Kind::F16, wrong).is_err(), "{wrong:#x}");
        }
        assert!(
            instruction_descriptor(Kind::Tf32, dense).is_err()
                && instruction_descriptor(Kind::I8, dense).is_err()
        );
        let scaled = 1 << 7 | 1 << 10 | 32 << 17 | 1 << 27;
        let fourth = instruction_descriptor(Kind::Mxf4(4), scaled).unwrap();
        assert!(fourth.fraction && fourth.types[0] == Element::E2m1);
        assert!(instruction_descriptor(Kind::Mxf4(2), scaled).is_err(), "pairs of scales are ue8m0");
        let second = instruction_descriptor(Kind::Mxf4(2), scaled | 1 << 23 | 2 << 29).unwrap();
        assert_eq!((second.fraction, second.byte), (false, [2, 0]));
        let place = matrix_descriptor(0x40 | 1 << 16 | 64 << 32 | 1 << 46 | 2 << 61).unwrap();
        assert_eq!(
            (place.start, place.leading, place.stride, place.swizzle),
            (1024, 16, 1024, Swizzle::Bytes128)
        );
        for bits in [0, 1 << 46 | 1 << 61, 2 << 46, 1 << 46 | 1 << 49, 1 << 46 | 1 << 52, 1 << 46 | 1 << 14] {
            assert!(matrix_descriptor(bits).is_err(), "{bits:#x}");
        }
    }
}
