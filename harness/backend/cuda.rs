//! NVIDIA devices: the kernels and what each is counted as, and the compiler that makes machine code of them.

pub mod nvrtc;
pub mod rows;

#[cfg(test)]
mod static_check;
