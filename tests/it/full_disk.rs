//! `pack` onto a disk that does not take the bundle.

use crate::support::parts::SampleParts;
use crate::support::program::Sandbox;

/// The command line that packs the sample parts into `out/x.run`, for a shell.
fn pack(sandbox: &Sandbox) -> String {
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    std::fs::create_dir(sandbox.path("out")).unwrap();
    let mut words = vec![
        env!("CARGO_BIN_EXE_minikube-offline").to_owned(),
        "pack".to_owned(),
        "--offline".to_owned(),
        format!("-o{}", sandbox.path("out/x.run").display()),
        format!("--stub={}", sandbox.stub().display()),
    ];
    words.extend(parts.flags());
    let quoted = words
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")));
    quoted.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_full_disk_ends_a_pack_with_its_own_code_and_nothing_is_left() {
    let sandbox = Sandbox::new();
    let pack = pack(&sandbox);
    // The sample parts are a megabyte that does not compress.
    let script = format!(
        "mount -t tmpfs -o size=400k none out
        status=0
        {pack} || status=$?
        ls -A out
        exit $status"
    );
    let Some(outcome) = sandbox.with_mounts(&script) else {
        return;
    };
    assert_eq!(outcome.status, 6, "{outcome:?}");
    for says in [
        "error: writing the bundle into `",
        "/out`\n  caused by: No space left on device",
        "\n\nhint: free some space there, or write to another file system with -o",
    ] {
        assert!(outcome.stderr.contains(says), "{says}: {}", outcome.stderr);
    }
    assert_eq!(outcome.stdout, "");
}

#[test]
fn a_file_system_that_takes_no_file_so_large_is_named_as_the_reason() {
    let sandbox = Sandbox::new();
    let pack = pack(&sandbox);
    // What FAT32 answers at 4 GiB, every file system answers at the process's limit.
    let script = format!("trap '' XFSZ; ulimit -f 500; exec {pack}");
    let outcome = sandbox.run(std::process::Command::new("sh").args(["-c", &script]));
    assert_eq!(outcome.status, 6, "{outcome:?}");
    for says in [
        "error: writing the bundle into `",
        "\n  caused by: File too large",
        "\n\nhint: the file system takes no file that large (FAT32: 4 GiB less one byte)",
    ] {
        assert!(outcome.stderr.contains(says), "{says}: {}", outcome.stderr);
    }
    assert_eq!(std::fs::read_dir(sandbox.path("out")).unwrap().count(), 0);
}
