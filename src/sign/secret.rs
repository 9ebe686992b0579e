//! The secret key file of minisign: how a password locks it.
//!
//! Source: minisign's manual, "Secret key format". The crate `minisign` unlocks keys of
//! any cost; the ones that it would lock itself are cheaper to guess than stock
//! minisign's, by a factor of 32, so that locking is done here.

use crate::bundle::{decode_base64, encode_base64};

/// `SecretKey::to_bytes`: algorithms (6), salt (32), limits (16), then what is locked.
const BYTES: usize = 158;
const LOCKED: usize = 6 + 32 + 16;

/// How much work one guess of the password is.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    operations: u64,
    memory_bytes: u64,
    log_n: u8,
}

impl Cost {
    /// Stock minisign's (libsodium's `SENSITIVE`): a guess takes 1 GiB and seconds.
    pub(super) const MINISIGN: Self = Self {
        operations: 33_554_432,
        memory_bytes: 1 << 30,
        log_n: 20,
    };
}

/// Whether a password locks the key in the file with this text; `None` where there is none.
pub(super) fn is_locked(text: &str) -> Option<bool> {
    let bytes: [u8; BYTES] = decode_base64(text.lines().nth(1)?.trim_end())?;
    (bytes[..2] == *b"Ed").then_some(bytes[2..4] != [0, 0])
}

/// The text of the secret key file for an unlocked key, locked with `password`; `None`
/// when `unlocked` is not an unlocked key.
pub(super) fn lock(unlocked: &[u8], password: &str, salt: [u8; 32], cost: Cost) -> Option<String> {
    let mut bytes: [u8; BYTES] = unlocked.try_into().ok()?;
    if bytes[2..4] != [0, 0] {
        return None;
    }
    bytes[2..4].copy_from_slice(b"Sc");
    bytes[6..38].copy_from_slice(&salt);
    bytes[38..46].copy_from_slice(&cost.operations.to_le_bytes());
    bytes[46..54].copy_from_slice(&cost.memory_bytes.to_le_bytes());
    let parameters = scrypt::Params::new(cost.log_n, 8, 1, scrypt::Params::RECOMMENDED_LEN).ok()?;
    let mut stream = [0; BYTES - LOCKED];
    scrypt::scrypt(password.as_bytes(), &salt, &parameters, &mut stream).ok()?;
    for (byte, key) in bytes[LOCKED..].iter_mut().zip(stream) {
        *byte ^= key;
    }
    Some(format!(
        "untrusted comment: minisign encrypted secret key\n{}\n",
        encode_base64(&bytes)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use minisign::{KeyPair, SecretKeyBox};

    /// libsodium's smallest: tests need no secrets.
    const CHEAP: Cost = Cost {
        operations: 32_768,
        memory_bytes: 1 << 20,
        log_n: 10,
    };

    #[test]
    fn the_password_and_no_other_unlocks_the_key() {
        let pair = KeyPair::generate_unencrypted_keypair().expect("a key");
        let text = lock(&pair.sk.to_bytes(), "pass", [5; 32], CHEAP).expect("locked");
        let unlock =
            |password: &str| SecretKeyBox::from(text.clone()).into_secret_key(Some(password.to_owned()));
        assert!(unlock("pass").expect("unlocked") == pair.sk);
        assert!(unlock("Pass").is_err() && unlock("").is_err());
        assert!(lock(b"short", "pass", [5; 32], CHEAP).is_none());
    }
}
