use std::fs;

use super::*;

fn findings(text: &str) -> Vec<String> {
    lint(text, Path::new("bundle.toml"))
        .into_iter()
        .map(|finding| format!("{}:{}: {}", finding.line, finding.column, finding.message))
        .collect()
}

#[test]
fn all_that_is_wrong_is_named_with_its_place() {
    let text = r#"
kubernets-version = "v1.35.4"
level = "ultra"
container-runtime = "crio"
cni = "weave"
serial = -1
proxy = "http://proxy.example:3128"
image = [
  "docker://app:1",
  "dir:x",
  "docker://app:2", "oci:", 7,
]
name = "Über"

[sources]
level = "max"
image-repository = "registry.example"
image-mirror-country = "cn"
binary-mirror = "https://user:secret@mirror.example"
registry-mirror = ["a=b", "a"]
zzz = 1
"#;
    let found = findings(text);
    let expected = [
        "2:1: unknown key `kubernets-version`; did you mean `kubernetes-version`?",
        "3:9: `ultra` is not a level (fast, default or max)",
        "4:21: `crio` is not a supported container runtime (docker or containerd)",
        "5:7: `weave` is not a network that `--cni` brings (auto, bridge, calico, cilium, flannel or kindnet)",
        "6:10: invalid value: integer `-1`, expected u64",
        "7:1: `proxy` belongs into the table `[sources]`",
        "10:3: `dir:x` does not begin with a known transport",
        "11:21: `oci:` has nothing after `oci:`",
        "11:29: invalid type: integer `7`, expected a string",
        "13:8: `Über` is not a bundle's name",
        "16:1: `level` belongs above the table `[sources]`",
        "18:1: `image-repository` and `image-mirror-country` cannot both be set",
        "19:17: the address in `--binary-mirror` holds a name or a password",
        "20:27: `a` is not a registry's mirror",
        "21:1: unknown key `zzz`",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    assert!(!found.concat().contains("secret"), "{found:#?}");
}

#[test]
fn what_is_no_toml_is_named_and_the_rest_is_still_read() {
    let found = findings("level = \nname = \"a\"\nname = \"b\"\nseriall = 1\n[sources\noffline = 3\n");
    let lines: Vec<&str> = found
        .iter()
        .map(|text| text.split(':').next().unwrap_or_default())
        .collect();
    assert!(lines.starts_with(&["1", "3", "4", "5"]), "{found:#?}");
    assert_eq!(found[2], "4:1: unknown key `seriall`; did you mean `serial`?");
}

#[test]
fn a_file_that_is_named_and_not_there_is_a_finding() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("bundle.toml");
    fs::write(directory.path().join("minikube"), "").expect("a file");
    let text = "minikube = \"minikube\"\nkicbase = \"docker-archive:none.tar\"\n\
                binaries = [\"minikube\", \"nowhere\"]\n[sources]\nca = [\"none.pem\"]\n";
    let found = lint(text, &file);
    let places: Vec<_> = found
        .iter()
        .map(|finding| (finding.line, finding.column))
        .collect();
    assert_eq!(places, [(2, 11), (3, 25), (5, 7)], "{found:#?}");
    let named = format!(
        "`{}` cannot be found: ",
        directory.path().join("none.tar").display()
    );
    assert!(found[0].message.starts_with(&named), "{found:#?}");
}

#[test]
fn what_is_downloaded_contradicts_offline() {
    let text = "kubernetes-version = \"v1.35\"\nimage = [\"docker://app:1\"]\n[sources]\noffline = true\n";
    assert_eq!(
        findings(text),
        [
            "1:22: `v1.35` would be downloaded, and `offline` is set",
            "2:10: `docker://docker.io/library/app:1` would be downloaded, and `offline` is set",
        ]
    );
    assert_eq!(findings(&text.replace("true", "false")), Vec::<String>::new());
}

#[test]
fn the_template_has_no_findings() {
    assert_eq!(findings(crate::spec::TEMPLATE), Vec::<String>::new());
    assert_eq!(findings(""), Vec::<String>::new());
}
