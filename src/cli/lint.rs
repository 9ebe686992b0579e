//! `lint`: everything that is wrong with a `bundle.toml`.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::console::Console;
use super::path_value::path_value;
use crate::failure::{Failure, Kind};
use crate::spec;

#[derive(clap::Args, Debug)]
pub(super) struct LintArgs {
    /// File to check
    #[arg(default_value = "bundle.toml")]
    file: PathBuf,
}

pub(super) fn run(args: &LintArgs, console: &Console) -> Result<(), Failure> {
    let shown = args.file.display();
    let findings = spec::lint_file(&args.file)?;
    let version = match findings.as_slice() {
        [] => spec::load_spec(&args.file)?
            .kubernetes_version
            .map(|word| word.to_string()),
        _ => None,
    };
    let mut problems = Vec::new();
    for finding in &findings {
        let spec::Finding {
            line,
            column,
            message,
        } = finding;
        // As compilers have it, so that editors find the place.
        if !console.is_json() {
            console.result(&format!("{shown}:{line}:{column}: {message}"), &Value::Null)?;
        }
        problems.push(json!({ "line": line, "column": column, "message": message }));
    }
    if console.is_json() {
        let value = json!({
            "file": path_value(&args.file),
            "problems": problems,
            "kubernetes_version": version,
        });
        console.result("", &value)?;
    }
    match findings.len() {
        0 if console.is_json() => Ok(()),
        0 => {
            let missing = match version {
                Some(_) => "",
                None => "; it names no Kubernetes version: `pack` needs `--kubernetes-version`",
            };
            console.result(
                &format!("`{shown}` has nothing wrong in it{missing}"),
                &Value::Null,
            )
        }
        1 => Err(Failure::new(Kind::Usage, format!("`{shown}` has 1 finding"))),
        count => Err(Failure::new(
            Kind::Usage,
            format!("`{shown}` has {count} findings"),
        )),
    }
}
