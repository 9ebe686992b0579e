//! A secret key that was unlocked, and what it signs.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use minisign::{ErrorKind, SecretKey, SecretKeyBox};

use super::secret::is_locked;
use super::{Password, SignError};
use crate::bundle::{BundleIndex, INDEX_COMMENT, KeyId, Signature, limits};
use crate::host::{AtomicFile, FileError, interrupt, open_regular};
use crate::progress::Progress;
use crate::trust::PublicKey;

/// An unlocked secret key.
pub struct Signer {
    secret: SecretKey,
    public: PublicKey,
}

impl Signer {
    /// Unlocks the key in the file `path`.
    pub fn unlock(path: &Path, password: Password) -> Result<Self, SignError> {
        let text = read_key(path)?;
        let refused = |reason: &str| SignError::Key {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        if PublicKey::parse_file(&text).is_ok() {
            return Err(refused("it is a public key"));
        }
        match is_locked(&text) {
            None => return Err(refused("it is not a secret key of minisign")),
            Some(false) => return Err(refused("no password protects it")),
            Some(true) => {}
        }
        let password = password.ask(&format!("`{}`", path.display()))?;
        let secret = SecretKeyBox::from(text)
            .into_secret_key(Some(password))
            .map_err(|error| match error.kind() {
                ErrorKind::Verify => SignError::WrongPassword {
                    path: path.to_owned(),
                },
                _ => refused(&error.to_string()),
            })?;
        let public = public_half(&secret).ok_or_else(|| refused("it has no public half"))?;
        Ok(Self { secret, public })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `index`, the bytes of an index, for the run that follows it.
    pub fn sign_index(&self, index: &[u8]) -> Result<[u8; Signature::RUN_BYTES], SignError> {
        self.sign_run(index, INDEX_COMMENT)
    }

    /// Signs `bytes` for the run that follows them: what `comment` says they are.
    pub fn sign_run(&self, bytes: &[u8], comment: &str) -> Result<[u8; Signature::RUN_BYTES], SignError> {
        let signature = self.sign(bytes, comment)?;
        if !self.public.has_signed(bytes, comment, &signature) {
            return Err(SignError::SelfCheck);
        }
        signature.encode_run_of(comment).ok_or(SignError::SelfCheck)
    }

    /// Signs all of `file`, the first of a bundle with this index, for stock minisign. It is
    /// the open file that is signed: which one has its name is not asked.
    pub fn sign_file(
        &self,
        file: &File,
        index: &BundleIndex,
        progress: &dyn Progress,
    ) -> Result<Signature, SignError> {
        progress.begin("sign", file.metadata().ok().map(|facts| facts.len()));
        let comment = format!("minikube-offline format 1 bundle {} {}", index.name, index.serial);
        let bytes = Counted {
            file,
            offset: 0,
            progress,
        };
        let signature = self.sign(bytes, &comment)?;
        progress.end("");
        Ok(signature)
    }

    /// Writes `signature`, of the file that has the name `path`, as `path.minisig`.
    pub fn write_beside(&self, path: &Path, signature: &Signature) -> Result<PathBuf, SignError> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".minisig");
        let beside = std::path::absolute(&beside).map_err(FileError::at("written", Path::new(&beside)))?;
        let text = signature.to_text(&format!(
            "verify with minisign -Vm FILE -P {}",
            self.public.base64()
        ));
        AtomicFile::write(&beside, text.as_bytes(), 0o644)?;
        Ok(beside)
    }

    /// Signs the public key in the file `path`, which then can take this key's place: the
    /// statement for `trust rotate`. Only under the name of a public key, `NAME.pub`: who means
    /// to sign a bundle vouches for no key that somebody put in its place.
    pub fn sign_key(&self, path: &Path) -> Result<PathBuf, SignError> {
        let text = read_key(path)?;
        let new = PublicKey::parse_file(&text).map_err(|error| SignError::Unsignable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        if path.extension().is_none_or(|extension| extension != "pub") {
            return Err(SignError::KeyByAnotherName {
                path: path.to_owned(),
                key_id: new.key_id(),
            });
        }
        let comment = new.statement_comment();
        let signature = self.sign(text.as_bytes(), &comment)?;
        if !self.public.has_signed(text.as_bytes(), &comment, &signature) {
            return Err(SignError::SelfCheck);
        }
        self.write_beside(path, &signature)
    }

    fn sign(&self, message: impl Read, comment: &str) -> Result<Signature, SignError> {
        let signed = minisign::sign(None, &self.secret, message, Some(comment), None);
        interrupt::received().map_or(Ok(()), Err)?;
        let signed = signed.map_err(|error| SignError::Read {
            path: PathBuf::from("what is to be signed"),
            source: io::Error::other(error.to_string()),
        })?;
        Signature::parse_text(&signed.to_string()).map_err(|_| SignError::SelfCheck)
    }
}

/// The public half of an unlocked key.
pub(super) fn public_half(secret: &SecretKey) -> Option<PublicKey> {
    let public = minisign::PublicKey::from_secret_key(secret).ok()?.to_bytes();
    let id = KeyId::from_bytes(public.get(2..10)?.try_into().ok()?);
    PublicKey::of(id, public.get(10..)?.try_into().ok()?)
}

fn read_key(path: &Path) -> Result<String, SignError> {
    let read = |source| SignError::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    open_regular(path)
        .and_then(|(file, _)| {
            file.take(limits::KEY_TEXT_BYTES as u64 + 1)
                .read_to_end(&mut bytes)
        })
        .map_err(read)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A file that tells how far it was read.
struct Counted<'a> {
    file: &'a File,
    offset: u64,
    progress: &'a dyn Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(interruption) = interrupt::received() {
            return Err(io::Error::other(interruption));
        }
        let count = self.file.read_at(out, self.offset)?;
        self.offset += count as u64;
        self.progress.advance(count as u64);
        Ok(count)
    }
}
