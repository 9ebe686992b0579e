//! The errors that a person meets first, whole, with their exit codes.

// A table of one expression a line.
#![allow(clippy::semicolon_if_nothing_returned)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::Snapshots;
use crate::support::effort::report;
use crate::support::engine::FakeEngine;
use crate::support::keys::{Key, PASSWORD, text};
use crate::support::parts::{SampleParts, elf};
use crate::support::program::{Sandbox, bytes};

/// Where an error happens: `x.run` is a sound bundle.
struct Ground {
    sandbox: Sandbox,
    engine: FakeEngine,
}

impl Ground {
    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.sandbox.path(name), content).expect("a file");
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut content = bytes(&self.sandbox.path(name));
        change(&mut content);
        self.write(name, content);
    }

    fn runnable(&self) {
        self.sandbox.runnable_bundle("r.run");
    }

    fn signed(&self, name: &str) {
        let outcome = Key::make(&self.sandbox, name).sign(&self.sandbox, &self.sandbox.path("x.run"));
        assert_eq!(outcome.status, 0, "{outcome:?}");
    }

    fn pin(&self, name: &str) {
        Key::make(&self.sandbox, name);
        let outcome = self.sandbox.packager(["trust", "add", &format!("{name}.pub")]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
    }
}

type Case = (&'static str, &'static str, fn(&Ground));

const OK: fn(&Ground) = |_| {};

/// A name, the words after the program, and what is wrong there. `PARTS` stands for the
/// flags of the sample parts.
const CASES: &[Case] = &[
    ("no-verb", "", OK),
    ("unknown-verb", "strat x.run", OK),
    ("unknown-flag", "verify x.run --fast", OK),
    ("flag-of-minikube", "start x.run --driver=podman", OK),
    ("short-output", "list x.run -o json", OK),
    ("unknown-format", "list x.run --output yaml", OK),
    ("verify-nothing", "verify", OK),
    ("no-such-file", "verify nothing.run", OK),
    ("a-directory", "verify home", OK),
    ("an-empty-file", "verify empty.run", |ground| {
        ground.write("empty.run", "")
    }),
    ("no-bundle", "verify text.run", |ground| {
        ground.write("text.run", "hello\n".repeat(9000))
    }),
    ("cut-short", "verify x.run", |ground| {
        ground.change("x.run", |bytes| bytes.truncate(bytes.len() - 5000));
    }),
    ("too-long", "verify x.run", |ground| {
        ground.change("x.run", |bytes| bytes.extend([0; 3]))
    }),
    ("damaged-payload", "verify x.run", |ground| {
        ground.change("x.run", |bytes| bytes[500_000] ^= 1);
    }),
    ("damaged-index", "verify x.run", |ground| {
        ground.change("x.run", |bytes| {
            let at = bytes.len() - 2000;
            bytes[at] ^= 1;
        });
    }),
    ("not-signed", "verify x.run", |ground| ground.pin("one")),
    ("signed-by-another", "verify x.run", |ground| {
        ground.signed("two");
        ground.pin("one");
    }),
    ("start-not-signed", "start x.run -y", |ground| ground.pin("one")),
    ("trust-no-key", "trust add nonsense.pub", |ground| {
        ground.write("nonsense.pub", "hello\n")
    }),
    ("trust-unknown-id", "trust remove 0000000000000000", OK),
    ("sign-without-key", "sign x.run", OK),
    ("sign-no-such-key", "sign x.run --key no.key", OK),
    (
        "sign-wrong-password",
        "sign x.run --key one.key --password-fd 0",
        |ground| {
            Key::make(&ground.sandbox, "one");
            ground.write("password", "wrong\n");
        },
    ),
    (
        "keygen-there-already",
        "keygen -o one --password-fd 0",
        |ground| {
            Key::make(&ground.sandbox, "one");
        },
    ),
    ("extract-nowhere", "extract x.run", OK),
    ("extract-over-other-files", "extract x.run --to other", |ground| {
        fs::create_dir(ground.sandbox.path("other")).expect("a directory");
        ground.write("other/notes.txt", "mine\n");
    }),
    ("extract-onto-a-file", "extract x.run --to text", |ground| {
        ground.write("text", "hello\n")
    }),
    ("pack-nothing", "pack --offline", OK),
    ("pack-without-kubernetes", "pack -o p.run --offline", OK),
    (
        "pack-without-parts",
        "pack -o p.run --offline --kubernetes-version v1.34.0",
        OK,
    ),
    ("pack-no-stub", "pack -o p.run --offline --stub nothing PARTS", OK),
    (
        "pack-wrong-architecture",
        "pack -o p.run --offline --stub stub-arm64 PARTS",
        |ground| {
            ground.write("parts/binaries/kubelet", elf(62, "x"));
        },
    ),
    (
        "pack-no-archive",
        "pack -o p.run --offline --stub stub-arm64 PARTS",
        |ground| {
            ground.write("parts/images/registry.k8s.io_pause_3.10.1.tar", "hello\n");
        },
    ),
    ("pack-bad-version", "pack -o p.run --kubernetes-version 1.x", OK),
    ("pack-bad-runtime", "pack -o p.run --container-runtime podman", OK),
    ("pack-bad-platform", "pack -o p.run --platform linux/riscv64", OK),
    ("pack-bad-split", "pack -o p.run --split 1X", OK),
    ("pack-bad-level", "pack -o p.run --level 99", OK),
    ("pack-bad-image", "pack -o p.run --image NGINX:latest", OK),
    ("pack-no-spec", "pack -f bundle.toml", OK),
    ("pack-bad-spec", "pack -f bundle.toml", |ground| {
        ground.write("bundle.toml", "kubernetes-version = \"v1.34.0\"\nkubernets = 1\n");
    }),
    ("init-there-already", "init bundle.toml", |ground| {
        ground.write("bundle.toml", "")
    }),
    ("lint-nothing", "lint bundle.toml", OK),
    ("repair-without-copy", "repair x.run --from nothing.run", OK),
    ("repair-both-damaged", "repair x.run --from y.run", |ground| {
        ground.sandbox.sample_bundle("y.run");
        for name in ["x.run", "y.run"] {
            ground.change(name, |bytes| bytes[500_000] ^= 1);
        }
    }),
    ("start-of-another-machine", "start x.run -y", OK),
    ("start-unasked", "start r.run", Ground::runnable),
    ("start-no-engine", "start r.run -y", |ground| {
        ground.runnable();
        ground
            .engine
            .fails("info --format", Some("Cannot connect to the Docker daemon"));
    }),
    ("start-little-memory", "start r.run -y", |ground| {
        ground.runnable();
        ground.engine.says("MemTotal", 1u64 << 30);
    }),
    ("start-old-engine", "start r.run -y", |ground| {
        ground.runnable();
        ground.engine.says("ServerVersion", "17.03.1-ce");
    }),
    (
        "start-much-memory",
        "start r.run -y --memory=64g",
        Ground::runnable,
    ),
    ("start-damaged", "start r.run -y", |ground| {
        ground.runnable();
        ground.change("r.run", |bytes| {
            let at = bytes.len() / 2;
            bytes[at] ^= 1;
        });
    }),
    (
        "self-update-no-key",
        "self-update --from http://127.0.0.1:9/x",
        OK,
    ),
    ("guide-unknown-topic", "guide nothing", OK),
    ("trust-open-to-all", "trust list", |ground| {
        let directory = ground.sandbox.path("home/.config/minikube-offline/trust.d");
        fs::create_dir_all(&directory).expect("a directory");
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).expect("ours");
    }),
];

#[test]
fn the_first_errors_are_as_they_were_reviewed() {
    let mut snapshots = Snapshots::of("errors");
    for (name, words, spoil) in CASES {
        if cfg!(not(target_arch = "x86_64")) && words.starts_with("start") {
            report("skipped: the snapshots of a start are of linux/amd64");
            continue;
        }
        let sandbox = Sandbox::new();
        let parts = SampleParts::make(&sandbox.path("parts"), false);
        sandbox.stub();
        sandbox.sample_bundle("x.run");
        let ground = Ground {
            engine: FakeEngine::make(&sandbox),
            sandbox,
        };
        spoil(&ground);
        let mut command = Command::new(env!("CARGO_BIN_EXE_minikube-offline"));
        for word in words.split_whitespace() {
            if word == "PARTS" {
                command.args(parts.flags());
            } else {
                command.arg(word);
            }
        }
        let password = fs::read_to_string(ground.sandbox.path("password")).unwrap_or(format!("{PASSWORD}\n"));
        command.stdin(text(&ground.sandbox, password.trim_end()));
        let outcome = ground.engine.run(&ground.sandbox, &mut command);
        assert_ne!(outcome.status, 0, "`{name}`: {outcome:?}");
        let shown = format!("minikube-offline {words}");
        snapshots.run(name, shown.trim_end(), &ground.sandbox, &outcome);
    }
    snapshots.end();
}
