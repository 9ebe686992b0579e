//! New keys.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use minisign::KeyPair;

use super::secret::{Cost, lock};
use super::signer::public_half;
use super::{Password, SignError};
use crate::host::{FileError, sync_directory};
use crate::trust::PublicKey;

/// A key that was made.
#[derive(Debug)]
pub struct NewKey {
    /// Its public half.
    pub key: PublicKey,
    /// The file of the secret half.
    pub secret: PathBuf,
    /// The file of the public half.
    pub public: PathBuf,
}

/// Makes a key and writes it as `BASENAME.key` and `BASENAME.pub`, in minisign's format.
/// A file that is there stays, and is an error.
pub fn generate(basename: &Path, password: Password) -> Result<NewKey, SignError> {
    let (secret, public) = (with_suffix(basename, ".key"), with_suffix(basename, ".pub"));
    for path in [&secret, &public] {
        if fs::symlink_metadata(path).is_ok() {
            return Err(SignError::Exists { path: path.clone() });
        }
    }
    let password = password.ask_new(&format!("the new key `{}`", secret.display()))?;
    let failed = |reason: String| SignError::Key {
        path: secret.clone(),
        reason,
    };
    let pair = KeyPair::generate_unencrypted_keypair().map_err(|error| failed(error.to_string()))?;
    let key = public_half(&pair.sk).ok_or(SignError::SelfCheck)?;
    let mut salt = [0; 32];
    let filled = rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty());
    if filled != Ok(salt.len()) {
        return Err(failed("the kernel gave no random numbers".to_owned()));
    }
    let locked = lock(&pair.sk.to_bytes(), &password, salt, Cost::MINISIGN).ok_or(SignError::SelfCheck)?;
    create(&secret, &locked, 0o600)?;
    if let Err(error) = create(&public, &key.to_file(), 0o644) {
        // A secret key whose public half nobody has is of no use.
        let _ = fs::remove_file(&secret);
        return Err(error);
    }
    Ok(NewKey { key, secret, public })
}

fn with_suffix(basename: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(basename);
    name.push(suffix);
    PathBuf::from(name)
}

fn create(path: &Path, text: &str, mode: u32) -> Result<(), SignError> {
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty());
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| {
            let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
            if written.is_err() {
                let _ = fs::remove_file(path);
            }
            written
        })
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => SignError::Exists {
                path: path.to_owned(),
            },
            _ => FileError::at("written", path)(error).into(),
        })?;
    Ok(sync_directory(directory.unwrap_or(Path::new(".")))?)
}
