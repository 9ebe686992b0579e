//! `preflight`: whether this machine can start the cluster; nothing is changed.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::console::Console;
use super::start::StartOptions;
use crate::failure::Failure;
use crate::preflight::{Finding, Passed, Report, Severity};
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
    let mut text = checklist(&report, console);
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let (warnings, notes) = (count(Severity::Warning), count(Severity::Note));
    let passed: Vec<Value> = report.passed().iter().map(passed).collect();
    let failed = report.into_result().err();
    let checks: Vec<Value> = passed.into_iter().chain(findings.iter().map(value)).collect();
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

/// A line for all that is fit or is not, then what there is to say besides. The failure tells
/// why what is not fit is needed, and what to do.
fn checklist(report: &Report, console: &Console) -> String {
    let glyphs = console.glyphs();
    let width = report.passed().iter().map(|passed| passed.subject.len()).max();
    let width = width.unwrap_or_default();
    let fit = report
        .passed()
        .iter()
        .map(|Passed { subject, found }| format!("{:2} {subject:width$}  {found}", glyphs.done));
    let of = |severity| move |finding: &&Finding| finding.severity == severity;
    let fatal = report.findings().iter().filter(of(Severity::Fatal));
    let unfit = fatal.map(|finding| format!("{:2} {}", glyphs.failed, finding.what));
    let rest = report
        .findings()
        .iter()
        .filter(|finding| finding.severity < Severity::Fatal);
    let lines: Vec<String> = fit.chain(unfit).chain(rest.map(describe)).collect();
    lines.join("\n")
}

fn describe(finding: &Finding) -> String {
    format!(
        "{}: {}\n  why  {}\n  fix  {}",
        finding.severity.name(),
        finding.what,
        finding.why,
        finding.fix
    )
}

fn passed(passed: &Passed) -> Value {
    json!({
        "check": passed.subject,
        "status": "ok",
        "kind": null,
        "reason": passed.found,
        "fix": "",
    })
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
