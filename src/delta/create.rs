//! What a new bundle has and its base lacks.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use super::file;
use super::head::{FrameDelta, Head, Identity, Piece};
use super::join::directory_of;
use super::limits::PATCH_BYTES;
use super::{DeltaError, patch, spool};
use crate::bundle::{BundleIndex, Digest, Frame, ImagePart, Member, TAR_END_BYTES, blob_path, member_span};
use crate::host::{ClaimedFile, interrupt};
use crate::pack::{PACKER, frame_encoder};
use crate::progress::Progress;
use crate::sign::Signer;
use crate::spec::Level;
use crate::trust::TrustedKeys;
use crate::verify::{OpenedBundle, VerifiedBundle};

/// What was made.
#[derive(Debug)]
pub struct Created {
    /// The bundle that it needs.
    pub base: Identity,
    /// Its length in bytes.
    pub bytes: u64,
    /// How many frames of the new bundle are stored in the base.
    pub copied: usize,
    /// How many are compressed again by who joins.
    pub compressed: usize,
    /// How many are aboard whole.
    pub whole: usize,
}

/// A run of a tar that comes of one of the base, or of none.
struct Region {
    from: u64,
    size: u64,
    base: Option<(u64, u64)>,
    same: bool,
}

/// Writes to `output` the delta from the bundle at `base` to the one at `new`, whose frames
/// were compressed at `level`.
pub fn create(
    base: &Path,
    new: &Path,
    output: &Path,
    level: Level,
    signer: Option<&Signer>,
    progress: &dyn Progress,
) -> Result<Created, DeltaError> {
    let open = |path| OpenedBundle::open(path, &TrustedKeys::none())?.verify(progress);
    let (base, new) = (open(base)?, open(new)?);
    let out = ClaimedFile::create(output)?;
    let directory = directory_of(output);
    let failed = |source| DeltaError::Write {
        path: directory.to_owned(),
        source,
    };
    let (old_json, new_json) = (encoded(base.index()), encoded(new.index()));
    let data = tempfile::tempfile_in(directory).map_err(failed)?;
    let mut maker = Maker { data, directory };
    let front = whole(
        0,
        new.index().payload_offset(),
        Some((0, base.index().payload_offset())),
    );
    let front = maker.pieces(&[front], new.first_file(), Some(base.first_file()))?;

    let copied = copies(&base, &new)?;
    let regions = regions(&base, &new);
    let changed = |member: &Member| {
        let at = new
            .index()
            .members
            .iter()
            .position(|other| other.path == member.path);
        at.is_some_and(|at| copied[frame_of(new.index(), at)].is_none())
    };
    let new_tar = spool::tar_of(&new, changed, directory, progress)?;
    let used: std::collections::HashSet<u64> = regions
        .iter()
        .zip(&copied)
        .filter(|(_, copied)| copied.is_none())
        .flat_map(|(regions, _)| {
            regions
                .iter()
                .filter(|region| !region.same)
                .filter_map(|region| Some(region.base?.0))
        })
        .collect();
    let begin: HashMap<&str, u64> = base
        .index()
        .members
        .iter()
        .map(|member| member.path.as_str())
        .zip(spool::offsets(base.index()))
        .collect();
    let old_tar = spool::tar_of(
        &base,
        |member| used.contains(&begin[member.path.as_str()]),
        directory,
        progress,
    )?;
    let total = new.index().frames.iter().zip(&copied);
    let total = total.filter(|(_, copied)| copied.is_none());
    progress.begin("delta", Some(total.map(|(frame, _)| frame.plain_size).sum()));
    let (mut stored, mut plain) = (0, 0);
    let mut frames = Vec::new();
    for ((frame, copied), regions) in new.index().frames.iter().zip(&copied).zip(&regions) {
        let how = match copied {
            Some(from) => FrameDelta::Copy(*from),
            None if compresses_to(frame, level, &new_tar, plain, &mut new.stored(stored, frame.size))? => {
                let pieces = maker.pieces(regions, &new_tar, Some(&old_tar))?;
                FrameDelta::Compress { level, pieces }
            }
            None => FrameDelta::Whole(maker.stored(&new, stored, frame.size)?),
        };
        if copied.is_none() {
            progress.advance(frame.plain_size);
        }
        frames.push(how);
        (stored, plain) = (stored + frame.size, plain + frame.plain_size);
    }
    progress.end("");
    let tail = tail_of(&new)?;
    let tail = maker.of_bytes(&tail, &old_json)?;
    let count = |is: fn(&FrameDelta) -> bool| frames.iter().filter(|frame| is(frame)).count();
    let base_identity = Identity::of(base.index(), &old_json);
    let mut created = Created {
        base: base_identity.clone(),
        bytes: 0,
        copied: count(|frame| matches!(frame, FrameDelta::Copy(_))),
        compressed: count(|frame| matches!(frame, FrameDelta::Compress { .. })),
        whole: count(|frame| matches!(frame, FrameDelta::Whole(_))),
    };
    let head = Head {
        packer: PACKER.to_owned(),
        zstd: zstd::zstd_safe::version_number(),
        base: base_identity,
        result: Identity::of(new.index(), &new_json),
        front,
        frames,
        tail,
        data_bytes: 0,
        chunks: Vec::new(),
    };
    created.bytes = file::write(out, head, &mut maker.data, signer)?;
    Ok(created)
}

fn encoded(index: &BundleIndex) -> Vec<u8> {
    index.encode().expect("it was read")
}

fn whole(from: u64, size: u64, base: Option<(u64, u64)>) -> Region {
    Region {
        from,
        size,
        base,
        same: false,
    }
}

fn frame_of(index: &BundleIndex, member: usize) -> usize {
    let mut end = 0;
    let ends = index.frames.iter().map(|frame| {
        end += usize::try_from(frame.members).unwrap_or(usize::MAX);
        end
    });
    ends.take_while(|end| *end <= member).count()
}

/// For each frame of `new` where the base has the same stored bytes.
fn copies(base: &VerifiedBundle, new: &VerifiedBundle) -> Result<Vec<Option<u64>>, DeltaError> {
    let mut copies = Vec::new();
    let mut at = 0;
    for frame in &new.index().frames {
        let mut from = 0;
        let mut found = None;
        for other in &base.index().frames {
            if other == frame
                && found.is_none()
                && same_bytes(
                    &mut base.stored(from, other.size),
                    &mut new.stored(at, frame.size),
                )
                .map_err(|error| DeltaError::from_read(new.path(), error))?
            {
                found = Some(from);
            }
            from += other.size;
        }
        copies.push(found);
        at += frame.size;
    }
    Ok(copies)
}

fn same_bytes(one: &mut impl Read, other: &mut impl Read) -> io::Result<bool> {
    let (mut here, mut there) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let (count, others) = (fill(one, &mut here)?, fill(other, &mut there)?);
        if here[..count] != there[..others] {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
    }
}

fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < buffer.len() {
        match from.read(&mut buffer[count..])? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

/// What each frame of the new tar comes of: runs that are the same are joined.
fn regions(base: &VerifiedBundle, new: &VerifiedBundle) -> Vec<Vec<Region>> {
    let (base, new) = (base.index(), new.index());
    let like = counterparts(base, new);
    let places: Vec<(&Member, u64)> = base.members.iter().zip(spool::offsets(base)).collect();
    let by_path: HashMap<&str, usize> = places
        .iter()
        .enumerate()
        .map(|(at, (member, _))| (member.path.as_str(), at))
        .collect();
    let by_digest: HashMap<Digest, usize> = places
        .iter()
        .enumerate()
        .map(|(at, (member, _))| (member.sha256, at))
        .collect();
    let mut members = new.members.iter();
    let mut from = 0;
    let mut frames = Vec::new();
    for (number, frame) in new.frames.iter().enumerate() {
        let count = usize::try_from(frame.members).unwrap_or(usize::MAX);
        let mut regions: Vec<Region> = Vec::new();
        for member in members.by_ref().take(count) {
            let size = member_span(member.size).expect("checked by the index");
            let found = by_path
                .get(member.path.as_str())
                .or_else(|| by_digest.get(&member.sha256));
            let found = found.or_else(|| by_path.get(like.get(&member.path)?.as_str()));
            let found = found.map(|at| places[*at]);
            let same = found.is_some_and(|(other, _)| other == member);
            let span = |other: &Member| member_span(other.size).expect("checked by the index");
            let base = found.map(|(other, begin)| (begin, span(other)));
            match regions.last_mut() {
                Some(Region {
                    size: sum,
                    base: Some((begin, bytes)),
                    same: true,
                    ..
                }) if same && base.is_some_and(|(next, _)| next == *begin + *bytes) => {
                    *sum += size;
                    *bytes += size;
                }
                _ => regions.push(Region {
                    from,
                    size,
                    base,
                    same,
                }),
            }
            from += size;
        }
        if number + 1 == new.frames.len() {
            regions.push(whole(from, TAR_END_BYTES as u64, None));
        }
        frames.push(regions);
    }
    frames
}

/// For blobs of the new bundle, which are named by what they hold, those of the same image in
/// the base: its config, manifest, and layer of the same place.
fn counterparts(base: &BundleIndex, new: &BundleIndex) -> HashMap<String, String> {
    let key = |image: &ImagePart| {
        let name = format!("{}/{}", image.reference.registry(), image.reference.repository());
        (image.platform, name)
    };
    let old: HashMap<_, _> = base.images.iter().map(|image| (key(image), image)).collect();
    let mut like = HashMap::new();
    for image in &new.images {
        let Some(other) = old.get(&key(image)) else {
            continue;
        };
        let mut pair = |one: Digest, other: Digest| _ = like.insert(blob_path(one), blob_path(other));
        pair(image.config, other.config);
        pair(image.manifest, other.manifest);
        // From the top: what changes is there, and layers are put below it.
        for (one, other) in image.layers.iter().rev().zip(other.layers.iter().rev()) {
            pair(*one, *other);
        }
    }
    like
}

/// Whether this program compresses the frame, which begins at `from` in `tar`, to what is
/// stored.
fn compresses_to(
    frame: &Frame,
    level: Level,
    tar: &File,
    from: u64,
    stored: &mut impl Read,
) -> Result<bool, DeltaError> {
    let compared = Compared { stored, same: true };
    let failed = |source| DeltaError::Read {
        path: "the new bundle, decoded".into(),
        source,
    };
    let mut encoder = frame_encoder(compared, level, frame.plain_size).map_err(failed)?;
    let (mut at, end) = (from, from + frame.plain_size);
    while at < end && encoder.get_ref().same {
        interrupt::check()?;
        let bytes = spool::range(tar, at, (end - at).min(1 << 20)).map_err(failed)?;
        encoder.write_all(&bytes).map_err(failed)?;
        at += bytes.len() as u64;
    }
    if at < end {
        return Ok(false);
    }
    let Compared { stored, same } = encoder.finish().map_err(failed)?;
    Ok(same && stored.read(&mut [0]).map_err(failed)? == 0)
}

/// Compares what is written with what can be read.
struct Compared<'a, R: Read> {
    stored: &'a mut R,
    same: bool,
}

impl<R: Read> Write for Compared<'_, R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.same {
            let mut expected = vec![0; bytes.len()];
            let count = fill(self.stored, &mut expected)?;
            self.same = expected[..count] == *bytes;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The tail header, the index, the signature and the trailer.
fn tail_of(bundle: &VerifiedBundle) -> Result<Vec<u8>, DeltaError> {
    let failed = |source| DeltaError::Read {
        path: bundle.path().to_owned(),
        source,
    };
    let from = bundle.index().tail_offset();
    let length = bundle.first_file().metadata().map_err(failed)?.len();
    spool::range(bundle.first_file(), from, length - from).map_err(failed)
}

/// Makes pieces, and collects their data.
struct Maker<'a> {
    data: File,
    directory: &'a Path,
}

impl Maker<'_> {
    fn pieces(
        &mut self,
        regions: &[Region],
        new: &File,
        old: Option<&File>,
    ) -> Result<Vec<Piece>, DeltaError> {
        let mut pieces = Vec::new();
        for region in regions {
            if let (true, Some((from, _))) = (region.same, region.base) {
                pieces.push(Piece {
                    size: region.size,
                    from,
                    prefix: 0,
                    data: 0,
                });
                continue;
            }
            let mut done = 0;
            while done < region.size {
                interrupt::check()?;
                let size = PATCH_BYTES.min(region.size - done);
                let bytes = self.read(new, region.from + done, size)?;
                let (from, prefix) = region.base.map_or((0, 0), |(begin, bytes)| {
                    let low = done.saturating_sub(PATCH_BYTES / 2).min(bytes);
                    let high = (done + size + PATCH_BYTES / 2).min(bytes);
                    (begin + low, high - low)
                });
                let prefix_bytes = match old {
                    Some(old) if prefix > 0 => self.read(old, from, prefix)?,
                    _ => Vec::new(),
                };
                pieces.push(self.patch(&bytes, from, &prefix_bytes)?);
                done += size;
            }
        }
        Ok(pieces)
    }

    /// Few bytes, of the index.
    fn of_bytes(&mut self, bytes: &[u8], old: &[u8]) -> Result<Vec<Piece>, DeltaError> {
        Ok(vec![self.patch(bytes, 0, old)?])
    }

    /// Stored bytes, which come of nothing.
    fn stored(&mut self, bundle: &VerifiedBundle, from: u64, size: u64) -> Result<Vec<Piece>, DeltaError> {
        let mut stored = bundle.stored(from, size);
        let mut pieces = Vec::new();
        let mut left = size;
        while left > 0 {
            let now = usize::try_from(left.min(PATCH_BYTES)).expect("in memory");
            let mut bytes = vec![0; now];
            stored
                .read_exact(&mut bytes)
                .map_err(|error| DeltaError::from_read(bundle.path(), error))?;
            pieces.push(self.patch(&bytes, 0, &[])?);
            left -= now as u64;
        }
        Ok(pieces)
    }

    fn patch(&mut self, bytes: &[u8], from: u64, prefix: &[u8]) -> Result<Piece, DeltaError> {
        let failed = |source| DeltaError::Write {
            path: self.directory.to_owned(),
            source,
        };
        let data = patch::make(prefix, bytes).map_err(failed)?;
        self.data.write_all(&data).map_err(failed)?;
        Ok(Piece {
            size: bytes.len() as u64,
            from,
            prefix: prefix.len() as u64,
            data: data.len() as u64,
        })
    }

    fn read(&self, file: &File, from: u64, size: u64) -> Result<Vec<u8>, DeltaError> {
        spool::range(file, from, size).map_err(|source| DeltaError::Read {
            path: self.directory.to_owned(),
            source,
        })
    }
}
