//! Archives of images in the forms that other tools write: given to `pack`, and in the bundle.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use minikube_offline::bundle::{Arch, Digest};
use serde_json::json;

use crate::support::effort::report;
use crate::support::parts::{NODE_IMAGE, SampleParts, tar_of, write_archive_for};
use crate::support::program::{Outcome, Sandbox};

const APP: &str = "registry.example/app:1";

/// The sample parts, and an application's image in `app.tar`.
struct Site {
    sandbox: Sandbox,
    parts: SampleParts,
}

impl Site {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let parts = SampleParts::make(&sandbox.path("parts"), false);
        write_archive_for(Arch::Arm64, &sandbox.path("app.tar"), APP, &[b"app".to_vec()]);
        Self { sandbox, parts }
    }

    fn pack(&self, command: &mut Command, images: &[&str]) -> Outcome {
        let stub = format!("--stub={}", self.sandbox.stub().display());
        command.args(["pack", "--offline", "--level=fast", "-ox.run", &stub]);
        command.args(self.parts.flags()).args(images);
        self.sandbox.run(command)
    }

    /// What is said of `images`, and the exit code.
    fn refused(&self, images: &[&str]) -> (String, i32) {
        let outcome = self.pack(&mut packager(), images);
        let begin = outcome.stderr.find("error: ").expect("an error");
        (outcome.stderr[begin..].to_owned(), outcome.status)
    }

    /// Packs with `images`, and says how the application's image is listed.
    fn packed(&self, images: &[&str]) -> String {
        let outcome = self.pack(&mut packager(), images);
        assert_eq!(outcome.status, 0, "{images:?}: {outcome:?}");
        self.listed(APP)
    }

    fn listed(&self, name: &str) -> String {
        let listed = self.sandbox.packager(["list", "x.run", "--no-header"]).stdout;
        let line = listed.lines().find(|line| line.contains(name));
        line.unwrap_or_else(|| panic!("{name} in {listed}")).to_owned()
    }

    fn shell(&self, script: &str) -> Outcome {
        self.sandbox.run(Command::new("sh").args(["-euc", script]))
    }

    fn hidden(&self) -> Vec<String> {
        let entries = fs::read_dir(self.sandbox.path(".")).expect("a directory");
        let names = entries.map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        });
        names
            .filter(|name| name.starts_with(".minikube-offline-"))
            .collect()
    }
}

fn packager() -> Command {
    Command::new(env!("CARGO_BIN_EXE_minikube-offline"))
}

#[test]
fn compressed_archives_are_packed_as_the_plain_ones() {
    let site = Site::new();
    let plain = site.packed(&["--image=docker-archive:app.tar"]);
    fs::copy(site.parts.kicbase(), site.sandbox.path("kicbase.tar")).expect("a copy");
    let outcome = site.shell("gzip -k app.tar; zstd -q app.tar kicbase.tar");
    assert_eq!(outcome.status, 0, "{outcome:?}");
    for ending in ["gz", "zst"] {
        let image = format!("--image=docker-archive:app.tar.{ending}");
        assert_eq!(site.packed(&[&image]), plain, "{ending}");
        assert!(site.hidden().is_empty(), "what was unpacked is gone");
    }
    let stub = format!("--stub={}", site.sandbox.stub().display());
    let mut flags = site.parts.flags();
    flags.retain(|flag| !flag.starts_with("--kicbase="));
    let mut command = packager();
    command.args([
        "pack",
        "--offline",
        "--level=fast",
        "-ox.run",
        &stub,
        "--kicbase=docker-archive:kicbase.tar.zst",
    ]);
    let outcome = site.sandbox.run(command.args(flags));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(site.listed(NODE_IMAGE).ends_with("linux/arm64"));
    fs::write(site.sandbox.path("app.tar.xz"), b"\xfd7zXZ\0\0").expect("a file");
    assert_eq!(
        site.refused(&["--image=docker-archive:app.tar.xz"]),
        (
            "error: `app.tar.xz` is xz data, which is not unpacked here\n\n\
             hint: decompress it first: `xz -d`, `bzip2 -d` or `zstd -d --long=31`\n"
                .to_owned(),
            2
        )
    );
}

#[test]
fn an_archive_without_a_tag_is_packed_by_the_given_name() {
    let site = Site::new();
    let layer = tar_of(&[("file", b"app")]);
    let config = json!({
        "architecture": "arm64",
        "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer).to_string()] },
    });
    let manifest = json!([{ "Config": "c.json", "RepoTags": null, "Layers": ["l.tar"] }]);
    let files = [
        ("manifest.json", manifest.to_string().into_bytes()),
        ("c.json", config.to_string().into_bytes()),
        ("l.tar", layer),
    ];
    fs::write(site.sandbox.path("f.tar"), tar_of(&files)).expect("a file");
    let image = format!("--image=docker-archive:f.tar:{APP}");
    assert!(site.packed(&[&image]).ends_with("linux/arm64"));
    assert_eq!(
        site.refused(&["--image=docker-archive:f.tar"]),
        (
            "error: the image in `f.tar` has no name\n\n\
             hint: give it one in full: `docker-archive:f.tar:registry.example/app:1`; or save it by its name, not \
             by its id\n"
                .to_owned(),
            2
        )
    );
}

#[test]
fn what_skopeo_writes_is_packed_in_each_of_its_forms() {
    if !Path::new("/usr/bin/skopeo").exists() {
        report("skipped: skopeo is not on this machine");
        return;
    }
    let site = Site::new();
    let plain = site.packed(&["--image=docker-archive:app.tar"]);
    let copy = "skopeo --insecure-policy --tmpdir . copy -q --override-arch arm64 docker-archive:app.tar";
    let outcome = site.shell(&format!(
        "{copy} docker-archive:nameless.tar; {copy} oci-archive:nameless.oci; {copy} oci:layout; {copy} oci-archive:tag.oci:1; \
         {copy} oci-archive:full.oci:{APP}; {copy} docker-archive:full.tar:{APP}; \
         {copy} --dest-compress-format zstd oci-archive:zstd.oci:{APP}; gzip -k full.oci"
    ));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    for image in [
        format!("docker-archive:nameless.tar:{APP}"),
        format!("oci-archive:nameless.oci:{APP}"),
        format!("oci:layout:{APP}"),
        format!("oci-archive:tag.oci:{APP}"),
        "oci-archive:full.oci".to_owned(),
        "oci-archive:full.oci.gz".to_owned(),
        format!("oci-archive:zstd.oci:{APP}"),
        "docker-archive:full.tar".to_owned(),
    ] {
        let listed = site.packed(&[&format!("--image={image}")]);
        assert_eq!(listed.split('\t').next(), plain.split('\t').next(), "{image}");
        assert!(listed.contains(APP), "{image}: {listed}");
    }
    for (image, said, fix) in [
        (
            "docker-archive:full.oci",
            "`full.oci` is an archive of an OCI layout, without docker's `manifest.json`",
            "give it as `oci-archive:full.oci`",
        ),
        (
            "oci-archive:full.tar",
            "`full.tar` is an archive as `docker save` writes it, without an OCI layout",
            "give it as `docker-archive:full.tar`",
        ),
        (
            "oci:full.oci",
            "`full.oci` is an archive, not a layout's directory",
            "give it as `oci-archive:full.oci`",
        ),
        (
            "docker-archive:layout",
            "`layout` is the directory of an OCI layout, not an archive",
            "give it as `oci:layout`",
        ),
    ] {
        let expected = format!("error: {said}\n\nhint: {fix}\n");
        assert_eq!(site.refused(&[&format!("--image={image}")]), (expected, 2));
    }
}

/// A containerd of the test's own, which is killed at the end.
struct Containerd(Child);

impl Drop for Containerd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it with its socket in `ctd/c.sock`; `None`, after saying so, where it does not run.
fn containerd(site: &Site) -> Option<Containerd> {
    let directory = site.sandbox.path("ctd");
    fs::create_dir(&directory).expect("a directory");
    let path = |name: &str| directory.join(name).display().to_string();
    let config = format!(
        "version = 2\nroot = {:?}\nstate = {:?}\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
         [grpc]\naddress = {:?}\n",
        path("root"),
        path("state"),
        path("c.sock")
    );
    fs::write(path("c.toml"), config).expect("a file");
    let mut command = Command::new("containerd");
    command
        .args(["-c", &path("c.toml")])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut running = Containerd(command.spawn().ok()?);
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline && running.0.try_wait().ok()?.is_none() {
        if fs::metadata(path("c.sock")).is_ok() {
            return Some(running);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

#[test]
fn what_containerd_writes_is_packed_for_each_platform() {
    let site = Site::new();
    let Some(_running) = containerd(&site) else {
        report("skipped: containerd is not on this machine, or does not run for this user");
        return;
    };
    // One image for two platforms, as a layout.
    let mut blobs: Vec<(String, Vec<u8>)> = Vec::new();
    let mut blob = |kind: &str, bytes: Vec<u8>| {
        let digest = Digest::of(&bytes);
        let descriptor = json!({
            "mediaType": format!("application/vnd.oci.image.{kind}"),
            "digest": digest,
            "size": bytes.len(),
        });
        blobs.push((format!("blobs/sha256/{}", digest.hex()), bytes));
        descriptor
    };
    let mut manifests = Vec::new();
    for arch in Arch::ALL {
        let layer = tar_of(&[("file", arch.name())]);
        let diff_ids = [Digest::of(&layer)];
        let config = json!({
            "architecture": arch.name(),
            "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let config = blob("config.v1+json", config.to_string().into());
        let layers = [blob("layer.v1.tar", layer)];
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
        let mut manifest = blob("manifest.v1+json", manifest.to_string().into());
        manifest["platform"] = json!({ "os": "linux", "architecture": arch.name() });
        manifests.push(manifest);
    }
    let index = json!({ "schemaVersion": 2, "manifests": manifests });
    let mut index = blob("index.v1+json", index.to_string().into());
    index["annotations"] = json!({ "io.containerd.image.name": APP });
    let index = json!({ "schemaVersion": 2, "manifests": [index] });
    blobs.push(("index.json".to_owned(), index.to_string().into()));
    blobs.push((
        "oci-layout".to_owned(),
        br#"{"imageLayoutVersion":"1.0.0"}"#.into(),
    ));
    let files: Vec<(&str, &Vec<u8>)> = blobs.iter().map(|(name, bytes)| (name.as_str(), bytes)).collect();
    fs::write(site.sandbox.path("multi.oci"), tar_of(&files)).expect("a file");
    let outcome = site.shell(&format!(
        "ctr() {{ command ctr -a ctd/c.sock images \"$@\" >/dev/null; }}
         ctr import --no-unpack --all-platforms multi.oci
         ctr export --platform linux/amd64 one.tar {APP}
         ctr export --all-platforms all.tar {APP}
         ctr export --skip-manifest-json --all-platforms skip.tar {APP}"
    ));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    for image in [
        "docker-archive:all.tar",
        "oci-archive:all.tar",
        "oci-archive:skip.tar",
    ] {
        let listed = site.packed(&[&format!("--image={image}")]);
        assert!(listed.ends_with("linux/arm64"), "{image}: {listed}");
    }
    let (said, status) = site.refused(&["--image=docker-archive:skip.tar"]);
    assert!(
        status == 2 && said.contains("give it as `oci-archive:skip.tar`"),
        "{said}"
    );
    for transport in ["docker-archive", "oci-archive"] {
        let (said, status) = site.refused(&[&format!("--image={transport}:one.tar")]);
        assert_eq!(status, 2, "{said}");
        assert!(
            said.contains("linux/arm64") && !said.contains("damaged"),
            "{said}"
        );
    }
}

/// A client as snap's: it writes to no file but its own standard output. With `api` it saves
/// by platform where `has` names that.
fn engine(site: &Site, api: &str, has: &str) {
    let directory = site.sandbox.path("engine");
    fs::create_dir_all(&directory).expect("a directory");
    let script = format!(
        r#"#!/bin/sh
case "$*" in
version*) echo {api} {api} ;;
"image inspect"*) echo sha256:00 ;;
save*--output*|save*-o*) echo "open: permission denied" >&2; exit 1 ;;
"save --platform={has} registry.example/app:1") cat app.tar ;;
"save --platform="*) echo "image was found but does not provide the platform" >&2; exit 1 ;;
"save registry.example/app:1") cat app.tar ;;
*) echo "unknown: $*" >&2; exit 1 ;;
esac
"#
    );
    let docker = directory.join("docker");
    fs::write(&docker, script).expect("a script");
    fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).expect("ours");
}

#[test]
fn an_engines_image_comes_by_its_standard_output() {
    let site = Site::new();
    let path = format!("{}:/usr/bin:/bin", site.sandbox.path("engine").display());
    let pack = |api: &str, has: &str| {
        engine(&site, api, has);
        // The sandbox's own search path is another one.
        let mut command = Command::new("/usr/bin/env");
        command
            .arg(format!("PATH={path}"))
            .arg(env!("CARGO_BIN_EXE_minikube-offline"));
        site.pack(&mut command, &[&format!("--image=docker-daemon:{APP}")])
    };
    for (api, has) in [("1.41", "linux/amd64"), ("1.51", "linux/arm64")] {
        let outcome = pack(api, has);
        assert_eq!(outcome.status, 0, "{api}: {outcome:?}");
        assert!(site.listed(APP).ends_with("linux/arm64"));
        assert!(site.hidden().is_empty());
    }
    let outcome = pack("1.51", "linux/amd64");
    assert_eq!(outcome.status, 2, "{outcome:?}");
    let said = format!(
        "error: Docker Engine does not give `{APP}`\n  caused by: it ended with exit status: 1: image was found but \
         does not provide the platform\n\nhint: `docker images` lists what the engine has; an image for another \
         platform than the engine's is saved by Docker 28 or newer, after `docker pull --platform`, or by `skopeo \
         copy --override-arch ARCH docker://NAME docker-archive:FILE:NAME`\n"
    );
    assert!(outcome.stderr.ends_with(&said), "{outcome:?}");
}
