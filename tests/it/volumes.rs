//! Split bundles: what is missing, swapped or damaged is named.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use minikube_offline::bundle::{BundleIndex, Digest, Signature, Trailer, volume_path};
use minikube_offline::progress::Silent;
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;

use crate::support::effort::report;
use crate::support::keys::Key;
use crate::support::parts::{RunnableParts, SampleParts, image_flag, noise, write_archive_for};
use crate::support::program::{Outcome, Sandbox, bytes};

/// A bundle of five chunks in three volumes: of two, two, and not quite one.
fn split(sandbox: &Sandbox) -> PathBuf {
    let parts = SampleParts::make_large(&sandbox.path("parts"));
    sandbox.pack_with(&parts, "x.run", &["--split=2M"])
}

fn index(bundle: &Path) -> BundleIndex {
    let opened = OpenedBundle::open_to_show(bundle, &TrustedKeys::none()).expect("a bundle");
    opened.index().clone()
}

fn flip(path: &Path, offset: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ 1], offset).unwrap();
}

/// The failure of `verify`, whose exit code it checks, without the sandbox's directory.
fn failure(sandbox: &Sandbox, status: i32) -> String {
    let outcome = sandbox.packager(["verify", "x.run"]);
    assert_eq!(
        (outcome.status, outcome.stdout.as_str()),
        (status, ""),
        "{outcome:?}"
    );
    outcome.stderr
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("run"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_split_bundle_holds_the_same_payload_in_volumes() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make_large(&sandbox.path("parts"));
    let whole = sandbox.pack(&parts, "whole.run");
    let bundle = sandbox.pack_with(&parts, "x.run", &["--split=2M"]);
    let (one, split) = (index(&whole), index(&bundle));
    assert_eq!(
        names(&sandbox.path("")),
        ["whole.run", "x.run", "x.run.001", "x.run.002", "x.run.003"]
    );
    let mut payload = Vec::new();
    for (number, volume) in (1..).zip(&split.volumes) {
        let content = bytes(&volume_path(&bundle, number));
        assert_eq!(
            (volume.size, volume.sha256),
            (content.len() as u64, Digest::of(&content))
        );
        payload.extend(content);
    }
    let start = usize::try_from(one.payload_offset()).unwrap();
    assert!(bytes(&whole)[start..][..payload.len()] == payload);
    assert_eq!(payload.len() as u64, one.payload_size());
    assert_eq!((&split.chunks, split.volumes[0].size), (&one.chunks, 2 << 20));
    // The first file has no payload: it is as short as it can be.
    assert!((bytes(&bundle).len() as u64) < split.payload_offset() + 20_000);
    let outcome = sandbox.packager(["verify", "--deep", "x.run"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let total = payload.len() + bytes(&bundle).len();
    let says = format!("`x.run` and its 3 volumes are whole: {total} bytes (");
    assert!(outcome.stdout.starts_with(&says), "{outcome:?}");
    // The same parts and the same size give the same bytes, however the size is written.
    let again = SampleParts::make_large(&sandbox.path("again"));
    let again = sandbox.pack_with(&again, "y.run", &["--split=2049K"]);
    let files = |bundle: &Path| {
        [0, 1, 2, 3].map(|number| match number {
            0 => bytes(bundle),
            number => bytes(&volume_path(bundle, number)),
        })
    };
    assert!(files(&bundle) == files(&again));
}

#[test]
fn the_first_file_alone_names_what_is_missing_and_shows_what_is_in_it() {
    let sandbox = Sandbox::new();
    let bundle = split(&sandbox);
    let volumes = index(&bundle).volumes;
    let listed = sandbox.packager(["list", "x.run"]);
    let inspected = sandbox.packager(["inspect", "x.run"]);
    let checked = sandbox.run(Command::new("sh").args([
        "-c",
        "\"$0\" inspect x.run | grep 'x[.]run[.]' | sha256sum -c",
        env!("CARGO_BIN_EXE_minikube-offline"),
    ]));
    assert_eq!(
        checked.stdout, "x.run.001: OK\nx.run.002: OK\nx.run.003: OK\n",
        "{checked:?}"
    );
    let named = |number: usize| {
        let volume = volumes[number - 1];
        format!("`x.run.{number:03}` ({} bytes, {})", volume.size, volume.sha256)
    };
    let hint = "\n\nhint: put all volumes into the directory of the bundle, under these names; \
                `sha256sum` tells which file is which\n";
    fs::rename(volume_path(&bundle, 2), sandbox.path("elsewhere")).unwrap();
    let expected = format!(
        "error: `x.run` is split, and 1 of its 3 volumes is missing: {}{hint}",
        named(2)
    );
    assert_eq!(failure(&sandbox, 4), expected);
    fs::remove_file(volume_path(&bundle, 1)).unwrap();
    fs::remove_file(volume_path(&bundle, 3)).unwrap();
    let all = [1, 2, 3].map(named).join(", ");
    let expected = format!("error: `x.run` is split, and 3 of its 3 volumes are missing: {all}{hint}");
    assert_eq!(failure(&sandbox, 4), expected);
    for verb in [
        &["extract", "x.run", "--to", "out"][..],
        &["start", "x.run", "-y"],
    ] {
        let outcome = sandbox.packager(verb);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (4, ""), "{outcome:?}");
        assert!(outcome.stderr.ends_with(&expected), "{outcome:?}");
    }
    assert!(!sandbox.path("out").exists());
    assert_eq!(sandbox.packager(["list", "x.run"]).stdout, listed.stdout);
    assert_eq!(sandbox.packager(["inspect", "x.run"]).stdout, inspected.stdout);
}

#[test]
fn volumes_under_one_anothers_names_are_told() {
    let sandbox = Sandbox::new();
    let bundle = split(&sandbox);
    let [one, two, three] = [1, 2, 3].map(|number| volume_path(&bundle, number));
    let swap = |a: &Path, b: &Path| {
        fs::rename(a, sandbox.path("aside")).unwrap();
        fs::rename(b, a).unwrap();
        fs::rename(sandbox.path("aside"), b).unwrap();
    };
    let hint = "\n\nhint: give each volume the number that it has, and leave the digits at three\n";
    // Of one length, and of two.
    swap(&one, &two);
    let expected = format!("error: `x.run.001` is volume 2, `x.run.002` is volume 1{hint}");
    assert!(
        failure(&sandbox, 4).ends_with(&expected),
        "{}",
        failure(&sandbox, 4)
    );
    swap(&one, &two);
    swap(&two, &three);
    let expected = format!("error: `x.run.002` is volume 3, `x.run.003` is volume 2{hint}");
    assert_eq!(failure(&sandbox, 4), expected);
    fs::copy(&one, &three).unwrap();
    fs::copy(&one, &two).unwrap();
    // What one has is not to be moved, where another has it under its own name.
    let expected = "error: `x.run.002` is a second copy of volume 1, `x.run.003` is a second copy of volume 1\n\n\
                    hint: take the volume that has this number from where it was packed; where only another copy \
                    is at hand, damaged or not, `repair --from OTHER_COPY` takes it from there\n";
    assert_eq!(failure(&sandbox, 4), expected);
    // A piece of one, as where it is split otherwise, is not it.
    let file = OpenOptions::new().write(true).open(&two).unwrap();
    file.set_len(1 << 20).unwrap();
    fs::remove_file(&three).unwrap();
    fs::copy(&two, &three).unwrap();
    let expected = "error: `x.run.002` is 1048576 bytes long, and volume 2 of 3 should be 2097152\n";
    assert!(
        failure(&sandbox, 4).starts_with(expected),
        "{}",
        failure(&sandbox, 4)
    );
}

#[test]
fn volumes_that_are_spelt_with_other_letters_than_the_bundle_are_told() {
    let sandbox = Sandbox::new();
    let bundle = split(&sandbox);
    for number in [1, 2, 3] {
        fs::rename(
            volume_path(&bundle, number),
            sandbox.path(&format!("X.RUN.{number:03}")),
        )
        .unwrap();
    }
    let said = failure(&sandbox, 4);
    let hint = "hint: `X.RUN.001` is spelt with other letters than the bundle: give all files the same, large or \
                small\n";
    assert!(said.ends_with(hint), "{said}");
    // All of them large, as a stick may have it.
    fs::rename(&bundle, sandbox.path("X.RUN")).unwrap();
    let outcome = sandbox.packager(["verify", "X.RUN"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
}

#[test]
fn a_damaged_volume_is_told_with_chunk_and_offset() {
    let sandbox = Sandbox::new();
    let bundle = split(&sandbox);
    let index = index(&bundle);
    let mut tried = 0;
    for (number, volume) in (1..).zip(&index.volumes) {
        let path = volume_path(&bundle, number);
        for offset in [0, 1 << 20, volume.size - 1] {
            let offset = offset.min(volume.size - 1);
            flip(&path, offset);
            let begin = offset >> 20 << 20;
            let end = (begin + (1 << 20)).min(volume.size);
            let chunk = index.first_chunk(number) + (offset >> 20);
            let said = failure(&sandbox, 4);
            let place = format!("error: `x.run.{number:03}` is damaged: chunk {chunk} of 5, with `");
            assert!(said.contains(&place), "{said}");
            let found = format!(", bytes {begin} to {end}, has digest blake3:");
            assert!(said.contains(&found), "{said}");
            flip(&path, offset);
            tried += 1;
        }
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        let content = bytes(&path);
        for length in [0, 1, volume.size - 1, volume.size + 1] {
            file.set_len(length).unwrap();
            let expected = format!(
                "error: `x.run.{number:03}` is {length} bytes long, and volume {number} of 3 should be {}\n\n\
                 hint: copy the file again from where it was packed, and compare both with `sha256sum`; \
                 where only another copy is at hand, damaged or not, `repair --from OTHER_COPY` takes from it \
                 what is bad here\n",
                volume.size
            );
            assert_eq!(failure(&sandbox, 4), expected);
            tried += 1;
        }
        fs::write(&path, content).unwrap();
    }
    assert_eq!(sandbox.packager(["verify", "x.run"]).status, 0);
    report(&format!("{tried} damages of volumes, each named with its place"));
}

#[test]
fn volumes_of_an_older_bundle_stay_and_are_refused() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make_large(&sandbox.path("parts"));
    let bundle = sandbox.pack_with(&parts, "x.run", &["--split=1M"]);
    let long = bytes(&volume_path(&bundle, 4));
    let pack = |flags: &[&str]| -> Outcome {
        let stub = format!("--stub={}", sandbox.stub().display());
        let mut arguments = vec!["pack", "-o", "x.run", &stub];
        let parts = parts.flags();
        arguments.extend(parts.iter().map(String::as_str).chain(flags.iter().copied()));
        sandbox.packager(arguments)
    };
    let outcome = pack(&["--split=2M"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    for number in [4, 5] {
        let note =
            format!("  `x.run.{number:03}` is of an older bundle: remove it, or this one is refused\n");
        assert!(outcome.stderr.contains(&note), "{outcome:?}");
    }
    assert!(
        outcome.stdout.contains("\n`x.run` and 3 volumes: "),
        "{outcome:?}"
    );
    let carry = "carry all 4 files to the site, into one directory, and run the first there: ./x.run -y\n";
    assert!(outcome.stdout.ends_with(carry), "{outcome:?}");
    assert!(bytes(&volume_path(&bundle, 4)) == long, "never deleted");
    let refused = sandbox.packager(["verify", "x.run"]);
    let expected = "error: `x.run` has 3 volumes, and beside it are files that are none of them: `x.run.004`, \
                    `x.run.005`\n\nhint: move them away, or remove them: rm 'x.run.004' 'x.run.005'; the bundle \
                    itself is not damaged, but `cat` over such names would take them, too\n";
    assert_eq!((refused.status, refused.stderr.as_str()), (4, expected));
    // What no bundle of ours has left there is not replaced.
    let outcome = pack(&["--split=1M"]);
    let expected = "error: `x.run.004` is there, and is no volume of `x.run`\n\n\
                    hint: move it away, or write to another name with -o; nothing was changed\n";
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(outcome.stderr.ends_with(expected), "{outcome:?}");
    for number in [4, 5] {
        fs::remove_file(volume_path(&bundle, number)).unwrap();
    }
    assert_eq!(sandbox.packager(["verify", "--deep", "x.run"]).status, 0);
    let left = names(&sandbox.path(""));
    assert!(left.iter().all(|name| !name.contains("partial")), "{left:?}");
}

#[test]
fn a_file_with_a_volumes_name_is_refused_by_every_verb() {
    let sandbox = Sandbox::new();
    let bundle = split(&sandbox);
    let count = index(&bundle).volumes.len();
    let (first, last) = (volume_path(&bundle, 0), volume_path(&bundle, count + 1));
    let verbs: [&[&str]; 6] = [
        &["verify", "x.run"],
        &["inspect", "x.run"],
        &["list", "x.run"],
        &["preflight", "x.run"],
        &["extract", "x.run", "--to", "out"],
        &["start", "x.run", "-y"],
    ];
    for surplus in [&first, &last, &volume_path(&bundle, 999)] {
        // Also one that leads nowhere: it may lead somewhere later.
        std::os::unix::fs::symlink("nowhere", surplus).unwrap();
        let name = surplus.file_name().unwrap().to_string_lossy();
        let expected = format!(
            "error: `x.run` has {count} volumes, and beside it is a file that is none of them: `{name}`\n\n\
             hint: move it away, or remove it: rm '{name}'; the bundle itself is not damaged, but `cat` over such \
             names would take it, too\n"
        );
        for verb in verbs {
            let outcome = sandbox.packager(verb);
            assert_eq!(outcome.status, 4, "{verb:?}: {outcome:?}");
            assert_eq!(outcome.stderr, expected, "{verb:?}");
        }
        fs::remove_file(surplus).unwrap();
    }
    for name in ["x.run.1", "x.run.0001", "x.run.minisig", "y.run.000"] {
        fs::write(sandbox.path(name), "something else").unwrap();
    }
    assert_eq!(sandbox.packager(["verify", "x.run"]).status, 0);
}

/// The line in the header is what somebody without this program types.
#[test]
fn the_headers_own_line_reads_the_volumes_and_nothing_else() {
    let sandbox = Sandbox::new();
    let bundle = split(&sandbox);
    let text = String::from_utf8_lossy(&bytes(&bundle)[..4096]).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("#   cat "));
    let line = line.expect("the line").replace("FILE", "x.run");
    let script = format!("echo other | zstd -q > x.run.000; cat {line}");
    let outcome = sandbox.run(Command::new("sh").args(["-c", &script]));
    if outcome.stderr.contains("zstd: not found") {
        return report("skipped: there is no zstd");
    }
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome.stdout.lines().any(|path| path == "images/index.json"),
        "{outcome:?}"
    );
}

#[test]
fn all_that_is_damaged_is_told_at_once() {
    let sandbox = Sandbox::new();
    let bundle = split(&sandbox);
    let chunk = 1 << 20;
    for (volume, place) in [(1, 5), (1, chunk), (2, chunk - 1), (3, 0)] {
        flip(&volume_path(&bundle, volume), place);
    }
    let outcome = sandbox.packager(["verify", "x.run"]);
    assert_eq!(outcome.status, 4, "{outcome:?}");
    let first = "error: `x.run.001` is damaged: chunk 0 of 5, with `";
    let others = "; so are 3 others of the 5 chunks: bytes 1048576 to 2097152 of `x.run.001`, \
                  bytes 0 to 1048576 of `x.run.002`, bytes 0 to ";
    for said in [
        first,
        others,
        " of `x.run.003`\n\nhint: ",
        "`repair --from OTHER_COPY`",
    ] {
        assert!(outcome.stderr.contains(said), "{said}: {outcome:?}");
    }
    // Chunks side by side are one run.
    flip(&volume_path(&bundle, 2), chunk + 1);
    let outcome = sandbox.packager(["verify", "x.run"]);
    let others = "; so are 4 others of the 5 chunks: bytes 1048576 to 2097152 of `x.run.001`, \
                  bytes 0 to 2097152 of `x.run.002`, bytes 0 to ";
    assert!(outcome.stderr.contains(others), "{outcome:?}");
}

#[test]
fn a_size_that_is_none_is_a_usage_error() {
    let sandbox = Sandbox::new();
    for (size, says) in [
        ("4000MB", "`4000MB` is not a size such as 4000M, 3900MiB or 2G"),
        ("1023K", "`1023K` is too small: a volume holds at least 1M"),
    ] {
        let outcome = sandbox.packager(["pack", "--kubernetes-version=v1.34.0", "--split", size]);
        assert_eq!(outcome.status, 2, "{outcome:?}");
        assert!(outcome.stderr.contains(says), "{outcome:?}");
    }
}

#[test]
fn a_signature_of_the_first_file_covers_the_volumes() {
    let sandbox = Sandbox::new();
    let key = Key::make(&sandbox, "one");
    let bundle = split(&sandbox);
    let before = [1, 2, 3].map(|number| bytes(&volume_path(&bundle, number)));
    let outcome = key.sign(&sandbox, &bundle);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(before == [1, 2, 3].map(|number| bytes(&volume_path(&bundle, number))));
    let check = |verb: &[&str]| sandbox.packager(verb.iter().chain(&["x.run", "--key", &key.base64]));
    assert_eq!(check(&["verify"]).status, 0);
    flip(&volume_path(&bundle, 2), 77);
    assert_eq!(check(&["verify"]).status, 4);
    assert_eq!(
        key.sign(&sandbox, &bundle).status,
        4,
        "a damaged volume is not vouched for"
    );
}

#[test]
fn a_volumes_digest_for_sha256sum_is_compared_when_all_is() {
    let sandbox = Sandbox::new();
    let bundle = split(&sandbox);
    let opened = OpenedBundle::open(&bundle, &TrustedKeys::none()).expect("a bundle");
    let (mut index, trailer) = (opened.index().clone(), *opened.trailer());
    index.volumes[1].sha256 = Digest::of(b"another volume");
    let json = index.encode().expect("an index");
    let sealed_sha256 = Trailer::seal(&json, &Signature::UNSIGNED);
    let trailer = Trailer {
        sealed_sha256,
        ..trailer
    };
    let file = OpenOptions::new().write(true).open(&bundle).unwrap();
    file.write_all_at(&json, trailer.index_offset).unwrap();
    let end = trailer.total_bytes - Trailer::BYTES as u64;
    file.write_all_at(&trailer.encode(), end).unwrap();
    assert_eq!(
        sandbox.packager(["verify", "x.run"]).status,
        0,
        "each chunk is right"
    );
    let outcome = sandbox.packager(["verify", "--deep", "x.run"]);
    let expected = "error: `x.run` was packed wrongly: `x.run.002` has another SHA-256 than the index says\n";
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(outcome.stderr.contains(expected), "{outcome:?}");
}

#[test]
fn a_split_bundle_runs_by_itself() {
    let sandbox = Sandbox::new();
    let parts = RunnableParts::make(&sandbox.path("parts"));
    let large = noise("an image", 2_000_000);
    let archive = sandbox.path("large.tar");
    write_archive_for(parts.platform.arch, &archive, "r.example/large:1", &[large]);
    let large = image_flag("r.example/large:1", &archive);
    let bundle = sandbox.pack_runnable_with(&parts, "x.run", &["--split=1M", &large]);
    let count = index(&bundle).volumes.len();
    assert!(count > 1, "{count}");
    let run = |arguments: &[&str]| sandbox.run(Command::new(&bundle).args(arguments));
    let outcome = run(&["verify", "--deep"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(
        outcome
            .stdout
            .contains(&format!("and its {count} volumes are whole")),
        "{outcome:?}"
    );
    let outcome = run(&["extract", "--to", "out"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    fs::remove_file(volume_path(&bundle, count)).unwrap();
    let outcome = run(&["verify"]);
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(
        outcome.stderr.contains(&format!("x.run.{count:03}` (")),
        "{outcome:?}"
    );
}

#[test]
fn a_bundle_is_read_from_its_volumes_in_any_choice_of_members() {
    let sandbox = Sandbox::new();
    let bundle = split(&sandbox);
    let bundle = OpenedBundle::open(&bundle, &TrustedKeys::none())
        .and_then(|opened| opened.verify(&Silent))
        .expect("a bundle");
    // The large program crosses every border.
    let mut members = bundle.members(|member| member.path == "bin/linux/arm64/kubelet");
    let mut reader = members.next_member().expect("a frame").expect("a member");
    let mut content = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut content).expect("its content");
    assert!(content == bytes(&sandbox.path("parts/binaries/kubelet")));
}
