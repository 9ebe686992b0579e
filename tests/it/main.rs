//! The programs, from outside: what goes in, what comes out, what is left behind.

#![allow(
    clippy::disallowed_methods,
    reason = "a test runs the programs and sets up the machine"
)]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod appearance;
mod architecture;
mod archives;
mod bundle_toml;
mod charts;
mod confined;
mod copy;
mod damage;
mod defaults;
mod delta;
mod demo;
mod diff;
mod documented;
mod flags;
mod footprint;
mod full_disk;
mod golden;
mod header;
mod hostile;
mod image_lists;
mod layout;
mod lengths;
mod no_text;
mod online;
mod other_users;
mod own_files;
mod pack;
mod packaging;
mod payload;
mod platforms;
mod preflight;
mod race;
mod refused;
mod repair;
mod report;
mod revoke;
mod rollback;
mod sbom;
mod self_update;
mod serial;
#[path = "../support/mod.rs"]
mod shared;
mod sign;
mod sign_faults;
mod sizes;
mod snapshots;
mod standin;
mod support;
mod swapped;
mod terminal;
mod trust;
mod upstream;
mod usage;
mod verify_several;
mod volumes;
mod words;
