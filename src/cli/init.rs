//! `init`: a `bundle.toml` to begin with.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::console::Console;
use super::path_value::path_value;
use crate::failure::{Failure, Kind};
use crate::host::AtomicFile;
use crate::spec::TEMPLATE;

#[derive(clap::Args, Debug)]
pub(super) struct InitArgs {
    /// File to write
    #[arg(default_value = "bundle.toml")]
    file: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
}

impl InitArgs {
    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}

pub(super) fn run(args: &InitArgs, console: &Console) -> Result<(), Failure> {
    let file = &args.file;
    let shown = file.display();
    if !args.force && file.symlink_metadata().is_ok() {
        let failure = Failure::new(Kind::Usage, format!("`{shown}` is there already"));
        return Err(failure.hint("name another file, or add `--force` to replace it"));
    }
    AtomicFile::write(file, TEMPLATE.as_bytes(), 0o644)?;
    let text = format!(
        "`{shown}` has every key that `pack` knows, the defaults behind `#`\nnext:\n  \
         minikube-offline lint {shown}\n  minikube-offline pack -f {shown}"
    );
    console.result(&text, &json!({ "file": path_value(file) }))
}
