//! The serial of a bundle that takes the place of another is counted on from there.

use std::fs;

use crate::support::parts::{SampleParts, elf};
use crate::support::program::{Outcome, Sandbox, bytes};
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;

/// Packs `parts` into `x.run` with more flags; gives the serial, and what was said.
fn pack(sandbox: &Sandbox, parts: &SampleParts, more: &[&str]) -> (u64, Outcome) {
    let bundle = sandbox.path("x.run");
    let mut arguments = vec![
        "pack".to_owned(),
        format!("-o{}", bundle.display()),
        format!("--stub={}", sandbox.stub().display()),
    ];
    arguments.extend(parts.flags());
    arguments.extend(more.iter().map(|flag| (*flag).to_owned()));
    let outcome = sandbox.packager(&arguments);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let opened = OpenedBundle::open(&bundle, &TrustedKeys::none()).expect("a bundle");
    (opened.index().serial, outcome)
}

#[test]
fn what_differs_from_the_bundle_that_it_replaces_gets_a_higher_serial() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let (serial, outcome) = pack(&sandbox, &parts, &[]);
    assert_eq!(serial, 1);
    assert!(!outcome.stderr.contains("serial"), "{outcome:?}");
    let first = bytes(&sandbox.path("x.run"));
    // The same parts give the same bytes, also over themselves.
    assert_eq!(pack(&sandbox, &parts, &[]).0, 1);
    assert!(bytes(&sandbox.path("x.run")) == first);
    // Cut otherwise it is the same bundle, too.
    assert_eq!(pack(&sandbox, &parts, &["--split=1M"]).0, 1);

    fs::write(
        parts.directory().join("binaries/kubelet"),
        elf(183, "another kubelet"),
    )
    .unwrap();
    let (serial, outcome) = pack(&sandbox, &parts, &[]);
    assert_eq!(serial, 2);
    let said = "x.run` with serial 1, and gets serial 2\n";
    assert!(outcome.stderr.contains(said), "{outcome:?}");
    let second = bytes(&sandbox.path("x.run"));
    assert_eq!(pack(&sandbox, &parts, &[]).0, 2);
    assert!(bytes(&sandbox.path("x.run")) == second);

    // What is asked for is taken, and what a site makes of it is said.
    fs::write(
        parts.directory().join("binaries/kubelet"),
        elf(183, "a third kubelet"),
    )
    .unwrap();
    for (asked, said) in [
        (
            "--serial=2",
            "x.run` with serial 2: sites cannot tell which of the two is the newer",
        ),
        ("--serial=7", ""),
        ("--serial=3", ""),
    ] {
        let (serial, outcome) = pack(&sandbox, &parts, &[asked]);
        assert_eq!(format!("--serial={serial}"), asked);
        assert!(outcome.stderr.contains(said), "{outcome:?}");
        assert_eq!(outcome.stderr.contains("sites"), !said.is_empty(), "{outcome:?}");
    }
    fs::write(
        parts.directory().join("binaries/kubelet"),
        elf(183, "a fourth kubelet"),
    )
    .unwrap();
    let (_, outcome) = pack(&sandbox, &parts, &["--serial=1"]);
    let said = "x.run` with serial 3: sites that have that one refuse this one as older";
    assert!(outcome.stderr.contains(said), "{outcome:?}");
    // A bundle of another name follows none.
    fs::write(
        parts.directory().join("binaries/kubelet"),
        elf(183, "a fifth kubelet"),
    )
    .unwrap();
    assert_eq!(pack(&sandbox, &parts, &["--serial=9"]).0, 9);
    assert_eq!(pack(&sandbox, &parts, &["--name=another"]).0, 1);
    // What is no bundle counts for nothing.
    fs::write(sandbox.path("x.run"), "no bundle").unwrap();
    assert_eq!(pack(&sandbox, &parts, &[]).0, 1);
}

#[test]
fn nobody_waits_for_a_pipe_in_the_bundles_place() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let (pipe, mode) = (sandbox.path("x.run"), rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert_eq!(pack(&sandbox, &parts, &[]).0, 1);
}
