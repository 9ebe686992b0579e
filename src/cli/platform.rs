//! Which of a bundle's platforms a verb is about.

use crate::bundle::{BundleIndex, Platform, in_words};
use crate::failure::{Failure, Kind};

/// The platform whose parts are used: the one that is asked for, else this machine's,
/// else the only one that there is.
pub(super) fn choose(asked: Option<Platform>, index: &BundleIndex) -> Result<Platform, Failure> {
    let there = &index.cluster.platforms;
    let own = Platform::of_this_machine().filter(|own| there.contains(own));
    match (asked.or(own), there.as_slice()) {
        (Some(platform), _) => Ok(platform),
        (None, [only]) => Ok(*only),
        (None, several) => Err(Failure::new(
            Kind::Usage,
            format!(
                "the bundle is for {}, none of which is this machine's platform",
                in_words(several)
            ),
        )
        .hint("say which with `--platform`")),
    }
}
