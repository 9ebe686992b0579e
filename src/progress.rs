//! How long work tells how far it is, whoever listens.

/// Told of progress; shown on a terminal, written as JSON, or dropped.
///
/// One stage at a time: `begin` ends the stage before it.
pub trait Progress: Sync {
    /// A stage begins. `total_bytes` is what [`Progress::advance`] will add up
    /// to, where that is known.
    fn begin(&self, stage: &str, total_bytes: Option<u64>);

    /// `bytes` more of the stage's total are done.
    fn advance(&self, bytes: u64);

    /// Something worth a line of its own happened inside the stage.
    fn note(&self, text: &str);

    /// The stage ended well, with `outcome` in a few words ("already there").
    fn end(&self, outcome: &str);
}

/// Nobody listens.
#[derive(Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self, _: &str) {}
}
