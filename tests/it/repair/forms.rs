//! Volumes that are not what their names say, and copies of another form.

use std::fs;

use super::copies::{Copies, file, spoil};
use crate::support::parts::SampleParts;
use crate::support::program::bytes;

#[test]
fn a_volume_that_is_there_twice_is_taken_like_one_that_is_not_there() {
    let copies = Copies::make(&["--split=2M"]);
    let [x, _] = copies.paths();
    for (from, to) in [(1, 2), (3, 1), (1, 3), (2, 3)] {
        fs::copy(file(&x, from), file(&x, to)).unwrap();
        let outcome = copies.repair();
        assert_eq!(outcome.status, 0, "{from} as {to}: {outcome:?}");
        copies.assert_whole(&format!("{from} as {to}"));
    }
    // But not where the other one was lost: then it is the only one here.
    fs::copy(file(&x, 1), file(&x, 2)).unwrap();
    fs::remove_file(file(&x, 1)).unwrap();
    let outcome = copies.repair();
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(
        outcome.stderr.contains("error: `x.run.002` is volume 1\n"),
        "{outcome:?}"
    );
    assert!(bytes(&file(&x, 2)) == copies.whole[1]);
}

#[test]
fn a_copy_without_an_index_is_not_made_one_of_another_form() {
    let copies = Copies::make(&["--split=2M"]);
    let [x, _] = copies.paths();
    let sandbox = &copies.sandbox;
    let parts = SampleParts::make_large(&sandbox.path("parts"));
    sandbox.pack_with(&parts, "z.run", &["--split=1M"]);
    let (what, index) = &copies.runs()[3];
    assert_eq!(what, "the index with its signature");
    spoil(&x, *index, 99);
    let before: Vec<Vec<u8>> = (0..4).map(|number| bytes(&file(&x, number))).collect();
    let outcome = sandbox.packager(["repair", "x.run", "--from", "z.run"]);
    let expected = "error: `x.run` is split otherwise than `z.run`, and has no whole index of its own\n\n\
                    hint: a copy of the same form is needed, split or not; nothing was changed\n";
    assert_eq!(outcome.status, 2, "{outcome:?}");
    assert!(outcome.stderr.ends_with(expected), "{outcome:?}");
    for (number, content) in (0..).zip(before) {
        assert!(bytes(&file(&x, number)) == content, "{number}");
    }
}
