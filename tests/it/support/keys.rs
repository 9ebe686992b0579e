//! Keys for tests, locked with a password that is no secret.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use minikube_offline::trust::{KeyDirectory, TrustDirectories, TrustedKeys};
use minisign::KeyPair;

use super::program::{Outcome, Sandbox};

pub(crate) const PASSWORD: &str = "a test's password";

/// The texts of the two files, by name.
static KEYS: Mutex<BTreeMap<String, [String; 2]>> = Mutex::new(BTreeMap::new());

/// A key of minisign, as two files.
pub(crate) struct Key {
    pub(crate) secret: PathBuf,
    pub(crate) public: PathBuf,
    /// The public half, as its 56 characters.
    pub(crate) base64: String,
    pub(crate) id: String,
}

impl Key {
    /// Puts `NAME.key` and `NAME.pub` into the sandbox. To lock one takes a second of a
    /// processor, so a name has the same key in every test of a run.
    pub(crate) fn make(sandbox: &Sandbox, name: &str) -> Self {
        let (secret, public) = (
            sandbox.path(&format!("{name}.key")),
            sandbox.path(&format!("{name}.pub")),
        );
        let mut keys = KEYS.lock().expect("no test panics here");
        let [locked, open] = keys.entry(name.to_owned()).or_insert_with(|| {
            let pair = KeyPair::generate_encrypted_keypair(Some(PASSWORD.to_owned())).expect("a key");
            [
                pair.sk.to_box(None).expect("text").to_string(),
                pair.pk.to_box().expect("text").to_string(),
            ]
        });
        fs::write(&secret, locked).expect("a file");
        fs::write(&public, open).expect("a file");
        Self::of(secret, public)
    }

    /// The key in two files.
    pub(crate) fn of(secret: PathBuf, public: PathBuf) -> Self {
        let text = fs::read_to_string(&public).expect("a key file");
        let base64 = text.lines().nth(1).expect("a key").to_owned();
        let key = minikube_offline::trust::PublicKey::parse_base64(&base64).expect("a key");
        let id = key.key_id().to_string();
        Self {
            secret,
            public,
            base64,
            id,
        }
    }

    /// This key alone, as it counts in one run.
    pub(crate) fn trusted(&self) -> TrustedKeys {
        let nowhere = KeyDirectory::new(PathBuf::from("/no/such/directory"), 0);
        let directories = TrustDirectories {
            system: nowhere,
            user: None,
        };
        TrustedKeys::load(std::slice::from_ref(&self.base64), &directories).expect("a key")
    }

    /// Signs `file` with the program under test.
    pub(crate) fn sign(&self, sandbox: &Sandbox, file: &Path) -> Outcome {
        let key = self.secret.to_string_lossy().into_owned();
        let file = file.to_string_lossy().into_owned();
        with_password(
            sandbox,
            PASSWORD,
            &["sign", &file, "--key", &key, "--password-fd=0"],
        )
    }
}

/// Runs the packager with a password on its standard input.
pub(crate) fn with_password(sandbox: &Sandbox, password: &str, arguments: &[&str]) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_minikube-offline"));
    command
        .args(arguments)
        .stdin(text(sandbox, &format!("{password}\n")));
    sandbox.run(&mut command)
}

/// A standard input that holds `text`.
pub(crate) fn text(sandbox: &Sandbox, text: &str) -> Stdio {
    let path = sandbox.path(".stdin");
    fs::write(&path, text).expect("a file");
    let file = File::open(&path).expect("a file");
    fs::remove_file(path).expect("ours");
    file.into()
}
