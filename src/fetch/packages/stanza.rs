//! Stanzas of `KEY: value` lines, an empty line between two: the form of dpkg's and apk's
//! databases.

/// The stanzas of `text`.
pub(super) fn stanzas(text: &str) -> impl Iterator<Item = Stanza<'_>> {
    text.split("\n\n")
        .map(Stanza)
        .filter(|stanza| !stanza.0.trim().is_empty())
}

/// One stanza.
#[derive(Clone, Copy)]
pub(super) struct Stanza<'a>(&'a str);

impl<'a> Stanza<'a> {
    /// The first line of the value of `key`.
    pub(super) fn value(self, key: &str) -> Option<&'a str> {
        let mut lines = self.0.lines();
        lines
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
            .map(str::trim)
    }
}
