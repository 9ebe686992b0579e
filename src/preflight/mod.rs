//! Whether this machine can start the cluster: every reason why not, at once. A file
//! for each concept, with an `examine` that takes facts and gives findings.

mod addons;
mod arguments;
mod cached;
mod cgroup;
mod checklist;
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
mod upgrade;
mod user;

pub use checklist::Passed;
pub use error::PreflightError;
pub use finding::{Finding, Report, Severity, Unfit};

use crate::bundle::{BinaryRole, BundleIndex, Version};
use crate::host::{Environment, interrupt};
use crate::install::Layout;
use crate::minikube::memory_mib;
use crate::minikube::{MinikubeSettings, SiteOptions};
use crate::verify::OpenedBundle;
use checklist::Checklist;
use facts::MachineFacts;
use finding::{DISK, fatal};

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
    let mut list = examine(bundle.index(), options, &facts);
    list.add(
        DISK,
        space::margins(&facts.demands),
        space::examine(&facts.demands),
    );
    Ok(list.into())
}

fn examine(index: &BundleIndex, options: &SiteOptions, facts: &MachineFacts) -> Checklist {
    let architecture = facts.engine.as_ref().ok().map(|info| info.architecture.as_str());
    let mut list = Checklist::default();
    list.add(
        "Platform",
        facts.platform.map(|platform| platform.to_string()),
        platform::examine(&index.cluster.platforms, facts.platform, architecture),
    );
    examine_engine(index, options, facts, &mut list);
    let existing = facts.profile.as_ref();
    list.look(profile::examine(index, options, existing));
    list.look(existing.and_then(|it| upgrade::examine(index, options, it, &facts.receipt)));
    list.look(nodes::examine(options, facts.profile.is_none()));
    if let Some(view) = facts.platform.and_then(|platform| index.on(platform)) {
        list.look(network::examine(view, options, facts.profile.is_none()));
        list.look(addons::examine(view, options));
    }
    list.look(settings::examine(&facts.settings));
    list.look(directories::examine(&facts.directories));
    list.look(kubeconfig::examine(facts.kubeconfig.as_ref()));
    list.look(cached::examine(&facts.foreign_programs));
    list.add(
        "Clock",
        [clock::date(facts.now)],
        clock::examine(facts.now, facts.packed),
    );
    list.look(user::examine(facts.root));
    list
}

/// What the engine and its machine are asked for. Where no engine answers, this machine is
/// looked at anyway, unless another one was chosen: one that lacks modules or control
/// groups is not fixed by starting Docker.
fn examine_engine(index: &BundleIndex, options: &SiteOptions, facts: &MachineFacts, list: &mut Checklist) {
    let info = match &facts.engine {
        Ok(info) => info,
        Err((what, fix)) => {
            let why = "the cluster's node is a container of Docker Engine";
            list.look([fatal(what, why, fix)]);
            if !facts.engine_elsewhere {
                examine_machine(index, options, facts, false, list);
            }
            return;
        }
    };
    list.add(
        "Docker Engine",
        [format!("{}, storage driver {}", info.server_version, info.driver)],
        engine::examine(info, facts.endpoint.as_deref()),
    );
    list.look(settings::rootless(&facts.settings, options, info));
    let elsewhere = engine::other_kernel(info, &facts.kernel.release);
    let here = elsewhere.is_none();
    let asked = options.memory_asked().as_deref().and_then(memory_mib);
    let (nodes, engine_mib) = (options.nodes().max(1), info.mem_total >> 20);
    let memory = facts.memory.filter(|_| here);
    list.add(
        "Memory",
        [memory::margin(asked, nodes, engine_mib, memory)],
        memory::examine(asked, nodes, engine_mib, memory, &facts.nodes),
    );
    let asked = options.cpus_asked().and_then(|cpus| cpus.parse().ok());
    list.add(
        "CPUs",
        [cpus::margin(asked, info.cpus)],
        cpus::examine(asked, info.cpus),
    );
    list.look(elsewhere);
    if here {
        examine_machine(index, options, facts, info.rootless(), list);
        list.look(firewall::examine(facts.firewalld, info));
    }
}

/// What the machine of the engine is asked for, when it is this one.
fn examine_machine(
    index: &BundleIndex,
    options: &SiteOptions,
    facts: &MachineFacts,
    rootless: bool,
    list: &mut Checklist,
) {
    let mut kernel = cgroup::examine(
        &facts.cgroups,
        &index.cluster.kubernetes_version,
        minikube_version(index),
    );
    kernel.extend(kernel::examine(&facts.kernel, rootless));
    kernel.extend(inotify::examine(facts.inotify, options.nodes(), rootless));
    list.add("Kernel", [format!("Linux {}", facts.kernel.release)], kernel);
    list.look(subnets::examine(&facts.subnets, &options.profile));
    let ports = options.values_of("--ports");
    let free = (!ports.is_empty()).then(|| format!("{} free", ports.join(", ")));
    list.add("Ports", free, ports::examine(&ports, &facts.listeners));
    list.look(confinement::examine(facts.confinement, rootless));
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
