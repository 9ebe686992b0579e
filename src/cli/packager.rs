//! The packager's command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Command, CommandFactory, Parser, Subcommand};

use super::appearance::AppearanceArgs;
use super::console::Console;
use super::ground::Ground;
use super::site::{BundleVerb, MachineVerb, Trusting};
use super::{asked, command, finish, init, lint, open_log, pack, read_line, resolve, sign, store, trust};
use super::{extract::ExtractArgs, inspect::InspectArgs, inspect::ListArgs, preflight::PreflightArgs};
use super::{repair::RepairArgs, sandbox, start::StartArgs, verify, verify::VerifyArgs};
use crate::failure::Failure;
use crate::host::{Environment, Sandbox, own_program};

/// Packs a Kubernetes cluster into one verified file that starts without a network.
#[derive(Debug, Parser)]
#[command(name = "minikube-offline", version)]
struct PackagerCli {
    #[command(flatten)]
    appearance: AppearanceArgs,
    #[command(subcommand)]
    verb: PackagerVerb,
}

#[derive(Debug, Subcommand)]
enum PackagerVerb {
    /// Write a bundle.toml with every key and its default
    Init(init::InitArgs),
    /// Check a bundle.toml; report every problem with line and column
    Lint(lint::LintArgs),
    /// Pack a cluster into a bundle
    Pack(Box<pack::PackArgs>),
    /// Show what pack would download, and write the lock
    Resolve(Box<asked::SpecArgs>),
    /// Create a key pair to sign bundles with
    Keygen(sign::KeygenArgs),
    /// Sign a bundle, or a new public key for `trust rotate`
    Sign(sign::SignArgs),
    /// Manage the public keys that this host trusts
    Trust {
        #[command(subcommand)]
        verb: trust::TrustVerb,
    },
    /// Verify a bundle and start its cluster
    Start(OfBundle<StartArgs>),
    /// Check whether this host can run the cluster; change nothing
    Preflight(OfBundle<PreflightArgs>),
    /// Check every byte of bundles, and their signatures
    Verify(OfBundles<VerifyArgs>),
    /// Repair a bundle and its volumes from a second copy
    Repair(OfBundle<RepairArgs>),
    /// Show what a bundle contains and what proves it
    Inspect(OfBundle<InspectArgs>),
    /// List the parts of a bundle
    List(OfBundle<ListArgs>),
    /// Write the parts to a directory or a minikube cache
    Extract(OfBundle<ExtractArgs>),
    /// Copy a bundle to a stick or disk and read the copy back
    Copy(Trusting<super::copy::CopyArgs>),
    /// Rebuild a bundle from an older one and its deltas
    Join(Trusting<super::join::JoinArgs>),
    /// Start a bundle on an isolated test host and report (needs root)
    Rehearse(Trusting<super::rehearse::RehearseArgs>),
    /// Compare two bundles; exit code 1 when they differ
    Diff(Trusting<super::diff::DiffArgs>),
    /// Manage the download cache
    #[command(subcommand)]
    Store(store::StoreVerb),
    /// Update this program to a newer release
    SelfUpdate(Box<super::self_update::SelfUpdateArgs>),
    /// Print a shell completion script
    #[command(visible_alias = "completion")]
    Completions(super::completions::CompletionsArgs),
    /// Write the manual pages to a directory
    Man(super::completions::ManArgs),
    #[command(flatten)]
    Machine(MachineVerb),
}

/// A verb's own arguments behind the bundle that it is about.
#[derive(clap::Args, Debug)]
struct OfBundle<A: clap::Args> {
    /// Bundle to use
    bundle: PathBuf,
    #[command(flatten)]
    args: Trusting<A>,
}

/// The same behind several bundles.
#[derive(clap::Args, Debug)]
struct OfBundles<A: clap::Args> {
    /// Bundles to verify; of a directory all files that end in .run
    #[arg(required = true, value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
    #[command(flatten)]
    args: Trusting<A>,
}

/// Runs the packager.
#[must_use]
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (cli, line) = match read_line::<PackagerCli>(definition(), arguments) {
        Ok(read) => read,
        Err(ended) => return ended,
    };
    let mut console = Console::new(cli.appearance.appearance(&Environment::of_this_process()));
    let log_file = cli.appearance.log_file();
    let prepared = ground(&cli.verb).and_then(|ground| ground.logging(log_file).prepare());
    let prepared = prepared.and_then(|()| open_log(&mut console, log_file, &line));
    let result = prepared.and_then(|()| run(cli.verb, &console));
    finish(&console, result)
}

/// The bundles, those in a directory in its stead.
fn with_directories(bundles: &mut Vec<PathBuf>) -> Result<&mut [PathBuf], Failure> {
    let mut found = Vec::with_capacity(bundles.len());
    for path in bundles.drain(..) {
        if path.is_dir() {
            found.extend(crate::copy::bundles_in(&path)?);
        } else {
            found.push(path);
        }
    }
    *bundles = found;
    Ok(bundles)
}

/// What the program takes.
fn definition() -> Command {
    command::complete(PackagerCli::command(), "minikube-offline")
}

/// What the verb uses.
fn ground(verb: &PackagerVerb) -> Result<Ground, Failure> {
    Ok(match verb {
        PackagerVerb::Init(args) => Ground::arguments().writing(args.file()),
        // What they write a file may name: they look when they know.
        PackagerVerb::Pack(_) | PackagerVerb::Resolve(_) | PackagerVerb::Store(_) => Ground::store(),
        PackagerVerb::SelfUpdate(_) => Ground::store().writing(&own_program()?),
        PackagerVerb::Keygen(args) => Ground::arguments().writing(args.basename()),
        PackagerVerb::Sign(args) => Ground::arguments().writing(args.file()),
        PackagerVerb::Lint(_)
        | PackagerVerb::Trust { .. }
        | PackagerVerb::Completions(_)
        | PackagerVerb::Man(_)
        | PackagerVerb::Verify(_)
        | PackagerVerb::Diff(_)
        | PackagerVerb::Copy(_)
        | PackagerVerb::Inspect(_)
        | PackagerVerb::List(_) => Ground::arguments(),
        PackagerVerb::Join(args) => Ground::arguments().writing(args.args().output()),
        PackagerVerb::Rehearse(args) => args.args().ground(),
        PackagerVerb::Machine(verb) => verb.ground(),
        PackagerVerb::Start(of) => Ground::machine(of.args.args().minikube_home()),
        PackagerVerb::Preflight(of) => Ground::machine(of.args.args().minikube_home()),
        PackagerVerb::Extract(of) => Ground::arguments().filling(&of.args.args().filled()?),
        PackagerVerb::Repair(of) => Ground::arguments().writing(&of.bundle),
    })
}

fn run(verb: PackagerVerb, console: &Console) -> Result<(), Failure> {
    let (verb, bundle) = match verb {
        PackagerVerb::Init(args) => return init::run(&args, console),
        PackagerVerb::Lint(args) => return lint::run(&args, console),
        PackagerVerb::Pack(args) => return pack::run(*args, console),
        PackagerVerb::Resolve(args) => return resolve::run(*args, console),
        PackagerVerb::Store(verb) => return verb.run(console),
        PackagerVerb::Join(args) => return super::join::run(&args, console),
        PackagerVerb::Diff(args) => return super::diff::run(&args, console),
        PackagerVerb::Copy(args) => return super::copy::run(&args, console),
        PackagerVerb::Rehearse(args) => return super::rehearse::run(&args, console),
        PackagerVerb::Keygen(args) => return sign::keygen(&args, console),
        PackagerVerb::Sign(args) => return sign::sign(&args, console),
        PackagerVerb::Trust { verb } => return trust::run(verb, console),
        PackagerVerb::SelfUpdate(args) => return super::self_update::run(*args, console),
        PackagerVerb::Completions(args) => {
            return super::completions::completions(&args, PackagerCli::command(), console);
        }
        PackagerVerb::Man(args) => return super::completions::man(&args, definition(), console),
        PackagerVerb::Machine(verb) => return verb.run(None, definition, console),
        PackagerVerb::Start(of) => (BundleVerb::Start(of.args), of.bundle),
        PackagerVerb::Preflight(of) => (BundleVerb::Preflight(of.args), of.bundle),
        PackagerVerb::Verify(mut of) => match with_directories(&mut of.bundles)? {
            [one] => (BundleVerb::Verify(of.args), std::mem::take(one)),
            several => {
                sandbox::enter(Sandbox::reading(), console);
                return verify::several(of.args.args(), several, |path| of.args.open(path), console);
            }
        },
        PackagerVerb::Repair(of) => (BundleVerb::Repair(of.args), of.bundle),
        PackagerVerb::Inspect(of) => (BundleVerb::Inspect(of.args), of.bundle),
        PackagerVerb::List(of) => (BundleVerb::List(of.args), of.bundle),
        PackagerVerb::Extract(of) => (BundleVerb::Extract(of.args), of.bundle),
    };
    verb.run(&bundle, console)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::defaults::is_command_line_only;
    use crate::cli::examples::examples;

    #[test]
    fn the_command_line_is_well_formed() {
        PackagerCli::command().debug_assert();
    }

    fn all(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
        found.push((path.to_owned(), command.clone()));
        for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
            all(verb, format!("{path} {}", verb.get_name()).trim_start(), found);
        }
    }

    #[test]
    fn every_verb_has_examples_and_each_is_a_command_line() {
        let mut verbs = Vec::new();
        all(&PackagerCli::command(), "", &mut verbs);
        for (path, verb) in &verbs {
            let lines = examples(path, false);
            assert!(!lines.is_empty() || path == "store", "`{path}` has no example");
            for line in lines {
                let words = line.replace('"', "");
                let line = ["minikube-offline"].into_iter().chain(words.split_whitespace());
                let read = definition().try_get_matches_from(line);
                assert!(read.is_ok(), "{words}: {read:?}");
                assert!(
                    verb.get_name() == "minikube-offline" || words.starts_with(path),
                    "{words}"
                );
            }
        }
        assert!(verbs.len() > 25, "{}", verbs.len());
    }

    /// A new flag has a variable, and a key if the verb is one of the host's. Whoever adds it
    /// here has seen that it weakens no check; others belong in `COMMAND_LINE_ONLY`.
    #[test]
    fn a_variable_stands_only_for_flags_that_weaken_no_check() {
        const REVIEWED: &str = "addon application-timeout attestations base basename binaries binary-mirror bundle chart check clean cni color \
            comment container-runtime cpus deep directory disk file from-cache ha html image image-load image-mirror-country \
            image-repository include json keep-failed keep-proxy kicbase kubernetes-version level locked log-file \
            manifest memory minikube minikube-home minikube-version name namespace no-addons no-applications no-header no-manifests \
            no-progress offline older-than output password-fd platform profile proxy quiet registry-mirror \
            release release-mirror require-signature sbom serial sign-key split stub to to-cache values verbose wait watch";
        let mut verbs = Vec::new();
        all(&PackagerCli::command(), "", &mut verbs);
        let mut flags: Vec<&str> = verbs
            .iter()
            .flat_map(|(_, verb)| verb.get_arguments().filter_map(clap::Arg::get_long))
            .collect();
        flags.sort_unstable();
        flags.dedup();
        let (never, with): (Vec<&str>, Vec<&str>) =
            flags.into_iter().partition(|flag| is_command_line_only(flag));
        assert_eq!(with, REVIEWED.split_whitespace().collect::<Vec<_>>());
        for flag in [
            "accept-unverified",
            "allow-downgrade",
            "insecure-registry",
            "key",
            "yes",
        ] {
            assert!(never.contains(&flag), "{flag}");
        }
    }

    /// A flag in front of the verb is read before the verb is known.
    #[test]
    fn a_flag_takes_a_value_with_every_verb_or_with_none() {
        use std::collections::HashMap;
        let mut takes = HashMap::new();
        for verb in PackagerCli::command().get_subcommands() {
            for flag in verb.get_arguments() {
                let value = flag.get_action().takes_values();
                let long = flag.get_long().map(str::to_owned);
                for name in long
                    .into_iter()
                    .chain(flag.get_short().map(|letter| letter.to_string()))
                {
                    assert_eq!(*takes.entry(name.clone()).or_insert(value), value, "{name}");
                }
            }
        }
        assert!(takes.len() > 20, "{takes:?}");
    }
}
