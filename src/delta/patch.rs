//! One piece of a delta: what zstd makes of a run of bytes that is like another one.

use std::io;

use zstd::zstd_safe::{CCtx, CParameter, DCtx, compress_bound, get_error_name};

/// What the patches of a delta are compressed by; it has no part in the bytes that `join` makes.
const LEVEL: i32 = 16;

fn failed(code: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, get_error_name(code))
}

/// `bytes`, said by what differs from `prefix`.
pub(super) fn make(prefix: &[u8], bytes: &[u8]) -> io::Result<Vec<u8>> {
    let together = (prefix.len() + bytes.len()) as u64;
    let window = (u64::BITS - together.leading_zeros()).clamp(17, 27);
    let mut context = CCtx::create();
    for parameter in [
        CParameter::CompressionLevel(LEVEL),
        CParameter::WindowLog(window),
        CParameter::EnableLongDistanceMatching(true),
        CParameter::LdmMinMatch(32),
        CParameter::LdmHashRateLog(4),
        CParameter::LdmHashLog(22),
    ] {
        context.set_parameter(parameter).map_err(failed)?;
    }
    context.ref_prefix(prefix).map_err(failed)?;
    let mut made = Vec::with_capacity(compress_bound(bytes.len()));
    context.compress2(&mut made, bytes).map_err(failed)?;
    Ok(made)
}

/// The `size` bytes that `patch` makes of `prefix`.
pub(super) fn apply(prefix: &[u8], patch: &[u8], size: usize) -> io::Result<Vec<u8>> {
    let mut context = DCtx::create();
    context.ref_prefix(prefix).map_err(failed)?;
    let mut made = Vec::with_capacity(size);
    context.decompress(&mut made, patch).map_err(failed)?;
    if made.len() == size {
        return Ok(made);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "it decodes to another length",
    ))
}
