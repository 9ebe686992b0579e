//! What every verb writes about a small bundle, as text and as JSON.

use std::process::Command;

use super::Snapshots;
use crate::support::effort::report;
use crate::support::engine::FakeEngine;
use crate::support::keys::{Key, PASSWORD, text};
use crate::support::parts::SampleParts;
use crate::support::program::{EPOCH, Outcome, Sandbox, bytes};

/// Runs on the packing side, in this order: a name, and the words after the program. `PARTS`
/// stands for the flags of the sample parts, `ID` for the id of the key.
const PACKING: [(&str, &str); 24] = [
    ("init", "init bundle.toml"),
    ("lint", "lint bundle.toml"),
    ("keygen", "keygen -o two --password-fd 0"),
    ("pack", "pack -o p.run --offline --stub stub-arm64 PARTS"),
    (
        "pack-volumes",
        "pack -o s.run --offline --stub stub-arm64 --split 1M PARTS",
    ),
    ("list", "list x.run"),
    ("inspect", "inspect x.run"),
    ("inspect-volumes", "inspect s.run"),
    ("verify", "verify x.run"),
    ("verify-deep", "verify --deep x.run"),
    ("verify-volumes", "verify s.run"),
    ("sign", "sign p.run --key one.key --password-fd 0"),
    ("trust-list-of-none", "trust list"),
    ("trust-add", "trust add one.pub"),
    ("trust-list", "trust list"),
    ("verify-signed", "verify p.run"),
    ("inspect-signed", "inspect p.run"),
    ("trust-remove", "trust remove ID"),
    ("extract", "extract x.run --to out"),
    ("extract-to-cache", "extract x.run --to-cache cache"),
    ("repair-of-nothing", "repair x.run --from y.run"),
    ("repair", "repair damaged.run --from y.run"),
    ("store-list", "store list"),
    ("store-prune", "store prune --all"),
];

/// Runs on a host, with an engine that starts no containers.
const HOST: [(&str, &str); 8] = [
    ("status-before", "status"),
    ("preflight", "preflight r.run"),
    ("start-that-fails", "start r.run -y"),
    ("status", "status"),
    ("stop", "stop"),
    ("uninstall", "uninstall -y"),
    ("uninstall-of-nothing", "uninstall -y"),
    ("status-after", "status"),
];

/// Runs each as text and as JSON, in a sandbox for each.
fn compare(kind: &str, runs: &[(&str, &str)], prepare: fn(&Sandbox)) {
    let sandboxes = ["text", "json"].map(|format| (format, Sandbox::new()));
    let mut snapshots = Snapshots::of(kind);
    for (format, sandbox) in &sandboxes {
        let key = Key::make(sandbox, "one");
        let parts = SampleParts::make(&sandbox.path("parts"), false);
        sandbox.stub();
        prepare(sandbox);
        let engine = FakeEngine::make(sandbox);
        for (name, words) in runs {
            let mut command = Command::new(env!("CARGO_BIN_EXE_minikube-offline"));
            for word in words.split(' ') {
                match word {
                    "PARTS" => command.args(parts.flags()),
                    "ID" => command.arg(&key.id),
                    word => command.arg(word),
                };
            }
            if *format == "json" {
                command.args(["--output", "json"]);
            }
            command.stdin(text(sandbox, &format!("{PASSWORD}\n")));
            let command = engine
                .prepare(sandbox, &mut command)
                .env("SOURCE_DATE_EPOCH", EPOCH);
            let outcome = Outcome::from(command.output().expect("the program starts"));
            let shown = format!("minikube-offline {words}");
            snapshots.run(&format!("{name}-{format}"), &shown, sandbox, &outcome);
        }
    }
    snapshots.end();
}

#[test]
fn every_verb_of_the_packing_side_writes_what_was_reviewed() {
    compare("packing", &PACKING, |sandbox| {
        let bundle = sandbox.sample_bundle("x.run");
        sandbox.sample_bundle("y.run");
        let mut damaged = bytes(&bundle);
        let at = damaged.len() / 2;
        damaged[at] ^= 1;
        std::fs::write(sandbox.path("damaged.run"), damaged).expect("a file");
    });
}

#[test]
fn every_verb_of_the_host_writes_what_was_reviewed() {
    if cfg!(not(target_arch = "x86_64")) || !rustix::process::geteuid().is_root() {
        return report("skipped: the snapshots of a start are of root's on linux/amd64");
    }
    compare("host", &HOST, |sandbox| {
        sandbox.runnable_bundle("r.run");
    });
}
