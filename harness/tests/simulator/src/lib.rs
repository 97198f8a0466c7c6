//! An interpreter of PTX for tests. It executes the PTX that NVRTC made, checks what hardware would leave undefined, and
//! counts the operations that were really executed. README.md says what it covers and what it cannot show.

pub mod arithmetic;
mod block;
mod count;
pub mod coverage;
pub mod launch;
pub mod lower;
pub mod matrix;
pub mod mbarrier;
pub mod memory;
pub mod number;
pub mod operation;
mod product;
pub mod syntax;
pub mod tensor_map;
mod tensor_memory;
mod transfer;
mod warp;
pub mod wgmma;
