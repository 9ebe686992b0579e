//! `trust`: the keys that are pinned on this machine.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::columns::HeaderArg;
use super::console::Console;
use super::path_value::path_value;
use super::sandbox;
use crate::bundle::KeyId;
use crate::failure::{Failure, steers};
use crate::host::{Environment, Sandbox};
use crate::trust::{self, KeyDirectory, TrustDirectories, TrustError};

#[derive(Debug, Subcommand)]
pub(super) enum TrustVerb {
    /// Pin a public key: only bundles signed with a pinned key are accepted
    Add {
        /// Public key: a file, or its 56 characters
        #[arg(value_name = "FILE|BASE64")]
        key: String,
        /// Pin it for every user of this host
        #[arg(long)]
        system: bool,
        /// What `trust list` shows beside the key, such as whose it is
        #[arg(long, value_name = "TEXT", value_parser = comment)]
        comment: Option<String>,
    },
    /// List the pinned and the revoked keys
    List {
        #[command(flatten)]
        header: HeaderArg,
    },
    /// Unpin a key
    Remove {
        /// Id of the key, see `trust list`
        #[arg(value_name = "ID")]
        key_id: KeyId,
        /// Unpin it for every user of this host
        #[arg(long)]
        system: bool,
    },
    /// Revoke a key: refuse what it signed, and never pin it again
    Revoke {
        /// Id of the key, see `trust list` or `inspect`
        #[arg(value_name = "ID")]
        key_id: KeyId,
        /// Revoke it for every user of this host
        #[arg(long)]
        system: bool,
    },
    /// Pin a new key that a pinned key signed; the old key stays pinned
    Rotate {
        /// Public key to pin; its signature is in FILE.minisig
        #[arg(value_name = "FILE")]
        statement: PathBuf,
    },
}

pub(super) fn run(verb: TrustVerb, console: &Console) -> Result<(), Failure> {
    let directories = TrustDirectories::of(&Environment::of_this_process());
    match verb {
        TrustVerb::Add { key, system, comment } => {
            let directory = directory(&directories, system)?;
            add(
                trust::pin(&directories, directory, &key, comment.as_deref())?,
                console,
            )
        }
        TrustVerb::List { header } => {
            sandbox::enter(Sandbox::reading(), console);
            list(header, &directories, console)
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

/// A line of text for the first line of a key's file.
fn comment(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty()
        || text.chars().count() > 200
        || text.chars().any(steers)
        || text.contains(['\n', '\t'])
    {
        return Err("expected one line of at most 200 characters".to_owned());
    }
    Ok(text.to_owned())
}

fn add(pinned: trust::Pinned, console: &Console) -> Result<(), Failure> {
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
        "changed": pinned.changed,
    });
    console.result(&text, &value)
}

fn list(header: HeaderArg, directories: &TrustDirectories, console: &Console) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let (mut keys, mut revoked) = (Vec::new(), Vec::new());
    for directory in directories.iter() {
        let scope = if *directory == directories.system {
            "system"
        } else {
            "user"
        };
        let mut row = |key_id: KeyId, state: &str, comment: &str, key: &str| {
            rows.push([&key_id.to_string(), state, scope, comment, key].map(str::to_owned));
        };
        for (path, key) in directory.load()? {
            let comment = directory.comment(&path)?;
            row(
                key.key_id(),
                "pinned",
                comment.as_deref().unwrap_or("-"),
                key.base64(),
            );
            keys.push(json!({
                "key_id": key.key_id().to_string(),
                "public_key": key.base64(),
                "comment": comment,
                "scope": scope,
                "file": path_value(&path),
            }));
        }
        for (path, key_id) in directory.revoked()? {
            row(key_id, "revoked", "-", "-");
            revoked.push(json!({ "key_id": key_id.to_string(), "file": path_value(&path) }));
        }
    }
    if console.is_json() {
        return console.result("", &json!({ "keys": keys, "revoked": revoked }));
    }
    if rows.is_empty() {
        let places: Vec<String> = directories
            .iter()
            .map(|directory| format!("`{}`", directory.path().display()))
            .collect();
        let text = format!(
            "no key is pinned in {}: bundles are integrity only",
            places.join(" or ")
        );
        return console.result(&text, &Value::Null);
    }
    let columns = ["KEY ID", "STATE", "SCOPE", "COMMENT", "PUBLIC KEY"];
    console.result(&header.columns(columns, &rows), &Value::Null)
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
