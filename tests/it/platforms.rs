//! A bundle for two platforms: one of them this machine's, the other's programs never run.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use minikube_offline::bundle::{BundleIndex, Platform, PlatformView, blob_path};
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;
use serde_json::Value;

use crate::support::effort::report;
use crate::support::parts::{RunnableParts, write_archive_for};
use crate::support::program::{Outcome, Sandbox, bytes};
use crate::support::stripped;

/// Both platforms' parts, and the flags that pack them.
struct Site {
    sandbox: Sandbox,
    parts: RunnableParts,
    flags: Vec<String>,
}

impl Site {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let parts = RunnableParts::make(&sandbox.path("parts"));
        let mut flags = vec![
            format!("--stub={}", stripped::stub().display()),
            format!("--stub={}", sandbox.stub_for(parts.other().arch).display()),
        ];
        flags.extend(parts.flags_with_other());
        Self {
            sandbox,
            parts,
            flags,
        }
    }

    fn pack(&self, name: &str, flags: &[String]) -> Outcome {
        let output = format!("-o{}", self.sandbox.path(name).display());
        let arguments = ["pack", "--offline", "--level=fast", &output].map(str::to_owned);
        self.sandbox.packager(arguments.iter().chain(flags))
    }

    /// Packs all of it into `x.run`.
    fn bundle(&self) -> PathBuf {
        let outcome = self.pack("x.run", &self.flags);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        self.sandbox.path("x.run")
    }

    fn platforms(&self) -> [Platform; 2] {
        [self.parts.platform, self.parts.other()]
    }
}

fn index(bundle: &Path) -> BundleIndex {
    let opened = OpenedBundle::open(bundle, &TrustedKeys::none()).expect("a bundle");
    opened.index().clone()
}

#[test]
fn one_bundle_has_the_parts_of_both_platforms() {
    let site = Site::new();
    let bundle = site.bundle();
    let sandbox = &site.sandbox;
    let verified = sandbox.packager(["verify", "--deep", "x.run"]);
    assert_eq!(verified.status, 0, "{verified:?}");
    // Four programs, a node image, eight images, for each.
    let all = sandbox.packager(["list", "x.run", "--no-header"]).stdout;
    assert_eq!(all.lines().count(), 26, "{all}");
    for platform in site.platforms() {
        let own = sandbox.packager([
            "list",
            "x.run",
            "--no-header",
            "--platform",
            &platform.to_string(),
        ]);
        assert_eq!(own.stdout.lines().count(), 13, "{own:?}");
        let end = format!("\t{platform}");
        assert!(own.stdout.lines().all(|line| line.ends_with(&end)), "{own:?}");
    }
    let shown = sandbox.packager(["inspect", "x.run"]).stdout;
    assert!(
        shown.contains("on linux/amd64 and linux/arm64, docker"),
        "{shown}"
    );
    let run = sandbox.run(Command::new("sh").arg(&bundle).args(["list", "--no-header"]));
    assert_eq!((run.status, run.stdout), (0, all));
}

#[test]
fn the_flags_order_changes_no_byte() {
    let site = Site::new();
    let first = bytes(&site.bundle());
    let reversed: Vec<String> = site.flags.iter().rev().cloned().collect();
    let outcome = site.pack("y.run", &reversed);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(bytes(&site.sandbox.path("y.run")) == first);
}

/// What belongs to a platform, by its path in the payload.
fn paths(view: PlatformView<'_>) -> BTreeSet<String> {
    let programs = view
        .binaries()
        .map(minikube_offline::bundle::BinaryPart::member_path);
    let layers = view
        .images()
        .flat_map(|image| image.layers.iter().copied().map(blob_path));
    programs.chain(layers).collect()
}

#[test]
fn no_frame_mixes_what_is_for_one_platform_with_what_is_for_another() {
    let site = Site::new();
    let index = index(&site.bundle());
    let [own, other] = site
        .platforms()
        .map(|platform| paths(index.on(platform).expect("both")));
    let shared: BTreeSet<&String> = own.intersection(&other).collect();
    // The layers of the node image and of the pause image.
    assert_eq!(shared.len(), 2);
    let mut members = index.members.iter();
    let kinds = index.frames.iter().map(|frame| {
        let count = usize::try_from(frame.members).expect("few");
        let kind = |path: &String| match (own.contains(path), other.contains(path)) {
            (true, true) => "shared",
            (true, false) => "own",
            (false, true) => "other",
            (false, false) => "small",
        };
        let kinds: BTreeSet<&str> = members
            .by_ref()
            .take(count)
            .map(|member| kind(&member.path))
            .collect();
        kinds.into_iter().collect::<Vec<_>>().join(" ")
    });
    let mut kinds: Vec<String> = kinds.collect();
    kinds.dedup();
    kinds.sort();
    assert_eq!(kinds, ["other", "own", "shared", "small"]);
}

#[test]
fn each_platform_is_extracted_alone() {
    let site = Site::new();
    site.bundle();
    let sandbox = &site.sandbox;
    for (platform, directory) in [
        (site.parts.platform, "parts"),
        (site.parts.other(), "parts/other"),
    ] {
        let to = platform.arch.name();
        let mut arguments = vec!["extract".to_owned(), "x.run".to_owned(), format!("--to={to}")];
        if platform != site.parts.platform {
            arguments.push(format!("--platform={platform}"));
        }
        let outcome = sandbox.packager(&arguments);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        for program in ["minikube", "kubeadm", "kubelet", "kubectl"] {
            let extracted = bytes(&sandbox.path(&format!("{to}/bin/{program}")));
            assert!(
                extracted == bytes(&sandbox.path(&format!("{directory}/{program}"))),
                "{program}"
            );
        }
        let json = bytes(&sandbox.path(&format!("{to}/images/index.json")));
        let layout: Value = serde_json::from_slice(&json).expect("JSON");
        let manifests = layout["manifests"].as_array().expect("a list");
        assert_eq!(manifests.len(), 9);
        for manifest in manifests {
            let name = manifest["annotations"]["org.opencontainers.image.ref.name"].as_str();
            let digest = manifest["digest"]
                .as_str()
                .expect("a digest")
                .replace("sha256:", "");
            assert!(
                sandbox
                    .path(&format!("{to}/images/blobs/sha256/{digest}"))
                    .exists(),
                "{name:?}"
            );
        }
        // Manifest, config and layer of nine images; nothing of the other platform's.
        assert_eq!(
            fs::read_dir(sandbox.path(&format!("{to}/images/blobs/sha256")))
                .unwrap()
                .count(),
            27
        );
    }
    let cached = sandbox.packager([
        "extract".to_owned(),
        "x.run".to_owned(),
        format!("--platform={}", site.parts.other()),
        format!("--to-cache={}", sandbox.path("home/.minikube").display()),
    ]);
    assert_eq!(cached.status, 0, "{cached:?}");
    let arch = site.parts.other().arch.name();
    for directory in ["images", "kic", "linux"] {
        let there: Vec<_> = fs::read_dir(sandbox.path(&format!("home/.minikube/cache/{directory}")))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(there, [arch], "{directory}");
    }
}

#[test]
fn stock_tools_find_each_platforms_images() {
    let site = Site::new();
    let bundle = site.bundle();
    let start = index(&bundle).payload_offset() + 1;
    let script = format!("mkdir out; tail -c +{start} x.run | zstd -d --long=27 | tar -xC out");
    let outcome = site.sandbox.run(Command::new("sh").args(["-c", &script]));
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
    let json = |path: &str| -> Value {
        serde_json::from_slice(&bytes(&site.sandbox.path(&format!("out/images/{path}")))).expect(path)
    };
    let blob = |digest: &Value| {
        json(&format!(
            "blobs/sha256/{}",
            &digest.as_str().expect("a digest")[7..]
        ))
    };
    let layout = json("index.json");
    let listed = layout["manifests"].as_array().expect("a list");
    assert_eq!(listed.len(), 9);
    for list in listed {
        assert_eq!(list["mediaType"], "application/vnd.oci.image.index.v1+json");
        let manifests = blob(&list["digest"]);
        let platforms: Vec<String> = manifests["manifests"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|manifest| {
                let config = blob(&blob(&manifest["digest"])["config"]["digest"]);
                assert_eq!(config["architecture"], manifest["platform"]["architecture"]);
                format!(
                    "{}/{}",
                    manifest["platform"]["os"], manifest["platform"]["architecture"]
                )
            })
            .collect();
        assert_eq!(platforms, ["\"linux\"/\"amd64\"", "\"linux\"/\"arm64\""]);
    }
    for platform in site.platforms() {
        let docker = json(&format!("{platform}/manifest.json"));
        let entries = docker.as_array().expect("a list");
        assert_eq!(entries.len(), 9);
        for entry in entries {
            let config = json(entry["Config"].as_str().expect("a path"));
            assert_eq!(config["architecture"], platform.arch.name());
        }
    }
    assert!(!site.sandbox.path("out/images/manifest.json").exists());
}

#[test]
fn the_header_takes_the_stub_of_the_machine() {
    let site = Site::new();
    let bundle = site.bundle();
    let sandbox = &site.sandbox;
    fs::create_dir(sandbox.path("shims")).unwrap();
    let uname = sandbox.path("shims/uname");
    let machine = site.parts.other().arch.machine();
    let text = format!("#!/bin/sh\n[ \"$1\" = -s ] && echo Linux || echo {machine}\n");
    fs::write(&uname, text).unwrap();
    fs::set_permissions(&uname, fs::Permissions::from_mode(0o755)).unwrap();
    let script = "PATH=\"$PWD/shims:$PATH\" exec \"$0\" list";
    let run = || sandbox.run(Command::new("sh").args(["-c", script]).arg(&bundle));
    // It is cut out whole, and does not run here.
    let outcome = run();
    assert_eq!(outcome.status, 9, "{outcome:?}");
    assert!(
        outcome.stderr.contains("no directory was found where a program"),
        "{outcome:?}"
    );
    let index = index(&bundle);
    let (mut content, mut offset) = (bytes(&bundle), index.header.size);
    for stub in &index.stubs {
        if stub.platform == site.parts.other() {
            content[usize::try_from(offset).expect("small") + 100] ^= 1;
        }
        offset += stub.size;
    }
    fs::write(&bundle, content).unwrap();
    let outcome = run();
    assert_eq!(outcome.status, 4, "{outcome:?}");
}

#[test]
fn a_part_that_one_platform_lacks_is_named() {
    let site = Site::new();
    let other = site.parts.other();
    let without = |word: &str| -> Outcome {
        let (mut flags, mut left) = (site.flags.clone(), false);
        flags.retain(|flag| {
            let is_it = flag.contains("/other/") && flag.contains(word);
            left |= is_it;
            !is_it
        });
        assert!(left, "{word}");
        site.pack("x.run", &flags)
    };
    for (word, part) in [
        ("kubelet", "kubelet"),
        ("kicbase", "the node image (kicbase)"),
        ("pause", "registry.k8s.io/pause:3.10.1"),
    ] {
        let outcome = without(word);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        let expected = format!(
            "error: 1 part is missing for Kubernetes v1.35.4 on linux/amd64 and linux/arm64 (kubeadm lists the \
             images):\n  {part} for {other}\n"
        );
        assert!(
            outcome.stderr.contains(&expected),
            "{expected} in {}",
            outcome.stderr
        );
    }
    let mut of_a_manifest = site.flags.clone();
    let (manifest, archive) = (site.sandbox.path("app.yaml"), site.sandbox.path("app.tar"));
    let pod = "{apiVersion: v1, kind: Pod, spec: {containers: [{name: a, image: 'registry.example/app:1'}]}}";
    fs::write(&manifest, pod).expect("a file");
    let image = "registry.example/app:1";
    write_archive_for(site.parts.platform.arch, &archive, image, &[b"app".to_vec()]);
    of_a_manifest.push(format!("--manifest={}", manifest.display()));
    of_a_manifest.push(format!("--image=docker-archive:{}", archive.display()));
    let outcome = site.pack("x.run", &of_a_manifest);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    let expected = format!("names the image `{image}`, which is not given for {other}");
    assert!(outcome.stderr.contains(&expected), "{outcome:?}");
    of_a_manifest.retain(|flag| !flag.starts_with("--manifest="));
    let outcome = site.pack("x.run", &of_a_manifest);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    let expected = format!("\n  {image} for {other}\n");
    assert!(outcome.stderr.contains(&expected), "{outcome:?}");
    let no_stub: Vec<String> = site
        .flags
        .iter()
        .filter(|flag| !flag.contains("stub-"))
        .cloned()
        .collect();
    let outcome = site.pack("x.run", &no_stub);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(
        outcome.stderr.contains(&format!(
            "error: there is no stub for {other}\n\nhint: give one with --stub: `make build` on a machine of {other}"
        )),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_machine_that_a_bundle_is_not_for_is_told_so() {
    let sandbox = Sandbox::new();
    if minikube_offline::bundle::Arch::Arm64 == RunnableParts::make(&sandbox.path("own")).platform.arch {
        report("skipped: the sample parts are for this machine");
        return;
    }
    let bundle = sandbox.sample_bundle("arm.run");
    let outcome = sandbox.run(Command::new("sh").arg(&bundle).arg("-y"));
    assert_eq!(
        (outcome.status, outcome.stderr.as_str()),
        (
            9,
            "error: this bundle runs on linux/arm64, and this machine is Linux/x86_64\n\n\
             hint: pack one for it: minikube-offline pack --platform linux/amd64\n"
        )
    );
    let outcome = sandbox.packager(["start", "arm.run", "-y"]);
    assert_eq!(outcome.status, 9, "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("the bundle is for linux/arm64, and this machine is linux/amd64"),
        "{}",
        outcome.stderr
    );
    let outcome = sandbox.packager(["list", "arm.run", "--platform=linux/amd64"]);
    assert_eq!(outcome.status, 9, "{outcome:?}");
    assert_eq!(
        outcome.stderr.lines().find(|line| line.starts_with("error")),
        Some("error: `arm.run` is for linux/arm64, and not for linux/amd64")
    );
}

/// What is changed, and what is said of it.
type Case = (fn(&mut BundleIndex), &'static str);

#[test]
fn an_index_with_parts_of_two_platforms_is_as_strict_as_one() {
    let site = Site::new();
    let whole = index(&site.bundle());
    whole.encode().expect("as it was packed");
    let other = whole.cluster.platforms[1];
    let cases: [Case; 9] = [
        (
            |index| index.cluster.platforms.reverse(),
            "the platforms are not in order",
        ),
        (|index| index.cluster.platforms.clear(), "or there is none"),
        (
            |index| index.cluster.platforms.truncate(1),
            "there is not one stub for each platform",
        ),
        (
            |index| index.stubs.reverse(),
            "there is not one stub for each platform",
        ),
        (
            |index| index.binaries.swap(0, 4),
            "there is not one program for each platform and role",
        ),
        (|index| index.images.swap(0, 9), "the images are not in order"),
        (
            |index| drop(index.images.remove(9)),
            "no part needs `images/blobs/sha256/",
        ),
        (
            |index| drop(index.image_indexes.pop()),
            "no part needs `images/blobs/sha256/",
        ),
        (
            |index| index.image_indexes.swap(0, 1),
            "there is not one image index for each image's name",
        ),
    ];
    for (number, (change, words)) in cases.into_iter().enumerate() {
        let mut changed = whole.clone();
        change(&mut changed);
        let error = changed.encode().expect_err("changed").to_string();
        assert!(error.contains(words), "{number}: {error}");
    }
    assert!(whole.on(other).is_some());
}
