//! Tensor memory: PTX ISA 9.7.16 (tcgen05).

use super::Reading;
use crate::operation::{Kind, Tensor};
use crate::syntax::Result;

/// The decoded instruction.
pub(super) fn tensor(r: &mut Reading<'_>) -> Result<Tensor> {
    let names = [
        "alloc",
        "relinquish_alloc_permit",
        "dealloc",
        "mma",
        "commit",
        "ld",
        "st",
        "wait::ld",
        "wait::st",
        "fence::before_thread_sync",
        "fence::after_thread_sync",
    ];
    let Some(name) = names.into_iter().find(|name| r.take(name)) else {
        return r.fail("unknown operation of tcgen05");
    };
    if matches!(name, "alloc" | "relinquish_alloc_permit" | "dealloc" | "mma" | "commit")
        && !r.take("cta_group::1")
    {
        return r.fail("cta_group::1 expected");
    }
    if name.starts_with("fence") {
        return r.done(0).map(|()| Tensor::Fence);
    }
    if !(matches!(name, "mma" | "commit") || r.take("sync") && r.take("aligned")) {
        return r.fail("sync.aligned expected");
    }
    match name {
        "alloc" => {
            if !r.shared() || !r.take("b32") {
                return r.fail("shared memory and b32 expected");
            }
            r.done(2)?;
            Ok(Tensor::Allocate { a: r.place(0)?, columns: r.source(1)? })
        }
        "relinquish_alloc_permit" => r.done(0).map(|()| Tensor::Relinquish),
        "dealloc" => {
            if !r.take("b32") {
                return r.fail("b32 expected");
            }
            r.done(2)?;
            Ok(Tensor::Free { address: r.source(0)?, columns: r.source(1)? })
        }
        "mma" => multiply(r),
        "commit" => {
            if !r.take("mbarrier::arrive::one")
                || !r.take_any(&["shared::cluster", "shared::cta"])
                || !r.take("b64")
            {
                return r.fail("an arrival on an mbarrier expected");
            }
            r.done(1)?;
            Ok(Tensor::Commit { barrier: r.place(0)? })
        }
        "wait::ld" => r.done(0).map(|()| Tensor::WaitLoad),
        "wait::st" => r.done(0).map(|()| Tensor::WaitStore),
        _ => transfer(name, r),
    }
}

fn transfer(name: &str, r: &mut Reading<'_>) -> Result<Tensor> {
    let count = [1, 2, 4, 8, 16, 32, 64, 128].into_iter();
    if !r.take("32x32b") {
        return r.fail("32x32b expected");
    }
    let Some(count) = count.into_iter().find(|count| r.take(&format!("x{count}"))) else {
        return r.fail("a number of columns expected");
    };
    if !r.take("b32") {
        return r.fail("b32 expected");
    }
    r.done(2)?;
    if name == "ld" {
        let d: Vec<u32> = r.registers(0)?.into_iter().flatten().collect();
        if d.len() != count {
            return r.fail("another number of registers");
        }
        return Ok(Tensor::Load { d, a: r.place(1)? });
    }
    let values = r.sources(1)?;
    if values.len() != count {
        return r.fail("another number of registers");
    }
    Ok(Tensor::Store { a: r.place(0)?, values })
}

fn multiply(r: &mut Reading<'_>) -> Result<Tensor> {
    let names = ["kind::f16", "kind::tf32", "kind::f8f6f4", "kind::i8", "kind::mxf4nvf4", "kind::mxf4"];
    let kind = match names.into_iter().find(|name| r.take(name)) {
        Some("kind::f16") => Kind::F16,
        Some("kind::tf32") => Kind::Tf32,
        Some("kind::f8f6f4") => Kind::F8f6f4,
        Some("kind::i8") => Kind::I8,
        Some(name) => {
            let given = r.take("block_scale").then(|| {
                let names = [("scale_vec::2X", 2), ("scale_vec::4X", 4)];
                names.into_iter().find(|(name, _)| r.take(name)).map(|x| x.1)
            });
            match (name, given) {
                ("kind::mxf4", Some(None | Some(2))) => Kind::Mxf4(2),
                ("kind::mxf4nvf4", Some(Some(count))) => Kind::Mxf4(count),
                _ => return r.fail("unknown combination of kind and scale_vec"),
            }
        }
        None => return r.fail("unknown kind"),
    };
    let scaled = matches!(kind, Kind::Mxf4(_));
    r.done(if scaled { 7 } else { 5 })?;
    Ok(Tensor::Multiply {
        kind,
        d: r.place(0)?,
        operands: [r.source(1)?, r.source(2)?],
        shape: r.source(3)?,
        scales: if scaled { Some([r.place(4)?, r.place(5)?]) } else { None },
        adds: r.source(if scaled { 6 } else { 4 })?,
    })
}
