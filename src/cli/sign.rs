//! `keygen` and `sign`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::console::Console;
use super::path_value::path_value;
use crate::bundle::limits;
use crate::failure::Failure;
use crate::sign::{self, Password, Signer};
use crate::verify::VerifyError;

#[derive(clap::Args, Debug)]
pub(super) struct KeygenArgs {
    /// Write BASENAME.key, the secret key, and BASENAME.pub
    #[arg(
        short = 'o',
        long,
        value_name = "BASENAME",
        default_value = "minikube-offline"
    )]
    basename: PathBuf,
    /// Read the password from this file descriptor
    #[arg(long, value_name = "N")]
    password_fd: Option<u32>,
}

#[derive(clap::Args, Debug)]
pub(super) struct SignArgs {
    /// Bundle, or a new public key for `trust rotate`
    file: PathBuf,
    /// Secret key to sign with, in the format of minisign
    #[arg(long, value_name = "SECRET")]
    key: PathBuf,
    /// Read the key's password from this file descriptor
    #[arg(long, value_name = "N")]
    password_fd: Option<u32>,
}

impl KeygenArgs {
    pub(super) fn basename(&self) -> &Path {
        &self.basename
    }
}

impl SignArgs {
    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}

pub(super) fn keygen(args: &KeygenArgs, console: &Console) -> Result<(), Failure> {
    let new = sign::generate(&args.basename, Password::from(args.password_fd))?;
    let key_id = new.key.key_id();
    let text = format!(
        "key {key_id}\n\
         `{}` signs: keep it and its password where only you have access\n\
         `{}` verifies: bring it to the site by a way that you trust, and there:\n  \
         minikube-offline trust add {}",
        new.secret.display(),
        new.public.display(),
        new.key.base64(),
    );
    let value = json!({
        "key_id": key_id.to_string(),
        "public_key": new.key.base64(),
        "secret_file": path_value(new.secret),
        "public_file": path_value(new.public),
    });
    console.result(&text, &value)
}

pub(super) fn sign(args: &SignArgs, console: &Console) -> Result<(), Failure> {
    // Before somebody types a password for nothing.
    let facts = fs::metadata(&args.file).map_err(|source| VerifyError::Read {
        path: args.file.clone(),
        source,
    })?;
    let signer = Signer::unlock(&args.key, Password::from(args.password_fd))?;
    let key_id = signer.public().key_id();
    // No bundle is as short as a key file.
    let short = facts.is_file() && facts.len() <= limits::KEY_TEXT_BYTES as u64;
    let (beside, next) = if short {
        let beside = signer.sign_key(&args.file)?;
        (
            beside,
            format!("minikube-offline trust rotate {}", args.file.display()),
        )
    } else {
        let done = sign::sign_bundle(&args.file, &signer, console)?;
        (
            done.beside,
            format!(
                "minikube-offline verify {} --key {}",
                args.file.display(),
                signer.public().base64()
            ),
        )
    };
    let text = format!(
        "`{}` is signed with key {key_id}; for stock minisign: `{}`\nat the site:\n  {next}",
        args.file.display(),
        beside.display(),
    );
    let value = json!({
        "file": path_value(&args.file),
        "key_id": key_id.to_string(),
        "signature": path_value(beside),
    });
    console.result(&text, &value)
}
