//! What a launch executed.

use std::collections::BTreeMap;

use crate::operation::{Element, Float, Type};

/// What was executed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// Instructions of threads.
    pub instructions: u64,
    /// Multiplications and additions by kind: `fma.f32`, `mma.bf16`; a fused pair is two.
    pub operations: BTreeMap<String, u64>,
}

impl Count {
    /// Operations of the kinds whose name begins so.
    pub fn of(&self, beginning: &str) -> u64 {
        self.operations.iter().filter(|(name, _)| name.starts_with(beginning)).map(|(_, n)| n).sum()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operand {
    Scalar(Type),
    Matrix(Element),
}

/// A count while it grows: names are made at its end.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) instructions: u64,
    operations: Vec<((&'static str, Operand), u64)>,
}

impl Tally {
    fn add(&mut self, what: (&'static str, Operand), operations: u64) {
        match self.operations.iter_mut().find(|(other, _)| *other == what) {
            Some((_, count)) => *count += operations,
            None => self.operations.push((what, operations)),
        }
    }

    pub(crate) fn float(&mut self, kind: Float, ty: Type, lanes: u32) {
        let (name, each) = match kind {
            Float::Fma => ("fma", 2),
            Float::Mul => ("mul", 1),
            Float::Add | Float::Sub => ("add", 1),
            _ => return,
        };
        let parts = if matches!(ty, Type::F16x2 | Type::Bf16x2 | Type::F32x2) { 2 } else { 1 };
        self.add((name, Operand::Scalar(ty)), u64::from(lanes) * each * parts);
    }

    /// One product of an `m` by `k` and a `k` by `n` matrix.
    pub(crate) fn matrix(&mut self, name: &'static str, element: Element, [m, n, k]: [usize; 3]) {
        self.add((name, Operand::Matrix(element)), 2 * (m * n * k) as u64);
    }

    /// The count.
    pub(crate) fn named(self) -> Count {
        let name = |(name, operand): (&str, Operand)| match operand {
            Operand::Scalar(ty) => format!("{name}.{ty:?}").to_lowercase(),
            Operand::Matrix(element) => format!("{name}.{element:?}").to_lowercase(),
        };
        let mut operations = BTreeMap::new();
        for (what, count) in self.operations {
            *operations.entry(name(what)).or_default() += count;
        }
        Count { instructions: self.instructions, operations }
    }
}
