//! Mirrors inside, and proxies on the way out.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{Installed, Published, ReleaseKey, answer, name, program};
use crate::support::server::{Reply, Seen, Server};

/// Writes the files of a release page to a directory, with their manifest.
fn lay_out(directory: &Path, published: &Published) {
    fs::create_dir(directory).expect("a directory");
    for (name, content) in &published.files {
        fs::write(directory.join(name), content).expect("a file");
    }
    let assets = published
        .files
        .iter()
        .map(|(name, _)| json!({ "name": name, "url": name }));
    let manifest = json!({
        "schema": 1,
        "releases": [{
            "version": published.version.trim_start_matches('v'),
            "assets": assets.collect::<Vec<_>>(),
        }],
    });
    fs::write(directory.join("manifest.json"), manifest.to_string()).expect("a file");
}

#[test]
fn a_directory_with_the_files_of_a_release_page_is_a_mirror() {
    let key = ReleaseKey::new();
    let published = Published::new("v9.0.0", &key);
    let installed = Installed::new();
    lay_out(&installed.sandbox.path("mirror"), &published);
    let url = format!("file://{}", installed.sandbox.path("mirror").display());
    let content = published.clone();
    let manifest = fs::read(installed.sandbox.path("mirror/manifest.json")).expect("a file");
    let server = Server::start(move |seen: &Seen| {
        let name = seen.target.trim_start_matches("/tools/");
        match content.files.iter().find(|(known, _)| known == name) {
            Some((_, bytes)) => Reply::ok(bytes.clone()),
            None if name == "manifest.json" => Reply::ok(manifest.clone()),
            None => Reply::status(404),
        }
    });
    for (from, version) in [
        ("mirror", None),
        (&url, Some("v9.0.0")),
        (&server.url("/tools/"), None),
    ] {
        let installed = Installed::new();
        lay_out(&installed.sandbox.path("mirror"), &published);
        let key = key.public();
        let mut arguments = vec!["--from", from, "--key", &key];
        arguments.extend(version.into_iter().flat_map(|version| ["--version", version]));
        let outcome = installed.update(&arguments);
        assert_eq!(outcome.status, 0, "{from}: {outcome:?}");
        installed.assert_is(&program("v9.0.0"));
    }
}

#[test]
fn a_mirror_is_believed_no_more_than_the_page() {
    let (key, stranger) = (ReleaseKey::new(), ReleaseKey::new());
    let installed = Installed::new();
    lay_out(
        &installed.sandbox.path("mirror"),
        &Published::new("v9.0.0", &stranger),
    );
    let (status, stderr) = installed.refused(&["--from", "mirror", "--key", &key.public()]);
    assert_eq!(status, 3, "{stderr}");
    let mirror = installed.sandbox.path("mirror");
    fs::remove_file(mirror.join(name())).expect("a file");
    let (status, stderr) = installed.refused(&["--from", "mirror", "--key", &stranger.public()]);
    assert_eq!(status, 5, "{stderr}");
    let file = mirror.join(name());
    assert!(
        stderr.starts_with(&format!("error: `file://{}` cannot be read\n", file.display())),
        "{stderr}"
    );
    let (status, stderr) = installed.refused(&["--from", "nowhere", "--key", &key.public()]);
    assert_eq!(status, 5, "{stderr}");
    assert!(
        stderr.contains("a mirror is a directory with all files of a release page"),
        "{stderr}"
    );
}

#[test]
fn a_remote_page_names_no_file_of_this_machine() {
    let key = ReleaseKey::new();
    let published = Published::new("v9.0.0", &key);
    let installed = Installed::new();
    let secret = installed.sandbox.path("secret");
    fs::write(&secret, "secrettoken=abc").unwrap();
    let url = format!("file://{}", secret.display());
    for suffix in [".sha256", ".minisig", ""] {
        let (own, file) = (published.clone(), url.clone());
        let page = Server::start(move |seen: &Seen| {
            let host = format!("http://{}", seen.header("host").unwrap_or_default());
            if let Some(number) = seen.target.strip_prefix("/repos/o/n/releases/assets/") {
                let number: usize = number.parse().expect("a number");
                return Reply::ok(own.files[number].1.clone());
            }
            let mut described = own.described(&host);
            for asset in described["assets"].as_array_mut().expect("a list") {
                if asset["name"] == format!("{}{suffix}", name()) {
                    asset["url"] = file.as_str().into();
                }
            }
            Reply::ok(described.to_string())
        });
        let (status, stderr) =
            installed.refused(&["--from", &page.url("/repos/o/n"), "--key", &key.public()]);
        let expected = format!(
            "error: `{url}` is a file of this machine, and only a directory of this machine may name one\n\n\
             hint: nothing was read; tell who runs the place that its list of releases names files of the \
             machines that read it. Where the mirror is on this machine, name its directory: `--from DIR`\n"
        );
        assert!(status == 3 && stderr.ends_with(&expected), "{status}: {stderr}");
        installed.assert_unchanged();
    }
}

#[test]
fn a_pipe_in_a_mirror_is_refused_at_once() {
    let key = ReleaseKey::new();
    let installed = Installed::new();
    let mirror = installed.sandbox.path("mirror");
    lay_out(&mirror, &Published::new("v9.0.0", &key));
    let pipe = mirror.join(format!("{}.sha256", name()));
    fs::remove_file(&pipe).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let (status, stderr) = installed.refused(&["--from", "mirror", "--key", &key.public()]);
    assert_eq!(status, 5, "{stderr}");
    let expected = format!(
        "error: `file://{}` cannot be read\n  caused by: it is not a regular file\n",
        pipe.display()
    );
    assert!(stderr.contains(&expected), "{stderr}");
}

#[test]
fn a_page_is_reached_through_a_proxy_with_a_password() {
    let (installed, key) = (Installed::new(), ReleaseKey::new());
    let published = Published::new("v9.0.0", &key);
    // A host that no name server knows: only the proxy can answer for it.
    let (far, origin) = ("http://page.invalid", "http://page.invalid/repos/o/n");
    let proxy = Server::start(move |seen: &Seen| match seen.header("proxy-authorization") {
        // user:p@ss
        Some("Basic dXNlcjpwQHNz") if seen.target.contains("/objects/") => {
            let number: usize = seen
                .target
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .parse()
                .unwrap_or(9);
            Reply::ok(published.files[number].1.clone())
        }
        Some("Basic dXNlcjpwQHNz") => answer(seen, &published, far),
        _ => Reply::status(407),
    });
    let proxy_url = format!("http://user:p%40ss@{}", proxy.host());
    let (status, stderr) = installed.refused(&[
        "--from",
        origin,
        "--key",
        &key.public(),
        "--proxy",
        &format!("http://{}", proxy.host()),
    ]);
    assert_eq!(status, 5);
    assert!(stderr.contains("answered 407"), "{stderr}");
    let outcome = installed.update(&["--from", origin, "--key", &key.public(), "--proxy", &proxy_url]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    installed.assert_is(&program("v9.0.0"));
    assert!(
        !outcome.stdout.contains("ss@") && !outcome.stderr.contains("ss@"),
        "{outcome:?}"
    );
}
