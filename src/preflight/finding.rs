//! One thing that was found, and all of them.

use std::fmt;

use super::checklist::{Checklist, Passed};
use crate::explain::{Explain, Explanation, Kind};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Good to know.
    Note,
    /// The start may fail, or the cluster may lack something.
    Warning,
    /// The start cannot succeed.
    Fatal,
}

impl Severity {
    /// Its name; stable API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Fatal => "fatal",
        }
    }
}

/// One thing about this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The exit code that it stands for, when it is fatal.
    pub kind: Kind,
    /// What was found.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// What the person can do about it.
    pub fix: String,
}

pub(crate) fn fatal(what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding {
        severity: Severity::Fatal,
        kind: Kind::Unfit,
        what: what.into(),
        why: why.into(),
        fix: fix.into(),
    }
}

/// A mistake in the command line, and none of the machine's.
pub(crate) fn usage(what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding {
        kind: Kind::Usage,
        ..fatal(what, why, fix)
    }
}

pub(crate) fn warning(what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding {
        severity: Severity::Warning,
        ..fatal(what, why, fix)
    }
}

pub(crate) fn note(what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding {
        severity: Severity::Note,
        ..fatal(what, why, fix)
    }
}

/// The subject of what is said of file systems.
pub(super) const DISK: &str = "Disk";

/// All that was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
    passed: Vec<Passed>,
}

impl From<Checklist> for Report {
    fn from(list: Checklist) -> Self {
        Self {
            passed: list.passed,
            ..Self::of(list.findings)
        }
    }
}

/// This machine cannot start the cluster.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", headline(reasons), ListOf(reasons))]
pub struct Unfit {
    reasons: Vec<Finding>,
}

impl Explain for Unfit {
    fn explain(&self) -> Explanation {
        match &self.reasons[..] {
            [only] => only.kind.hint(&only.fix),
            several => {
                let mut kinds = several.iter().map(|reason| reason.kind);
                let first = kinds.next().unwrap_or(Kind::Unfit);
                let kind = if kinds.all(|kind| kind == first) {
                    first
                } else {
                    Kind::Unfit
                };
                kind.hint(format!(
                    "fix all {} and run the same command again; nothing was changed on this machine",
                    several.len()
                ))
            }
        }
    }
}

/// A mistake in the command line says nothing about the machine.
fn headline(reasons: &[Finding]) -> &'static str {
    if reasons.iter().all(|reason| reason.kind == Kind::Usage) {
        "cannot start the cluster as asked"
    } else {
        "this machine is not fit to start the cluster"
    }
}

struct ListOf<'a>(&'a [Finding]);

impl fmt::Display for ListOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0 {
            return write!(f, ": {}; {}", only.what, only.why);
        }
        for (number, finding) in self.0.iter().enumerate() {
            let Finding { what, why, fix, .. } = finding;
            write!(f, "\n  {}. {what}; {why}\n     {fix}", number + 1)?;
        }
        Ok(())
    }
}

impl Report {
    /// A report of `findings`, the gravest first.
    #[must_use]
    pub fn of(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Self {
            findings,
            passed: Vec::new(),
        }
    }

    /// What the file systems have, and what is written to each.
    pub fn disks(&self) -> impl Iterator<Item = &str> {
        let disks = self.passed.iter().filter(|passed| passed.subject == DISK);
        disks.map(|passed| passed.found.as_str())
    }

    /// What is as the cluster needs it.
    #[must_use]
    pub fn passed(&self) -> &[Passed] {
        &self.passed
    }

    /// Every finding, the gravest first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What is not fatal, or a failure that lists all that is.
    pub fn into_result(self) -> Result<Vec<Finding>, Unfit> {
        let (reasons, rest): (Vec<_>, Vec<_>) = self
            .findings
            .into_iter()
            .partition(|finding| finding.severity == Severity::Fatal);
        if reasons.is_empty() {
            return Ok(rest);
        }
        Err(Unfit { reasons })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_one_kind_keep_it_and_others_make_the_machine_unfit() {
        let full = Finding {
            kind: Kind::NoSpace,
            ..fatal("full", "w", "m")
        };
        let findings = |list: &[&Finding]| list.iter().map(|finding| (*finding).clone()).collect();
        let kind = |list: &[&Finding]| {
            Report::of(findings(list))
                .into_result()
                .map_err(|unfit| unfit.explain().kind)
        };
        assert_eq!(kind(&[&full, &full]).err(), Some(Kind::NoSpace));
        assert_eq!(kind(&[&full, &fatal("a", "b", "c")]).err(), Some(Kind::Unfit));
        assert!(kind(&[&note("a", "b", "c"), &warning("a", "b", "c")]).is_ok());
    }

    #[test]
    fn a_mistake_in_the_command_line_blames_no_machine() {
        let said = |findings: Vec<Finding>| {
            let unfit = Report::of(findings).into_result().expect_err("fatal");
            (unfit.explain().kind, unfit.to_string())
        };
        let mistake = || {
            usage(
                "`--driver` after `--`",
                "the bundle has one node image",
                "omit it",
            )
        };
        assert_eq!(
            said(vec![mistake()]),
            (
                Kind::Usage,
                "cannot start the cluster as asked: `--driver` after `--`; the bundle has one node image"
                    .to_owned()
            )
        );
        let (kind, text) = said(vec![mistake(), fatal("no Docker", "w", "m")]);
        assert_eq!(kind, Kind::Unfit);
        assert!(
            text.starts_with("this machine is not fit to start the cluster\n  1. "),
            "{text}"
        );
    }

    #[test]
    fn the_gravest_comes_first() {
        let report = Report::of(vec![note("n", "", ""), fatal("f", "", ""), warning("w", "", "")]);
        let order: Vec<&str> = report
            .findings()
            .iter()
            .map(|finding| finding.severity.name())
            .collect();
        assert_eq!(order, ["fatal", "warning", "note"]);
    }
}
