//! What was done on this machine: one JSON object a line, each durable before the
//! next thing happens. What is made is recorded before it is made, so that a killed
//! run leaves nothing that `uninstall` does not know of.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Receipt;
use crate::bundle::Digest;
use crate::failure::{Failure, Kind};
use crate::host::{FileError, ProcessIdentity, sync_directory, unix_seconds};

/// One thing that is about to happen, or that happened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A bundle is installed from now on.
    Bundle {
        /// Its name.
        name: String,
        /// Its serial.
        serial: u64,
        /// The Kubernetes release in it.
        kubernetes_version: String,
    },
    /// A bundle is not installed any more.
    BundleForgotten {
        /// Its name.
        name: String,
    },
    /// A stage of a profile's start begins.
    StageBegun {
        /// The profile.
        profile: String,
        /// The stage.
        stage: String,
    },
    /// It is done.
    StageDone {
        /// The profile.
        profile: String,
        /// The stage.
        stage: String,
    },
    /// A folder that is not there will be made.
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A file takes its name now.
    File {
        /// The file.
        path: PathBuf,
        /// Its SHA-256.
        sha256: Digest,
    },
    /// A file is written under its temporary name.
    FileBegun {
        /// The name that it will have.
        path: PathBuf,
    },
    /// A symbolic link will be made.
    Link {
        /// The link.
        path: PathBuf,
        /// What it points to.
        target: PathBuf,
    },
    /// An image that the engine does not have will be loaded.
    Image {
        /// Its name.
        reference: String,
        /// The digests that the engine may show as its id.
        ids: Vec<Digest>,
    },
    /// A profile that is not there will be made by minikube.
    Profile {
        /// The profile.
        name: String,
        /// minikube's folder.
        minikube_home: PathBuf,
        /// Whether the user had a kubeconfig before.
        kubeconfig: Option<PathBuf>,
    },
    /// The profile's nodes were ready.
    ProfileReady {
        /// The profile.
        name: String,
    },
    /// The profile is gone, with its volume.
    ProfileRemoved {
        /// The profile.
        name: String,
    },
    /// A volume that is not there will be made for a profile's node.
    Volume {
        /// Its name, which is the profile's.
        name: String,
        /// The value of our label on it.
        nonce: String,
    },
    /// The volume holds all that it should.
    VolumeSeeded {
        /// Its name.
        name: String,
        /// The value of our label on it.
        nonce: String,
        /// What it holds.
        content: Digest,
    },
    /// The volume is gone, or another's.
    VolumeRemoved {
        /// Its name.
        name: String,
    },
    /// A program runs that must not outlive this run unseen.
    Child {
        /// Which process.
        process: ProcessIdentity,
    },
    /// It ended.
    ChildEnded,
    /// A client gives an image to the engine, which goes on with what it has when this
    /// run is killed.
    Load {
        /// The client.
        process: ProcessIdentity,
    },
    /// It ended, and the engine is done.
    LoadEnded,
    /// A file, folder, link or image is gone, or is not ours any more.
    Forgotten {
        /// Its path or reference.
        what: String,
    },
}

#[derive(Deserialize, Serialize)]
struct Line {
    at: u64,
    #[serde(flatten)]
    event: Event,
}

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A line, and not the last, is not a record.
    #[error("line {line} of the journal `{path}` is not a record")]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// A path in a record is not UTF-8.
    #[error("a path cannot be written to the journal `{path}`")]
    Record {
        /// The journal.
        path: PathBuf,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// It cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Damaged { ref path, .. } => {
                let hint = format!(
                    "move `{}` away and run the same command again; what an earlier run installed then has to be removed by hand: `minikube delete -p NAME`",
                    path.display()
                );
                Self::new(Kind::Io, error).hint(hint)
            }
            JournalError::File(error) => error.into(),
            JournalError::Record { .. } => {
                Self::new(Kind::Usage, error).hint("use folders whose names are UTF-8 text")
            }
        }
    }
}

/// The journal, open for one run, which holds the lock.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    receipt: Receipt,
}

impl Journal {
    /// Opens the journal `path`, whose folder is there, and cuts off what a killed
    /// run left of a last line.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let (receipt, whole_bytes) = read(path)?;
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(FileError::at("opened", path))?;
        file.set_len(whole_bytes)
            .map_err(FileError::at("written", path))?;
        sync_directory(path.parent().unwrap_or(Path::new("/")))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            receipt,
        })
    }

    /// What the journal `path` says is on this machine, without opening it for writing;
    /// nothing where there is no journal.
    pub fn peek(path: &Path) -> Result<Receipt, JournalError> {
        read(path).map(|(receipt, _)| receipt)
    }

    /// Records `event` durably. What is known already is not written twice.
    pub fn record(&mut self, event: Event) -> Result<(), JournalError> {
        if self.receipt.holds(&event) {
            return Ok(());
        }
        let line = Line {
            at: unix_seconds(),
            event,
        };
        let mut bytes = serde_json::to_vec(&line).map_err(|source| JournalError::Record {
            path: self.path.clone(),
            source,
        })?;
        bytes.push(b'\n');
        self.file
            .write_all(&bytes)
            .and_then(|()| self.file.sync_data())
            .map_err(FileError::at("written", &self.path))?;
        self.receipt.apply(line.event);
        Ok(())
    }

    /// The bundles are again those that they were `before`.
    pub(super) fn restore_bundles(&mut self, before: &Receipt) -> Result<(), JournalError> {
        let changed: Vec<String> = self
            .receipt
            .bundles()
            .filter(|bundle| before.bundles().all(|known| known != *bundle))
            .map(|bundle| bundle.name.clone())
            .collect();
        for name in changed {
            self.record(Event::BundleForgotten { name: name.clone() })?;
            if let Some(known) = before.bundles().find(|known| known.name == name) {
                self.record(Event::Bundle {
                    name,
                    serial: known.serial,
                    kubernetes_version: known.kubernetes_version.clone(),
                })?;
            }
        }
        Ok(())
    }

    /// What is on this machine by now.
    #[must_use]
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }
}

/// The receipt, and how many bytes whole lines take.
fn read(path: &Path) -> Result<(Receipt, u64), JournalError> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other.map_err(FileError::at("read", path))?,
    };
    let (receipt, whole) = parse(&bytes).map_err(|(line, source)| JournalError::Damaged {
        path: path.to_owned(),
        line,
        source,
    })?;
    Ok((receipt, whole as u64))
}

/// Folds whole lines into a receipt. A last line without its end, or which is no
/// record, was torn when its run was killed: it stands for nothing that happened.
fn parse(bytes: &[u8]) -> Result<(Receipt, usize), (usize, serde_json::Error)> {
    let mut receipt = Receipt::default();
    let mut whole = 0;
    let mut lines = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .enumerate()
        .peekable();
    while let Some((number, line)) = lines.next() {
        let last = lines.peek().is_none();
        match serde_json::from_slice::<Line>(line) {
            Ok(record) if line.ends_with(b"\n") => receipt.apply(record.event),
            Err(error) if !last => return Err((number + 1, error)),
            _ => break,
        }
        whole += line.len();
    }
    Ok((receipt, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(path: &str) -> Event {
        Event::Folder { path: path.into() }
    }

    fn fresh(name: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("minikube-offline-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        path
    }

    #[test]
    fn a_torn_last_line_is_cut_off_wherever_it_was_torn() {
        let path = fresh("torn");
        let mut journal = Journal::open(&path).expect("new");
        for name in ["/a", "/b"] {
            journal.record(folder(name)).expect("record");
        }
        drop(journal);
        let whole = fs::read(&path).expect("read");
        let first = whole.iter().position(|byte| *byte == b'\n').expect("line") + 1;
        for cut in first..whole.len() {
            fs::write(&path, &whole[..cut]).expect("tear");
            let mut journal = Journal::open(&path).expect("torn");
            assert_eq!(journal.receipt().folders(), [Path::new("/a")], "cut at {cut}");
            journal.record(folder("/c")).expect("go on");
            assert_eq!(
                Journal::peek(&path).expect("whole").folders(),
                [Path::new("/c"), Path::new("/a")]
            );
        }
        fs::remove_file(path).expect("clean up");
    }

    #[test]
    fn damage_in_the_middle_is_not_skipped() {
        let (line, _) =
            parse(b"{\"at\":1,\"event\":\"folder\",\"path\":\"/a\"}\ngarbage\n{}\n").expect_err("damage");
        assert_eq!(line, 2);
    }

    #[test]
    fn what_is_known_is_not_written_again() {
        let path = fresh("again");
        let mut journal = Journal::open(&path).expect("new");
        journal.record(folder("/a")).expect("record");
        let before = fs::metadata(&path).expect("there").len();
        journal.record(folder("/a")).expect("record");
        assert_eq!(fs::metadata(&path).expect("there").len(), before);
        fs::remove_file(path).expect("clean up");
    }
}
