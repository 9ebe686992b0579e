//! The file of `--log-file`: each line of a run with its timestamp, without secrets.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;

use crate::bundle::Timestamp;
use crate::failure::{Failure, Kind, masked, printable};

/// A log file that is open. Lines are appended.
pub(super) struct LogFile {
    path: PathBuf,
    /// `None` after a write that failed.
    file: Mutex<Option<File>>,
}

impl LogFile {
    /// Opens `path`, or makes it for this user alone.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let open = || {
            let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
            let mut options = OpenOptions::new();
            options.append(true).create(true).mode(0o600);
            let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
            let is_file = file.metadata()?.is_file();
            is_file
                .then_some(file)
                .ok_or_else(|| io::Error::other("it is not a regular file"))
        };
        let file = open().map_err(|error| {
            let message = format!("cannot write the log `{}`: {error}", path.display());
            Failure::new(Kind::of_io(&error), message).hint(
                "name a file in a directory that you may write to with `--log-file`; nothing was changed",
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            file: Mutex::new(Some(file)),
        })
    }

    /// Appends `text`, each line with the time and `level`. The first write that fails ends the
    /// log, not the run; its message is returned.
    pub(super) fn write(&self, level: &str, text: &str) -> Option<String> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = Timestamp::of_unix(since.as_secs()).map_or_else(String::new, |time| time.to_string());
        let text = masked(&printable(text));
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let lines: Vec<_> = lines.map(|line| format!("{time} {level:<7} {line}\n")).collect();
        let written = file.as_mut()?.write_all(lines.concat().as_bytes());
        let error = written.err()?;
        *file = None;
        Some(format!(
            "cannot write the log `{}`: {error}; the run continues without it",
            self.path.display()
        ))
    }
}
