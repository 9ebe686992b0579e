//! What minikube says of the network's side: its node image, its addons' images.
//!
//! A test writes other answers behind the program: `\nstandin-answers ` and JSON.

use crate::stop::Stop;
use serde_json::{Value, json};

const NODE_IMAGE: &str = "gcr.io/k8s-minikube/kicbase:v0.0.50@sha256:\
    eb4fec00e8ad70adf8e6436f195cc429825ffb85f95afcdb5d8d9deb576f3e93";

/// `start --help`, as far as it names the node image.
pub(crate) fn start_help() {
    let answers = answers();
    let image = answers["node_image"].as_str().unwrap_or(NODE_IMAGE);
    println!("Starts a local Kubernetes cluster\n\nOptions:");
    println!(
        "    -c, --container-runtime='':\n\tThe container runtime to be used. Valid options: docker, cri-o, containerd (default: auto)"
    );
    println!("    --base-image='{image}':\n\tThe base image to use for docker/podman drivers.");
}

/// `addons list -o json` without a cluster, and `addons images NAME -o json`, which
/// ends well for an addon that there is not.
pub(crate) fn addons(args: &[String]) -> Result<u8, Stop> {
    let answers = answers();
    let addons = answers["addons"].as_object().cloned().unwrap_or_default();
    match args {
        [list, ..] if list == "list" => {
            let names = addons.keys().map(|name| (name.clone(), json!({})));
            println!("{}", Value::Object(names.collect()));
        }
        [images, name, ..] if images == "images" => match addons.get(name) {
            Some(list) => print!("{list}"),
            None => eprintln!("X No such addon {name}"),
        },
        _ => {
            return Err(Stop::usage(
                "the stand-in has `addons list -o json` and `addons images NAME -o json` only",
            ));
        }
    }
    Ok(0)
}

/// The Kubernetes versions that this minikube starts without `--force`, newest first.
pub(crate) fn kubernetes_versions() -> Vec<String> {
    if let Ok(versions) = serde_json::from_value(answers()["kubernetes"].clone()) {
        return versions;
    }
    let known = "v1.35.1 v1.35.0 v1.34.4 v1.34.3 v1.33.8 v1.32.12 v1.31.14 v1.30.14 v1.29.15 v1.28.0";
    known.split(' ').map(str::to_owned).collect()
}

/// What the test wrote behind the program.
pub(crate) fn answers() -> Value {
    let program = std::fs::read("/proc/self/exe").unwrap_or_default();
    let end = &program[program.len().saturating_sub(16 << 10)..];
    let text = String::from_utf8_lossy(end);
    text.rsplit_once("\nstandin-answers ")
        // What a test wrote behind them is none of them.
        .and_then(|(_, answers)| {
            serde_json::Deserializer::from_str(answers)
                .into_iter()
                .next()?
                .ok()
        })
        .unwrap_or_else(|| json!({}))
}
