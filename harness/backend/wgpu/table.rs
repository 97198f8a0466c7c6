//! The table of kernels: which shader, in which formats, with which chains and tiles. Everything else is made of it.

use wgpu::{Features, Limits};

use crate::device::{DeviceKind, Unit};
use crate::precision::{Accumulate, Precision};
use crate::workload::Method;

/// A shader file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shader {
    /// `issue.wgsl`.
    Issue,
    /// `issue_dot.wgsl`.
    IssueDot,
    /// `issue_coop.wgsl`.
    IssueCoop,
    /// `gemm_direct.wgsl`.
    Direct,
    /// `gemm_tiled.wgsl`.
    Tiled,
    /// `gemm_dot.wgsl`.
    Dot,
    /// `gemm_coop.wgsl`.
    Coop,
    /// `copy.wgsl`.
    Copy,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// Name of the implementation.
    pub name: String,
    /// The file.
    pub shader: Shader,
    /// Format of the operands.
    pub precision: Precision,
    /// Format of the sums.
    pub accumulate: Accumulate,
    /// Edge of a cooperative matrix; zero elsewhere.
    pub size: u32,
    /// Greatest subgroup of the adapter; zero where it does not matter.
    pub subgroup: u32,
    /// Independent chains of an issue-rate kernel.
    pub chains: u32,
    /// Multiply-adds of each chain in one trip.
    pub unroll: u32,
    /// Elements of one chain.
    pub width: u32,
    /// Invocations along a row of the tile; all of them for cooperative matrices.
    pub wx: u32,
    /// Invocations along a column of the tile; subgroups for cooperative matrices.
    pub wy: u32,
    /// Rows of one invocation, or matrices of one subgroup.
    pub tm: u32,
    /// Columns of one invocation in fours, or matrices of one subgroup.
    pub tn: u32,
    /// Length of the step along k.
    pub bk: u32,
}

impl Kernel {
    /// Rows of the tile of a workgroup.
    pub const fn bm(&self) -> u32 {
        if self.size > 0 { self.wy * self.tm * self.size } else { self.wy * self.tm }
    }

    /// Columns of the tile of a workgroup.
    pub const fn bn(&self) -> u32 {
        if self.size > 0 { self.tn * self.size } else { self.wx * self.tn * 4 }
    }

    /// Invocations of a workgroup, along x and along y.
    pub const fn workgroup(&self) -> (u32, u32) {
        match self.shader {
            Shader::Issue | Shader::IssueDot => (64, 1),
            Shader::Copy => (256, 1),
            Shader::IssueCoop => (self.subgroup, 1),
            Shader::Coop => (self.wx, 1),
            Shader::Direct | Shader::Tiled | Shader::Dot => (self.wx, self.wy),
        }
    }

    /// Whether a device of these features and limits can run it.
    pub fn fits(&self, features: Features, limits: &Limits) -> bool {
        let (x, y) = self.workgroup();
        features.contains(self.needs())
            && self.workgroup_bytes() <= limits.max_compute_workgroup_storage_size
            && x.saturating_mul(y) <= limits.max_compute_invocations_per_workgroup
            && x <= limits.max_compute_workgroup_size_x
            && y <= limits.max_compute_workgroup_size_y
    }

    /// How it obtains a rate.
    pub const fn method(&self) -> Method {
        match self.shader {
            Shader::Issue | Shader::IssueDot | Shader::IssueCoop => Method::Issue,
            Shader::Copy => Method::Copy,
            Shader::Direct | Shader::Tiled | Shader::Dot | Shader::Coop => Method::Gemm,
        }
    }

    /// Units that perform it.
    pub const fn unit(&self) -> Unit {
        if self.size > 0 { Unit::Matrix } else { Unit::Vector }
    }

    /// Operations of one trip of one invocation, or of one subgroup for cooperative matrices.
    pub fn ops_per_trip(&self) -> u64 {
        let one = match self.shader {
            Shader::IssueDot => 8,
            Shader::IssueCoop => 2 * self.size * self.size * self.size,
            _ => 2 * self.width,
        };
        u64::from(one) * u64::from(self.chains) * u64::from(self.unroll)
    }

    /// Bytes of workgroup memory.
    pub fn workgroup_bytes(&self) -> u32 {
        let element = self.precision.bits() / 8;
        match self.shader {
            Shader::Tiled | Shader::Dot => (self.bm() + self.bn()) * self.bk * element,
            Shader::Coop => 2 * (self.bm() + self.bn()) * self.bk * element,
            _ => 0,
        }
    }

    /// Features that it needs.
    pub fn needs(&self) -> Features {
        let mut needs = match self.precision {
            Precision::Fp16 => Features::SHADER_F16,
            Precision::Fp64 => Features::SHADER_F64,
            _ => Features::empty(),
        };
        if self.size > 0 {
            needs |= Features::EXPERIMENTAL_COOPERATIVE_MATRIX;
        }
        if self.shader == Shader::Coop {
            needs |= Features::SUBGROUP;
        }
        needs
    }

    /// Whether the device has units of the format, as far as it tells: `packed_dot` is what its driver says of packed
    /// products. A driver that computes on the CPU has neither fp16 nor matrices of its own; lavapipe widens fp16 to
    /// fp32 and back and is five times slower in it.
    pub fn is_native(&self, kind: DeviceKind, packed_dot: Option<bool>) -> bool {
        match (self.shader, self.precision) {
            (Shader::IssueDot | Shader::Dot, _) => packed_dot.unwrap_or(true),
            (Shader::Copy, _) => true,
            (_, Precision::Fp16) => kind == DeviceKind::Hardware,
            _ => self.size == 0 || kind == DeviceKind::Hardware,
        }
    }

    /// What no API tells of how a driver computes it. Such rows are of vector units and in formats of which the
    /// catalogue has matrix peaks alone, so that no share of a peak is shown for them.
    pub const fn untold(&self, packed_dot: Option<bool>) -> &'static str {
        match (self.shader, self.precision) {
            (Shader::IssueDot | Shader::Dot, _) => match packed_dot {
                Some(true) => "; the driver says that the packed product is accelerated",
                Some(false) => "; the driver says that the packed product is several instructions",
                None => "; whether the packed product is one instruction or several is not told",
            },
            (_, Precision::Fp16) if self.size == 0 => "; whether fp16 is a unit's own format is not told",
            _ => "",
        }
    }

    /// Geometry in words, for the record.
    pub fn geometry(&self) -> String {
        match self.method() {
            Method::Issue => {
                format!("{} chains of {}, {} steps a trip", self.chains, self.width, self.unroll)
            }
            Method::Gemm => format!(
                "tile {}x{}x{}, {}x{} of {}",
                self.bm(),
                self.bn(),
                self.bk,
                self.tm,
                self.tn,
                if self.size > 0 {
                    format!("{0}x{0}", self.size)
                } else {
                    "four columns an invocation".to_owned()
                }
            ),
            Method::Copy => "16 bytes an invocation".to_owned(),
        }
    }
}

/// A cooperative matrix that an adapter lists: edge, operands, sums.
pub type Cooperative = (u32, Precision, Accumulate);

/// Tiles with workgroup memory: wx, wy, tm, tn, bk. 16x16 invocations are the most that every driver allows.
const TILED: [(u32, u32, u32, u32, u32); 3] = [(8, 8, 8, 2, 16), (16, 16, 8, 2, 16), (16, 8, 4, 1, 32)];
/// Tiles without: wx, wy, tm, tn. In one of 16 rows B is loaded half as often as in one of 8, for sums in twice as many
/// registers: as many as the tiles above have.
const DIRECT: [(u32, u32, u32, u32); 4] = [(16, 1, 8, 1), (16, 1, 16, 1), (8, 8, 4, 1), (8, 4, 4, 2)];

const PLAIN: Kernel = Kernel {
    name: String::new(),
    shader: Shader::Issue,
    precision: Precision::Fp32,
    accumulate: Accumulate::Fp32,
    size: 0,
    subgroup: 0,
    chains: 0,
    unroll: 0,
    width: 0,
    wx: 0,
    wy: 0,
    tm: 0,
    tn: 0,
    bk: 0,
};

/// Every row, for an adapter that lists these cooperative matrices and has subgroups of at most so many invocations.
pub fn kernels(cooperative: &[Cooperative], subgroup: u32) -> Vec<Kernel> {
    use Accumulate as A;
    use Precision as P;
    let mut rows = Vec::new();
    for (precision, accumulate, width) in
        [(P::Fp64, A::Fp64, 1), (P::Fp32, A::Fp32, 4), (P::Fp16, A::Fp16, 2)]
    {
        let name = "issue".to_owned();
        rows.push(Kernel { name, precision, accumulate, width, chains: 8, unroll: 8, ..PLAIN });
    }
    let name = "issue-dot4".to_owned();
    let (precision, accumulate) = (P::Int8, A::Int32);
    rows.push(Kernel {
        name,
        shader: Shader::IssueDot,
        precision,
        accumulate,
        width: 1,
        chains: 8,
        unroll: 8,
        ..PLAIN
    });
    for (precision, accumulate) in
        [(P::Fp64, A::Fp64), (P::Fp32, A::Fp32), (P::Fp16, A::Fp32), (P::Fp16, A::Fp16)]
    {
        rows.extend(products(precision, accumulate));
    }
    for (wx, wy, tm, tn, bk) in TILED {
        let row = Kernel {
            shader: Shader::Dot,
            precision: P::Int8,
            accumulate: A::Int32,
            wx,
            wy,
            tm,
            tn,
            bk,
            ..PLAIN
        };
        rows.push(Kernel { name: format!("dot4-{}x{}x{bk}-{tm}x{}", row.bm(), row.bn(), tn * 4), ..row });
    }
    for (size, precision, accumulate) in cooperative.iter().copied() {
        rows.extend(cooperative_rows((size, precision, accumulate), subgroup));
    }
    let copy = Kernel {
        name: "copy".to_owned(),
        shader: Shader::Copy,
        precision: P::Int8,
        accumulate: A::Int32,
        ..PLAIN
    };
    rows.push(copy);
    rows
}

fn suffix(precision: Precision, accumulate: Accumulate) -> &'static str {
    if (precision, accumulate) == (Precision::Fp16, Accumulate::Fp16) { "-fp16" } else { "" }
}

fn products(precision: Precision, accumulate: Accumulate) -> Vec<Kernel> {
    let end = suffix(precision, accumulate);
    let mut rows = Vec::new();
    for (wx, wy, tm, tn) in DIRECT {
        let row = Kernel { shader: Shader::Direct, precision, accumulate, wx, wy, tm, tn, bk: 4, ..PLAIN };
        rows.push(Kernel { name: format!("direct-{}x{}-{tm}x{}{end}", row.bm(), row.bn(), tn * 4), ..row });
    }
    for (wx, wy, tm, tn, bk) in TILED {
        let row = Kernel { shader: Shader::Tiled, precision, accumulate, wx, wy, tm, tn, bk, ..PLAIN };
        rows.push(Kernel {
            name: format!("tiled-{}x{}x{bk}-{tm}x{}{end}", row.bm(), row.bn(), tn * 4),
            ..row
        });
    }
    rows
}

fn cooperative_rows((size, precision, accumulate): Cooperative, subgroup: u32) -> Vec<Kernel> {
    let end = suffix(precision, accumulate);
    let plain = Kernel { size, subgroup, precision, accumulate, ..PLAIN };
    let mut rows = vec![Kernel {
        name: format!("issue-coop{size}{end}"),
        shader: Shader::IssueCoop,
        chains: 4,
        unroll: 4,
        width: size * size,
        ..plain.clone()
    }];
    for (wy, tm, tn) in [(1, 2, 4), (4, 2, 4)] {
        let row =
            Kernel { shader: Shader::Coop, wx: subgroup * wy, wy, tm, tn, bk: 2 * size, ..plain.clone() };
        rows.push(Kernel { name: format!("coop{size}-{}x{}x{}{end}", row.bm(), row.bn(), row.bk), ..row });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_row() -> Vec<Kernel> {
        let formats = [(Precision::Fp16, Accumulate::Fp32), (Precision::Fp32, Accumulate::Fp32)];
        let of = |size| formats.map(|(precision, accumulate)| (size, precision, accumulate));
        kernels(&[of(8), of(16)].concat(), 64)
    }

    #[test]
    fn no_row_asks_for_more_than_every_driver_gives() {
        let mut limits = Limits::defaults();
        for row in every_row() {
            // Devices with matrix units have more workgroup memory than others.
            limits.max_compute_workgroup_storage_size = if row.size > 0 { 48 << 10 } else { 32 << 10 };
            assert!(row.fits(Features::all(), &limits), "{}: {:?}", row.name, row.workgroup());
            assert!(!row.fits(Features::empty(), &limits) || row.needs().is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn a_row_is_left_out_by_each_limit_that_it_passes() {
        let rows = every_row();
        let of = |start: &str| rows.iter().find(|row| row.name.starts_with(start)).unwrap();
        let cut = |change: fn(&mut Limits)| {
            let mut limits = Limits::defaults();
            limits.max_compute_workgroup_storage_size = 32 << 10;
            change(&mut limits);
            limits
        };
        for (name, limits) in [
            ("tiled-128", cut(|limits| limits.max_compute_workgroup_storage_size = 16 << 10)),
            ("tiled-128", cut(|limits| limits.max_compute_invocations_per_workgroup = 255)),
            ("direct-8x64", cut(|limits| limits.max_compute_workgroup_size_x = 15)),
            ("direct-32x32", cut(|limits| limits.max_compute_workgroup_size_y = 7)),
            ("coop8-64", cut(|limits| limits.max_compute_invocations_per_workgroup = 255)),
            ("issue-coop8", cut(|limits| limits.max_compute_workgroup_size_x = 63)),
        ] {
            assert!(!of(name).fits(Features::all(), &limits), "{name}");
        }
    }

    #[test]
    fn what_a_device_emulates_is_not_native() {
        let rows =
            kernels(&[(8, Precision::Fp16, Accumulate::Fp32), (8, Precision::Fp32, Accumulate::Fp32)], 32);
        let native = |kind, dot| -> Vec<bool> { rows.iter().map(|row| row.is_native(kind, dot)).collect() };
        assert!(
            native(DeviceKind::Hardware, None).iter().all(|native| *native),
            "what is not told is not denied"
        );
        for (row, native) in rows.iter().zip(native(DeviceKind::Software, Some(false))) {
            let own = matches!(row.precision, Precision::Fp32 | Precision::Fp64) && row.size == 0;
            assert_eq!(native, own || row.shader == Shader::Copy, "{}", row.name);
        }
    }
}
