//! `preflight`: whether this machine can start the cluster; nothing is changed.

use std::path::Path;

use serde_json::{Value, json};

use super::console::Console;
use super::start::StartOptions;
use crate::failure::Failure;
use crate::preflight::{Finding, Severity};
use crate::progress::Progress;
use crate::verify::OpenedBundle;

#[derive(clap::Args, Debug)]
pub(super) struct PreflightArgs {
    #[command(flatten)]
    options: StartOptions,
    /// What `start` will give to `minikube start`
    #[arg(last = true, value_name = "MINIKUBE_FLAG")]
    extra: Vec<String>,
}

impl PreflightArgs {
    pub(super) fn minikube_home(&self) -> Option<&Path> {
        self.options.minikube_home()
    }
}

/// Tells every finding; the fatal ones as a failure.
pub(super) fn run(args: PreflightArgs, bundle: &OpenedBundle, console: &Console) -> Result<(), Failure> {
    console.waits_for("asking Docker Engine", "");
    let report = crate::preflight::preflight(bundle, &args.options.into_site(args.extra))?;
    let findings = report.findings().to_vec();
    let tolerable = findings
        .iter()
        .filter(|finding| finding.severity != Severity::Fatal);
    if console.is_json() {
        for finding in &findings {
            console.result("", &value(finding))?;
        }
    } else {
        for finding in tolerable {
            console.result(&describe(finding), &Value::Null)?;
        }
    }
    report.into_result()?;
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let (warnings, notes) = (count(Severity::Warning), count(Severity::Note));
    console.result(
        &format!(
            "this machine is fit: {}, {}",
            counted(warnings, "warning"),
            counted(notes, "note")
        ),
        &json!({ "kind": "done", "warnings": warnings, "notes": notes }),
    )
}

/// `1 note`, `2 notes`.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn describe(finding: &Finding) -> String {
    format!(
        "{}: {}\n  why   {}\n  fix  {}",
        finding.severity.name(),
        finding.what,
        finding.why,
        finding.fix
    )
}

fn value(finding: &Finding) -> Value {
    json!({
        "finding": finding.severity.name(),
        "stands_for": finding.kind.name(),
        "what": finding.what,
        "why": finding.why,
        "fix": finding.fix,
    })
}
