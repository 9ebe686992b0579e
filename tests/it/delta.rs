//! `pack --base` and `join`: the full bundle byte for byte, or nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use minikube_offline::bundle::Digest;
use minikube_offline::delta;
use minikube_offline::failure::{Failure, Kind};
use minikube_offline::progress::Silent;
use minikube_offline::trust::TrustedKeys;

use crate::support::effort::{Random, report, rounds};
use crate::support::keys::{Key, PASSWORD, with_password};
use crate::support::parts::{IMAGES, SampleParts, elf, file_name, noise, write_archive};
use crate::support::program::{Sandbox, bytes};

/// Magic, format, two lengths, seal.
const FRONT: usize = 56;
const SIGNATURE: usize = 138;

fn names(sandbox: &Sandbox, end: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(sandbox.path(".")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains(end)).collect()
}

/// Changes a binary and the layer of an image.
fn change(parts: &SampleParts, seed: &str) {
    let mut kubelet = elf(183, "binaries/kubelet");
    kubelet.extend(noise("kubelet", 300_000));
    kubelet.extend(noise(seed, 4000));
    fs::write(parts.directory().join("binaries/kubelet"), kubelet).unwrap();
    let mut layer = noise(IMAGES[0], 70_000);
    layer.splice(30_000..30_100, noise(seed, 200));
    let archive = parts.directory().join("images").join(file_name(IMAGES[0]));
    write_archive(&archive, IMAGES[0], &[layer]);
}

/// `a.run`, and `b.run` with `b.delta` that follows it.
fn pair(sandbox: &Sandbox, more: &[&str]) -> SampleParts {
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    change(&parts, "one");
    sandbox.pack(&parts, "a.run");
    change(&parts, "two");
    let more: Vec<&str> = ["--base=a.run"].into_iter().chain(more.iter().copied()).collect();
    sandbox.pack_with(&parts, "b.run", &more);
    parts
}

fn join(sandbox: &Sandbox, arguments: &[&str]) -> (i32, String) {
    let all = ["join"].into_iter().chain(arguments.iter().copied());
    let outcome = sandbox.packager(all);
    (outcome.status, outcome.stderr)
}

#[test]
fn a_chain_of_deltas_gives_the_full_bundle() {
    let sandbox = Sandbox::new();
    let parts = pair(&sandbox, &[]);
    change(&parts, "three");
    sandbox.pack_with(&parts, "c.run", &["--base=b.run"]);
    for (arguments, full) in [
        (&["a.run", "b.delta"][..], "b.run"),
        (&["b.run", "c.delta"], "c.run"),
        (&["a.run", "b.delta", "c.delta"], "c.run"),
    ] {
        let before = names(&sandbox, "");
        let all: Vec<&str> = arguments.iter().copied().chain(["-o", "new.run"]).collect();
        assert_eq!(join(&sandbox, &all).0, 0, "{:?}", join(&sandbox, &all));
        assert!(bytes(&sandbox.path("new.run")) == bytes(&sandbox.path(full)));
        fs::remove_file(sandbox.path("new.run")).unwrap();
        assert_eq!(names(&sandbox, ""), before, "nothing else is left");
    }
    let small = fs::metadata(sandbox.path("b.delta")).unwrap().len();
    assert!(small < 40_000, "{small} bytes for 8000 new ones");
}

#[test]
fn a_delta_with_another_base_is_refused_by_name() {
    let sandbox = Sandbox::new();
    let parts = pair(&sandbox, &[]);
    change(&parts, "three");
    sandbox.pack_with(&parts, "c.run", &["--base=b.run"]);
    for arguments in [
        &["b.run", "b.delta"][..],
        &["a.run", "c.delta"],
        &["a.run", "c.delta", "b.delta"],
        &["a.run", "b.delta", "b.delta"],
    ] {
        let all: Vec<&str> = arguments.iter().copied().chain(["-o", "new.run"]).collect();
        let (status, said) = join(&sandbox, &all);
        assert_eq!(status, 2, "{said}");
        assert!(said.contains(".delta`: expected the base `"), "{said}");
        assert!(said.contains("hint: name the bundle `"), "{said}");
    }
    let (status, said) = join(&sandbox, &["b.delta", "a.run", "-o", "new.run"]);
    assert_eq!(status, 2, "{said}");
    let (status, said) = join(&sandbox, &["a.run", "b.run", "-o", "new.run"]);
    assert_eq!(status, 2, "{said}");
    assert!(
        said.contains("`b.run` as a delta: it does not begin as one"),
        "{said}"
    );
    let (status, said) = join(&sandbox, &["none.run", "b.delta", "-o", "new.run"]);
    assert_eq!(status, 5, "{said}");
    let (status, said) = join(&sandbox, &["a.run", "b.delta", "-o", "a.run"]);
    assert_eq!(
        (status, said.contains("it is also an input")),
        (2, true),
        "{said}"
    );
    let mut damaged = bytes(&sandbox.path("a.run"));
    let middle = damaged.len() - 300_000;
    damaged[middle] ^= 1;
    fs::write(sandbox.path("a.run"), damaged).unwrap();
    let (status, said) = join(&sandbox, &["a.run", "b.delta", "-o", "new.run"]);
    assert_eq!(status, 4, "{said}");
    assert!(names(&sandbox, "new.run").is_empty());
}

#[test]
fn deltas_work_between_split_and_whole_bundles() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    change(&parts, "one");
    for (old, new) in [
        ("--split=1M", "--split=1M"),
        ("--level=max", "--split=1M"),
        ("--split=1M", "--level=fast"),
    ] {
        let place = sandbox.path("out");
        fs::create_dir(&place).unwrap();
        change(&parts, "one");
        sandbox.pack_with(&parts, "out/a.run", &[old]);
        change(&parts, "two");
        sandbox.pack_with(&parts, "out/b.run", &[new, "--base=out/a.run"]);
        fs::create_dir(sandbox.path("out/to")).unwrap();
        let (status, said) = join(&sandbox, &["out/a.run", "out/b.delta", "-o", "out/to/b.run"]);
        assert_eq!(status, 0, "{said}");
        let mut compared = 0;
        for entry in fs::read_dir(sandbox.path("out/to")).unwrap() {
            let entry = entry.unwrap();
            assert!(bytes(&entry.path()) == bytes(&place.join(entry.file_name())));
            compared += 1;
        }
        let split = new.starts_with("--split");
        assert!(if split { compared > 1 } else { compared == 1 }, "{compared}");
        fs::remove_dir_all(place).unwrap();
    }
}

#[test]
fn a_joined_bundle_keeps_its_signature() {
    let sandbox = Sandbox::new();
    let (key, other) = (Key::make(&sandbox, "one"), Key::make(&sandbox, "two"));
    let parts = pair(&sandbox, &[]);
    key.sign(&sandbox, &sandbox.path("a.run"));
    let mut line = vec!["pack".to_owned(), "-os.run".to_owned(), "--base=a.run".to_owned()];
    line.extend([
        format!("--sign-key={}", key.secret.display()),
        "--password-fd=0".to_owned(),
    ]);
    line.push(format!("--stub={}", sandbox.stub().display()));
    line.extend(parts.flags());
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let outcome = with_password(&sandbox, PASSWORD, &line);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let with =
        |key: &Key, delta: &str| join(&sandbox, &["a.run", delta, "-o", "new.run", "--key", &key.base64]);
    assert_eq!(with(&key, "s.delta").0, 0);
    assert!(bytes(&sandbox.path("new.run")) == bytes(&sandbox.path("s.run")));
    // Signed with none of the keys: base, delta.
    assert_eq!(with(&other, "s.delta").0, 3);
    let (status, said) = with(&key, "b.delta");
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("`b.delta` is not authentic: "), "{said}");
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

#[test]
fn generated_bundles_are_joined_to_equal_bytes() {
    let mut random = Random::new();
    let sandbox = Sandbox::new();
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let pairs = rounds(3, 60);
    for round in 0..pairs {
        for name in ["a.run", "b.run"] {
            for image in IMAGES {
                if random.below(3) == 0 {
                    let layers: Vec<Vec<u8>> = (0..=random.below(3))
                        .map(|_| noise(&random.below(4).to_string(), 1 + size(random.below(60_000))))
                        .collect();
                    let archive = parts.directory().join("images").join(file_name(image));
                    write_archive(&archive, image, &layers);
                }
            }
            let seed = random.below(3).to_string();
            fs::write(parts.directory().join("binaries/kubectl"), elf(183, &seed)).unwrap();
            let file = format!("--include={}", sandbox.path("note.txt").display());
            fs::write(sandbox.path("note.txt"), noise(&seed, size(random.below(5000)))).unwrap();
            let mut more = vec!["--level=fast", "--serial=1"];
            if random.below(2) == 0 {
                more.push(&file);
            }
            if name == "b.run" {
                more.push("--base=a.run");
            }
            sandbox.pack_with(&parts, name, &more);
        }
        let (base, delta) = (sandbox.path("a.run"), sandbox.path("b.delta"));
        let new = sandbox.path("new.run");
        delta::join(&base, &[delta], &new, &TrustedKeys::none(), &Silent).expect("joined");
        assert!(
            bytes(&new) == bytes(&sandbox.path("b.run")),
            "round {round}, seed {}",
            random.seed()
        );
        fs::remove_file(sandbox.path("b.run")).unwrap();
        fs::remove_file(sandbox.path("a.run")).unwrap();
    }
    report(&format!("{pairs} generated pairs were joined"));
}

/// The head of a delta under a seal that fits it.
fn sealed(delta: &[u8], head: &str, data: &[u8]) -> Vec<u8> {
    let mut front = delta[..12].to_vec();
    front.extend(u32::try_from(head.len()).unwrap().to_le_bytes());
    front.extend(((FRONT + head.len() + SIGNATURE + data.len()) as u64).to_le_bytes());
    let body = [head.as_bytes(), &[0; SIGNATURE]].concat();
    let seal = Digest::of(&[front.as_slice(), &body].concat());
    [front.as_slice(), seal.as_bytes(), &body, data].concat()
}

/// Every number in `json` exchanged for each of some others.
fn other_numbers(json: &str) -> Vec<String> {
    let mut found = Vec::new();
    let digits: Vec<usize> = (0..json.len())
        .filter(|at| json.as_bytes()[*at].is_ascii_digit() && [b':', b'['].contains(&json.as_bytes()[at - 1]))
        .collect();
    for at in digits {
        let length = json[at..].bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = json[at..at + length].parse().unwrap();
        for other in [0, number + 1, number.wrapping_sub(1), 1 << 27, 1 << 40, u64::MAX] {
            if other != number {
                found.push(format!("{}{other}{}", &json[..at], &json[at + length..]));
            }
        }
    }
    found
}

#[test]
fn hostile_deltas_are_refused_and_write_nothing() {
    let sandbox = Sandbox::new();
    pair(&sandbox, &["--level=fast"]);
    let delta = bytes(&sandbox.path("b.delta"));
    let full = bytes(&sandbox.path("b.run"));
    let head_bytes = u32::from_le_bytes(delta[12..16].try_into().unwrap()) as usize;
    let head = std::str::from_utf8(&delta[FRONT..FRONT + head_bytes]).unwrap();
    let data = &delta[FRONT + head_bytes + SIGNATURE..];
    assert!(
        sealed(&delta, head, data) == delta,
        "the test seals as the program does"
    );
    let mut hostile: Vec<Vec<u8>> = Vec::new();
    for cut in [
        0,
        1,
        7,
        8,
        55,
        56,
        57,
        FRONT + head_bytes,
        delta.len() / 2,
        delta.len() - 1,
    ] {
        hostile.push(delta[..cut].to_vec());
    }
    hostile.push([delta.as_slice(), b"x"].concat());
    for at in (0..FRONT).chain((FRONT..delta.len()).step_by(delta.len() / 40)) {
        let mut flipped = delta.clone();
        flipped[at] ^= 1 << (at % 8);
        hostile.push(flipped);
    }
    let numbers = other_numbers(head);
    let step = size(rounds(numbers.len() as u64 / 70 + 1, 1));
    hostile.extend(
        numbers
            .iter()
            .step_by(step)
            .map(|head| sealed(&delta, head, data)),
    );
    for (from, to) in [
        ("\"copy\"", "\"whole\""),
        ("\"level\":\"fast\"", "\"level\":\"max\""),
        ("\"level\":\"fast\"", "\"level\":\"default\""),
        ("\"front\":[{", "\"front\":[{\"path\":\"../../x\","),
        ("\"name\":\"", "\"name\":\"../"),
        ("{\"packer\"", "{ \"packer\""),
        ("sha256:", "sha256:0"),
        ("blake3:", "sha256:"),
    ] {
        if head.contains(from) {
            hostile.push(sealed(&delta, &head.replacen(from, to, 1), data));
        }
    }
    let (base, path, new) = (
        sandbox.path("a.run"),
        sandbox.path("h.delta"),
        sandbox.path("new.run"),
    );
    let before = names(&sandbox, "");
    let mut kinds = std::collections::BTreeMap::new();
    for (number, bad) in hostile.iter().enumerate() {
        fs::write(&path, bad).unwrap();
        let Err(error) = join_all(&base, &path, &new) else {
            // What says the same in other words gives the same bundle, and no other.
            assert!(bytes(&new) == full, "{number}");
            fs::remove_file(&new).unwrap();
            *kinds.entry("the same bundle").or_insert(0) += 1;
            continue;
        };
        assert!(
            [Kind::Damaged, Kind::Usage].contains(&error.kind),
            "{number}: {error}"
        );
        assert!(!error.hints.is_empty(), "{error}");
        *kinds.entry(error.kind.name()).or_insert(0) += 1;
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(names(&sandbox, ""), before, "nothing is left");
    assert!(hostile.len() > 150, "{}", hostile.len());
    report(&format!("{} hostile deltas: {kinds:?}", hostile.len()));
}

fn join_all(base: &Path, delta: &Path, new: &Path) -> Result<(), Failure> {
    let deltas: Vec<PathBuf> = vec![delta.to_owned()];
    delta::join(base, &deltas, new, &TrustedKeys::none(), &Silent)
        .map(drop)
        .map_err(Failure::from)
}

#[test]
fn a_full_disk_ends_a_join_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    pair(&sandbox, &[]);
    fs::create_dir(sandbox.path("out")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=400k none out
        status=0
        '{}' join a.run b.delta -o out/new.run || status=$?
        ls -A out
        exit $status",
        env!("CARGO_BIN_EXE_minikube-offline")
    );
    let Some(outcome) = sandbox.with_mounts(&script) else {
        return;
    };
    assert_eq!((outcome.status, &*outcome.stdout), (6, ""), "{outcome:?}");
    assert!(outcome.stderr.contains("error: cannot write `"), "{outcome:?}");
}
