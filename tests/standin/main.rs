//! A stand-in for minikube, for machines that cannot have the real one.
//!
//! It takes the commands that a bundle gives, refuses what minikube v1.38.1
//! would refuse, or would answer by asking the network, and then really starts
//! a node: the node container with minikube's own run line, the node's own
//! container runtime, and with containerd the real `kubeadm init`. With the
//! docker runtime, whose CRI adapter no distribution packages, and in a sample
//! node it ends where the node holds every image and a carried one answers.
//!
//! Under other names the same program plays what sample parts need: `kubeadm`,
//! `kubelet`, `kubectl`, `pause` and `app`.
#![allow(clippy::disallowed_methods, reason = "it stands in for a program of others")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

mod archive;
mod cache;
mod cluster;
mod engine;
mod flags;
mod home;
mod images;
mod kubeadm;
mod kubeconfig;
mod kubernetes;
mod node;
mod profile;
mod report;
mod start;
mod stop;
mod upstream;
mod verbs;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args();
    let program = args.next().unwrap_or_default();
    let args: Vec<String> = args.collect();
    let name = Path::new(&program)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    ExitCode::from(match name.as_str() {
        "app" => kubernetes::app(),
        "kubeadm" => kubernetes::kubeadm(&args),
        "kubectl" => kubernetes::kubectl(&args),
        "kubelet" => kubernetes::kubelet(&args),
        "pause" | "storage-provisioner" => kubernetes::pause(),
        name if name.starts_with("kube-") || name == "etcd" || name == "coredns" => kubernetes::pause(),
        _ => verbs::run(&args),
    })
}
