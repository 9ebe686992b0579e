//! Sample parts: programs that answer as Kubernetes' own would, and images that
//! do as little as possible. For bundles made in seconds; nothing is real here
//! but that they are programs.

use crate::engine::docker;
use crate::home::architecture;
use crate::kubeconfig;
use crate::upstream;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

/// The release that the programs say they are: v1.35.4, or what a test wrote behind them.
fn version() -> String {
    let answers = upstream::answers();
    let said = answers["kubernetes_version"].as_str();
    said.unwrap_or("v1.35.4").to_owned()
}

/// `kubeadm config images list`, `kubeadm version`.
pub(crate) fn kubeadm(args: &[String]) -> u8 {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["config", "images", "list", rest @ ..] => {
            let version = option(rest, "--kubernetes-version").map_or_else(version, str::to_owned);
            let images = ["apiserver", "controller-manager", "scheduler", "proxy"]
                .map(|name| format!("registry.k8s.io/kube-{name}:{version}"));
            println!("{}", images.join("\n"));
            let (coredns, pause, etcd) = if version.starts_with("v1.35.") {
                ("v1.13.1", "3.10.1", "3.6.6-0")
            } else {
                ("v1.14.6", "3.10.2", "3.7.0-0")
            };
            println!("registry.k8s.io/coredns/coredns:{coredns}");
            println!("registry.k8s.io/pause:{pause}\nregistry.k8s.io/etcd:{etcd}");
        }
        ["version", "-o" | "--output", "short"] | ["version", "-o=short" | "--output=short"] => {
            println!("{}", version());
        }
        ["version", rest @ ..] if is_json(rest) => {
            println!("{}", json!({ "clientVersion": client_version() }));
        }
        ["version", ..] => println!("kubeadm version: &version.Info{{GitVersion:\"{}\"}}", version()),
        _ => return complain("kubeadm", &words),
    }
    0
}

/// `kubelet --version`.
pub(crate) fn kubelet(args: &[String]) -> u8 {
    if args
        .iter()
        .any(|arg| arg == "--version" || arg == "--version=true")
    {
        println!("Kubernetes {}", version());
        return 0;
    }
    complain("kubelet", &args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// `kubectl version --client`, `kubectl get nodes|pods`, `kubectl wait`.
pub(crate) fn kubectl(args: &[String]) -> u8 {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let current = kubeconfig::current(Path::new("/nonexistent"));
    let profile = ["--cluster", "--context"]
        .iter()
        .find_map(|name| option(&words, name));
    let profile = profile.or(current.as_deref()).unwrap_or("minikube");
    let is_known = |word: &&&str| ["apply", "config", "get", "version", "wait"].contains(*word);
    let verb = words.iter().position(|word| is_known(&word));
    let rest = verb.map_or(words.as_slice(), |verb| &words[verb..]);
    match rest {
        ["version", ..] if is_json(rest) => {
            println!(
                "{}",
                json!({ "clientVersion": client_version(), "kustomizeVersion": "v5.7.1" })
            );
        }
        ["version", ..] => println!("Client Version: {}", version()),
        ["config", "current-context"] => println!("{profile}"),
        ["wait", ..] if is_running(profile) => println!("condition met"),
        ["apply", rest @ ..] if is_running(profile) => return apply(rest),
        ["get", "--raw", "/api/v1/nodes"] if is_running(profile) => {
            println!("{}", json!({ "kind": "NodeList", "items": nodes(profile) }));
        }
        ["get", kind, ..] if ["node", "nodes", "no"].contains(kind) => list(rest, &nodes(profile)),
        ["get", kind, ..] if kind.starts_with("po") || kind.starts_with("no") => {
            list(rest, &[nodes(profile), vec![pod(profile)]].concat());
        }
        _ => return complain("kubectl", &words),
    }
    0
}

/// Takes every manifest that is there, unless the home has a file that says not to.
fn apply(rest: &[&str]) -> u8 {
    if std::env::home_dir().is_some_and(|home| home.join("refuse-manifests").exists()) {
        eprintln!("The Deployment \"carried\" is invalid: spec.selector: Required value");
        return 1;
    }
    let files = rest.windows(2).filter(|pair| pair[0] == "-f");
    for file in files.map(|pair| pair[1]) {
        if !Path::new(file).is_file() {
            eprintln!("error: the path \"{file}\" does not exist");
            return 1;
        }
        println!("{file} serverside-applied");
    }
    0
}

/// Waits forever.
pub(crate) fn pause() -> u8 {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

/// An application: answers every request on port 8080.
pub(crate) fn app() -> u8 {
    let Ok(listener) = TcpListener::bind("0.0.0.0:8080") else {
        return 1;
    };
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        stream.set_read_timeout(Some(Duration::from_secs(1))).ok();
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        let body = "hello from a carried image\n";
        write!(
            stream,
            "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .ok();
    }
    0
}

/// The nodes are containers, each with the profile's name or one made of it.
fn nodes(profile: &str) -> Vec<Value> {
    let filter = format!("name=^/?{profile}-m[0-9]+$");
    let arguments = [
        "container",
        "ls",
        "--all",
        "--filter",
        &filter,
        "--format",
        "{{.Names}}",
    ];
    let others = docker(&arguments).unwrap_or_default();
    std::iter::once(profile).chain(others.lines()).map(node).collect()
}

fn node(profile: &str) -> Value {
    let ready = if is_running(profile) { "True" } else { "False" };
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": { "name": profile },
        "status": {
            "conditions": [{ "type": "Ready", "status": ready }],
            "nodeInfo": { "kubeletVersion": version() },
        },
    })
}

fn pod(profile: &str) -> Value {
    let is_running = is_running(profile);
    let ready = if is_running { "True" } else { "False" };
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "stand-in", "namespace": "kube-system" },
        "status": {
            "phase": if is_running { "Running" } else { "Unknown" },
            "conditions": [{ "type": "Ready", "status": ready }],
            "containerStatuses": [{ "name": "stand-in", "ready": is_running, "restartCount": 0 }],
        },
    })
}

fn list(words: &[&str], items: &[Value]) {
    let kind = if words[1].starts_with("po") { "Pod" } else { "Node" };
    let kinds: Vec<&str> = words[1].split(',').collect();
    let wants = |item: &&Value| {
        let item = item["kind"].as_str().unwrap_or_default().to_lowercase();
        kinds
            .iter()
            .any(|kind| item.starts_with(kind.trim_end_matches('s')))
    };
    let items: Vec<&Value> = items.iter().filter(wants).collect();
    if is_json(words) {
        println!(
            "{}",
            json!({ "apiVersion": "v1", "kind": "List", "items": items })
        );
        return;
    }
    if !words.contains(&"--no-headers") {
        println!("NAME       STATUS");
    }
    for item in items {
        let is_ready = item["status"]["conditions"][0]["status"] == "True";
        let status = match (kind, is_ready) {
            ("Pod", true) => "Running",
            (_, true) => "Ready",
            (_, false) => "NotReady",
        };
        println!(
            "{:10} {status}",
            item["metadata"]["name"].as_str().unwrap_or_default()
        );
    }
}

/// A cluster of the stand-in is its node.
fn is_running(profile: &str) -> bool {
    let format = "--format={{.State.Status}}";
    docker(&["container", "inspect", profile, format]).is_ok_and(|state| state == "running")
}

fn client_version() -> Value {
    json!({ "major": "1", "minor": "35", "gitVersion": version(), "platform": format!("linux/{}", architecture()) })
}

fn is_json(words: &[&str]) -> bool {
    ["-o", "--output"]
        .iter()
        .any(|name| option(words, name) == Some("json"))
        || words.contains(&"-ojson")
}

/// The value of `NAME VALUE` or `NAME=VALUE`.
fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words
        .iter()
        .enumerate()
        .find_map(|(at, word)| match word.strip_prefix(name) {
            Some("") => words.get(at + 1).copied(),
            Some(value) => value.strip_prefix('='),
            None => None,
        })
}

fn complain(program: &str, words: &[&str]) -> u8 {
    eprintln!(
        "{program} (the stand-in of minikube-offline's tests) does not know: {}",
        words.join(" ")
    );
    1
}
