//! G16: a second reader, in Python, written from `FORMAT.md` alone, says the same of every
//! bundle, sound or hostile.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::corpus::{Case, cases};
use crate::draft::{Contents, Draft, Key};
use crate::effort::{Random, directory, long, report};

/// What it stands on.
const PROGRAMS: [&str; 3] = ["python3", "zstd", "minisign"];

fn read(bundle: &Path, key: Option<&str>) -> (i32, String) {
    let reader = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/reader.py");
    let output = Command::new("python3").arg(reader).arg(bundle).args(key).output();
    let output = output.expect("python3");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// The program that it needs and that is not here.
fn missing() -> Option<&'static str> {
    let missing = |program: &&str| Command::new(program).arg("--help").output().is_err();
    PROGRAMS.into_iter().find(missing)
}

#[test]
fn it_reads_the_frozen_bundles() {
    if let Some(program) = missing() {
        return report(&format!(
            "skipped: the frozen bundles by the second reader: there is no {program}"
        ));
    }
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1");
    let public = fs::read_to_string(directory.join("signed.pub")).unwrap();
    let public = public.lines().nth(1).unwrap();
    for (name, key) in [
        ("carried", None),
        ("dated", None),
        ("attestations", None),
        ("plain", None),
        ("signed", Some(public)),
        ("split", None),
    ] {
        let bundle = directory.join(format!("{name}.run"));
        assert_eq!(read(&bundle, key), (0, "whole\n".to_owned()), "{name}");
    }
}

#[test]
fn a_second_reader_written_from_the_format_alone_agrees() {
    if let Some(program) = missing() {
        return report(&format!("skipped: the second reader: there is no {program}"));
    }
    let (sound, key, directory) = (Draft::sound(), Key::new(), directory());
    let public = key.base64();
    let bundle = directory.path().join("x.run");
    for sound in [
        &Draft::of(&Contents::signed()),
        &Draft::of(&Contents::with_files()),
        &Draft::of(&Contents::with_applications()),
        &sound,
    ] {
        fs::write(&bundle, sound.finish(&key)).unwrap();
        assert_eq!(read(&bundle, Some(&public)), (0, "whole\n".to_owned()));
    }
    let mut random = Random::new();
    let mut chosen: Vec<Case> = cases();
    while !long() && chosen.len() > 40 {
        chosen.swap_remove(random.place(chosen.len()));
    }
    let mut wrong = Vec::new();
    for case in &chosen {
        fs::write(&bundle, case.bytes(&sound, &key)).unwrap();
        let (status, said) = read(&bundle, Some(&public));
        if status != case.status() {
            wrong.push(format!("{}: {status}, not {}: {said}", case.name, case.status()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} (seed {}):\n{}",
        wrong.len(),
        chosen.len(),
        random.seed(),
        wrong.join("\n")
    );
    report(&format!(
        "four sound bundles and {} hostile ones, with a second reader in Python: it agrees on each (seed {})",
        chosen.len(),
        random.seed()
    ));
}
