//! The arrows between the directories of `src`: each uses what stands before it in the
//! journey, and the site never the packager.

use std::collections::BTreeSet;
use std::fs;

use walkdir::WalkDir;

/// What each directory may use; nothing else.
const ARROWS: [(&str, &[&str]); 29] = [
    ("explain", &[]),
    ("shown", &["bundle"]),
    ("failure", &["explain", "shown"]),
    ("progress", &[]),
    ("oci", &[]),
    ("bundle", &["oci"]),
    ("host", &["bundle", "explain"]),
    ("store", &["bundle", "explain", "host"]),
    ("http", &["bundle", "explain", "host", "progress", "store"]),
    ("spec", &["bundle", "explain", "shown"]),
    ("resolve", &["bundle", "explain", "host"]),
    (
        "fetch",
        &[
            "bundle", "explain", "host", "http", "minikube", "oci", "progress", "resolve", "spec", "store",
        ],
    ),
    ("trust", &["bundle", "explain", "host"]),
    ("attestations", &["bundle", "explain", "progress", "verify"]),
    ("verify", &["bundle", "explain", "host", "progress", "trust"]),
    (
        "repair",
        &["bundle", "explain", "host", "progress", "trust", "verify"],
    ),
    (
        "copy",
        &["bundle", "explain", "host", "progress", "trust", "verify"],
    ),
    (
        "sign",
        &["bundle", "explain", "host", "progress", "trust", "verify"],
    ),
    (
        "pack",
        &["bundle", "explain", "fetch", "host", "progress", "sign", "spec"],
    ),
    (
        "delta",
        &[
            "bundle", "explain", "host", "pack", "progress", "sign", "spec", "trust", "verify",
        ],
    ),
    (
        "update",
        &["bundle", "explain", "host", "http", "progress", "store", "trust"],
    ),
    ("docker", &["bundle", "explain", "host"]),
    ("minikube", &["bundle", "docker", "explain", "host"]),
    (
        "install",
        &[
            "bundle", "docker", "explain", "host", "minikube", "oci", "progress", "verify",
        ],
    ),
    (
        "preflight",
        &[
            "bundle", "docker", "explain", "host", "install", "minikube", "shown", "verify",
        ],
    ),
    (
        "seed",
        &[
            "bundle", "docker", "explain", "host", "install", "minikube", "progress", "verify",
        ],
    ),
    (
        "cluster",
        &[
            "bundle", "docker", "explain", "host", "install", "minikube", "progress", "seed", "verify",
        ],
    ),
    ("rehearse", &["explain", "host", "progress"]),
    (
        "cli",
        &[
            "bundle",
            "cluster",
            "copy",
            "delta",
            "attestations",
            "failure",
            "fetch",
            "host",
            "install",
            "minikube",
            "pack",
            "preflight",
            "progress",
            "rehearse",
            "repair",
            "resolve",
            "http",
            "shown",
            "sign",
            "spec",
            "store",
            "trust",
            "update",
            "verify",
        ],
    ),
];

#[test]
fn a_directory_uses_only_what_the_journey_allows() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut wrong = BTreeSet::new();
    let mut files = 0;
    for entry in WalkDir::new(source) {
        let entry = entry.expect("a directory entry");
        let inside = entry.path().strip_prefix(source).expect("inside src");
        let directory = inside
            .components()
            .next()
            .map(|first| first.as_os_str().to_string_lossy().into_owned());
        let directory = directory.unwrap_or_default().trim_end_matches(".rs").to_owned();
        let rust = inside.extension().is_some_and(|extension| extension == "rs");
        if !rust || ["lib", "main", "bin"].contains(&directory.as_str()) {
            continue;
        }
        files += 1;
        let allowed = ARROWS.iter().find(|(name, _)| *name == directory);
        let allowed = allowed
            .unwrap_or_else(|| panic!("`{directory}` has no place in the journey"))
            .1;
        let text = fs::read_to_string(entry.path()).expect("a source file");
        // Unit tests may stand on what comes later in the journey, for something to try.
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        for used in code.split("crate::").skip(1) {
            let used: String = used
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if used != directory && !allowed.contains(&used.as_str()) && !used.is_empty() {
                wrong.insert(format!("{} uses {used}", inside.display()));
            }
        }
    }
    assert!(files > 30, "{files} files were read");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Names in minikube's directory, labels, variables and flags, as they stand in code. What a
/// new minikube changes is in `src/minikube`.
const MINIKUBES: [&str; 15] = [
    "\".minikube\"",
    "\"machines\"",
    "\"kic\"",
    "lastStart.txt",
    "config/config.json",
    "/var/lib/minikube/",
    "minikube.sigs.k8s.io",
    "MINIKUBE_IN_STYLE",
    "MINIKUBE_WANTUPDATENOTIFICATION",
    "\"--dry-run\"",
    "\"--driver",
    "\"--preload",
    "--base-image=",
    "\"--wait",
    "\"--profile\"",
];

/// Who asks minikube itself, on the connected side or for a report, or another program.
const ASK_MINIKUBE: [(&str, &[&str]); 4] = [
    // A flag of Helm's.
    ("cluster/applications.rs", &["\"--wait"]),
    ("cluster/report.rs", &["\"--profile\""]),
    ("fetch/runtime.rs", &["\"--dry-run\"", "\"--driver"]),
    ("fetch/minikube.rs", &["--base-image="]),
];

#[test]
fn what_a_new_minikube_changes_is_in_one_directory() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let (mut found, mut wrong) = (BTreeSet::new(), BTreeSet::new());
    for entry in WalkDir::new(source) {
        let entry = entry.expect("a directory entry");
        let inside = entry.path().strip_prefix(source).expect("inside src");
        let inside = inside.to_string_lossy().into_owned();
        let is_rust = entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "rs");
        let stem = entry.path().file_stem().unwrap_or_default();
        if !is_rust || stem == "tests" || stem == "fixtures" {
            continue;
        }
        let text = fs::read_to_string(entry.path()).expect("a source file");
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = lines.collect::<Vec<_>>().join("\n");
        for name in MINIKUBES.iter().filter(|name| code.contains(**name)) {
            let asks = ASK_MINIKUBE
                .iter()
                .any(|(file, names)| *file == inside && names.contains(name));
            if inside.starts_with("minikube/") {
                found.insert(*name);
            } else if !asks {
                wrong.insert(format!("{inside} has {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(found.len() > 10, "{found:?}");
}

/// What a file of `src/fetch` may not use, so that a plan is made once, and by asking.
const PLAN: [(&str, &[&str]); 5] = [
    // From a plan to its parts nobody is asked what they are.
    ("download", &["minikube", "remote", "resolve", "toolbox"]),
    // A lock is a plan as it is.
    ("locked", &["download", "minikube", "toolbox"]),
    ("plan", &["download", "minikube", "remote", "resolve", "toolbox"]),
    // Who asks downloads only what has to be asked.
    ("resolve", &["download", "locked"]),
    // Servers know nothing of a plan: each part is wanted by its name or its pin.
    (
        "upstream",
        &["download", "locked", "plan", "remote", "resolve", "toolbox"],
    ),
];

#[test]
fn a_plan_is_made_before_it_is_fetched() {
    let fetch = concat!(env!("CARGO_MANIFEST_DIR"), "/src/fetch");
    let (mut wrong, mut files) = (BTreeSet::new(), 0);
    for entry in WalkDir::new(fetch) {
        let path = entry.expect("a directory entry").into_path();
        let inside = path.strip_prefix(fetch).expect("inside fetch").with_extension("");
        let name = inside
            .components()
            .next()
            .map(|first| first.as_os_str().to_owned());
        let rule = PLAN
            .iter()
            .find(|(file, _)| name.as_ref().is_some_and(|name| name == file));
        let (Some((_, forbidden)), true) = (rule, path.is_file() && !path.ends_with("tests.rs")) else {
            continue;
        };
        files += 1;
        let text = fs::read_to_string(&path).expect("a source file");
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code = code.replace("crate::resolve::", "").replace("::fetch::", "::");
        for module in *forbidden {
            let path = format!("{module}::");
            let is_word = |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if code.match_indices(&path).any(|(at, _)| is_word(&code[..at])) {
                wrong.insert(format!("{} uses {module}", inside.display()));
            }
        }
    }
    assert!(files > 30, "{files} files were read");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The harness keeps what a test that passes prints: `effort::report` goes past it.
#[test]
fn no_test_says_where_nobody_sees_it_that_it_was_skipped() {
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    // In two parts, or this file would be one of them.
    let hidden = ["println!(", "\"skipped"].concat();
    let directories =
        ["it", "faults", "support"].map(|directory| WalkDir::new(format!("{tests}/{directory}")));
    let (mut files, mut wrong) = (0, Vec::new());
    for entry in directories.into_iter().flatten() {
        let path = entry.expect("a directory entry").into_path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            files += 1;
            let text = fs::read_to_string(&path).expect("a source file");
            let words: String = text.split_whitespace().collect();
            if words.contains(&hidden) {
                wrong.push(path);
            }
        }
    }
    assert!(files > 60, "{files} files were read");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
