//! Keys and signatures, and that stock minisign agrees on them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use minikube_offline::bundle::{INDEX_COMMENT, Signature, Trailer};
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;

use crate::support::effort::report;
use crate::support::keys::{Key, PASSWORD, text, with_password};
use crate::support::parts::SampleParts;
use crate::support::program::{Outcome, Sandbox, bytes};

fn packed(sandbox: &Sandbox) -> std::path::PathBuf {
    sandbox.sample_bundle("x.run")
}

/// A key without a password, as stock minisign writes one.
const STOCK_UNLOCKED: &str = "untrusted comment: minisign encrypted secret key\n\
    RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAARpKcGdV0PpfKvbGAtoUchHZbpUIUC2lAg05e+9V3zmO6zQp37lvzWMNqL1ZDy70tTTs7giV7tkFFa5B3NUDSsJaI0kdwv6gHAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

/// Runs stock minisign with a password on its standard input; `None`, after saying so,
/// where it is not installed.
fn minisign(sandbox: &Sandbox, arguments: &[&str]) -> Option<Outcome> {
    if sandbox
        .run(Command::new("sh").args(["-c", "command -v minisign"]))
        .status
        != 0
    {
        report("skipped: minisign is not here");
        return None;
    }
    let mut command = Command::new("minisign");
    let input = text(sandbox, &format!("{PASSWORD}\n{PASSWORD}\n"));
    Some(sandbox.run(command.args(arguments).stdin(input)))
}

#[test]
fn signing_changes_the_signature_and_its_digest_and_nothing_else() {
    let sandbox = Sandbox::new();
    let (one, two) = (Key::make(&sandbox, "one"), Key::make(&sandbox, "two"));
    let bundle = packed(&sandbox);
    fs::set_permissions(&bundle, fs::Permissions::from_mode(0o750)).unwrap();
    let before = bytes(&bundle);
    let offset = OpenedBundle::open(&bundle, &TrustedKeys::none())
        .expect("a bundle")
        .trailer()
        .signature_offset();
    let offset = usize::try_from(offset).unwrap();
    for key in [&one, &two] {
        let outcome = key.sign(&sandbox, &bundle);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        let after = bytes(&bundle);
        let digest = after.len() - 32;
        assert_eq!(after.len(), before.len());
        assert!(after[..offset] == before[..offset], "all before the signature");
        let trailer = after.len() - Trailer::BYTES;
        assert!(
            after[trailer..digest] == before[trailer..digest],
            "the trailer's other fields"
        );
        OpenedBundle::open(&bundle, &key.trusted()).expect("signed with this key");
    }
    assert!(
        OpenedBundle::open(&bundle, &one.trusted()).is_err(),
        "signed again"
    );
    assert_eq!(
        fs::metadata(&bundle).unwrap().permissions().mode() & 0o7777,
        0o750
    );
    let names: Vec<String> = fs::read_dir(sandbox.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.iter().all(|name| !name.contains("partial")), "{names:?}");
}

#[test]
fn what_is_not_there_is_told_before_a_password_is_asked_for() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    // Neither a terminal nor a password is there.
    let arguments = [
        "sign".as_ref(),
        "nothere.run".as_ref(),
        "--key".as_ref(),
        key.secret.as_os_str(),
    ];
    let outcome = sandbox.packager(arguments);
    assert_eq!(outcome.status, 5, "{outcome:?}");
    assert!(
        outcome.stderr.starts_with("error: cannot open `nothere.run`\n"),
        "{outcome:?}"
    );
    // A directory is no bundle, and that says so.
    let directory = sandbox.packager(["list", "."]);
    assert!(
        directory
            .stderr
            .contains("hint: it is a directory: give the path of the bundle in it"),
        "{directory:?}"
    );
}

#[test]
fn what_stands_in_the_place_of_something_else_is_told() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    packed(&sandbox);
    fs::write(sandbox.path("empty"), "").unwrap();
    for file in ["one.key", "empty"] {
        let outcome = key.sign(&sandbox, &sandbox.path(file));
        assert_eq!(outcome.status, 2, "{outcome:?}");
        let says = format!("{file}` is neither a bundle nor a public key");
        assert!(outcome.stderr.contains(&says), "{outcome:?}");
    }
    for file in ["one.key", "one.pub"] {
        let outcome = sandbox.packager(["verify", file]);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        let says = format!("error: `{file}` is a key or a signature, and no bundle\n\nhint: give the bundle");
        assert!(outcome.stderr.contains(&says), "{outcome:?}");
    }
    assert_eq!(
        sandbox.packager(["verify", "empty"]).status,
        4,
        "it may have been one"
    );
    let outcome = sandbox.packager(["x.run", "verify"]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(
        outcome.stderr.contains("`minikube-offline verify x.run`"),
        "{outcome:?}"
    );
}

#[test]
fn what_cannot_be_signed_stays_as_it_was() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = packed(&sandbox);
    let secret = key.secret.to_string_lossy().into_owned();
    let public = key.public.to_string_lossy().into_owned();
    let open = sandbox.path("open.key");
    let pair = minisign::KeyPair::generate_unencrypted_keypair().expect("a key");
    fs::write(&open, pair.sk.to_box(None).expect("text").to_string()).unwrap();
    let open = open.to_string_lossy().into_owned();
    fs::write(sandbox.path("empty"), "").unwrap();
    // As `minisign -G -W` of 0.11 writes it.
    fs::write(sandbox.path("stock.key"), STOCK_UNLOCKED).unwrap();
    let mut content = bytes(&bundle);
    let cases = [
        (secret.as_str(), "wrong", "the password does not open"),
        (&secret, "", "no password: it is empty"),
        (&public, PASSWORD, "it is a public key"),
        (&open, PASSWORD, "no password protects it"),
        ("stock.key", PASSWORD, "no password protects it"),
        ("x.run", PASSWORD, "it is not a secret key of minisign"),
        ("empty", PASSWORD, "it is not a secret key of minisign"),
        ("no/such.key", PASSWORD, "cannot be read"),
    ];
    for (key, password, says) in cases {
        let arguments = ["sign", "x.run", "--key", key, "--password-fd=0"];
        let outcome = with_password(&sandbox, password, &arguments);
        assert_eq!(outcome.status, 2, "{key}: {outcome:?}");
        assert!(outcome.stderr.contains(says), "{outcome:?}");
        assert!(outcome.stderr.contains("\nhint: "), "{outcome:?}");
        assert!(bytes(&bundle) == content, "{key}");
    }
    // Nobody can type a password here.
    let mut command = Command::new("setsid");
    command.args([
        env!("CARGO_BIN_EXE_minikube-offline"),
        "sign",
        "x.run",
        "--key",
        &secret,
    ]);
    let outcome = sandbox.run(&mut command);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(outcome.stderr.contains("no terminal"), "{outcome:?}");
    // A damaged bundle is not vouched for.
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(&bundle, &content).unwrap();
    assert_eq!(key.sign(&sandbox, &bundle).status, 4);
    assert!(bytes(&bundle) == content);
    assert!(!sandbox.path("x.run.minisig").exists());
}

#[test]
fn stock_minisign_verifies_what_was_packed_with_a_key() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let plain = sandbox.pack(&parts, "plain.run");
    let secret = key.secret.to_string_lossy().into_owned();
    let stub = format!("--stub={}", sandbox.stub().display());
    let flags = parts.flags();
    let mut arguments = vec![
        "pack",
        "-o",
        "x.run",
        &stub,
        "--sign-key",
        &secret,
        "--password-fd=0",
    ];
    arguments.extend(flags.iter().map(String::as_str));
    let outcome = with_password(&sandbox, PASSWORD, &arguments);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome.stdout.contains(&format!("signed with key {}", key.id)),
        "{outcome:?}"
    );
    let bundle = sandbox.path("x.run");
    let index = |path: &Path| {
        let opened = OpenedBundle::open(path, &TrustedKeys::none()).expect("a bundle");
        opened.index().encode().expect("an index")
    };
    assert!(
        index(&plain) == index(&bundle),
        "signing does not show in the index"
    );
    OpenedBundle::open(&bundle, &key.trusted()).expect("signed");
    let Some(outcome) = minisign(&sandbox, &["-Vm", "x.run", "-p", "one.pub"]) else {
        return;
    };
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let expected = "Trusted comment: minikube-offline format 1 bundle ";
    assert!(outcome.stdout.contains(expected), "{outcome:?}");
    let mut content = bytes(&bundle);
    content[0] ^= 1;
    fs::write(&bundle, content).unwrap();
    let outcome = minisign(&sandbox, &["-Vm", "x.run", "-p", "one.pub"]).expect("it was here");
    assert_eq!(outcome.status, 1, "{outcome:?}");
}

#[test]
fn keys_go_both_ways_between_stock_minisign_and_us() {
    let sandbox = Sandbox::new();
    let bundle = packed(&sandbox);
    let keys = ["-G", "-p", "stock.pub", "-s", "stock.key"];
    let Some(outcome) = minisign(&sandbox, &keys) else {
        return;
    };
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let stock = Key::of(sandbox.path("stock.key"), sandbox.path("stock.pub"));
    let outcome = stock.sign(&sandbox, &bundle);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    OpenedBundle::open(&bundle, &stock.trusted()).expect("signed with a stock key");
    let outcome = minisign(&sandbox, &["-Vm", "x.run", "-p", "stock.pub"]).expect("here");
    assert_eq!(outcome.status, 0, "{outcome:?}");

    let outcome = with_password(&sandbox, PASSWORD, &["keygen", "-o", "ours", "--password-fd=0"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let ours = Key::of(sandbox.path("ours.key"), sandbox.path("ours.pub"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&ours.secret), mode(&ours.public) & 0o400), (0o600, 0o400));
    let again = with_password(&sandbox, PASSWORD, &["keygen", "-o", "ours", "--password-fd=0"]);
    assert_eq!(again.status, 2, "{again:?}");
    assert!(again.stderr.contains("ours.key` is there already"), "{again:?}");

    // Stock minisign signs the index with our key, and we read it.
    let opened = OpenedBundle::open(&bundle, &TrustedKeys::none()).expect("a bundle");
    let (json, trailer) = (opened.index().encode().expect("an index"), *opened.trailer());
    fs::write(sandbox.path("index"), &json).unwrap();
    let sign = ["-S", "-s", "ours.key", "-m", "index", "-t", INDEX_COMMENT];
    let outcome = minisign(&sandbox, &sign).expect("here");
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let signature = fs::read_to_string(sandbox.path("index.minisig")).unwrap();
    let run = Signature::parse_text(&signature)
        .expect("a signature")
        .encode_run()
        .expect("a run");
    let mut content = bytes(&bundle);
    let at = usize::try_from(trailer.signature_offset()).unwrap();
    content[at..at + run.len()].copy_from_slice(&run);
    let sealed_sha256 = Trailer::seal(&json, &run);
    let end = content.len() - Trailer::BYTES;
    content[end..].copy_from_slice(
        &Trailer {
            sealed_sha256,
            ..trailer
        }
        .encode(),
    );
    fs::write(&bundle, content).unwrap();
    let outcome = sandbox.packager(["verify", "x.run", "--key", &ours.base64]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert_eq!(
        sandbox
            .packager(["verify", "x.run", "--key", &stock.base64])
            .status,
        3
    );
}

#[test]
fn stock_minisign_makes_the_statement_that_a_new_key_follows_an_old_one() {
    let sandbox = Sandbox::new();
    let new = Key::make(&sandbox, "new");
    // Without a password: unlocking takes a stock key's time, and what is signed is the same.
    let keys = ["-G", "-W", "-p", "old.pub", "-s", "old.key"];
    let Some(outcome) = minisign(&sandbox, &keys) else {
        return;
    };
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert_eq!(sandbox.packager(["trust", "add", "old.pub"]).status, 0);
    // The older form of minisign's signatures is none of ours.
    let sign = |form: &str| minisign(&sandbox, &["-S", form, "-s", "old.key", "-m", "new.pub"]);
    assert_eq!(sign("-l").expect("here").status, 0);
    let outcome = sandbox.packager(["trust", "rotate", "new.pub"]);
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(
        outcome.stderr.contains("its algorithm is `Ed`, not `ED`"),
        "{outcome:?}"
    );
    // What stock minisign says by itself is no statement; the error says what makes it one.
    assert_eq!(sign("-H").expect("here").status, 0);
    let outcome = sandbox.packager(["trust", "rotate", "new.pub"]);
    assert_eq!(outcome.status, 3, "{outcome:?}");
    let command = format!(
        "minisign -S -s OLD.key -m new.pub -t 'minikube-offline key {}'`",
        new.id
    );
    assert!(outcome.stderr.contains(&command), "{outcome:?}");
    let comment = format!("minikube-offline key {}", new.id);
    let statement = ["-S", "-H", "-s", "old.key", "-m", "new.pub", "-t", &comment];
    assert_eq!(minisign(&sandbox, &statement).expect("here").status, 0);
    let outcome = sandbox.packager(["trust", "rotate", "new.pub"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let list = sandbox.packager(["trust", "list"]);
    assert!(list.stdout.contains(&new.base64), "{list:?}");
}
