//! Whether there are processors for the node.

use super::finding::{Finding, fatal};
use crate::minikube::MINIMUM_CPUS;

/// `asked` is `--cpus`, where it is a number.
pub(crate) fn examine(asked: Option<u64>, engine_cpus: u64) -> Option<Finding> {
    if engine_cpus < MINIMUM_CPUS {
        return Some(fatal(
            format!("Docker Engine's machine has {engine_cpus} processor"),
            "a node needs 2 at least",
            "give the machine more processors",
        ));
    }
    let asked = asked.filter(|asked| !(MINIMUM_CPUS..=engine_cpus).contains(asked))?;
    Some(fatal(
        format!("`--cpus` asks for {asked}"),
        format!("it can be from 2 to {engine_cpus} on this machine"),
        "ask for another number, or leave `--cpus` away",
    ))
}

/// What there is and what is needed, for a person.
pub(crate) fn margin(asked: Option<u64>, engine_cpus: u64) -> String {
    format!("{engine_cpus}, {} needed", asked.unwrap_or(MINIMUM_CPUS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_two_processors_and_no_more_than_there_are() {
        for (asked, engine_cpus, refused) in [
            (None, 2, false),
            (None, 1, true),
            (Some(2), 2, false),
            (Some(1), 4, true),
            (Some(4), 4, false),
            (Some(5), 4, true),
        ] {
            assert_eq!(
                examine(asked, engine_cpus).is_some(),
                refused,
                "{asked:?} {engine_cpus}"
            );
        }
    }
}
