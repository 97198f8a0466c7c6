//! A copy from one buffer to another: its size, the bytes that it moves, and the pattern that proves it.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::precision::{Accumulate, Precision};
use crate::units::Bytes;

/// What stands in a copy's `precision` and `accumulate`: it moves bytes and computes in no number format.
pub const COPY_FORMAT: (Precision, Accumulate) = (Precision::Int8, Accumulate::Int32);

/// A size that no copied buffer has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is no size of a buffer; write bytes, a multiple of {step} from {step} to {greatest}, as in 268435456",
    step = BufferSize::STEP,
    greatest = BufferSize::GREATEST
)]
pub struct BufferSizeError {
    text: String,
}

/// Size of each of the two buffers of a copy.
///
/// Unit: bytes, a multiple of a cache line, so that any width of load and store divides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct BufferSize(u64);

impl BufferSize {
    /// Every size is a multiple of this.
    pub const STEP: u64 = 64;
    /// Greatest size; past it no device has the memory.
    pub const GREATEST: u64 = 1 << 40;

    /// `bytes` bytes.
    ///
    /// Errors: [`BufferSizeError`] for zero, more than [`Self::GREATEST`], or no multiple of [`Self::STEP`].
    pub fn new(bytes: u64) -> Result<Self, BufferSizeError> {
        if bytes == 0 || bytes > Self::GREATEST || !bytes.is_multiple_of(Self::STEP) {
            return Err(BufferSizeError { text: bytes.to_string() });
        }
        Ok(Self(bytes))
    }

    /// The least size of which each buffer is more than [`Self::CACHES`] times `cache`, and no smaller than `least`.
    pub fn beyond(cache: Bytes, least: Bytes) -> Option<Self> {
        let beyond = cache.get().checked_mul(Self::CACHES)?.checked_add(1)?;
        Self::new(beyond.max(least.get()).checked_next_multiple_of(Self::STEP)?).ok()
    }

    /// Times of the last-level cache that a buffer must have, so that memory is measured and no cache.
    ///
    /// **Source**: McCalpin, STREAM, run rules: each array at least four times the sum of all last-level caches.
    /// Below four times for both buffers together, a finding says that a cache was measured.
    pub const CACHES: u64 = 4;

    /// The size in bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The size as an amount of memory.
    pub const fn bytes(self) -> Bytes {
        Bytes::new(self.0)
    }

    /// Bytes that one copy moves: those read plus those written. What a cache fetches beside them is not counted.
    pub const fn traffic(self) -> Bytes {
        Bytes::new(self.0 * 2)
    }
}

impl<'de> Deserialize<'de> for BufferSize {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl std::str::FromStr for BufferSize {
    type Err = BufferSizeError;

    fn from_str(text: &str) -> Result<Self, BufferSizeError> {
        let bytes = text.parse().map_err(|_| BufferSizeError { text: text.to_owned() })?;
        Self::new(bytes)
    }
}

impl std::fmt::Display for BufferSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.bytes().fmt(f)
    }
}

/// What the source of a copy holds: bytes that no other seed gives.
pub fn copy_pattern(buffer: BufferSize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(buffer.get()).unwrap_or(usize::MAX)];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

/// What the destination holds before a copy: every byte differs from the pattern, so that one that is left shows.
pub fn copy_poison(pattern: &[u8]) -> Vec<u8> {
    pattern.iter().map(|byte| !byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_of_zero_or_of_part_of_a_line_is_none() {
        for text in ["0", "63", "65", "-64", "64.0", "", "1099511627840", "99999999999999999999"] {
            assert!(text.parse::<BufferSize>().is_err(), "{text}");
        }
        assert_eq!("1099511627776".parse::<BufferSize>().unwrap().get(), BufferSize::GREATEST);
        assert!(serde_json::from_str::<BufferSize>("65").is_err());
    }

    #[test]
    fn a_buffer_beyond_a_cache_is_more_than_four_of_it() {
        let size = BufferSize::beyond(Bytes::new(32 << 20), Bytes::new(1)).unwrap();
        assert_eq!(size.get(), (128 << 20) + 64);
        assert_eq!(size.traffic().get(), 2 * size.get());
        assert_eq!(BufferSize::beyond(Bytes::new(0), Bytes::new(1 << 20)).unwrap().get(), 1 << 20);
        assert!(BufferSize::beyond(Bytes::new(u64::MAX), Bytes::new(1)).is_none());
    }

    #[test]
    fn patterns_of_two_seeds_differ_and_poison_differs_in_every_byte() {
        let size = BufferSize::new(4096).unwrap();
        let (one, two) = (copy_pattern(size, 1), copy_pattern(size, 2));
        assert_ne!(one, two);
        assert!(one.iter().zip(copy_poison(&one)).all(|(pattern, poison)| *pattern != poison));
    }
}
