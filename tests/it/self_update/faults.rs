//! Releases that are not to be installed, and updates that end in the middle.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use minikube_offline::bundle::Digest;
use minikube_offline::failure::{Failure, Kind};
use minikube_offline::host::Environment;
use minikube_offline::http::{Http, HttpOptions, Patience};
use minikube_offline::update::Updater;
use rustix::process::{Pid, Signal, kill_process};

use super::{Installed, Page, Published, ReleaseKey, name, program};
use crate::support::program::bytes;
use crate::support::server::{Fault, Reply, Server};

#[test]
fn without_a_key_nothing_is_asked_and_nothing_is_done() {
    let installed = Installed::new();
    let page = Page::new(Published::new("v9.0.0", &ReleaseKey::new()));
    let (status, stderr) = installed.refused(&["--from", &page.origin()]);
    assert_eq!(status, 2);
    assert_eq!(
        stderr,
        "error: no release key is known, so nothing can say who made a release\n\n\
         hint: this build has no release key inside: name the one that you trust with `--key FILE`\n"
    );
    assert_eq!(page.api.seen().len(), 0);
}

#[test]
fn a_key_that_is_revoked_here_does_not_count_for_releases_either() {
    let (installed, key) = (Installed::new(), ReleaseKey::new());
    let page = Page::new(Published::new("v9.0.0", &key));
    let id = minikube_offline::trust::PublicKey::parse_base64(&key.public());
    let id = id.expect("a key").key_id().to_string();
    let revoked = installed.sandbox.packager(["trust", "revoke", &id]);
    assert_eq!(revoked.status, 0, "{revoked:?}");
    let (status, stderr) = installed.refused(&["--from", &page.origin(), "--key", &key.public()]);
    assert_eq!(status, 3, "{stderr}");
    assert!(stderr.contains(&id) && stderr.contains("revoked"), "{stderr}");
    assert_eq!(page.api.seen().len(), 0);
}

#[test]
fn what_is_not_what_was_published_is_damaged() {
    let (installed, key) = (Installed::new(), ReleaseKey::new());
    let good = Published::new("v9.0.0", &key);
    let changed = [good.file(""), b"#"].concat();
    let other = Published::new("v9.0.1", &key);
    let page = Page::new(good.clone());
    for (published, message) in [
        // The server gives other bytes than it should.
        (good.clone().with("", Some(&changed)), "should have sha256:"),
        // The checksum is not the one that the list of releases has.
        (
            good.clone().with(".sha256", Some(other.file(".sha256"))),
            "should have sha256:",
        ),
        (
            good.clone().with(".sha256", Some(b"404: Not Found")),
            "should begin with a SHA-256 digest",
        ),
        (
            Published {
                listed: Some("sha256:0".to_owned()),
                ..good.clone()
            },
            "should begin with a SHA-256 digest",
        ),
    ] {
        *page.latest.lock().expect("no panic") = published;
        let (status, stderr) = installed.refused(&["--from", &page.origin(), "--key", &key.public()]);
        assert_eq!(status, 4, "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
        assert!(stderr.contains("\nhint: nothing was changed; "), "{stderr}");
    }
    // A list without digests is enough: the signature is what counts.
    *page.latest.lock().expect("no panic") = Published { listed: None, ..good };
    assert_eq!(
        installed
            .update(&["--from", &page.origin(), "--key", &key.public()])
            .status,
        0
    );
}

#[test]
fn what_a_release_key_did_not_sign_as_this_release_is_not_authentic() {
    let (installed, key, stranger) = (Installed::new(), ReleaseKey::new(), ReleaseKey::new());
    let good = Published::new("v9.0.0", &key);
    let strange = Published::new("v9.0.0", &stranger);
    let older = Published::new("v8.0.0", &key);
    let same_id_other_bytes = key.sign(b"other bytes", &comment(&good));
    let bundle = key.sign(good.file(""), "minikube-offline format 1 bundle x 1");
    let page = Page::new(good.clone());
    let key_of = |text: &str| format!("it names the key {text}, which is not trusted here");
    let strange_id = minikube_offline::trust::PublicKey::parse_base64(&stranger.public());
    let strange_id = strange_id.expect("a key").key_id().to_string();
    for (published, message) in [
        (
            good.clone().with(".minisig", None),
            format!("has no `{}.minisig`", name()),
        ),
        (strange, key_of(&strange_id)),
        (
            good.clone().with(".minisig", Some(&same_id_other_bytes)),
            "its signature was not made by the key".to_owned(),
        ),
        // The signature of an older release, with all that belongs to it, under a new name.
        (
            Published {
                version: "v9.0.0".to_owned(),
                ..older
            },
            "it signs `minikube-offline release v8.0.0 ".to_owned(),
        ),
        (
            good.clone().with(".minisig", Some(&bundle)),
            "it signs `minikube-offline format 1 bundle x 1`".to_owned(),
        ),
        (
            good.clone().with(".minisig", Some(b"404: Not Found")),
            "cannot be used as a signature".to_owned(),
        ),
    ] {
        *page.latest.lock().expect("no panic") = published;
        let (status, stderr) = installed.refused(&["--from", &page.origin(), "--key", &key.public()]);
        assert_eq!(status, 3, "{stderr}");
        assert!(stderr.contains(&message), "{message}\n{stderr}");
    }
}

fn comment(published: &Published) -> String {
    let text = String::from_utf8(published.file(".minisig").to_vec()).expect("text");
    let line = text.lines().nth(2).expect("a trusted comment");
    line.trim_start_matches("trusted comment: ").to_owned()
}

#[test]
fn a_release_that_is_not_whole_or_does_not_run_changes_nothing() {
    let (installed, key) = (Installed::new(), ReleaseKey::new());
    let good = Published::new("v9.0.0", &key);
    let page = Page::new(good.clone());
    let liar = Published::of("v9.0.0", program("v8.0.0"), &key);
    let foreign = Published::of("v9.0.0", b"\x7fELF of another machine".to_vec(), &key);
    for (published, message) in [
        (
            good.clone().with(".sha256", None),
            format!("has no `{}.sha256`", name()),
        ),
        (
            good.with("", None),
            format!("release v9.0.0 at `{}` has no `{}`", page.origin(), name()),
        ),
        (liar, "it says that it is `minikube-offline 8.0.0`".to_owned()),
        (foreign, "release v9.0.0 does not run on this machine".to_owned()),
    ] {
        *page.latest.lock().expect("no panic") = published;
        let (status, stderr) = installed.refused(&["--from", &page.origin(), "--key", &key.public()]);
        assert_eq!(status, 1, "{stderr}");
        assert!(stderr.contains(&message), "{message}\n{stderr}");
    }
}

#[test]
fn a_page_that_is_down_or_something_else_is_named() {
    let options = |proxy: Option<&str>| HttpOptions {
        proxy: proxy.map(str::to_owned),
        patience: Patience {
            attempts: 2,
            first_pause: Duration::from_millis(1),
            ..Patience::default()
        },
        ..HttpOptions::default()
    };
    let find = |origin: &str, proxy: Option<&str>| {
        let http = Http::new(options(proxy), &Environment::default()).expect("a client");
        let updater = Updater::new(origin.parse().expect("an origin"), http, None).expect("an updater");
        Failure::from(updater.find(None).expect_err(origin))
    };
    let down = "http://127.0.0.1:9/repos/o/n";
    let failure = find(down, None);
    assert_eq!(failure.kind, Kind::Io);
    let message = format!("`{down}/releases/latest` cannot be read");
    assert_eq!(failure.error.to_string(), message);
    let failure = find(
        "http://page.invalid/repos/o/n",
        Some("http://u:secret@127.0.0.1:9"),
    );
    let text = failure.to_string();
    assert!(text.contains("via the proxy http://u:***@127.0.0.1:9"), "{text}");

    let other = Server::start(|_| Reply::ok("<html>"));
    for origin in [other.url("/repos/o/n"), other.url("/mirror")] {
        let failure = find(&origin, None);
        let message = format!("`{origin}` does not list releases as it should");
        assert_eq!(failure.error.to_string(), message, "{failure}");
    }
    let empty = Server::start(|_| Reply::status(404));
    for origin in [empty.url("/repos/o/n"), empty.url("/mirror")] {
        let failure = find(&origin, None);
        assert_eq!(
            failure.error.to_string(),
            format!("there is no release at `{origin}`")
        );
    }
}

#[test]
fn a_directory_that_cannot_be_written_to_is_named_before_anything_is_downloaded() {
    let (installed, key) = (Installed::new(), ReleaseKey::new());
    let page = Page::new(Published::new("v9.0.0", &key));
    let bin = installed.sandbox.path("bin");
    let (home, root) = (
        installed.sandbox.path("home"),
        rustix::process::geteuid().is_root(),
    );
    let shut = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    shut(&bin, 0o555);
    shut(&home, 0o1777);
    shut(&installed.sandbox.path(""), 0o755);
    let mut command = Command::new(&installed.program);
    command.args(["self-update", "--from", &page.origin(), "--key", &key.public()]);
    if root {
        // Root writes where it likes.
        command.uid(65534);
    }
    let outcome = installed.sandbox.run(&mut command);
    shut(&bin, 0o755);
    assert_eq!(outcome.status, 5, "{outcome:?}");
    assert_eq!(
        outcome.stderr,
        format!(
            "error: `{}` cannot be replaced by this user\n  caused by: Permission denied (os error 13)\n\n\
             hint: run it as the user who owns the program (`sudo minikube-offline self-update`), or copy the \
             program to a directory of your own and update it there\n",
            installed.program.display()
        )
    );
    assert_eq!(page.files.seen().len(), 0);
    installed.assert_unchanged();
}

/// A program that, when it lies where `place` says in shell's words, tells so and waits.
fn waiting(place: &str, told: &Path) -> Vec<u8> {
    format!(
        "#!/bin/sh\ncase $0 in {place}) : >'{}'; exec sleep 600 ;; esac\necho minikube-offline 9.0.0\n",
        told.display()
    )
    .into_bytes()
}

/// Starts an update to `published` and waits until its program runs at its `place`.
fn start(installed: &Installed, key: &ReleaseKey, place: &str) -> Child {
    // Without a quote in it.
    let directory = tempfile::tempdir().expect("a directory");
    let told = directory.path().join("told");
    let page = Page::new(Published::of("v9.0.0", waiting(place, &told), key));
    let mut command = Command::new(&installed.program);
    command
        .args(["self-update", "--from", &page.origin(), "--key", &key.public()])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    while !told.exists() {
        assert!(child.try_wait().expect("ours").is_none(), "it ended");
        thread::yield_now();
    }
    child
}

#[test]
fn a_killed_update_leaves_a_whole_program_and_the_next_one_succeeds() {
    let (installed, key) = (Installed::new(), ReleaseKey::new());
    let mut child = start(&installed, &key, "*.new");
    child.kill().expect("SIGKILL");
    child.wait().expect("it ended");
    assert_eq!(Digest::of(&bytes(&installed.program)), installed.before);
    let page = Page::new(Published::new("v9.0.0", &key));
    let outcome = installed.update(&["--from", &page.origin(), "--key", &key.public()]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    installed.assert_is(&program("v9.0.0"));

    let installed = Installed::new();
    let mut child = start(&installed, &key, "*/minikube-offline");
    child.kill().expect("SIGKILL");
    child.wait().expect("it ended");
    // The new one is in place, and the old one lies beside it.
    assert!(bytes(&installed.program).starts_with(b"#!/bin/sh"));
    let old = installed.sandbox.path("bin/minikube-offline.old");
    assert_eq!(Digest::of(&bytes(&old)), installed.before);
}

#[test]
fn a_download_that_was_killed_goes_on_where_it_ended_and_leaves_nothing() {
    let (installed, key) = (Installed::new(), ReleaseKey::new());
    let mut long = program("v9.0.0");
    long.extend_from_slice(&b"#\n".repeat(100_000));
    let is_first = AtomicBool::new(true);
    let page = Page::with(Published::of("v9.0.0", long.clone(), &key), move |seen, reply| {
        // The third file is the program.
        let stalls = seen.target.ends_with("/2") && is_first.swap(false, Ordering::Relaxed);
        if stalls {
            reply.fault(Fault::StallAfter(150_000))
        } else {
            reply
        }
    });
    let arguments = ["--from", &page.origin(), "--key", &key.public()];
    let mut command = Command::new(&installed.program);
    command
        .arg("self-update")
        .args(arguments)
        .env_clear()
        .env("HOME", installed.sandbox.path("home"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let partial = installed
        .sandbox
        .path("home/.cache/minikube-offline/store/partial")
        .join(Digest::of(&long).hex());
    while fs::metadata(&partial).map_or(0, |facts| facts.len()) < 150_000 {
        assert!(child.try_wait().expect("ours").is_none(), "it ended");
        thread::yield_now();
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("it ended");
    assert_eq!(Digest::of(&bytes(&installed.program)), installed.before);

    let outcome = installed.update(&arguments);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    installed.assert_is(&long);
    let seen = page.files.seen();
    let asked = seen.iter().rev().find(|seen| seen.target.ends_with("/2"));
    assert_eq!(asked.and_then(|seen| seen.header("range")), Some("bytes=150000-"));
    let listed = installed.sandbox.packager(["store", "list"]);
    assert!(listed.stdout.contains("0 blobs"), "{listed:?}");
}

#[test]
fn an_update_that_is_told_to_end_puts_the_old_program_back() {
    for place in ["*.new", "*/minikube-offline"] {
        let (installed, key) = (Installed::new(), ReleaseKey::new());
        let mut child = start(&installed, &key, place);
        let pid = Pid::from_child(&child);
        kill_process(pid, Signal::TERM).expect("SIGTERM");
        assert_eq!(child.wait().expect("it ended").code(), Some(143), "{place}");
        installed.assert_unchanged();
    }
}
