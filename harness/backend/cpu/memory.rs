//! Page-aligned buffers for operands and packed panels.
//!
//! Linux: an anonymous mapping on a 2 MiB boundary with `MADV_HUGEPAGE`, because transparent huge
//! pages are `madvise` on Debian and 4 KiB pages cost up to 5 % at n >= 2048 (TLB misses while
//! packing). Elsewhere: the global allocator.

use std::alloc::Layout;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// Size and alignment of a huge page, in bytes.
pub const HUGE_PAGE: usize = 2 << 20;

/// Types for which the all-zero bit pattern is a value and that need no drop.
///
/// # Safety
/// Implement only for plain numbers: every bit pattern valid, no padding, no drop.
#[expect(unsafe_code, reason = "marker that buffers rely on")]
pub unsafe trait Plain: Copy + Default + Send + Sync + 'static {}

macro_rules! plain {
    ($($t:ty),*) => {$(
        // SAFETY: a primitive or a transparent wrapper of one; every bit pattern is a value.
        #[expect(unsafe_code, reason = "marker for plain numbers")]
        unsafe impl Plain for $t {}
    )*};
}
// SAFETY: an array of bytes, aligned to its own size: every bit pattern is a value, and there is no padding.
#[expect(unsafe_code, reason = "marker for plain numbers")]
unsafe impl Plain for super::copy::Line {}
plain!(u8, i8, u16, i16, u32, i32, u64, f32, f64, half::bf16, half::f16);

/// The system gave no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfMemory {
    /// Requested size.
    pub bytes: usize,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no memory for a buffer of {} bytes", self.bytes)
    }
}

impl std::error::Error for OutOfMemory {}

/// A zero-initialised buffer of `T`, on huge pages where the system grants them.
///
/// Shape: `[len]`. Aligned to 2 MiB, whatever the page size behind it.
pub struct HugeBuffer<T: Plain> {
    start: NonNull<T>,
    len: usize,
    layout: Layout,
    owner: PhantomData<T>,
}

// SAFETY: the buffer owns its memory exclusively, and `Plain` is Send + Sync.
#[expect(unsafe_code, reason = "owned memory behind a raw pointer")]
unsafe impl<T: Plain> Send for HugeBuffer<T> {}
// SAFETY: as above; shared access only reads.
#[expect(unsafe_code, reason = "owned memory behind a raw pointer")]
unsafe impl<T: Plain> Sync for HugeBuffer<T> {}

impl<T: Plain> HugeBuffer<T> {
    /// A buffer of `len` zeros.
    ///
    /// Errors: `OutOfMemory` when the size overflows or the system refuses.
    pub fn zeroed(len: usize) -> Result<Self, OutOfMemory> {
        let refused = OutOfMemory { bytes: len.saturating_mul(size_of::<T>()) };
        let bytes = len.checked_mul(size_of::<T>()).ok_or(refused)?;
        let bytes = bytes.max(1).checked_next_multiple_of(HUGE_PAGE).ok_or(refused)?;
        let layout = Layout::from_size_align(bytes, HUGE_PAGE).map_err(|_| refused)?;
        let start = system::map(layout).ok_or(refused)?;
        Ok(Self { start: start.cast(), len, layout, owner: PhantomData })
    }

    /// A buffer holding a copy of `values`.
    ///
    /// Errors: `OutOfMemory`.
    pub fn from_slice(values: &[T]) -> Result<Self, OutOfMemory> {
        let mut buffer = Self::zeroed(values.len())?;
        buffer.copy_from_slice(values);
        Ok(buffer)
    }
}

impl<T: Plain> Deref for HugeBuffer<T> {
    type Target = [T];
    #[expect(unsafe_code, reason = "slice view of owned memory")]
    fn deref(&self) -> &[T] {
        // SAFETY: `start` is aligned, points to `len` initialised (zeroed) values that this
        // buffer owns, and any bit pattern is a value of a `Plain` type.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Plain> DerefMut for HugeBuffer<T> {
    #[expect(unsafe_code, reason = "slice view of owned memory")]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T: Plain> Drop for HugeBuffer<T> {
    fn drop(&mut self) {
        system::unmap(self.start.cast(), self.layout);
    }
}

impl<T: Plain> fmt::Debug for HugeBuffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HugeBuffer").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "mmap, madvise and munmap")]
mod system {
    use super::{HUGE_PAGE, Layout, NonNull};
    use std::ptr;

    /// Maps `layout.size()` bytes on a 2 MiB boundary; over-maps by one huge page and trims.
    pub(super) fn map(layout: Layout) -> Option<NonNull<u8>> {
        let size = layout.size();
        let span = size.checked_add(HUGE_PAGE)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new anonymous mapping at an address of the kernel's choice.
        let raw = unsafe { libc::mmap(ptr::null_mut(), span, protection, flags, -1, 0) };
        if raw == libc::MAP_FAILED {
            return None;
        }
        let head = raw.addr().next_multiple_of(HUGE_PAGE) - raw.addr();
        let tail = HUGE_PAGE - head;
        // SAFETY: both trims lie inside the new mapping, on page boundaries, and leave
        // [head, head + size). A refused madvise leaves ordinary pages, which also work.
        unsafe {
            let start = raw.byte_add(head);
            if head > 0 {
                libc::munmap(raw, head);
            }
            if tail > 0 {
                libc::munmap(start.byte_add(size), tail);
            }
            libc::madvise(start, size, libc::MADV_HUGEPAGE);
            NonNull::new(start.cast())
        }
    }

    pub(super) fn unmap(start: NonNull<u8>, layout: Layout) {
        // SAFETY: exactly the range that `map` kept; nothing borrows it any more.
        unsafe { libc::munmap(start.as_ptr().cast(), layout.size()) };
    }
}

#[cfg(not(target_os = "linux"))]
#[expect(unsafe_code, reason = "the global allocator's raw interface")]
mod system {
    use super::{Layout, NonNull};

    pub(super) fn map(layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the layout's size is never zero.
        NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) })
    }

    pub(super) fn unmap(start: NonNull<u8>, layout: Layout) {
        // SAFETY: allocated by `map` with the same layout.
        unsafe { std::alloc::dealloc(start.as_ptr(), layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_buffer_is_aligned_and_zero() {
        let buffer = HugeBuffer::<f32>::zeroed(3_000_001).unwrap();
        assert_eq!(buffer.as_ptr().addr() % HUGE_PAGE, 0);
        assert!(buffer.iter().all(|x| x.to_bits() == 0));
    }

    #[test]
    fn an_impossible_size_is_an_error() {
        assert!(HugeBuffer::<f64>::zeroed(usize::MAX / 4).is_err());
        assert!(HugeBuffer::<f64>::zeroed(usize::MAX / 16).is_err());
    }

    #[test]
    fn an_empty_buffer_is_an_empty_slice() {
        assert!(HugeBuffer::<i8>::zeroed(0).unwrap().is_empty());
    }
}
