//! `init` and `lint`, and what `pack` takes from a file.

use std::fs;

use crate::support::keys::{Key, PASSWORD, with_password};
use crate::support::parts::SampleParts;
use crate::support::program::Sandbox;

#[test]
fn init_writes_a_file_that_lint_takes_and_replaces_none_unasked() {
    let sandbox = Sandbox::new();
    let first = sandbox.packager(["init"]);
    assert_eq!((first.status, first.stderr.as_str()), (0, ""), "{first:?}");
    assert!(
        first.stdout.starts_with("`bundle.toml` has every key"),
        "{first:?}"
    );
    let lint = sandbox.packager(["lint"]);
    assert_eq!(
        (lint.status, lint.stdout.as_str()),
        (0, "`bundle.toml` has nothing wrong in it\n")
    );
    let file = sandbox.path("bundle.toml");
    fs::write(&file, "mine").expect("a file");
    let again = sandbox.packager(["init"]);
    assert_eq!(again.status, 2);
    assert_eq!(
        again.stderr,
        "error: `bundle.toml` is there already\n\n\
         hint: name another file, or add `--force` to replace it\n"
    );
    assert_eq!(fs::read_to_string(&file).expect("a file"), "mine");
    assert_eq!(sandbox.packager(["init", "--force"]).status, 0);
    assert_eq!(sandbox.packager(["lint", "bundle.toml"]).status, 0);
}

#[test]
fn lint_names_every_finding_in_text_and_in_json() {
    let sandbox = Sandbox::new();
    fs::write(
        sandbox.path("b.toml"),
        "levle = \"max\"\n[sources]\nca = [\"none.pem\"]\n",
    )
    .expect("a file");
    let text = sandbox.packager(["lint", "b.toml"]);
    assert_eq!(text.status, 2);
    assert_eq!(
        text.stdout,
        "b.toml:1:1: unknown key `levle`; did you mean `level`?\n\
         b.toml:3:7: `none.pem` cannot be found: No such file or directory (os error 2)\n"
    );
    assert_eq!(text.stderr, "error: `b.toml` has 2 findings\n");
    let json = sandbox.packager(["lint", "b.toml", "--output", "json"]);
    assert_eq!((json.status, json.stderr.as_str()), (2, ""));
    let lines: Vec<serde_json::Value> = json
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2);
    let problem = &lines[0]["problems"][1];
    assert_eq!((&problem["line"], &problem["column"]), (&3.into(), &7.into()));
    assert_eq!(lines[1]["kind"], "usage");
}

/// A wrong value of each kind, and what is said of it.
const WRONG_VALUES: [(&str, &str); 15] = [
    (
        "kubernetes-version = \"v1.035\"",
        "1:22: `v1.035` is no version of Kubernetes: give `v1.35.4`, `v1.35` for its newest patch, `stable` or `latest`",
    ),
    (
        "kubernetes-version = 1.35",
        "1:22: invalid type: floating point `1.35`, expected a string",
    ),
    (
        "cni = \"weave\"",
        "1:7: `weave` is not a network that `--cni` brings (auto, bridge, calico, cilium, flannel or kindnet); the images of another \
         go in with `--image docker://NAME`, and its name to the start, after `--`",
    ),
    (
        "level = \"best\"",
        "1:9: `best` is not a level (fast, default or max)",
    ),
    ("level = 19", "1:9: invalid type: integer `19`, expected a string"),
    (
        "split = \"0\"",
        "1:9: `0` is too small: a volume holds at least 1M",
    ),
    (
        "split = \"4000MB\"",
        "1:9: `4000MB` is not a size such as 4000M, 3900MiB or 2G",
    ),
    (
        "kicbase = \"a.tar\"",
        "1:11: `a.tar` does not begin with a known transport (did you mean `docker-archive:a.tar`?); there are `docker-archive:PATH[:REF]`, \
         `oci-archive:PATH[:TAG]`, `oci:DIR[:TAG]`, `docker-daemon:REF`, and `docker://REF`, which may be omitted",
    ),
    (
        "image = [\"docker-archive:\"]",
        "1:10: `docker-archive:` has nothing after `docker-archive:`",
    ),
    (
        "platform = \"windows/amd64\"",
        "1:12: `windows/amd64` is not a platform that can be carried (linux/amd64 or linux/arm64)",
    ),
    (
        "[sources]\nregistry-mirror = [\"docker.io\"]",
        "2:20: `docker.io` is not a registry's mirror such as `registry.k8s.io=mirror.example/k8s`",
    ),
    (
        "[sources]\nregistry-mirror = \"docker.io=m.example\"",
        "2:19: invalid type: string \"docker.io=m.example\", expected a sequence",
    ),
    (
        "[sources]\nimage-repository = \"auto\"",
        "2:20: `auto` is not a registry and a directory such as `mirror.example/k8s`",
    ),
    (
        "[sources]\nimage-repository = 7",
        "2:20: invalid type: integer `7`, expected a string",
    ),
    (
        "[sources]\nminikube-version = \"1.38.1\"",
        "2:20: `1.38.1` is not a release version such as `v1.35.4`",
    ),
];

#[test]
fn lint_says_of_each_wrong_value_where_it_is_and_what_would_be_right() {
    let sandbox = Sandbox::new();
    for (text, says) in WRONG_VALUES {
        fs::write(sandbox.path("b.toml"), text).expect("a file");
        let outcome = sandbox.packager(["lint", "b.toml"]);
        assert_eq!(
            (outcome.status, outcome.stdout),
            (2, format!("b.toml:{says}\n")),
            "{text}"
        );
    }
}

#[test]
fn lint_of_no_file_says_what_writes_one() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.packager(["lint"]);
    assert_eq!(outcome.status, 2);
    assert_eq!(
        outcome.stderr,
        "error: cannot read `bundle.toml`\n  caused by: No such file or directory (os error 2)\n\n\
         hint: name a TOML file; `minikube-offline init` writes one\n"
    );
}

#[test]
fn the_key_to_sign_with_can_stand_in_the_file() {
    let sandbox = Sandbox::new();
    let (key, parts) = (
        Key::make(&sandbox, "k"),
        SampleParts::make(&sandbox.path("parts"), false),
    );
    fs::write(sandbox.path("b.toml"), "sign-key = \"k.key\"\n").expect("a file");
    let stub = sandbox.stub().to_string_lossy().into_owned();
    let mut arguments = vec![
        "pack",
        "-f",
        "b.toml",
        "-o",
        "b.run",
        "--stub",
        &stub,
        "--password-fd=0",
    ];
    let flags = parts.flags();
    arguments.extend(flags.iter().map(String::as_str));
    let packed = with_password(&sandbox, PASSWORD, &arguments);
    assert_eq!(packed.status, 0, "{packed:?}");
    assert!(
        packed.stdout.contains(&format!("signed with key {}", key.id)),
        "{packed:?}"
    );

    fs::write(sandbox.path("b.toml"), "").expect("a file");
    let unsigned = with_password(&sandbox, PASSWORD, &arguments);
    assert_eq!(unsigned.status, 2);
    assert!(
        unsigned
            .stderr
            .starts_with("error: `--password-fd` is given, and no key that it unlocks\n"),
        "{unsigned:?}"
    );
}
