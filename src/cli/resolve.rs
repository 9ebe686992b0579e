//! `resolve`: the lock of a bundle, and what packing it would download.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::asked::{Settled, SpecArgs, lock_beside, settle};
use super::console::Console;
use super::lock::{NewLock, changes_value};
use super::path_value::path_value;
use crate::failure::Failure;
use crate::fetch::{self, Estimate, Plan, PlannedPart, Then, estimate};
use crate::host::Environment;
use crate::resolve::{Change, timestamp};
use crate::shown::human_bytes;

/// Writes the lock and shows what it stands for; packs nothing.
pub(super) fn run(args: SpecArgs, console: &Console) -> Result<(), Failure> {
    let now = timestamp(&Environment::of_this_process())?;
    let asked = args.merged()?;
    fetch::check_local(&asked, console)?;
    let Settled { spec, upstream, .. } = settle(asked, false, console)?;
    let plan = fetch::resolve(&spec, upstream.as_ref(), Then::Stop, console)?;
    let lock = lock_beside(&spec.output);
    let new = NewLock::of(lock.clone(), plan.lock.clone(), now)?;
    new.write_if_changed(console)?;
    let sums = Sums::of(&plan);
    let estimate = estimate(&plan, spec.level);
    console.result(
        &describe(&plan, &sums, &estimate, &lock),
        &value(&plan, &sums, &estimate, &lock, new.changes()),
    )
}

/// Bytes, each blob once.
struct Sums {
    download: u64,
    stored: u64,
    given: u64,
}

impl Sums {
    fn of(plan: &Plan) -> Self {
        let blobs = plan.blobs();
        let of = |stored: bool| {
            let blobs = blobs.iter().filter(|blob| blob.is_stored == stored);
            blobs.map(|blob| blob.bytes).sum()
        };
        Self {
            download: of(false),
            stored: of(true),
            given: plan.given_bytes(),
        }
    }
}

/// What of a part has to be downloaded, what is in the store, what is given.
fn bytes_of(part: &PlannedPart) -> (u64, u64, u64) {
    let of = |stored: bool| {
        let blobs = part.blobs.iter().filter(|blob| blob.is_stored == stored);
        blobs.map(|blob| blob.bytes).sum::<u64>()
    };
    let given = part.given.iter().map(|(_, bytes)| bytes).sum();
    (of(false), of(true), given)
}

fn describe(plan: &Plan, sums: &Sums, estimate: &Estimate, lock: &Path) -> String {
    let several = plan.lock.platforms.len() > 1;
    let name = |part: &PlannedPart| match part.platform {
        Some(platform) if several => format!("{} for {platform}", part.name),
        _ => part.name.clone(),
    };
    let width = plan.parts.iter().map(|part| name(part).len()).max().unwrap_or(0);
    let mut text = String::new();
    for part in &plan.parts {
        let (download, stored, given) = bytes_of(part);
        let (bytes, state) = match (download, stored) {
            (0, 0) => (given, "given"),
            (0, _) => (stored, "in the store"),
            (_, 0) => (download, "download"),
            (_, _) => (download, "download, the rest is in the store"),
        };
        let unverified = if part.unverified { " (UNVERIFIED)" } else { "" };
        let _ = writeln!(
            text,
            "{:<width$}  {:>8}  {}: {state}{unverified}",
            name(part),
            human_bytes(bytes),
            part.from
        );
    }
    let _ = write!(
        text,
        "\nto download   {} ({} bytes); {} are in the store, {} on this machine\n\
         the bundle    about {}: an estimate, {}\n\
         `{}` is the lock: the same command with `pack --locked` takes exactly this",
        human_bytes(sums.download),
        sums.download,
        human_bytes(sums.stored),
        human_bytes(sums.given),
        human_bytes(estimate.bytes),
        estimate.basis,
        lock.display(),
    );
    text
}

fn value(plan: &Plan, sums: &Sums, estimate: &Estimate, lock: &Path, changes: &[Change]) -> Value {
    let parts: Vec<Value> = plan
        .parts
        .iter()
        .map(|part| {
            let (download, stored, given) = bytes_of(part);
            json!({
                "name": part.name,
                "platform": part.platform,
                "from": part.from,
                "download_bytes": download,
                "stored_bytes": stored,
                "given_bytes": given,
                "unverified": part.unverified,
            })
        })
        .collect();
    json!({
        "lock": path_value(lock),
        "lock_changes": changes_value(changes),
        "kubernetes_version": plan.lock.kubernetes_version,
        "parts": parts,
        "download_bytes": sums.download,
        "stored_bytes": sums.stored,
        "given_bytes": sums.given,
        "estimated_bundle_bytes": estimate.bytes,
        "estimate_basis": estimate.basis,
    })
}
