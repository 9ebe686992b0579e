//! The verbs of the site, and what each does with a bundle.

use std::path::Path;

use clap::Subcommand;

use super::console::Console;
use super::{extract, inspect, machine, start, verify};
use crate::failure::Failure;
use crate::verify::OpenedBundle;

/// What can be done with a bundle.
#[derive(Debug, Subcommand)]
pub(super) enum BundleVerb {
    /// Verify the bundle and start its cluster
    Start(start::StartArgs),
    /// Compare every byte with its digest
    Verify(verify::VerifyArgs),
    /// Show what is in the bundle
    Inspect,
    /// Name the parts, one a line
    List,
    /// Write the parts to a folder or to a minikube cache
    Extract(extract::ExtractArgs),
}

impl BundleVerb {
    /// The verb, done with the bundle at `path`.
    pub(super) fn run(self, path: &Path, console: &Console) -> Result<(), Failure> {
        let bundle = OpenedBundle::open(path)?;
        match self {
            Self::Extract(args) => extract::run(&args, bundle, console),
            Self::Inspect => inspect::inspect(&bundle, console),
            Self::List => inspect::list(&bundle, console),
            Self::Start(args) => start::run(args, bundle, console),
            Self::Verify(args) => verify::run(&args, bundle, console),
        }
    }
}

/// What can be done with a machine on which a bundle was started; the bundle itself
/// need not be there any more.
#[derive(Debug, Subcommand)]
pub(super) enum MachineVerb {
    /// Show what is installed here and how its cluster is
    Status(machine::StatusArgs),
    /// Stop the cluster; `start` goes on with it
    Stop(machine::StopArgs),
    /// Remove the cluster and everything that was installed with it
    Uninstall(machine::UninstallArgs),
}

impl MachineVerb {
    pub(super) fn run(self, console: &Console) -> Result<(), Failure> {
        match self {
            Self::Status(args) => machine::status(&args, console),
            Self::Stop(args) => machine::stop(&args, console),
            Self::Uninstall(args) => machine::uninstall(&args, console),
        }
    }
}
