use std::path::PathBuf;

use super::space::Demand;
use super::subnets::SubnetFacts;
use super::*;
use crate::bundle::{Arch, Platform};
use crate::docker::EngineInfo;
use crate::explain::{Explain, Kind};
use crate::host::{CgroupVersion, Cgroups, Confinement, FileSystem, Firewalld, InotifyLimits, Kernel};
use crate::install::Receipt;
use crate::install::testing::index;
use crate::minikube::{KubernetesConfig, ProfileConfig};

fn fit() -> MachineFacts {
    MachineFacts {
        platform: Some(Platform { arch: Arch::Amd64 }),
        engine: Ok(EngineInfo {
            server_version: "20.10.24".into(),
            mem_total: 8 << 30,
            cpus: 4,
            architecture: "x86_64".into(),
            kernel_version: "6.1.0".into(),
            ..EngineInfo::default()
        }),
        engine_elsewhere: false,
        endpoint: None,
        nodes: Vec::new(),
        profile: None,
        receipt: Receipt::default(),
        root: false,
        demands: Vec::new(),
        directories: Vec::new(),
        foreign_programs: Vec::new(),
        memory: None,
        kernel: Kernel {
            release: "6.1.0".into(),
            present: kernel::NEEDS
                .iter()
                .flat_map(|need| need.modules)
                .map(|module| (*module).to_owned())
                .collect(),
            ..Kernel::default()
        },
        cgroups: Cgroups {
            version: CgroupVersion::V2,
            ..Cgroups::default()
        },
        subnets: SubnetFacts::default(),
        listeners: Vec::new(),
        inotify: InotifyLimits::default(),
        firewalld: Firewalld::default(),
        kubeconfig: None,
        settings: MinikubeSettings::default(),
        confinement: Confinement::default(),
        now: 1_800_000_000,
        packed: None,
    }
}

fn options(change: impl FnOnce(&mut SiteOptions)) -> SiteOptions {
    let mut options = SiteOptions::default();
    change(&mut options);
    options
}

#[test]
fn a_fit_machine_has_nothing_to_mend() {
    assert_eq!(examine(&index(), &SiteOptions::default(), &fit()).findings, []);
}

#[test]
fn every_reason_is_told_at_once() {
    let mut facts = fit();
    facts.platform = Some(Platform { arch: Arch::Arm64 });
    facts.profile = Some(ProfileConfig {
        nodes: Vec::new(),
        driver: "docker".into(),
        kubernetes_config: KubernetesConfig {
            kubernetes_version: "v1.34.0".into(),
            container_runtime: "docker".into(),
        },
        ..ProfileConfig::default()
    });
    facts.kernel.present.remove("overlay");
    facts.kernel.loadable = Some(std::collections::BTreeSet::new());
    let options = options(|options| options.memory = Some("64g".into()));
    let failure = Report::of(examine(&index(), &options, &facts).findings)
        .into_result()
        .expect_err("unfit");
    assert_eq!(failure.explain().kind, Kind::Unfit);
    let text = failure.to_string();
    for part in [
        "1. ",
        "4. ",
        "linux/arm64",
        "`v1.34.0`, not `v1.35.4`",
        "65536 MiB",
        "has no overlay",
        "minikube delete -p minikube",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_machine_whose_engine_does_not_answer_is_looked_at_all_the_same() {
    let mut facts = fit();
    facts.engine = Err(("Docker Engine does not answer".into(), "start it".into()));
    facts.cgroups = Cgroups::default();
    facts.kernel.present.remove("overlay");
    facts.kernel.loadable = Some(std::collections::BTreeSet::new());
    let findings = examine(&index(), &SiteOptions::default(), &facts).findings;
    let said: Vec<&str> = findings.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(
        said,
        [
            "Docker Engine does not answer",
            "there are no cgroups on this machine",
            "Linux 6.1.0 has no overlay"
        ]
    );
    facts.engine_elsewhere = true;
    assert_eq!(
        examine(&index(), &SiteOptions::default(), &facts).findings.len(),
        1
    );
}

#[test]
fn a_missing_engine_is_the_only_thing_said_of_it() {
    let mut facts = fit();
    facts.engine = Err(("Docker Engine is not installed".into(), "install it".into()));
    facts.kernel.present.clear();
    let failure = Report::of(examine(&index(), &SiteOptions::default(), &facts).findings)
        .into_result()
        .expect_err("unfit");
    assert_eq!(failure.explain(), Kind::Unfit.hint("install it"));
    assert_eq!(Kind::Unfit.exit_code(), 9);
}

#[test]
fn the_kernel_of_another_machine_is_not_taken_for_the_engines() {
    let mut facts = fit();
    facts.kernel.release = "6.2.0".into();
    facts.kernel.present.clear();
    facts.kernel.loadable = Some(std::collections::BTreeSet::new());
    facts.cgroups = Cgroups::default();
    let findings = examine(&index(), &SiteOptions::default(), &facts).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].severity, Severity::Note);
}

#[test]
fn file_systems_are_counted_once_with_all_that_goes_there() {
    let demand = |what, bytes, device, free_bytes| Demand {
        what,
        bytes,
        file_system: FileSystem {
            is_fat: false,
            device,
            directory: PathBuf::from("/var"),
            free_bytes,
            read_only: false,
        },
    };
    let enough = [
        demand("a", 60, 1, 110),
        demand("b", 40, 1, 110),
        demand("c", 100, 2, 110),
    ];
    assert!(space::examine(&enough).is_empty());
    let short = [demand("a", 60, 1, 109), demand("b", 40, 1, 109)];
    let findings = space::examine(&short);
    assert_eq!(findings.len(), 1);
    let failure = Report::of(findings).into_result().expect_err("full");
    assert_eq!(failure.explain().kind, Kind::NoSpace);
    assert!(failure.to_string().contains("a and b need"), "{failure}");
}

#[test]
fn root_is_told_that_force_is_added() {
    let mut facts = fit();
    facts.root = true;
    let findings = examine(&index(), &SiteOptions::default(), &facts).findings;
    assert_eq!(findings.len(), 1);
    assert!(findings[0].why.contains("`--force`"));
    assert!(Report::of(findings).into_result().is_ok());
}
