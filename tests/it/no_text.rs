//! Paths that are bytes and no text: every verb does with them what it does with others.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use crate::support::effort::report;
use crate::support::keys::{Key, PASSWORD};
use crate::support::parts::SampleParts;
use crate::support::program::{Sandbox, copy};

/// A directory's name with a byte that no UTF-8 has, and some that steer a terminal.
const DIR: &[u8] = b"na\xffme\x1b[2J\r";

/// What is run there, which is `$D` and the home, too: `$M` is the program, and `m` the
/// program with a password to read.
const RUNS: [&str; 18] = [
    r#""$M" verify "$D/x.run""#,
    r#""$M" verify --deep "$D/x.run""#,
    r#""$M" inspect "$D/x.run""#,
    r#""$M" inspect --sbom "$D/x.run""#,
    r#""$M" list "$D/x.run""#,
    r#""$M" extract "$D/x.run" --to "$D/out""#,
    r#""$M" extract "$D/x.run" --to-cache "$D/cache""#,
    r#"printf bad | dd of="$D/x.run" bs=1 seek=100 conv=notrunc 2>/dev/null; "$M" repair "$D/x.run" --from "$D/y.run""#,
    r#"m keygen -o "$D/key" --password-fd 0"#,
    r#""$M" trust add "$KEY""#,
    r#""$M" trust list"#,
    r#"m sign "$D/y.run" --key "$SECRET" --password-fd 0"#,
    r#""$M" trust remove "$ID""#,
    r#""$M" init "$D/bundle.toml""#,
    r#""$M" lint "$D/bundle.toml""#,
    r#""$M" man "$D""#,
    r#""$M" store list"#,
    r#""$M" pack -o "$D/p.run" --offline --split 1M --stub "$STUB" "#,
];

#[test]
fn every_verb_takes_paths_that_are_no_text() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = sandbox.sample_bundle("s.run");
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let flags = parts
        .flags()
        .into_iter()
        .map(|flag| format!("'{}' ", flag.replace('\'', r"'\''")));
    let flags: String = flags.collect();
    let mut tried = 0;
    for format in ["text", "json"] {
        let directory = sandbox.path(format).join(OsStr::from_bytes(DIR));
        fs::create_dir_all(&directory).unwrap();
        for name in ["x.run", "y.run"] {
            copy(&bundle, &directory.join(name));
        }
        for run in RUNS {
            let more = if run.contains(" pack ") { &*flags } else { "" };
            let script = format!(
                "export HOME=\"$D\"
                m() {{ echo \"$P\" | \"$M\" \"$@\"; }}
                {run} {more} --output={format}"
            );
            let mut command = Command::new("env");
            let variable = |name: &str, value: &OsStr| {
                let mut variable = OsStr::new(name).to_owned();
                variable.push("=");
                variable.push(value);
                variable
            };
            command.args([
                variable("D", directory.as_os_str()),
                variable("M", OsStr::new(env!("CARGO_BIN_EXE_minikube-offline"))),
                variable("KEY", key.public.as_os_str()),
                variable("P", OsStr::new(PASSWORD)),
                variable("SECRET", key.secret.as_os_str()),
                variable("ID", OsStr::new(&key.id)),
                variable("STUB", sandbox.stub().as_os_str()),
            ]);
            let outcome = sandbox.run(command.args(["sh", "-c", &script]));
            assert_eq!(outcome.status, 0, "{run}: {outcome:?}");
            for said in [&outcome.stdout, &outcome.stderr] {
                let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
                assert!(!said.contains(steers), "{run}: {outcome:?}");
            }
            if format == "json" {
                let last = outcome.stdout.lines().last().expect("a line");
                let value: serde_json::Value = serde_json::from_str(last).expect("JSON");
                assert_eq!(value["type"], "result", "{run}");
            }
            tried += 1;
        }
    }
    report(&format!("{tried} runs with paths that are no text"));
}
