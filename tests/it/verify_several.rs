//! `verify FILE...`: each bundle is reported, whatever was found in the others.

use std::fs;

use serde_json::Value;

use crate::support::program::{Sandbox, bytes, copy};

#[test]
fn one_damaged_file_does_not_stop_the_others() {
    let sandbox = Sandbox::new();
    let good = sandbox.sample_bundle("a.run");
    copy(&good, &sandbox.path("c.run"));
    let mut damaged = bytes(&good);
    damaged[500_000] ^= 1;
    fs::write(sandbox.path("b.run"), damaged).unwrap();
    let all = ["verify", "a.run", "b.run", "nothing.run", "c.run"];

    let text = sandbox.packager(all);
    assert_eq!(text.status, 5, "the highest of 4 and 5: {text:?}");
    let lines: Vec<&str> = text.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{text:?}");
    assert!(
        lines[0].starts_with("a.run: OK (") && lines[0].ends_with(", not signed)"),
        "{text:?}"
    );
    assert!(lines[1].starts_with("b.run: FAILED (damaged): "), "{text:?}");
    assert!(
        lines[2].starts_with("nothing.run: FAILED (io): cannot open `nothing.run`"),
        "{text:?}"
    );
    assert!(lines[3].starts_with("c.run: OK ("), "{text:?}");
    assert!(
        text.stderr.contains("error: cannot accept 2 of 4 bundles\n"),
        "{text:?}"
    );

    let json = sandbox.packager(all.into_iter().chain(["--json"]));
    let results: Vec<Value> = json
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|value| value["type"] == "result")
        .collect();
    assert_eq!((json.status, results.len()), (5, 1), "{json:?}");
    let found: Vec<_> = results[0]["bundles"].as_array().unwrap().iter().collect();
    let of = |at: usize| {
        (
            found[at]["bundle"].as_str().unwrap(),
            found[at]["status"].as_str().unwrap(),
        )
    };
    assert_eq!(of(0), ("a.run", "ok"));
    assert_eq!(of(1), ("b.run", "failed"));
    assert_eq!(found[1]["kind"], "damaged");
    assert_eq!(found[2]["kind"], "io");
    assert_eq!(of(3), ("c.run", "ok"));

    let both = sandbox.packager(["verify", "a.run", "c.run"]);
    assert_eq!((both.status, both.stdout.lines().count()), (0, 2), "{both:?}");
    let one = sandbox.packager(["verify", "b.run", "--json", "-q"]);
    assert_eq!(one.status, 4, "{one:?}");
    assert!(one.stdout.contains("\"bundles\":[{"), "{one:?}");
}
