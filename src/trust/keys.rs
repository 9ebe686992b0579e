//! The keys that count in one run, and their judgement.

use std::collections::BTreeSet;
use std::path::Path;

use super::directory::load_key_file;
use super::{PublicKey, TrustDirectories, TrustError};
use crate::bundle::{KeyId, Signature};

/// The keys that count in one run, each once.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys {
    keys: Vec<TrustedKey>,
    revoked: BTreeSet<KeyId>,
}

/// A key that counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustedKey {
    /// The key.
    pub key: PublicKey,
    /// Why it counts: its file, or the flag that it came by.
    pub origin: String,
}

/// The origin of a key that counts for one run.
const GIVEN: &str = "--key";

impl TrustedKey {
    /// Whether it is pinned here, and not just given for one run.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.origin != GIVEN
    }
}

/// What is known of who made a bundle.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Authenticity {
    /// No key says who made it: digests guard against damage alone.
    IntegrityOnly {
        /// The key that it says it was signed with, unchecked.
        claimed: Option<KeyId>,
    },
    /// It was signed with a trusted key.
    Signed(TrustedKey),
}

/// Why a bundle is refused where keys count.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It names a trusted key, and was not signed with it as it is.
    #[error("its signature was not made by the key {key_id} that it names")]
    Forged {
        /// The key.
        key_id: KeyId,
    },
    /// It names a key that was revoked here.
    #[error("it names the key {key_id}, which is revoked here")]
    Revoked {
        /// The key.
        key_id: KeyId,
    },
    /// It was signed with a key that does not count here.
    #[error("it names the key {key_id}, which is not trusted here")]
    Unknown {
        /// The key that it names.
        key_id: KeyId,
    },
    /// Nobody signed it.
    #[error("it is not signed")]
    Unsigned,
}

impl TrustedKeys {
    /// No keys: integrity only.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The keys that are `given`, each a file or the key itself; without any, those that
    /// are pinned in `directories`. The pinned ones must be readable in either case, and a
    /// key that is revoked there counts in neither.
    pub fn load(given: &[String], directories: &TrustDirectories) -> Result<Self, TrustError> {
        let mut pinned = Self::named(&[], GIVEN, directories)?;
        for directory in directories.iter() {
            for (path, key) in directory.load()? {
                pinned.add(key, path.display().to_string());
            }
        }
        let named = Self::named(given, GIVEN, directories)?;
        Ok(if named.keys.is_empty() { pinned } else { named })
    }

    /// The keys that are `given`, each a file or the key itself, which count because of
    /// `origin`; one that is revoked in `directories` is refused.
    pub fn named(given: &[String], origin: &str, directories: &TrustDirectories) -> Result<Self, TrustError> {
        let mut named = Self {
            keys: Vec::new(),
            revoked: directories.revoked()?,
        };
        for text in given {
            let key = parse_key_argument(text)?;
            let key_id = key.key_id();
            if named.revoked.contains(&key_id) {
                return Err(TrustError::Revoked { key_id });
            }
            named.add(key, origin.to_owned());
        }
        Ok(named)
    }

    /// Whether anything is accepted: no key counts, and none ever did.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.revoked.is_empty()
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &TrustedKey> {
        self.keys.iter()
    }

    /// What `signature` says of who made `message` for the purpose that `comment`, its
    /// trusted comment, names; refused when keys count and none of them made it.
    pub fn judge(
        &self,
        message: &[u8],
        comment: &str,
        signature: Option<&Signature>,
    ) -> Result<Authenticity, Refusal> {
        if self.is_empty() {
            let claimed = signature.map(Signature::key_id);
            return Ok(Authenticity::IntegrityOnly { claimed });
        }
        let signature = signature.ok_or(Refusal::Unsigned)?;
        let key_id = signature.key_id();
        if self.revoked.contains(&key_id) {
            return Err(Refusal::Revoked { key_id });
        }
        // An id is eight bytes that anybody can choose: there may be several.
        let mut named = self
            .keys
            .iter()
            .filter(|known| known.key.key_id() == key_id)
            .peekable();
        if named.peek().is_none() {
            return Err(Refusal::Unknown { key_id });
        }
        named
            .find(|known| known.key.has_signed(message, comment, signature))
            .map(|known| Authenticity::Signed(known.clone()))
            .ok_or(Refusal::Forged { key_id })
    }

    fn add(&mut self, key: PublicKey, origin: String) {
        let revoked = self.revoked.contains(&key.key_id());
        if !revoked && self.keys.iter().all(|known| known.key != key) {
            self.keys.push(TrustedKey { key, origin });
        }
    }
}

/// A key as it stands on a command line: the key itself, or its file.
pub(super) fn parse_key_argument(text: &str) -> Result<PublicKey, TrustError> {
    match PublicKey::parse_base64(text) {
        Ok(key) => Ok(key),
        Err(_) => load_key_file(Path::new(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::KeyDirectory;
    use std::path::PathBuf;

    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    const SIGNATURE: &str = "untrusted comment: signature from minisign secret key\n\
        RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n\
        trusted comment: timestamp:1556193335\tfile:test\n\
        y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==\n";

    const COMMENT: &str = "timestamp:1556193335\tfile:test";

    fn nowhere() -> TrustDirectories {
        let directory = KeyDirectory::new(PathBuf::from("/no/such/directory"), 0);
        TrustDirectories {
            system: directory.clone(),
            user: Some(directory),
        }
    }

    fn keys(given: &[&str]) -> TrustedKeys {
        let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
        TrustedKeys::load(&given, &nowhere()).expect("keys")
    }

    #[test]
    fn without_keys_nothing_is_refused_and_nothing_is_vouched_for() {
        let signature = Signature::parse_text(SIGNATURE).expect("a signature");
        let claimed = Some(signature.key_id());
        let judged = keys(&[]).judge(b"anything", COMMENT, Some(&signature));
        assert_eq!(judged, Ok(Authenticity::IntegrityOnly { claimed }));
        let judged = keys(&[]).judge(b"anything", COMMENT, None);
        assert_eq!(judged, Ok(Authenticity::IntegrityOnly { claimed: None }));
    }

    #[test]
    fn with_a_key_only_what_it_signed_passes() {
        let signature = Signature::parse_text(SIGNATURE).expect("a signature");
        let key_id = signature.key_id();
        let right = keys(&[KEY]);
        assert!(matches!(
            right.judge(b"test", COMMENT, Some(&signature)),
            Ok(Authenticity::Signed(_))
        ));
        assert_eq!(
            right.judge(b"Test", COMMENT, Some(&signature)),
            Err(Refusal::Forged { key_id })
        );
        assert_eq!(right.judge(b"test", COMMENT, None), Err(Refusal::Unsigned));
        let stranger = PublicKey::of(KeyId::from_bytes([1; 8]), &[9; 32]).expect("a key");
        let wrong = keys(&[stranger.base64()]);
        assert_eq!(
            wrong.judge(b"test", COMMENT, Some(&signature)),
            Err(Refusal::Unknown { key_id })
        );
    }

    #[test]
    fn a_key_with_a_borrowed_id_neither_passes_nor_shadows() {
        let signature = Signature::parse_text(SIGNATURE).expect("a signature");
        let key_id = signature.key_id();
        let impostor = PublicKey::of(key_id, &[9; 32]).expect("a key");
        let alone = keys(&[impostor.base64()]);
        assert_eq!(
            alone.judge(b"test", COMMENT, Some(&signature)),
            Err(Refusal::Forged { key_id })
        );
        let both = keys(&[impostor.base64(), KEY]);
        assert!(both.judge(b"test", COMMENT, Some(&signature)).is_ok());
    }

    #[test]
    fn a_machine_whose_only_key_is_revoked_accepts_nothing() {
        let signature = Signature::parse_text(SIGNATURE).expect("a signature");
        let key_id = signature.key_id();
        let mut all = TrustedKeys::none();
        all.revoked.insert(key_id);
        all.add(PublicKey::parse_base64(KEY).expect("a key"), "a file".to_owned());
        assert_eq!(all.iter().count(), 0);
        let judged = all.judge(b"test", COMMENT, Some(&signature));
        assert_eq!(judged, Err(Refusal::Revoked { key_id }));
        assert_eq!(all.judge(b"test", COMMENT, None), Err(Refusal::Unsigned));
    }

    #[test]
    fn a_key_counts_once() {
        assert_eq!(keys(&[KEY, KEY]).iter().count(), 1);
        assert!(TrustedKeys::load(&["/no/such/file".to_owned()], &nowhere()).is_err());
    }
}
