//! An error as a person reads it.

use std::error::Error;
use std::iter;

/// The words of an error and of its causes.
pub(crate) fn words_of(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
