//! A bundle whose name is taken over by another file in the moment that it gets it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use minikube_offline::bundle::Signature;
use minikube_offline::trust::PublicKey;
use rustix::fs::inotify;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::support::keys::{Key, PASSWORD, with_password};
use crate::support::parts::SampleParts;
use crate::support::program::{Outcome, Sandbox, bytes};

/// How often it is tried: the one who exchanges the files does not win each time.
const ROUNDS: usize = 5;

/// Exchanges `path` and `other` as soon as something gets the name `path`.
pub(crate) fn swap(path: &Path, other: &Path) -> JoinHandle<()> {
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC).expect("inotify");
    let directory = path.parent().expect("a directory");
    inotify::add_watch(&watch, directory, inotify::WatchFlags::MOVED_TO).expect("watched");
    let (path, other) = (path.to_owned(), other.to_owned());
    thread::spawn(move || {
        let name = path.file_name().expect("a name").to_owned();
        let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(watch, &mut buffer);
        loop {
            let event = events.next().expect("an event");
            let moved = event.file_name().map(|name| name.to_bytes().to_vec());
            if moved.is_some_and(|moved| moved == name.as_encoded_bytes()) {
                renameat_with(CWD, &path, CWD, &other, RenameFlags::EXCHANGE).expect("exchanged");
                return;
            }
        }
    })
}

/// Lets `make` write and sign the bundle `path` of `name`, exchanges it for `evil`, and
/// demands that what was signed is what was made.
fn signs_what_it_made(sandbox: &Sandbox, key: &Key, path: &Path, make: impl Fn() -> Outcome) {
    let public = PublicKey::parse_base64(&key.base64).expect("a key");
    let evil: PathBuf = sandbox.path("evil");
    for round in 0..ROUNDS {
        fs::write(&evil, "#!/bin/sh\necho evil\n").unwrap();
        let swapper = swap(path, &evil);
        let outcome = make();
        assert_eq!(outcome.status, 0, "{outcome:?}");
        swapper.join().expect("exchanged");
        let text = fs::read_to_string(path.with_extension("run.minisig")).expect("a signature");
        let signature = Signature::parse_text(&text).expect("a signature");
        let comment = signature.trusted_comment();
        // The files changed places.
        let (there, genuine) = (bytes(path), bytes(&evil));
        assert!(there.starts_with(b"#!/bin/sh\necho evil"), "round {round}");
        assert!(!public.has_signed(&there, comment, &signature), "round {round}");
        assert!(public.has_signed(&genuine, comment, &signature), "round {round}");
        fs::rename(&evil, path).unwrap();
    }
}

#[test]
fn sign_signs_what_it_verified_when_the_name_is_exchanged() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = sandbox.pack(&SampleParts::make(&sandbox.path("parts"), false), "x.run");
    signs_what_it_made(&sandbox, &key, &bundle, || key.sign(&sandbox, &bundle));
}

#[test]
fn pack_signs_what_it_wrote_when_the_name_is_exchanged() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let parts = SampleParts::make(&sandbox.path("parts"), false).flags();
    let stub = format!("--stub={}", sandbox.stub().display());
    let secret = format!("--sign-key={}", key.secret.display());
    let fixed = [
        "pack",
        "-o",
        "x.run",
        "--level=fast",
        "--password-fd=0",
        &stub,
        &secret,
    ];
    let arguments: Vec<&str> = fixed
        .into_iter()
        .chain(parts.iter().map(String::as_str))
        .collect();
    let pack = || with_password(&sandbox, PASSWORD, &arguments);
    signs_what_it_made(&sandbox, &key, &sandbox.path("x.run"), pack);
}

#[test]
fn sign_vouches_for_no_key_that_lies_where_a_bundle_should() {
    let sandbox = Sandbox::new();
    let (key, other) = (Key::make(&sandbox, "one"), Key::make(&sandbox, "attacker"));
    fs::copy(&other.public, sandbox.path("x.run")).unwrap();
    let outcome = key.sign(&sandbox, &sandbox.path("x.run"));
    let expected = format!(
        "error: `{}` is no bundle: it is the public key {}\n\nhint: give the bundle; to make this key follow the one that signs give it under a name that ends in `.pub`\n",
        sandbox.path("x.run").display(),
        other.id
    );
    assert_eq!((outcome.status, outcome.stderr), (2, expected));
    assert!(!sandbox.path("x.run.minisig").exists());
}
