//! `repair`: a damaged bundle and another copy of it become a whole one.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::console::Console;
use super::path_value::path_value;
use crate::bundle::limits::VOLUMES;
use crate::bundle::volume_path;
use crate::failure::Failure;
use crate::host::Sandbox;
use crate::repair::{self, Repaired, Taken};
use crate::trust::TrustedKeys;

#[derive(clap::Args, Debug)]
pub(super) struct RepairArgs {
    /// Second copy, which may also be damaged; it is only read
    #[arg(long, value_name = "OTHER_COPY")]
    from: PathBuf,
}

/// The bundle and its volumes are changed, and volumes that are missing are made; each of
/// them may be a link.
pub(super) fn sandbox(bundle: &Path) -> Sandbox {
    let volumes = (1..=VOLUMES).map(|number| volume_path(bundle, number));
    let files = std::iter::once(bundle.to_owned()).chain(volumes);
    let sandbox = files
        .filter(|file| file.is_file())
        .fold(Sandbox::reading(), |sandbox, file| sandbox.changing(&file));
    match bundle.parent() {
        Some(directory) if directory.as_os_str().is_empty() => sandbox.changing_in(Path::new(".")),
        Some(directory) if directory.is_dir() => sandbox.changing_in(directory),
        _ => sandbox,
    }
}

pub(super) fn run(
    args: &RepairArgs,
    bundle: &Path,
    trusted: &TrustedKeys,
    console: &Console,
) -> Result<(), Failure> {
    let repaired = repair::repair(bundle, &args.from, trusted, console)?;
    let Taken {
        chunks,
        others,
        bytes,
    } = &repaired.taken;
    let value = json!({
        "bundle": path_value(bundle),
        "from": path_value(&args.from),
        "changed": *bytes > 0 || !repaired.shortened.is_empty(),
        "chunks": chunks,
        "others": others,
        "bytes": bytes,
        "shortened": repaired.shortened.iter().map(path_value).collect::<Vec<_>>(),
    });
    console.result(&describe(&repaired, bundle, &args.from), &value)
}

fn describe(repaired: &Repaired, bundle: &Path, from: &Path) -> String {
    let Taken {
        chunks,
        others,
        bytes,
    } = &repaired.taken;
    let mut done = Vec::new();
    if *bytes > 0 {
        let mut runs = others.clone();
        if *chunks > 0 {
            runs.insert(0, format!("{chunks} of {} chunks", repaired.index.chunks.len()));
        }
        let runs = runs.join(", ");
        done.push(format!("{runs} ({bytes} bytes) taken from `{}`", from.display()));
    }
    let cut = |path: &PathBuf| format!("what stood behind the end of `{}` cut off", path.display());
    done.extend(repaired.shortened.iter().map(cut));
    match done.as_slice() {
        [] => format!("`{}` is whole: nothing was changed", bundle.display()),
        done => format!("`{}` is whole again: {}", bundle.display(), done.join("; ")),
    }
}
