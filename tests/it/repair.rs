//! `repair`: two damaged copies become a whole one, and nothing else is written.

mod copies;
mod forms;

use std::fs::{self};
use std::path::Path;
use std::process::Command;

use minikube_offline::bundle::{ChunkPlace, volume_path};

use self::copies::{Copies, file, set_len, spoil};
use crate::support::effort::{Random, report, rounds};
use crate::support::keys::Key;
use crate::support::parts::{RunnableParts, SampleParts};
use crate::support::program::{Sandbox, bytes};

#[test]
fn each_run_is_taken_from_the_copy_in_which_it_is_good() {
    for flags in [&[][..], &["--split=2M"]] {
        let copies = Copies::make(flags);
        let [x, y] = copies.paths();
        let runs = copies.runs();
        for (at, (what, place)) in runs.iter().enumerate() {
            // This one is bad here, and all that can be are bad there.
            spoil(&x, *place, at as u64 * 12_345);
            for (other, place) in &runs {
                if other != what && !other.starts_with("the index with") && other != "the trailer" {
                    spoil(&y, *place, 77);
                }
            }
            let outcome = copies.repair();
            let shown = if place.file == 0 && !what.starts_with("chunk") {
                what.clone()
            } else {
                "1 of 5 chunks".to_owned()
            };
            let expected = format!(
                "`x.run` is whole again: {shown} ({} bytes) taken from `y/x.run`\n",
                place.size
            );
            assert_eq!(
                (outcome.status, outcome.stdout),
                (0, expected),
                "{}",
                outcome.stderr
            );
            copies.assert_whole(what);
            copies.restore();
        }
    }
}

#[test]
fn index_signature_and_trailer_may_be_good_in_different_copies() {
    let copies = Copies::make(&[]);
    let [x, y] = copies.paths();
    let place = |offset, size| ChunkPlace {
        file: 0,
        offset,
        size,
    };
    let trailer = copies.trailer;
    let parts = [
        place(trailer.index_offset, trailer.index_bytes),
        place(trailer.signature_offset(), 138),
        place(trailer.total_bytes - 80, 80),
    ];
    for good_here in 0..8 {
        for (bit, part) in parts.iter().enumerate() {
            spoil(if good_here >> bit & 1 == 1 { &y } else { &x }, *part, 5);
        }
        let outcome = copies.repair();
        assert_eq!(outcome.status, 0, "{good_here}: {outcome:?}");
        copies.assert_whole(&format!("{good_here}"));
        copies.restore();
    }
}

#[test]
fn what_is_bad_in_one_of_two_copies_at_random_is_mended() {
    let pairs = rounds(12, 250);
    let mut numbers = Random::new();
    let seed = numbers.seed();
    let mut random = |below| numbers.below(below);
    let mut damages = 0;
    for flags in [&[][..], &["--split=1M"]] {
        let copies = Copies::make(flags);
        let [x, y] = copies.paths();
        for round in 0..pairs {
            for (what, place) in copies.runs() {
                // Something of the payload stays: else `x.run` could be any file.
                let here = random(2) == 0 && what != "chunk 0 of 5";
                if random(3) > 0 {
                    spoil(if here { &x } else { &y }, place, random(1 << 30));
                    damages += 1;
                }
            }
            let number = usize::try_from(random(copies.whole.len() as u64)).unwrap();
            let length = copies.whole[number].len() as u64;
            if random(2) == 0 {
                set_len(&file(&x, number), length + 1 + random(3_000_000));
            } else {
                // What is cut off is only there.
                let kept = length / 2 + random(length / 2);
                set_len(&file(&x, number), kept);
                for (_, place) in copies.runs() {
                    if place.file == number && place.offset + place.size > kept {
                        copies.fix(&y, place);
                    }
                }
                // Where the first chunk was alone in a volume, the last one is not in it.
                if let Some((_, last)) = copies.runs().pop()
                    && last.file != number
                {
                    copies.fix(&x, last);
                }
            }
            let outcome = copies.repair();
            assert_eq!(outcome.status, 0, "seed {seed}, round {round}: {outcome:?}");
            copies.assert_whole(&format!("seed {seed}, round {round}"));
            copies.restore();
        }
    }
    report(&format!(
        "{damages} damaged runs and a wrong length in each of {} pairs of copies: each fixed (seed {seed})",
        2 * pairs
    ));
}

#[test]
fn what_is_bad_in_both_is_named_and_all_else_is_mended() {
    let copies = Copies::make(&["--split=2M"]);
    let [x, y] = copies.paths();
    let runs = copies.runs();
    for place in [runs[0].1, runs[6].1, runs[8].1] {
        spoil(&x, place, 1000);
    }
    spoil(&y, runs[0].1, 7);
    spoil(&y, runs[8].1, 1_048_575);
    let outcome = copies.repair();
    let expected = "error: `x.run` is still damaged: bad here and in `y/x.run`: the header (bytes 0 to 8192), \
                    chunk 3 of 5 (bytes 1048576 to 2097152 of `x.run.002`)\n\n\
                    hint: everything else is whole now (1048576 bytes were taken): repair it once more, \
                    from a third copy\n";
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(outcome.stderr.ends_with(expected), "{}", outcome.stderr);
    assert!(bytes(&file(&x, 1)) == copies.whole[1]);
    let again = copies
        .sandbox
        .packager(["--output=json", "repair", "x.run", "--from", "y/x.run"]);
    assert_eq!(again.status, 4, "{again:?}");
    for (number, content) in copies.whole.iter().enumerate() {
        fs::write(file(&y, number), content).unwrap();
    }
    assert_eq!(copies.repair().status, 0);
    copies.assert_whole("from a third copy");
}

#[test]
fn missing_volumes_are_made_and_wrong_lengths_set_right() {
    let copies = Copies::make(&["--split=2M"]);
    let [x, y] = copies.paths();
    fs::remove_file(file(&x, 1)).unwrap();
    set_len(&file(&x, 2), 1_500_000);
    set_len(&file(&x, 3), 3_000_000);
    set_len(&x, copies.trailer.total_bytes + 1);
    // Nor does the other have all: its last volume is gone.
    fs::remove_file(file(&y, 3)).unwrap();
    let outcome = copies.repair();
    let expected = "`x.run` is whole again: 3 of 5 chunks (3145728 bytes) taken from `y/x.run`; \
                    what stood behind the end of `x.run` cut off; \
                    what stood behind the end of `x.run.003` cut off\n";
    assert_eq!(
        (outcome.status, outcome.stdout.as_str()),
        (0, expected),
        "{outcome:?}"
    );
    copies.assert_whole("lengths");
    // All volumes, and the other's first file is gone.
    for number in 1..=3 {
        fs::remove_file(file(&x, number)).unwrap();
        fs::write(file(&y, number), &copies.whole[number]).unwrap();
    }
    fs::remove_file(&y).unwrap();
    let outcome = copies.repair();
    assert_eq!(outcome.status, 0, "{outcome:?}");
    copies.assert_whole("all volumes");
}

#[test]
fn a_whole_bundle_is_not_touched() {
    let copies = Copies::make(&["--split=2M"]);
    let [x, y] = copies.paths();
    let facts = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let before = facts(&x);
    spoil(&y, copies.runs()[7].1, 3);
    let outcome = copies.repair();
    assert_eq!(
        (outcome.status, outcome.stdout.as_str()),
        (0, "`x.run` is whole: nothing was changed\n")
    );
    assert_eq!(facts(&x), before);
    copies.assert_whole("untouched");
}

#[test]
fn a_chunk_is_the_same_split_or_not() {
    let copies = Copies::make(&[]);
    let [x, _] = copies.paths();
    let parts = SampleParts::make_large(&copies.sandbox.path("again"));
    let two = copies.sandbox.pack_with(&parts, "two.run", &["--split=2M"]);
    let three = copies.sandbox.pack_with(&parts, "three.run", &["--split=3M"]);
    let repair = |bundle: &str, from: &str| copies.sandbox.packager(["repair", bundle, "--from", from]);
    let before = [1, 2, 3].map(|number| bytes(&volume_path(&two, number)));
    for (_, place) in &copies.runs()[5..] {
        spoil(&x, *place, 99);
    }
    let outcome = repair("x.run", "two.run");
    assert_eq!(outcome.status, 0, "{outcome:?}");
    copies.assert_whole("from a split one");
    for from in ["x.run", "three.run"] {
        fs::remove_file(volume_path(&two, 2)).unwrap();
        spoil(
            &two,
            ChunkPlace {
                file: 1,
                offset: 0,
                size: 9,
            },
            3,
        );
        let outcome = repair("two.run", from);
        let says = format!("`two.run` is whole again: 3 of 5 chunks (3145728 bytes) taken from `{from}`\n");
        assert_eq!((outcome.status, outcome.stdout), (0, says), "{}", outcome.stderr);
        assert!(before == [1, 2, 3].map(|number| bytes(&volume_path(&two, number))));
    }
    // Without an index of its own a bundle is not turned into one of the other form.
    let index = copies.runs()[3].1;
    spoil(&x, index, 0);
    let content = bytes(&x);
    let outcome = repair("x.run", "three.run");
    let expected = "error: `x.run` is no damaged copy of `three.run`: nothing of the payload is in its place\n\n\
                    hint: a copy of the same form is needed, split or not; nothing was changed\n";
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(outcome.stderr.ends_with(expected), "{}", outcome.stderr);
    assert!(bytes(&x) == content && three.is_file());
}

#[test]
fn what_cannot_be_a_repair_changes_nothing() {
    let copies = Copies::make(&["--split=2M"]);
    let [x, y] = copies.paths();
    let sandbox = &copies.sandbox;
    fs::write(sandbox.path("notes.txt"), vec![7; 100_000]).unwrap();
    std::os::unix::fs::symlink(&x, sandbox.path("link.run")).unwrap();
    let refused = |bundle: &str, from: &str, status: i32, message: &str| {
        let outcome = sandbox.packager(["repair", bundle, "--from", from]);
        let first = outcome.stderr.lines().find(|line| line.starts_with("error: "));
        assert_eq!(
            (outcome.status, first),
            (status, Some(format!("error: {message}").as_str())),
            "{outcome:?}"
        );
        assert!(outcome.stderr.contains("\nhint: "), "{outcome:?}");
    };
    refused("x.run", "x.run", 2, "`x.run` and `x.run` are the same file");
    refused("x.run", "link.run", 2, "`x.run` and `link.run` are the same file");
    refused(
        "notes.txt",
        "y/x.run",
        2,
        "`notes.txt` is no damaged copy of `y/x.run`: nothing of the payload is in its place",
    );
    refused("no.run", "y/x.run", 5, "cannot open `no.run`");
    refused("x.run", "no.run", 5, "cannot open `no.run`");
    refused("x.run", "y", 5, "cannot open `y`");
    let third = file(&x, 3);
    fs::remove_file(&third).unwrap();
    fs::create_dir(&third).unwrap();
    refused("x.run", "y/x.run", 5, "cannot open `x.run.003`");
    fs::remove_dir(&third).unwrap();
    fs::copy(file(&y, 3), &third).unwrap();
    // Two volumes under one another's names are good, and are not written over.
    fs::rename(file(&x, 1), sandbox.path("aside")).unwrap();
    fs::rename(file(&x, 2), file(&x, 1)).unwrap();
    fs::rename(sandbox.path("aside"), file(&x, 2)).unwrap();
    refused(
        "x.run",
        "y/x.run",
        4,
        "`x.run.001` is volume 2, `x.run.002` is volume 1",
    );
    assert!(bytes(&file(&x, 2)) == copies.whole[1]);
    let index = copies.runs()[3].1;
    spoil(&x, index, 4);
    spoil(&y, index, 4);
    refused(
        "x.run",
        "y/x.run",
        4,
        "neither `x.run` nor `y/x.run` has a whole index",
    );
    assert_eq!(bytes(&sandbox.path("notes.txt")), vec![7; 100_000]);
}

#[test]
fn where_keys_count_only_what_they_signed_says_what_is_good() {
    let copies = Copies::make(&[]);
    let [x, y] = copies.paths();
    let key = Key::make(&copies.sandbox, "one");
    assert_eq!(key.sign(&copies.sandbox, &x).status, 0);
    let signed = bytes(&x);
    let repair = || {
        let arguments = ["repair", "x.run", "--from", "y/x.run", "--key", &key.base64];
        copies.sandbox.packager(arguments)
    };
    // A copy that nobody signed has bytes that the signed index vouches for.
    let runs = copies.runs();
    spoil(&x, runs[6].1, 8);
    let outcome = repair();
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(bytes(&x) == signed);
    // But it does not say what is good.
    let trailer = runs[4].1;
    spoil(&x, trailer, 30);
    let damaged = bytes(&x);
    let outcome = repair();
    let expected = "error: neither `x.run` nor `y/x.run` is authentic: nothing was changed\n  \
                    caused by: it is not signed\n";
    assert_eq!(outcome.status, 3, "{outcome:?}");
    assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    assert!(bytes(&x) == damaged);
    // The other way round the signature is taken over with the rest.
    fs::write(&y, &signed).unwrap();
    fs::write(&x, &copies.whole[0]).unwrap();
    let outcome = repair();
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(bytes(&x) == signed);
}

#[test]
fn a_bundle_repairs_itself() {
    let sandbox = Sandbox::new();
    let parts = RunnableParts::make(&sandbox.path("parts"));
    let bundle = sandbox.pack_runnable_with(&parts, "x.run", &["--split=1M"]);
    let whole = bytes(&volume_path(&bundle, 1));
    fs::create_dir(sandbox.path("y")).unwrap();
    let other = sandbox.path("y/x.run");
    fs::copy(volume_path(&bundle, 1), volume_path(&other, 1)).unwrap();
    set_len(&volume_path(&bundle, 1), 1000);
    let outcome = sandbox.run(Command::new(&bundle).args(["repair", "--from", "y/x.run"]));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.stdout.contains("is whole again: 1 of "), "{outcome:?}");
    assert!(bytes(&volume_path(&bundle, 1)) == whole);
}
