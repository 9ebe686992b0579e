//! What was done on this machine: one JSON object a line, each durable before the
//! next thing happens. What is made is recorded before it is made, so that a killed
//! run leaves nothing that `uninstall` does not know of.

mod error;
mod read;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::JournalError;

use super::receipt::Receipt;
use super::upgrade::Upgrade;
use crate::bundle::{Checksum, Digest};
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
    /// A directory that is not there will be made.
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// A file takes its name now.
    File {
        /// The file.
        path: PathBuf,
        /// Its SHA-256 where the bundle names it by that, else its BLAKE3.
        digest: Checksum,
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
        /// minikube's directory.
        minikube_home: PathBuf,
        /// Whether the user had a kubeconfig before.
        kubeconfig: Option<PathBuf>,
    },
    /// The profile's nodes were ready.
    ProfileReady {
        /// The profile.
        name: String,
        /// The id of each node's container.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        containers: BTreeMap<String, String>,
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
    /// A profile goes to another release, or has gone there.
    Upgrade {
        /// The profile.
        profile: String,
        /// From where to where, and how far it is.
        upgrade: Upgrade,
    },
    /// The profile's state from before that is gone, or is its state again.
    UpgradeForgotten {
        /// The profile.
        profile: String,
    },
    /// A file, directory, link or image is gone, or is not ours any more.
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

/// The journal, open for one run, which holds the lock.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    receipt: Receipt,
    /// How long it is up to the end of its last record.
    whole_bytes: u64,
    /// A record was not written whole: something of it may stand behind that end.
    torn: bool,
}

impl Journal {
    /// Opens the journal `path`, whose directory is there, and cuts off what a killed
    /// run left of a last line.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = read::open(path)?;
        let (receipt, whole_bytes) = read::read(path, &file)?;
        file.set_len(whole_bytes)
            .map_err(FileError::at("written", path))?;
        sync_directory(path.parent().unwrap_or(Path::new("/")))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            receipt,
            whole_bytes,
            torn: false,
        })
    }

    /// What the journal `path` says is on this machine, without opening it for writing;
    /// nothing where there is no journal.
    pub fn peek(path: &Path) -> Result<Receipt, JournalError> {
        read::peek(path)
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
        self.append(&bytes)
            .map_err(FileError::at("written", &self.path))?;
        self.receipt.apply(line.event);
        Ok(())
    }

    /// Puts a line at the end. A full disk takes some of it, and what is done about that is
    /// recorded in the same journal: no record may stand behind half a line.
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.whole_bytes)?;
        }
        self.torn = true;
        self.file.write_all(line)?;
        self.file.sync_data()?;
        self.torn = false;
        self.whole_bytes += line.len() as u64;
        Ok(())
    }

    /// The bundles are again those that they were `before`.
    pub(crate) fn restore_bundles(&mut self, before: &Receipt) -> Result<(), JournalError> {
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    fn directory(path: &str) -> Event {
        Event::Directory { path: path.into() }
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
            journal.record(directory(name)).expect("record");
        }
        drop(journal);
        let whole = fs::read(&path).expect("read");
        let first = whole.iter().position(|byte| *byte == b'\n').expect("line") + 1;
        for cut in first..whole.len() {
            fs::write(&path, &whole[..cut]).expect("tear");
            let mut journal = Journal::open(&path).expect("torn");
            assert_eq!(journal.receipt().directories(), [Path::new("/a")], "cut at {cut}");
            journal.record(directory("/c")).expect("go on");
            assert_eq!(
                Journal::peek(&path).expect("whole").directories(),
                [Path::new("/c"), Path::new("/a")]
            );
        }
        fs::remove_file(path).expect("clean up");
    }

    #[test]
    fn what_is_known_is_not_written_again() {
        let path = fresh("again");
        let mut journal = Journal::open(&path).expect("new");
        journal.record(directory("/a")).expect("record");
        let before = fs::metadata(&path).expect("there").len();
        journal.record(directory("/a")).expect("record");
        assert_eq!(fs::metadata(&path).expect("there").len(), before);
        fs::remove_file(path).expect("clean up");
    }

    /// The variable with the journal of the test below.
    const LIMITED: &str = "MINIKUBE_OFFLINE_TEST_JOURNAL";

    #[test]
    #[ignore = "a part of the test below: in a process that may write no more than 512 bytes"]
    fn the_disk_is_full_and_then_is_not() {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Some(path) = std::env::var_os(LIMITED) else {
            return;
        };
        let mut journal = Journal::open(Path::new(&path)).expect("new");
        let mut written = 0;
        let long = "x".repeat(90);
        while journal.record(directory(&format!("/{written}-{long}"))).is_ok() {
            written += 1;
        }
        let full = fs::metadata(&path).expect("there").len();
        assert_eq!(full, 512, "some of the line was written");
        journal
            .record(directory(&format!("/still-{long}")))
            .expect_err("full");
        let maximum = getrlimit(Resource::Fsize).maximum;
        setrlimit(
            Resource::Fsize,
            Rlimit {
                current: maximum,
                maximum,
            },
        )
        .expect("space again");
        journal
            .record(Event::Forgotten {
                what: format!("/0-{long}"),
            })
            .expect("record");
        let expected = journal.receipt().clone();
        assert_eq!(expected.directories().len(), written - 1);
        drop(journal);
        assert_eq!(Journal::peek(Path::new(&path)).expect("whole"), expected);
    }

    #[test]
    fn a_record_that_found_no_space_is_not_in_the_way_of_the_next() {
        let path = fresh("full");
        let script = "trap '' XFSZ; ulimit -S -f 1; exec \"$0\" --exact --ignored \"$1\"";
        let output = Command::new("sh")
            .args(["-c", script])
            .arg(std::env::current_exe().expect("this program"))
            .arg("install::journal::tests::the_disk_is_full_and_then_is_not")
            .env(LIMITED, &path)
            .output()
            .expect("a shell");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        assert!(fs::metadata(&path).expect("it was run").len() > 0);
        fs::remove_file(path).expect("clean up");
    }
}
