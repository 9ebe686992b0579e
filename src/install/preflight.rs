//! Whether this machine can start the cluster: every reason why not, at once.

mod facts;
mod space;

use std::fmt;

use self::facts::MachineFacts;
use super::options::{is_profile_name, memory_mib};
use super::{Layout, SiteOptions};
use crate::bundle::BundleIndex;
use crate::failure::{Failure, Kind};
use crate::host::Environment;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Good to know.
    Note,
    /// The start may fail.
    Warning,
    /// The start cannot succeed.
    Fatal,
}

/// One thing about this machine.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The exit code that it stands for, when it is fatal.
    pub kind: Kind,
    /// What was found.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// What the person can do about it.
    pub mend: String,
}

/// All that was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
}

/// This machine cannot start the cluster.
#[derive(Debug, thiserror::Error)]
#[error("this machine is not fit to start the cluster{}", ListOf(reasons))]
struct Unfit {
    reasons: Vec<Finding>,
}

struct ListOf<'a>(&'a [Finding]);

impl fmt::Display for ListOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0 {
            return write!(f, ": {}; {}", only.what, only.why);
        }
        for (number, finding) in self.0.iter().enumerate() {
            write!(
                f,
                "\n  {}. {}; {}\n     {}",
                number + 1,
                finding.what,
                finding.why,
                finding.mend
            )?;
        }
        Ok(())
    }
}

impl Report {
    /// Every finding, the gravest first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What is not fatal, or a failure that lists all that is.
    pub fn into_result(self) -> Result<Vec<Finding>, Failure> {
        let (reasons, rest): (Vec<_>, Vec<_>) = self
            .findings
            .into_iter()
            .partition(|finding| finding.severity == Severity::Fatal);
        let Some(first) = reasons.first() else {
            return Ok(rest);
        };
        let kind = if reasons.iter().all(|reason| reason.kind == first.kind) {
            first.kind
        } else {
            Kind::Unfit
        };
        let hint = match &reasons[..] {
            [only] => only.mend.clone(),
            several => format!(
                "mend all {} and run the same command again; nothing was changed on this machine",
                several.len()
            ),
        };
        Err(Failure::new(kind, Unfit { reasons }).hint(hint))
    }
}

/// Looks at this machine. It changes nothing.
pub fn preflight(index: &BundleIndex, options: &SiteOptions) -> Result<Report, Failure> {
    let environment = Environment::of_this_process();
    let layout = Layout::of(&environment, options.minikube_home.as_deref())?;
    let facts = MachineFacts::gather(index, options, &environment, &layout)?;
    let mut findings = examine(index, options, &facts);
    findings.extend(space::examine(&facts.demands));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(Report { findings })
}

fn fatal(what: String, why: &str, mend: String) -> Finding {
    Finding {
        severity: Severity::Fatal,
        kind: Kind::Unfit,
        what,
        why: why.to_owned(),
        mend,
    }
}

/// minikube's own minima. Source: minikube v1.38.1, `start.go` (`minUsableMem`,
/// `minimumCPUS`) and `registry/drvs/docker/docker.go:46-47`.
const MINIMUM_MIB: u64 = 1800;
const MINIMUM_CPUS: u64 = 2;
const OLDEST_ENGINE: (u32, u32) = (18, 9);
const RECOMMENDED_ENGINE: (u32, u32) = (20, 10);

fn examine(index: &BundleIndex, options: &SiteOptions, facts: &MachineFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !is_profile_name(&options.profile) {
        findings.push(Finding {
            kind: Kind::Usage,
            ..fatal(
                format!("`{}` cannot be the name of a profile", options.profile),
                "minikube takes letters, digits and `-`, at least two, and no `-` at the start",
                "give another name with `--profile`".to_owned(),
            )
        });
    }
    examine_platform(index, facts, &mut findings);
    examine_engine(options, facts, &mut findings);
    examine_profile(index, options, facts, &mut findings);
    if facts.root {
        findings.push(Finding {
            severity: Severity::Note,
            ..fatal(
                "this run is root's".to_owned(),
                "minikube gets `--force`, without which it refuses to run as root with the docker driver",
                "run as a user of the group `docker` to do without".to_owned(),
            )
        });
    }
    findings
}

fn examine_platform(index: &BundleIndex, facts: &MachineFacts, findings: &mut Vec<Finding>) {
    let wanted = index.cluster.platform;
    let engine = facts
        .engine
        .as_ref()
        .ok()
        .map(|engine| engine.architecture.as_str());
    let engine_differs =
        engine.is_some_and(|machine| ![wanted.arch.machine(), wanted.arch.name(), ""].contains(&machine));
    if facts.platform != Some(wanted) || engine_differs {
        let found = match (facts.platform, engine) {
            (Some(platform), _) if platform != wanted => platform.to_string(),
            (_, Some(machine)) => format!("Docker Engine on {machine}"),
            (_, None) => "another platform".to_owned(),
        };
        findings.push(fatal(
            format!("the bundle is for {wanted}, and this machine is {found}"),
            "its programs and images cannot run here",
            format!("carry a bundle that was packed for {found}"),
        ));
    }
}

fn examine_engine(options: &SiteOptions, facts: &MachineFacts, findings: &mut Vec<Finding>) {
    let engine = match &facts.engine {
        Ok(engine) => engine,
        Err((what, mend)) => {
            findings.push(fatal(
                what.clone(),
                "the cluster's node is a container of Docker Engine",
                mend.clone(),
            ));
            return;
        }
    };
    match engine.release() {
        Some(release) if release < OLDEST_ENGINE => findings.push(fatal(
            format!("Docker Engine is {}", engine.server_version),
            "minikube needs 18.09 or newer",
            "install a newer Docker Engine from this system's package media".to_owned(),
        )),
        Some(release) if release < RECOMMENDED_ENGINE => findings.push(Finding {
            severity: Severity::Warning,
            ..fatal(
                format!("Docker Engine is {}", engine.server_version),
                "minikube recommends 20.10 or newer",
                "install a newer Docker Engine from this system's package media".to_owned(),
            )
        }),
        _ => {}
    }
    if engine.rootless() && engine.cgroup_version == "1" {
        findings.push(fatal(
            "Docker Engine is rootless and the machine has cgroup v1".to_owned(),
            "minikube needs cgroup v2 for a rootless engine",
            "boot with `systemd.unified_cgroup_hierarchy=1`, or use the system's Docker Engine".to_owned(),
        ));
    }
    examine_memory(options, engine.mem_total >> 20, findings);
    examine_cpus(options, engine.cpus, findings);
}

fn examine_memory(options: &SiteOptions, engine_mib: u64, findings: &mut Vec<Finding>) {
    if engine_mib < MINIMUM_MIB {
        findings.push(fatal(
            format!("Docker Engine's machine has {engine_mib} MiB of memory"),
            "a node needs 1800 MiB at least",
            "give the machine more memory".to_owned(),
        ));
        return;
    }
    let Some(asked) = options.memory.as_deref().and_then(memory_mib) else {
        return;
    };
    if asked < MINIMUM_MIB {
        findings.push(fatal(
            format!("`--memory` asks for {asked} MiB"),
            "a node needs 1800 MiB at least",
            "ask for more, or leave `--memory` away".to_owned(),
        ));
    } else if asked > engine_mib {
        findings.push(fatal(
            format!("`--memory` asks for {asked} MiB"),
            &format!("Docker Engine's machine has {engine_mib} MiB"),
            format!("ask for {} MiB or less", engine_mib * 3 / 4),
        ));
    }
}

fn examine_cpus(options: &SiteOptions, engine_cpus: u64, findings: &mut Vec<Finding>) {
    if engine_cpus < MINIMUM_CPUS {
        findings.push(fatal(
            format!("Docker Engine's machine has {engine_cpus} processor"),
            "a node needs 2 at least",
            "give the machine more processors".to_owned(),
        ));
    } else if let Some(asked) = options.cpus.as_deref().and_then(|cpus| cpus.parse::<u64>().ok())
        && !(MINIMUM_CPUS..=engine_cpus).contains(&asked)
    {
        findings.push(fatal(
            format!("`--cpus` asks for {asked}"),
            &format!("it can be from 2 to {engine_cpus} on this machine"),
            "ask for another number, or leave `--cpus` away".to_owned(),
        ));
    }
}

fn examine_profile(
    index: &BundleIndex,
    options: &SiteOptions,
    facts: &MachineFacts,
    findings: &mut Vec<Finding>,
) {
    let Some(profile) = &facts.profile else {
        return;
    };
    let runtime = options.runtime(index);
    let version = index.cluster.kubernetes_version.to_string();
    let differences = [
        (
            "Kubernetes",
            profile.kubernetes_config.kubernetes_version.as_str(),
            version.as_str(),
        ),
        (
            "the container runtime",
            profile.kubernetes_config.container_runtime.as_str(),
            runtime.name(),
        ),
        ("the driver", profile.driver.as_str(), "docker"),
    ];
    for (thing, found, wanted) in differences {
        if !found.is_empty() && found != wanted {
            findings.push(fatal(
                format!(
                    "the profile `{}` is there, and {thing} in it is `{found}`, not `{wanted}`",
                    options.profile
                ),
                "a start would change a cluster that someone uses",
                format!(
                    "choose another name with `--profile NAME`, or give that cluster up with `minikube delete -p {}`",
                    options.profile
                ),
            ));
        }
    }
}

#[cfg(test)]
mod tests;
