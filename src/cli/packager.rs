//! The packager's command line.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use super::appearance::AppearanceArgs;
use super::console::Console;
use super::ground::Ground;
use super::site::{BundleVerb, MachineVerb, Trusting};
use super::verb_first::verb_first;
use super::{asked, finish, init, lint, open_log, pack, resolve, sign, store, trust, usage};
use super::{extract::ExtractArgs, inspect::InspectArgs, inspect::ShowArgs, preflight::PreflightArgs};
use super::{repair::RepairArgs, start::StartArgs, verify::VerifyArgs};
use crate::failure::Failure;
use crate::host::{Environment, own_program};

/// Carries a Kubernetes cluster to a place without a network, as one file.
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
    /// Write a bundle.toml with every key that pack knows
    Init(init::InitArgs),
    /// Check a bundle.toml: name everything that is wrong with it, with line and column
    Lint(lint::LintArgs),
    /// Pack parts into a bundle
    Pack(Box<pack::PackArgs>),
    /// Write the lock of a bundle, and show what packing it would download
    Resolve(Box<asked::SpecArgs>),
    /// Make a key to sign bundles with
    Keygen(sign::KeygenArgs),
    /// Sign a bundle, or a new key that is to be trusted as the old one is
    Sign(sign::SignArgs),
    /// Say which keys this machine trusts
    Trust {
        #[command(subcommand)]
        verb: trust::TrustVerb,
    },
    /// Verify a bundle and start its cluster
    Start(OfBundle<StartArgs>),
    /// Say whether this machine can start a bundle's cluster, and what fixes it; change nothing
    Preflight(OfBundle<PreflightArgs>),
    /// Compare every byte of a bundle with its digest, and its signature with the trusted keys
    Verify(OfBundle<VerifyArgs>),
    /// Fix a bundle, and its volumes, with a second copy
    Repair(OfBundle<RepairArgs>),
    /// Show what is in a bundle
    Inspect(OfBundle<InspectArgs>),
    /// Name the parts of a bundle, one a line
    List(OfBundle<ShowArgs>),
    /// Write the parts of a bundle to a directory or to a minikube cache
    Extract(OfBundle<ExtractArgs>),
    /// Make a bundle of an older one and the deltas that follow it, byte for byte as it was packed
    Join(Trusting<super::join::JoinArgs>),
    /// Show what two bundles have that differs; exit code 1 when anything does
    Diff(Trusting<super::diff::DiffArgs>),
    /// Look after what was downloaded
    #[command(subcommand)]
    Store(store::StoreVerb),
    /// Replace this program with a newer release
    SelfUpdate(Box<super::self_update::SelfUpdateArgs>),
    /// Write a script that completes the command line
    #[command(visible_alias = "completion")]
    Completions(super::completions::CompletionsArgs),
    /// Write the manual pages
    Man(super::completions::ManArgs),
    #[command(flatten)]
    Machine(MachineVerb),
}

/// A verb's own arguments behind the bundle that it is about.
#[derive(clap::Args, Debug)]
struct OfBundle<A: clap::Args> {
    /// The bundle
    bundle: std::path::PathBuf,
    #[command(flatten)]
    args: Trusting<A>,
}

/// Runs the packager.
#[must_use]
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let line = verb_first(&PackagerCli::command(), arguments);
    let cli = match PackagerCli::try_parse_from(&line) {
        Ok(cli) => cli,
        Err(error) => return usage::refuse(&error, &PackagerCli::command(), &line),
    };
    let mut console = Console::new(cli.appearance.appearance(&Environment::of_this_process()));
    let log_file = cli.appearance.log_file();
    let prepared = ground(&cli.verb).and_then(|ground| ground.logging(log_file).prepare());
    let prepared = prepared.and_then(|()| open_log(&mut console, log_file, &line));
    let result = prepared.and_then(|()| run(cli.verb, &console));
    finish(&console, result)
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
        | PackagerVerb::Inspect(_)
        | PackagerVerb::List(_) => Ground::arguments(),
        PackagerVerb::Join(args) => Ground::arguments().writing(args.args().output()),
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
        PackagerVerb::Keygen(args) => return sign::keygen(&args, console),
        PackagerVerb::Sign(args) => return sign::sign(&args, console),
        PackagerVerb::Trust { verb } => return trust::run(verb, console),
        PackagerVerb::SelfUpdate(args) => return super::self_update::run(*args, console),
        PackagerVerb::Completions(args) => {
            return super::completions::completions(&args, PackagerCli::command(), console);
        }
        PackagerVerb::Man(args) => return super::completions::man(&args, PackagerCli::command(), console),
        PackagerVerb::Machine(verb) => return verb.run(None, console),
        PackagerVerb::Start(of) => (BundleVerb::Start(of.args), of.bundle),
        PackagerVerb::Preflight(of) => (BundleVerb::Preflight(of.args), of.bundle),
        PackagerVerb::Verify(of) => (BundleVerb::Verify(of.args), of.bundle),
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

    #[test]
    fn the_command_line_is_well_formed() {
        PackagerCli::command().debug_assert();
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
