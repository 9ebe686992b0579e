//! `status`, `stop` and `uninstall`: what was started here, without its bundle.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::console::Console;
use crate::cluster::{self, NodeStatus, ProfileStatus, Status};
use crate::failure::Failure;
use crate::host::Environment;
use crate::progress::Progress;
use crate::trust::{Serials, TrustFolders};

#[derive(clap::Args, Debug)]
pub(super) struct StatusArgs {
    /// Show this profile only
    #[arg(short, long)]
    profile: Option<String>,
    #[command(flatten)]
    home: HomeArg,
}

#[derive(clap::Args, Debug)]
pub(super) struct StopArgs {
    /// minikube's profile
    #[arg(short, long, default_value = "minikube")]
    profile: String,
    #[command(flatten)]
    home: HomeArg,
}

#[derive(clap::Args, Debug)]
pub(super) struct UninstallArgs {
    #[command(flatten)]
    home: HomeArg,
}

#[derive(clap::Args, Debug)]
struct HomeArg {
    /// The folder of minikube [default: where minikube itself looks]
    #[arg(long, value_name = "FOLDER")]
    minikube_home: Option<PathBuf>,
}

pub(super) fn status(args: &StatusArgs, console: &Console) -> Result<(), Failure> {
    let status = cluster::status(args.home.minikube_home.as_deref(), args.profile.as_deref())?;
    let mut text = describe(&status);
    if let (Some(profile), true) = (&args.profile, status.profiles.is_empty()) {
        let [_, minikube_home] = &status.looked;
        text = format!("{text}\nno profile `{profile}` in `{}`", minikube_home.display());
    }
    console.result(&text, &value(&status))
}

pub(super) fn stop(args: &StopArgs, console: &Console) -> Result<(), Failure> {
    console.begin("stop", None);
    cluster::stop(args.home.minikube_home.as_deref(), &args.profile)?;
    console.end("");
    let text = format!("profile `{}` is stopped; `start` goes on with it", args.profile);
    console.result(&text, &json!({ "kind": "done", "profile": args.profile }))
}

pub(super) fn uninstall(args: &UninstallArgs, console: &Console) -> Result<(), Failure> {
    console.begin("uninstall", None);
    let mut removal = cluster::uninstall(args.home.minikube_home.as_deref(), console)?;
    console.end("");
    let serials = Serials::load(&TrustFolders::of(&Environment::of_this_process()))?;
    if let Some(file) = serials.as_ref().and_then(Serials::file) {
        removal.kept.push(format!(
            "{}: older bundles are told by it; remove it by hand, with the keys, when none is to come",
            file.display()
        ));
    }
    let lines = |title: &str, items: &[String]| match items {
        [] => String::new(),
        items => format!("{title}\n  {}\n", items.join("\n  ")),
    };
    let text = match (removal.removed.as_slice(), removal.kept.as_slice()) {
        ([], []) => "nothing was installed here".to_owned(),
        (removed, kept) => lines("removed", removed) + &lines("kept", kept),
    };
    console.result(
        &text,
        &json!({ "kind": "done", "removed": removal.removed, "kept": removal.kept }),
    )
}

fn describe(status: &Status) -> String {
    let mut lines = Vec::new();
    for bundle in &status.bundles {
        let version = &bundle.kubernetes_version;
        lines.push(format!(
            "installed  {} (serial {}), Kubernetes {version}",
            bundle.name, bundle.serial
        ));
    }
    for profile in &status.profiles {
        let owner = if profile.ours {
            ""
        } else {
            ", not started from a bundle"
        };
        let (name, version, runtime) = (
            &profile.name,
            &profile.kubernetes_version,
            &profile.container_runtime,
        );
        lines.push(format!(
            "profile    {name}: Kubernetes {version}, {runtime}{owner}"
        ));
        for node in &profile.nodes {
            let NodeStatus {
                name,
                host,
                kubelet,
                api_server,
                ..
            } = node;
            lines.push(format!(
                "node       {name}: host {host}, kubelet {kubelet}, API server {api_server}"
            ));
        }
    }
    for (profile, stage) in &status.unfinished {
        lines.push(format!(
            "unfinished {profile}: `{stage}` was begun; run the bundle again to go on"
        ));
    }
    if lines.is_empty() {
        let [journal, minikube_home] = &status.looked;
        lines.push(format!(
            "nothing is installed here: looked for `{}`, and for profiles in `{}`",
            journal.display(),
            minikube_home.display()
        ));
    }
    lines.join("\n")
}

fn value(status: &Status) -> Value {
    let node = |node: &NodeStatus| {
        json!({
            "name": node.name,
            "host": node.host,
            "kubelet": node.kubelet,
            "api_server": node.api_server,
        })
    };
    let profile = |profile: &ProfileStatus| {
        json!({
            "name": profile.name,
            "ours": profile.ours,
            "runs": profile.runs(),
            "kubernetes_version": profile.kubernetes_version,
            "container_runtime": profile.container_runtime,
            "nodes": profile.nodes.iter().map(node).collect::<Vec<_>>(),
        })
    };
    let bundles = status.bundles.iter().map(|bundle| {
        json!({
            "name": bundle.name,
            "serial": bundle.serial,
            "kubernetes_version": bundle.kubernetes_version,
        })
    });
    json!({
        "kind": "done",
        "bundles": bundles.collect::<Vec<_>>(),
        "profiles": status.profiles.iter().map(profile).collect::<Vec<_>>(),
        "unfinished": status.unfinished.iter().map(|(profile, stage)| json!({ "profile": profile, "stage": stage })).collect::<Vec<_>>(),
    })
}
