//! An engine that has another image under the node image's name, of the very same layers:
//! what runs in a node, and as whom, stands in the config.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::Site;

const OTHER_ID: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

impl Site {
    /// The bundle's node image.
    fn node_image(&self) -> Value {
        let outcome = self.run(&["inspect", "--output=json"]);
        let value: Value = serde_json::from_str(outcome.stdout.lines().last().unwrap()).unwrap();
        let images = value["index"]["images"].as_array().unwrap();
        let node = images.iter().find(|image| image["role"] == "node");
        node.unwrap().clone()
    }

    /// The file in which the engine remembers `image`.
    fn remembered(&self, image: &Value) -> PathBuf {
        let name = image["reference"].as_str().unwrap().replace('/', "_");
        self.sandbox.path(&format!("engine/image {name}"))
    }

    fn id_of(&self, image: &Value) -> String {
        let text = fs::read_to_string(self.remembered(image)).unwrap();
        let there: Value = serde_json::from_str(&text).unwrap();
        there["Id"].as_str().unwrap().to_owned()
    }
}

/// An image with this id and the layers of `image`.
fn same_layers(image: &Value, id: &str) -> String {
    json!({ "Name": image["reference"], "Id": id, "RootFS": { "Layers": image["layers"] } }).to_string()
}

const START: [&str; 4] = ["-y", "--image-load", "cache", "--keep-failed"];

#[test]
fn another_config_over_the_same_layers_is_not_the_node_image() {
    for (driver, in_containerd) in [("overlay2", false), ("overlayfs", true), ("btrfs", true)] {
        let site = Site::new();
        site.engine.keeps_images(driver, in_containerd);
        let image = site.node_image();
        fs::write(site.remembered(&image), same_layers(&image, OTHER_ID)).unwrap();
        let outcome = site.run(&START);
        let said = format!("was another image ({OTHER_ID}), which stays without a name");
        assert!(outcome.stderr.contains(&said), "{driver}: {outcome:?}");
        assert_eq!(site.id_of(&image), image["config"].as_str().unwrap(), "{driver}");
    }
}

#[test]
fn an_engine_with_a_manifest_of_its_own_is_known_again_by_what_it_had_after_loading() {
    for (driver, loads) in [
        ("overlay2", false),
        ("btrfs", false),
        ("overlayfs", true),
        ("btrfs", true),
        ("native", true),
    ] {
        let site = Site::new();
        site.engine.keeps_images(driver, loads);
        let image = site.node_image();
        fs::write(site.sandbox.path("engine/loads"), same_layers(&image, OTHER_ID)).unwrap();
        let first = site.run(&START);
        let refused = format!("Docker Engine has `{OTHER_ID}` as `");
        assert_eq!(
            first.stderr.contains(&refused),
            !loads,
            "only containerd writes manifests: {first:?}"
        );
        if loads {
            let again = site.run(&START);
            assert!(!again.stderr.contains("was another image"), "{again:?}");
            assert!(again.stderr.contains("already there"), "{again:?}");
            assert_eq!(site.run(&["uninstall", "-y"]).status, 0);
            let left = site.engine.has();
            assert!(left.iter().all(|thing| !thing.starts_with("image ")), "{left:?}");
        }
    }
}

#[test]
fn another_image_under_the_name_leaves_the_node_image_to_be_counted() {
    let site = Site::new();
    // Without room, the message has the bytes that are needed.
    site.engine.says("DockerRootDir", "/proc");
    let image = site.node_image();
    let own = image["config"].as_str().unwrap();
    let needed = |site: &Site| {
        let outcome = site.run(&["preflight", "--image-load", "cache"]);
        let (before, _) = outcome.stderr.split_once(" bytes, a tenth").unwrap();
        before.rsplit_once('(').unwrap().1.parse::<u64>().unwrap()
    };
    let none = needed(&site);
    fs::write(site.remembered(&image), same_layers(&image, own)).unwrap();
    assert!(needed(&site) < none, "it is there: {none}");
    fs::write(site.remembered(&image), same_layers(&image, OTHER_ID)).unwrap();
    assert_eq!(needed(&site), none, "another is there");
}

#[test]
fn room_is_asked_for_where_containerd_has_images_and_where_the_engine_has_volumes() {
    let site = Site::new();
    let images = site.sandbox.path("data/containerd/daemon");
    let preflight = |in_containerd: bool, data: &str| {
        site.engine.keeps_images("overlayfs", in_containerd);
        site.engine.says("DockerRootDir", data);
        site.run(&["preflight", "--image-load", "cache"])
    };
    let data = site.sandbox.path("data");
    fs::create_dir_all(data.join("containerd")).unwrap();
    // What is mounted at `/proc` has no room.
    std::os::unix::fs::symlink("/proc", &images).unwrap();
    let full = preflight(true, data.to_str().unwrap());
    assert_eq!(full.status, 6, "{full:?}");
    let said = format!("the file system of `{}` has 0 B free (0 bytes)", images.display());
    assert!(full.stderr.contains(&said), "{full:?}");
    assert!(
        full.stderr
            .contains("the node image in Docker Engine's containerd need"),
        "{full:?}"
    );
    assert!(!full.stderr.contains("the node's volumes"), "{full:?}");
    // The same engine without containerd's store has all in its own directory.
    let roomy = preflight(false, data.to_str().unwrap());
    assert!(!roomy.stderr.contains(" 0 B free"), "{roomy:?}");

    // And when the space ends while the image is loaded, the hint names that directory.
    site.engine.keeps_images("native", true);
    site.engine
        .says("DockerRootDir", site.sandbox.path("home").to_str().unwrap());
    site.engine.fails(
        "image load",
        Some("write /x/ingest/1/data: no space left on device"),
    );
    let refused = site.run(&["-y", "--image-load", "cache"]);
    assert_eq!(refused.status, 6, "{refused:?}");
    let directory = site.sandbox.path("home/containerd/daemon");
    let hint = format!(
        "hint: free space in `{0}`, where Docker keeps images (`df -h {0}`)",
        directory.display()
    );
    assert!(refused.stderr.contains(&hint), "{refused:?}");
}

#[test]
fn anothers_kubeadm_in_minikubes_cache_is_never_run() {
    let site = Site::new();
    let cached = site.sandbox.path("home/.minikube/cache/linux/amd64/v1.35.4");
    let ran = site.sandbox.path("ran");
    let program = format!("#!/bin/sh\ntouch '{}'\n", ran.display());
    fs::create_dir_all(&cached).unwrap();
    for (name, refused_by) in [("kubeadm", ["auto", "cache"].as_slice()), ("kubelet", &["cache"])] {
        let path = cached.join(name);
        fs::write(&path, &program).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        for way in refused_by {
            let finding = format!("`{}` is not the {name} of this bundle", path.display());
            for arguments in [
                ["preflight", "--image-load", way].as_slice(),
                &["-y", "--image-load", way],
            ] {
                let outcome = site.run(arguments);
                assert_eq!(outcome.status, 9, "{outcome:?}");
                assert!(outcome.stderr.contains(&finding), "{outcome:?}");
                assert!(outcome.stderr.contains("move it away: `mv "), "{outcome:?}");
            }
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            program,
            "it is not ours to remove"
        );
        fs::remove_file(path).unwrap();
    }
    assert!(!ran.exists());
    let fixed = site.run(&START);
    assert!(!fixed.stderr.contains("is not the"), "{fixed:?}");
}
