//! The loop that all vector kernels share, as a macro; the kernels are in `float.rs`, `half_float.rs`, `int8.rs`, `neon.rs`.
//!
//! One step is volatile inline assembly on registers that the compiler assigns: no optimisation level may hoist
//! a step out of the loop, merge two, or replace the loop by a product. Intrinsics do not promise that: an
//! integer dot product of loop constants is a sum that a compiler may one day fold.

/// Defines a module with one kernel family and its table row `ROW`.
///
/// `step` works on `{a}` (accumulator), the named constants and the scratch registers. The count of operations
/// comes from `lanes` (checked against the vector's size here) and `macs_per_lane`, and from nothing else.
///
/// The `clocked` bodies carry a chain of dependent adds besides, which tells the clock under this very load.
macro_rules! register_kernel {
    (
        $(#[$doc:meta])*
        $module:ident {
            name: $name:literal, precision: $precision:ident, accumulate: $accumulate:ident,
            isa: $isa:ident, native: $native:literal, features: $features:literal,
            vector: $vector:ty as $class:ident,
            elements: $element:ty as $elements:ident, lanes: $lanes:literal, macs_per_lane: $macs:literal,
            starts: $starts:ident, chains: $chains:literal of $most:ident,
            constants: { $($constant:ident: $type:ty = $value:expr),+ $(,)? },
            scratch: [$($scratch:ident),*],
            step: [$($line:literal),+ $(,)?] $(,)?
        }
    ) => {
        $(#[$doc])*
        pub(super) mod $module {
            use crate::backend::cpu::issue::accumulators::{Element, Starts};
            use crate::backend::cpu::issue::operands::*;
            use crate::backend::cpu::issue::register_kernel::register_kernel;
            use crate::backend::cpu::issue::row::IssueKernel;
            use crate::backend::cpu::isa::Isa;
            use crate::precision::{Accumulate, Precision};
            use std::{arch::asm, hint::black_box, mem, ptr};

            type Vector = $vector;
            const LANES: usize = $lanes;
            const _: () = assert!(mem::size_of::<Vector>() == LANES * mem::size_of::<$element>());

            #[doc = concat!("Table row of `", $name, "`.")]
            pub(in crate::backend::cpu::issue) const ROW: IssueKernel = IssueKernel {
                name: $name,
                precision: Precision::$precision,
                accumulate: Accumulate::$accumulate,
                isa: Isa::$isa,
                lanes: LANES,
                macs_per_lane: $macs,
                chains: $chains,
                native: $native,
                starts: Starts::$starts,
                element: Element::$elements,
                plain: register_kernel!(@plain $most),
                clocked: register_kernel!(@clocked $chains; 8 10 14 18 27 36 54 72 108 144),
            };

            #[target_feature(enable = $features)]
            #[expect(unsafe_code, reason = "inline assembly on vector registers")]
            unsafe fn run<const N: usize, const LINKS: usize>(iterations: u64, accumulators: *mut u8) {
                let mut link = 1_u64;
                let vectors = accumulators.cast::<Vector>();
                // SAFETY: the caller passes N vectors of elements, so each lies in bounds; the constants have the
                // vector's size (`transmute` checks); the step and the links touch registers only.
                unsafe {
                    $(let $constant = mem::transmute::<$type, Vector>(black_box($value));)+
                    let mut registers: [Vector; N] = [mem::zeroed(); N];
                    for (chain, a) in registers.iter_mut().enumerate() {
                        *a = ptr::read_unaligned(vectors.add(chain));
                    }
                    for _ in 0..iterations {
                        for a in &mut registers {
                            asm!(
                                $($line,)+
                                a = inout($class) *a,
                                $($constant = in($class) $constant,)+
                                $($scratch = out($class) _,)*
                                options(nomem, nostack, preserves_flags)
                            );
                        }
                        if LINKS > 0 {
                            link = $crate::backend::cpu::clock::links::<LINKS>(link);
                        }
                    }
                    black_box(link);
                    for (chain, a) in registers.iter().enumerate() {
                        ptr::write_unaligned(vectors.add(chain), *a);
                    }
                }
            }
        }
    };
    (@plain up_to_16) => {
        register_kernel!(@plain 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    };
    (@plain up_to_30) => {
        register_kernel!(@plain 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30)
    };
    (@plain $($n:literal)+) => {
        &[$(run::<$n, 0>),+]
    };
    (@clocked $chains:literal; $($links:literal)+) => {
        &[$(($links, run::<$chains, $links>)),+]
    };
}

pub(super) use register_kernel;
