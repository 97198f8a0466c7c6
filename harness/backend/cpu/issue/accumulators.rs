//! The values that an issue kernel works on, outside the registers: start, end and comparison.

/// Accumulators of one kernel, chain after chain, each chain lane after lane.
#[derive(Debug, Clone)]
pub enum Accumulators {
    /// IEEE binary16, as bits.
    F16(Vec<u16>),
    /// IEEE binary32.
    F32(Vec<f32>),
    /// IEEE binary64.
    F64(Vec<f64>),
    /// 32-bit integers, wrapping.
    I32(Vec<i32>),
}

/// Element type of [`Accumulators`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// IEEE binary16.
    F16,
    /// IEEE binary32.
    F32,
    /// IEEE binary64.
    F64,
    /// 32-bit integer.
    I32,
}

/// Where the start values lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starts {
    /// From 1 upwards in small steps, for kernels that contract towards 1.
    NearOne,
    /// Whole numbers from 0, for kernels that add whole steps and must stay exact.
    Whole,
}

impl Accumulators {
    /// Start values: each one different, so that equal chains cannot be merged.
    ///
    /// The 960 binary16 starts of 30 chains lie in [0.5, 0.97].
    #[must_use]
    pub fn start(element: Element, starts: Starts, count: usize) -> Self {
        let steps = 0..u16::try_from(count).unwrap_or(u16::MAX);
        match (element, starts) {
            (Element::F16, _) => Self::F16(steps.map(|i| 0x3800 + i).collect()),
            (Element::F32, Starts::Whole) => Self::F32(steps.map(f32::from).collect()),
            (Element::F32, Starts::NearOne) => Self::F32(steps.map(|i| 1.0 + f32::from(i) / 256.0).collect()),
            (Element::F64, _) => Self::F64(steps.map(|i| 1.0 + f64::from(i) / 256.0).collect()),
            (Element::I32, _) => Self::I32(steps.map(i32::from).collect()),
        }
    }

    /// How many accumulators there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F16(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I32(values) => values.len(),
        }
    }

    /// Their type.
    #[must_use]
    pub const fn element(&self) -> Element {
        match self {
            Self::F16(_) => Element::F16,
            Self::F32(_) => Element::F32,
            Self::F64(_) => Element::F64,
            Self::I32(_) => Element::I32,
        }
    }

    /// All of them, widened exactly.
    #[must_use]
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::F16(values) => values.iter().map(|bits| half::f16::from_bits(*bits).to_f64()).collect(),
            Self::F32(values) => values.iter().map(|value| f64::from(*value)).collect(),
            Self::F64(values) => values.clone(),
            Self::I32(values) => values.iter().map(|value| f64::from(*value)).collect(),
        }
    }

    /// Where the first one lies, for a kernel.
    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        match self {
            Self::F16(values) => values.as_mut_ptr().cast(),
            Self::F32(values) => values.as_mut_ptr().cast(),
            Self::F64(values) => values.as_mut_ptr().cast(),
            Self::I32(values) => values.as_mut_ptr().cast(),
        }
    }

    #[cfg(test)]
    /// Index of the first accumulator whose bits differ, counting a missing one as different.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let (ours, theirs) = (self.bits(), other.bits());
        let common = ours.iter().zip(&theirs).position(|(a, b)| a != b);
        common.or_else(|| (ours.len() != theirs.len()).then(|| ours.len().min(theirs.len())))
    }

    #[cfg(test)]
    /// Bit patterns, tagged with the element's width so that different types never compare equal.
    fn bits(&self) -> Vec<(u8, u64)> {
        match self {
            Self::F16(values) => values.iter().map(|v| (16, u64::from(*v))).collect(),
            Self::F32(values) => values.iter().map(|v| (32, u64::from(v.to_bits()))).collect(),
            Self::F64(values) => values.iter().map(|v| (64, v.to_bits())).collect(),
            Self::I32(values) => values.iter().map(|v| (31, u64::from(v.cast_unsigned()))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flipped_bit_is_found() {
        let expected = Accumulators::start(Element::F64, Starts::NearOne, 24);
        let mut seen = expected.clone();
        assert_eq!(expected.first_difference(&seen), None);
        if let Accumulators::F64(values) = &mut seen {
            values[7] = f64::from_bits(values[7].to_bits() ^ 1);
        }
        assert_eq!(expected.first_difference(&seen), Some(7));
    }

    #[test]
    fn a_missing_accumulator_or_another_type_is_a_difference() {
        let ten = Accumulators::start(Element::I32, Starts::Whole, 10);
        assert_eq!(ten.first_difference(&Accumulators::start(Element::I32, Starts::Whole, 9)), Some(9));
        assert_eq!(ten.first_difference(&Accumulators::start(Element::F32, Starts::Whole, 10)), Some(0));
    }
}
