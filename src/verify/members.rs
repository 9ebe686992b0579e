//! The files in the payload, decoded and compared with the index.

use std::io::{self, BufReader, Read};

use super::chunks::{Chunks, StoredReader};
use super::{VerifiedBundle, VerifyError};
use crate::bundle::{FRAME_HEADER_BYTES, Hasher, Member, TAR_BLOCK, TAR_END_BYTES, limits};

type Decoder<'a> = zstd::Decoder<'static, BufReader<StoredReader<'a>>>;

/// The wanted members, in the payload's order. A frame without one is not decoded.
pub struct Members<'a> {
    bundle: &'a VerifiedBundle,
    wanted: Box<dyn Fn(&Member) -> bool + Send + 'a>,
    next_frame: usize,
    next_member: usize,
    frame_end: usize,
    stored_offset: u64,
    decoder: Option<Decoder<'a>>,
    /// The chunks that the last decoder read: two frames may share one.
    chunks: Option<Chunks<'a>>,
    /// What a reader that was dropped early left in the decoder.
    unread: u64,
    /// The zeros that follow it.
    padding: usize,
}

impl<'a> Members<'a> {
    pub(super) fn new(bundle: &'a VerifiedBundle, wanted: impl Fn(&Member) -> bool + Send + 'a) -> Self {
        Self {
            bundle,
            wanted: Box::new(wanted),
            next_frame: 0,
            next_member: 0,
            frame_end: 0,
            stored_offset: 0,
            decoder: None,
            chunks: None,
            unread: 0,
            padding: 0,
        }
    }

    /// The next wanted member; `None` after the last. What was not read of the one
    /// before is skipped.
    pub fn next_member(&mut self) -> Result<Option<MemberReader<'a, '_>>, VerifyError> {
        let index = self.bundle.index();
        loop {
            if self.next_member == self.frame_end {
                self.finish_frame()?;
                if self.next_frame == index.frames.len() {
                    return Ok(None);
                }
                self.enter_frame()?;
                continue;
            }
            let rest = &index.members[self.next_member..self.frame_end];
            if !rest.iter().any(&self.wanted) {
                // Nothing more is wanted here: the rest of the frame stays undecoded.
                if let Some(decoder) = self.decoder.take() {
                    self.chunks = Some(decoder.finish().into_inner().into_chunks());
                }
                (self.unread, self.padding) = (0, 0);
                self.next_member = self.frame_end;
                continue;
            }
            let member = &rest[0];
            self.skip_unread()?;
            self.next_member += 1;
            self.read_header(member)?;
            (self.unread, self.padding) = (member.size, member.padding());
            if (self.wanted)(member) {
                return Ok(Some(MemberReader {
                    left: member.size,
                    hasher: Some(Hasher::new()),
                    member,
                    members: self,
                }));
            }
        }
    }

    fn enter_frame(&mut self) -> Result<(), VerifyError> {
        let opened = &self.bundle.opened;
        let frame = opened.index.frames[self.next_frame];
        let (start, end) = (self.stored_offset, self.stored_offset + frame.size);
        self.next_frame += 1;
        self.stored_offset = end;
        self.frame_end += usize::try_from(frame.members).expect("checked by the index");
        if !opened.index.members[self.next_member..self.frame_end]
            .iter()
            .any(&self.wanted)
        {
            return Ok(());
        }
        let chunks = self.chunks.take();
        let chunks = chunks.unwrap_or_else(|| Chunks::new(&opened.files, &opened.index));
        let mut stored = StoredReader::new(chunks, start, end);
        let mut header = [0; FRAME_HEADER_BYTES];
        let first = &opened.index.members[self.next_member];
        let count = stored.peek(&mut header).map_err(|error| self.io(error))?;
        if !frame.admits(&header[..count]) {
            return Err(self.broken_at(first, "is not in a frame of this format"));
        }
        let stored = BufReader::with_capacity(128 << 10, stored);
        let mut decoder = zstd::Decoder::with_buffer(stored).map_err(|error| self.unreadable(&error))?;
        decoder
            .window_log_max(limits::WINDOW_LOG)
            .map_err(|error| self.unreadable(&error))?;
        self.decoder = Some(decoder.single_frame());
        Ok(())
    }

    /// A frame that was decoded to its last member must end there.
    fn finish_frame(&mut self) -> Result<(), VerifyError> {
        if self.decoder.is_none() {
            return Ok(());
        }
        self.skip_unread()?;
        if self.next_frame == self.bundle.index().frames.len() {
            let mut end = [1; TAR_END_BYTES];
            self.read_exact(&mut end)?;
            if end.iter().any(|byte| *byte != 0) {
                return Err(self.broken("is not followed by the end of the archive"));
            }
        }
        let mut decoder = self.decoder.take().expect("just looked");
        match decoder.read(&mut [0]) {
            Ok(0) => {}
            Ok(_) => return Err(self.broken("is followed by more than the index says")),
            Err(error) => return Err(self.io(error)),
        }
        let stored = decoder.finish();
        if !stored.buffer().is_empty() || !stored.get_ref().is_at_end() {
            return Err(self.broken("is followed by bytes that belong to no frame"));
        }
        self.chunks = Some(stored.into_inner().into_chunks());
        Ok(())
    }

    fn read_header(&mut self, member: &Member) -> Result<(), VerifyError> {
        let expected = member.tar_header().expect("checked by the index");
        let mut header = [0; TAR_BLOCK];
        self.read_exact(&mut header)?;
        if header == expected {
            Ok(())
        } else {
            Err(self.broken("has another header than the index says"))
        }
    }

    fn skip_unread(&mut self) -> Result<(), VerifyError> {
        let Some(decoder) = self.decoder.as_mut() else {
            return Ok(());
        };
        let (unread, count) = (
            std::mem::take(&mut self.unread),
            std::mem::take(&mut self.padding),
        );
        match io::copy(&mut decoder.take(unread), &mut io::sink()) {
            Ok(count) if count == unread => {}
            Ok(_) => return Err(self.broken("ends early")),
            Err(error) => return Err(self.io(error)),
        }
        let mut padding = [0; TAR_BLOCK];
        self.read_exact(&mut padding[..count])?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(self.broken("is padded with something else than zeros"));
        }
        Ok(())
    }

    fn read_exact(&mut self, out: &mut [u8]) -> Result<(), VerifyError> {
        let decoder = self.decoder.as_mut().expect("inside a frame");
        decoder.read_exact(out).map_err(|error| self.io(error))
    }

    fn broken(&self, reason: &str) -> VerifyError {
        let current = self.next_member.saturating_sub(1);
        self.broken_at(&self.bundle.index().members[current], reason)
    }

    fn broken_at(&self, member: &Member, reason: &str) -> VerifyError {
        VerifyError::Payload {
            path: self.bundle.path().to_owned(),
            member: member.path.clone(),
            reason: reason.to_owned(),
        }
    }

    fn unreadable(&self, error: &io::Error) -> VerifyError {
        self.broken(&format!("does not decode: {error}"))
    }

    /// The verifying error inside an I/O error, or that the frame does not decode.
    fn io(&self, error: io::Error) -> VerifyError {
        match error.downcast::<VerifyError>() {
            Ok(error) => error,
            Err(error) => self.unreadable(&error),
        }
    }
}

/// The content of one member. The last bytes are only given out when its size is that of the
/// index, and so is its SHA-256 unless [`MemberReader::by_its_chunks`] waived that.
pub struct MemberReader<'a, 'm> {
    members: &'m mut Members<'a>,
    member: &'a Member,
    hasher: Option<Hasher>,
    left: u64,
}

impl<'a> MemberReader<'a, '_> {
    /// What the index says of it.
    #[must_use]
    pub fn member(&self) -> &'a Member {
        self.member
    }

    /// The same content, which is not hashed: its chunks have their digests, and decode to
    /// nothing but what the packer wrote (see the format, "What a verified chunk vouches for").
    /// For images on their way to a runtime, which computes the digests of what it takes.
    #[must_use]
    pub fn by_its_chunks(mut self) -> Self {
        self.hasher = None;
        self
    }
}

impl Read for MemberReader<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || out.is_empty() {
            return Ok(0);
        }
        let room = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let decoder = self.members.decoder.as_mut().expect("inside a frame");
        let count = match decoder.read(&mut out[..room]) {
            Ok(0) => return Err(self.members.broken("ends early").into()),
            Ok(count) => count,
            Err(error) => return Err(self.members.io(error).into()),
        };
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&out[..count]);
        }
        self.left -= count as u64;
        self.members.unread -= count as u64;
        if self.left == 0
            && let Some(hasher) = self.hasher.take()
            && hasher.finish() != self.member.sha256
        {
            return Err(self
                .members
                .broken("has another digest than the index says")
                .into());
        }
        Ok(count)
    }
}

/// A member that must be small, read whole.
pub(super) fn read_small(reader: &mut MemberReader<'_, '_>, limit: u64) -> Result<Vec<u8>, VerifyError> {
    if reader.member.size > limit {
        return Err(reader.members.broken("is larger than such a file can be"));
    }
    let mut bytes = Vec::new();
    match reader.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(reader.members.io(error)),
    }
}
