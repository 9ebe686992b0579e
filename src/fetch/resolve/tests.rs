use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use crate::bundle::{ImageRole, Transport};
use crate::explain::{Kind, causes};
use crate::fetch::Parts;
use crate::fetch::fixtures::{
    NODE, PAUSE, PROVISIONER, Site, VERSION, answers, arch, docker_archive_for, elf, gather, gzip, other_arch,
};
use crate::host::AskError;
use crate::progress::{Progress, Silent};
use crate::spec::ImageSource;

/// What a bundle would be made of, without the paths.
fn content(parts: &Parts) -> Vec<String> {
    let binaries = parts.binaries.iter().map(|binary| format!("{:?}", binary.pin));
    let images = parts.images.iter().map(|image| {
        let layers: Vec<_> = image
            .layers
            .iter()
            .map(|layer| (layer.diff_id, layer.size))
            .collect();
        format!(
            "{:?} {} {:?} {layers:?}",
            image.pin.role, image.pin.reference, image.pin.origin
        )
    });
    binaries.chain(images).collect()
}

#[test]
fn every_part_is_found_and_known() {
    let site = Site::new();
    let parts = gather(&answers, &site.spec(), &Silent).expect("parts");
    let programs: Vec<String> = parts
        .binaries
        .iter()
        .map(|binary| {
            format!(
                "{} {:?}",
                binary.pin.role,
                binary.pin.version.as_ref().map(ToString::to_string)
            )
        })
        .collect();
    assert_eq!(
        programs,
        [
            "minikube Some(\"v1.39.0\")",
            "kubeadm Some(\"v1.37.2\")",
            "kubelet Some(\"v1.37.2\")",
            "kubectl Some(\"v1.37.2\")",
        ]
    );
    let images: Vec<(ImageRole, String)> = parts
        .images
        .iter()
        .map(|image| (image.pin.role, image.pin.reference.to_string()))
        .collect();
    assert_eq!(
        images,
        [
            (ImageRole::Node, NODE.to_owned()),
            (ImageRole::Kubernetes, PROVISIONER.to_owned()),
            (ImageRole::Kubernetes, PAUSE.to_owned()),
        ]
    );
    let mut layer = Vec::new();
    parts.images[0].layers[0]
        .open()
        .expect("layer")
        .read_to_end(&mut layer)
        .expect("layer");
    assert_eq!(
        (layer.as_slice(), parts.images[0].layers[0].size),
        (&b"node"[..], 4)
    );
}

#[test]
fn order_and_repetition_of_flags_change_nothing() {
    let site = Site::new();
    let first = site.spec();
    let mut second = site.spec();
    second.images.reverse();
    second.images.push(site.archive("pause.tar"));
    site.write("again/kubeadm", &elf(arch(), b"binaries/kubeadm"));
    second.binaries.insert(0, site.path("again/kubeadm"));
    let gathered = |spec| content(&gather(&answers, spec, &Silent).expect("parts"));
    assert_eq!(gathered(&first), gathered(&second));
}

#[test]
fn a_minikube_cache_has_all_but_minikube() {
    let site = Site::new();
    let arch = arch().name();
    for (from, to) in [
        ("binaries/kubeadm", format!("linux/{arch}/{VERSION}/kubeadm")),
        ("binaries/kubelet", format!("linux/{arch}/{VERSION}/kubelet")),
        ("binaries/kubectl", format!("linux/{arch}/{VERSION}/kubectl")),
        ("pause.tar", format!("images/{arch}/registry.k8s.io/pause_3.10.2")),
        (
            "provisioner.tar",
            format!("images/{arch}/gcr.io/k8s-minikube/storage-provisioner_v5"),
        ),
        (
            "kicbase.tar",
            format!("kic/{arch}/kicbase_v0.0.51@sha256_eb4f.tar"),
        ),
    ] {
        let bytes = fs::read(site.path(from)).expect(from);
        site.write(&format!("home/cache/{to}"), &bytes);
    }
    site.image(
        &format!("home/cache/images/{arch}/unused_1"),
        "unused:1",
        b"unused",
    );
    let mut spec = site.spec();
    (spec.binaries, spec.images, spec.kicbase) = (Vec::new(), Vec::new(), Vec::new());
    spec.from_cache = vec![site.path("home")];
    let parts = gather(&answers, &spec, &Silent).expect("parts");
    assert_eq!((parts.binaries.len(), parts.images.len()), (4, 3));
    assert_eq!(parts.images[0].pin.origin.transport, Transport::MinikubeCache);

    site.image(
        &format!("home/cache/kic/{arch}/kicbase_v0.0.49.tar"),
        "r.io/kicbase:v0.0.49",
        b"old",
    );
    let (text, kind) = site.refused(&spec);
    assert_eq!(
        text,
        format!(
            "there is more than one node image: `DIR/home/cache/kic/{arch}/kicbase_v0.0.49.tar`, \
             `DIR/home/cache/kic/{arch}/kicbase_v0.0.51@sha256_eb4f.tar`"
        )
    );
    assert_eq!(kind, Kind::Usage);
    spec.kicbase = vec![site.archive("kicbase.tar")];
    gather(&answers, &spec, &Silent).expect("the flag decides");
}

#[test]
fn every_missing_part_is_named_at_once() {
    let site = Site::new();
    let mut spec = site.spec();
    (spec.minikube, spec.kicbase) = (Vec::new(), Vec::new());
    spec.images.truncate(1);
    let (text, kind) = site.refused(&spec);
    let platform = spec.platforms[0];
    assert_eq!(
        text,
        format!(
            "3 parts are missing for Kubernetes v1.37.2 on {platform} (kubeadm lists the images):\n  minikube\n  \
             the node image (kicbase)\n  {PROVISIONER}"
        )
    );
    assert_eq!(kind, Kind::Usage);
    // Nobody knows the images of this version without its kubeadm.
    spec.binaries = vec![site.path("binaries/kubectl")];
    let (text, _) = site.refused(&spec);
    assert_eq!(
        text,
        format!(
            "5 parts are missing for Kubernetes v1.37.2 on {platform}:\n  minikube\n  kubeadm\n  kubelet\n  \
             the node image (kicbase)\n  the images that kubeadm will list"
        )
    );
}

#[test]
fn a_file_that_is_not_the_program_is_named_for_what_it_is() {
    let site = Site::new();
    let platform = site.spec().platforms[0];
    let other = format!("ELF for {}", other_arch().name());
    for (bytes, found) in [
        (elf(other_arch(), b"x"), other.as_str()),
        (b"<html>not found</html>\n".to_vec(), "a text file"),
        (gzip(b"x"), "gzip data"),
        (Vec::new(), "an empty file"),
    ] {
        site.write("binaries/kubelet", &bytes);
        let (text, kind) = site.refused(&site.spec());
        assert_eq!(
            text,
            format!("kubelet `DIR/binaries/kubelet` should be a program for {platform}; it is {found}")
        );
        assert_eq!(kind, Kind::Usage);
    }
    let program = elf(arch(), b"kubelet");
    site.write("binaries/kubelet", &program[..program.len() - 1]);
    let (text, kind) = site.refused(&site.spec());
    assert_eq!(
        text,
        "`DIR/binaries/kubelet` is cut short: it ends after 126 bytes"
    );
    assert_eq!(kind, Kind::Damaged);
}

#[test]
fn paths_that_cannot_be_parts_are_refused() {
    let site = Site::new();
    let mut spec = site.spec();
    spec.minikube = vec![site.path("binaries")];
    assert_eq!(
        site.refused(&spec).0,
        "`DIR/binaries` should be a file; it is a directory"
    );
    spec.minikube = vec![site.path("nowhere")];
    assert_eq!(
        site.refused(&spec),
        ("cannot read `DIR/nowhere`".to_owned(), Kind::Usage)
    );
    let mut spec = site.spec();
    spec.binaries = vec![site.path("minikube")];
    assert!(site.refused(&spec).0.ends_with("it is a file with another name"));
    fs::create_dir(site.path("empty")).expect("directory");
    spec.binaries = vec![site.path("empty")];
    assert!(
        site.refused(&spec)
            .0
            .ends_with("it is a directory without any of them")
    );
}

#[test]
fn a_program_of_another_release_or_that_does_not_run_is_refused() {
    let site = Site::new();
    let mut spec = site.spec();
    spec.kubernetes_version = "v1.35.5".parse().expect("version");
    let (text, kind) = site.refused(&spec);
    assert_eq!(
        text,
        "kubeadm `DIR/binaries/kubeadm` should be v1.35.5; it says `v1.37.2`"
    );
    assert_eq!(kind, Kind::Usage);
    let silent = |_: &Path, _: &[&str]| Ok(String::new());
    let error = gather(&silent, &site.spec(), &Silent).expect_err("silent");
    assert!(
        error
            .to_string()
            .ends_with("/minikube` should say its version; it says ``")
    );
    let broken = |_: &Path, _: &[&str]| Err(AskError::Start(std::io::Error::from_raw_os_error(8)));
    let error = gather(&broken, &site.spec(), &Silent).expect_err("broken");
    assert!(error.to_string().ends_with("/minikube` does not run here"));
    assert_eq!(causes(&error)[0], "it cannot be started");
    assert!(causes(&error)[1].starts_with("Exec format error"));
}

#[test]
fn two_parts_for_one_role_are_both_named() {
    let site = Site::new();
    let mut spec = site.spec();
    site.write("other/kubelet", &elf(arch(), b"another build"));
    spec.binaries.push(site.path("other"));
    let (text, kind) = site.refused(&spec);
    assert_eq!(
        text,
        "there are two different parts for kubelet: `DIR/binaries/kubelet` and `DIR/other/kubelet`"
    );
    assert_eq!(kind, Kind::Usage);

    let mut spec = site.spec();
    site.image("other.tar", PAUSE, b"another build");
    spec.images.insert(0, site.archive("other.tar"));
    let (text, _) = site.refused(&spec);
    assert_eq!(
        text,
        format!("there are two different parts for {PAUSE}: `DIR/other.tar` and `DIR/pause.tar`")
    );
}

#[test]
fn a_node_image_is_one_image_with_one_name() {
    let site = Site::new();
    let two = docker_archive_for(arch(), &["r.io/kicbase:a", "r.io/kicbase:b"], b"node");
    site.write("two.tar", &two);
    let mut spec = site.spec();
    spec.kicbase = vec![site.archive("two.tar")];
    let (text, kind) = site.refused(&spec);
    assert_eq!(
        text,
        "`docker-archive:DIR/two.tar` has more than one image: `r.io/kicbase:a`, `r.io/kicbase:b`"
    );
    assert_eq!(kind, Kind::Usage);
    let text = format!("docker-archive:{}:r.io/kicbase:b", site.path("two.tar").display());
    spec.kicbase = vec![ImageSource::parse(&text).expect("source")];
    let parts = gather(&answers, &spec, &Silent).expect("parts");
    assert_eq!(parts.images[0].pin.reference.to_string(), "r.io/kicbase:b");
}

#[test]
fn an_image_for_another_platform_is_refused() {
    let site = Site::new();
    site.write("pause.tar", &docker_archive_for(other_arch(), &[PAUSE], b"pause"));
    let (text, kind) = site.refused(&site.spec());
    let (here, there) = (arch().name(), other_arch().name());
    assert_eq!(
        text,
        format!("`{PAUSE}` in `DIR/pause.tar` is for linux/{there}, and the bundle is for linux/{here}")
    );
    assert_eq!(kind, Kind::Usage);
}

#[test]
fn a_layer_that_is_not_the_configs_is_refused() {
    let site = Site::new();
    let mut archive = fs::read(site.path("pause.tar")).expect("archive");
    let at = archive
        .windows(512)
        .position(|block| block.starts_with(b"pause\0"))
        .expect("layer");
    archive[at] = b'P';
    site.write("pause.tar", &archive);
    let (text, kind) = site.refused(&site.spec());
    let digest = crate::bundle::Digest::of;
    let (found, expected) = (digest(b"Pause"), digest(b"pause"));
    assert_eq!(
        text,
        format!(
            "`DIR/pause.tar` is damaged: the layer `layer/layer.tar` has {found}, the image's config says {expected}"
        )
    );
    assert_eq!(kind, Kind::Damaged);
    // The same, where the layer is compressed and cannot even be decoded.
    archive[at..at + 5].copy_from_slice(&[0x1f, 0x8b, 8, 0, 0]);
    site.write("pause.tar", &archive);
    let (text, kind) = site.refused(&site.spec());
    assert_eq!(
        text,
        "`DIR/pause.tar` is damaged: `layer/layer.tar` cannot be decoded"
    );
    assert_eq!(kind, Kind::Damaged);
}

#[test]
fn progress_adds_up() {
    struct Sum(Mutex<Vec<(Option<u64>, u64)>>);
    impl Progress for Sum {
        fn begin(&self, _: &str, total_bytes: Option<u64>) {
            self.0.lock().expect("lock").push((total_bytes, 0));
        }
        fn advance(&self, bytes: u64) {
            self.0.lock().expect("lock").last_mut().expect("stage").1 += bytes;
        }
        fn note(&self, _: &str) {}
        fn end(&self, _: &str) {}
    }
    let site = Site::new();
    let sum = Sum(Mutex::default());
    gather(&answers, &site.spec(), &sum).expect("parts");
    let stages = sum.0.into_inner().expect("lock");
    assert_eq!(stages.len(), 3);
    for (total, done) in stages {
        assert_eq!(done, total.unwrap_or_default());
    }
}
