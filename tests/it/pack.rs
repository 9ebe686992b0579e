//! `pack`: what it makes of good parts, and what it says of bad ones.

use std::fs;

use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;

use crate::support::parts::{SampleParts, elf, write_archive};
use crate::support::program::{Sandbox, bytes};

#[test]
fn the_same_parts_give_the_same_bytes_in_any_directory_and_order() {
    let sandbox = Sandbox::new();
    let first = SampleParts::make(&sandbox.path("one"), false);
    let second = SampleParts::make(&sandbox.path("two/deep er"), true);
    let one = sandbox.pack(&first, "one.run");
    let two = sandbox.pack(&second, "two.run");
    assert!(bytes(&one) == bytes(&two));
    let left: Vec<_> = fs::read_dir(sandbox.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().contains("partial")),
        "{left:?}"
    );
}

#[test]
fn a_layer_that_two_images_share_is_stored_once() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let alone = bytes(&sandbox.pack(&parts, "alone.run")).len();
    // The same layer as kube-proxy's, under a name of the user's own.
    let layer = crate::support::parts::noise("registry.k8s.io/kube-proxy:v1.34.0", 70_000);
    let own = sandbox.path("own.tar");
    write_archive(&own, "registry.example/app:1", &[layer]);
    let bundle = sandbox.path("shared.run");
    let mut arguments = vec!["pack".to_owned(), format!("-o{}", bundle.display())];
    arguments.push(format!("--stub={}", sandbox.stub().display()));
    arguments.push(format!("--image=docker-archive:{}", own.display()));
    arguments.extend(parts.flags());
    let outcome = sandbox.packager(&arguments);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        bytes(&bundle).len() < alone + 8192,
        "{} and {alone}",
        bytes(&bundle).len()
    );
}

#[test]
fn pack_hashes_a_stored_byte_once_and_every_member() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let stub = format!("--stub={}", sandbox.stub().display());
    let mut arguments = ["pack", "-ox.run", "--output=json", &stub]
        .map(str::to_owned)
        .to_vec();
    arguments.extend(parts.flags());
    let outcome = sandbox.packager(&arguments);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let last: serde_json::Value = serde_json::from_str(outcome.stdout.lines().last().unwrap()).unwrap();
    let opened = OpenedBundle::open(&sandbox.path("x.run"), &TrustedKeys::none()).unwrap();
    let hashed = &last["hashed_bytes"];
    assert_eq!(hashed["blake3"], opened.index().payload_size());
    // Each is hashed when it is found, and compared when it is compressed.
    let members: u64 = opened.index().members.iter().map(|member| member.size).sum();
    assert!(
        hashed["sha256"].as_u64().unwrap() > 2 * members - 10_000,
        "{hashed} {members}"
    );
}

#[test]
fn every_missing_part_is_named_at_once() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let flags = parts
        .flags()
        .into_iter()
        .filter(|flag| !flag.contains("--minikube=") && !flag.contains("pause") && !flag.contains("etcd"));
    let mut arguments = vec![
        "pack".to_owned(),
        "--offline".to_owned(),
        format!("-o{}", sandbox.path("x.run").display()),
    ];
    arguments.push(format!("--stub={}", sandbox.stub().display()));
    arguments.extend(flags);
    let outcome = sandbox.packager(&arguments);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    let named: Vec<&str> = outcome
        .stderr
        .lines()
        .skip_while(|line| {
            !line.starts_with("error: 3 parts are missing for Kubernetes v1.34.0 on linux/arm64")
        })
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(str::trim)
        .collect();
    let missing = [
        "minikube",
        "registry.k8s.io/etcd:3.6.4-0",
        "registry.k8s.io/pause:3.10.1",
    ];
    assert_eq!(named, missing, "{}", outcome.stderr);
    assert!(!sandbox.path("x.run").exists());
}

/// One bad part each: what is done to the good ones, and what must be said.
#[test]
fn a_bad_part_is_named_with_what_was_expected() {
    type Spoil = fn(&SampleParts);
    let cases: &[(&str, Spoil, i32, &[&str])] = &[
        (
            "a program for another architecture",
            |parts| fs::write(parts.directory().join("binaries/kubelet"), elf(62, "x")).unwrap(),
            2,
            &["binaries/kubelet", "arm64", "amd64"],
        ),
        (
            "a text file as kicbase.tar",
            |parts| fs::write(parts.kicbase(), "hello\n").unwrap(),
            2,
            &["kicbase_v0.0.50.tar` should be an archive of images; it is a text file\n"],
        ),
        (
            "an archive with another tag",
            |parts| {
                let pause = parts.directory().join("images/registry.k8s.io_pause_3.10.1.tar");
                write_archive(&pause, "registry.k8s.io/pause:3.9", &[b"pause".to_vec()]);
            },
            2,
            &["1 part is missing", "registry.k8s.io/pause:3.10.1"],
        ),
        (
            "a truncated archive",
            |parts| {
                let whole = bytes(&parts.kicbase());
                fs::write(parts.kicbase(), &whole[..whole.len() / 2]).unwrap();
            },
            4,
            &["kicbase"],
        ),
        (
            "a layer with another digest than its config says",
            |parts| {
                let mut whole = bytes(&parts.kicbase());
                // Past the headers, the config and the manifest: inside the layer.
                let middle = whole.len() - 20_000;
                whole[middle] ^= 1;
                fs::write(parts.kicbase(), whole).unwrap();
            },
            4,
            &["kicbase", "sha256:"],
        ),
        (
            "two programs with one role",
            |parts| fs::write(parts.directory().join("kubeadm"), elf(183, "other")).unwrap(),
            2,
            &["kubeadm"],
        ),
    ];
    for (what, spoil, status, says) in cases {
        let sandbox = Sandbox::new();
        let parts = SampleParts::make(&sandbox.path("parts"), false);
        spoil(&parts);
        let mut arguments = vec![
            "pack".to_owned(),
            "--offline".to_owned(),
            format!("-o{}", sandbox.path("x.run").display()),
        ];
        arguments.push(format!("--stub={}", sandbox.stub().display()));
        arguments.extend(parts.flags());
        if parts.directory().join("kubeadm").exists() {
            arguments.push(format!(
                "--binaries={}",
                parts.directory().join("kubeadm").display()
            ));
        }
        let outcome = sandbox.packager(&arguments);
        assert_eq!(outcome.status, *status, "{what}: {outcome:?}");
        for text in *says {
            assert!(
                outcome.stderr.contains(text),
                "{what}: `{text}` in {}",
                outcome.stderr
            );
        }
        assert!(outcome.stderr.contains("\nhint: "), "{what}: {}", outcome.stderr);
        assert!(!sandbox.path("x.run").exists(), "{what}");
    }
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let sandbox = Sandbox::new();
    fs::write(
        sandbox.path("bundle.toml"),
        "kubernetes-version = \"v1.34.0\"\nminicube = \"x\"\n",
    )
    .unwrap();
    let outcome = sandbox.packager(["pack", "-f", "bundle.toml"]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(
        outcome.stderr.contains("line 2") && outcome.stderr.contains("minicube"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn ctrl_c_ends_a_pack_at_once_and_leaves_nothing() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let sandbox = Sandbox::new();
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    // At this level it takes far longer than a person waits.
    let mut large = elf(183, "large");
    large.extend(crate::support::parts::noise("large", 20_000_000));
    fs::write(parts.directory().join("binaries/kubelet"), large).unwrap();
    fs::create_dir(sandbox.path("out")).unwrap();
    let mut pack = Command::new(env!("CARGO_BIN_EXE_minikube-offline"))
        .args(["pack", "--offline", "--level=max"])
        .arg(format!("-o{}", sandbox.path("out/x.run").display()))
        .arg(format!("--stub={}", sandbox.stub().display()))
        .args(parts.flags())
        .env_clear()
        .env("HOME", sandbox.path("home"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(pack.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("reading the images")));
    let begun = std::time::Instant::now();
    Command::new("kill")
        .args(["-INT", &pack.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(pack.wait().unwrap().code(), Some(130));
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert_eq!(fs::read_dir(sandbox.path("out")).unwrap().count(), 0);
}

#[test]
fn a_password_in_a_mirrors_address_is_refused_and_not_repeated() {
    let sandbox = Sandbox::new();
    let tries = ["--binary-mirror", "--release-mirror"].map(|flag| ["v1.34.0", "v1.34"].map(|v| (flag, v)));
    for (flag, version) in tries.into_iter().flatten() {
        let mirror = format!("{flag}=https://me:hunter2@mirror.example/k8s");
        let version = format!("--kubernetes-version={version}");
        let outcome = sandbox.packager(["pack", &version, &mirror]);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        assert!(outcome.stderr.contains(flag), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    }
}
