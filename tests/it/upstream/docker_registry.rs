//! The registry that Debian packages, with a password over TLS.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::effort::report;
use crate::support::parts::{SampleParts, noise, write_archive};
use crate::support::program::Sandbox;

/// `me` and `secret`, as `htpasswd -nbB` writes them.
const HTPASSWD: &str = "me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";

/// docker-registry on a port of its own.
struct DockerRegistry {
    child: Child,
    host: String,
    log: PathBuf,
}

impl DockerRegistry {
    fn start(sandbox: &Sandbox) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let config = sandbox.path("registry.yml");
        let text = format!(
            "version: 0.1\nlog: {{accesslog: {{disabled: false}}}}\nstorage:\n  filesystem: {{rootdirectory: '{}'}}\nhttp:\n  addr: 127.0.0.1:{port}\n  tls: {{certificate: '{}', key: '{}'}}\nauth:\n  htpasswd: {{realm: test, path: '{}'}}\n",
            quoted(&sandbox.path("registry")),
            quoted(&sandbox.path("server.pem")),
            quoted(&sandbox.path("server.key")),
            quoted(&sandbox.path("htpasswd")),
        );
        fs::write(&config, text).unwrap();
        let log = sandbox.path("registry.log");
        let child = Command::new("/usr/bin/docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry starts");
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "docker-registry does not listen");
            thread::yield_now();
        }
        Self {
            child,
            host: format!("localhost:{port}"),
            log,
        }
    }

    /// The blobs that were read, as its log has them.
    fn blobs_read(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap();
        let gets = log
            .lines()
            .filter(|line| line.contains("\"GET /v2/") && line.contains("\" 200 "));
        let mut blobs: Vec<String> = gets
            .filter_map(|line| line.split("/blobs/").nth(1)?.split(' ').next().map(str::to_owned))
            .collect();
        blobs.sort();
        blobs
    }
}

/// For a YAML string in single quotes.
fn quoted(path: &Path) -> String {
    path.display().to_string().replace('\'', "''")
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn run(sandbox: &Sandbox, program: &str, arguments: &[&str]) -> String {
    let outcome = sandbox.run(Command::new(program).args(arguments));
    assert_eq!(outcome.status, 0, "{program}: {outcome:?}");
    outcome.stdout
}

/// An authority of our own and a certificate for localhost.
fn certificates(sandbox: &Sandbox) {
    let authority = [
        "-subj",
        "/CN=inner authority",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
    ];
    let mut arguments = vec![
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    arguments.extend(["-days", "2", "-keyout", "ca.key", "-out", "ca.pem"]);
    arguments.extend(authority);
    run(sandbox, "openssl", &arguments);
    let server = [
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ];
    let mut arguments = vec![
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    arguments.extend(["-days", "2", "-keyout", "server.key", "-out", "server.pem"]);
    arguments.extend([
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]);
    arguments.extend(server);
    run(sandbox, "openssl", &arguments);
}

#[test]
fn a_real_registry_with_tls_and_a_password_gives_each_blob_once() {
    for program in ["docker-registry", "skopeo", "openssl"] {
        if !Path::new("/usr/bin").join(program).exists() {
            report(&format!("skipped: {program} is not installed"));
            return;
        }
    }
    let sandbox = Sandbox::new();
    certificates(&sandbox);
    fs::write(sandbox.path("htpasswd"), HTPASSWD).unwrap();
    let registry = DockerRegistry::start(&sandbox);
    write_archive(
        &sandbox.path("own.tar"),
        "own/app:1",
        &[noise("one", 9000), noise("two", 9000)],
    );
    let there = format!("docker://{}/own/app:1", registry.host);
    fs::write(
        sandbox.path("policy.json"),
        r#"{"default":[{"type":"insecureAcceptAnything"}]}"#,
    )
    .unwrap();
    run(
        &sandbox,
        "skopeo",
        &[
            "--policy",
            "policy.json",
            "copy",
            "--dest-tls-verify=false",
            "--dest-creds",
            "me:secret",
            "docker-archive:own.tar",
            &there,
        ],
    );
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let pack = |more: &[&str]| {
        let mut arguments = vec![
            "pack".to_owned(),
            "-o=x.run".to_owned(),
            "--level=fast".to_owned(),
        ];
        arguments.push(format!("--stub={}", sandbox.stub().display()));
        arguments.push(format!("--image={there}"));
        arguments.extend(more.iter().map(ToString::to_string));
        arguments.extend(parts.flags());
        sandbox.packager(&arguments)
    };

    let untrusted = pack(&[]);
    assert_eq!(untrusted.status, 5, "{untrusted:?}");
    assert!(
        untrusted.stderr.contains("invalid peer certificate") && untrusted.stderr.contains("--ca FILE"),
        "{untrusted:?}"
    );
    let outside = pack(&["--ca=ca.pem"]);
    assert_eq!(outside.status, 5, "{outside:?}");
    assert!(
        outside.stderr.contains("answered 401") && outside.stderr.contains("docker login"),
        "{outside:?}"
    );

    fs::create_dir(sandbox.path("home/.docker")).unwrap();
    let config = format!(
        "{{\"auths\":{{\"{}\":{{\"auth\":\"bWU6c2VjcmV0\"}}}}}}",
        registry.host
    );
    fs::write(sandbox.path("home/.docker/config.json"), config).unwrap();
    let before = registry.blobs_read().len();
    let packed = pack(&["--ca=ca.pem"]);
    assert_eq!(packed.status, 0, "{packed:?}");
    let read = registry.blobs_read();
    assert_eq!(read.len() - before, 3, "{read:?}");
    let again = pack(&["--ca=ca.pem"]);
    assert_eq!(again.status, 0, "{again:?}");
    assert_eq!(registry.blobs_read().len() - before, 3);
    let unchecked = pack(&[&format!("--insecure-registry={}", registry.host)]);
    assert_eq!(unchecked.status, 0, "{unchecked:?}");
}
