//! Frames: members as a tar, compressed.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use zstd::zstd_safe::CParameter;

use super::PackError;
use super::plan::{Content, PlannedMember};
use crate::bundle::{Digest, Frame, Hasher, Member, TAR_END_BYTES, limits, member_span};
use crate::fetch::{LocalBinary, LocalFile};
use crate::host::{cpu_count, interrupt, try_in_parallel};
use crate::progress::Progress;
use crate::spec::Level;

const BUFFER_BYTES: usize = 1 << 20;

/// Memory that the compressors of one run may take together.
const MEMORY_BYTES: u64 = 900 << 20;

/// A frame, compressed into a file without a name.
pub(super) struct SpooledFrame {
    pub(super) frame: Frame,
    pub(super) file: File,
}

/// What a level means to zstd, measured on Kubernetes' programs and a node image
/// (1.56 GB): matches between one program and the next are long and far apart, and
/// finding more of them is cheaper than a higher level.
struct Settings {
    level: i32,
    /// What one compressor takes, window included.
    memory_bytes: u64,
}

impl Settings {
    fn of(level: Level) -> Self {
        match level {
            Level::Fast => Self {
                level: 3,
                memory_bytes: 330 << 20,
            },
            Level::Default => Self {
                level: 11,
                memory_bytes: 440 << 20,
            },
            Level::Max => Self {
                level: 19,
                memory_bytes: 900 << 20,
            },
        }
    }
}

/// Compresses every frame, as many at once as cores and memory allow; the result
/// does not depend on how many. Files without a name are made in `directory`.
pub(super) fn compress(
    frames: &[Vec<PlannedMember<'_>>],
    level: Level,
    directory: &Path,
    progress: &dyn Progress,
) -> Result<Vec<SpooledFrame>, PackError> {
    let settings = Settings::of(level);
    let by_memory = usize::try_from(MEMORY_BYTES / settings.memory_bytes)
        .unwrap_or(1)
        .max(1);
    // The largest first, so that none is left to one core at the end.
    let mut order: Vec<usize> = (0..frames.len()).collect();
    let bytes = |frame: &usize| {
        frames[*frame]
            .iter()
            .map(|planned| planned.member.size)
            .sum::<u64>()
    };
    order.sort_by_key(|frame| std::cmp::Reverse(bytes(frame)));
    let compressed = try_in_parallel(cpu_count().min(by_memory), &order, |number| {
        let last = number + 1 == frames.len();
        compress_frame(&frames[*number], last, level, directory, progress)
    })?;
    let mut compressed: Vec<_> = order.into_iter().zip(compressed).collect();
    compressed.sort_by_key(|(number, _)| *number);
    Ok(compressed.into_iter().map(|(_, frame)| frame).collect())
}

fn compress_frame(
    members: &[PlannedMember<'_>],
    last: bool,
    level: Level,
    directory: &Path,
    progress: &dyn Progress,
) -> Result<SpooledFrame, PackError> {
    let write = |source| PackError::Write {
        path: directory.to_owned(),
        source,
    };
    let end = if last { TAR_END_BYTES } else { 0 };
    let spans = members
        .iter()
        .map(|planned| member_span(planned.member.size).unwrap_or(u64::MAX));
    let plain_size = spans.fold(end as u64, u64::saturating_add);
    let spool = tempfile::tempfile_in(directory).map_err(write)?;
    let mut encoder = frame_encoder(spool, level, plain_size).map_err(write)?;
    for planned in members {
        write_member(&mut encoder, planned, directory, progress)?;
    }
    encoder.write_all(&vec![0; end]).map_err(write)?;
    let file = encoder.finish().map_err(write)?;
    let size = file.metadata().map_err(write)?.len();
    Ok(SpooledFrame {
        frame: Frame {
            size,
            plain_size,
            members: members.len() as u64,
        },
        file,
    })
}

/// What writes the frame of `plain_size` bytes to `out`: the same bytes at the same level give
/// the same frame.
pub(crate) fn frame_encoder<W: Write>(
    out: W,
    level: Level,
    plain_size: u64,
) -> io::Result<zstd::Encoder<'static, W>> {
    let mut encoder = zstd::Encoder::new(out, Settings::of(level).level)?;
    // A small frame asks its reader for no larger a window than it has bytes.
    let window = (u64::BITS - plain_size.saturating_sub(1).leading_zeros()).clamp(17, limits::WINDOW_LOG);
    encoder.set_parameter(CParameter::WindowLog(window))?;
    encoder.set_parameter(CParameter::EnableLongDistanceMatching(true))?;
    encoder.set_parameter(CParameter::LdmMinMatch(32))?;
    encoder.set_parameter(CParameter::LdmHashRateLog(4))?;
    encoder.set_parameter(CParameter::LdmHashLog(24.min(window)))?;
    // The chunk table covers the stored bytes, the index the plain ones.
    encoder.include_checksum(false)?;
    encoder.include_contentsize(true)?;
    encoder.set_pledged_src_size(Some(plain_size))?;
    Ok(encoder)
}

fn write_member(
    out: &mut impl Write,
    planned: &PlannedMember<'_>,
    directory: &Path,
    progress: &dyn Progress,
) -> Result<(), PackError> {
    let write = |source| PackError::Write {
        path: directory.to_owned(),
        source,
    };
    let member = &planned.member;
    let header = member.tar_header().ok_or_else(|| PackError::MemberPath {
        path: member.path.clone(),
    })?;
    out.write_all(&header).map_err(write)?;
    let found = match &planned.content {
        Content::Bytes(bytes) => {
            out.write_all(bytes).map_err(write)?;
            progress.advance(member.size);
            Digest::of(bytes)
        }
        Content::Binary(LocalBinary { path, .. }) | Content::File(LocalFile { path, .. }) => {
            let read = |source| PackError::Read {
                what: path.display().to_string(),
                source,
            };
            let file = File::open(path).map_err(read)?;
            copy(file, out, member, directory, progress)?
        }
        Content::Layer(layer) => copy(layer.open()?, out, member, directory, progress)?,
    };
    if found != member.sha256 {
        return Err(PackError::Changed {
            what: member.path.clone(),
            expected: member.sha256,
            found,
        });
    }
    out.write_all(&vec![0; member.padding()]).map_err(write)
}

/// Copies exactly the member's size, so that the tar stays whole, and hashes it.
fn copy(
    from: impl Read,
    out: &mut impl Write,
    member: &Member,
    directory: &Path,
    progress: &dyn Progress,
) -> Result<Digest, PackError> {
    let read = |source| PackError::Read {
        what: member.path.clone(),
        source,
    };
    let mut from = BufReader::with_capacity(BUFFER_BYTES, from).take(member.size);
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut hasher = Hasher::new();
    loop {
        interrupt::check()?;
        let count = from.read(&mut buffer).map_err(read)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        out.write_all(&buffer[..count])
            .map_err(|source| PackError::Write {
                path: directory.to_owned(),
                source,
            })?;
        progress.advance(count as u64);
    }
    Ok(hasher.finish())
}
