//! Copies of memory: one pass over a slice, by loads and stores that nothing may turn into something else.

/// A way of copying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyKernel {
    /// Stores that go through the caches: each line of the destination is read before it is written over.
    #[cfg(target_arch = "x86_64")]
    Ordinary,
    /// Non-temporal stores, which write whole lines past the caches.
    #[cfg(target_arch = "x86_64")]
    Streaming,
    /// What the platform's C library does for a copy of this size.
    Library,
}

/// Every way on this machine.
pub const fn copies() -> &'static [CopyKernel] {
    #[cfg(target_arch = "x86_64")]
    return &[CopyKernel::Streaming, CopyKernel::Ordinary, CopyKernel::Library];
    #[cfg(not(target_arch = "x86_64"))]
    return &[CopyKernel::Library];
}

impl CopyKernel {
    /// Name of its row.
    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Ordinary => "copy-ordinary",
            #[cfg(target_arch = "x86_64")]
            Self::Streaming => "copy-streaming",
            Self::Library => "copy-memcpy",
        }
    }

    /// What a reader needs to repeat it.
    pub const fn detail(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Ordinary => "movaps stores of 16 bytes; the reads that they cause are not counted",
            #[cfg(target_arch = "x86_64")]
            Self::Streaming => "movntps non-temporal stores of 16 bytes",
            Self::Library => "memcpy of the C library",
        }
    }

    /// Copies `source` over `destination`, which are of one length, a multiple of [`LINE`].
    pub fn run(self, source: &[Line], destination: &mut [Line]) {
        let lines = source.len().min(destination.len());
        let (source, destination) = (&source[..lines], &mut destination[..lines]);
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Ordinary => x86::ordinary(source, destination),
            #[cfg(target_arch = "x86_64")]
            Self::Streaming => x86::streaming(source, destination),
            Self::Library => destination.copy_from_slice(source),
        }
        // The next pass writes the same bytes; without this one of the two could be left out.
        std::hint::black_box(destination);
    }
}

/// A cache line, the unit of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Line(pub [u8; 64]);

impl Default for Line {
    fn default() -> Self {
        Self([0; 64])
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Line;
    use std::arch::asm;

    macro_rules! pass {
        ($(#[$doc:meta])* $name:ident, $store:literal, $end:literal) => {
            $(#[$doc])*
            pub(super) fn $name(source: &[Line], destination: &mut [Line]) {
                let lines = source.len().min(destination.len());
                if lines == 0 {
                    return;
                }
                #[expect(unsafe_code, reason = "the compiler makes memcpy of any loop that it can see through")]
                // SAFETY: the loop reads and writes exactly `lines` lines of 64 bytes, which both slices have; lines
                // are aligned to 64, and SSE belongs to every x86-64.
                unsafe {
                    asm!(
                        "2:",
                        "movaps {a}, [{source}]",
                        "movaps {b}, [{source} + 16]",
                        "movaps {c}, [{source} + 32]",
                        "movaps {d}, [{source} + 48]",
                        concat!($store, " [{destination}], {a}"),
                        concat!($store, " [{destination} + 16], {b}"),
                        concat!($store, " [{destination} + 32], {c}"),
                        concat!($store, " [{destination} + 48], {d}"),
                        "add {source}, 64",
                        "add {destination}, 64",
                        "dec {lines}",
                        "jnz 2b",
                        $end,
                        source = inout(reg) source.as_ptr() => _,
                        destination = inout(reg) destination.as_mut_ptr() => _,
                        lines = inout(reg) lines => _,
                        a = out(xmm_reg) _,
                        b = out(xmm_reg) _,
                        c = out(xmm_reg) _,
                        d = out(xmm_reg) _,
                        options(nostack),
                    );
                }
            }
        };
    }

    pass!(
        /// By ordinary stores.
        ordinary, "movaps", ""
    );
    pass!(
        /// By non-temporal stores; the fence waits until the last line has left the core, as the timer must.
        streaming, "movntps", "sfence"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kernel_copies_every_byte_and_none_beyond() {
        for kernel in copies() {
            for lines in [0, 1, 2, 127] {
                let byte = |at: usize| u8::try_from(at % 251).unwrap();
                let source: Vec<Line> =
                    (0..lines).map(|l| Line(std::array::from_fn(|b| byte(l * 64 + b)))).collect();
                let mut destination = vec![Line([0xff; 64]); lines + 1];
                kernel.run(&source, &mut destination[..lines]);
                assert_eq!(destination[..lines], source, "{kernel:?}");
                assert_eq!(destination[lines], Line([0xff; 64]), "{kernel:?}");
            }
        }
    }
}
