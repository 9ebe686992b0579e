//! `--help` of both programs and of each of their verbs.

use std::process::Command;

use super::Snapshots;
use crate::support::program::Sandbox;

#[test]
fn every_help_is_as_it_was_reviewed() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("x.run");
    let mut snapshots = Snapshots::of("help");
    let mut pages = 0;
    for (program, name) in [
        (
            env!("CARGO_BIN_EXE_minikube-offline").as_ref(),
            "minikube-offline",
        ),
        (bundle.as_path(), "bundle"),
    ] {
        let mut verbs = vec![Vec::new()];
        while let Some(verb) = verbs.pop() {
            let mut command = Command::new(program);
            let outcome = sandbox.run(command.args(&verb).arg("--help"));
            assert_eq!((outcome.status, &*outcome.stderr), (0, ""), "{verb:?}");
            let wide: Vec<&str> = outcome
                .stdout
                .lines()
                .filter(|line| line.chars().count() > 80)
                .collect();
            assert_eq!(wide, [""; 0], "{verb:?}");
            let file = std::iter::once(name).chain(verb.iter().map(String::as_str));
            let file = file.collect::<Vec<_>>().join(" ");
            snapshots.text(&file.replace(' ', "-"), &outcome.stdout);
            pages += 1;
            verbs.extend(listed(&outcome.stdout).map(|next| [&verb[..], &[next]].concat()));
        }
    }
    assert!(pages > 30, "{pages}");
    snapshots.end();
}

/// The verbs that a help lists, but for `help` itself.
fn listed(help: &str) -> impl Iterator<Item = String> {
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    commands
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .map(str::to_owned)
}
