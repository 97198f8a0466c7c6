//! Tensor maps: what the tensor memory accelerator is told of a matrix.
//!
//! **Source**: cuda.h of CUDA 13.5, `cuTensorMapEncodeTiled()`, read for the fields and their limits.

use std::ffi::c_void;

use cudarc::driver::sys::{
    CUtensorMap, CUtensorMapDataType_enum as Kind, CUtensorMapFloatOOBfill_enum as Fill,
    CUtensorMapInterleave_enum as Interleave, CUtensorMapL2promotion_enum as Promotion,
    CUtensorMapSwizzle_enum as Swizzle, cuTensorMapEncodeTiled,
};
use cudarc::driver::{DeviceRepr, DriverError};

use super::rows::{Element, TensorBox};

/// A map as a kernel takes it, by value.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct TensorMap(CUtensorMap);

#[expect(unsafe_code, reason = "an argument of a kernel")]
// SAFETY: plain bytes that the driver wrote, of the size and alignment that the kernel declares at least.
unsafe impl DeviceRepr for TensorMap {}

/// The fields of a two-dimensional map, the contiguous dimension first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields {
    kind: Kind,
    /// Extents of the matrix, in elements.
    extents: [u64; 2],
    /// Distance of two rows, in bytes.
    stride: [u64; 1],
    /// Extents of what one copy brings, in elements.
    window: [u32; 2],
    /// Distance of the elements that are brought, in elements.
    steps: [u32; 2],
    swizzle: Swizzle,
}

impl Fields {
    /// The fields for a matrix whose windows are 128 bytes wide, and swizzled so.
    ///
    /// Errors: which limit of the hardware it does not keep.
    pub fn of(map: &TensorBox) -> Result<Self, String> {
        let kind = match map.element {
            Element::Bf16 => Kind::CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
            Element::F16 => Kind::CU_TENSOR_MAP_DATA_TYPE_FLOAT16,
            Element::F32 => Kind::CU_TENSOR_MAP_DATA_TYPE_FLOAT32,
            Element::I8 | Element::Byte => Kind::CU_TENSOR_MAP_DATA_TYPE_UINT8,
            other => return Err(format!("no tensor map of {other:?}")),
        };
        let broken = |what: &str| Err(format!("a tensor map of {map:?}: {what}"));
        let size = u64::from(map.element.bytes());
        if u64::from(map.box_columns) * size != 128 {
            return broken("a window is not the 128 bytes wide that are swizzled");
        }
        if map.box_rows == 0 || map.box_rows > 256 {
            return broken("a window has more than 256 rows, or none");
        }
        if map.rows == 0 || map.columns == 0 || map.rows.max(map.columns) > 1 << 31 {
            return broken("an extent is past 2^31, or zero");
        }
        if !map.row_bytes.is_multiple_of(16) || map.row_bytes >= 1 << 40 || map.row_bytes < map.columns * size
        {
            return broken("the distance of rows is no multiple of 16 bytes, past 2^40, or less than a row");
        }
        Ok(Self {
            kind,
            extents: [map.columns, map.rows],
            stride: [map.row_bytes],
            window: [map.box_columns, map.box_rows],
            steps: [1, 1],
            swizzle: Swizzle::CU_TENSOR_MAP_SWIZZLE_128B,
        })
    }

    /// The map for the matrix at a device address. The driver must have the function.
    #[expect(unsafe_code, reason = "calls the driver")]
    pub fn encode(&self, address: u64) -> Result<TensorMap, DriverError> {
        let mut map = CUtensorMap { opaque: [0; 16] };
        // SAFETY: the arrays have two places, or one, as a map of rank 2 takes; the address is only stored.
        let code = unsafe {
            cuTensorMapEncodeTiled(
                &raw mut map,
                self.kind,
                2,
                address as *mut c_void,
                self.extents.as_ptr(),
                self.stride.as_ptr(),
                self.window.as_ptr(),
                self.steps.as_ptr(),
                Interleave::CU_TENSOR_MAP_INTERLEAVE_NONE,
                self.swizzle,
                Promotion::CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                // Zeros, not NaN: what lies beyond the matrix is multiplied too.
                Fill::CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE,
            )
        };
        code.result().map(|()| TensorMap(map))
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::{Form, GemmEngine, ROWS};
    use super::*;
    use crate::workload::{GemmShape, Layout};

    /// Maps of A and B of the row of this name.
    fn maps(name: &str, layout: Layout) -> [Fields; 2] {
        let row = ROWS.iter().find(|row| row.name == name).unwrap();
        let Form::Gemm(gemm) = row.form else { unreachable!() };
        assert_eq!(gemm.engine, GemmEngine::Wgmma);
        gemm.maps(GemmShape::new(67, 91, 83).unwrap(), layout).map(|map| Fields::of(&map).unwrap())
    }

    #[test]
    fn the_maps_of_a_ragged_product_worked_by_hand() {
        let expected = |extents, stride, rows| Fields {
            kind: Kind::CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
            extents,
            stride: [stride],
            window: [64, rows],
            steps: [1, 1],
            swizzle: Swizzle::CU_TENSOR_MAP_SWIZZLE_128B,
        };
        // A [67, 83] in rows of 128 elements; tiles of 128 rows by 64 of K.
        let [a, b] = maps("flopgauge-wgmma-bf16", Layout::Nn);
        assert_eq!(a, expected([83, 67], 256, 128));
        // B [83, 91]: 64 of K by 64 columns, four times a tile.
        assert_eq!(b, expected([91, 83], 256, 64));
        // A stored [83, 67]: 64 of K by 64 rows of C, twice a tile; rows of 67 elements are rounded up to 128.
        let [a, same] = maps("flopgauge-wgmma-bf16", Layout::Tn);
        assert_eq!(a, expected([67, 83], 256, 64));
        assert_eq!(same, b);
        assert_eq!(maps("flopgauge-wgmma-fp16", Layout::Nn)[0].kind, Kind::CU_TENSOR_MAP_DATA_TYPE_FLOAT16);
    }

    #[test]
    fn windows_of_a_stage_fill_the_bytes_that_the_barrier_waits_for() {
        for row in &ROWS {
            let Form::Gemm(gemm) = row.form else { continue };
            if gemm.engine != GemmEngine::Wgmma {
                continue;
            }
            let [m, n, k] = gemm.block.map(u64::from);
            for layout in [Layout::Nn, Layout::Tn] {
                let [a, b] = maps(row.name, layout);
                let bytes =
                    |fields: Fields| u64::from(fields.window[0] * fields.window[1] * gemm.operand.bytes());
                let windows_of_a = if layout == Layout::Nn { 1 } else { m / 64 };
                let all = windows_of_a * bytes(a) + n / 64 * bytes(b);
                assert_eq!(all, (m + n) * k * u64::from(gemm.operand.bytes()), "{} {layout:?}", row.name);
            }
        }
    }

    #[test]
    fn what_the_hardware_cannot_is_refused_before_the_driver_is_asked() {
        let right = TensorBox {
            element: Element::Bf16,
            columns: 100,
            rows: 10,
            row_bytes: 256,
            box_columns: 64,
            box_rows: 64,
        };
        assert!(Fields::of(&right).is_ok());
        let wrong = [
            (TensorBox { box_columns: 32, ..right }, "128 bytes wide"),
            (TensorBox { box_columns: 128, ..right }, "128 bytes wide"),
            (TensorBox { box_rows: 257, ..right }, "256 rows"),
            (TensorBox { box_rows: 0, ..right }, "256 rows"),
            (TensorBox { row_bytes: 200, ..right }, "multiple of 16"),
            (TensorBox { row_bytes: 192, ..right }, "less than a row"),
            (TensorBox { row_bytes: 1 << 40, ..right }, "2^40"),
            (TensorBox { rows: 0, ..right }, "zero"),
            (TensorBox { rows: (1 << 31) + 1, ..right }, "2^31"),
            (TensorBox { element: Element::Nibble, ..right }, "Nibble"),
        ];
        for (map, reason) in wrong {
            let said = Fields::of(&map).unwrap_err();
            assert!(said.contains(reason), "{said}");
        }
    }
}
