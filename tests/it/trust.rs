//! Who made a bundle: where a key counts, nothing that it did not sign is used.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use minikube_offline::bundle::{BundleIndex, Digest, Signature, Trailer};
use minikube_offline::failure::{Failure, Kind};
use minikube_offline::progress::Silent;
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;
use serde_json::Value;

use crate::support::keys::Key;
use crate::support::parts::{RunnableParts, SampleParts};
use crate::support::program::{Outcome, Sandbox, bytes};

/// A bundle's bytes, and where what is sealed lies in them.
#[derive(Clone)]
struct Sealed {
    content: Vec<u8>,
    trailer: Trailer,
    index: BundleIndex,
}

impl Sealed {
    fn read(path: &Path) -> Self {
        let opened = OpenedBundle::open(path, &TrustedKeys::none()).expect("a bundle");
        Self {
            content: bytes(path),
            trailer: *opened.trailer(),
            index: opened.index().clone(),
        }
    }

    fn index_range(&self) -> std::ops::Range<usize> {
        let start = usize::try_from(self.trailer.index_offset).unwrap();
        start..start + usize::try_from(self.trailer.index_bytes).unwrap()
    }

    fn run(&mut self) -> &mut [u8; Signature::RUN_BYTES] {
        let start = self.index_range().end;
        (&mut self.content[start..start + Signature::RUN_BYTES])
            .try_into()
            .unwrap()
    }

    /// What a forger does last: the trailer's digest fits what stands there.
    fn reseal(&mut self) {
        let run = *self.run();
        self.trailer.sealed_sha256 = Trailer::seal(&self.content[self.index_range()], &run);
        let trailer = self.content.len() - Trailer::BYTES;
        self.content[trailer..].copy_from_slice(&self.trailer.encode());
    }

    /// Writes what is sealed, and the trailer, into a file that has all the rest.
    fn write_tail(&self, path: &Path) {
        let file = File::options().write(true).open(path).unwrap();
        let start = self.index_range().start;
        file.write_all_at(&self.content[start..], self.trailer.index_offset)
            .unwrap();
    }

    /// Makes every byte before the index useless.
    fn destroy_front(&mut self) {
        let front = self.index_range().start;
        self.content[..front].fill(0xa5);
    }
}

fn packed(sandbox: &Sandbox) -> PathBuf {
    sandbox.pack(&SampleParts::make(&sandbox.path("parts"), false), "x.run")
}

fn signed(sandbox: &Sandbox, key: &Key) -> PathBuf {
    let bundle = packed(sandbox);
    let outcome = key.sign(sandbox, &bundle);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    bundle
}

fn pin(sandbox: &Sandbox, key: &Key) {
    let outcome = sandbox.packager(["trust", "add", &key.base64]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
}

fn pinned_folder(sandbox: &Sandbox) -> PathBuf {
    sandbox.path("home/.config/minikube-offline/trust.d")
}

fn json(outcome: &Outcome) -> Value {
    let last = outcome.stdout.lines().last().expect("a last object");
    serde_json::from_str(last).expect("JSON")
}

/// What a check of the file says with `trusted`; `None` when it finds nothing wrong.
fn kind_of(path: &Path, trusted: &TrustedKeys) -> Option<Kind> {
    let checked = OpenedBundle::open(path, trusted).and_then(|bundle| bundle.verify(&Silent).map(|_| ()));
    checked.err().map(|error| Failure::from(error).kind)
}

/// The verbs that use a bundle.
const USES: [&[&str]; 3] = [
    &["verify", "x.run"],
    &["extract", "x.run", "--to", "out"],
    &["start", "x.run", "-y"],
];

#[test]
fn without_a_key_a_bundle_is_integrity_only_and_says_so() {
    let sandbox = Sandbox::new();
    packed(&sandbox);
    let outcome = sandbox.packager(["verify", "x.run"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains("\nintegrity only: it is not signed"),
        "{outcome:?}"
    );
    let outcome = sandbox.packager(["extract", "x.run", "--to", "out"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.stderr.contains("warning: integrity only"), "{outcome:?}");
    let value = json(&sandbox.packager(["verify", "x.run", "--output", "json"]));
    assert_eq!(value["authenticity"], "integrity-only");
    assert_eq!(value["key_id"], Value::Null);
}

#[test]
fn an_unsigned_bundle_is_refused_where_a_key_is_pinned() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    packed(&sandbox);
    pin(&sandbox, &key);
    for arguments in USES {
        let outcome = sandbox.packager(arguments);
        assert_eq!(outcome.status, 3, "{arguments:?}: {outcome:?}");
        assert!(
            outcome.stderr.contains("  caused by: it is not signed"),
            "{outcome:?}"
        );
        assert!(outcome.stderr.contains(&key.id), "{outcome:?}");
    }
    assert!(!sandbox.path("out").exists());
    let outcome = sandbox.packager(["inspect", "x.run"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains("NOT AUTHENTIC: it is not signed"),
        "{outcome:?}"
    );
    let value = json(&sandbox.packager(["inspect", "x.run", "--output", "json"]));
    assert_eq!(value["authenticity"], "not-authentic");
    let outcome = sandbox.packager(["list", "x.run"]);
    assert!(outcome.stderr.contains("NOT AUTHENTIC"), "{outcome:?}");
}

#[test]
fn only_the_right_key_opens_a_signed_bundle() {
    let sandbox = Sandbox::new();
    let (right, wrong) = (Key::make(&sandbox, "right"), Key::make(&sandbox, "wrong"));
    signed(&sandbox, &right);
    for arguments in USES {
        let outcome = sandbox.packager(arguments.iter().copied().chain(["--key", &wrong.base64]));
        assert_eq!(outcome.status, 3, "{arguments:?}: {outcome:?}");
        let expected = format!("it names the key {}, which is not trusted here", right.id);
        assert!(outcome.stderr.contains(&expected), "{outcome:?}");
    }
    // The key as text, as a file, among others, and instead of a pinned one.
    pin(&sandbox, &wrong);
    let file = right.public.to_string_lossy().into_owned();
    for keys in [
        &["--key", &right.base64][..],
        &["--key", &file],
        &["--key", &wrong.base64, "--key", &file],
    ] {
        let outcome = sandbox.packager(["verify", "x.run"].iter().chain(keys));
        assert_eq!(outcome.status, 0, "{outcome:?}");
        let expected = format!("\nsigned with key {} (`--key`)", right.id);
        assert!(outcome.stdout.contains(&expected), "{outcome:?}");
    }
    assert_eq!(
        sandbox.packager(["verify", "x.run"]).status,
        3,
        "the pinned key is another"
    );
    pin(&sandbox, &right);
    let value = json(&sandbox.packager(["verify", "x.run", "--output", "json"]));
    assert_eq!(value["authenticity"], "signed");
    assert_eq!(value["key_id"], right.id.as_str());
    assert_eq!(value["trusted_comment"], "minikube-offline format 1 index");
    // A key that is given counts alone: the question is whether *it* signed.
    let outcome = sandbox.packager(["verify", "x.run", "--key", &wrong.base64]);
    assert_eq!(outcome.status, 3, "{outcome:?}");
}

#[test]
fn nothing_before_the_index_is_read_for_a_bundle_that_is_refused() {
    let sandbox = Sandbox::new();
    let (right, wrong) = (Key::make(&sandbox, "right"), Key::make(&sandbox, "wrong"));
    let bundle = signed(&sandbox, &right);
    let mut sealed = Sealed::read(&bundle);
    sealed.destroy_front();
    fs::write(&bundle, &sealed.content).unwrap();
    for arguments in USES {
        let with = |key: &Key| {
            sandbox
                .packager(arguments.iter().copied().chain(["--key", &key.base64]))
                .status
        };
        assert_eq!((with(&wrong), with(&right)), (3, 4), "{arguments:?}");
    }
    // Where the index is not even JSON, the refusal still comes first.
    let range = sealed.index_range();
    sealed.content[range].fill(b'{');
    sealed.reseal();
    fs::write(&bundle, &sealed.content).unwrap();
    assert_eq!(kind_of(&bundle, &wrong.trusted()), Some(Kind::NotAuthentic));
    assert_eq!(kind_of(&bundle, &right.trusted()), Some(Kind::NotAuthentic));
    assert_eq!(kind_of(&bundle, &TrustedKeys::none()), Some(Kind::Damaged));
}

#[test]
fn every_bit_of_the_signature_counts() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = signed(&sandbox, &key);
    let trusted = key.trusted();
    let mut whole = Sealed::read(&bundle);
    whole.destroy_front();
    let damaged = sandbox.path("damaged.run");
    fs::write(&damaged, &whole.content).unwrap();
    let (mut not_authentic, mut refused) = (0, 0);
    for bit in 0..Signature::RUN_BYTES * 8 {
        let mut sealed = whole.clone();
        sealed.run()[bit / 8] ^= 1 << (bit % 8);
        sealed.write_tail(&damaged);
        for keys in [&trusted, &TrustedKeys::none()] {
            assert_eq!(kind_of(&damaged, keys), Some(Kind::Damaged), "bit {bit}");
        }
        sealed.reseal();
        sealed.write_tail(&damaged);
        match kind_of(&damaged, &trusted) {
            Some(Kind::NotAuthentic) => not_authentic += 1,
            // No algorithm but one is known.
            Some(Kind::Damaged) => refused += 1,
            other => panic!("bit {bit}: {other:?}"),
        }
    }
    assert_eq!((not_authentic, refused), (1104 - 16, 16));
    println!(
        "{} bits, each found with and without its digest",
        not_authentic + refused
    );
}

#[test]
fn every_bit_of_the_index_counts() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = signed(&sandbox, &key);
    let trusted = key.trusted();
    let mut sealed = Sealed::read(&bundle);
    sealed.destroy_front();
    let damaged = sandbox.path("damaged.run");
    fs::write(&damaged, &sealed.content).unwrap();
    // One bit of each byte, another one each time; the trailer's digest is made to fit.
    for at in sealed.index_range() {
        let bit = 1 << (at % 8);
        sealed.content[at] ^= bit;
        sealed.reseal();
        sealed.write_tail(&damaged);
        assert_eq!(kind_of(&damaged, &trusted), Some(Kind::NotAuthentic), "byte {at}");
        sealed.content[at] ^= bit;
    }
    println!("{} bytes of an index, each found", sealed.trailer.index_bytes);
}

#[test]
fn a_forged_bundle_is_whole_and_only_a_key_finds_it() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = signed(&sandbox, &key);
    let mut sealed = Sealed::read(&bundle);
    // Another program in the stub's place; every digest is made to fit it.
    let stub = usize::try_from(sealed.index.header.size).unwrap();
    sealed.content[stub + 5000] ^= 1;
    let size = usize::try_from(sealed.index.stubs[0].size).unwrap();
    let (before, after) = (
        sealed.index.stubs[0].sha256,
        Digest::of(&sealed.content[stub..stub + size]),
    );
    let header = String::from_utf8(sealed.content[..stub].to_vec()).unwrap();
    let header = header.replace(&before.hex(), &after.hex());
    sealed.content[..stub].copy_from_slice(header.as_bytes());
    sealed.index.stubs[0].sha256 = after;
    sealed.index.header.sha256 = Digest::of(header.as_bytes());
    let range = sealed.index_range();
    sealed.content[range].copy_from_slice(&sealed.index.encode().unwrap());
    sealed.reseal();
    fs::write(&bundle, &sealed.content).unwrap();
    let alone = sandbox.packager(["verify", "x.run", "--deep"]);
    assert_eq!(alone.status, 0, "{alone:?}");
    let expected = format!("integrity only: it names the key {}, unchecked", key.id);
    assert!(alone.stdout.contains(&expected), "{alone:?}");
    let outcome = sandbox.packager(["verify", "x.run", "--key", &key.base64]);
    assert_eq!(outcome.status, 3, "{outcome:?}");
    let expected = format!("its signature was not made by the key {}", key.id);
    assert!(outcome.stderr.contains(&expected), "{outcome:?}");
    // The signature taken away instead: as a bundle that nobody signed.
    *sealed.run() = Signature::UNSIGNED;
    sealed.reseal();
    fs::write(&bundle, &sealed.content).unwrap();
    assert_eq!(kind_of(&bundle, &key.trusted()), Some(Kind::NotAuthentic));
}

#[test]
fn an_edited_stub_is_found_by_the_installed_program() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = signed(&sandbox, &key);
    let mut content = bytes(&bundle);
    let stub = usize::try_from(Sealed::read(&bundle).index.header.size).unwrap();
    content[stub + 5000] ^= 1;
    fs::write(&bundle, content).unwrap();
    let outcome = sandbox.packager(["verify", "x.run", "--key", &key.base64]);
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(outcome.stderr.contains("the stub for linux/arm64"), "{outcome:?}");
}

#[test]
fn a_signature_of_another_bundle_or_of_the_old_kind_is_refused() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = signed(&sandbox, &key);
    let mut first = Sealed::read(&bundle);
    let mut arguments = vec!["pack".to_owned(), "-oy.run".to_owned(), "--serial=2".to_owned()];
    arguments.push(format!("--stub={}", sandbox.stub().display()));
    arguments.extend(SampleParts::make(&sandbox.path("parts"), false).flags());
    assert_eq!(sandbox.packager(&arguments).status, 0);
    let other = sandbox.path("y.run");
    let mut second = Sealed::read(&other);
    *second.run() = *first.run();
    second.reseal();
    fs::write(&other, &second.content).unwrap();
    assert_eq!(kind_of(&other, &key.trusted()), Some(Kind::NotAuthentic));
    first.run()[1] = b'd';
    first.reseal();
    fs::write(&bundle, &first.content).unwrap();
    let outcome = sandbox.packager(["verify", "x.run", "--key", &key.base64]);
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(
        outcome.stderr.contains("its algorithm is `Ed`, not `ED`"),
        "{outcome:?}"
    );
}

#[test]
fn a_pinned_file_that_is_no_key_ends_every_verb() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    signed(&sandbox, &key);
    pin(&sandbox, &key);
    let garbage = pinned_folder(&sandbox).join("garbage.pub");
    fs::write(&garbage, "garbage\n").unwrap();
    let verbs = USES.iter().copied();
    for arguments in verbs.chain([
        &["inspect", "x.run"][..],
        &["verify", "x.run", "--key", &key.base64],
    ]) {
        let outcome = sandbox.packager(arguments);
        assert_eq!(outcome.status, 2, "{arguments:?}: {outcome:?}");
        assert!(
            outcome.stderr.contains("trust.d/garbage.pub` cannot be used"),
            "{outcome:?}"
        );
    }
    fs::remove_file(&garbage).unwrap();
    fs::set_permissions(pinned_folder(&sandbox), fs::Permissions::from_mode(0o777)).unwrap();
    let outcome = sandbox.packager(["verify", "x.run"]);
    assert_eq!(outcome.status, 3, "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("mode 777) could have been written by others"),
        "{outcome:?}"
    );
    fs::set_permissions(pinned_folder(&sandbox), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(sandbox.packager(["verify", "x.run"]).status, 0);
    for key in ["garbage", "no/such.pub", "x.run", &key.secret.to_string_lossy()] {
        assert_eq!(
            sandbox.packager(["verify", "x.run", "--key", key]).status,
            2,
            "{key}"
        );
    }
}

#[test]
fn keys_are_pinned_listed_and_let_go() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let empty = sandbox.packager(["trust", "list"]);
    assert!(empty.stdout.contains("no key is pinned"), "{empty:?}");
    pin(&sandbox, &key);
    let file = pinned_folder(&sandbox).join(format!("{}.pub", key.id));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o644);
    let again = sandbox.packager(["trust".as_ref(), "add".as_ref(), key.public.as_os_str()]);
    assert_eq!(again.status, 0, "{again:?}");
    assert!(again.stdout.contains("was pinned before"), "{again:?}");
    let list = sandbox.packager(["trust", "list"]);
    assert_eq!(
        list.stdout,
        format!("{}\t{}\t{}\n", key.id, key.base64, file.display())
    );
    let value = json(&sandbox.packager(["trust", "list", "--output", "json"]));
    assert_eq!(value["keys"][0]["public_key"], key.base64.as_str());
    for (id, status) in [
        ("0123456789ABCDEF", 2),
        ("nonsense", 2),
        (key.id.as_str(), 0),
        (&key.id, 2),
    ] {
        assert_eq!(sandbox.packager(["trust", "remove", id]).status, status, "{id}");
    }
    assert!(!file.exists());
    let secret = sandbox.packager(["trust".as_ref(), "add".as_ref(), key.secret.as_os_str()]);
    assert_eq!(secret.status, 2, "{secret:?}");
    assert!(secret.stderr.contains("it is a secret key"), "{secret:?}");
}

#[test]
fn a_new_key_is_trusted_when_a_pinned_one_signed_it() {
    let sandbox = Sandbox::new();
    let (old, new) = (Key::make(&sandbox, "old"), Key::make(&sandbox, "new"));
    let stranger = Key::make(&sandbox, "stranger");
    let rotate = || sandbox.packager(["trust".as_ref(), "rotate".as_ref(), new.public.as_os_str()]);
    signed(&sandbox, &new);
    assert_eq!(rotate().status, 2, "there is no signature");
    assert_eq!(old.sign(&sandbox, &new.public).status, 0);
    assert_eq!(rotate().status, 3, "nothing is pinned");
    pin(&sandbox, &old);
    assert_eq!(sandbox.packager(["verify", "x.run"]).status, 3);
    // Another key under a good signature, and a good key under another's.
    let statement = bytes(&new.public);
    fs::write(&new.public, bytes(&stranger.public)).unwrap();
    assert_eq!(rotate().status, 3);
    fs::write(&new.public, &statement).unwrap();
    let good = sandbox.path("new.pub.minisig");
    let signature = bytes(&good);
    assert_eq!(stranger.sign(&sandbox, &new.public).status, 0);
    let outcome = rotate();
    assert_eq!(outcome.status, 3, "{outcome:?}");
    assert!(outcome.stderr.contains(&stranger.id), "{outcome:?}");
    fs::write(&good, signature).unwrap();
    let outcome = rotate();
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains(&format!("trust remove {}", old.id)),
        "{outcome:?}"
    );
    assert_eq!(sandbox.packager(["verify", "x.run"]).status, 0);
    assert_eq!(sandbox.packager(["trust", "remove", &old.id]).status, 0);
    assert_eq!(sandbox.packager(["verify", "x.run"]).status, 0);
}

#[test]
fn the_bundle_itself_honours_pinned_keys() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = sandbox.pack_runnable(&RunnableParts::make(&sandbox.path("parts")), "x.run");
    let run = |arguments: &[&str]| sandbox.run(Command::new(&bundle).args(arguments));
    let outcome = run(&["verify"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.stdout.contains("integrity only"), "{outcome:?}");
    pin(&sandbox, &key);
    for arguments in [&["verify"][..], &["-y"], &["start", "-y"]] {
        let outcome = run(arguments);
        assert_eq!(outcome.status, 3, "{arguments:?}: {outcome:?}");
    }
    assert_eq!(key.sign(&sandbox, &bundle).status, 0);
    let outcome = run(&["verify"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains(&format!("signed with key {}", key.id)),
        "{outcome:?}"
    );
    let outcome = run(&["trust", "list"]);
    assert_eq!(
        outcome.status, 2,
        "a bundle does not change what is trusted: {outcome:?}"
    );
}
