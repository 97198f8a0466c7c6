//! Matrix instructions of a warpgroup: PTX ISA 9.7.15 (wgmma). Four warps issue them together; they run by themselves,
//! in order, and their sums and operands may not be touched before a wait for their group has returned.

use std::rc::Rc;

use crate::matrix::packed;
use crate::memory::{Checked, Known, Shared, Violation, violation};
use crate::operation::{Element, Wgmma};
use crate::tensor_map::Swizzle;

/// A matrix descriptor: PTX ISA 9.7.15.5.1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// Address in shared memory.
    pub start: u64,
    /// Leading dimension byte offset.
    pub leading: u64,
    /// Stride dimension byte offset.
    pub stride: u64,
    /// Swizzle.
    pub swizzle: Swizzle,
}

impl Descriptor {
    /// Reads the 64 bits; a set bit that no field has, or a base offset, is refused.
    pub fn decode(bits: u64) -> Checked<Self> {
        let field = |at: u32| (bits >> at & 0x3fff) << 4;
        let known = 0x3fff | 0x3fff << 16 | 0x3fff << 32 | 3 << 62;
        if bits & !known != 0 {
            return violation(Violation::LaunchFailed, format!("wgmma descriptor {bits:#x}"));
        }
        let swizzle = match bits >> 62 {
            0 => Swizzle::None,
            1 => Swizzle::Bytes128,
            2 => Swizzle::Bytes64,
            _ => Swizzle::Bytes32,
        };
        Ok(Self { start: field(0), leading: field(16), stride: field(32), swizzle })
    }

    /// Address of 16 bytes that lie along K: row `row` of M or N, chunk `chunk` of K.
    pub fn along_k(&self, row: u64, chunk: u64) -> u64 {
        let (group, within) = (row / 8 * self.stride, row % 8);
        let place = match self.swizzle.span() {
            None => group + within * 16 + chunk * self.leading,
            Some(span) => group + within * span + chunk * 16,
        };
        self.swizzle.place(self.start + place)
    }

    /// Address of 16 bytes that lie along M or N: chunk `chunk` of M or N, row `k` of K.
    pub fn across_k(&self, chunk: u64, k: u64) -> u64 {
        let (group, within) = (k / 8, k % 8);
        let place = match self.swizzle.span() {
            None => chunk * self.stride + group * self.leading + within * 16,
            Some(span) => {
                let chunks = span / 16;
                chunk / chunks * self.leading + group * self.stride + within * span + chunk % chunks * 16
            }
        };
        self.swizzle.place(self.start + place)
    }
}

/// One operand: `rows` of M or N by `k`, row by row, of elements of `width` bits, `per` of them in 16 bytes.
pub(crate) fn operand(
    descriptor: &Descriptor,
    (kind, width, per): (Element, usize, usize),
    across: bool,
    (rows, k): (usize, usize),
    mut read: impl FnMut(u64, &mut [u8]) -> Checked<()>,
) -> Checked<Vec<f64>> {
    let mut values = vec![0.0; rows * k];
    let mut chunk = [0; 16];
    let (outer, inner) = if across { (k, rows / per) } else { (rows, k / per) };
    for line in 0..outer {
        for at in 0..inner {
            let (a, b) = (line as u64, at as u64);
            read(if across { descriptor.across_k(b, a) } else { descriptor.along_k(a, b) }, &mut chunk)?;
            let word = u128::from_le_bytes(chunk);
            for i in 0..per {
                let value = packed(kind, width, (word >> (i * width)) as u64 & (u64::MAX >> (64 - width)));
                let place = if across { (at * per + i) * k + line } else { line * k + at * per + i };
                values[place] = value;
            }
        }
    }
    Ok(values)
}

/// What one instruction multiplies, as it was read when the last of the four warps had issued it.
#[derive(Clone)]
pub(crate) struct Product {
    pub a: Rc<Vec<f64>>,
    pub b: Rc<Vec<f64>>,
    /// Whether D is added to.
    pub adds: bool,
}

struct Issued {
    line: u32,
    descriptors: [u64; 2],
    adds: bool,
    warps: u32,
    known: Known,
    product: Option<Product>,
    taken: u32,
}

/// The matrix unit of four warps.
pub(crate) struct Unit {
    agent: usize,
    issued: Vec<Issued>,
}

impl Unit {
    pub(crate) fn new(shared: &mut Shared) -> Self {
        Self { agent: shared.agent(), issued: Vec::new() }
    }

    /// Issues instruction `number` of a warp; true when all four have, and the operands have been read.
    pub(crate) fn issue(
        &mut self,
        shared: &mut Shared,
        (warp, number, line): (usize, usize, u32),
        wgmma: &Wgmma,
        (descriptors, adds): ([u64; 2], bool),
    ) -> Checked<bool> {
        let known = shared.known(warp).clone();
        if number == self.issued.len() {
            let issued =
                Issued { line, descriptors, adds, warps: 0, known: known.clone(), product: None, taken: 0 };
            self.issued.push(issued);
        }
        let agent = (self.agent, number as u32 + 1);
        let Some(issued) = self.issued.get_mut(number) else {
            return violation(Violation::LaunchFailed, "wgmma out of order");
        };
        if (issued.line, issued.descriptors, issued.adds) != (line, descriptors, adds) {
            return violation(
                Violation::LaunchFailed,
                format!("the warps of a warpgroup issue different wgmma: lines {} and {line}", issued.line),
            );
        }
        issued.warps += 1;
        issued.known.meet(&known);
        if issued.warps < 4 {
            return Ok(false);
        }
        let mut read = |address: u64, chunk: &mut [u8]| {
            let bytes = shared.read_asynchronously(agent, &issued.known, (address, 16))?;
            chunk.copy_from_slice(bytes);
            Ok(())
        };
        let (width, per) = (wgmma.width(), 128 / wgmma.width());
        let [first, second] = descriptors.map(Descriptor::decode);
        let (first, second) = (first?, second?);
        let [a_type, b_type] = [wgmma.a_type, wgmma.b_type].map(|element| (element, width, per));
        let mut a = operand(&first, a_type, wgmma.across[0], (64, wgmma.k), &mut read)?;
        let b = operand(&second, b_type, wgmma.across[1], (wgmma.n, wgmma.k), &mut read)?;
        if wgmma.negated {
            a.iter_mut().for_each(|value| *value = -*value);
        }
        issued.product = Some(Product { a: Rc::new(a), b: Rc::new(b), adds });
        Ok(true)
    }

    /// What instruction `number` multiplied, for one of the four warps, which then knows that it has been done; `None`
    /// while a warp has yet to issue it.
    pub(crate) fn take(&mut self, shared: &mut Shared, warp: usize, number: usize) -> Option<Product> {
        let issued = self.issued.get_mut(number)?;
        let product = issued.product.clone()?;
        issued.taken += 1;
        if issued.taken == 4 {
            issued.product = None;
        }
        shared.known_mut(warp).order.raise(self.agent, number as u32 + 1);
        Some(product)
    }

    /// Whether all four warps have issued this instruction.
    pub(crate) fn done(&self, number: usize) -> bool {
        self.issued.get(number).is_some_and(|issued| issued.warps == 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(leading: u64, stride: u64, swizzle: u64) -> Descriptor {
        Descriptor::decode(leading >> 4 << 16 | stride >> 4 << 32 | swizzle << 62).unwrap()
    }

    #[test]
    fn core_matrices_stand_where_the_specification_draws_them() {
        // No swizzle, K-major: core matrices of 8 rows and 16 bytes, 128 bytes each.
        let plain = descriptor(128, 256, 0);
        assert_eq!((plain.along_k(3, 0), plain.along_k(3, 1), plain.along_k(11, 0)), (48, 176, 304));
        // 128-byte swizzle, K-major: row 3's first chunk stands fourth.
        let wide = descriptor(16, 1024, 1);
        assert_eq!((wide.along_k(3, 0), wide.along_k(3, 3), wide.along_k(9, 0)), (432, 384, 1024 + 128 + 16));
        // MN-major, 128 bytes: 64 numbers of 16 bits a row of K; the next 64 are the leading offset away.
        let turned = descriptor(8192, 1024, 1);
        assert_eq!((turned.across_k(0, 1), turned.across_k(8, 0), turned.across_k(1, 8)), (144, 8192, 1040));
        // The narrower swizzles have narrower rows.
        assert_eq!(descriptor(16, 512, 2).along_k(2, 0), 128 + 16);
        assert_eq!(descriptor(16, 256, 3).along_k(4, 1), 128);
        // MN-major without a swizzle: the offsets change their part.
        assert_eq!(descriptor(128, 512, 0).across_k(1, 9), 512 + 128 + 16);
    }

    #[test]
    fn bits_outside_the_fields_are_refused() {
        for bit in [14, 15, 30, 46, 49, 52, 61] {
            assert!(Descriptor::decode(1 << bit).is_err(), "{bit}");
        }
    }
}
