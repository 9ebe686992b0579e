//! The images that Kubernetes needs, by the table in this program and by others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use minikube_offline::bundle::{ContainerRuntime, Platform, Version};
use minikube_offline::resolve::requirements;

use crate::support::effort::report;

/// The images by the table: no kubeadm is asked.
fn by_table(version: &str) -> Result<BTreeSet<String>, String> {
    let version: Version = version.parse().expect("a version");
    let platform: Platform = "linux/amd64".parse().expect("a platform");
    let needs = requirements(&version, &[platform], None).map_err(|error| error.to_string())?;
    Ok(needs.images.iter().map(ToString::to_string).collect())
}

/// A patch release from which a minor one has this tag, up to the next.
type Tags = &'static [(u32, &'static str)];

/// Minor release, its newest patch that minikube eb25dbc703 has, pause, etcd and `CoreDNS`.
/// Source: what `kubeadm config images list` of each release says, as minikube eb25dbc703
/// has collected it in `pkg/minikube/constants/constants_kubeadm_images.go`.
const LISTS: [(u32, u32, Tags, Tags, Tags); 9] = [
    (
        28,
        15,
        &[(0, "3.9")],
        &[(0, "3.5.9-0"), (6, "3.5.10-0"), (8, "3.5.12-0"), (14, "3.5.15-0")],
        &[(0, "v1.10.1")],
    ),
    (
        29,
        15,
        &[(0, "3.9")],
        &[
            (0, "3.5.10-0"),
            (3, "3.5.12-0"),
            (9, "3.5.15-0"),
            (11, "3.5.16-0"),
        ],
        &[(0, "v1.11.1")],
    ),
    (
        30,
        14,
        &[(0, "3.9")],
        &[(0, "3.5.12-0"), (5, "3.5.15-0")],
        &[(0, "v1.11.1"), (5, "v1.11.3")],
    ),
    (
        31,
        14,
        &[(0, "3.10")],
        &[(0, "3.5.15-0"), (14, "3.5.24-0")],
        &[(0, "v1.11.1"), (1, "v1.11.3")],
    ),
    (
        32,
        13,
        &[(0, "3.10")],
        &[(0, "3.5.16-0"), (10, "3.5.24-0")],
        &[(0, "v1.11.3")],
    ),
    (
        33,
        13,
        &[(0, "3.10")],
        &[(0, "3.5.21-0"), (6, "3.5.24-0")],
        &[(0, "v1.12.0")],
    ),
    (
        34,
        10,
        &[(0, "3.10.1")],
        &[(0, "3.6.4-0"), (2, "3.6.5-0")],
        &[(0, "v1.12.1")],
    ),
    (35, 7, &[(0, "3.10.1")], &[(0, "3.6.6-0")], &[(0, "v1.13.1")]),
    (36, 3, &[(0, "3.10.2")], &[(0, "3.6.8-0")], &[(0, "v1.14.2")]),
];

#[test]
fn every_release_from_v1_28_to_v1_36_has_the_images_that_its_kubeadm_lists() {
    let mut tried = 0;
    for (minor, last, pause, etcd, coredns) in LISTS {
        for patch in 0..=last {
            let version = format!("v1.{minor}.{patch}");
            let tag = |tags: Tags| tags.iter().rfind(|(from, _)| *from <= patch).expect("a tag").1;
            let mut expected: BTreeSet<String> = ["apiserver", "controller-manager", "scheduler", "proxy"]
                .map(|name| format!("registry.k8s.io/kube-{name}:{version}"))
                .into();
            expected.insert(format!("registry.k8s.io/pause:{}", tag(pause)));
            expected.insert(format!("registry.k8s.io/etcd:{}", tag(etcd)));
            expected.insert(format!("registry.k8s.io/coredns/coredns:{}", tag(coredns)));
            expected.insert("gcr.io/k8s-minikube/storage-provisioner:v5".to_owned());
            assert_eq!(by_table(&version).as_ref(), Ok(&expected), "{version}");
            tried += 1;
        }
        let next = format!("v1.{minor}.{}", last + 1);
        assert!(by_table(&next).is_err(), "{next} is guessed");
    }
    assert_eq!(tried, 113);
}

/// A minikube that is asked, in a home of its own and with no way out.
struct Minikube {
    program: PathBuf,
    directory: tempfile::TempDir,
}

impl Minikube {
    fn command(&self, home: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.directory.path())
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("MINIKUBE_HOME", home)
            // Nobody answers there: what is not in the list is not downloaded either.
            .env("HTTPS_PROXY", "http://127.0.0.1:1")
            .env("HTTP_PROXY", "http://127.0.0.1:1");
        command
    }

    /// The releases that it knows, without candidates.
    fn releases(&self) -> Vec<String> {
        let home = self.directory.path().join("versions");
        let output = self
            .command(&home, &["config", "defaults", "kubernetes-version", "-o", "json"])
            .output()
            .expect("minikube runs");
        let versions: Vec<String> = serde_json::from_slice(&output.stdout).expect("a list of versions");
        versions
            .into_iter()
            .filter(|version| !version.contains('-'))
            .collect()
    }

    /// The images that it would put into its cache for a node. It names each in its log,
    /// whether it gets it or not, and asks for nothing but the programs before: those
    /// are there, empty, because it only looks whether they are.
    fn images(&self, version: &str, runtime: ContainerRuntime) -> BTreeSet<String> {
        let home = self.directory.path().join(format!("{version}-{runtime}"));
        let platform = Platform::of_this_machine().expect("a platform");
        let programs = home.join(format!(".minikube/cache/{platform}/{version}"));
        fs::create_dir_all(&programs).expect("a directory");
        for program in ["kubeadm", "kubelet", "kubectl"] {
            fs::write(programs.join(program), "").expect("a file");
        }
        let output = self
            .command(
                &home,
                &[
                    "start",
                    "--download-only",
                    // It needs neither an engine nor root.
                    "--driver=ssh",
                    "--ssh-ip-address=127.0.0.1",
                    &format!("--container-runtime={runtime}"),
                    &format!("--kubernetes-version={version}"),
                    "--preload=false",
                    "--cache-images=true",
                    "--interactive=false",
                    "--force",
                    "--alsologtostderr",
                ],
            )
            .output()
            .expect("minikube runs");
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{version} {runtime}: {log}");
        log.split("cache image \"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next().map(str::to_owned))
            .collect()
    }
}

#[test]
fn real_minikube_wants_the_images_that_the_table_names() {
    let Some(program) = std::env::var_os("MINIKUBE_OFFLINE_TEST_MINIKUBE") else {
        report("skipped: MINIKUBE_OFFLINE_TEST_MINIKUBE does not name a minikube");
        return;
    };
    let minikube = Minikube {
        program: program.into(),
        directory: tempfile::tempdir().expect("a directory"),
    };
    let minors: BTreeMap<u64, u32> = LISTS.iter().map(|list| (u64::from(list.0), list.1)).collect();
    let known: Vec<String> = minikube
        .releases()
        .into_iter()
        .filter(|version| {
            let version: Version = version.parse().expect("a version");
            version.major() == 1 && minors.contains_key(&version.minor())
        })
        .collect();
    let jobs = Mutex::new(Vec::new());
    for version in &known {
        let mut jobs = jobs.lock().expect("no panic");
        jobs.extend(ContainerRuntime::ALL.map(|runtime| (version.clone(), runtime)));
    }
    let wrong = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let tried = known.len() * ContainerRuntime::ALL.len();
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let job = jobs.lock().expect("no panic").pop();
                    let Some((version, runtime)) = job else { return };
                    let said = minikube.images(&version, runtime);
                    let table = by_table(&version);
                    if table.as_ref() != Ok(&said) {
                        let text = format!("{version} {runtime}: minikube {said:?}, the table {table:?}");
                        wrong.lock().expect("no panic").push(text);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    report(&format!(
        "{} releases, each with docker and containerd",
        known.len()
    ));
    assert!(tried >= 100, "{known:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn real_minikube_is_asked_for_its_container_runtime() {
    let Some(program) = std::env::var_os("MINIKUBE_OFFLINE_TEST_MINIKUBE") else {
        report("skipped: MINIKUBE_OFFLINE_TEST_MINIKUBE does not name a minikube");
        return;
    };
    let minikube = Minikube {
        program: program.into(),
        directory: tempfile::tempdir().expect("a directory"),
    };
    // As `src/fetch/runtime.rs` asks.
    let home = minikube.directory.path().join("runtime");
    let arguments = [
        "start",
        "--dry-run",
        "--force",
        "--interactive=false",
        "--driver=ssh",
        "--ssh-ip-address=192.0.2.1",
        "--log_file=/dev/stdout",
    ];
    let output = minikube
        .command(&home, &arguments)
        .output()
        .expect("minikube runs");
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{log}");
    let (_, config) = log.split_once("] cluster config:\n").expect("its configuration");
    let line = config.lines().next().unwrap_or_default();
    let known = ContainerRuntime::ALL.map(|runtime| format!(" ContainerRuntime:{runtime} "));
    assert!(known.iter().any(|known| line.contains(known)), "{line}");
}
