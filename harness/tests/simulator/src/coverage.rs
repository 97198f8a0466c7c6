//! The instructions that are covered: the one list from which README.md's table is made, and outside which `lower`
//! refuses an opcode.

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Covered {
    /// Opcodes.
    pub opcodes: &'static [&'static str],
    /// Types, modifiers and forms.
    pub forms: &'static str,
    /// Section of the PTX ISA.
    pub section: &'static str,
    /// Whether the number was read in a published copy of the specification, or is from memory.
    pub read: bool,
    /// Instructions that must be understood.
    pub examples: &'static [&'static str],
}

const fn row(
    opcodes: &'static [&'static str],
    forms: &'static str,
    (section, read): (&'static str, bool),
    examples: &'static [&'static str],
) -> Covered {
    Covered { opcodes, forms, section, read, examples }
}

/// Every row. A number was read in pages of PTX ISA 9.1 as others copied them, or it is from memory.
pub const COVERED: &[Covered] = &[
    row(
        &["add", "sub", "mul", "mad", "div", "rem", "abs", "neg", "min", "max", "popc", "clz", "bfe", "bfi"],
        "integers of 16 to 64 bits; `.lo` `.hi` `.wide`; no carry, no `.sat`; `bfi` of a constant length",
        ("9.7.1", true),
        &["mad.wide.s32 %d1, %r1, %r2, %d2;", "mul.hi.u64 %d1, %d2, %d3;", "bfi.b32 %r1, %r2, %r3, %r4, 5;"],
    ),
    row(
        &["add", "sub", "mul", "fma", "mad", "div", "abs", "neg", "min", "max", "rcp", "sqrt"],
        "f32 and f32x2 (`.rn` `.rz` `.rm` `.rp`, `.ftz`, `.sat`; `div` `rcp` `sqrt` `.rn`), f64 (`.rn`); `.approx` and `.full` as if rounded",
        ("9.7.3", true),
        &[
            "fma.rm.ftz.sat.f32 %f1, %f2, %f3, %f4;",
            "add.rn.f32x2 %d1, %d2, %d3;",
            "div.full.f32 %f1, %f2, %f3;",
        ],
    ),
    row(
        &["add", "sub", "mul", "fma", "abs", "neg", "min", "max"],
        "f16, f16x2, bf16, bf16x2 (`.rn`, `.ftz`, `.relu`, `.NaN`)",
        ("9.7.4", true),
        &["fma.rn.relu.f16x2 %r1, %r2, %r3, %r4;", "min.NaN.bf16x2 %r1, %r2, %r3;"],
    ),
    row(
        &["setp", "selp"],
        "ordered and unordered comparisons, `.and` `.or` `.xor`; no `.ftz`",
        ("9.7.6", true),
        &["setp.ltu.or.f32 %p1|%p2, %f1, %f2, !%p3;", "selp.b64 %d1, %d2, %d3, %p1;"],
    ),
    row(
        &["and", "or", "xor", "not", "shl", "shr", "lop3", "shf"],
        "`shf.l` and `.r`, `.wrap`",
        ("9.7.8", true),
        &[
            "lop3.b32 %r1, %r2, %r3, %r4, 0x96;",
            "shf.l.wrap.b32 %r1, %r2, %r3, 5;",
            "xor.pred %p1, %p2, %p3;",
        ],
    ),
    row(
        &["mov", "prmt", "cvta", "ld", "st"],
        "packing of vectors; the default mode of `prmt`; global, shared, parameters, generic; `.v2` `.v4`; hints unread",
        ("9.7.9", true),
        &[
            "ld.global.nc.v4.b32 {%r1,%r2,%r3,%r4}, [%d1+16];",
            "st.shared::cta.u8 [%r1], %h1;",
            "cvta.to.shared.u64 %d1, %d2;",
        ],
    ),
    row(
        &["cvt"],
        "integers, f16, bf16, f32, f64, tf32; pairs to f16x2, bf16x2 and, `.satfinite`, e4m3x2, e5m2x2",
        ("9.7.9", true),
        &[
            "cvt.rni.sat.s8.f32 %h1, %f1;",
            "cvt.rn.satfinite.e5m2x2.f32 %h1, %f1, %f2;",
            "cvt.rna.tf32.f32 %r1, %f1;",
        ],
    ),
    row(
        &["cp"],
        "`.async` `.ca` `.cg` with groups of each thread; `.async.bulk.tensor.2d` to shared memory, tiled, every swizzle, \
         completing on an mbarrier",
        ("9.7.9", true),
        &[
            "cp.async.ca.shared.global.L2::128B [%r1], [%d1], 8, %r2;",
            "cp.async.wait_all;",
            "cp.async.bulk.tensor.2d.shared::cta.global.tile.mbarrier::complete_tx::bytes [%r1], [%d1, {%r2, %r3}], [%r4];",
        ],
    ),
    row(&["bra", "ret", "exit"], "`.uni`", ("9.7.12", true), &["bra.uni L; L: ret.uni;"]),
    row(
        &["bar", "barrier"],
        "`.sync`, `.arrive`, sixteen of them, counts; `.warp.sync`",
        ("9.7.13", true),
        &["barrier.cta.arrive.aligned 1, 64;", "bar.warp.sync 0xff;"],
    ),
    row(
        &["membar", "fence"],
        "without effect, but `.proxy.async` and `.mbarrier_init`, which asynchronous work needs",
        ("9.7.13", true),
        &["fence.proxy.async.shared::cta;", "fence.mbarrier_init.release.cluster;", "fence.acq_rel.gpu;"],
    ),
    row(
        &["atom", "red"],
        "`.add` `.min` `.max` `.and` `.or` `.xor` on 32 and 64 bits, `.add` on f32 and f64",
        ("9.7.13", true),
        &["red.relaxed.gpu.global.add.f32 [%d1], %f1;", "atom.shared.max.s32 %r1, [%r2], %r3;"],
    ),
    row(
        &["shfl"],
        "`.sync`; every mode",
        ("9.7.9.6", true),
        &["shfl.sync.bfly.b32 %r1|%p1, %r2, 1, 31, -1;"],
    ),
    row(&["elect"], "`.sync`; takes the lowest lane", ("9.7.13.14", true), &["elect.sync _|%p1, -1;"]),
    row(
        &["mbarrier"],
        "`init` `inval` `arrive` `arrive.expect_tx` `expect_tx` `complete_tx` `test_wait` `try_wait`, `.parity`; shared memory by name",
        ("9.7.13.15", true),
        &[
            "mbarrier.arrive.release.cta.shared::cta.b64 %d1, [%r1], 2;",
            "mbarrier.try_wait.parity.acquire.cta.shared::cta.b64 %p1, [%r1], %r2, %r3;",
        ],
    ),
    row(
        &["mma"],
        "`.sync`, row by column, dense: f64, f16, bf16, tf32, e4m3, e5m2, s8, u8, s4, u4; `kind::f8f6f4`",
        ("9.7.14", true),
        &[
            "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f1,%f2,%f3,%f4},{%r1,%r2,%r3,%r4},{%r5,%r6},{%f1,%f2,%f3,%f4};",
        ],
    ),
    row(
        &["mma"],
        "`.block_scale` of `kind::mxf8f6f4`, `mxf4`, `mxf4nvf4`; which threads give the scales is from memory",
        ("9.7.14.3", true),
        &[
            "mma.sync.aligned.kind::mxf4.block_scale.m16n8k64.row.col.f32.e2m1.e2m1.f32.ue8m0 {%f1,%f2,%f3,%f4},{%r1,%r2,%r3,%r4},{%r5,%r6},{%f1,%f2,%f3,%f4},{%r7},{2,1},{%r8},{0,3};",
        ],
    ),
    row(
        &["ldmatrix"],
        "`.m8n8` of 16 bits, `.x1` `.x2` `.x4`, `.trans`",
        ("9.7.14", true),
        &["ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%r1,%r2}, [%r3];"],
    ),
    row(
        &["wgmma"],
        "`mma_async` of f16, bf16, tf32, e4m3, e5m2, s8, u8 with both operands in shared memory, every swizzle; `fence` \
         `commit_group` `wait_group`; layouts without a swizzle and across K are from memory",
        ("9.7.15", true),
        &[
            "wgmma.mma_async.sync.aligned.m64n8k32.f32.e5m2.e4m3 {%f1,%f2,%f3,%f4}, %d1, %d2, %p1, -1, 1;",
            "wgmma.wait_group.sync.aligned 3;",
        ],
    ),
    row(
        &["tcgen05"],
        "one CTA: `alloc` `dealloc` `relinquish_alloc_permit`, `ld` and `st` of `.32x32b`, `wait` `fence` `commit`; `mma` of \
         128 rows, dense, both operands in shared memory along K: `kind::f16` `tf32` `f8f6f4` `i8` `mxf4` `mxf4nvf4`; \
         places of scales and the descriptor of `mxf4` are from memory",
        ("9.7.16", true),
        &[
            "tcgen05.mma.cta_group::1.kind::mxf4.block_scale [%r1], %d1, %d2, %r2, [%r3], [%r4], %p1;",
            "tcgen05.ld.sync.aligned.32x32b.x2.b32 {%r1, %r2}, [%r3];",
        ],
    ),
    row(
        &["trap", "setmaxnreg"],
        "a multiprocessor's registers are not exceeded",
        ("9.7.19", true),
        &["trap;", "setmaxnreg.inc.sync.aligned.u32 232;"],
    ),
];

/// Whether a row names the opcode.
pub fn covers(opcode: &str) -> bool {
    COVERED.iter().any(|row| row.opcodes.contains(&opcode))
}

/// The table in Markdown.
pub fn table() -> String {
    let mut table = String::from("| PTX | Covered | PTX ISA | Number |\n| --- | --- | --- | --- |\n");
    for row in COVERED {
        let names: Vec<String> = row.opcodes.iter().map(|name| format!("`{name}`")).collect();
        let read = if row.read { "read" } else { "from memory" };
        table += &format!("| {} | {} | {} | {read} |\n", names.join(" "), row.forms, row.section);
    }
    table
}
