//! Room for what is to be downloaded, and for the bundle: asked for before anything comes.

use super::world::{VERSION, World};
use crate::support::program::{Outcome, Sandbox};

/// Packs where `directory` has a file system of its own, of this size; `None` where nothing can
/// be mounted.
fn pack_with(world: &World, sandbox: &Sandbox, directory: &str, size: &str) -> Option<Outcome> {
    let mut words = vec![env!("CARGO_BIN_EXE_minikube-offline").to_owned()];
    words.extend(world.arguments(VERSION, &["--level=fast"]));
    let words = words.iter().map(|word| match word.as_str() {
        "-o=x.run" => "-o=out/x.run".to_owned(),
        other => format!("'{}'", other.replace('\'', r"'\''")),
    });
    let pack = words.collect::<Vec<_>>().join(" ");
    sandbox.with_mounts(&format!(
        "mkdir -p out home/.cache && mount -t tmpfs -o size={size} none {directory} && exec {pack}"
    ))
}

/// How many programs and layers were given, but for those that have to be asked.
fn downloads(world: &World) -> usize {
    let seen = world.server.seen();
    let gets = seen.iter().filter(|seen| seen.method == "GET");
    gets.filter(|seen| seen.target.contains("/blobs/") || seen.target.ends_with("/kubelet"))
        .count()
}

#[test]
fn a_file_system_that_is_too_small_is_named_before_anything_is_downloaded() {
    for (directory, size, what) in [
        ("home/.cache", "3m", "7 MB for what is to be downloaded in `"),
        ("out", "3m", " MB for the bundle in `"),
    ] {
        let (world, sandbox) = (World::new(), Sandbox::new());
        let Some(outcome) = pack_with(&world, &sandbox, directory, size) else {
            return;
        };
        assert_eq!(outcome.status, 6, "{outcome:?}");
        for words in [
            "error: there is no room: ",
            what,
            directory,
            "` are needed, and the file system has 3 MB free\n",
            "hint: nothing more was downloaded",
        ] {
            assert!(outcome.stderr.contains(words), "{words} in {outcome:?}");
        }
        assert_eq!(downloads(&world), 0);
    }
    // With room for both it goes on.
    let (world, sandbox) = (World::new(), Sandbox::new());
    if let Some(outcome) = pack_with(&world, &sandbox, "out", "64m") {
        assert_eq!(outcome.status, 0, "{outcome:?}");
    }
}
