//! The programs, from outside: what goes in, what comes out, what is left behind.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod architecture;
mod bundle_toml;
mod damage;
mod flags;
mod full_disk;
mod header;
mod hostile;
mod image_lists;
mod pack;
mod payload;
mod platforms;
mod preflight;
mod refused;
mod revoke;
mod rollback;
mod sign;
mod standin;
mod support;
mod trust;
mod upstream;
mod volumes;
