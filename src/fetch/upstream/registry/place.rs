//! Where an image is: a repository in a registry.

/// A repository, and the registry that has it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Place {
    /// The registry's host, with its port where it has one.
    pub(super) host: String,
    /// The repository's name there.
    pub(super) repository: String,
}
