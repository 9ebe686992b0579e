//! The flags of each command. An unknown one is an error, as in minikube.

use crate::stop::Stop;
use std::collections::BTreeMap;

/// Flags that every command takes.
const GLOBAL: &str = "alsologtostderr? logtostderr? profile rootless? skip-audit? stderrthreshold \
    user v";

/// Flags of `minikube start` v1.38.1; a question mark marks a switch.
pub(crate) const START: &str = "addons apiserver-ips apiserver-name apiserver-names apiserver-port \
    auto-pause-interval auto-update-drivers? base-image binary-mirror cache-images? \
    cert-expiration cni container-runtime cpus cri-socket delete-on-failure? \
    disable-coredns-log? disable-driver-mounts? disable-metrics? disable-optimizations? disk-size \
    dns-domain docker-env docker-opt download-only? driver dry-run? embed-certs? extra-config \
    feature-gates force? force-systemd? gpus ha? image-mirror-country image-repository \
    insecure-registry install-addons? interactive? keep-context? kubernetes-version \
    listen-address memory mount? mount-string namespace network no-kubernetes? nodes output ports \
    preload? preload-source registry-mirror service-cluster-ip-range static-ip subnet trace wait \
    wait-timeout";
pub(crate) const DELETE: &str = "all? output purge?";
pub(crate) const IMAGE: &str = "daemon? format overwrite? pull? remote?";
pub(crate) const PROFILE: &str = "detailed? light? output";
pub(crate) const STATUS: &str = "format layout node output";
pub(crate) const STOP: &str = "all? cancel-scheduled? keep-context-active? output schedule";
pub(crate) const VERSION: &str = "components? output short?";

/// Moves the profile's flag behind the verb, if it stands before it.
pub(crate) fn verb_first(args: &[String]) -> Vec<String> {
    let at = match args.first().map(String::as_str) {
        Some("-p" | "--profile") => 2,
        Some(flag) if flag.starts_with("-p=") || flag.starts_with("--profile=") => 1,
        _ => 0,
    };
    let mut args = args.to_vec();
    if at < args.len() {
        args[..=at].rotate_right(1);
    }
    args
}

/// A parsed command line.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    values: BTreeMap<String, String>,
    /// What is not a flag.
    pub(crate) words: Vec<String>,
}

impl Flags {
    /// Reads `args`, which may hold the flags in `known` and the global ones.
    pub(crate) fn parse(args: &[String], known: &str) -> Result<Self, Stop> {
        let mut flags = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let Some(flag) = arg.strip_prefix('-').filter(|flag| !flag.is_empty()) else {
                flags.words.push(arg.clone());
                continue;
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            let name = match name {
                "c" => "container-runtime",
                "d" => "driver",
                "l" => "light",
                "m" => "memory",
                "n" => "nodes",
                "o" => "output",
                "p" => "profile",
                name => name.strip_prefix('-').unwrap_or(name),
            };
            let (values, switches): (Vec<&str>, Vec<&str>) = GLOBAL
                .split_whitespace()
                .chain(known.split_whitespace())
                .partition(|known| !known.ends_with('?'));
            let value = if values.contains(&name) {
                match value {
                    Some(value) => value,
                    None => args
                        .next()
                        .cloned()
                        .ok_or_else(|| Stop::usage(format!("flag needs an argument: --{name}")))?,
                }
            } else if switches.iter().any(|switch| switch.trim_end_matches('?') == name) {
                value.unwrap_or_else(|| "true".to_owned())
            } else {
                return Err(Stop::usage(format!("unknown flag: {arg}")));
            };
            flags.values.insert(name.to_owned(), value);
        }
        Ok(flags)
    }

    /// The value of a flag that was given.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether a switch is on.
    pub(crate) fn is_on(&self, name: &str, default: bool) -> Result<bool, Stop> {
        match self.value(name) {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => Err(Stop::usage(format!("invalid argument \"{other}\" for --{name}"))),
        }
    }

    /// The profile that the command is about.
    pub(crate) fn profile(&self) -> &str {
        self.value("profile").unwrap_or("minikube")
    }

    /// Whether output is for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.value("output") == Some("json")
    }
}
