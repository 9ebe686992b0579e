//! Takes off the machine what the journal says is ours, and nothing else: all of it, or
//! what one run made.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::InstallError;
use super::journal::Event;
use super::place::recorded;
use super::receipt::Receipt;
use super::session::Session;
use super::state_directory::remove_state_directory;
use crate::docker::Engine;
use crate::host::{AtomicFile, FileError, remove_if_there, sync_removed};
use crate::minikube::{ProfileConfig, dot_minikube, leftover_directories, leftover_files};

/// One thing that is gone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Removed {
    /// A profile with its nodes.
    Profile(String),
    /// A node's volume.
    Volume(String),
    /// A file or a link.
    File(PathBuf),
    /// An empty directory.
    Directory(PathBuf),
    /// An image in the engine.
    Image(String),
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(name) => write!(f, "profile {name}"),
            Self::Volume(name) => write!(f, "volume {name}"),
            Self::File(path) | Self::Directory(path) => write!(f, "{}", path.display()),
            Self::Image(reference) => write!(f, "image {reference}"),
        }
    }
}

/// What an uninstall did.
#[derive(Clone, Debug, Default)]
pub struct Removal {
    /// What is gone.
    pub removed: Vec<Removed>,
    /// What stays, each with the reason.
    pub kept: Vec<String>,
}

/// Removes links, files, images and directories. Profiles are gone by then. The journal
/// goes last.
pub fn remove_installed(session: &mut Session, engine: Option<&Engine>) -> Result<Removal, InstallError> {
    remove_file(&session.layout.failed_start_log())?;
    remove_all_but(session, engine, &Receipt::default())
}

/// Removes what this run made, and puts back what it replaced. Profiles that it made are
/// gone by then.
pub fn remove_made_by_this_run(
    session: &mut Session,
    engine: Option<&Engine>,
) -> Result<Removal, InstallError> {
    let before = session.before().clone();
    session.placer().put_back()?;
    session.journal.restore_bundles(&before)?;
    for (profile, stage) in session.journal.receipt().unfinished_stages() {
        session.end(&profile, &stage)?;
    }
    remove_all_but(session, engine, &before)
}

/// Removes what is ours but not in `except`. The journal goes with the last of it.
fn remove_all_but(
    session: &mut Session,
    engine: Option<&Engine>,
    except: &Receipt,
) -> Result<Removal, InstallError> {
    let mut removal = Removal::default();
    let mut gone = Gone::default();
    remove_links(session, except, &mut removal, &mut gone)?;
    remove_files(session, except, &mut removal, &mut gone)?;
    if let Some(engine) = engine {
        remove_images(session, engine, except, &mut removal)?;
    }
    remove_minikube_files(session, except, &mut gone)?;
    remove_directories(session, except, &mut removal, gone)?;
    Ok(removal)
}

/// What is no longer there, and still in the journal. btrfs keeps what was written to a
/// journal that is synced, and not what was removed before in other directories: without
/// power, all of that would be back, and nothing would know of it.
#[derive(Default)]
struct Gone {
    paths: Vec<PathBuf>,
    directories: BTreeSet<PathBuf>,
}

impl Gone {
    fn add(&mut self, path: &Path) {
        self.paths.push(path.to_owned());
        self.directories.extend(path.parent().map(Path::to_owned));
    }

    /// Makes it durable, then takes it out of the journal.
    fn forget(self, session: &mut Session) -> Result<(), InstallError> {
        sync_removed(self.directories.iter().map(AsRef::as_ref))?;
        for path in self.paths {
            forget(session, path.display().to_string())?;
        }
        Ok(())
    }
}

fn remove_links(
    session: &Session,
    except: &Receipt,
    removal: &mut Removal,
    gone: &mut Gone,
) -> Result<(), InstallError> {
    for (path, target) in session.journal.receipt().links().clone() {
        if except.links().contains_key(&path) {
            continue;
        }
        if fs::read_link(&path).is_ok_and(|there| there == target) {
            remove_file(&path)?;
            removal.removed.push(Removed::File(path.clone()));
        } else if fs::symlink_metadata(&path).is_ok() {
            removal.kept.push(changed(&path));
        }
        gone.add(&path);
    }
    Ok(())
}

fn remove_files(
    session: &Session,
    except: &Receipt,
    removal: &mut Removal,
    gone: &mut Gone,
) -> Result<(), InstallError> {
    let receipt = session.journal.receipt().clone();
    let unfinished: BTreeSet<&Path> = receipt.unfinished_files().iter().map(AsRef::as_ref).collect();
    for path in receipt.files().keys().map(AsRef::as_ref).chain(unfinished) {
        remove_file(&AtomicFile::temporary(path))?;
        if except.files().contains_key(path) {
            continue;
        }
        if recorded(&receipt, path)?.is_some() {
            remove_file(path)?;
            removal.removed.push(Removed::File(path.to_owned()));
        } else if receipt.files().contains_key(path) && path.is_file() {
            removal.kept.push(changed(path));
        }
        gone.add(path);
    }
    Ok(())
}

fn remove_images(
    session: &mut Session,
    engine: &Engine,
    except: &Receipt,
    removal: &mut Removal,
) -> Result<(), InstallError> {
    for (reference, ids) in session.journal.receipt().images().clone() {
        if except.images().contains_key(&reference) {
            continue;
        }
        match engine.image(&reference)? {
            Some(image) if ids.contains(&image.id) => match engine.remove_image(&reference) {
                Ok(()) => removal.removed.push(Removed::Image(reference.clone())),
                Err(error) if error.is_refusal() => {
                    removal
                        .kept
                        .push(format!("image {reference}: a container uses it"));
                }
                Err(error) => return Err(error.into()),
            },
            Some(_) => removal
                .kept
                .push(format!("image {reference}: it is another one now")),
            None => {}
        }
        forget(session, reference)?;
    }
    Ok(())
}

/// minikube's directory, when it was not there before us, holds files that minikube made
/// for our profiles alone.
fn remove_minikube_files(session: &Session, except: &Receipt, gone: &mut Gone) -> Result<(), InstallError> {
    let ours: Vec<_> = session
        .journal
        .receipt()
        .directories()
        .into_iter()
        .filter(|directory| dot_minikube(directory) == **directory)
        .filter(|directory| !except.directories().contains(directory))
        .map(Path::to_owned)
        .collect();
    for home in ours {
        if !ProfileConfig::names(&home).is_empty() {
            continue;
        }
        for file in leftover_files(&home) {
            remove_file(&file)?;
        }
        for directory in leftover_directories(&home) {
            // Kept when there is something in it: that is the user's.
            let _ = fs::remove_dir(directory);
        }
        gone.directories.insert(home);
    }
    Ok(())
}

fn remove_directories(
    session: &mut Session,
    except: &Receipt,
    removal: &mut Removal,
    mut gone: Gone,
) -> Result<(), InstallError> {
    let receipt = session.journal.receipt().clone();
    let state = session.layout.state.clone();
    let (above, others): (Vec<&Path>, Vec<&Path>) = receipt
        .directories()
        .into_iter()
        .filter(|directory| !except.directories().contains(directory))
        .partition(|directory| state.starts_with(directory));
    for directory in others {
        remove_directory(directory, removal)?;
        gone.add(directory);
    }
    gone.forget(session)?;
    let _ = fs::remove_dir(session.layout.empty_docker_config());
    let layout = &session.layout;
    for directory in [
        layout.pipes(),
        layout.dry_run(),
        layout.kubectl_cache(),
        layout.helm(),
    ] {
        let _ = fs::remove_dir_all(directory);
    }
    if !except.is_empty() || session.layout.failed_start_log().exists() {
        return Ok(());
    }
    // The lock's file may go while it is held: the next run makes its own.
    remove_state_directory(&session.layout.journal(), &session.layout.lock(), &above)?;
    for directory in above {
        if fs::symlink_metadata(directory).is_ok() {
            removal.kept.push(not_empty(directory));
        } else if session.before().directories().contains(&directory) {
            removal.removed.push(Removed::Directory(directory.to_owned()));
        }
        // Else this very run made it, for its lock.
    }
    Ok(())
}

fn remove_directory(directory: &Path, removal: &mut Removal) -> Result<(), InstallError> {
    match fs::remove_dir(directory) {
        Ok(()) => removal.removed.push(Removed::Directory(directory.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            removal.kept.push(not_empty(directory));
        }
        // Somebody moved what was in it, to a larger disk for example.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            if fs::symlink_metadata(directory).is_ok() {
                removal
                    .kept
                    .push(format!("{}: it is no longer a directory", directory.display()));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
            removal
                .kept
                .push(format!("{}: something is mounted there", directory.display()));
        }
        Err(error) => return Err(FileError::at("removed", directory)(error).into()),
    }
    Ok(())
}

fn remove_file(path: &Path) -> Result<(), InstallError> {
    match remove_if_there(path) {
        // Nothing of ours is below a file.
        Err(error) if error.source.kind() == io::ErrorKind::NotADirectory => Ok(()),
        removed => Ok(removed?),
    }
}

fn not_empty(directory: &Path) -> String {
    format!("{}: it is not empty", directory.display())
}

fn changed(path: &Path) -> String {
    format!("{}: it was changed after it was installed", path.display())
}

fn forget(session: &mut Session, what: String) -> Result<(), InstallError> {
    Ok(session.journal.record(Event::Forgotten { what })?)
}
