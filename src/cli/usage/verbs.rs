//! Verbs that there are not.

use std::path::Path;

use super::nearest::nearest;
use super::{Typed, did_you_mean, shown, usage};
use crate::failure::Failure;

/// What others call a verb of ours.
const MEANT: [(&str, &[&str]); 7] = [
    ("inspect", &["describe", "info", "show"]),
    ("list", &["ls"]),
    ("pack", &["build", "bundle", "create", "make"]),
    ("start", &["apply", "deploy", "install", "launch", "run", "up"]),
    ("stop", &["down", "halt"]),
    ("uninstall", &["clean", "delete", "destroy", "remove", "rm"]),
    ("verify", &["check", "validate"]),
];

/// What only the packager does.
const OF_THE_PACKAGER: [&str; 12] = [
    "completions",
    "init",
    "join",
    "keygen",
    "lint",
    "pack",
    "rehearse",
    "resolve",
    "self-update",
    "sign",
    "store",
    "trust",
];

impl Typed<'_> {
    pub(super) fn unknown_verb(&self, word: &str) -> Failure {
        let message = format!("there is no verb `{}`", shown(word));
        if self.is_stub() && OF_THE_PACKAGER.contains(&word) {
            let hint = format!(
                "a bundle has none of its own: `minikube-offline {word}`; {}",
                self.verbs_hint()
            );
            return usage(message, hint);
        }
        let explained = match word {
            "diff" if self.is_stub() => "compare what `list` prints of each bundle; ",
            "update" | "upgrade" if self.is_stub() => "start the newer bundle; ",
            "update" | "upgrade" => "`self-update` renews this program, `start NEWER.run` the cluster; ",
            _ => "",
        };
        let file = if !self.is_stub() && Path::new(word).exists() {
            format!(
                "the verb stands first: `minikube-offline verify {}`; ",
                shown(word)
            )
        } else {
            String::new()
        };
        let near = if explained.is_empty() && file.is_empty() {
            self.meant(word)
        } else {
            None
        };
        usage(
            message + &did_you_mean(near),
            format!("{file}{explained}{}", self.verbs_hint()),
        )
    }

    fn meant(&self, word: &str) -> Option<&str> {
        let called = MEANT.iter().find(|(_, names)| names.contains(&word));
        let called = called.map(|(verb, _)| *verb);
        let is_there = |verb: &&str| self.verb.find_subcommand(verb).is_some();
        called.filter(is_there).or_else(|| nearest(word, self.verbs()))
    }

    /// The verbs that the help shows.
    fn verbs(&self) -> impl Iterator<Item = &str> {
        let verbs = self.verb.get_subcommands().filter(|verb| !verb.is_hide_set());
        verbs.map(clap::Command::get_name)
    }

    pub(super) fn verbs_hint(&self) -> String {
        let verbs: Vec<&str> = self.verbs().filter(|verb| *verb != "help").collect();
        let of = if self.verb_name.is_empty() {
            String::new()
        } else {
            format!(" of `{}`", self.verb_name)
        };
        format!("the verbs{of} are {}; `--help` explains them", verbs.join(", "))
    }
}
