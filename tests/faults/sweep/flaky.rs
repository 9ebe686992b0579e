//! A medium that reads wrong once, or twice, under a running program: see `crate::flaky`.

use std::fs;
use std::path::Path;

use minikube_offline::bundle::{BundleIndex, ChunkPlace};
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;

use super::subjects::{Extract, Place, at_home};
use super::text;
use crate::effort::{Random, directory, report, rounds};
use crate::flaky::Medium;
use crate::stub;

const WARNING: &str = "warning: read wrongly, and rightly the second time: ";

fn index(bundle: &Path) -> BundleIndex {
    let opened = OpenedBundle::open(bundle, &TrustedKeys::none()).expect("a bundle");
    opened.index().clone()
}

/// A chunk, and a byte in it.
fn choose(index: &BundleIndex, random: &mut Random) -> (ChunkPlace, u64) {
    let chunk = random.place(index.chunks.len()) as u64;
    let place = index.chunk_place(chunk).expect("a chunk");
    (place, place.offset + random.below(place.size))
}

#[test]
fn an_extract_from_a_flaky_medium_ends_right_or_not_at_all() {
    let mut random = Random::new();
    let (mut once, mut twice) = (0, 0);
    for flag in ["--to", "--to-cache"] {
        let subject = Extract::of_noise(flag);
        let medium = match Medium::with(subject.bundle(), false) {
            Ok(medium) => medium,
            Err(reason) => return report(&format!("skipped: an extract from a flaky medium: {reason}")),
        };
        let sound = Place::of(&subject);
        let before = sound.tree(&subject);
        assert!(sound.run(&subject).status.success());
        let right = sound.tree(&subject);
        let index = index(subject.bundle());
        let on_medium = subject.at(&medium.at("x.run"));
        for _ in 0..rounds(2, 50) {
            let (chunk, at) = choose(&index, &mut random);
            let run = format!("x.run` bytes {} to {}", chunk.offset, chunk.offset + chunk.size);
            let what = format!("{flag}, byte {at} (seed {})", random.seed());
            // While it is verified, and while it is used.
            for wrong in [0, 1] {
                let place = Place::of(&on_medium);
                medium.spoil("x.run", at, &[wrong]);
                let output = place.run(&on_medium);
                let said = text(&output);
                assert!(output.status.success(), "{what}: {said}");
                assert!(said.contains(WARNING) && said.contains(&run), "{what}: {said}");
                let wrong = place.tree(&on_medium).differences(&right);
                assert_eq!(wrong, Vec::<String>::new(), "{what}");
                once += 1;
            }
            for wrong in [[0, 1], [1, 2]] {
                let place = Place::of(&on_medium);
                medium.spoil("x.run", at, &wrong);
                let output = place.run(&on_medium);
                let said = text(&output);
                assert_eq!(output.status.code(), Some(4), "{what}: {said}");
                assert!(said.contains("x.run` is damaged: chunk "), "{what}: {said}");
                let bytes = format!("bytes {} to {}", chunk.offset, chunk.offset + chunk.size);
                assert!(said.contains(&bytes), "{what}: {said}");
                assert_eq!(
                    place.tree(&on_medium).strangers(&before, &right),
                    Vec::<String>::new(),
                    "{what}"
                );
                // The medium recovers.
                let again = place.run(&on_medium);
                assert!(again.status.success(), "{what}: {}", text(&again));
                assert_eq!(
                    place.tree(&on_medium).differences(&right),
                    Vec::<String>::new(),
                    "{what}"
                );
                twice += 1;
            }
        }
    }
    report(&format!(
        "{once} extracts from a medium that read wrong once: right, and the person is told; {twice} where it read wrong twice: exit code 4, no wrong byte on the disk, the rerun ended well (seed {})",
        random.seed()
    ));
}

#[test]
fn a_repair_takes_a_flaky_medium_for_a_sound_one_that_is_flaky() {
    let mut random = Random::new();
    let subject = Extract::of_noise("--to");
    let medium = match Medium::with(subject.bundle(), false) {
        Ok(medium) => medium,
        Err(reason) => return report(&format!("skipped: a repair on a flaky medium: {reason}")),
    };
    let directory = directory();
    let repair = |bundle: &Path, from: &Path| {
        let mut command = at_home(stub::on(bundle), directory.path());
        let output = command
            .arg("repair")
            .arg("--from")
            .arg(from)
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    };
    let (flaky, copy) = (medium.at("x.run"), directory.path().join("x.run"));
    let index = index(subject.bundle());
    let count = rounds(2, 20);
    for _ in 0..count {
        let (_, at) = choose(&index, &mut random);
        medium.spoil("x.run", at, &[0]);
        let said = repair(&flaky, subject.bundle());
        assert!(
            said.contains(WARNING) && said.contains("is whole: nothing was changed"),
            "{said}"
        );
        // What is taken from it is right, too.
        let mut content = fs::read(subject.bundle()).unwrap();
        content[usize::try_from(at).unwrap()] ^= 1;
        fs::write(&copy, content).unwrap();
        medium.spoil("x.run", at, &[0]);
        let said = repair(&copy, &flaky);
        assert!(said.contains(WARNING) && said.contains("1 of "), "{said}");
        assert!(fs::read(&copy).unwrap() == fs::read(subject.bundle()).unwrap());
    }
    report(&format!(
        "{count} repairs of a copy that read wrong once, and {count} from one: nothing wrong was written (seed {})",
        random.seed()
    ));
}
