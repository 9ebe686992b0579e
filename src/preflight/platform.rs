//! Whether programs of one of the bundle's platforms run here.

use super::finding::{Finding, fatal};
use crate::bundle::{Platform, in_words};

/// `engine` is what `uname -m` prints on the engine's machine, where it says so.
pub(crate) fn examine(
    bundle: &[Platform],
    machine: Option<Platform>,
    engine: Option<&str>,
) -> Option<Finding> {
    let is_own = |engine: &str, own: Platform| [own.arch.machine(), own.arch.name(), ""].contains(&engine);
    let found = match (machine, engine) {
        (Some(own), _) if !bundle.contains(&own) => own.to_string(),
        (Some(own), Some(engine)) if !is_own(engine, own) => format!("Docker Engine on {engine}"),
        (Some(_), _) => return None,
        (None, _) => "another platform".to_owned(),
    };
    Some(fatal(
        format!(
            "the bundle is for {}, and this machine is {found}",
            in_words(bundle)
        ),
        "its programs and images cannot run here",
        format!("carry a bundle that was packed for {found}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Arch;

    #[test]
    fn the_machine_and_the_engine_must_both_be_of_the_platform() {
        let amd64 = Platform { arch: Arch::Amd64 };
        let arm64 = Platform { arch: Arch::Arm64 };
        for (machine, engine, said) in [
            (Some(amd64), Some("x86_64"), None),
            (Some(amd64), Some(""), None),
            (Some(amd64), None, None),
            (Some(arm64), Some("aarch64"), Some("this machine is linux/arm64")),
            (
                Some(amd64),
                Some("aarch64"),
                Some("this machine is Docker Engine on aarch64"),
            ),
            (None, None, Some("this machine is another platform")),
        ] {
            let found = examine(&[amd64], machine, engine).map(|finding| finding.what);
            assert_eq!(found.is_some(), said.is_some(), "{machine:?} {engine:?}");
            assert!(said.is_none_or(|said| found.is_some_and(|what| what.ends_with(said))));
        }
        assert!(examine(&[amd64, arm64], Some(arm64), Some("aarch64")).is_none());
    }
}
