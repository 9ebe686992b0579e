//! `extract`: the parts as files.

use std::path::{self, Path, PathBuf};

use serde_json::json;

use super::console::Console;
use super::path_value::path_value;
use super::{platform, sandbox};
use crate::bundle::{ContainerRuntime, Platform};
use crate::failure::{Failure, Kind};
use crate::host::{Sandbox, existing_ancestor};
use crate::install;
use crate::install::Placer;
use crate::verify::OpenedBundle;

#[derive(clap::Args, Debug)]
pub(super) struct ExtractArgs {
    #[command(flatten)]
    target: Target,
    /// With --to-cache: runtime of the cluster [default: the bundle's]
    #[arg(long, value_name = "RUNTIME", requires = "to_cache")]
    container_runtime: Option<ContainerRuntime>,
    /// Platform whose parts to write [default: this host's]
    #[arg(long)]
    platform: Option<Platform>,
}

#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
struct Target {
    /// Directory to write to: new, empty, or begun by an earlier run
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// minikube home whose cache to fill, for a plain `minikube start`
    #[arg(long, value_name = "MINIKUBE_HOME")]
    to_cache: Option<PathBuf>,
}

impl ExtractArgs {
    /// The directory beneath which everything is written.
    pub(super) fn filled(&self) -> Result<PathBuf, Failure> {
        match (&self.target.to, &self.target.to_cache) {
            (Some(directory), _) => absolute(directory),
            (None, Some(home)) => Ok(install::cache_directory(&absolute(home)?)),
            (None, None) => unreachable!("clap demands one of them"),
        }
    }
}

pub(super) fn run(args: &ExtractArgs, bundle: OpenedBundle, console: &Console) -> Result<(), Failure> {
    let platform = platform::choose(args.platform, bundle.index())?;
    bundle.on(platform)?;
    let verified = bundle.verify(console)?;
    let filled = args.filled()?;
    let above = existing_ancestor(&filled);
    if above != filled && above.is_dir() {
        // Until here it could be made, and all that is above it could be written.
        Placer::unrecorded().directory(&filled)?;
        sandbox::enter(Sandbox::reading().filling(&filled), console);
    }
    let bundle = verified.on(platform)?;
    let extracted = match (&args.target.to, &args.target.to_cache) {
        (Some(directory), _) => install::extract_to(bundle, &absolute(directory)?, console),
        (None, Some(home)) => {
            install::extract_to_cache(bundle, &absolute(home)?, args.container_runtime, console)
        }
        (None, None) => unreachable!("clap demands one of them"),
    };
    verified.tell_misread(console);
    let extracted = extracted?;
    let mut text = format!("{} files in `{}`", extracted.files, extracted.directory.display());
    if !extracted.next.is_empty() {
        text = format!("{text}\nnext:\n  {}", extracted.next.join("\n  "));
    }
    let value = json!({
        "directory": path_value(extracted.directory),
        "files": extracted.files,
        "changed": extracted.changed,
        "next": extracted.next,
    });
    console.result(&text, &value)
}

fn absolute(directory: &Path) -> Result<PathBuf, Failure> {
    path::absolute(directory)
        .map_err(|error| Failure::new(Kind::Usage, format!("`{}`: {error}", directory.display())))
}
