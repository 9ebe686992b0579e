//! Whether there is memory for the node beside what runs already.

use super::finding::{Finding, fatal, note, warning};
use crate::host::MemoryFacts;
use crate::minikube::{MINIMUM_MIB, MinikubeNode};
use crate::shown::human_bytes;

/// `asked` is `--memory` in MiB, which each of `count` nodes may use. `machine` is this
/// machine's memory, where the engine is on it, and `nodes` are those of other profiles that
/// run.
pub(crate) fn examine(
    asked: Option<u64>,
    count: u32,
    engine_mib: u64,
    machine: Option<MemoryFacts>,
    nodes: &[MinikubeNode],
) -> Vec<Finding> {
    if let Some(reason) = too_little(asked, engine_mib) {
        return vec![reason];
    }
    let needed = needed_mib(asked, count);
    let who = if count == 1 {
        "the node"
    } else {
        "the nodes together"
    };
    let available = machine.map(|memory| memory.available_bytes >> 20);
    let names = || {
        let names: Vec<String> = nodes.iter().map(|node| format!("`{}`", node.profile)).collect();
        names.join(", ")
    };
    let mend_nodes = || match nodes.first() {
        Some(node) => format!("stop what is not needed: `minikube stop -p {}`", node.profile),
        None => "end programs that are not needed: `ps aux --sort=-rss | head` shows the largest".to_owned(),
    };
    let mut findings = Vec::new();
    if let Some(available) = available.filter(|available| *available < needed) {
        findings.push(warning(
            format!("{available} MiB of memory are available"),
            format!("{who} may use {needed} MiB, and the kernel ends processes when there are none left"),
            mend_nodes(),
        ));
    } else if !nodes.is_empty() {
        findings.push(note(
            format!("other profiles of minikube run: {}", names()),
            format!("all nodes share the {engine_mib} MiB of the engine's machine"),
            mend_nodes(),
        ));
    }
    findings
}

/// What there is and what is needed, for a person.
pub(crate) fn margin(
    asked: Option<u64>,
    count: u32,
    engine_mib: u64,
    machine: Option<MemoryFacts>,
) -> String {
    let needed = human_bytes(needed_mib(asked, count) << 20);
    match machine {
        Some(memory) => format!(
            "{} available, {needed} needed",
            human_bytes(memory.available_bytes)
        ),
        None => format!("{}, {needed} needed", human_bytes(engine_mib << 20)),
    }
}

fn needed_mib(asked: Option<u64>, count: u32) -> u64 {
    asked.unwrap_or(MINIMUM_MIB).saturating_mul(count.into())
}

fn too_little(asked: Option<u64>, engine_mib: u64) -> Option<Finding> {
    if engine_mib < MINIMUM_MIB {
        return Some(fatal(
            format!("Docker Engine's machine has {engine_mib} MiB of memory"),
            "a node needs 1800 MiB at least",
            "give the machine more memory",
        ));
    }
    let asked = asked?;
    if asked < MINIMUM_MIB {
        return Some(fatal(
            format!("`--memory` asks for {asked} MiB"),
            "a node needs 1800 MiB at least",
            "ask for more, or leave `--memory` away",
        ));
    }
    (asked > engine_mib).then(|| {
        fatal(
            format!("`--memory` asks for {asked} MiB"),
            format!("Docker Engine's machine has {engine_mib} MiB"),
            format!("ask for {} MiB or less", engine_mib * 3 / 4),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::finding::Severity;

    #[test]
    fn memory_is_counted_in_what_is_there_and_what_is_free() {
        let free = |mib: u64| {
            Some(MemoryFacts {
                total_bytes: 8 << 30,
                available_bytes: mib << 20,
            })
        };
        let other = [MinikubeNode {
            profile: "dev".into(),
            memory_bytes: 2200 << 20,
        }];
        for (asked, engine_mib, machine, nodes, expected) in [
            (None, 8192, free(4096), &[][..], None),
            (None, 8192, None, &[], None),
            (None, 1799, free(1000), &[], Some((Severity::Fatal, "1799 MiB"))),
            (
                Some(1000),
                8192,
                free(4096),
                &[],
                Some((Severity::Fatal, "1000 MiB")),
            ),
            (
                Some(9000),
                8192,
                free(4096),
                &[],
                Some((Severity::Fatal, "9000 MiB")),
            ),
            (None, 8192, free(1000), &[], Some((Severity::Warning, "1000 MiB"))),
            (
                Some(4000),
                8192,
                free(3000),
                &other[..],
                Some((Severity::Warning, "3000 MiB")),
            ),
            (None, 8192, free(4096), &other, Some((Severity::Note, "`dev`"))),
        ] {
            let findings = examine(asked, 1, engine_mib, machine, nodes);
            let found = findings
                .first()
                .map(|finding| (finding.severity, finding.what.as_str()));
            match (found, expected) {
                (None, None) => {}
                (Some((severity, what)), Some((wanted, part))) => {
                    assert_eq!(severity, wanted, "{what}");
                    assert!(what.contains(part), "{part} in {what}");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn several_nodes_take_several_times_the_memory() {
        let machine = Some(MemoryFacts {
            total_bytes: 8 << 30,
            available_bytes: 5000 << 20,
        });
        assert_eq!(examine(Some(2400), 2, 8192, machine, &[]).len(), 0);
        let findings = examine(Some(2400), 3, 8192, machine, &[]);
        assert_eq!((findings.len(), findings[0].severity), (1, Severity::Warning));
        assert!(
            findings[0].why.contains("together may use 7200 MiB"),
            "{findings:?}"
        );
    }
}
