//! What the library says of bundles that are sound, damaged, or in volumes: without a
//! process, and quick enough for `tests/mutants/run.sh` to run it some hundred times.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use minikube_offline::bundle::limits::CHUNK_BYTES;
use minikube_offline::bundle::{
    Arch, BinaryRole, ContainerRuntime, Digest, Extent, Hasher, Platform, volume_path,
};
use minikube_offline::failure::Failure;
use minikube_offline::progress::{Progress, Silent};
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::{OpenedBundle, VerifiedBundle, VerifyError};
use tempfile::TempDir;

use crate::draft::{Contents, Draft};
use crate::effort::{Random, directory};

fn verified(path: &Path) -> Result<VerifiedBundle, VerifyError> {
    OpenedBundle::open(path, &TrustedKeys::none()).and_then(|opened| opened.verify(&Silent))
}

/// A bundle of not quite three chunks, in two frames that share the second one.
static LARGE: LazyLock<Draft> = LazyLock::new(|| {
    let mut random = Random::with_seed(7);
    let mut contents = Contents::small();
    contents.layers[0] = random.bytes(1_200_000);
    contents.programs[2] = random.bytes(1_700_000);
    Draft::of(&contents)
});

/// A bundle in a directory of its own, flipped here and there.
pub(crate) struct Bundle {
    draft: Draft,
    pub(crate) path: PathBuf,
    _directory: TempDir,
}

impl Bundle {
    pub(crate) fn whole() -> Self {
        Self::of(LARGE.clone())
    }

    pub(crate) fn of(draft: Draft) -> Self {
        let directory = directory();
        let path = directory.path().join("x.run");
        fs::write(&path, draft.finish_unsigned()).unwrap();
        Self {
            draft,
            path,
            _directory: directory,
        }
    }

    /// The same payload in three volumes of a chunk, the last a short one.
    pub(crate) fn split() -> Self {
        let mut draft = LARGE.clone();
        let payload = draft.stored.concat();
        let volumes: Vec<&[u8]> = payload.chunks(usize::try_from(CHUNK_BYTES).unwrap()).collect();
        draft.index.volumes = volumes
            .iter()
            .map(|volume| Extent {
                size: volume.len() as u64,
                sha256: Digest::of(volume),
            })
            .collect();
        draft.stored.clear();
        let bundle = Self::of(draft);
        for (number, volume) in (1..).zip(volumes) {
            fs::write(bundle.volume(number), volume).unwrap();
        }
        bundle
    }

    fn volume(&self, number: usize) -> PathBuf {
        volume_path(&self.path, number)
    }

    fn flip(path: &Path, offset: u64) {
        let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, offset).unwrap();
        file.write_all_at(&[byte[0] ^ 1], offset).unwrap();
    }

    pub(crate) fn error(&self) -> VerifyError {
        verified(&self.path).expect_err("something is wrong")
    }

    fn says(&self) -> String {
        let directory = format!("{}/", self.path.parent().unwrap().display());
        self.error().to_string().replace(&directory, "")
    }
}

#[test]
fn only_a_regular_file_is_a_bundle() {
    let directory = directory();
    let pipe = directory.path().join("pipe");
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    // Nobody writes to the pipe, and nobody is waited for.
    for path in [directory.path(), &pipe, Path::new("/dev/null")] {
        match verified(path) {
            Err(VerifyError::Read { source, .. }) => {
                assert_eq!(source.to_string(), "it is not a regular file");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_bundle_is_as_long_as_its_files_together() {
    for bundle in [Bundle::whole(), Bundle::split()] {
        let mut total = fs::metadata(&bundle.path).unwrap().len();
        for number in 1..=bundle.draft.index.volumes.len() {
            total += fs::metadata(bundle.volume(number)).unwrap().len();
        }
        let opened = OpenedBundle::open_to_show(&bundle.path, &TrustedKeys::none()).unwrap();
        assert_eq!(opened.total_bytes(), total);
        assert_eq!(
            opened.trailer().total_bytes,
            fs::metadata(&bundle.path).unwrap().len()
        );
        assert_eq!(verified(&bundle.path).unwrap().total_bytes(), total);
    }
}

#[test]
fn every_member_is_given_out_whole_however_it_is_read() {
    for bundle in [Bundle::whole(), Bundle::split()] {
        let verified = verified(&bundle.path).unwrap();
        verified.verify_parts(&Silent).unwrap();
        verified.verify_volumes(&Silent).unwrap();
        let index = verified.index();
        let mut members = verified.members(|_| true);
        for expected in &index.members {
            let mut reader = members.next_member().unwrap().expect("one more");
            assert_eq!(reader.member(), expected);
            let mut hasher = Hasher::new();
            let (mut piece, mut size) = ([0; 1000], 0);
            loop {
                match reader.read(&mut piece).unwrap() {
                    0 => break,
                    count => {
                        hasher.update(&piece[..count]);
                        size += count as u64;
                    }
                }
            }
            assert_eq!((size, hasher.finish()), (expected.size, expected.sha256));
        }
        assert!(members.next_member().unwrap().is_none());
        // One of each frame and only a part of it, and what lies between is skipped.
        let wanted = [0, index.members.len() - 2].map(|at| &index.members[at].path);
        let mut members = verified.members(|member| wanted.contains(&&member.path));
        for path in wanted {
            let mut reader = members.next_member().unwrap().expect("one more");
            assert_eq!(reader.member().path, *path);
            assert_eq!(reader.read(&mut [0; 10]).unwrap(), 10);
        }
        assert!(members.next_member().unwrap().is_none());
    }
}

#[test]
fn the_frozen_bundles_are_read() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1");
    for name in ["carried", "attestations", "plain", "signed", "split"] {
        let bundle = verified(&directory.join(format!("{name}.run"))).unwrap();
        bundle.verify_parts(&Silent).unwrap();
        bundle.verify_volumes(&Silent).unwrap();
    }
}

#[test]
fn an_index_tells_sizes_and_what_a_platform_has() {
    let draft = Draft::of(&Contents {
        files: Contents::with_files().files,
        ..Contents::signed()
    });
    let (index, plain) = (&draft.index, draft.plain.concat().len());
    assert_eq!(index.plain_size(), plain as u64);
    let manifest = index.images[1].manifest;
    let of_manifest = index.members.iter().find(|it| it.sha256 == manifest).unwrap();
    assert_eq!(index.blob_size(manifest), Some(of_manifest.size));
    assert_eq!(index.blob_size(Digest::of(b"another")), None);
    assert_eq!(index.attestations().count(), 2);
    let platform = Platform::of_this_machine().unwrap();
    let other = Platform {
        arch: Arch::ALL.into_iter().find(|arch| *arch != platform.arch).unwrap(),
    };
    assert!(index.on(other).is_none());
    let view = index.on(platform).unwrap();
    assert_eq!(
        (view.platform(), view.name(), view.serial()),
        (platform, "draft", 7)
    );
    assert_eq!(view.kubernetes_version().to_string(), "v1.35.4");
    assert_eq!(view.container_runtime(), ContainerRuntime::Docker);
    assert_eq!(view.members(), index.members);
    assert_eq!(view.node_image(), &index.images[0]);
    assert!(view.cluster_images().eq(&index.images[1..]));
    assert!(view.images().eq(&index.images) && view.binaries().eq(&index.binaries));
    assert_eq!(view.signature_files().count(), 2 + 3);
    assert_eq!((view.files(), view.files().len()), (&index.files[..], 3));
    for role in BinaryRole::ALL {
        assert_eq!(view.binary(role).role, role);
    }
}

#[test]
fn chunks_are_found_in_volumes_of_several() {
    let mut index = LARGE.index.clone();
    let payload = index.payload_size();
    let sha256 = Digest::of(b"");
    let volume = |size| Extent { size, sha256 };
    index.volumes = vec![volume(2 * CHUNK_BYTES), volume(payload - 2 * CHUNK_BYTES)];
    index.encode().unwrap();
    assert_eq!([1, 2].map(|number| index.first_chunk(number)), [0, 2]);
    let place = |number| index.chunk_place(number).map(|it| (it.file, it.offset, it.size));
    assert_eq!(place(0), Some((1, 0, CHUNK_BYTES)));
    assert_eq!(place(1), Some((1, CHUNK_BYTES, CHUNK_BYTES)));
    assert_eq!(place(2), Some((2, 0, payload - 2 * CHUNK_BYTES)));
    assert_eq!((place(3), place(u64::MAX)), (None, None));
    let mut even = index.clone();
    even.frames[1].size -= payload - 2 * CHUNK_BYTES;
    assert_eq!(even.chunk_place(2), None, "nothing is left for it");
    index.volumes[1].size -= 1;
    let error = index.encode().unwrap_err().to_string();
    assert!(error.ends_with("the volumes do not hold the payload"), "{error}");
}

#[test]
fn a_damaged_chunk_is_named_with_what_is_in_it() {
    let small = Bundle::of(Draft::sound());
    let start = small.draft.index.payload_offset();
    Bundle::flip(&small.path, start);
    let count = small.draft.index.members.len() - 3;
    let says = format!(
        "`x.run` is damaged: chunk 0 of 1, with `images/oci-layout`, `images/index.json`, \
         `images/manifest.json` or {count} more in it, bytes {start} to {}, has digest ",
        start + small.draft.index.payload_size()
    );
    assert!(small.says().starts_with(&says), "{}", small.says());
    // In the third chunk lies the second frame alone.
    let large = Bundle::whole();
    let start = start + 2 * CHUNK_BYTES;
    Bundle::flip(&large.path, start + 5);
    let programs: Vec<String> = large.draft.index.members[large.draft.index.members.len() - 4..]
        .iter()
        .map(|member| format!("`{}`", member.path))
        .collect();
    let says = format!(
        "`x.run` is damaged: chunk 2 of 3, with {} or 1 more in it, bytes {start} to {}, ",
        programs[..3].join(", "),
        large.draft.index.tail_offset()
    );
    assert!(large.says().starts_with(&says), "{}", large.says());
    // In the first one the first alone, in the second both.
    let images = large.draft.index.members.len() - 4;
    for (chunk, others) in [(0, images - 3), (1, images + 1)] {
        names_others(&large, chunk, others);
    }
    // Where a frame ends with a chunk, no other is named.
    let mut even = Draft::sound();
    even.stored[0] = Random::with_seed(7).bytes(usize::try_from(CHUNK_BYTES).unwrap());
    even.fit();
    let even = Bundle::of(even);
    names_others(&even, 0, images - 3);
    names_others(&even, 1, 1);
}

/// A flipped bit of `chunk` is told with three names and `others`.
fn names_others(bundle: &Bundle, chunk: u64, others: usize) {
    let place = bundle.draft.index.payload_offset() + chunk * CHUNK_BYTES;
    Bundle::flip(&bundle.path, place);
    let says = bundle.says();
    assert!(says.contains(&format!(": chunk {chunk} of ")), "{says}");
    assert!(
        says.contains(&format!("` or {others} more in it, bytes {place} ")),
        "{says}"
    );
    Bundle::flip(&bundle.path, place);
}

#[test]
fn of_several_damaged_chunks_the_first_is_named() {
    let bundle = Bundle::whole();
    let start = bundle.draft.index.payload_offset();
    for chunk in [1, 0] {
        Bundle::flip(&bundle.path, start + chunk * CHUNK_BYTES + 1);
    }
    // Two workers find them in either order.
    for _ in 0..30 {
        match bundle.error() {
            VerifyError::Damaged(damage) => assert_eq!(damage.offset, start),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_wrong_with_volumes_is_told() {
    let bundle = Bundle::split();
    let [one, two, three] = [1, 2, 3].map(|number| bundle.volume(number));
    let swap = |a: &Path, b: &Path| {
        let aside = bundle.path.with_extension("aside");
        fs::rename(a, &aside).unwrap();
        fs::rename(b, a).unwrap();
        fs::rename(&aside, b).unwrap();
    };
    swap(&one, &two);
    match bundle.error() {
        VerifyError::Misplaced { volumes } => {
            let told: Vec<_> = volumes.iter().map(|it| (it.path.clone(), it.number)).collect();
            assert_eq!(told, [(one.clone(), 2), (two.clone(), 1)]);
        }
        other => panic!("{other:?}"),
    }
    let says = "`x.run.001` is volume 2, `x.run.002` is volume 1";
    assert!(bundle.says().contains(says), "{}", bundle.says());
    swap(&one, &two);
    // The last one is shorter: it is told before anything is hashed.
    swap(&two, &three);
    match OpenedBundle::open(&bundle.path, &TrustedKeys::none()) {
        Err(VerifyError::Misplaced { volumes }) => assert_eq!(volumes.len(), 2),
        other => panic!("{other:?}"),
    }
    swap(&two, &three);
    // One that is there twice, in the place of one of its length, and of another.
    for (copied, number) in [(&two, 2), (&three, 3)] {
        let right = fs::read(copied).unwrap();
        fs::copy(&one, copied).unwrap();
        match bundle.error() {
            VerifyError::Misplaced { volumes } => {
                let told: Vec<_> = volumes.iter().map(|it| (&it.path, it.number, it.twice)).collect();
                assert_eq!(told, [(copied, 1, true)]);
            }
            other => panic!("{other:?}"),
        }
        let says = format!("`x.run.{number:03}` is a second copy of volume 1");
        assert!(bundle.says().contains(&says), "{}", bundle.says());
        // And the first chunk of one alone is not it.
        fs::write(copied, [fs::read(&one).unwrap(), vec![0]].concat()).unwrap();
        match bundle.error() {
            VerifyError::VolumeLength { path, .. } => assert_eq!(path, *copied),
            other => panic!("{other:?}"),
        }
        fs::write(copied, right).unwrap();
    }
    Bundle::flip(&two, 7);
    match bundle.error() {
        VerifyError::Damaged(damage) => {
            assert_eq!((&damage.path, damage.offset, damage.size), (&two, 0, CHUNK_BYTES));
        }
        other => panic!("{other:?}"),
    }
    Bundle::flip(&two, 7);
    let content = fs::read(&three).unwrap();
    fs::write(&three, &content[1..]).unwrap();
    match bundle.error() {
        VerifyError::VolumeLength {
            path,
            number: 3,
            count: 3,
            expected,
            found,
        } => assert_eq!(
            (path, expected, found),
            (three.clone(), content.len() as u64, content.len() as u64 - 1)
        ),
        other => panic!("{other:?}"),
    }
    fs::remove_file(&three).unwrap();
    match bundle.error() {
        VerifyError::MissingVolumes {
            count: 3,
            missing,
            spelled: None,
            ..
        } => {
            assert_eq!((missing.len(), &missing[0].path), (1, &three));
        }
        other => panic!("{other:?}"),
    }
    let large = three.with_file_name("X.RUN.003");
    fs::write(&large, "").unwrap();
    match bundle.error() {
        VerifyError::MissingVolumes { spelled, .. } => assert_eq!(spelled.as_ref(), Some(&large)),
        other => panic!("{other:?}"),
    }
    fs::remove_file(&large).unwrap();
    let named = |at: usize| {
        let Extent { size, sha256 } = bundle.draft.index.volumes[at];
        format!("`x.run.{:03}` ({size} bytes, {sha256})", at + 1)
    };
    let says = format!(
        "`x.run` is split, and 1 of its 3 volumes is missing: {}",
        named(2)
    );
    assert_eq!(bundle.says(), says);
    fs::rename(&one, bundle.path.with_extension("aside")).unwrap();
    let says = format!(
        "`x.run` is split, and 2 of its 3 volumes are missing: {}, {}",
        named(0),
        named(2)
    );
    assert_eq!(bundle.says(), says);
    fs::rename(bundle.path.with_extension("aside"), &one).unwrap();
    // One that is there and cannot be opened is not missing.
    symlink(&three, &three).unwrap();
    match bundle.error() {
        VerifyError::Read { path, .. } => assert_eq!(path, three),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_volume_has_the_digest_that_sha256sum_is_compared_with() {
    let mut bundle = Bundle::split();
    bundle.draft.index.volumes[1].sha256 = Digest::of(b"another");
    fs::write(&bundle.path, bundle.draft.finish_unsigned()).unwrap();
    // Its chunks are right.
    let error = verified(&bundle.path)
        .unwrap()
        .verify_volumes(&Silent)
        .unwrap_err();
    let says = "x.run.002` has another SHA-256 than the index says";
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn every_bad_chunk_is_told_of_and_not_the_first_alone() {
    let bundle = Bundle::whole();
    let start = bundle.draft.index.payload_offset();
    for chunk in 0..3 {
        Bundle::flip(&bundle.path, start + chunk * CHUNK_BYTES + 7);
    }
    assert!(bundle.says().contains("; so are 2 others of the 3 chunks: "));
}

#[test]
fn the_hashing_of_a_bad_chunk_is_progress_too() {
    #[derive(Default)]
    struct Counted(AtomicU64);
    impl Progress for Counted {
        fn begin(&self, _: &str, _: Option<u64>) {}
        fn advance(&self, bytes: u64) {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }
        fn note(&self, _: &str) {}
        fn end(&self, _: &str) {}
    }
    let bundle = Bundle::whole();
    Bundle::flip(&bundle.path, bundle.draft.index.payload_offset());
    let counted = Counted::default();
    let opened = OpenedBundle::open(&bundle.path, &TrustedKeys::none()).unwrap();
    opened.verify(&counted).unwrap_err();
    assert_eq!(counted.0.into_inner(), bundle.draft.index.payload_size());
}

#[test]
fn a_directory_in_a_bundles_place_is_called_one() {
    let directory = directory();
    let failure = Failure::from(verified(directory.path()).expect_err("it is a directory"));
    assert!(failure.hints.concat().starts_with("it is a directory: "));
}

#[test]
fn a_key_in_a_bundles_place_is_called_one() {
    let directory = directory();
    for (text, is_key) in [
        ("untrusted comment: minisign public key\nRWQ\n", true),
        ("untrusted comment\n", false),
        ("", false),
    ] {
        let path = directory.path().join("x.run");
        fs::write(&path, text).unwrap();
        let error = verified(&path).expect_err("no bundle");
        assert_eq!(matches!(error, VerifyError::Key { .. }), is_key, "{error}");
    }
}
