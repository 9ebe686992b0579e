//! `minikube start`.

use crate::cache::{self, Cached};
use crate::cluster::{Cluster, Depth};
use crate::engine;
use crate::flags::Flags;
use crate::home::Home;
use crate::images::{self, Runtime};
use crate::kubeadm;
use crate::kubeconfig;
use crate::node::Node;
use crate::profile::Profile;
use crate::report::Report;
use crate::stop::Stop;
use crate::upstream;
use std::env;

const PROXIES: [&str; 3] = ["http_proxy", "https_proxy", "all_proxy"];

pub(crate) fn run(flags: &Flags, home: &Home, report: &mut Report) -> Result<(), Stop> {
    report.step(
        0,
        "Initial Minikube Setup",
        "minikube v1.38.1 (the stand-in of minikube-offline's tests)",
    );
    if let Ok(path) = env::var("MINIKUBE_HOME") {
        report.info(&format!("MINIKUBE_HOME={path}"));
    }
    let existing = Profile::load(home, flags.profile());
    let wanted = check_flags(flags, existing.as_ref(), report)?;
    check_proxies(report)?;
    let node = Node::new(flags.profile());
    if let Some(existing) = existing.as_ref().filter(|_| node.state().is_some()) {
        check_same(existing, &wanted)?;
    }
    report.step(
        1,
        "Selecting Driver",
        "Using the docker driver based on user configuration",
    );
    check_root(flags, report)?;
    engine::check()?;
    if flags.is_on("dry-run", false)? {
        report.step(1, "Selecting Driver", "dry-run validation complete!");
        return Ok(());
    }
    if !engine::has_image(&wanted.base_image)? {
        return Err(Stop::provision(format!(
            "failed to start host: creating host: {}: not in the engine, and there is no network to pull it from",
            wanted.base_image
        )));
    }
    report
        .keep(home, &wanted.name)
        .map_err(|error| Stop::provision(error.to_string()))?;
    report.step(
        3,
        "Starting Node",
        &format!(
            "Starting \"{0}\" primary control-plane node in \"{0}\" cluster",
            wanted.name
        ),
    );
    let tag = wanted.base_image.rsplit(':').next().unwrap_or_default();
    report.step(5, "Pulling Base Image", &format!("Pulling base image {tag} ..."));
    let use_cache = flags.is_on("cache-images", true)?;
    let cached = if use_cache {
        check_cache(home, &wanted.version)?
    } else {
        Vec::new()
    };
    if node.state().is_none() {
        if !use_cache {
            node.check_volume()?;
        }
        let memory = format!("{}mb", wanted.memory_mb);
        report.step(
            8,
            "Creating Container",
            &format!(
                "Creating docker container (CPUs={}, Memory={}MB) ...",
                wanted.cpus, wanted.memory_mb
            ),
        );
        node.create(&wanted.base_image, &wanted.cpus.to_string(), &memory)?;
    } else if !node.is_running() {
        report.step(
            8,
            "Creating Container",
            &format!("Restarting existing docker container for \"{}\" ...", wanted.name),
        );
        node.start()?;
    }
    // Like minikube, which comes to one node after the other.
    let nodes = existing.map_or(wanted.nodes, |existing| existing.nodes);
    let mut made = Profile {
        nodes: 1,
        ..wanted.clone()
    };
    made.save(home)?;
    fill_and_start(&made, &node, home, &cached, use_cache, report)?;
    while made.nodes < nodes {
        made.nodes += 1;
        made.save(home)?;
        add_node(&made, home, &cached, use_cache, report)?;
    }
    report.step(
        19,
        "Done",
        &format!(
            "Done! kubectl is now configured to use \"{}\" cluster and \"default\" namespace by default",
            wanted.name
        ),
    );
    Ok(())
}

/// Another node, which joins nothing: it holds what it needs.
fn add_node(
    made: &Profile,
    home: &Home,
    cached: &[Cached],
    use_cache: bool,
    report: &mut Report,
) -> Result<(), Stop> {
    let node = Node::numbered(&made.name, made.nodes);
    report.step(
        3,
        "Starting Node",
        &format!(
            "Starting \"{}\" worker node in \"{}\" cluster",
            node.name, made.name
        ),
    );
    if node.state().is_none() {
        if !use_cache {
            node.check_volume()?;
        }
        let memory = format!("{}mb", made.memory_mb);
        node.create(&made.base_image, &made.cpus.to_string(), &memory)?;
    } else if !node.is_running() {
        node.start()?;
    }
    fill(made, &node, home, cached, use_cache, report).map(drop)
}

/// Puts binaries and images into the node, or finds them there, and starts it.
fn fill_and_start(
    wanted: &Profile,
    node: &Node,
    home: &Home,
    cached: &[Cached],
    use_cache: bool,
    report: &mut Report,
) -> Result<(), Stop> {
    let required = fill(wanted, node, home, cached, use_cache, report)?;
    let cluster = Cluster {
        node,
        runtime: wanted.runtime,
        version: &wanted.version,
    };
    cluster.start(&required, report)?;
    let admin = match cluster.depth() {
        Depth::Kubernetes => Some(kubeadm::admin(node, &wanted.version)?),
        Depth::Runtime => None,
    };
    report.step(18, "Enabling Addons", "Enabled addons: ");
    let kubectl = home.binaries(&wanted.version).join("kubectl");
    kubeconfig::add(&wanted.name, admin.as_ref(), &kubectl).map_err(Stop::guest)
}

/// Puts binaries and images into the node, or finds them there; gives the names of the
/// images that Kubernetes wants.
fn fill(
    wanted: &Profile,
    node: &Node,
    home: &Home,
    cached: &[Cached],
    use_cache: bool,
    report: &mut Report,
) -> Result<Vec<String>, Stop> {
    let cluster = Cluster {
        node,
        runtime: wanted.runtime,
        version: &wanted.version,
    };
    let runtime_version = cluster.start_runtime()?;
    report.step(
        11,
        "Preparing Kubernetes",
        &format!(
            "Preparing Kubernetes {} on {} {runtime_version} ...",
            wanted.version,
            wanted.runtime.name()
        ),
    );
    let in_node = format!("/var/lib/minikube/binaries/{}", wanted.version);
    for name in cache::BINARIES {
        let path = format!("{in_node}/{name}");
        if node.run(&["test", "-x", &path]).is_ok() {
            continue;
        }
        if !use_cache {
            return Err(Stop::provision(format!("the node's volume has no {path}")));
        }
        cache::binaries(home, &wanted.version, &[name])?;
        node.copy(&home.binaries(&wanted.version).join(name), &path)
            .and_then(|()| node.run(&["chmod", "0755", &path]))
            .map_err(Stop::provision)?;
    }
    for image in cached {
        if images::id(node, wanted.runtime, &image.reference).as_ref() != Some(&image.id) {
            report.log('I', &format!("Loading image: {}", image.path.display()));
            images::load(node, wanted.runtime, &image.path)?;
        }
    }
    let required = images::required_by_node(node, &wanted.version)?;
    images::check(node, wanted.runtime, &required, cached)?;
    if !cached.is_empty() {
        cluster.start_runtime()?; // now with the pause image that was loaded
    }
    Ok(required)
}

/// The flags, as strictly as an offline start needs them. A profile remembers its
/// own.
fn check_flags(flags: &Flags, existing: Option<&Profile>, report: &mut Report) -> Result<Profile, Stop> {
    if let Some(word) = flags.words.first() {
        return Err(Stop::usage(format!("unknown word: {word}")));
    }
    let needed = |name: &str| {
        flags
            .value(name)
            .or_else(|| existing?.flag(name))
            .ok_or_else(|| Stop::usage(format!("--{name} must be given offline")))
    };
    if needed("driver")? != "docker" {
        return Err(Stop::usage("--driver must be docker"));
    }
    if flags.is_on("preload", true)? {
        return Err(Stop::usage(
            "--preload must be false: without a tarball minikube asks the network",
        ));
    }
    if flags.is_on("interactive", true)? && flags.is_json() {
        return Err(Stop::usage("--interactive must be false: nobody can answer"));
    }
    for name in ["image-mirror-country", "image-repository", "binary-mirror"] {
        if flags.value(name).is_some() {
            return Err(Stop::network(format!("--{name} asks the network")));
        }
    }
    let base_image = needed("base-image")?;
    if base_image.contains('@') {
        return Err(Stop::provision(format!(
            "{base_image}: a loaded image has no digest, minikube would pull it"
        )));
    }
    let version = needed("kubernetes-version")?;
    check_version(version, flags.is_on("force", false)?, report)?;
    let runtime = Runtime::parse(needed("container-runtime")?)?;
    let nodes = flags.value("nodes").unwrap_or("1");
    let nodes: usize = nodes
        .parse()
        .map_err(|_| Stop::usage(format!("invalid --nodes: {nodes}")))?;
    if nodes > 1 && runtime == Runtime::Containerd {
        return Err(Stop::usage(
            "the stand-in joins no nodes: it has several on docker only",
        ));
    }
    let needs_kindnet = runtime == Runtime::Containerd || nodes > 1;
    // minikube finds that out where it pulls, and not where it checks flags.
    let pulls = needs_kindnet && !flags.is_on("dry-run", false)?;
    if pulls && !matches!(needed("cni"), Ok("bridge" | "false")) {
        return Err(Stop::provision(
            "kindnet would be pulled: the stand-in wants --cni=bridge",
        ));
    }
    let cpus = flags.value("cpus").unwrap_or("2");
    let cpus: u32 = cpus
        .parse()
        .map_err(|_| Stop::usage(format!("invalid --cpus: {cpus}")))?;
    let memory_mb = memory(flags.value("memory").unwrap_or("3072"))?;
    if cpus < 2 {
        return Err(Stop::cores(format!(
            "Requested cpu count {cpus} is less than the minimum allowed of 2"
        )));
    }
    if memory_mb < 1800 {
        return Err(Stop::memory(format!(
            "Requested memory allocation {memory_mb}MiB is less than the usable minimum of 1800MB"
        )));
    }
    let name = flags.profile().to_owned();
    let (version, base_image) = (version.to_owned(), base_image.to_owned());
    Ok(Profile {
        name,
        version,
        runtime,
        base_image,
        cpus,
        memory_mb,
        nodes,
    })
}

/// Minor version and patch.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let (minor, patch) = version.strip_prefix("v1.")?.split_once('.')?;
    Some((minor.parse().ok()?, patch.parse().ok()?))
}

/// A version that minikube does not know makes it ask the network, unless forced.
fn check_version(version: &str, is_forced: bool, report: &mut Report) -> Result<(), Stop> {
    let wanted =
        numbers(version).ok_or_else(|| Stop::usage(format!("invalid --kubernetes-version: {version}")))?;
    let newest = upstream::kubernetes_versions()
        .iter()
        .filter_map(|known| numbers(known))
        .max();
    if Some(wanted) <= newest {
        return Ok(());
    }
    if !is_forced {
        return Err(Stop::network(format!(
            "Kubernetes {version} is not in minikube's list, and the network does not answer"
        ))
        .advise("pass --force"));
    }
    report.warning(
        "minikube skips various validations when --force is supplied; this may lead to unexpected behavior",
    );
    report.warning(&format!(
        "Specified Kubernetes version {} not found in Kubernetes version list",
        &version[1..]
    ));
    report.info("Searching the internet for Kubernetes version...");
    Ok(())
}

/// A size as minikube takes it, `4096`, `4096mb`, `4g`, in MiB.
fn memory(text: &str) -> Result<u32, Stop> {
    let text = text.to_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: Option<u32> = digits.parse().ok();
    let factor = match &text[digits.len()..] {
        "" | "m" | "mb" | "mi" | "mib" => Some(1),
        "g" | "gb" | "gi" | "gib" => Some(1024),
        _ => None,
    };
    number
        .zip(factor)
        .map(|(number, factor)| number * factor)
        .ok_or_else(|| Stop::usage(format!("invalid --memory: {text}")))
}

fn check_same(existing: &Profile, wanted: &Profile) -> Result<(), Stop> {
    if existing.version != wanted.version {
        return Err(Stop::version(format!(
            "the existing cluster {} runs Kubernetes {}, not {}",
            existing.name, existing.version, wanted.version
        )));
    }
    if existing.runtime != wanted.runtime {
        return Err(Stop::usage(format!(
            "the existing cluster {} runs on {}, not {}",
            existing.name,
            existing.runtime.name(),
            wanted.runtime.name()
        )));
    }
    Ok(())
}

/// A proxy on this machine stays out of the node, as in minikube; any other would
/// go into it.
fn check_proxies(report: &mut Report) -> Result<(), Stop> {
    let is_proxy = |name: &str| PROXIES.contains(&name.to_lowercase().as_str());
    for (name, value) in env::vars().filter(|(name, value)| is_proxy(name) && !value.is_empty()) {
        let host = value.split_once("://").map_or(value.as_str(), |(_, host)| host);
        if host.starts_with("localhost") || host.starts_with("127.0") {
            report.log(
                'W',
                &format!("Local proxy ignored: not passing {name} to docker env."),
            );
        } else if env::var_os("MINIKUBE_STANDIN_ALLOW_PROXY").is_none() {
            return Err(Stop::proxy(format!("{name} is set, and would go into the node")));
        }
    }
    Ok(())
}

fn check_root(flags: &Flags, report: &mut Report) -> Result<(), Stop> {
    if !rustix::process::getuid().is_root() {
        return Ok(());
    }
    report.error("The \"docker\" driver should not be used with root privileges. If you wish to continue as root, use --force.");
    if !flags.is_on("force", false)? {
        return Err(Stop::root());
    }
    report.info("Using Docker driver with root privileges");
    Ok(())
}

/// With `--cache-images=true` everything must be in the cache.
fn check_cache(home: &Home, version: &str) -> Result<Vec<Cached>, Stop> {
    cache::binaries(home, version, &cache::BINARIES)?;
    let mut references = images::required(&home.binaries(version).join("kubeadm"), version)?;
    references.extend(cache::users_images(home));
    cache::images(home, &references)
}
