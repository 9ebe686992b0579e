//! The manual, which travels inside the program: there is no web at the site.

use clap::Command;
use clap::builder::PossibleValue;
use serde_json::json;

use super::console::Console;
use super::reference::reference;
use crate::failure::Failure;

/// A guide: its name, what it is about, and its text in Markdown.
struct Guide {
    name: &'static str,
    about: &'static str,
    text: &'static str,
}

const GUIDES: [Guide; 7] = [
    Guide {
        name: "packing",
        about: "Inputs, applications, bundle.toml, platforms, reproducibility",
        text: include_str!("../../templates/guide/packing.md"),
    },
    Guide {
        name: "applications",
        about: "Helm charts, their values, upgrades, what is not ready",
        text: include_str!("../../templates/guide/applications.md"),
    },
    Guide {
        name: "downloads",
        about: "Servers, proxies, mirrors, private registries",
        text: include_str!("../../templates/guide/downloads.md"),
    },
    Guide {
        name: "on-site",
        about: "Start, preflight, what is written, uninstall",
        text: include_str!("../../templates/guide/on-site.md"),
    },
    Guide {
        name: "trust",
        about: "Keys, older bundles, publishers' signatures, confinement",
        text: include_str!("../../templates/guide/trust.md"),
    },
    Guide {
        name: "automation",
        about: "Exit codes, JSON output, variables, config file",
        text: concat!(
            include_str!("../../templates/guide/automation.md"),
            "\n## The schema of a line\n\n```json\n",
            include_str!("output.schema.json"),
            "```\n"
        ),
    },
    Guide {
        name: "troubleshooting",
        about: "From symptom to fix",
        text: include_str!("../../templates/guide/troubleshooting.md"),
    },
];

/// The one that is made from clap's definition.
const REFERENCE: (&str, &str) = ("reference", "Every verb, flag, variable and key");

/// Which guide to show.
#[derive(clap::Args, Debug)]
pub(super) struct GuideArgs {
    /// Topic to show [default: the list of topics]
    #[arg(value_parser = topics())]
    topic: Option<String>,
}

fn topics() -> Vec<PossibleValue> {
    let value = |guide: &Guide| PossibleValue::new(guide.name).help(guide.about);
    let reference = PossibleValue::new(REFERENCE.0).help(REFERENCE.1);
    GUIDES.iter().map(value).chain([reference]).collect()
}

/// Shows a guide, or the list of them.
pub(super) fn run(
    args: &GuideArgs,
    program: impl FnOnce() -> Command,
    console: &Console,
) -> Result<(), Failure> {
    if args.topic.as_deref() == Some(REFERENCE.0) {
        let mut program = program();
        program.build();
        let text = reference(&program);
        return console.result(&text, &json!({ "topic": REFERENCE.0, "text": text }));
    }
    let asked = |guide: &&Guide| Some(guide.name) == args.topic.as_deref();
    if let Some(guide) = GUIDES.iter().find(asked) {
        return console.result(guide.text, &json!({ "topic": guide.name, "text": guide.text }));
    }
    let topics = || {
        GUIDES
            .iter()
            .map(|guide| (guide.name, guide.about))
            .chain([REFERENCE])
    };
    let lines: Vec<String> = topics()
        .map(|(name, about)| format!("{name:<16} {about}"))
        .collect();
    let names: Vec<_> = topics()
        .map(|(name, about)| json!({ "topic": name, "about": about }))
        .collect();
    console.result(&lines.join("\n"), &json!({ "topics": names }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn every_guide_is_embedded_and_fits_the_terminal() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/guide");
        let there = fs::read_dir(directory).expect("templates/guide").count();
        assert_eq!(there, GUIDES.len());
        for guide in &GUIDES {
            assert!(guide.text.starts_with("# "), "{}", guide.name);
            let code = guide.text.lines().filter(|line| line.starts_with("    "));
            let wide: Vec<&str> = code.filter(|line| line.len() > 100).collect();
            assert_eq!(wide, [""; 0], "{}", guide.name);
        }
    }

    #[test]
    fn the_table_of_exit_codes_is_the_programs() {
        use crate::failure::Kind;
        let text = include_str!("../../templates/guide/automation.md");
        for kind in [
            Kind::Other,
            Kind::Usage,
            Kind::NotAuthentic,
            Kind::Damaged,
            Kind::Io,
            Kind::NoSpace,
            Kind::Locked,
            Kind::Downgrade,
            Kind::Unfit,
            Kind::Cluster,
            Kind::Stopped,
            Kind::Absent,
        ] {
            let row = format!("| {} | `{}` |", kind.exit_code(), kind.name());
            assert!(text.contains(&row), "{row}");
        }
    }
}
