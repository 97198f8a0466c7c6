//! Tensor maps: what the driver makes of `cuTensorMapEncodeTiled`, and a kernel's copies read. NVIDIA does not publish
//! the bytes of its own maps; these are the simulator's, and the rules are those of the driver's reference.

/// Bytes of a `CUtensorMap`.
pub const BYTES: usize = 128;
const MAGIC: u32 = 0x464c_544d;

/// `CUtensorMapSwizzle`: 16-byte chunks of a row of this many bytes change places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the driver's header")]
pub enum Swizzle {
    None,
    Bytes32,
    Bytes64,
    Bytes128,
}

impl Swizzle {
    /// Bytes of a row; none where nothing changes places.
    pub fn span(self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Bytes32 => Some(32),
            Self::Bytes64 => Some(64),
            Self::Bytes128 => Some(128),
        }
    }

    /// Where an address's byte really stands: bits 4 and up are changed by those three places above.
    pub fn place(self, address: u64) -> u64 {
        let mask = match self {
            Self::None => 0,
            Self::Bytes32 => 1,
            Self::Bytes64 => 3,
            Self::Bytes128 => 7,
        };
        address ^ (address >> 7 & mask) << 4
    }
}

/// The arguments of `cuTensorMapEncodeTiled` as far as they are simulated: no interleave, unit element strides, zeros
/// out of bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorMap {
    /// `CUtensorMapDataType` by its number in the header.
    pub data_type: u32,
    /// `globalAddress`.
    pub address: u64,
    /// `globalDim`, innermost first; its length is the rank, 1 to 5.
    pub extents: Vec<u64>,
    /// `globalStrides`, bytes, of all dimensions but the innermost.
    pub strides: Vec<u64>,
    /// `boxDim`.
    pub tile: Vec<u32>,
    /// `swizzle`.
    pub swizzle: Swizzle,
}

/// What the driver refuses with `CUDA_ERROR_INVALID_VALUE`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tensor map: {0}")]
pub struct MapError(pub String);

fn refuse<T>(what: impl Into<String>) -> Result<T, MapError> {
    Err(MapError(what.into()))
}

impl TensorMap {
    /// Bytes of an element.
    pub fn element_bytes(&self) -> Option<u64> {
        // UINT8, UINT16, UINT32, INT32, UINT64, INT64, FLOAT16, FLOAT32, FLOAT64, BFLOAT16, FLOAT32_FTZ, TFLOAT32, _FTZ.
        [1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4].get(self.data_type as usize).copied()
    }

    /// Bytes of a box, which is what a copy announces to its barrier.
    pub fn box_bytes(&self) -> u64 {
        self.tile.iter().map(|n| u64::from(*n)).product::<u64>() * self.element_bytes().unwrap_or(0)
    }

    fn check(&self) -> Result<(), MapError> {
        let Some(size) = self.element_bytes() else {
            return refuse(format!("data type {}", self.data_type));
        };
        let rank = self.extents.len();
        if !(1..=5).contains(&rank) || self.strides.len() != rank - 1 || self.tile.len() != rank {
            return refuse(format!("rank {rank}"));
        }
        if !self.address.is_multiple_of(16) {
            return refuse(format!("address {:#x} is no multiple of 16", self.address));
        }
        if let Some(extent) = self.extents.iter().find(|n| **n == 0 || **n > 1 << 32) {
            return refuse(format!("extent {extent}"));
        }
        let mut least = self.extents[0] * size;
        for (stride, extent) in self.strides.iter().zip(&self.extents[1..]) {
            if !stride.is_multiple_of(16) || *stride >= 1 << 40 || *stride < least {
                return refuse(format!("stride of {stride} bytes"));
            }
            least = stride.saturating_mul(*extent);
        }
        if let Some(extent) = self.tile.iter().find(|n| !(1..=256).contains(*n)) {
            return refuse(format!("box extent {extent}"));
        }
        let inner = u64::from(self.tile[0]) * size;
        if !inner.is_multiple_of(16) {
            return refuse(format!("box rows of {inner} bytes, no multiple of 16"));
        }
        match self.swizzle.span() {
            Some(span) if inner > span => refuse(format!("box rows of {inner} bytes, swizzled in {span}")),
            _ => Ok(()),
        }
    }

    /// The map's bytes.
    pub fn encode(&self) -> Result<[u8; BYTES], MapError> {
        self.check()?;
        let swizzle = [Swizzle::None, Swizzle::Bytes32, Swizzle::Bytes64, Swizzle::Bytes128];
        let swizzle = swizzle.iter().position(|s| *s == self.swizzle).unwrap_or(0);
        let mut bytes = MAGIC.to_le_bytes().to_vec();
        bytes.extend([self.data_type as u8, swizzle as u8, self.extents.len() as u8, 0]);
        bytes.extend(self.address.to_le_bytes());
        for i in 0..5 {
            bytes.extend(self.extents.get(i).unwrap_or(&0).to_le_bytes());
        }
        for i in 0..4 {
            bytes.extend(self.strides.get(i).unwrap_or(&0).to_le_bytes());
        }
        for i in 0..5 {
            bytes.extend((*self.tile.get(i).unwrap_or(&0) as u16).to_le_bytes());
        }
        let sum = checksum(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes.resize(BYTES, 0);
        bytes.try_into().or_else(|_| refuse("too long"))
    }

    /// The map of these bytes; bytes that no [`encode`](Self::encode) gave are refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, MapError> {
        let Ok(bytes) = <&[u8; BYTES]>::try_from(bytes) else { return refuse("not 128 bytes") };
        let word = |at: usize, size: usize| {
            bytes[at..at + size].iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte))
        };
        if word(0, 4) != u64::from(MAGIC) || word(98, 4) != u64::from(checksum(&bytes[..98])) {
            return refuse("bytes that cuTensorMapEncodeTiled did not make");
        }
        let rank = usize::from(bytes[6]).min(5);
        let swizzle = match bytes[5] {
            0 => Swizzle::None,
            1 => Swizzle::Bytes32,
            2 => Swizzle::Bytes64,
            _ => Swizzle::Bytes128,
        };
        let map = Self {
            data_type: bytes[4].into(),
            address: word(8, 8),
            extents: (0..rank).map(|i| word(16 + 8 * i, 8)).collect(),
            strides: (1..rank).map(|i| word(56 + 8 * (i - 1), 8)).collect(),
            tile: (0..rank).map(|i| word(88 + 2 * i, 2) as u32).collect(),
            swizzle,
        };
        map.check()?;
        Ok(map)
    }
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> TensorMap {
        TensorMap {
            data_type: 9,
            address: 0x1000,
            extents: vec![77, 131],
            strides: vec![256],
            tile: vec![64, 128],
            swizzle: Swizzle::Bytes128,
        }
    }

    #[test]
    fn a_map_survives_its_bytes_and_other_bytes_are_no_map() {
        let bytes = map().encode().unwrap();
        assert_eq!(TensorMap::decode(&bytes), Ok(map()));
        assert_eq!(map().box_bytes(), 16384);
        let mut other = bytes;
        other[17] ^= 1;
        assert!(TensorMap::decode(&other).is_err() && TensorMap::decode(&[0; 128]).is_err());
    }

    #[test]
    fn what_the_driver_refuses_is_refused() {
        let wrong = [
            (TensorMap { address: 0x1008, ..map() }, "multiple of 16"),
            (TensorMap { strides: vec![152], ..map() }, "stride of 152"),
            (TensorMap { strides: vec![144], ..map() }, "stride of 144"),
            (TensorMap { tile: vec![128, 128], ..map() }, "swizzled in 128"),
            (TensorMap { tile: vec![64, 257], ..map() }, "box extent 257"),
            (TensorMap { tile: vec![4, 8], swizzle: Swizzle::None, ..map() }, "box rows of 8 bytes"),
            (TensorMap { extents: vec![0, 131], ..map() }, "extent 0"),
            (TensorMap { data_type: 13, ..map() }, "data type 13"),
            (TensorMap { extents: vec![77], ..map() }, "rank 1"),
        ];
        for (map, named) in wrong {
            let found = map.encode().unwrap_err().to_string();
            assert!(found.contains(named), "{found}");
        }
    }

    #[test]
    fn swizzles_change_sixteen_byte_chunks_by_the_row_and_are_their_own_inverse() {
        assert_eq!(Swizzle::Bytes128.place(3 * 128 + 16), 3 * 128 + 2 * 16);
        assert_eq!(Swizzle::Bytes128.place(8 * 128 + 16), 8 * 128 + 16);
        assert_eq!(Swizzle::Bytes64.place(0x80), 0x90);
        assert_eq!(Swizzle::Bytes32.place(0x100), 0x100);
        assert_eq!(Swizzle::Bytes32.place(0x180), 0x190);
        for swizzle in [Swizzle::None, Swizzle::Bytes32, Swizzle::Bytes64, Swizzle::Bytes128] {
            assert!((0..4096).all(|a| swizzle.place(swizzle.place(a)) == a));
        }
    }
}
