//! Whether this process may use the AMX tile registers. The kernels are in `issue/tile.rs`.

use std::sync::OnceLock;

/// AMX units that this process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileUnits {
    /// `tdpbssd` and its kin.
    pub int8: bool,
    /// `tdpbf16ps`.
    pub bf16: bool,
}

/// The units, once the operating system has granted the tile registers; `None` without them.
///
/// **Source**: Intel SDM vol. 1, chapter 18 (CPUID and XCR0); Linux `Documentation/arch/x86/xstate.rst`.
#[must_use]
pub fn permitted() -> Option<TileUnits> {
    static PERMITTED: OnceLock<Option<TileUnits>> = OnceLock::new();
    *PERMITTED.get_or_init(|| present().filter(|_| granted()))
}

/// The units by CPUID and XCR0, whether granted or not.
///
/// `is_x86_feature_detected!("amx-int8")` is not stable in Rust 1.95, so the bits are read here.
pub(super) fn present() -> Option<TileUnits> {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const OSXSAVE: u32 = 1 << 27;
    const AMX_BF16: u32 = 1 << 22;
    const AMX_TILE: u32 = 1 << 24;
    const AMX_INT8: u32 = 1 << 25;
    const TILE_STATE: u64 = 0b11 << 17;

    if __cpuid(0).eax < 7 || __cpuid(1).ecx & OSXSAVE == 0 {
        return None;
    }
    let features = __cpuid_count(7, 0).edx;
    #[expect(unsafe_code, reason = "xgetbv has no safe form")]
    // SAFETY: OSXSAVE is set, so xgetbv of register 0 is legal.
    let saved = unsafe { enabled_state() };
    (features & AMX_TILE != 0 && saved & TILE_STATE == TILE_STATE)
        .then_some(TileUnits { int8: features & AMX_INT8 != 0, bf16: features & AMX_BF16 != 0 })
}

#[target_feature(enable = "xsave")]
fn enabled_state() -> u64 {
    #[expect(unsafe_code, reason = "xgetbv has no safe form")]
    // SAFETY: register 0 exists wherever `xsave` does.
    unsafe {
        std::arch::x86_64::_xgetbv(0)
    }
}

/// Linux grants the 8 KiB of tile state on request only; without it the first tile instruction is a SIGILL.
#[cfg(target_os = "linux")]
fn granted() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const TILE_DATA: libc::c_long = 18;
    #[expect(unsafe_code, reason = "libc has no wrapper for arch_prctl")]
    // SAFETY: this request takes no pointer and changes only the permitted register state.
    let answer = unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) };
    answer == 0
}

/// Elsewhere nothing has been tried, so nothing is claimed.
#[cfg(not(target_os = "linux"))]
fn granted() -> bool {
    false
}
