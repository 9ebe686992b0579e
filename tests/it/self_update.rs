//! `self-update` against a server with the layout of a release page, and mirrors.

mod faults;
mod mirror;

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use minikube_offline::bundle::{Digest, Platform};
use minikube_offline::update::{asset_name, own_version, trusted_comment};
use minisign::KeyPair;
use serde_json::{Value, json};

use crate::support::program::{Outcome, Sandbox, bytes};
use crate::support::server::{Reply, Seen, Server};
use crate::support::stripped::stripped;

/// A program that says that it is this version.
fn program(version: &str) -> Vec<u8> {
    let bare = version.trim_start_matches('v');
    format!("#!/bin/sh\necho minikube-offline {bare}\n").into_bytes()
}

fn name() -> String {
    asset_name(Platform::of_this_machine().expect("a platform"))
}

/// A key that releases are signed with.
struct ReleaseKey(KeyPair);

impl ReleaseKey {
    fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().expect("a key"))
    }

    fn public(&self) -> String {
        self.0.pk.to_base64()
    }

    fn sign(&self, message: &[u8], comment: &str) -> Vec<u8> {
        let signed = minisign::sign(None, &self.0.sk, Cursor::new(message), Some(comment), None);
        signed.expect("a signature").to_string().into_bytes()
    }
}

/// The files of a release, as they are published.
#[derive(Clone)]
struct Published {
    version: String,
    files: Vec<(String, Vec<u8>)>,
    /// The digest of the program in the list of releases.
    listed: Option<String>,
}

impl Published {
    fn new(version: &str, key: &ReleaseKey) -> Self {
        Self::of(version, program(version), key)
    }

    fn of(version: &str, program: Vec<u8>, key: &ReleaseKey) -> Self {
        let platform = Platform::of_this_machine().expect("a platform");
        let comment = trusted_comment(&version.parse().expect("a version"), platform);
        let signature = key.sign(&program, &comment);
        let digest = Digest::of(&program);
        let name = name();
        let checksum = format!("{}  {name}\n", digest.hex()).into_bytes();
        Self {
            version: version.to_owned(),
            files: vec![
                (format!("{name}.sha256"), checksum),
                (format!("{name}.minisig"), signature),
                (name, program),
            ],
            listed: Some(digest.to_string()),
        }
    }

    /// With other content for the file whose name ends so, or without the file.
    fn with(mut self, suffix: &str, content: Option<&[u8]>) -> Self {
        let name = format!("{}{suffix}", name());
        self.files.retain(|(known, _)| *known != name);
        self.files.extend(content.map(|content| (name, content.to_vec())));
        self
    }

    fn file(&self, suffix: &str) -> &[u8] {
        let name = format!("{}{suffix}", name());
        let found = self.files.iter().find(|(known, _)| *known == name);
        &found.expect("a file").1
    }

    /// What GitHub's API says of it at `api`.
    fn described(&self, api: &str) -> Value {
        let assets = self.files.iter().enumerate().map(|(number, (name, _))| {
            let digest = self.listed.as_ref().filter(|_| *name == self::name());
            json!({
                "name": name,
                "url": format!("{api}/repos/o/n/releases/assets/{number}"),
                "browser_download_url": format!("{api}/o/n/releases/download/{}/{name}", self.version),
                "digest": digest,
            })
        });
        json!({
            "tag_name": self.version,
            "name": self.version,
            "created_at": "2026-01-01T00:00:00Z",
            "body": "notes",
            "html_url": "https://page.example",
            "assets": assets.collect::<Vec<_>>(),
        })
    }
}

/// A release page: its API, and the host that the files are on.
struct Page {
    api: Server,
    files: Server,
    latest: Arc<Mutex<Published>>,
}

impl Page {
    fn new(latest: Published) -> Self {
        Self::with(latest, |_, reply| reply)
    }

    /// A page whose files pass through `change`.
    fn with(latest: Published, change: impl Fn(&Seen, Reply) -> Reply + Send + Sync + 'static) -> Self {
        let latest = Arc::new(Mutex::new(latest));
        let shared = Arc::clone(&latest);
        let files = Server::start(move |seen: &Seen| {
            let number = seen
                .target
                .rsplit('/')
                .next()
                .and_then(|text| text.parse::<usize>().ok());
            let latest = shared.lock().expect("no panic");
            let file = number.and_then(|number| latest.files.get(number));
            let reply = file.map_or(Reply::status(404), |(_, bytes)| Reply::file(seen, bytes, "\"1\""));
            change(seen, reply)
        });
        let (shared, host) = (Arc::clone(&latest), files.url(""));
        let api = Server::start(move |seen: &Seen| answer(seen, &shared.lock().expect("no panic"), &host));
        Self { api, files, latest }
    }

    fn origin(&self) -> String {
        self.api.url("/repos/o/n")
    }
}

/// What the API answers; a file is somewhere else.
fn answer(seen: &Seen, latest: &Published, files: &str) -> Reply {
    let host = seen.header("host").unwrap_or_default();
    // Through a proxy the target is the whole URL.
    let path = seen
        .target
        .trim_start_matches(&format!("http://{host}"))
        .to_owned();
    let described = || Reply::ok(latest.described(&format!("http://{host}")).to_string());
    if let Some(number) = path.strip_prefix("/repos/o/n/releases/assets/") {
        return match seen.header("accept") {
            Some("application/octet-stream") => {
                Reply::status(302).header("location", format!("{files}/objects/{number}"))
            }
            _ => Reply::ok("{\"a\": \"description of the file\"}"),
        };
    }
    match path.strip_prefix("/repos/o/n/releases/") {
        Some("latest") => described(),
        Some(tag) if tag == format!("tags/{}", latest.version) => described(),
        _ => Reply::status(404),
    }
}

/// The packager in a directory of its own, where it may replace itself.
struct Installed {
    sandbox: Sandbox,
    program: PathBuf,
    before: Digest,
}

impl Installed {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let program = sandbox.path("bin/minikube-offline");
        fs::create_dir(sandbox.path("bin")).expect("a directory");
        let built = stripped(Path::new(env!("CARGO_BIN_EXE_minikube-offline")));
        // A second name is quicker than a copy, where both are on one file system.
        if fs::hard_link(&built, &program).is_err() {
            fs::copy(&built, &program).expect("a copy");
        }
        let before = Digest::of(&bytes(&program));
        Self {
            sandbox,
            program,
            before,
        }
    }

    fn update(&self, arguments: &[&str]) -> Outcome {
        self.sandbox
            .run(Command::new(&self.program).arg("self-update").args(arguments))
    }

    /// The same, which must not change a thing; gives the exit code and stderr.
    fn refused(&self, arguments: &[&str]) -> (i32, String) {
        let outcome = self.update(arguments);
        assert_eq!(outcome.stdout, "", "{outcome:?}");
        self.assert_unchanged();
        (outcome.status, outcome.stderr)
    }

    fn assert_unchanged(&self) {
        assert_eq!(Digest::of(&bytes(&self.program)), self.before);
        self.assert_alone();
    }

    fn assert_is(&self, program: &[u8]) {
        assert_eq!(bytes(&self.program), program);
        let mode = fs::metadata(&self.program).expect("a file").permissions().mode();
        assert_eq!(mode & 0o111, 0o111);
        self.assert_alone();
    }

    /// Nothing else lies beside the program.
    fn assert_alone(&self) {
        let entries = fs::read_dir(self.sandbox.path("bin")).expect("a directory");
        let names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(names, ["minikube-offline"]);
    }
}

#[test]
fn the_newest_release_takes_the_place_of_the_program() {
    let (installed, key) = (Installed::new(), ReleaseKey::new());
    let page = Page::new(Published::new("v9.0.0", &key));
    let (origin, public) = (page.origin(), key.public());
    let check = installed.update(&["--check", "--from", &origin]);
    let own = own_version();
    assert_eq!((check.status, check.stderr.as_str()), (0, ""));
    assert_eq!(
        check.stdout,
        format!("v9.0.0 is newer than this {own}: `minikube-offline self-update` installs it\n")
    );
    assert_eq!(page.files.seen().len(), 0);
    installed.assert_unchanged();

    let outcome = installed.update(&["--from", &origin, "--key", &public, "--output", "json"]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{outcome:?}");
    let mut last: Value = serde_json::from_str(outcome.stdout.lines().last().expect("a line")).expect("JSON");
    let hashed = last.as_object_mut().and_then(|last| last.remove("hashed_bytes"));
    assert!(hashed.is_some(), "{last}");
    let key_id = minikube_offline::trust::PublicKey::parse_base64(&public)
        .expect("a key")
        .key_id();
    assert_eq!(
        last,
        json!({
            "type": "result", "current": own.to_string(), "found": "v9.0.0", "newer": true, "updated": true,
            "from": origin, "key_id": key_id.to_string(),
        })
    );
    installed.assert_is(&program("v9.0.0"));
    // Each file once, from the host that the API sent to.
    assert_eq!(page.files.seen().len(), 3);
}

#[test]
fn this_very_program_in_another_version_is_a_release_that_runs() {
    let (installed, key) = (Installed::new(), ReleaseKey::new());
    let own = own_version().to_string();
    // Of the same length, so that nothing in the program moves.
    let other = own.replacen("v0", "v9", 1);
    let mut real = bytes(&installed.program);
    let (from, to) = (&own.as_bytes()[1..], &other.as_bytes()[1..]);
    assert_eq!(from.len(), to.len());
    let mut start = 0;
    while let Some(found) = real[start..]
        .windows(from.len())
        .position(|window| window == from)
    {
        start += found;
        real[start..start + to.len()].copy_from_slice(to);
    }
    let page = Page::new(Published::of(&other, real.clone(), &key));
    let outcome = installed.update(&["--from", &page.origin(), "--key", &key.public()]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let text = format!("`{}` is {other} now; it was {own}\n", installed.program.display());
    assert!(outcome.stdout.starts_with(&text), "{outcome:?}");
    installed.assert_is(&real);
    let says = installed
        .sandbox
        .run(Command::new(&installed.program).arg("--version"));
    assert_eq!(says.stdout, format!("minikube-offline {}\n", &other[1..]));
}

#[test]
fn the_same_release_is_not_downloaded_again() {
    let (installed, key) = (Installed::new(), ReleaseKey::new());
    let own = own_version();
    let page = Page::new(Published::new(&own.to_string(), &key));
    for arguments in [
        &["--check"][..],
        &["--key", &key.public()],
        &["--key", &key.public(), "--version", &own.to_string()],
    ] {
        let outcome = installed.update(&[&["--from", &page.origin()][..], arguments].concat());
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{outcome:?}");
        assert_eq!(
            outcome.stdout,
            format!("this is {own}, the release that is there\n")
        );
        installed.assert_unchanged();
    }
    assert_eq!(page.files.seen().len(), 0);
}

#[test]
fn an_older_release_needs_its_flag() {
    let key = ReleaseKey::new();
    let (public, own) = (key.public(), own_version());
    let page = Page::new(Published::new("v0.0.1", &key));
    let origin = page.origin();
    let installed = Installed::new();
    let (status, stderr) = installed.refused(&["--from", &origin, "--key", &public]);
    assert_eq!(status, 8);
    assert_eq!(
        stderr,
        format!(
            "error: the newest release at `{origin}` is v0.0.1, older than this {own}\n\n\
             hint: nothing was changed; `--allow-downgrade` takes it nevertheless\n"
        )
    );
    let check = installed.update(&["--check", "--from", &origin]);
    assert_eq!(
        (check.status, check.stdout),
        (0, format!("this is {own}, newer than v0.0.1, which is there\n"))
    );
    // To name it is not to say that it may be older.
    let (status, stderr) = installed.refused(&["--from", &origin, "--key", &public, "--version", "v0.0.1"]);
    assert_eq!(status, 8);
    assert_eq!(
        stderr,
        format!(
            "error: the release at `{origin}` is v0.0.1, older than this {own}\n\n\
             hint: nothing was changed; `--allow-downgrade` takes it nevertheless\n"
        )
    );
    installed.assert_unchanged();
    for asked in [
        &["--allow-downgrade"][..],
        &["--version", "v0.0.1", "--allow-downgrade"],
    ] {
        let installed = Installed::new();
        let outcome = installed.update(&[&["--from", &origin, "--key", &public][..], asked].concat());
        assert_eq!(outcome.status, 0, "{outcome:?}");
        installed.assert_is(&program("v0.0.1"));
    }
    let (status, stderr) = installed.refused(&["--from", &origin, "--key", &public, "--version", "v7.7.7"]);
    assert_eq!(status, 2);
    assert!(
        stderr.starts_with(&format!("error: there is no release v7.7.7 at `{origin}`\n")),
        "{stderr}"
    );
}
