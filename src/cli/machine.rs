//! `status`, `stop` and `uninstall`: what was started here, without its bundle.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::console::Console;
use super::question;
use crate::bundle::Timestamp;
use crate::cluster;
use crate::cluster::{
    Doomed, KeptState, NodeStatus, ProfileStatus, Release, Removal, Removed, RolledBack, State, Status,
    Stopped, UpgradeState,
};
use crate::failure::{Failure, Kind};
use crate::host::{Environment, unix_seconds};
use crate::progress::Progress;
use crate::shown::human_bytes;
use crate::trust::{Serials, TrustDirectories};

#[derive(clap::Args, Debug)]
pub(super) struct StatusArgs {
    /// Show only this profile
    #[arg(short, long)]
    profile: Option<String>,
    #[command(flatten)]
    home: HomeArg,
}

#[derive(clap::Args, Debug)]
pub(super) struct StopArgs {
    /// Profile to stop
    #[arg(short, long, default_value = "minikube")]
    profile: String,
    #[command(flatten)]
    home: HomeArg,
}

#[derive(clap::Args, Debug)]
pub(super) struct RollbackArgs {
    /// Do not ask for confirmation
    #[arg(short, long)]
    yes: bool,
    /// Profile to return to its earlier state
    #[arg(short, long, default_value = "minikube")]
    profile: String,
    #[command(flatten)]
    home: HomeArg,
}

#[derive(clap::Args, Debug)]
pub(super) struct UninstallArgs {
    /// Do not ask for confirmation
    #[arg(short, long)]
    yes: bool,
    /// Remove only this profile; keep the programs and images
    #[arg(short, long)]
    profile: Option<String>,
    #[command(flatten)]
    home: HomeArg,
}

#[derive(clap::Args, Debug)]
struct HomeArg {
    /// Directory of minikube [default: ~/.minikube]
    #[arg(long, value_name = "DIR")]
    minikube_home: Option<PathBuf>,
}

impl StatusArgs {
    pub(super) fn minikube_home(&self) -> Option<&Path> {
        self.home.minikube_home.as_deref()
    }
}

impl StopArgs {
    pub(super) fn minikube_home(&self) -> Option<&Path> {
        self.home.minikube_home.as_deref()
    }
}

impl RollbackArgs {
    pub(super) fn minikube_home(&self) -> Option<&Path> {
        self.home.minikube_home.as_deref()
    }
}

impl UninstallArgs {
    pub(super) fn minikube_home(&self) -> Option<&Path> {
        self.home.minikube_home.as_deref()
    }
}

pub(super) fn status(args: &StatusArgs, console: &Console) -> Result<(), Failure> {
    console.waits_for("asking Docker Engine and minikube", "how the clusters are");
    let status = cluster::status(args.minikube_home(), args.profile.as_deref())?;
    let mut text = describe(&status);
    if let (Some(profile), true) = (&args.profile, status.profiles.is_empty()) {
        let [_, minikube_home] = &status.looked;
        text = format!("{text}\nno profile `{profile}` in `{}`", minikube_home.display());
    }
    let state = status.state(args.profile.as_deref());
    let mut value = value(&status);
    value["state"] = json!(state.name());
    console.result(&text, &value)?;
    match state {
        State::Running => Ok(()),
        State::Stopped => Err(Failure::new(Kind::Stopped, "the cluster is stopped")),
        State::Absent => Err(Failure::new(Kind::Absent, "there is no cluster")),
    }
}

pub(super) fn stop(args: &StopArgs, console: &Console) -> Result<(), Failure> {
    console.begin("stop", None);
    let stopped = cluster::stop(args.minikube_home(), &args.profile)?;
    console.end("");
    let (text, changed) = match stopped {
        Stopped::Cluster(changed) => {
            let text = format!("profile `{}` is stopped; `start` resumes it", args.profile);
            (text, changed)
        }
        Stopped::NothingHere([minikube, home]) => {
            let text = format!(
                "nothing to stop: this user has no `{}`, or no profile in `{}`",
                minikube.display(),
                home.display()
            );
            (text, false)
        }
    };
    console.result(&text, &json!({ "profile": args.profile, "changed": changed }))
}

pub(super) fn rollback(args: &RollbackArgs, console: &Console) -> Result<(), Failure> {
    let what = format!(
        "return `{}` to the state from before its last upgrade, and lose what was deployed since",
        args.profile
    );
    if !args.yes && question::somebody_is_there() && !question::agrees(console, &what, false)? {
        let hint = "nothing was changed; `-y` rolls back without a question";
        return Err(question::declined("not rolled back", hint));
    }
    let RolledBack { from, to } = cluster::roll_back_upgrade(args.minikube_home(), &args.profile, console)?;
    console.result(
        &format!(
            "profile `{}` runs Kubernetes {to} again, and no longer {from}",
            args.profile
        ),
        &json!({ "profile": args.profile, "changed": true, "from": from, "kubernetes_version": to }),
    )
}

pub(super) fn uninstall(args: &UninstallArgs, console: &Console) -> Result<(), Failure> {
    let (home, profile) = (args.minikube_home(), args.profile.as_deref());
    console.waits_for("asking Docker Engine", "what there is of the clusters");
    let doomed = cluster::doomed(home, profile)?;
    // A script has nobody to be asked, and never had to say `-y`.
    if !args.yes && !doomed.is_empty() && question::somebody_is_there() {
        console.note(&goes(&doomed));
        if !question::agrees(console, "remove all of that", false)? {
            let hint = "nothing was changed; `-y` removes it without a question";
            return Err(question::declined("not removed", hint));
        }
    }
    console.begin("uninstall", None);
    let mut removal = cluster::uninstall(home, profile, console)?;
    console.end("");
    let serials = Serials::load(&TrustDirectories::of(&Environment::of_this_process()))?;
    let serials = serials.as_ref().filter(|_| profile.is_none());
    if let Some(file) = serials.and_then(Serials::file) {
        removal.kept.push(format!(
            "{}: older bundles are told by it; remove it by hand, with the keys, when none is to come",
            file.display()
        ));
    }
    let removed: Vec<String> = removal.removed.iter().map(ToString::to_string).collect();
    for line in &removed {
        console.detail(&format!("removed {line}"));
    }
    console.result(
        &summed_up(&removal, doomed.bytes),
        &json!({ "changed": !removed.is_empty(), "removed": removed, "kept": removal.kept }),
    )
}

/// How much is gone; what stays, item by item.
fn summed_up(removal: &Removal, bytes: u64) -> String {
    let count = |is: fn(&Removed) -> bool| removal.removed.iter().filter(|removed| is(removed)).count();
    let counts = [
        ("profile", count(|removed| matches!(removed, Removed::Profile(_)))),
        ("volume", count(|removed| matches!(removed, Removed::Volume(_)))),
        ("file", count(|removed| matches!(removed, Removed::File(_)))),
        ("image", count(|removed| matches!(removed, Removed::Image(_)))),
    ];
    let items: Vec<String> = counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| {
            let s = if count == 1 { "" } else { "s" };
            let size = if what == "file" {
                format!(" ({})", human_bytes(bytes))
            } else {
                String::new()
            };
            format!("{count} {what}{s}{size}")
        })
        .collect();
    let removed = match (items.as_slice(), removal.removed.as_slice()) {
        ([], []) => String::new(),
        ([], _) => "removed the empty directories of an installation\n".to_owned(),
        (items, _) => format!("removed {}; `-v` lists them\n", items.join(", ")),
    };
    let kept = match removal.kept.as_slice() {
        [] => String::new(),
        kept => format!("kept\n  {}\n", kept.join("\n  ")),
    };
    if removed.is_empty() && kept.is_empty() {
        "nothing was installed here".to_owned()
    } else {
        removed + &kept
    }
}

/// What is about to go, for a person.
fn goes(doomed: &Doomed) -> String {
    let mut lines = vec!["uninstall removes".to_owned()];
    for (profile, nodes) in &doomed.profiles {
        let nodes = match nodes.as_slice() {
            [node] => format!("its node `{node}`"),
            nodes => format!("its nodes `{}`", nodes.join("`, `")),
        };
        lines.push(format!(
            "  profile `{profile}`: {nodes}, and all that was put into the cluster"
        ));
    }
    lines.extend(doomed.volumes.iter().map(|name| format!("  volume `{name}`")));
    if doomed.files > 0 {
        let (files, bytes) = (doomed.files, human_bytes(doomed.bytes));
        let s = if files == 1 { "" } else { "s" };
        lines.push(format!("  {files} file{s}: programs, links and caches, {bytes}"));
    }
    lines.extend(doomed.images.iter().map(|image| format!("  image `{image}`")));
    lines.join("\n")
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
        for Release {
            name,
            namespace,
            status,
            chart,
            waiting_for,
        } in &profile.applications
        {
            lines.push(format!("application {name} in {namespace}: {chart}, {status}"));
            lines.extend(waiting_for.iter().map(|why| format!("            {why}")));
        }
    }
    for kept in &status.kept {
        lines.push(match kept.state {
            UpgradeState::Done { at, bytes } => format!(
                "kept       {}: Kubernetes {} from before the upgrade to {}, {}, {} old; `rollback` returns to it",
                kept.profile,
                kept.from,
                kept.to,
                human_bytes(bytes),
                age(unix_seconds().saturating_sub(at))
            ),
            _ => format!(
                "unfinished {}: the upgrade from Kubernetes {} to {}; `rollback` returns to {}",
                kept.profile, kept.from, kept.to, kept.from
            ),
        });
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

/// `3 days`, for a person.
fn age(seconds: u64) -> String {
    let (number, unit) = match seconds / 60 {
        minutes @ 0..120 => (minutes, "minute"),
        minutes @ 120..2880 => (minutes / 60, "hour"),
        minutes => (minutes / 1440, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
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
    let application = |release: &Release| {
        json!({
            "name": release.name,
            "namespace": release.namespace,
            "status": release.status,
            "chart": release.chart,
            "waiting_for": release.waiting_for,
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
            "applications": profile.applications.iter().map(application).collect::<Vec<_>>(),
        })
    };
    let kept = |kept: &KeptState| {
        let (at, bytes) = match kept.state {
            UpgradeState::Done { at, bytes } => (Some(at), Some(bytes)),
            _ => (None, None),
        };
        json!({
            "profile": kept.profile,
            "from": kept.from,
            "to": kept.to,
            "upgraded": at.is_some(),
            "kept_at": at.and_then(Timestamp::of_unix).map(|at| at.to_string()),
            "bytes": bytes,
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
        "bundles": bundles.collect::<Vec<_>>(),
        "profiles": status.profiles.iter().map(profile).collect::<Vec<_>>(),
        "kept": status.kept.iter().map(kept).collect::<Vec<_>>(),
        "unfinished": status.unfinished.iter().map(|(profile, stage)| json!({ "profile": profile, "stage": stage })).collect::<Vec<_>>(),
    })
}
