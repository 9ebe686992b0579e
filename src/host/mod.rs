//! host
mod atomic;
mod program;
pub use atomic::FileError;
pub use program::{own_program, remove_own_copy};
