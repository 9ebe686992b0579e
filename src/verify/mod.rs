//! A file becomes a [`VerifiedBundle`]: placeholder with the agreed interface.

use std::io::{self, Read};
use std::path::Path;

use crate::bundle::{BundleIndex, Member};
use crate::failure::{Failure, Kind};

/// A bundle whose index is authentic; its members are checked while they are read.
#[derive(Debug)]
pub struct VerifiedBundle(());

/// Members in payload order.
#[derive(Debug)]
pub struct Members<'a>(&'a ());

/// Reads one member's checked bytes.
#[derive(Debug)]
pub struct MemberReader<'a>(&'a ());

/// What verification found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Placeholder.
    #[error("the bundle cannot be verified yet")]
    Unavailable,
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        Self::new(Kind::Damaged, error)
    }
}

impl VerifiedBundle {
    /// What the bundle says of itself.
    #[must_use]
    pub fn index(&self) -> &BundleIndex {
        unreachable!("placeholder")
    }

    /// Where the bundle lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        unreachable!("placeholder")
    }

    /// The members that are wanted, in payload order.
    pub fn members<'a>(&'a self, wanted: impl Fn(&Member) -> bool + 'a) -> Members<'a> {
        drop(wanted);
        Members(&self.0)
    }
}

impl Members<'_> {
    /// The next wanted member.
    pub fn next_member(&mut self) -> Result<Option<MemberReader<'_>>, VerifyError> {
        Err(VerifyError::Unavailable)
    }
}

impl MemberReader<'_> {
    /// Its entry in the index.
    #[must_use]
    pub fn member(&self) -> &Member {
        unreachable!("placeholder")
    }
}

impl Read for MemberReader<'_> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other(VerifyError::Unavailable))
    }
}
