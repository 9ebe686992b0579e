//! Charts, packed with a real Helm, which `MINIKUBE_OFFLINE_TEST_HELM` names.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::effort::report;
use crate::support::parts::{RunnableParts, write_archive_for};
use crate::support::program::{Outcome, Sandbox, bytes};
use crate::support::stripped;

/// A sandbox with sample parts, the lab's charts in `charts`, and a Helm.
struct Packer {
    sandbox: Sandbox,
    flags: Vec<String>,
}

impl Packer {
    /// `None`, after saying so, where there is no Helm.
    fn new() -> Option<Self> {
        let Some(helm) = std::env::var_os("MINIKUBE_OFFLINE_TEST_HELM") else {
            report("skipped: MINIKUBE_OFFLINE_TEST_HELM does not name a Helm");
            return None;
        };
        let sandbox = Sandbox::new();
        let parts = RunnableParts::make(&sandbox.path("parts"));
        // A directory with no other program in it.
        fs::create_dir(sandbox.path("helm")).unwrap();
        fs::hard_link(&helm, sandbox.path("helm/helm"))
            .or_else(|_| fs::copy(&helm, sandbox.path("helm/helm")).map(|_| ()))
            .expect("a Helm");
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/charts"),
            &sandbox.path("charts"),
        );
        let mut flags = parts.flags();
        flags.push("--binaries=helm".to_owned());
        flags.push("--level=fast".to_owned());
        flags.push(format!("--stub={}", stripped::stub().display()));
        for image in ["registry.example/app:1", "registry.example/prepare:1"] {
            let archive = sandbox.path(&image.replace(['/', ':'], "-"));
            write_archive_for(parts.platform.arch, &archive, image, &[image.as_bytes().to_vec()]);
            flags.push(format!("--image=docker-archive:{}", archive.display()));
        }
        Some(Self { sandbox, flags })
    }

    fn pack(&self, name: &str, flags: &[&str]) -> Outcome {
        let flags = flags.iter().map(|flag| (*flag).to_owned());
        let start = ["pack".to_owned(), format!("-o={name}")].into_iter();
        self.sandbox
            .packager(start.chain(self.flags.iter().cloned()).chain(flags))
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.sandbox.path(name), text).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A `bundle.toml` of three charts.
const THREE: &str = "[[chart]]
path = \"charts/shop\"
values = [\"shop.yaml\"]
namespace = \"market\"

[[chart]]
path = \"charts/queue\"

[[chart]]
path = \"charts/shop\"
release = \"shop.two\"
";

#[test]
fn charts_become_applications_in_their_order() {
    let Some(packer) = Packer::new() else { return };
    packer.write("three.toml", THREE);
    packer.write("shop.yaml", "greeting: welcome\n");
    let outcome = packer.pack("x.run", &["--file=three.toml"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let inspected = packer
        .sandbox
        .packager(["inspect", "--output=json", "x.run"])
        .stdout;
    let last = inspected.lines().last().unwrap();
    let index = &serde_json::from_str::<Value>(last).unwrap()["index"];
    let shown: Vec<String> = index["applications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            format!(
                "{}/{} {} {}",
                it["namespace"], it["release"], it["chart"], it["values"]
            )
        })
        .collect();
    assert_eq!(
        shown.join("\n").replace('"', ""),
        "market/shop shop-1.0.0.tgz [01-shop-1.yaml]\ndefault/queue queue-2.1.0.tgz []\n\
         default/shop.two shop-1.0.0.tgz []"
    );
    let sandbox = &packer.sandbox;
    let text = sandbox.packager(["inspect", "x.run"]).stdout;
    for part in [
        "chart        queue-2.1.0.tgz",
        "values       01-shop-1.yaml",
        "binary       helm",
        "shop in the namespace market: shop-1.0.0.tgz, 01-shop-1.yaml",
    ] {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&text).contains(&words(part)), "{part} in {text}");
    }
    assert_eq!(sandbox.packager(["verify", "--deep", "x.run"]).status, 0);
    assert_eq!(sandbox.packager(["extract", "--to=out", "x.run"]).status, 0);
    assert_eq!(
        bytes(&sandbox.path("out/values/01-shop-1.yaml")),
        b"greeting: welcome\n"
    );
    // The same again, byte for byte, whatever the directory's times are; and by the lock.
    copy(&sandbox.path("charts"), &sandbox.path("copied"));
    fs::remove_dir_all(sandbox.path("charts")).unwrap();
    fs::rename(sandbox.path("copied"), sandbox.path("charts")).unwrap();
    let again = packer.pack("y.run", &["--file=three.toml", "--serial=1"]);
    assert_eq!(again.status, 0, "{again:?}");
    assert!(bytes(&sandbox.path("x.run")) == bytes(&sandbox.path("y.run")));
    let locked = packer.pack("x.run", &["--file=three.toml", "--locked", "--serial=1"]);
    assert_eq!(locked.status, 0, "{locked:?}");
    packer.write("shop.yaml", "greeting: farewell\n");
    let changed = packer.pack("x.run", &["--file=three.toml", "--locked"]);
    assert_eq!(changed.status, 4, "{changed:?}");
    assert!(
        changed.stderr.contains("the values `01-shop-1.yaml`"),
        "{changed:?}"
    );
    // Another order is another lock.
    packer.write("shop.yaml", "greeting: welcome\n");
    let swapped = THREE.replace("release = \"shop.two\"", "release = \"other\"");
    packer.write("three.toml", &swapped);
    let changed = packer.pack("x.run", &["--file=three.toml", "--locked"]);
    assert_eq!(changed.status, 4, "{changed:?}");
    assert!(changed.stderr.contains("applications"), "{changed:?}");
}

#[test]
fn an_archive_is_carried_as_it_is() {
    let Some(packer) = Packer::new() else { return };
    let sandbox = &packer.sandbox;
    let packaged =
        sandbox.run(std::process::Command::new(sandbox.path("helm/helm")).args(["package", "charts/board"]));
    assert_eq!(packaged.status, 0, "{packaged:?}");
    let flags = ["--chart=board-0.3.0.tgz", "--release=news", "--namespace=team"];
    let outcome = packer.pack("x.run", &flags);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert_eq!(sandbox.packager(["extract", "--to=out", "x.run"]).status, 0);
    assert_eq!(
        bytes(&sandbox.path("out/charts/board-0.3.0.tgz")),
        bytes(&sandbox.path("board-0.3.0.tgz"))
    );
}

/// What is wrong, the flags, and what is said.
type Wrong = (&'static str, &'static [&'static str], &'static str);

const WRONG: [Wrong; 27] = [
    ("no such chart", &["--chart=none"], "cannot read `none`"),
    (
        "an empty directory",
        &["--chart=empty"],
        "`empty` cannot be packaged: unable to detect chart at ",
    ),
    (
        "a file that is no archive",
        &["--chart=text.tgz"],
        "`text.tgz` is not a Helm chart: ",
    ),
    (
        "an archive of something else",
        &["--chart=other.tgz"],
        "`other.tgz` is not a Helm chart: ",
    ),
    (
        "an empty file",
        &["--chart=empty.tgz"],
        "`empty.tgz` is not a Helm chart: ",
    ),
    (
        "a chart that is cut short",
        &["--chart=cut.tgz"],
        "`cut.tgz` is not a Helm chart: ",
    ),
    (
        "a chart without a name",
        &["--chart=nameless"],
        "`nameless` cannot be packaged: validation: chart.metadata.name is required",
    ),
    (
        "a chart without a version",
        &["--chart=versionless"],
        "`versionless` cannot be packaged: validation: chart.metadata.version is required",
    ),
    (
        "a version that is none",
        &["--chart=badversion"],
        "`badversion` cannot be packaged: validation: chart.metadata.version \"one\" is invalid",
    ),
    (
        "a Chart.yaml that is no YAML",
        &["--chart=badyaml"],
        "`badyaml` cannot be packaged: cannot load Chart.yaml",
    ),
    (
        "a library",
        &["--chart=library"],
        "`library` is not a Helm chart: it is a library",
    ),
    (
        "a dependency that is not there",
        &["--chart=depends"],
        "`depends` cannot be packaged: found in Chart.yaml, but missing in charts/ directory: postgres",
    ),
    (
        "a template that does not parse",
        &["--chart=broken"],
        "`broken` does not render: parse error at (broken/templates/a.yaml:1)",
    ),
    (
        "a template that fails",
        &["--chart=failing"],
        "`failing` does not render: ",
    ),
    (
        "a template that needs a value",
        &["--chart=needs"],
        "password is required",
    ),
    ("a template that is no YAML", &["--chart=noyaml"], "`noyaml` "),
    (
        "objects without a kind",
        &["--chart=kindless"],
        "`kindless` renders no Kubernetes objects: its object 1 has no `kind`",
    ),
    (
        "a newer Kubernetes",
        &["--chart=newer"],
        "`newer` does not render: chart requires kubeVersion: >=1.99.0 which is incompatible with Kubernetes v1.35.4",
    ),
    (
        "an image that is not given",
        &["--chart=foreign", "--offline"],
        "`foreign` names the image `registry.example/other:2`, which is not given for ",
    ),
    (
        "an image that is none",
        &["--chart=badimage"],
        "does not name an image",
    ),
    (
        "values against the schema",
        &["--chart=charts/shop", "--values=text.yaml"],
        "`charts/shop` does not render: values don't meet the specifications of the schema(s) in the following chart(s):",
    ),
    (
        "values that are no YAML",
        &["--chart=charts/shop", "--values=broken.yaml"],
        "`charts/shop` does not render: failed to parse ",
    ),
    (
        "values that are not there",
        &["--chart=charts/shop", "--values=none.yaml"],
        "cannot read `none.yaml`",
    ),
    (
        "values that are a directory",
        &["--chart=charts/shop", "--values=charts"],
        "`charts` should be a file; it is a directory",
    ),
    (
        "a release that is none",
        &["--chart=charts/shop", "--release=My_Shop"],
        "`My_Shop` cannot be a release: expected a-z, 0-9 and `-`",
    ),
    (
        "a namespace that is none",
        &["--chart=charts/shop", "--namespace=a.b"],
        "`a.b` cannot be a namespace: expected a-z, 0-9 and `-`",
    ),
    (
        "one release twice",
        &["--chart=charts/shop", "--chart=charts/shop"],
        "two charts become the release `shop` in the namespace `default`",
    ),
];

#[test]
fn a_chart_that_cannot_be_packed_is_named_with_helms_reason() {
    let Some(packer) = Packer::new() else { return };
    packer.write("text.tgz", "not an archive\n");
    packer.write("empty.tgz", "");
    packer.write("text.yaml", "replicas: many\n");
    packer.write("broken.yaml", "a: [\n");
    fs::create_dir(packer.sandbox.path("empty")).unwrap();
    let object =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: \"IMAGE\"}]}\n";
    let facts = |name: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    for (name, chart, template) in [
        ("nameless", "apiVersion: v2\nversion: 1.0.0\n".to_owned(), ""),
        (
            "versionless",
            "apiVersion: v2\nname: versionless\n".to_owned(),
            "",
        ),
        (
            "badversion",
            "apiVersion: v2\nname: badversion\nversion: one\n".to_owned(),
            "",
        ),
        ("badyaml", "apiVersion: [\n".to_owned(), ""),
        ("library", facts("library") + "type: library\n", ""),
        (
            "depends",
            facts("depends")
                + "dependencies: [{name: postgres, version: 1.0.0, repository: \"https://charts.example\"}]\n",
            "",
        ),
        ("broken", facts("broken"), "{{ if }}\n"),
        ("failing", facts("failing"), "{{ fail \"not today\" }}\n"),
        (
            "needs",
            facts("needs"),
            "a: {{ required \"password is required\" .Values.password }}\n",
        ),
        ("noyaml", facts("noyaml"), "a: b: c\n"),
        ("kindless", facts("kindless"), "apiVersion: v1\n"),
        ("newer", facts("newer") + "kubeVersion: \">=1.99.0\"\n", object),
        ("foreign", facts("foreign"), "OTHER"),
        ("badimage", facts("badimage"), "BAD"),
    ] {
        fs::create_dir_all(packer.sandbox.path(name).join("templates")).unwrap();
        packer.write(&format!("{name}/Chart.yaml"), &chart);
        let template = match template {
            "OTHER" => object.replace("IMAGE", "registry.example/other:2"),
            "BAD" => object.replace("IMAGE", "Not An Image"),
            template => template.to_owned(),
        };
        packer.write(&format!("{name}/templates/a.yaml"), &template);
    }
    let sandbox = &packer.sandbox;
    let tar = |arguments: &[&str]| sandbox.run(std::process::Command::new("tar").args(arguments));
    assert_eq!(tar(&["-czf", "other.tgz", "text.yaml"]).status, 0);
    assert_eq!(tar(&["-czf", "whole.tgz", "-C", "charts", "shop"]).status, 0);
    let whole = bytes(&sandbox.path("whole.tgz"));
    fs::write(sandbox.path("cut.tgz"), &whole[..whole.len() / 2]).unwrap();
    let mut wrong = Vec::new();
    for (name, flags, says) in WRONG {
        let outcome = packer.pack("x.run", flags);
        if outcome.status != 2 || !outcome.stderr.contains(says) || sandbox.path("x.run").exists() {
            wrong.push(format!("{name}: {} {}", outcome.status, outcome.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_chart_without_helm_is_refused() {
    let sandbox = Sandbox::new();
    let parts = RunnableParts::make(&sandbox.path("parts"));
    let charts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/charts/queue");
    let pack = |flags: &[&str]| {
        let start = ["pack", "-o=x.run", "--offline"].map(str::to_owned).into_iter();
        let chart = [format!("--chart={}", charts.display())];
        let flags = flags.iter().map(|flag| (*flag).to_owned());
        sandbox.packager(start.chain(parts.flags()).chain(chart).chain(flags))
    };
    let outcome = pack(&[]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(
        outcome.stderr.contains("there are charts, and no Helm"),
        "{outcome:?}"
    );
    fs::write(sandbox.path("helm"), "#!/bin/sh\n").unwrap();
    let outcome = pack(&["--binaries=helm"]);
    assert!(
        outcome.stderr.contains("helm `helm` should be a program for"),
        "{outcome:?}"
    );
    let outcome = pack(&["--release=x", "--chart=y"]);
    assert!(
        outcome
            .stderr
            .contains("`--release` is about one chart, and 2 charts are given"),
        "{outcome:?}"
    );
}
