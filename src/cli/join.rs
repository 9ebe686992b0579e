//! `join`: a bundle and the deltas that follow it become the newest bundle.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::console::Console;
use super::path_value::path_value;
use super::site::Trusting;
use super::volumes::counted;
use crate::delta;
use crate::failure::Failure;
use crate::shown::human_bytes;

#[derive(clap::Args, Debug)]
pub(super) struct JoinArgs {
    /// Bundle that the first delta follows
    base: PathBuf,
    /// Deltas, oldest first
    #[arg(required = true, value_name = "DELTA")]
    deltas: Vec<PathBuf>,
    /// Bundle to write
    #[arg(short = 'o', long, value_name = "FILE")]
    bundle: PathBuf,
}

impl JoinArgs {
    pub(super) fn output(&self) -> &Path {
        &self.bundle
    }
}

pub(super) fn run(args: &Trusting<JoinArgs>, console: &Console) -> Result<(), Failure> {
    let trusted = args.trusted()?;
    let JoinArgs { base, deltas, bundle } = args.args();
    let joined = delta::join(base, deltas, bundle, &trusted, console)?;
    let files = match joined.volumes {
        0 => format!("`{}` is whole", bundle.display()),
        count => format!("`{}` and its {} are whole", bundle.display(), counted(count)),
    };
    let text = format!(
        "{files}: {}, {} bytes ({}), each as it was packed",
        joined.result.describe(),
        joined.total_bytes,
        human_bytes(joined.total_bytes),
    );
    let value = json!({
        "bundle": path_value(bundle),
        "name": joined.result.name,
        "serial": joined.result.serial,
        "index": joined.result.index,
        "volumes": joined.volumes,
        "total_bytes": joined.total_bytes,
    });
    console.result(&text, &value)
}
