//! G9: hostile bundles, each signed with a valid key, so that limits and rules refuse
//! them and not cryptography. Each has the exit code and the words that it ends with.

mod applications;
mod attestations;
mod files;
mod index;
mod members;
mod parts;
mod payload;
mod tail;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use minikube_offline::failure::{Failure, steers};
use minikube_offline::progress::Silent;
use minikube_offline::verify::OpenedBundle;

use crate::draft::{Contents, Draft, Key, Tail};
use crate::effort::{directory, report};
use crate::words::words_of;

/// Not authentic, damaged: the exit codes of the README.
const NOT_AUTHENTIC: i32 = 3;
const DAMAGED: i32 = 4;

/// Spoils what follows the payload.
type SpoilTail = dyn Fn(&mut Tail, &Key) + Sync;

/// How a bundle is spoilt; all that follows from it is made to fit.
enum Spoil {
    /// The draft itself, which then is finished as it is.
    Draft(Box<dyn Fn(&mut Draft) + Sync>),
    /// The text of the index.
    Text(Box<dyn Fn(String) -> Vec<u8> + Sync>),
    /// What follows the payload, after it was signed and sealed.
    Tail(Box<SpoilTail>),
}

/// One hostile bundle.
pub(crate) struct Case {
    pub(crate) name: String,
    spoil: Spoil,
    status: i32,
    /// A part of the message, or of one of its causes.
    says: String,
}

impl Case {
    fn draft(name: impl Into<String>, says: &str, spoil: impl Fn(&mut Draft) + Sync + 'static) -> Self {
        Self::new(name, DAMAGED, says, Spoil::Draft(Box::new(spoil)))
    }

    fn text(name: impl Into<String>, says: &str, spoil: impl Fn(String) -> Vec<u8> + Sync + 'static) -> Self {
        Self::new(name, DAMAGED, says, Spoil::Text(Box::new(spoil)))
    }

    fn tail(
        name: impl Into<String>,
        status: i32,
        says: &str,
        spoil: impl Fn(&mut Tail, &Key) + Sync + 'static,
    ) -> Self {
        Self::new(name, status, says, Spoil::Tail(Box::new(spoil)))
    }

    fn new(name: impl Into<String>, status: i32, says: &str, spoil: Spoil) -> Self {
        Self {
            name: name.into(),
            spoil,
            status,
            says: says.to_owned(),
        }
    }

    /// One piece of the index's text is another, once.
    fn replace(name: impl Into<String>, says: &str, from: impl Into<String>, to: impl Into<String>) -> Self {
        let (name, from, to) = (name.into(), from.into(), to.into());
        Self::text(name, says, move |json| {
            assert!(json.contains(&from), "`{from}` is not in the index");
            json.replacen(&from, &to, 1).into_bytes()
        })
    }

    /// The same of a bundle with the signatures of publishers.
    fn on_signed(mut self) -> Self {
        if let Spoil::Text(spoil) = self.spoil {
            let signed = move |_| spoil(Draft::of(&Contents::signed()).json());
            self.spoil = Spoil::Text(Box::new(signed));
        }
        self
    }

    /// The exit code that a reader ends with.
    pub(crate) fn status(&self) -> i32 {
        self.status
    }

    /// The whole file.
    pub(crate) fn bytes(&self, sound: &Draft, key: &Key) -> Vec<u8> {
        let mut draft = sound.clone();
        match &self.spoil {
            Spoil::Draft(spoil) => {
                spoil(&mut draft);
                draft.finish(key)
            }
            Spoil::Text(spoil) => draft.finish_with(spoil(draft.json()), key, |_, _| {}),
            Spoil::Tail(spoil) => draft.finish_with(draft.json().into_bytes(), key, spoil),
        }
    }
}

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [
        attestations::cases(),
        files::cases(),
        applications::cases(),
        index::cases(),
        members::cases(),
        parts::cases(),
        payload::cases(),
        tail::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Bytes of memory that a reader may take, in KiB, and seconds on a processor; a build
/// without optimization takes longer.
const MEMORY_KIB: u32 = 256 << 10;
const SECONDS: u32 = if cfg!(debug_assertions) { 20 } else { 1 };

/// Runs the site's program within these limits; what it said last, and its exit code.
fn run(bundle: &Path, home: &Path, arguments: &[&str]) -> (i32, String) {
    let limited = format!("ulimit -d {MEMORY_KIB}; ulimit -t {SECONDS}; exec \"$@\"");
    let mut command = Command::new("sh");
    command.args([
        "-c",
        &limited,
        "sh",
        env!("CARGO_BIN_EXE_minikube-offline-stub"),
        "--bundle",
    ]);
    let output = command
        .arg(bundle)
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .output()
        .expect("a shell");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

/// What is wrong with how a case ended.
fn judge(case: &Case, sound: &Draft, key: &Key) -> Option<String> {
    let directory = directory();
    let (bundle, out) = (directory.path().join("x.run"), directory.path().join("out"));
    fs::write(&bundle, case.bytes(sound, key)).expect("a file");
    let public = key.base64();
    let (status, text) = run(
        &bundle,
        directory.path(),
        &["verify", "--deep", "--key", &public, "--output=json"],
    );
    if status != case.status || !text.contains(&case.says) {
        return Some(format!("{}: exit code {status}\n{text}", case.name));
    }
    // The same by the verb that writes: nothing but whole files below the directory.
    let (status, text) = run(
        &bundle,
        directory.path(),
        &["extract", "--key", &public, "--to", &out.to_string_lossy()],
    );
    let deep_only = [
        "does not follow",
        "does not describe",
        "not an image config",
        "larger than such",
        "only linux/amd64",
    ]
    .iter()
    .any(|says| case.says.contains(says));
    if status != if deep_only { 0 } else { case.status } {
        return Some(format!("{}: extracting ended with {status}\n{text}", case.name));
    }
    let strange = walkdir::WalkDir::new(directory.path())
        .into_iter()
        .map(|entry| entry.expect("an entry"))
        .find(|entry| {
            let inside =
                entry.path().starts_with(&out) || [&bundle, directory.path()].contains(&entry.path());
            !inside || entry.path().to_string_lossy().contains("partial")
        });
    strange.map(|entry| format!("{}: it left `{}`", case.name, entry.path().display()))
}

/// The same by the library, without a process: quick enough for `tests/mutants/run.sh`.
#[test]
fn the_library_refuses_each_hostile_bundle_with_its_kind_and_words() {
    let (sound, key, directory) = (Draft::sound(), Key::new(), directory());
    let (path, keys) = (directory.path().join("x.run"), key.trusted());
    for case in cases() {
        fs::write(&path, case.bytes(&sound, &key)).expect("a file");
        let error = OpenedBundle::open(&path, &keys)
            .and_then(|opened| opened.verify(&Silent))
            .and_then(|verified| verified.verify_parts(&Silent))
            .expect_err(&case.name);
        let failure = Failure::from(error);
        assert_eq!(i32::from(failure.kind.exit_code()), case.status, "{}", case.name);
        let words = words_of(failure.error.as_ref());
        assert!(words.contains(&case.says), "{}: {words}", case.name);
        // What a bundle says makes no line of its own, also where it is only quoted.
        assert!(!words.contains(steers), "{}: {words}", case.name);
    }
}

#[test]
fn each_hostile_bundle_is_refused_with_its_exit_code() {
    let (sound, key) = (Draft::sound(), Key::new());
    let cases = cases();
    let names: std::collections::BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    assert!(cases.len() >= 150);
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    wrong.lock().unwrap().extend(judge(case, &sound, &key));
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    report(&format!(
        "{} hostile bundles with a valid signature, each with {} MiB and {SECONDS} s: each refused as expected",
        cases.len(),
        MEMORY_KIB >> 10,
    ));
}

#[test]
fn the_bundles_that_they_are_made_from_are_accepted() {
    let key = Key::new();
    for sound in [Draft::sound(), Draft::of(&Contents::signed())] {
        let directory = directory();
        let bundle = directory.path().join("x.run");
        fs::write(&bundle, sound.finish(&key)).unwrap();
        let (status, text) = run(
            &bundle,
            directory.path(),
            &["verify", "--deep", "--key", &key.base64()],
        );
        assert_eq!(status, 0, "{text}");
    }
}
