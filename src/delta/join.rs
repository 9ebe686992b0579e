//! A base and deltas become the bundle that was packed, byte for byte.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::file::DeltaFile;
use super::head::{FrameDelta, Head, Identity, Piece, made};
use super::output::Output;
use super::{DeltaError, patch, spool};
use crate::bundle::{BundleIndex, Frame, Signature, TAIL_HEADER_BYTES, Trailer, limits, member_span};
use crate::host::interrupt;
use crate::pack::frame_encoder;
use crate::progress::Progress;
use crate::trust::TrustedKeys;
use crate::verify::{OpenedBundle, VerifiedBundle, VerifyError};

/// What was joined.
#[derive(Debug)]
pub struct Joined {
    /// The bundle, verified where it has its name now.
    pub result: Identity,
    /// Its length in bytes, its volumes included.
    pub total_bytes: u64,
    /// How many volumes it has.
    pub volumes: usize,
}

/// Joins the bundle at `base` and `deltas`, which follow one another, to the bundle `output`.
pub fn join(
    base: &Path,
    deltas: &[PathBuf],
    output: &Path,
    trusted: &TrustedKeys,
    progress: &dyn Progress,
) -> Result<Joined, DeltaError> {
    let inputs = std::iter::once(base).chain(deltas.iter().map(PathBuf::as_path));
    refuse_same(output, inputs)?;
    let opened = OpenedBundle::open(base, trusted)?;
    let deltas = deltas
        .iter()
        .map(|path| DeltaFile::open(path, trusted))
        .collect::<Result<Vec<_>, _>>()?;
    // All of the chain before the first byte of it.
    let mut identity = Identity::of(opened.index(), &encoded(opened.index()));
    for delta in &deltas {
        refuse_other(delta, &identity, base)?;
        identity = delta.head.result.clone();
    }
    let mut bundle = opened.verify(progress)?;
    let mut between: Option<Between> = None;
    let last = deltas.len().saturating_sub(1);
    for (number, delta) in deltas.iter().enumerate() {
        let target = if number == last {
            output.to_owned()
        } else {
            between_path(output, number)
        };
        let made = join_one(&bundle, delta, &target, trusted, progress)?;
        if number == last {
            return Ok(made);
        }
        let next = Between(target.clone(), made.volumes);
        bundle = OpenedBundle::open(&target, trusted)?.verify(progress)?;
        between = Some(next);
    }
    drop(between);
    unreachable!("the command line asks for a delta")
}

/// A bundle in the middle of a chain; it goes away when the next is made.
struct Between(PathBuf, usize);

impl Drop for Between {
    fn drop(&mut self) {
        let volumes = (1..=self.1).map(|number| crate::bundle::volume_path(&self.0, number));
        for path in std::iter::once(self.0.clone()).chain(volumes) {
            let _ = fs::remove_file(path);
        }
    }
}

/// The same in each run: the next one takes the place of what a killed one left.
fn between_path(output: &Path, number: usize) -> PathBuf {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!(".{name}.join-{}", number + 1))
}

fn encoded(index: &BundleIndex) -> Vec<u8> {
    index.encode().expect("it was read")
}

fn refuse_same<'a>(output: &Path, inputs: impl Iterator<Item = &'a Path>) -> Result<(), DeltaError> {
    let identity = |path: &Path| fs::metadata(path).ok().map(|facts| (facts.dev(), facts.ino()));
    let there = identity(output);
    for input in inputs {
        if there.is_some() && identity(input) == there {
            return Err(DeltaError::Same {
                path: output.to_owned(),
            });
        }
    }
    Ok(())
}

fn refuse_other(delta: &DeltaFile, found: &Identity, base: &Path) -> Result<(), DeltaError> {
    let Head {
        base: expected,
        zstd,
        packer,
        ..
    } = &delta.head;
    if expected != found {
        return Err(DeltaError::OtherBase {
            path: delta.path.clone(),
            expected: Box::new(expected.clone()),
            base: base.to_owned(),
            found: Box::new(found.clone()),
        });
    }
    let own = zstd::zstd_safe::version_number();
    if *zstd != own {
        let words = |number: u32| format!("{}.{}.{}", number / 10000, number / 100 % 100, number % 100);
        return Err(DeltaError::OtherZstd {
            path: delta.path.clone(),
            expected: words(*zstd),
            found: words(own),
            packer: packer.clone(),
        });
    }
    Ok(())
}

/// Where the pieces of a run take bytes of the base from.
enum Source<'a> {
    File(&'a File),
    Bytes(&'a [u8]),
}

impl Source<'_> {
    fn range(&self, from: u64, size: u64) -> io::Result<Vec<u8>> {
        match self {
            Self::File(file) => spool::range(file, from, size),
            Self::Bytes(bytes) => {
                let from = usize::try_from(from).map_err(|_| io::ErrorKind::UnexpectedEof)?;
                let size = usize::try_from(size).map_err(|_| io::ErrorKind::UnexpectedEof)?;
                let end = from.checked_add(size).ok_or(io::ErrorKind::UnexpectedEof)?;
                Ok(bytes.get(from..end).ok_or(io::ErrorKind::UnexpectedEof)?.to_vec())
            }
        }
    }
}

/// Takes pieces in the order of their data.
struct Applier<'a> {
    delta: &'a DeltaFile,
    next: u64,
}

impl Applier<'_> {
    fn apply(
        &mut self,
        pieces: &[Piece],
        source: &Source<'_>,
        mut out: impl FnMut(&[u8]) -> Result<(), DeltaError>,
    ) -> Result<(), DeltaError> {
        for piece in pieces {
            interrupt::check()?;
            if piece.data > 0 {
                let prefix = self.of_base(source, piece.from, piece.prefix)?;
                let data = self.delta.data(self.next, piece.data)?;
                self.next += piece.data;
                let size = usize::try_from(piece.size).expect("limited by the head");
                let made = patch::apply(&prefix, &data, size);
                out(&made.map_err(|error| self.wrong(format!("a patch does not decode: {error}")))?)?;
                continue;
            }
            let (mut from, mut left) = (piece.from, piece.size);
            while left > 0 {
                let now = left.min(limits::CHUNK_BYTES);
                out(&self.of_base(source, from, now)?)?;
                (from, left) = (from + now, left - now);
            }
        }
        Ok(())
    }

    fn of_base(&self, source: &Source<'_>, from: u64, size: u64) -> Result<Vec<u8>, DeltaError> {
        let bytes = source.range(from, size);
        bytes.map_err(|error| self.wrong(format!("it takes bytes that the base lacks: {error}")))
    }

    fn wrong(&self, reason: String) -> DeltaError {
        DeltaError::Result {
            path: self.delta.path.clone(),
            reason,
        }
    }
}

fn join_one(
    base: &VerifiedBundle,
    delta: &DeltaFile,
    path: &Path,
    trusted: &TrustedKeys,
    progress: &dyn Progress,
) -> Result<Joined, DeltaError> {
    let head = &delta.head;
    let mut output = Output::create(path)?;
    let wrong = |reason: &str| DeltaError::Result {
        path: delta.path.clone(),
        reason: reason.to_owned(),
    };
    let base_index = base.index();
    let json = encoded(base_index);
    let front_bytes = base_index.payload_offset();
    let tail = tail(base, delta, &json)?;
    let index = parse_tail(&tail).ok_or_else(|| wrong("it has no index"))?;
    if Identity::of(&index, &encoded(&index)) != head.result {
        return Err(wrong("its index is another one"));
    }
    check_sizes(head, base_index, &index).ok_or_else(|| wrong("its pieces do not make its frames"))?;
    output.split_as(&index)?;
    let directory = directory_of(path);
    let tar = spool::tar_of(base, wanted(head, base_index), directory, progress)?;

    progress.begin("join", Some(index.payload_size()));
    let mut applier = Applier { delta, next: 0 };
    let first = Source::File(base.first_file());
    let temporary = output.temporary().to_owned();
    let failed = |source: io::Error| match source.kind() {
        // Of the delta, not of the disk.
        io::ErrorKind::InvalidData => wrong(&source.to_string()),
        _ => DeltaError::Write {
            path: temporary.clone(),
            source,
        },
    };
    debug_assert!(made(&head.front, front_bytes).is_some(), "checked");
    applier.apply(&head.front, &first, |bytes| {
        output.first().write_all(bytes).map_err(failed)
    })?;
    for (frame, how) in index.frames.iter().zip(&head.frames) {
        match how {
            FrameDelta::Copy(from) => {
                let mut stored = base.stored(*from, frame.size);
                copy(&mut stored, &mut output, base.path(), &temporary)?;
            }
            FrameDelta::Whole(pieces) => applier.apply(pieces, &Source::Bytes(&[]), |bytes| {
                output.write_all(bytes).map_err(failed)
            })?,
            FrameDelta::Compress { level, pieces } => {
                let limited = Limited {
                    out: &mut output,
                    left: frame.size,
                };
                let mut encoder = frame_encoder(limited, *level, frame.plain_size).map_err(failed)?;
                applier.apply(pieces, &Source::File(&tar), |bytes| {
                    encoder.write_all(bytes).map_err(failed)
                })?;
                let rest = encoder.finish().map_err(failed)?.left;
                if rest > 0 {
                    return Err(wrong("a frame came out shorter than it was packed"));
                }
            }
        }
        progress.advance(frame.size);
    }
    output.first().write_all(&tail).map_err(failed)?;
    progress.end("");
    // The very check that every bundle goes through before it is used.
    let verified = OpenedBundle::open(output.temporary(), trusted)
        .and_then(|opened| opened.verify(progress))
        .map_err(|error| match error {
            // Of the disk, not of the delta.
            VerifyError::Read { .. } => error.into(),
            error => wrong(&error.to_string()),
        })?;
    let joined = Joined {
        result: head.result.clone(),
        total_bytes: verified.total_bytes(),
        volumes: index.volumes.len(),
    };
    output.publish()?;
    Ok(joined)
}

/// What follows the payload of the result. Its pieces have the last of the data.
fn tail(base: &VerifiedBundle, delta: &DeltaFile, json: &[u8]) -> Result<Vec<u8>, DeltaError> {
    let head = &delta.head;
    let most = limits::INDEX_BYTES + (TAIL_HEADER_BYTES + Signature::RUN_BYTES + Trailer::BYTES) as u64;
    let here = made(&head.tail, json.len() as u64).filter(|bytes| *bytes <= most);
    let front_most = limits::HEADER_BYTES + 2 * limits::STUB_BYTES;
    let front = made(&head.front, base.index().payload_offset()).filter(|bytes| *bytes <= front_most);
    if here.is_none() || front.is_none() {
        return Err(DeltaError::Result {
            path: delta.path.clone(),
            reason: "its pieces are out of their limits".to_owned(),
        });
    }
    let mine: u64 = head.tail.iter().map(|piece| piece.data).sum();
    let next = head.data_bytes - mine;
    let mut tail = Vec::new();
    Applier { delta, next }.apply(&head.tail, &Source::Bytes(json), |bytes| {
        tail.extend_from_slice(bytes);
        Ok(())
    })?;
    Ok(tail)
}

fn parse_tail(tail: &[u8]) -> Option<BundleIndex> {
    let end = tail.len().checked_sub(Signature::RUN_BYTES + Trailer::BYTES)?;
    BundleIndex::parse(tail.get(TAIL_HEADER_BYTES..end)?).ok()
}

/// Every frame comes out as long as the index says.
fn check_sizes(head: &Head, base: &BundleIndex, index: &BundleIndex) -> Option<()> {
    let fits = |(frame, how): (&Frame, &FrameDelta)| match how {
        FrameDelta::Copy(from) => from
            .checked_add(frame.size)
            .is_some_and(|end| end <= base.payload_size()),
        FrameDelta::Compress { pieces, .. } => made(pieces, base.plain_size()) == Some(frame.plain_size),
        FrameDelta::Whole(pieces) => made(pieces, 0) == Some(frame.size),
    };
    let front = made(&head.front, base.payload_offset()) == Some(index.payload_offset());
    let all = head.frames.len() == index.frames.len() && index.frames.iter().zip(&head.frames).all(fits);
    (front && all).then_some(())
}

/// The members of the base that some piece takes bytes from.
fn wanted(head: &Head, base: &BundleIndex) -> impl Fn(&crate::bundle::Member) -> bool + Send + use<> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for frame in &head.frames {
        if let FrameDelta::Compress { pieces, .. } = frame {
            let reach = |piece: &Piece| if piece.data == 0 { piece.size } else { piece.prefix };
            ranges.extend(pieces.iter().map(|piece| (piece.from, piece.from + reach(piece))));
        }
    }
    ranges.retain(|(from, end)| from < end);
    ranges.sort_unstable();
    let begin = spool::offsets(base);
    let used = base.members.iter().zip(begin).filter(|(member, begin)| {
        let end = begin + member_span(member.size).expect("checked by the index");
        // What begins before the end of the member is a prefix of the sorted ranges.
        let count = ranges.partition_point(|(from, _)| *from < end);
        ranges[..count].iter().any(|(_, until)| until > begin)
    });
    let paths: std::collections::HashSet<String> = used.map(|(member, _)| member.path.clone()).collect();
    move |member| paths.contains(&member.path)
}

fn copy(from: &mut impl Read, out: &mut impl Write, base: &Path, path: &Path) -> Result<(), DeltaError> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        interrupt::check()?;
        let count = from
            .read(&mut buffer)
            .map_err(|error| DeltaError::from_read(base, error))?;
        if count == 0 {
            return Ok(());
        }
        out.write_all(&buffer[..count])
            .map_err(|source| DeltaError::Write {
                path: path.to_owned(),
                source,
            })?;
    }
}

/// No more than the frame has: what comes out otherwise would fill a disk.
struct Limited<'a> {
    out: &'a mut Output,
    left: u64,
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.left {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a frame came out longer than it was packed",
            ));
        }
        let count = self.out.write(bytes)?;
        self.left -= count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
