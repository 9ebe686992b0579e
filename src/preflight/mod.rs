//! Whether this machine can start the cluster: every reason why not, at once. A file
//! for each concept, with an `examine` that takes facts and gives findings.

mod addons;
mod arguments;
mod cached;
mod cgroup;
mod clock;
mod confinement;
mod cpus;
mod directories;
mod engine;
mod error;
mod facts;
mod finding;
mod firewall;
mod inotify;
mod kernel;
mod kubeconfig;
mod memory;
mod network;
mod nodes;
mod platform;
mod ports;
mod profile;
mod settings;
mod space;
mod subnets;
mod user;

pub use error::PreflightError;
pub use finding::{Finding, Report, Severity, Unfit};

use crate::bundle::{BinaryRole, BundleIndex, Version};
use crate::host::{Environment, interrupt};
use crate::install::Layout;
use crate::minikube::memory_mib;
use crate::minikube::{MinikubeSettings, SiteOptions};
use crate::verify::OpenedBundle;
use facts::MachineFacts;
use finding::fatal;

/// Looks at this machine. It changes nothing.
pub fn preflight(bundle: &OpenedBundle, options: &SiteOptions) -> Result<Report, PreflightError> {
    let environment = Environment::of_this_process();
    let layout = Layout::of(&environment, options.minikube_home.as_deref())?;
    layout.require_own(&environment)?;
    if let Some(finding) = nodes::impossible(options) {
        return Ok(Report::of(vec![finding]));
    }
    let settings = MinikubeSettings::of(&environment, options.minikube_home.as_deref());
    let mut contradictions = arguments::examine(bundle.index(), options, &settings);
    contradictions.extend(profile::impossible(options));
    if !contradictions.is_empty() {
        return Ok(Report::of(contradictions));
    }
    let facts = MachineFacts::gather(bundle, options, &environment, &layout, settings)?;
    // A question that a signal broke off says nothing about this machine.
    interrupt::check()?;
    let mut findings = examine(bundle.index(), options, &facts);
    findings.extend(space::examine(&facts.demands));
    Ok(Report::of(findings))
}

fn examine(index: &BundleIndex, options: &SiteOptions, facts: &MachineFacts) -> Vec<Finding> {
    let architecture = facts.engine.as_ref().ok().map(|info| info.architecture.as_str());
    let mut findings = Vec::new();
    findings.extend(platform::examine(
        &index.cluster.platforms,
        facts.platform,
        architecture,
    ));
    findings.extend(examine_engine(index, options, facts));
    findings.extend(profile::examine(index, options, facts.profile.as_ref()));
    findings.extend(nodes::examine(options, facts.profile.is_none()));
    if let Some(view) = facts.platform.and_then(|platform| index.on(platform)) {
        findings.extend(network::examine(view, options, facts.profile.is_none()));
        findings.extend(addons::examine(view, options));
    }
    findings.extend(settings::examine(&facts.settings));
    findings.extend(directories::examine(&facts.directories));
    findings.extend(kubeconfig::examine(facts.kubeconfig.as_ref()));
    findings.extend(cached::examine(&facts.foreign_programs));
    findings.extend(clock::examine(facts.now, facts.packed));
    findings.extend(user::examine(facts.root));
    findings
}

/// What the engine and its machine are asked for. Where no engine answers, this machine is
/// looked at anyway, unless another one was chosen: one that lacks modules or control
/// groups is not fixed by starting Docker.
fn examine_engine(index: &BundleIndex, options: &SiteOptions, facts: &MachineFacts) -> Vec<Finding> {
    let info = match &facts.engine {
        Ok(info) => info,
        Err((what, fix)) => {
            let why = "the cluster's node is a container of Docker Engine";
            let mut findings = vec![fatal(what, why, fix)];
            if !facts.engine_elsewhere {
                findings.extend(examine_machine(index, options, facts, false));
            }
            return findings;
        }
    };
    let mut findings = engine::examine(info, facts.endpoint.as_deref());
    findings.extend(settings::rootless(&facts.settings, options, info));
    let elsewhere = engine::other_kernel(info, &facts.kernel.release);
    let here = elsewhere.is_none();
    let asked = options.memory_asked().as_deref().and_then(memory_mib);
    let memory = facts.memory.filter(|_| here);
    findings.extend(memory::examine(
        asked,
        options.nodes().max(1),
        info.mem_total >> 20,
        memory,
        &facts.nodes,
    ));
    let asked = options.cpus_asked().and_then(|cpus| cpus.parse().ok());
    findings.extend(cpus::examine(asked, info.cpus));
    findings.extend(elsewhere);
    if here {
        findings.extend(examine_machine(index, options, facts, info.rootless()));
        findings.extend(firewall::examine(facts.firewalld, info));
    }
    findings
}

/// What the machine of the engine is asked for, when it is this one.
fn examine_machine(
    index: &BundleIndex,
    options: &SiteOptions,
    facts: &MachineFacts,
    rootless: bool,
) -> Vec<Finding> {
    let mut findings = cgroup::examine(
        &facts.cgroups,
        &index.cluster.kubernetes_version,
        minikube_version(index),
    );
    findings.extend(kernel::examine(&facts.kernel, rootless));
    findings.extend(inotify::examine(facts.inotify, options.nodes(), rootless));
    findings.extend(subnets::examine(&facts.subnets, &options.profile));
    findings.extend(ports::examine(&options.values_of("--ports"), &facts.listeners));
    findings.extend(confinement::examine(facts.confinement, rootless));
    findings
}

/// The version of the bundle's minikube, which is the same on all platforms.
fn minikube_version(index: &BundleIndex) -> Option<&Version> {
    let mut programs = index.binaries.iter();
    programs
        .find(|program| program.role == BinaryRole::Minikube)?
        .version
        .as_ref()
}

#[cfg(test)]
mod tests;
