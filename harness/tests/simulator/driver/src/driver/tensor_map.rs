//! Tensor maps, in the simulator's own bytes: NVIDIA does not publish those of its driver.

use std::ffi::{c_int, c_uint};

use cudarc::driver::sys::{
    CUresult, CUtensorMapInterleave_enum as Interleave, CUtensorMapSwizzle_enum as Code,
};
use flopgauge_simulator::tensor_map::{BYTES, Swizzle, TensorMap};

use super::{NULL, export};
use crate::pointer::{In, Out};

export! {
    cuTensorMapEncodeTiled(
        to: Out<[u8; BYTES]>, data_type: c_uint, rank: c_uint, address: u64, extents: In<u64>, strides: In<u64>,
        tile: In<u32>, steps: In<u32>, interleave: c_int, swizzle: c_int, _promotion: c_int, fill: c_int
    ) |_| {
        let rank = rank as usize;
        let unsupported = Err(CUresult::CUDA_ERROR_NOT_SUPPORTED);
        if !(1..=5).contains(&rank) {
            return Err(NULL);
        }
        let swizzles = [
            (Code::CU_TENSOR_MAP_SWIZZLE_NONE, Swizzle::None),
            (Code::CU_TENSOR_MAP_SWIZZLE_32B, Swizzle::Bytes32),
            (Code::CU_TENSOR_MAP_SWIZZLE_64B, Swizzle::Bytes64),
            (Code::CU_TENSOR_MAP_SWIZZLE_128B, Swizzle::Bytes128),
        ];
        let Some((_, swizzle)) = swizzles.into_iter().find(|(code, _)| *code as c_int == swizzle) else {
            return unsupported;
        };
        let plain = interleave == Interleave::CU_TENSOR_MAP_INTERLEAVE_NONE as c_int && fill == 0;
        if !plain || steps.all(rank).ok_or(NULL)?.iter().any(|step| *step != 1) {
            return unsupported;
        }
        let map = TensorMap {
            data_type,
            address,
            extents: extents.all(rank).ok_or(NULL)?,
            strides: strides.all(rank - 1).ok_or(NULL)?,
            tile: tile.all(rank).ok_or(NULL)?,
            swizzle,
        };
        let bytes = map.encode().map_err(|error| {
            crate::say(&error.to_string());
            CUresult::CUDA_ERROR_INVALID_VALUE
        })?;
        to.put(bytes).ok_or(NULL)
    }
}
