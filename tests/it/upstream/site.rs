//! A machine with all that a bundle needs but one image, which a registry has.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minikube_offline::bundle::Arch;
use minikube_offline::failure::Failure;
use minikube_offline::fetch::{self, LocalImage, Then, Upstream};
use minikube_offline::host::Environment;
use minikube_offline::progress::Silent;
use minikube_offline::spec::{ImageSource, PartialSpec, RegistryMirror, Sources, Spec};

use super::download::patience;
use crate::support::parts::SampleParts;
use crate::support::registry::{Draft, Registry};
use crate::support::server::{Reply, Seen, Server};

pub(super) const APP: &str = "r.example/team/app:1";

/// All that a bundle needs, on this machine, and one more image in a registry.
pub(super) struct Site {
    pub(super) directory: tempfile::TempDir,
    pub(super) spec: Spec,
}

impl Site {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let parts = SampleParts::make(&directory.path().join("parts"), false);
        let mut spec = PartialSpec::default();
        let mut images = vec![format!("docker://{APP}").parse().expect("an image")];
        for flag in parts.flags() {
            let (name, value) = flag.split_once('=').expect("a value");
            match name {
                "--kubernetes-version" => spec.kubernetes_version = value.parse().ok(),
                "--platform" => spec.platform = value.parse().ok(),
                "--minikube" => spec.minikube = Some(vec![value.into()]),
                "--binaries" => spec.binaries = Some(vec![value.into()]),
                "--kicbase" => spec.kicbase = value.parse().ok().map(|source| vec![source]),
                "--image" => images.push(value.parse::<ImageSource>().expect("an image")),
                name => panic!("{name}"),
            }
        }
        spec.images = Some(images);
        fs::create_dir(directory.path().join("home")).expect("a directory");
        Self {
            spec: spec.resolve().expect("a spec"),
            directory,
        }
    }

    pub(super) fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    pub(super) fn sources(server: &Server) -> Sources {
        Sources {
            registry_upstreams: vec![place("r.example", server)],
            insecure_registries: vec![server.host()],
            ..Sources::default()
        }
    }

    pub(super) fn get(&self, sources: &Sources) -> Result<LocalImage, Failure> {
        self.get_named(sources, APP)
    }

    /// Gets what the spec names, and of it the image with this name.
    pub(super) fn get_named(&self, sources: &Sources, name: &str) -> Result<LocalImage, Failure> {
        let home = self.home();
        let programs = format!("{}:/usr/bin:/bin", self.directory.path().join("bin").display());
        let variables = [("HOME", home.to_str().expect("text")), ("PATH", &programs)];
        let environment = Environment::of(&variables, 0);
        let upstream = Upstream::new(sources, &environment, patience())?;
        let plan = fetch::resolve(&self.spec, Some(&upstream), Then::Fetch, &Silent)?;
        let parts = fetch::fetch(plan, Some(&upstream), &Silent)?;
        let image = parts
            .images
            .iter()
            .find(|image| image.pin.reference.to_string() == name);
        Ok(image.expect("the image").clone())
    }

    /// Writes docker's config.json for this user.
    pub(super) fn log_in(&self, config: &serde_json::Value) {
        let directory = self.home().join(".docker");
        fs::create_dir_all(&directory).expect("a directory");
        fs::write(directory.join("config.json"), config.to_string()).expect("a file");
    }

    /// Writes the credential helper `test`, a shell script.
    pub(super) fn add_helper(&self, script: &str) {
        let directory = self.directory.path().join("bin");
        fs::create_dir_all(&directory).expect("a directory");
        let path = directory.join("docker-credential-test");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
    }

    pub(super) fn stored(&self) -> Vec<String> {
        let directory = self.home().join(".cache/minikube-offline/store/sha256");
        names(&directory)
    }
}

pub(super) fn names(directory: &Path) -> Vec<String> {
    fs::read_dir(directory).map_or(Vec::new(), |entries| {
        entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    })
}

pub(super) fn place(registry: &str, server: &Server) -> RegistryMirror {
    format!("{registry}={}", server.host()).parse().expect("a place")
}

pub(super) fn registry(change: impl FnOnce(&mut Draft)) -> Registry {
    let mut draft = Draft::new(Arch::Arm64, "app");
    change(&mut draft);
    let mut registry = Registry::default();
    registry.add("team/app", "1", &[Draft::new(Arch::Amd64, "other"), draft]);
    registry
}

pub(super) fn serve(registry: Registry) -> Server {
    Server::start(move |seen| registry.answer(seen))
}

/// A registry whose answers pass through `change`, with how many came before.
pub(super) fn spoilt(
    registry: Registry,
    change: impl Fn(&Seen, Reply) -> Reply + Send + Sync + 'static,
) -> Server {
    let registry = Arc::new(registry);
    Server::start(move |seen| change(seen, registry.answer(seen)))
}

pub(super) fn fails(server: &Server) -> Failure {
    let site = Site::new();
    let failure = site.get(&Site::sources(server)).expect_err("refused");
    assert!(!failure.hints.concat().is_empty(), "{failure}");
    failure
}

/// What is wrong and why, without the hint.
pub(super) fn said(failure: &Failure) -> String {
    let mut said = vec![failure.error.to_string()];
    said.extend(failure.causes());
    said.join(": ")
}
