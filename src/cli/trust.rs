//! `trust`: the keys that are pinned on this machine.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::console::Console;
use super::path_value::path_value;
use super::sandbox;
use crate::bundle::KeyId;
use crate::failure::Failure;
use crate::host::{Environment, Sandbox};
use crate::trust::{self, KeyDirectory, TrustDirectories, TrustError};

#[derive(Debug, Subcommand)]
pub(super) enum TrustVerb {
    /// Pin a public key: from then on only bundles that a pinned key signed are used
    Add {
        /// The key's file, or its 56 characters
        #[arg(value_name = "FILE|BASE64")]
        key: String,
        /// Pin it for everyone on this machine
        #[arg(long)]
        system: bool,
    },
    /// Show the pinned keys
    List,
    /// Let go of a pinned key
    Remove {
        /// The key's id, as `trust list` shows it
        #[arg(value_name = "ID")]
        key_id: KeyId,
        /// Of those that are pinned for everyone
        #[arg(long)]
        system: bool,
    },
    /// Let go of a key for good: nothing that it signed is used, and it cannot be
    /// pinned again
    Revoke {
        /// The key's id, as `trust list` or `inspect` shows it
        #[arg(value_name = "ID")]
        key_id: KeyId,
        /// For everyone on this machine
        #[arg(long)]
        system: bool,
    },
    /// Pin a new key that a pinned one signed; the older one stays until it is removed
    Rotate {
        /// The new key's file; its signature is the same with .minisig
        #[arg(value_name = "FILE")]
        statement: PathBuf,
    },
}

pub(super) fn run(verb: TrustVerb, console: &Console) -> Result<(), Failure> {
    let directories = TrustDirectories::of(&Environment::of_this_process());
    match verb {
        TrustVerb::Add { key, system } => add(&directories, directory(&directories, system)?, &key, console),
        TrustVerb::List => {
            sandbox::enter(Sandbox::reading(), console);
            list(&directories, console)
        }
        TrustVerb::Remove { key_id, system } => {
            remove(&directories, directory(&directories, system)?, key_id, console)
        }
        TrustVerb::Revoke { key_id, system } => revoke(directory(&directories, system)?, key_id, console),
        TrustVerb::Rotate { statement } => {
            let rotated = trust::rotate(&directories, &statement)?;
            let key = &rotated.pinned.key;
            let text = format!(
                "key {} is pinned in `{}`: key {} vouches for it\n\
                 when no bundle of the older key is needed:\n  minikube-offline trust remove {}{}",
                key.key_id(),
                rotated.pinned.path.display(),
                rotated.by,
                rotated.by,
                if rotated.system { " --system" } else { "" },
            );
            let value = json!({
                "key_id": key.key_id().to_string(),
                "public_key": key.base64(),
                "file": path_value(rotated.pinned.path),
                "changed": true,
                "signed_by": rotated.by.to_string(),
            });
            console.result(&text, &value)
        }
    }
}

fn directory(directories: &TrustDirectories, system: bool) -> Result<&KeyDirectory, Failure> {
    if system {
        return Ok(&directories.system);
    }
    directories
        .user
        .as_ref()
        .ok_or_else(|| TrustError::NoDirectory.into())
}

fn add(
    directories: &TrustDirectories,
    directory: &KeyDirectory,
    key: &str,
    console: &Console,
) -> Result<(), Failure> {
    let pinned = trust::pin(directories, directory, key)?;
    let (key_id, path) = (pinned.key.key_id(), pinned.path.display());
    let text = if pinned.already {
        format!("key {key_id} was pinned before, in `{path}`")
    } else {
        format!("key {key_id} is pinned in `{path}`: only bundles that a pinned key signed are used now")
    };
    let value = json!({
        "key_id": key_id.to_string(),
        "public_key": pinned.key.base64(),
        "file": path_value(pinned.path),
        "changed": !pinned.already,
    });
    console.result(&text, &value)
}

fn list(directories: &TrustDirectories, console: &Console) -> Result<(), Failure> {
    let mut lines = Vec::new();
    let (mut keys, mut revoked) = (Vec::new(), Vec::new());
    for directory in directories.iter() {
        for (path, key) in directory.load()? {
            lines.push(format!("{}\t{}\t{}", key.key_id(), key.base64(), path.display()));
            keys.push(
                json!({ "key_id": key.key_id().to_string(), "public_key": key.base64(), "file": path_value(&path) }),
            );
        }
        for (path, key_id) in directory.revoked()? {
            lines.push(format!("{key_id}\trevoked\t{}", path.display()));
            revoked.push(json!({ "key_id": key_id.to_string(), "file": path_value(&path) }));
        }
    }
    if console.is_json() {
        return console.result("", &json!({ "keys": keys, "revoked": revoked }));
    }
    if lines.is_empty() {
        let places: Vec<String> = directories
            .iter()
            .map(|directory| format!("`{}`", directory.path().display()))
            .collect();
        lines.push(format!(
            "no key is pinned in {}: bundles are integrity only",
            places.join(" or ")
        ));
    }
    console.result(&lines.join("\n"), &Value::Null)
}

fn revoke(directory: &KeyDirectory, key_id: KeyId, console: &Console) -> Result<(), Failure> {
    let (path, removed, changed) = trust::revoke(directory, key_id)?;
    let text = format!(
        "key {key_id} is revoked: nothing that it signed is used, and it cannot be pinned again\n\
         to take that back, remove `{}` by hand",
        path.display()
    );
    let value = json!({ "key_id": key_id.to_string(), "file": path_value(path), "removed": removed, "changed": changed });
    console.result(&text, &value)
}

fn remove(
    directories: &TrustDirectories,
    directory: &KeyDirectory,
    key_id: KeyId,
    console: &Console,
) -> Result<(), Failure> {
    let removed = trust::unpin(directory, key_id)?;
    let mut left = 0;
    for directory in directories.iter() {
        left += directory.load()?.len();
    }
    let files: Vec<String> = removed
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    let revoked = !directories.revoked()?.is_empty();
    let rest = match left {
        0 if revoked => "no key is pinned, and one was revoked: no bundle is accepted".to_owned(),
        0 => "no key is pinned: bundles are integrity only".to_owned(),
        1 => "1 key is still pinned".to_owned(),
        left => format!("{left} keys are still pinned"),
    };
    let text = format!(
        "key {key_id} is no longer pinned: {} is removed; {rest}",
        files.join(" and ")
    );
    let value = json!({ "key_id": key_id.to_string(), "changed": true, "removed": removed.iter().map(path_value).collect::<Vec<_>>(), "left": left });
    console.result(&text, &value)
}
