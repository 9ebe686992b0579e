//! `diff`: the answer is in the exit code, the table and the JSON.

use std::fs;

use crate::support::parts::{SampleParts, elf};
use crate::support::program::Sandbox;

#[test]
fn diff_names_what_changed_and_ends_with_1() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    sandbox.pack(&parts, "a.run");
    let outcome = sandbox.packager(["diff", "a.run", "a.run"]);
    let expected = (0, "`a.run` and `a.run` have the same parts\n");
    assert_eq!((outcome.status, &*outcome.stdout), expected, "{outcome:?}");

    fs::write(parts.directory().join("binaries/kubelet"), elf(183, "newer")).unwrap();
    fs::write(sandbox.path("note.txt"), "a file").unwrap();
    sandbox.pack_with(&parts, "b.run", &["--serial=2", "--include=note.txt"]);
    let outcome = sandbox.packager(["diff", "a.run", "b.run"]);
    assert_eq!(outcome.status, 1, "{outcome:?}");
    assert!(!outcome.stderr.contains("error"), "{outcome:?}");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{outcome:?}");
    assert_eq!(lines[0], "~ serial: 1 -> 2");
    assert!(
        lines[1].starts_with("+ file note.txt: 6 B sha256:"),
        "{outcome:?}"
    );
    assert!(
        lines[2].starts_with("~ binary kubelet linux/arm64: "),
        "{outcome:?}"
    );
    assert!(
        lines[3].starts_with("1 added, 0 removed, 1 changed; "),
        "{outcome:?}"
    );

    let outcome = sandbox.packager(["diff", "b.run", "a.run", "--output=json"]);
    assert_eq!(outcome.status, 1, "{outcome:?}");
    let last = outcome.stdout.lines().last().unwrap();
    let value: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(value["same"], false);
    assert_eq!(value["facts"]["serial"]["new"], "1");
    assert_eq!(value["parts"][0]["status"], "removed");
    assert_eq!(value["parts"][1]["name"], "kubelet");

    fs::write(sandbox.path("x.run"), "no bundle").unwrap();
    assert_eq!(sandbox.packager(["diff", "a.run", "x.run"]).status, 2);
    assert_eq!(sandbox.packager(["diff", "a.run", "none.run"]).status, 5);
    assert_eq!(sandbox.packager(["diff", "a.run"]).status, 2);
}
