//! Bundles and locks of every format, frozen: a later reader reads them all, and a later
//! packer makes the same of the same parts. They are never changed; a new one is added when
//! the format gets something that none of them has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use minikube_offline::bundle::{Arch, Attestation, BundleIndex, Digest, ImagePart, limits};
use minikube_offline::progress::Silent;
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;
use walkdir::WalkDir;

use crate::sbom::debian_layer;
use crate::support::authority::{Authority, KUBERNETES};
use crate::support::effort::report;
use crate::support::keys::Key;
use crate::support::parts::write_archive_of;
use crate::support::program::{EPOCH_TIME, Outcome, Sandbox, bytes};
use crate::support::registry::Signing;
use crate::support::server::Server;
use crate::support::small::{self, Upstream, repository};

/// The bundles: with files of whoever packed it; with the time of resolving, and a part that nothing proves; for two
/// platforms, with signatures of publishers; plain; signed; with the payload in a file of
/// its own.
const BUNDLES: [&str; 6] = ["carried", "dated", "attestations", "plain", "signed", "split"];

/// The zstd that packed them, as its library numbers itself: another one may find other
/// frames for the same members.
const ZSTD: u32 = 10_507;

fn golden(name: &str) -> PathBuf {
    let directory =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v{}", limits::FORMAT));
    directory.join(name)
}

/// The names of files with their digests, as `sha256sum` writes them.
fn sums(directory: &Path) -> String {
    let files = WalkDir::new(directory).sort_by_file_name().into_iter();
    let files = files.map(|entry| entry.expect("an entry"));
    let lines = files.filter(|entry| entry.file_type().is_file()).map(|entry| {
        let name = entry.path().strip_prefix(directory).expect("below it").display();
        format!("{}  {name}\n", Digest::of(&bytes(entry.path())).hex())
    });
    lines.collect()
}

#[test]
fn no_frozen_file_was_changed() {
    let sums = sums(&golden(""));
    let others = sums.lines().filter(|line| !line.ends_with("  SHA256SUMS"));
    let listed = fs::read_to_string(golden("SHA256SUMS")).unwrap();
    assert_eq!(
        others.collect::<Vec<_>>(),
        listed.lines().collect::<Vec<_>>(),
        "format 1 is frozen: its bundles and locks never change; what these cannot hold needs format 2, with files of its own"
    );
}

/// Extracts each platform's parts to a directory, `parts/arm64` for instance; gives the
/// digest of their sums, and these.
fn extracted(sandbox: &Sandbox, bundle: &str) -> (String, String) {
    for arch in Arch::ALL.map(Arch::name) {
        let (to, platform) = (format!("--to=parts/{arch}"), format!("--platform=linux/{arch}"));
        let outcome = sandbox.packager(["extract", &to, &platform, bundle]);
        let is_for_another = outcome.stderr.contains(&format!(", and not for linux/{arch}"));
        assert!(outcome.status == 0 || is_for_another, "{outcome:?}");
    }
    let sums = sums(&sandbox.path("parts"));
    (Digest::of(sums.as_bytes()).hex(), sums)
}

#[test]
fn every_frozen_bundle_is_read_whole() {
    for name in BUNDLES {
        let sandbox = Sandbox::new();
        let bundle = golden(&format!("{name}.run")).to_string_lossy().into_owned();
        let mut flags = Vec::new();
        if name == "signed" {
            flags.push(format!("--key={}", golden("signed.pub").display()));
        }
        let run = |verb: &[&str]| {
            let outcome = sandbox.packager(
                verb.iter()
                    .copied()
                    .chain(flags.iter().map(String::as_str))
                    .chain([&*bundle]),
            );
            assert_eq!(outcome.status, 0, "{outcome:?}");
            outcome.stdout
        };
        run(&["verify", "--deep"]);
        run(&["list"]);
        let shown = run(&["inspect", "--output=json"]);
        let shown: serde_json::Value = serde_json::from_str(shown.lines().last().unwrap()).unwrap();
        assert_eq!(shown["index"]["format"], 1);
        let mut stub = Command::new(env!("CARGO_BIN_EXE_minikube-offline-stub"));
        stub.args(["--bundle", &bundle, "verify", "--deep"]).args(&flags);
        assert_eq!(sandbox.run(&mut stub).status, 0, "{name} by the stub");
        let (digest, sums) = extracted(&sandbox, &bundle);
        let listed = fs::read_to_string(golden("EXTRACTED")).unwrap();
        let line = format!("{digest}  {name}\n");
        assert!(listed.contains(&line), "not {line} but:\n{listed}\n{sums}");
    }
}

#[test]
fn what_the_publishers_signed_in_a_frozen_bundle_still_holds() {
    let root = format!("--trusted-root={}", golden("attestations.pem").display());
    let bundle = golden("attestations.run").to_string_lossy().into_owned();
    let outcome = Sandbox::new().packager(["verify", "--attestations", &root, &bundle]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert_eq!(
        outcome.stdout.matches(&format!(": by {KUBERNETES} (")).count(),
        2 * 3
    );
}

#[test]
fn stock_minisign_finds_the_frozen_signature_good() {
    if !Path::new("/usr/bin/minisign").exists() {
        report("skipped: minisign is not installed");
        return;
    }
    let mut minisign = Command::new("/usr/bin/minisign");
    minisign
        .arg("-Vm")
        .arg(golden("signed.run"))
        .arg("-p")
        .arg(golden("signed.pub"));
    let outcome = Sandbox::new().run(&mut minisign);
    assert_eq!(outcome.status, 0, "{outcome:?}");
}

/// The index of a bundle, and its payload as stored.
fn index_and_payload(path: &Path) -> (BundleIndex, Vec<u8>) {
    let bundle = OpenedBundle::open(path, &TrustedKeys::none())
        .and_then(|opened| opened.verify(&Silent))
        .unwrap();
    let index = bundle.index().clone();
    if !index.volumes.is_empty() {
        return (index, bytes(&path.with_extension("run.001")));
    }
    let start = usize::try_from(index.payload_offset()).unwrap();
    let size = usize::try_from(index.payload_size()).unwrap();
    let payload = bytes(path)[start..start + size].to_vec();
    (index, payload)
}

/// Fails unless the two are the same but for the programs that packed them.
fn assert_same(name: &str, path: &Path) {
    let (frozen, frozen_payload) = index_and_payload(&golden(&format!("{name}.run")));
    let (mut now, payload) = index_and_payload(path);
    now.packer.clone_from(&frozen.packer);
    (now.header, now.stubs) = (frozen.header, frozen.stubs.clone());
    if zstd::zstd_safe::version_number() == ZSTD {
        assert!(payload == frozen_payload, "{name}: the payload is another one");
    } else {
        report(&format!(
            "the frames of {name} were not compared: another zstd packed them"
        ));
        now.chunks.clone_from(&frozen.chunks);
        now.volumes.clone_from(&frozen.volumes);
        for (now, frozen) in now.frames.iter_mut().zip(&frozen.frames) {
            now.size = frozen.size;
        }
    }
    assert_eq!(now, frozen, "{name}");
}

fn run(sandbox: &Sandbox, name: &str, flags: &[String], more: &[&str]) -> Outcome {
    let file = format!("{name}.run");
    // As minikube v1.38.1, of which they are, takes it.
    let arguments = ["pack", "-o", &file, "--container-runtime=docker"]
        .into_iter()
        .chain(flags.iter().map(String::as_str));
    let outcome = sandbox.packager(arguments.chain(more.iter().copied()));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    outcome
}

/// Packs the parts as files: as they are, and in volumes.
fn pack_files(sandbox: &Sandbox, locked: &[&str]) {
    let mut flags = small::files(&sandbox.path("small"));
    flags.push(small::stub(sandbox, Arch::Arm64));
    run(sandbox, "plain", &flags, locked);
    run(sandbox, "split", &flags, &["--split=1M"]);
}

/// Packs the same with a manifest, another file, and an image that has packages.
fn pack_carried(sandbox: &Sandbox, locked: &[&str]) {
    let mut flags = small::files(&sandbox.path("small"));
    flags.push(small::stub(sandbox, Arch::Arm64));
    let archive = sandbox.path("app.tar");
    write_archive_of(Arch::Arm64, &archive, "registry.example/app:1", &[debian_layer()]);
    flags.push(format!("--image=docker-archive:{}", archive.display()));
    for (flag, name, content) in [
        (
            "manifest",
            "app.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: app}\n",
        ),
        ("include", "notes.txt", "read me\n"),
    ] {
        let path = sandbox.path(name);
        fs::write(&path, content).unwrap();
        flags.push(format!("--{flag}={}", path.display()));
    }
    run(sandbox, "carried", &flags, locked);
}

/// Whether this machine runs what the parts' programs are.
fn is_x86() -> bool {
    if cfg!(not(target_arch = "x86_64")) {
        report("skipped: the programs in the frozen bundles are for x86-64");
    }
    cfg!(target_arch = "x86_64")
}

#[test]
fn the_same_parts_make_the_same_bundles_today() {
    if !is_x86() {
        return;
    }
    let sandbox = Sandbox::new();
    fs::copy(golden("plain.lock"), sandbox.path("plain.lock")).unwrap();
    pack_files(&sandbox, &["--locked"]);
    for name in ["plain", "split"] {
        assert_same(name, &sandbox.path(&format!("{name}.run")));
    }
    fs::copy(golden("carried.lock"), sandbox.path("carried.lock")).unwrap();
    pack_carried(&sandbox, &["--locked"]);
    assert_same("carried", &sandbox.path("carried.run"));
    pack_files(&sandbox, &[]);
    assert_same("plain", &sandbox.path("plain.run"));
    let lock = |path: &Path| fs::read_to_string(path).unwrap();
    assert_eq!(lock(&sandbox.path("plain.lock")), lock(&golden("plain.lock")));
}

#[test]
fn a_frozen_lock_makes_the_same_bundle_from_upstream_today() {
    if !is_x86() {
        return;
    }
    let sandbox = Sandbox::new();
    let bundle = golden("attestations.run");
    extracted(&sandbox, &bundle.to_string_lossy());
    let (index, _) = index_and_payload(&bundle);
    let file = |digest: &Digest| {
        let paths = Arch::ALL
            .map(|arch| sandbox.path(&format!("parts/{}/attestations/{}", arch.name(), digest.hex())));
        bytes(paths.iter().find(|path| path.exists()).expect("a file"))
    };
    // Upstream as it was then, by what the bundle carries.
    let mut upstream = Upstream::new();
    for binary in &index.binaries {
        for signature in &binary.origin.attestations {
            let path = &signature.url[signature.url.find("/release/").expect("its path")..];
            upstream.put(path.to_owned(), file(&signature.signature));
            let beside = path.replace(".sig", ".cert");
            upstream.put(beside, file(&signature.certificates[0]));
        }
    }
    let signatures = index.images.iter().flat_map(|image: &ImagePart| {
        let of = |signature: &Attestation| (repository(&image.reference), signature.clone());
        image.origin.attestations.iter().map(of).collect::<Vec<_>>()
    });
    for (repository, signature) in signatures {
        let signing = Signing {
            payload: file(&signature.documents[0]),
            signature: String::from_utf8(file(&signature.signature)).unwrap(),
            certificate: String::from_utf8(file(&signature.certificates[0])).unwrap(),
        };
        upstream
            .registry
            .put_signature(&repository, signature.documents[1], signing);
    }
    let (_server, flags) = serve_all(&sandbox, upstream);
    fs::copy(golden("attestations.lock"), sandbox.path("attestations.lock")).unwrap();
    run(&sandbox, "attestations", &flags, &["--locked"]);
    assert_same("attestations", &sandbox.path("attestations.run"));
}

#[test]
fn a_frozen_lock_keeps_its_time_and_what_nothing_proved() {
    if !is_x86() {
        return;
    }
    let sandbox = Sandbox::new();
    let (_server, flags) = serve_all(&sandbox, Upstream::new());
    fs::copy(golden("dated.lock"), sandbox.path("dated.lock")).unwrap();
    run(&sandbox, "dated", &flags, &["--locked"]);
    assert_same("dated", &sandbox.path("dated.run"));
    let (index, _) = index_and_payload(&golden("dated.run"));
    assert_eq!(
        index.resolved.map(|time| time.to_string()).as_deref(),
        Some(EPOCH_TIME)
    );
    let unverified = index.binaries.iter().filter(|binary| binary.origin.unverified);
    assert_eq!(unverified.count(), 2);
}

/// A server, and the flags that pack from it for both platforms.
fn serve_all(sandbox: &Sandbox, upstream: Upstream) -> (Server, Vec<String>) {
    let (server, mut flags) = upstream.serve();
    flags.extend(Arch::ALL.map(|arch| small::stub(sandbox, arch)));
    (server, flags)
}

/// Makes the frozen files again, elsewhere, for a format that is not frozen yet.
#[test]
#[ignore = "it makes frozen files: `cargo test --test it golden -- --ignored --nocapture`"]
fn make_them() {
    let sandbox = Sandbox::new();
    pack_files(&sandbox, &[]);
    pack_carried(&sandbox, &[]);
    let key = Key::make(&sandbox, "signed");
    fs::copy(sandbox.path("plain.run"), sandbox.path("signed.run")).unwrap();
    assert_eq!(key.sign(&sandbox, &sandbox.path("signed.run")).status, 0);

    let authority = Authority::new(&sandbox.path("authority"), KUBERNETES).expect("openssl");
    let mut upstream = Upstream::new();
    for (path, content) in upstream.programs("kubelet") {
        upstream.put(format!("{path}.sig"), authority.sign(&content).into_bytes());
        let certificate = authority.published_certificate();
        upstream.put(format!("{path}.cert"), certificate.into_bytes());
    }
    for (repository, digest) in upstream.images.clone() {
        if ["k8s/etcd", "k8s/pause"].contains(&repository.as_str()) {
            upstream.registry.sign(&repository, digest, &authority);
        }
    }
    let (_server, flags) = serve_all(&sandbox, upstream);
    run(&sandbox, "attestations", &flags, &[]);
    fs::copy(authority.root(), sandbox.path("attestations.pem")).unwrap();
    let mut upstream = Upstream::new();
    upstream.forget("/kubectl.sha256");
    let (_server, flags) = serve_all(&sandbox, upstream);
    run(&sandbox, "dated", &flags, &["--accept-unverified=kubectl"]);

    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("golden");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out).unwrap();
    for name in [
        "carried.lock",
        "carried.run",
        "dated.lock",
        "dated.run",
        "attestations.lock",
        "attestations.pem",
        "attestations.run",
        "plain.lock",
        "plain.run",
        "signed.pub",
        "signed.run",
        "signed.run.minisig",
        "split.run",
        "split.run.001",
    ] {
        fs::copy(sandbox.path(name), out.join(name)).expect(name);
    }
    let extracted = BUNDLES.map(|name| {
        let bundle = out.join(format!("{name}.run"));
        format!(
            "{}  {name}\n",
            extracted(&Sandbox::new(), &bundle.to_string_lossy()).0
        )
    });
    fs::write(out.join("EXTRACTED"), extracted.concat()).unwrap();
    fs::write(out.join("SHA256SUMS"), sums(&out)).unwrap();
    println!(
        "made in {} by zstd {}",
        out.display(),
        zstd::zstd_safe::version_number()
    );
}
