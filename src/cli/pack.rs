//! `pack`: parts become a bundle.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};

use super::asked::{BUNDLE, Settled, SpecArgs, lock_beside, settle};
use super::console::Console;
use super::inspect::{all, ratio, table};
use super::lock::{NewLock, changes_value};
use super::path_value::path_value;
use super::sources::DOWNLOADS;
use super::volumes::{counted, volumes};
use crate::bundle::{ClusterFacts, surplus_volumes};
use crate::delta::{self, Created};
use crate::failure::{Failure, Kind};
use crate::fetch::{self, Plan, Then};
use crate::host;
use crate::host::Environment;
use crate::pack::{self, PackOptions, Packed, Stub};
use crate::progress::Progress;
use crate::resolve::timestamp;
use crate::shown::{human_bytes, human_duration};
use crate::sign::{Password, Signer};
use crate::spec::Spec;
use crate::trust::TrustedKeys;
use crate::verify::OpenedBundle;

/// The largest file that FAT32 holds: its size field has 32 bits.
const FAT32_BYTES: u64 = u32::MAX as u64;

#[derive(clap::Args, Debug)]
pub(super) struct PackArgs {
    #[command(flatten)]
    asked: SpecArgs,
    /// Stub to use instead of the built-in one; once for each platform
    #[arg(long, value_name = "FILE", help_heading = BUNDLE)]
    stub: Vec<PathBuf>,
    /// Also write NAME.delta for `join`: what the bundle OLD lacks
    #[arg(long, value_name = "OLD", help_heading = BUNDLE)]
    base: Option<PathBuf>,
    /// Pack exactly what the lock next to the bundle lists
    #[arg(long, help_heading = DOWNLOADS)]
    locked: bool,
    /// Read the key's password from this file descriptor
    #[arg(long, value_name = "N", help_heading = BUNDLE)]
    password_fd: Option<u32>,
}

pub(super) fn run(args: PackArgs, console: &Console) -> Result<(), Failure> {
    let begun = Instant::now();
    let (stubs, locked, password_fd) = (args.stub.clone(), args.locked, args.password_fd);
    let base = args.base;
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
    let follows = base.as_deref().map(|base| base_serial(base, &spec)).transpose()?;
    let stubs = Stub::find(&stubs, &host::own_program()?, &spec.platforms)?;
    let locked_at = lock.as_ref().map(|file| file.lock.resolved);
    let plan = match lock {
        Some(file) => Plan::load(file, &spec, upstream.as_ref(), console)?,
        None => fetch::resolve(&spec, upstream.as_ref(), Then::Fetch, console)?,
    };
    let parts = fetch::fetch(plan, upstream.as_ref(), console)?;
    let mut lock = NewLock::of(lock_beside(&spec.output), parts.lock.clone(), now)?;
    if let Some(time) = locked_at {
        lock.set_time(time);
    }
    let options = PackOptions {
        output: spec.output.clone(),
        split: spec.split,
        name: spec.name.clone(),
        serial: spec.serial.or(follows.flatten()),
        resolved: lock.lock().resolved,
        cluster: ClusterFacts {
            platforms: parts.lock.platforms.clone(),
            kubernetes_version: parts.lock.kubernetes_version.clone(),
            container_runtime: parts.lock.container_runtime,
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
    let delta = base.as_deref().map(|base| {
        let output = delta_beside(&spec.output);
        let created = delta::create(base, &spec.output, &output, spec.level, signer.as_ref(), console)?;
        Ok::<_, Failure>((output, created))
    });
    let delta = delta.transpose()?;
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
    let (delta_text, delta_value) = match &delta {
        Some((path, created)) => shown_delta(path, created, &spec, &packed),
        None => (String::new(), Value::Null),
    };
    let value = json!({
        "key_id": key_id,
        "signature": beside.map(path_value),
        "bundle": path_value(&spec.output),
        "delta": delta_value,
        "lock_changes": changes_value(lock.changes()),
        "volumes": volumes(&spec.output, &packed.index),
        "total_bytes": packed.total_bytes(),
        "plain_bytes": packed.index.plain_size(),
        "milliseconds": u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    let text = summary(&spec, &packed, begun) + &signature + &delta_text;
    console.result(&text, &value)
}

/// The serial that follows on that of the bundle at `base`, where that has the same name: it
/// stays where it is, and the new one goes elsewhere.
fn base_serial(base: &Path, spec: &Spec) -> Result<Option<u64>, Failure> {
    let opened = OpenedBundle::open(base, &TrustedKeys::none())?;
    let identity = |path: &Path| path.metadata().ok().map(|facts| (facts.dev(), facts.ino()));
    if identity(base) == identity(&spec.output) {
        let message = format!("cannot pack over the base `{}`: joining needs it", base.display());
        return Err(Failure::new(Kind::Usage, message).hint("write the new bundle to another file with -o"));
    }
    let index = opened.index();
    Ok((index.name == spec.name).then(|| index.serial.saturating_add(1)))
}

/// The delta at `path`, for a person and for a program.
fn shown_delta(path: &Path, created: &Created, spec: &Spec, packed: &Packed) -> (String, Value) {
    let Created {
        base,
        bytes,
        copied,
        compressed,
        whole,
    } = created;
    let text = format!(
        "\n`{}`: {} ({bytes} bytes), {} of the bundle; where {} is: \
         minikube-offline join OLD.run {} -o {}",
        path.display(),
        human_bytes(*bytes),
        percent(*bytes, packed.total_bytes()),
        base.describe(),
        path.file_name().unwrap_or_default().display(),
        spec.output.file_name().unwrap_or_default().display(),
    );
    let value = json!({
        "path": path_value(path),
        "bytes": bytes,
        "base": { "name": base.name, "serial": base.serial, "index": base.index },
        "frames": { "copied": copied, "compressed": compressed, "whole": whole },
    });
    (text, value)
}

/// `x.run` has its delta in `x.delta`.
fn delta_beside(bundle: &Path) -> PathBuf {
    if bundle.extension().is_some_and(|extension| extension == "run") {
        return bundle.with_extension("delta");
    }
    let mut name = bundle.as_os_str().to_owned();
    name.push(".delta");
    name.into()
}

/// `3.4 %`.
fn percent(part: u64, whole: u64) -> String {
    let tenths = part.saturating_mul(1000) / whole.max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
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
