//! The files of whoever packed a bundle: their names become names on a machine.

use minikube_offline::bundle::{Attestation, BundleIndex, Digest, FileRole};

use super::Case;
use crate::draft::{Contents, Draft};

const JSON: &str = "the index is not format 1";
const NAME: &str = "has the name";
const ORDER: &str = "the files are not in order, or one is there twice";
const OTHER: &str = "is not the file that it says";

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = names().into_iter().map(named).collect();
    cases.extend(parts());
    cases.extend(texts());
    cases
}

/// A bundle with three files, spoilt.
fn with_files(name: &str, says: &str, spoil: impl Fn(&mut BundleIndex) + Sync + 'static) -> Case {
    Case::draft(name, says, move |draft| {
        *draft = Draft::of(&Contents::with_files());
        spoil(&mut draft.index);
    })
}

/// Names that lead out of their directory, hide there, or cannot be told apart.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "",
        ".",
        "..",
        "../../.ssh/authorized_keys",
        "/etc/cron.d/x",
        ".bashrc",
        "-rf",
        "a/b",
        "a b",
        "\u{e4}.yaml",
        "a\u{1b}[2J",
        "a\nb",
        "a\\b",
        "a:b",
    ]
    .map(str::to_owned)
    .into();
    names.push("x".repeat(81));
    names
}

/// The last file, and its member, with this name.
fn named(name: String) -> Case {
    // What a tar header cannot hold is no member's path, either.
    let is_path = name.bytes().all(|byte| byte.is_ascii_graphic());
    let says = if is_path { NAME } else { "no part needs" };
    with_files(&format!("a file with the name {name:?}"), says, move |index| {
        index.files[2].name.clone_from(&name);
        let path = index.files[2].member_path();
        index.members.last_mut().expect("the file").path = path;
        index.files.sort_by_key(|file| (file.role, file.name.clone()));
    })
}

fn parts() -> Vec<Case> {
    vec![
        with_files("files the wrong way round", ORDER, |index| index.files.swap(1, 2)),
        with_files("a manifest behind a file", ORDER, |index| index.files.swap(0, 1)),
        with_files("a file twice", ORDER, |index| {
            index.files[2] = index.files[1].clone();
            index.members.pop();
            index.frames[1].members -= 1;
            index.frames[1].plain_size -= 1024;
        }),
        with_files("a file of another size", OTHER, |index| index.files[1].size += 1),
        with_files("a file of another content", OTHER, |index| {
            index.files[1].sha256 = Digest::of(b"other");
        }),
        with_files("a file that is not there", "is missing", |index| {
            let mut more = index.files[2].clone();
            "third.txt".clone_into(&mut more.name);
            index.files.push(more);
        }),
        with_files("a file that no part is", "no part needs", |index| {
            index.files.pop();
        }),
        with_files("a file as a manifest", "no part needs", |index| {
            index.files[1].role = FileRole::Manifest;
        }),
        with_files("a program as a file", "no part needs", |index| {
            let member = index.members.last_mut().expect("the file");
            "bin/linux/amd64/other.txt".clone_into(&mut member.path);
        }),
        with_files(
            "a file with a publisher's signature",
            "and no publisher",
            |index| {
                let digest = Digest::of(b"kind: App\n");
                index.files[0].origin.attestations.push(Attestation {
                    url: "https://publisher.example/app.sig".to_owned(),
                    documents: Vec::new(),
                    signature: digest,
                    certificates: vec![digest],
                    log: None,
                });
            },
        ),
    ]
}

/// One piece of the index's text is another.
fn texts() -> Vec<Case> {
    let lists = r#""image_indexes":[]"#;
    vec![
        Case::replace(
            "files that are none",
            "the index is not in its canonical form",
            lists,
            r#""image_indexes":[],"files":[]"#,
        ),
        Case::replace(
            "files that are null",
            JSON,
            lists,
            r#""image_indexes":[],"files":null"#,
        ),
        Case::replace(
            "a file with a role of its own",
            JSON,
            lists,
            r#""image_indexes":[],"files":[{"role":"program","name":"x","size":0,"sha256":"","origin":{}}]"#,
        ),
    ]
}
