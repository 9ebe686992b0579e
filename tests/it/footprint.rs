//! Every file that a start writes, and that an uninstall removes: seen from below, in a
//! layer that takes all writes to this machine's files.

use std::process::{Command, Stdio};

use crate::support::effort::report;
use crate::support::engine::FakeEngine;
use crate::support::program::Sandbox;

/// Makes the layer, runs `$1` on top of it as root, and lists what is in it: `d` for
/// directories, `f` for files, `c` for what was removed.
const LAYER: &str = r#"
mount -t tmpfs none /mnt && mkdir /mnt/up /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work none /mnt/root
for directory in proc dev sys; do mount --rbind "/$directory" "/mnt/root/$directory"; done
mkdir -p "/mnt/root$PWD" /mnt/root/home/footprint && mount --bind . "/mnt/root$PWD"
PATH=$PATH:/usr/sbin chroot /mnt/root sh -c 'cd "$1" && eval "$2"' sh "$PWD" "$1" >&2
cd /mnt/up && find . ! -type d -printf '%y %p\n' | sort
"#;

/// What `inspect` announces, as patterns of the paths.
const ANNOUNCED: [&str; 6] = [
    "./home/footprint/.local/share/minikube-offline/",
    "./home/footprint/.local/state/minikube-offline/",
    "./home/footprint/.minikube/",
    "./home/footprint/.kube/config",
    "./usr/local/bin/kubectl",
    "./usr/local/bin/minikube",
];

#[test]
fn a_start_writes_only_where_inspect_says_and_uninstall_leaves_nothing() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.runnable_bundle("b.run");
    let announced = sandbox.run(Command::new(&bundle).arg("inspect")).stdout;
    for place in ANNOUNCED {
        let place = place.replace("./home/footprint", "~");
        // A link of a program is announced with its directory.
        let place = match place.strip_prefix("./usr/local/bin/") {
            Some(name) => format!("`{name}`"),
            None => place.trim_end_matches('/').to_owned(),
        };
        assert!(announced.contains(&place), "{place}: {announced}");
    }
    for other in ["/usr/local/bin", "a network", "~/.config/minikube-offline"] {
        assert!(announced.contains(other), "{other}: {announced}");
    }
    let engine = FakeEngine::make(&sandbox);
    let layer = |script: &str| {
        let mut command = Command::new("unshare");
        // In a user namespace the kernel lays nothing over a tree with mounts in it.
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["--mount", "sh", "-eu", "-c", LAYER, "sh", script]);

        engine
            .prepare(&sandbox, &mut command)
            .env("HOME", "/home/footprint");
        command.env_remove("XDG_BIN_HOME");
        crate::support::program::Outcome::from(command.stdin(Stdio::null()).output().unwrap())
    };
    let first = layer("true");
    if first.status != 0 {
        report(&format!(
            "skipped: nothing can be laid over / here, which root may: {}",
            first.stderr
        ));
        return;
    }
    let start = "{ ./b.run -y --image-load=cache --keep-failed; [ $? = 10 ]; }";
    let started = layer(start);
    assert_eq!(started.status, 0, "{started:?}");
    let written: Vec<&str> = started.stdout.lines().collect();
    assert!(written.len() >= 15, "{written:#?}");
    for line in &written {
        let path = &line[2..];
        assert!(
            ANNOUNCED.iter().any(|place| path.starts_with(place)),
            "{path} is not announced"
        );
    }
    engine.empty();
    let uninstalled = layer(&format!("{start} && ./b.run uninstall"));
    assert_eq!(uninstalled.status, 0, "{uninstalled:?}");
    assert_eq!(uninstalled.stdout, "", "is left");
    assert!(engine.has().is_empty(), "no image and no volume");
    report(&format!(
        "{} files written, each where it was announced; none after uninstall",
        written.len()
    ));
    println!("{}", started.stdout);
}
