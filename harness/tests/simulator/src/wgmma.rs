//! Matrix instructions of a warpgroup: PTX ISA 9.7.15 (wgmma). Four warps issue them together; they run by themselves,
//! in order, and their sums and operands may not be touched before a wait for their group has returned.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::matrix::packed;
use crate::memory::{Checked, Known, Shared, Violation, violation};
use crate::operation::{Element, Wgmma};
use crate::product::Operands;
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

/// How an operand lies in memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Layout {
    pub(crate) element: Element,
    /// Bits of an element.
    pub(crate) width: usize,
    /// Elements in 16 bytes.
    pub(crate) per: usize,
    /// Whether it lies along M or N instead of K.
    pub(crate) across: bool,
    /// Extent in M or N.
    pub(crate) rows: usize,
    pub(crate) k: usize,
}

impl Layout {
    /// Lines, and the 16 bytes of each.
    fn chunks(&self) -> (usize, usize) {
        if self.across { (self.k, self.rows / self.per) } else { (self.rows, self.k / self.per) }
    }

    /// Adds the operand's bytes to others, in the order of its lines.
    pub(crate) fn read(
        &self,
        descriptor: &Descriptor,
        bytes: &mut Vec<u8>,
        mut read: impl FnMut(u64, &mut Vec<u8>) -> Checked<()>,
    ) -> Checked<()> {
        let (lines, chunks) = self.chunks();
        for line in 0..lines as u64 {
            for chunk in 0..chunks as u64 {
                let across = self.across;
                let at =
                    if across { descriptor.across_k(chunk, line) } else { descriptor.along_k(line, chunk) };
                read(at, bytes)?;
            }
        }
        Ok(())
    }

    /// Bytes of the operand.
    pub(crate) fn size(&self) -> usize {
        let (lines, chunks) = self.chunks();
        lines * chunks * 16
    }

    /// Its values: M or N by K, row by row.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Vec<f64> {
        let mut values = vec![0.0; self.rows * self.k];
        let chunks = self.chunks().1;
        for (number, chunk) in bytes.as_chunks::<16>().0.iter().enumerate() {
            let (line, at) = (number / chunks, number % chunks);
            let word = u128::from_le_bytes(*chunk);
            for i in 0..self.per {
                let bits = (word >> (i * self.width)) as u64 & (u64::MAX >> (64 - self.width));
                let (row, column) =
                    if self.across { (at * self.per + i, line) } else { (line, at * self.per + i) };
                values[row * self.k + column] = packed(self.element, self.width, bits);
            }
        }
        values
    }
}

/// What one instruction multiplies, as it was read when the last of the four warps had issued it.
#[derive(Clone)]
pub(crate) struct Product {
    pub operands: Rc<Operands>,
    /// Whether they were multiplied before.
    pub again: bool,
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

/// Bytes of the operands, and what they are.
type Read = (Vec<u8>, Rc<Operands>);

/// The matrix unit of four warps.
pub(crate) struct Unit {
    agent: usize,
    issued: Vec<Issued>,
    /// What was read last, by line and descriptors.
    known: BTreeMap<(u32, [u64; 2]), Read>,
}

impl Unit {
    pub(crate) fn new(shared: &mut Shared) -> Self {
        Self { agent: shared.agent(), issued: Vec::new(), known: BTreeMap::new() }
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
        let mut read = |address: u64, bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(shared.read_asynchronously(agent, &issued.known, (address, 16))?);
            Ok(())
        };
        let layouts = wgmma.layouts();
        let mut bytes = Vec::with_capacity(layouts[0].size() + layouts[1].size());
        for (layout, descriptor) in layouts.iter().zip(descriptors) {
            layout.read(&Descriptor::decode(descriptor)?, &mut bytes, &mut read)?;
        }
        let key = (line, descriptors);
        let again = self.known.get(&key).is_some_and(|(known, _)| *known == bytes);
        if !again {
            let (a, b) = bytes.split_at(layouts[0].size());
            let mut a = layouts[0].decode(a);
            if wgmma.negated {
                a.iter_mut().for_each(|value| *value = -*value);
            }
            let operands = Rc::new(Operands::new(wgmma.k, a, &layouts[1].decode(b)));
            self.known.insert(key, (bytes, operands));
        }
        issued.product =
            self.known.get(&key).map(|(_, operands)| Product { operands: Rc::clone(operands), again, adds });
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

impl Wgmma {
    /// How A and B lie in memory.
    fn layouts(&self) -> [Layout; 2] {
        let (width, per) = (self.width(), 128 / self.width());
        let [across_a, across_b] = self.across;
        let of = |element, across, rows| Layout { element, width, per, across, rows, k: self.k };
        [of(self.a_type, across_a, 64), of(self.b_type, across_b, self.n)]
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
