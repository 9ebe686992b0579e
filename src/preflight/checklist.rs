//! What was looked at: what is fit, with its margin, and what is not.

use super::finding::{Finding, Severity};

/// Something that is as the cluster needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Passed {
    /// What was looked at.
    pub subject: &'static str,
    /// What was found, and what is needed.
    pub found: String,
}

/// All that was looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Checklist {
    pub(super) passed: Vec<Passed>,
    pub(super) findings: Vec<Finding>,
}

impl Checklist {
    /// Adds what there is to say of a subject. It is fit when nothing more than a note is; what
    /// was `found` is then shown, an item for each part of it.
    pub(super) fn add(
        &mut self,
        subject: &'static str,
        found: impl IntoIterator<Item = String>,
        findings: impl IntoIterator<Item = Finding>,
    ) {
        let before = self.findings.len();
        self.findings.extend(findings);
        let fit = self.findings[before..]
            .iter()
            .all(|finding| finding.severity == Severity::Note);
        if fit {
            let found = found.into_iter();
            self.passed.extend(found.map(|found| Passed { subject, found }));
        }
    }

    /// Adds what is only worth a word when something is wrong.
    pub(super) fn look(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::finding::{note, warning};

    #[test]
    fn a_subject_with_a_warning_is_not_among_those_that_are_fit() {
        let mut list = Checklist::default();
        let found = || ["2, 2 needed".to_owned()];
        list.add("CPUs", found(), []);
        list.add("Memory", found(), [note("n", "w", "f")]);
        list.add("Disk", found(), [warning("n", "w", "f")]);
        let passed: Vec<&str> = list.passed.iter().map(|passed| passed.subject).collect();
        assert_eq!((passed, list.findings.len()), (vec!["CPUs", "Memory"], 2));
    }
}
