//! The commands of minikube that a bundle uses.

use crate::cluster::Cluster;
use crate::flags::{self, Flags};
use crate::home::{self, Home};
use crate::images;
use crate::kubeconfig;
use crate::node::Node;
use crate::profile::Profile;
use crate::report::Report;
use crate::start;
use crate::stop::Stop;
use crate::upstream;
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// Runs a command line; gives the exit code.
pub(crate) fn run(args: &[String]) -> u8 {
    let home = Home::from_env();
    let args = flags::verb_first(args);
    let (verb, rest) = args
        .split_first()
        .map_or(("help", [].as_slice()), |(verb, rest)| (verb.as_str(), rest));
    let mut report = Report::new(wants_json(rest));
    let result = match verb {
        "addons" => upstream::addons(rest),
        "config" => config(rest),
        "delete" => delete(rest, &home, &mut report),
        "image" => image(rest, &home),
        "kubectl" => kubectl(rest, &home),
        "profile" => profile(rest, &home),
        "start" if rest == ["--help"] => {
            upstream::start_help();
            Ok(0)
        }
        "start" => Flags::parse(rest, flags::START)
            .and_then(|flags| start::run(&flags, &home, &mut report))
            .map(|()| 0),
        "status" => status(rest, &home, &mut report),
        "stop" => stop(rest, &home, &mut report),
        "version" => version(rest),
        verb => Err(Stop::usage(format!(
            "unknown command \"{verb}\" for \"minikube\" (the stand-in)"
        ))),
    };
    result.unwrap_or_else(|stop| {
        report.stop(&stop);
        stop.code
    })
}

fn wants_json(args: &[String]) -> bool {
    let is_flag = |arg: &String| arg == "-o" || arg == "--output";
    args.iter().any(|arg| arg == "-o=json" || arg == "--output=json")
        || args.windows(2).any(|pair| is_flag(&pair[0]) && pair[1] == "json")
}

fn version(args: &[String]) -> Result<u8, Stop> {
    let flags = Flags::parse(args, flags::VERSION)?;
    let answers = upstream::answers();
    let version = answers["version"].as_str().unwrap_or("v1.38.1");
    if flags.is_on("short", false)? {
        println!("{version}");
    } else if flags.is_json() {
        println!("{}", json!({ "commit": "stand-in", "minikubeVersion": version }));
    } else {
        println!("minikube version: {version}\ncommit: stand-in");
    }
    Ok(0)
}

/// `minikube config defaults kubernetes-version`: the versions that start without
/// `--force`, of which minikube has hundreds.
fn config(args: &[String]) -> Result<u8, Stop> {
    let flags = Flags::parse(args, "output")?;
    if flags.words != ["defaults", "kubernetes-version"] || !flags.is_json() {
        return Err(Stop::usage(
            "the stand-in has `config defaults kubernetes-version -o json` only",
        ));
    }
    println!("{}", json!(upstream::kubernetes_versions()));
    Ok(0)
}

fn status(args: &[String], home: &Home, report: &mut Report) -> Result<u8, Stop> {
    let flags = Flags::parse(args, flags::STATUS)?;
    let name = flags.profile();
    let Some(profile) = Profile::load(home, name) else {
        report.info(&format!(
            "Profile \"{name}\" not found. Run \"minikube profile list\" to view all profiles."
        ));
        report.info("To start a cluster, run: \"minikube start\"");
        return Ok(85);
    };
    let node = Node::new(name);
    let is_running = node.is_running();
    let cluster = Cluster {
        node: &node,
        runtime: profile.runtime,
        version: &profile.version,
    };
    let is_up = is_running && cluster.is_up();
    let kubectl = home.binaries(&profile.version).join("kubectl");
    let is_configured = kubeconfig::has(name, &kubectl);
    let word = |is: bool| if is { "Running" } else { "Stopped" };
    let host = if node.state().is_none() {
        "Nonexistent"
    } else {
        word(is_running)
    };
    let config = match (is_running, is_configured) {
        (true, true) => "Configured",
        (true, false) => "Misconfigured",
        (false, _) => "Stopped",
    };
    if flags.is_json() {
        let status = json!({ "Name": name, "Host": host, "Kubelet": word(is_up), "APIServer": word(is_up), "Kubeconfig": config, "Worker": false });
        let worker = |node: Node| {
            let running = word(node.is_running());
            json!({ "Name": node.name, "Host": running, "Kubelet": running, "APIServer": "Irrelevant", "Kubeconfig": "Irrelevant", "Worker": true })
        };
        let workers: Vec<_> = profile.all_nodes().skip(1).map(worker).collect();
        if workers.is_empty() {
            println!("{status}");
        } else {
            println!("{}", json!([&[status], &workers[..]].concat()));
        }
    } else {
        println!(
            "{name}\ntype: Control Plane\nhost: {host}\nkubelet: {0}\napiserver: {0}\nkubeconfig: {config}\n",
            word(is_up)
        );
    }
    Ok(u8::from(!is_running) | u8::from(!is_up) << 1 | u8::from(config != "Configured") << 2)
}

fn stop(args: &[String], home: &Home, report: &mut Report) -> Result<u8, Stop> {
    let flags = Flags::parse(args, flags::STOP)?;
    let profile = Profile::open(home, flags.profile())?;
    report.step(0, "Stopping", &format!("Stopping node \"{}\"  ...", profile.name));
    for node in profile.all_nodes().rev() {
        Cluster {
            node: &node,
            runtime: profile.runtime,
            version: &profile.version,
        }
        .stop()?;
    }
    kubeconfig::remove(&profile.name, &home.binaries(&profile.version).join("kubectl"))
        .map_err(Stop::guest)?;
    report.step(2, "Done", &format!("{} node(s) stopped.", profile.nodes));
    Ok(0)
}

fn delete(args: &[String], home: &Home, report: &mut Report) -> Result<u8, Stop> {
    let flags = Flags::parse(args, flags::DELETE)?;
    let names = if flags.is_on("all", false)? {
        Profile::names(home)
    } else {
        vec![flags.profile().to_owned()]
    };
    for name in &names {
        match Profile::load(home, name) {
            None => report.error(&format!("\"{name}\" profile does not exist, trying anyways.")),
            Some(profile) => {
                report.step(0, "Deleting", &format!("Deleting \"{name}\" in docker ..."));
                kubeconfig::remove(name, &home.binaries(&profile.version).join("kubectl"))
                    .map_err(Stop::guest)?;
                for node in profile.all_nodes().skip(1) {
                    node.delete()?;
                }
            }
        }
        Node::new(name).delete()?;
        Profile::delete(home, name);
        report.info(&format!("Removed all traces of the \"{name}\" cluster."));
    }
    Ok(0)
}

fn profile(args: &[String], home: &Home) -> Result<u8, Stop> {
    let flags = Flags::parse(args, flags::PROFILE)?;
    if flags.words.first().map(String::as_str) != Some("list") || !flags.is_json() {
        return Err(Stop::usage("the stand-in has `profile list -o json` only"));
    }
    let is_light = flags.is_on("light", false)?;
    let profiles: Vec<_> = Profile::names(home)
        .into_iter()
        .filter_map(|name| {
            let profile = Profile::load(home, &name)?;
            let node = Node::new(&name);
            let cluster = Cluster { node: &node, runtime: profile.runtime, version: &profile.version };
            let status = match (is_light, node.is_running()) {
                (true, _) => "Skipped",
                (false, false) => "Stopped",
                (false, true) if cluster.is_up() => "OK",
                (false, true) => "Error",
            };
            let is_current = kubeconfig::current(&home.binaries(&profile.version).join("kubectl")).as_ref() == Some(&name);
            Some(json!({ "Name": name, "Status": status, "Config": Profile::config(home, &name), "Active": name == flags.profile(), "ActiveKubeContext": is_current }))
        })
        .collect();
    print!("{}", json!({ "invalid": [], "valid": profiles }));
    Ok(0)
}

/// `minikube kubectl -- ARGS`: the cached program, as it is.
fn kubectl(args: &[String], home: &Home) -> Result<u8, Stop> {
    let split = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let flags = Flags::parse(&args[..split], "ssh?")?;
    let after = args.get(split + 1..).unwrap_or_default();
    let version =
        Profile::load(home, flags.profile()).map_or_else(|| "v1.35.1".to_owned(), |profile| profile.version);
    let kubectl = home.binaries(&version).join("kubectl");
    if !kubectl.exists() {
        return Err(Stop::network(format!(
            "Error caching kubectl: {} is not there, and would be downloaded",
            kubectl.display()
        )));
    }
    let status = Command::new(&kubectl)
        .args(["--cluster", flags.profile()])
        .args(flags.words.iter().chain(after))
        .status()
        .map_err(|error| Stop {
            code: 1,
            ..Stop::guest(format!("{}: {error}", kubectl.display()))
        })?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1))
}

fn image(args: &[String], home: &Home) -> Result<u8, Stop> {
    let flags = Flags::parse(args, flags::IMAGE)?;
    let profile = Profile::open(home, flags.profile())?;
    let node = Node::new(&profile.name);
    let words: Vec<&str> = flags.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ls" | "list"] => {
            let names = images::names(&node, profile.runtime).map_err(Stop::guest)?;
            println!("{}", names.join("\n"));
        }
        ["load", files @ ..] if !files.is_empty() => {
            for file in files {
                if !Path::new(file).is_file() {
                    return Err(Stop::guest(format!(
                        "{file}: no such file (minikube would pull it)"
                    )));
                }
                images::load(&node, profile.runtime, Path::new(file))?;
            }
        }
        _ => {
            return Err(Stop::usage(format!(
                "the stand-in has `image ls` and `image load FILE` only, on {}",
                home::architecture()
            )));
        }
    }
    Ok(0)
}
