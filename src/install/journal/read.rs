//! The journal as it is found: every whole line is a record, and the last may be torn.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use serde::Deserialize;

use super::{JournalError, Line};
use crate::host::FileError;
use crate::install::receipt::Receipt;

/// It is opened where it lies, not where a link leads, and a pipe does not keep us waiting.
const FLAGS: i32 = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits().cast_signed();

/// A journal has some hundred bytes a file: this is a hundred thousand of them.
const MOST_BYTES: u64 = 64 << 20;

/// More than a record has, with two paths of 4096 bytes of which each takes six in JSON.
const RECORD_BYTES: usize = 64 << 10;

/// What a file system that lost its power may show instead of the last record: a block.
const BLOCK_BYTES: usize = 4096;

/// The receipt, where there is a journal.
pub(crate) fn peek(path: &Path) -> Result<Receipt, JournalError> {
    match OpenOptions::new().read(true).custom_flags(FLAGS).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Receipt::default()),
        opened => {
            let file = opened.map_err(FileError::at("read", path))?;
            read(path, &file).map(|(receipt, _)| receipt)
        }
    }
}

/// Opens the journal for appending, or makes it.
pub(crate) fn open(path: &Path) -> Result<File, JournalError> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(FLAGS);
    Ok(options.open(path).map_err(FileError::at("opened", path))?)
}

/// The receipt, and how many bytes whole lines take. What is in the journal is done, with this user's
/// power: nobody else may have written it.
pub(crate) fn read(path: &Path, file: &File) -> Result<(Receipt, u64), JournalError> {
    let facts = file.metadata().map_err(FileError::at("read", path))?;
    if !facts.is_file() {
        let other = io::Error::other("it is not a regular file");
        return Err(FileError::at("read", path)(other).into());
    }
    let (uid, mode) = (facts.uid(), facts.mode() & 0o7777);
    if uid != rustix::process::geteuid().as_raw() || mode & 0o022 != 0 {
        let path = path.to_owned();
        return Err(JournalError::Foreign { path, uid, mode });
    }
    if facts.len() > MOST_BYTES {
        return Err(JournalError::TooLarge {
            path: path.to_owned(),
            bytes: facts.len(),
            most: MOST_BYTES,
        });
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(FileError::at("read", path))?;
    let (receipt, whole) = parse(&bytes).map_err(|wrong| wrong.of(path))?;
    Ok((receipt, whole as u64))
}

/// A line that is no record.
#[derive(Debug)]
struct Wrong {
    line: usize,
    /// What a record of another version says of itself.
    event: Option<String>,
    source: serde_json::Error,
}

impl Wrong {
    fn of(self, path: &Path) -> JournalError {
        let (path, line) = (path.to_owned(), self.line);
        match self.event {
            Some(event) => JournalError::Unknown { path, line, event },
            None => JournalError::Damaged {
                path,
                line,
                source: self.source,
            },
        }
    }
}

/// Folds whole lines into a receipt. A last line that was torn when its run was killed
/// stands for nothing that happened.
fn parse(bytes: &[u8]) -> Result<(Receipt, usize), Wrong> {
    let mut receipt = Receipt::default();
    let mut whole = 0;
    for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        let last = whole + line.len() == bytes.len();
        if last && is_torn(line, whole) {
            break;
        }
        match serde_json::from_slice::<Line>(line) {
            Ok(record) => receipt.apply(record.event),
            Err(source) => {
                return Err(Wrong {
                    line: number,
                    event: event_of(line),
                    source,
                });
            }
        }
        whole += line.len();
    }
    Ok((receipt, whole))
}

/// Whether the last line, with `before` bytes in front of it, is what a killed run or a
/// lost power left of a record: its beginning, or what a file system has in the place of
/// bytes that never came to the medium. Anything else was changed by somebody, or damaged,
/// and to cut it off would lose what it says.
fn is_torn(line: &[u8], before: usize) -> bool {
    let begins = line.first().is_some_and(|first| [b'{', 0].contains(first));
    let most = if before == 0 && line.first() == Some(&0) {
        // The first record is a short one, and a journal is not all zeros.
        BLOCK_BYTES
    } else {
        RECORD_BYTES
    };
    begins && line.len() <= most && (!line.ends_with(b"\n") || line.contains(&0))
}

/// What a line that may be another version's record calls its event.
fn event_of(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Other {
        #[serde(rename = "at")]
        _at: u64,
        event: String,
    }
    serde_json::from_slice::<Other>(line)
        .ok()
        .map(|other| other.event)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::PathBuf;

    use super::*;

    const RECORD: &str = "{\"at\":1,\"event\":\"directory\",\"path\":\"/a\"}\n";

    /// The message for what is in the journal, or how many bytes of it are whole.
    fn said(bytes: &[u8]) -> Result<usize, String> {
        let read = parse(bytes).map(|(_, whole)| whole);
        read.map_err(|wrong| wrong.of(Path::new("/j")).to_string())
    }

    #[test]
    fn what_was_torn_is_left_out_and_what_is_damaged_is_not() {
        let damaged = |line| Err(format!("line {line} of the journal `/j` is not a record"));
        let record = RECORD.len();
        for torn in ["{", "{\"at\":1,\"ev", "{\"at\":1,\0\0\0\"}\n", "\0\0\0"] {
            assert_eq!(said(format!("{RECORD}{torn}").as_bytes()), Ok(record), "{torn:?}");
            assert_eq!(said(torn.as_bytes()), Ok(0), "{torn:?}");
        }
        for bad in [
            "garbage",
            "garbage\n",
            "{\"at\":1,\"evxnt\":\"directory\"}\n",
            "\n",
            "{}\n",
        ] {
            assert_eq!(said(format!("{RECORD}{bad}").as_bytes()), damaged(2), "{bad:?}");
            assert_eq!(said(bad.as_bytes()), damaged(1), "{bad:?}");
        }
        assert_eq!(said(format!("{RECORD}garbage\n{RECORD}").as_bytes()), damaged(2));
        // More than a record, and nothing of what was there.
        assert_eq!(said(&vec![0; BLOCK_BYTES + 1]), damaged(1));
        assert_eq!(
            said(&[b"{".repeat(RECORD_BYTES), vec![b'x']].concat()),
            damaged(1)
        );
    }

    #[test]
    fn a_newer_versions_record_is_neither_cut_off_nor_called_damage() {
        let newer = "{\"at\":1,\"event\":\"moved\",\"to\":\"/b\"}\n";
        let more = "{\"at\":1,\"event\":\"directory\",\"path\":\"/a\",\"mode\":7}\n";
        let unknown = |line, event| {
            Err(format!(
                "line {line} of the journal `/j` records `{event}` in a way that this version does not know"
            ))
        };
        assert_eq!(said(format!("{RECORD}{newer}").as_bytes()), unknown(2, "moved"));
        assert_eq!(said(format!("{newer}{RECORD}").as_bytes()), unknown(1, "moved"));
        assert_eq!(said(more.as_bytes()), unknown(1, "directory"));
    }

    #[test]
    fn only_a_file_of_a_journals_size_is_read() {
        let directory = std::env::temp_dir();
        let path: PathBuf = directory.join(format!("minikube-offline-read-{}", std::process::id()));
        let file = File::create(&path).expect("a file");
        file.set_len(MOST_BYTES + 1).expect("a sparse file");
        let error = peek(&path).expect_err("too large").to_string();
        assert!(
            error.ends_with("is 67108865 bytes long, and more than 67108864 cannot be read"),
            "{error}"
        );
        fs::remove_file(&path).expect("clean up");
        for other in ["/dev/zero", "/tmp"] {
            let error = peek(Path::new(other)).expect_err("no file");
            assert_eq!(error.to_string(), format!("`{other}` cannot be read"));
        }
    }
}
