//! The verbs of the site, and what each does with a bundle.

use std::path::{Path, PathBuf};

use clap::{Command, Subcommand};

use super::authenticity::warning;
use super::console::Console;
use super::ground::Ground;
use super::{extract, guide, inspect, machine, preflight, repair, report, sandbox, start, verify, version};
use crate::failure::{Failure, Kind};
use crate::host::{Environment, Sandbox};
use crate::progress::Progress;
use crate::trust::{TrustDirectories, TrustedKeys};
use crate::verify::OpenedBundle;

/// What can be done with a bundle.
#[derive(Debug, Subcommand)]
pub(super) enum BundleVerb {
    /// Verify the bundle and start its cluster
    Start(Trusting<start::StartArgs>),
    /// Check whether this host can run the cluster; change nothing
    Preflight(Trusting<preflight::PreflightArgs>),
    /// Check every byte, and the signature
    Verify(Trusting<verify::VerifyArgs>),
    /// Show what the bundle contains and what proves it
    Inspect(Trusting<inspect::InspectArgs>),
    /// List the parts of the bundle
    List(Trusting<inspect::ListArgs>),
    /// Repair the bundle and its volumes from a second copy
    Repair(Trusting<repair::RepairArgs>),
    /// Write the parts to a directory or a minikube cache
    Extract(Trusting<extract::ExtractArgs>),
}

/// A verb's own arguments, and the keys that count for it.
#[derive(clap::Args, Debug)]
pub(super) struct Trusting<A: clap::Args> {
    /// Trust this public key, and none of the pinned keys
    #[arg(long = "key", value_name = "FILE|BASE64")]
    keys: Vec<String>,
    #[command(flatten)]
    args: A,
}

impl<A: clap::Args> Trusting<A> {
    /// The verb's own arguments.
    #[cfg(feature = "packager")]
    pub(super) fn args(&self) -> &A {
        &self.args
    }

    /// The keys that were given.
    #[cfg(feature = "packager")]
    pub(super) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Opens a bundle that is to be used.
    pub(super) fn open(&self, path: &Path) -> Result<OpenedBundle, Failure> {
        Ok(OpenedBundle::open(path, &self.trusted()?)?)
    }

    /// Opens a bundle of which no byte is to be used.
    pub(super) fn open_to_show(&self, path: &Path) -> Result<OpenedBundle, Failure> {
        Ok(OpenedBundle::open_to_show(path, &self.trusted()?)?)
    }

    pub(super) fn trusted(&self) -> Result<TrustedKeys, Failure> {
        let directories = TrustDirectories::of(&Environment::of_this_process());
        Ok(TrustedKeys::load(&self.keys, &directories)?)
    }
}

impl BundleVerb {
    /// What it uses, with the bundle at `path`.
    pub(super) fn ground(&self, path: &Path) -> Result<Ground, Failure> {
        Ok(match self {
            Self::Inspect(verb) => match verb.args.written() {
                Some(file) => Ground::arguments().writing(file),
                None => Ground::arguments(),
            },
            Self::List(_) | Self::Verify(_) => Ground::arguments(),
            Self::Extract(verb) => Ground::arguments().filling(&verb.args.filled()?),
            Self::Repair(_) => Ground::arguments().writing(path),
            Self::Preflight(verb) => Ground::machine(verb.args.minikube_home()),
            Self::Start(verb) => Ground::machine(verb.args.minikube_home()),
        })
    }

    /// The verb, done with the bundle at `path`.
    pub(super) fn run(self, path: &Path, console: &Console) -> Result<(), Failure> {
        // Before the first byte of the bundle is read, and before there is a second thread.
        if let Some(sandbox) = self.sandbox(path)? {
            sandbox::enter(sandbox, console);
        }
        let warn = |bundle: &OpenedBundle| warning(bundle).into_iter().for_each(|text| console.warn(&text));
        match self {
            Self::Extract(verb) => {
                let bundle = verb.open(path)?;
                warn(&bundle);
                extract::run(&verb.args, bundle, console)
            }
            Self::Inspect(verb) => inspect::inspect(&verb.args, verb.open_to_show(path)?, console),
            Self::List(verb) => {
                let bundle = verb.open_to_show(path)?;
                warn(&bundle);
                inspect::list(&verb.args, &bundle, console)
            }
            Self::Preflight(verb) => {
                let bundle = verb.open(path)?;
                warn(&bundle);
                preflight::run(verb.args, &bundle, console)
            }
            Self::Repair(verb) => repair::run(&verb.args, path, &verb.trusted()?, console),
            Self::Start(verb) => {
                let bundle = verb.open(path)?;
                warn(&bundle);
                start::run(verb.args, bundle, console)
            }
            Self::Verify(verb) => {
                let bundle = verb.open(path)?;
                verify::run(&verb.args, bundle, console)
            }
        }
    }

    /// All that the verb has to do to files, for those that run no other program.
    ///
    /// `start` runs minikube and Docker's client, and `preflight` the latter: they would be in
    /// the sandbox, too, and with them what the user's own flags have them mount, write and
    /// listen on, which nobody knows here. The same goes for `status`, `stop`, `rollback` and
    /// `uninstall`.
    fn sandbox(&self, path: &Path) -> Result<Option<Sandbox>, Failure> {
        Ok(match self {
            Self::Inspect(verb) => Some(match verb.args.written() {
                Some(file) => Sandbox::reading().filling(&directory_of(file)?),
                None => Sandbox::reading(),
            }),
            Self::List(_) | Self::Verify(_) => Some(Sandbox::reading()),
            Self::Extract(verb) => Some(Sandbox::reading().filling(&verb.args.filled()?)),
            Self::Repair(_) => Some(repair::sandbox(path)),
            Self::Preflight(_) | Self::Start(_) => None,
        })
    }
}

/// The directory that `file` is written to.
fn directory_of(file: &Path) -> Result<PathBuf, Failure> {
    let whole = std::path::absolute(file)
        .map_err(|error| Failure::new(Kind::Usage, format!("`{}`: {error}", file.display())))?;
    Ok(whole.parent().unwrap_or(&whole).to_owned())
}

/// Whether `verb` is one for which the user's config file has defaults.
pub(super) fn is_of_host(verb: &str) -> bool {
    let verbs = MachineVerb::augment_subcommands(BundleVerb::augment_subcommands(Command::new("")));
    !["guide", "version"].contains(&verb) && verbs.find_subcommand(verb).is_some()
}

/// The verbs that need no bundle: those of a host on which one was started, and the manual.
#[derive(Debug, Subcommand)]
pub(super) enum MachineVerb {
    /// Show what is installed, and whether it runs
    Status(machine::StatusArgs),
    /// Stop the cluster; `start` resumes it
    Stop(machine::StopArgs),
    /// Return to the cluster from before the last upgrade
    Rollback(machine::RollbackArgs),
    /// Remove the cluster and everything installed with it
    Uninstall(machine::UninstallArgs),
    /// Write versions, checks, state and logs to one file
    Report(report::ReportArgs),
    /// Show the manual, without a network
    Guide(guide::GuideArgs),
    /// Show the version of this program and its bundle
    Version,
}

impl MachineVerb {
    /// What it uses.
    pub(super) fn ground(&self) -> Ground {
        Ground::machine(match self {
            Self::Guide(_) | Self::Version => return Ground::arguments(),
            Self::Status(args) => args.minikube_home(),
            Self::Stop(args) => args.minikube_home(),
            Self::Rollback(args) => args.minikube_home(),
            Self::Uninstall(args) => args.minikube_home(),
            Self::Report(args) => return Ground::machine(args.minikube_home()).writing(args.file()),
        })
    }

    /// The verb; `bundle` is the one that this program is in, `program` what it takes.
    pub(super) fn run(
        self,
        bundle: Option<&Path>,
        program: impl FnOnce() -> Command,
        console: &Console,
    ) -> Result<(), Failure> {
        match self {
            Self::Report(args) => report::run(&args, bundle, console),
            Self::Status(args) => machine::status(&args, console),
            Self::Stop(args) => machine::stop(&args, console),
            Self::Rollback(args) => machine::rollback(&args, console),
            Self::Uninstall(args) => machine::uninstall(&args, console),
            Self::Guide(args) => guide::run(&args, program, console),
            Self::Version => version::run(bundle, console),
        }
    }
}
