//! `preflight`: whether this machine can start the cluster; nothing is changed.

use std::fmt::Write as _;
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
    /// What `start` will pass to `minikube start`
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
    let told = findings
        .iter()
        .filter(|finding| finding.severity != Severity::Fatal);
    let mut text = told.map(describe).collect::<Vec<_>>().join("\n");
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let (warnings, notes) = (count(Severity::Warning), count(Severity::Note));
    let failed = report.into_result().err();
    let checks: Vec<Value> = findings.iter().map(value).collect();
    let value = json!({ "fit": failed.is_none(), "checks": checks });
    if failed.is_none() {
        let (warnings, notes) = (counted(warnings, "warning"), counted(notes, "note"));
        let _ = write!(text, "\nthis machine is fit: {warnings}, {notes}");
    }
    if console.is_json() || !text.is_empty() {
        console.result(text.trim_start(), &value)?;
    }
    failed.map_or(Ok(()), |unfit| Err(unfit.into()))
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
        "check": finding.what,
        "status": match finding.severity {
            Severity::Note => "ok",
            Severity::Warning => "warning",
            Severity::Fatal => "failed",
        },
        "kind": (finding.severity == Severity::Fatal).then(|| finding.kind.name()),
        "reason": finding.why,
        "fix": finding.fix,
    })
}
