//! `pack`: parts become a bundle.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::asked::{BUNDLE, Settled, SpecArgs, lock_beside, settle};
use super::console::Console;
use super::inspect::{all, ratio, table};
use super::lock::{NewLock, changes_value};
use super::path_value::path_value;
use super::size::{human_bytes, human_duration};
use super::sources::DOWNLOADS;
use super::volumes::{counted, volumes};
use crate::bundle::{ClusterFacts, surplus_volumes};
use crate::failure::{Failure, Kind};
use crate::fetch;
use crate::host;
use crate::host::Environment;
use crate::pack::{self, PackOptions, Packed, Stub};
use crate::progress::Progress;
use crate::resolve::timestamp;
use crate::sign::{Password, Signer};
use crate::spec::Spec;

/// The largest file that FAT32 holds: its size field has 32 bits.
const FAT32_BYTES: u64 = u32::MAX as u64;

#[derive(clap::Args, Debug)]
pub(super) struct PackArgs {
    #[command(flatten)]
    asked: SpecArgs,
    /// The stub to put in, instead of this program's own; once for each platform
    #[arg(long, value_name = "FILE", help_heading = BUNDLE)]
    stub: Vec<PathBuf>,
    /// Take exactly what the lock beside the bundle says
    #[arg(long, help_heading = DOWNLOADS)]
    locked: bool,
    /// Read the key's password from this open file descriptor instead of the terminal
    #[arg(long, value_name = "N", help_heading = BUNDLE)]
    password_fd: Option<u32>,
}

pub(super) fn run(args: PackArgs, console: &Console) -> Result<(), Failure> {
    let begun = Instant::now();
    let (stubs, locked, password_fd) = (args.stub.clone(), args.locked, args.password_fd);
    let asked = args.asked.merged()?;
    fetch::check_local(&asked, console)?;
    let now = timestamp(&Environment::of_this_process())?;
    let signer = match &asked.sign_key {
        // Asked now, while somebody is there: packing takes a while.
        Some(path) => Some(Signer::unlock(path, Password::from(password_fd))?),
        None if password_fd.is_some() => return Err(no_key()),
        None => None,
    };
    let Settled { spec, upstream, lock } = settle(asked, locked, console)?;
    let stubs = Stub::find(&stubs, &host::own_program()?, &spec.platforms)?;
    let mut parts = fetch::gather(&spec, upstream.as_ref(), console)?;
    if let Some(file) = &lock {
        parts = parts.as_locked(file, &spec)?;
    }
    let locked_at = lock.map(|file| file.lock.resolved);
    let mut lock = NewLock::of(lock_beside(&spec.output), parts.lock(&spec), now)?;
    if let Some(time) = locked_at {
        lock.set_time(time);
    }
    let options = PackOptions {
        output: spec.output.clone(),
        split: spec.split,
        name: spec.name.clone(),
        serial: spec.serial,
        resolved: lock.lock().resolved,
        cluster: ClusterFacts {
            platforms: spec.platforms.clone(),
            kubernetes_version: spec.kubernetes_version.clone(),
            container_runtime: parts.container_runtime,
        },
        level: spec.level,
        stubs,
        signer: signer.as_ref(),
    };
    let packed = pack::pack(&parts, options, console)?;
    lock.write(console)?;
    if packed.longest_bytes() > FAT32_BYTES {
        console.note(
            "the bundle has a file larger than one on a FAT32 stick can be: \
             split it with `--split 4000M`, or use an exFAT or ext4 stick",
        );
    }
    note_surplus_volumes(&spec.output, packed.index.volumes.len(), console);
    let beside = if let (Some(signer), Some(signature)) = (&signer, &packed.signature) {
        Some(signer.write_beside(&spec.output, signature)?)
    } else {
        note_stale_signature(&spec.output, console);
        None
    };
    let key_id = signer.as_ref().map(|signer| signer.public().key_id().to_string());
    let signature = match (&key_id, &beside) {
        (Some(key_id), Some(beside)) => {
            format!(
                "\nsigned with key {key_id}; for stock minisign: `{}`",
                beside.display()
            )
        }
        _ => String::new(),
    };
    let value = json!({
        "kind": "done",
        "key_id": key_id,
        "signature": beside.map(path_value),
        "bundle": path_value(&spec.output),
        "lock_changes": changes_value(lock.changes()),
        "volumes": volumes(&spec.output, &packed.index),
        "total_bytes": packed.total_bytes(),
        "plain_bytes": packed.index.plain_size(),
        "milliseconds": u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    console.result(&(summary(&spec, &packed, begun) + &signature), &value)
}

fn no_key() -> Failure {
    Failure::new(
        Kind::Usage,
        "`--password-fd` is given, and no key that it unlocks",
    )
    .hint("add `--sign-key FILE`, or `sign-key` to the TOML file")
}

/// Nothing reads a split bundle while they are there.
fn note_surplus_volumes(bundle: &Path, count: usize, console: &Console) {
    let then = if count == 0 {
        "no part of this one"
    } else {
        "remove it, or this one is refused"
    };
    for surplus in surplus_volumes(bundle, count) {
        console.note(&format!("`{}` is of an older bundle: {then}", surplus.display()));
    }
}

/// A signature that lies there from before is not of this bundle.
fn note_stale_signature(bundle: &Path, console: &Console) {
    let mut beside = bundle.as_os_str().to_owned();
    beside.push(".minisig");
    let beside = PathBuf::from(beside);
    if beside.symlink_metadata().is_ok() {
        console.note(&format!(
            "`{}` is of an older bundle: this one is not signed",
            beside.display()
        ));
    }
}

fn summary(spec: &Spec, packed: &Packed, begun: Instant) -> String {
    let mut text = table(&packed.index, &all(&packed.index));
    let plain = packed.index.plain_size();
    let total = packed.total_bytes();
    let output = spec.output.display();
    let count = packed.index.volumes.len();
    let files = if count == 0 {
        format!("`{output}`")
    } else {
        format!("`{output}` and {}", counted(count))
    };
    let _ = write!(
        text,
        "\n{files}: {} ({total} bytes) from {}, ratio {}, in {}\n",
        human_bytes(total),
        human_bytes(plain),
        ratio(plain, total),
        human_duration(begun.elapsed()),
    );
    let name = spec.output.file_name().unwrap_or_default().to_string_lossy();
    let _ = match count {
        0 => write!(text, "carry it to the site and run it there: ./{name} -y"),
        _ => write!(
            text,
            "carry all {} files to the site, into one directory, and run the first there: ./{name} -y",
            count + 1
        ),
    };
    text
}
