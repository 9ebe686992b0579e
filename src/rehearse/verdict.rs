//! Whether a rehearsal went well, and what it failed on.

use super::{Attempt, Report, Target, Workload};
use crate::explain::Kind;

/// Why a bundle is not fit for a host without a network.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// Decides the exit code.
    pub kind: Kind,
    /// What was found.
    pub message: String,
    /// What helps.
    pub hint: String,
}

impl Target {
    /// `name updates.example.com`, `8.8.8.8 port 443/tcp`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Name(name) => format!("name {name}"),
            Self::Address {
                address,
                port: Some(port),
                protocol,
            } => format!("{address} port {port}/{protocol}"),
            Self::Address {
                address,
                port: None,
                protocol,
            } => format!("{address} ({protocol})"),
        }
    }
}

impl Report {
    /// What did not become ready.
    pub fn not_ready(&self) -> impl Iterator<Item = &Workload> {
        self.workloads
            .iter()
            .filter(|workload| workload.waiting_for.is_some())
    }

    /// What depends on a network.
    pub fn needed(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.needed)
    }

    /// Why the bundle is not fit for a host without a network; `None` when it is.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        let wrong = |kind, message: String, hint: &str| {
            let hint = hint.to_owned();
            Some(Verdict { kind, message, hint })
        };
        if self.ended > 0 {
            let peak = self
                .memory
                .map(|bytes| format!(" (it used {bytes} bytes)"))
                .unwrap_or_default();
            return wrong(
                Kind::Unfit,
                format!(
                    "the node needs more memory than it was given{peak}: the kernel ended {} of its processes",
                    self.ended
                ),
                "rehearse with more `--memory`, or lower what the applications use",
            );
        }
        if let Some((error, code)) = &self.start_error {
            let unfit = matches!(code, Some(6 | 9));
            let kind = if unfit { Kind::Unfit } else { Kind::Cluster };
            return wrong(
                kind,
                format!("the bundle does not start on a host without a network: {error}"),
                "fix what the message names, or give the host more with `--memory` and `--disk`",
            );
        }
        let waiting: Vec<String> = self.not_ready().map(describe).collect();
        if !waiting.is_empty() {
            return wrong(
                Kind::Cluster,
                format!("these are not ready without a network: {}", waiting.join("; ")),
                "pack what is missing (`--image` for an image), then rehearse again",
            );
        }
        if self.workloads.is_empty() {
            return wrong(
                Kind::Cluster,
                "the cluster does not answer".to_owned(),
                "rehearse again with `--wait 600`",
            );
        }
        let needed: Vec<String> = self
            .needed()
            .map(|attempt| format!("{} tries {}", attempt.by, attempt.target.describe()))
            .collect();
        if !needed.is_empty() {
            return wrong(
                Kind::Cluster,
                format!("something needs a network: {}", needed.join("; ")),
                "configure the application for a host without a network, or provide that service at the site",
            );
        }
        if self.left.is_empty() {
            return None;
        }
        wrong(
            Kind::Cluster,
            format!("the uninstall left: {}", self.left.join(", ")),
            "look at the verb `uninstall` of the bundle on a machine of its own",
        )
    }
}

fn describe(workload: &Workload) -> String {
    let reason = workload.waiting_for.as_deref().unwrap_or_default();
    format!("{} {}: {reason}", workload.kind, workload.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(waiting_for: Option<&str>) -> Workload {
        Workload {
            kind: "Pod".to_owned(),
            name: "shop/cart-1".to_owned(),
            waiting_for: waiting_for.map(str::to_owned),
            hopeless: false,
        }
    }

    fn attempt(needed: bool) -> Attempt {
        Attempt {
            target: Target::Name("license.example.com".to_owned()),
            by: "pod shop/cart-1".to_owned(),
            count: 1,
            needed,
            why: "",
        }
    }

    fn verdict(report: &Report) -> Option<(u8, String)> {
        let failure = report.verdict()?;
        Some((failure.kind.exit_code(), failure.message))
    }

    #[test]
    fn a_report_fails_with_what_is_worst() {
        let mut report = Report {
            workloads: vec![workload(None)],
            attempts: vec![attempt(false)],
            ..Report::default()
        };
        assert_eq!(verdict(&report), None);
        report.attempts.push(attempt(true));
        let needs = "something needs a network: pod shop/cart-1 tries name license.example.com";
        assert_eq!(verdict(&report), Some((10, needs.to_owned())));
        report.workloads.push(workload(Some("x")));
        let waits = "these are not ready without a network: Pod shop/cart-1: x";
        assert_eq!(verdict(&report), Some((10, waits.to_owned())));
        report.start_error = Some(("too small".to_owned(), Some(9)));
        let start = "the bundle does not start on a host without a network: too small";
        assert_eq!(verdict(&report), Some((9, start.to_owned())));
        report.ended = 2;
        let memory = "the node needs more memory than it was given: the kernel ended 2 of its processes";
        assert_eq!(verdict(&report), Some((9, memory.to_owned())));
    }
}
