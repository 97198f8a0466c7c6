//! Pointers that C callers pass. Only they make these; what a function's documentation demands of its pointers is
//! theirs to keep, as with the real library. A null pointer is an error wherever it stands.
#![expect(unsafe_code, reason = "the boundary to C")]

use std::ffi::{CStr, c_char};

/// Where one value goes.
#[repr(transparent)]
#[derive(Debug, Clone, Copy)]
pub struct Out<T>(*mut T);

impl<T> Out<T> {
    /// Writes the value; `None` for a null pointer.
    pub(crate) fn put(self, value: T) -> Option<()> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: not null, and the caller vouches for the place of one value.
        unsafe { self.0.write(value) };
        Some(())
    }
}

impl<T: Copy> Out<T> {
    /// What stands there.
    pub(crate) fn get(self) -> Option<T> {
        // SAFETY: not null, and the caller vouches for one value.
        (!self.0.is_null()).then(|| unsafe { self.0.read() })
    }

    /// Writes values one after another.
    pub(crate) fn put_all(self, values: &[T]) -> Option<()> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: not null, and the caller vouches for the room that it said there is.
        unsafe { self.0.copy_from_nonoverlapping(values.as_ptr(), values.len()) };
        Some(())
    }
}

/// Where values come from.
#[repr(transparent)]
#[derive(Debug, Clone, Copy)]
pub struct In<T>(*const T);

impl<T: Copy> In<T> {
    /// Whether it is null.
    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The value `at` places on; `None` for a null pointer.
    pub(crate) fn get(self, at: usize) -> Option<T> {
        // SAFETY: not null, and the caller vouches for as many values.
        (!self.0.is_null()).then(|| unsafe { self.0.add(at).read_unaligned() })
    }

    /// This many values.
    pub(crate) fn all(self, count: usize) -> Option<Vec<T>> {
        (0..count).map(|at| self.get(at)).collect()
    }
}

impl In<u8> {
    /// Bytes, copied.
    pub(crate) fn bytes(self, count: usize) -> Option<Vec<u8>> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: not null, and the caller vouches for as many bytes.
        Some(unsafe { std::slice::from_raw_parts(self.0, count) }.to_vec())
    }

    /// Text up to its NUL.
    pub(crate) fn text(self) -> Option<String> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: not null, and the caller vouches for a NUL at its end.
        Some(unsafe { CStr::from_ptr(self.0.cast::<c_char>()) }.to_string_lossy().into_owned())
    }
}

/// Writes text with its NUL, cut to the room there is.
pub(crate) fn write_text(to: Out<u8>, room: usize, text: &str) -> Option<()> {
    let mut bytes: Vec<u8> = text.bytes().take(room.checked_sub(1)?).collect();
    bytes.push(0);
    to.put_all(&bytes)
}
