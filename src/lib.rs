//! minikube-offline carries a Kubernetes cluster to a place without a network.
//!
//! The directories stand in the order of the journey:
//!
//! ```text
//! connected side                              air-gapped side
//! spec ─ resolve ─ fetch ─ pack ─▶ bundle.run ─▶ verify ─ install ─ cluster
//!        plan = lock
//! ```
//!
//! `pack` is `fetch::resolve`, `fetch::fetch` and `pack::pack`; the verb `resolve` stops after the
//! first and writes the plan down, which is the lock; `--locked` loads that with
//! `fetch::Plan::load` instead. What stands in a plan, and what Kubernetes needs, is in
//! `resolve`.
//!
//! The packager is the whole crate. The stub, which lies inside every bundle,
//! is built without the feature `packager`: it has `bundle`, `trust`, `verify`,
//! `install`, `cluster` and what they stand on, and no network code.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "a test sets up the machine that it needs"
    )
)]

/// What the user asks for: flags and `bundle.toml` become a `Spec`.
#[cfg(feature = "packager")]
pub mod spec;

/// What was downloaded, by digest; shared between packs.
#[cfg(feature = "packager")]
pub mod store;

/// The one way to the network: proxies, certificates, retries, resumed downloads.
#[cfg(feature = "packager")]
pub mod http;

/// What this Kubernetes version needs, what identifies each part of it, and the lock.
#[cfg(feature = "packager")]
pub mod resolve;

/// A `Spec` becomes a `Plan` when minikube, kubeadm and servers are asked, and a `Plan` the parts.
#[cfg(feature = "packager")]
pub mod fetch;

/// Parts become one self-extracting file.
#[cfg(feature = "packager")]
pub mod pack;

/// Makes keys, and signs bundles with them.
#[cfg(feature = "packager")]
pub mod sign;

/// The documents of container images.
pub mod oci;

/// The format of that file, and nothing else.
pub mod bundle;

/// The keys that this machine trusts.
pub mod trust;

/// A file becomes a `VerifiedBundle`; there is no other way to one.
pub mod verify;

/// What the publishers of the parts signed.
#[cfg(feature = "packager")]
pub mod attestations;

/// A damaged bundle and a second copy become a whole one.
pub mod repair;

/// Starts a bundle on a host without a network that is made for it, and reports.
#[cfg(feature = "packager")]
pub mod rehearse;

/// What a new bundle has and an older one lacks.
#[cfg(feature = "packager")]
pub mod delta;

/// A bundle on a medium that is carried, read back from there.
#[cfg(feature = "packager")]
pub mod copy;

/// The client of the container engine.
pub mod docker;

/// What follows from minikube's source.
pub mod minikube;

/// Puts the parts of a `VerifiedBundle` on this host, and removes them.
pub mod install;

/// Checks whether this host can run a bundle's cluster.
pub mod preflight;

/// Loads images into a node's volume with the node's own runtime.
pub mod seed;

/// Starts, stops and removes a cluster.
pub mod cluster;

/// This very program becomes a newer one.
#[cfg(feature = "packager")]
pub mod update;

/// The door to the machine: files, locks, processes, signals, facts about it.
pub mod host;

/// The verbs, as a person types them.
pub mod cli;

pub mod explain;
pub mod failure;
pub mod progress;
pub mod shown;
