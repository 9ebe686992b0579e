//! What this run cannot do any more, whatever the bytes that it reads make of it: the
//! kernel's Landlock denies it. Source: kernel.org, "Landlock: unprivileged access control".
//!
//! Reading stays as it is, and so does what was open before: a result that is written to a
//! file goes there. What Landlock does not know, it does not deny: modes, owners and times of
//! files, and in the interface that was tried UDP, and sockets that are files.

use std::fs;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, PathFdError, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, make_bitflags,
};

use super::existing_ancestor;

/// The newest of the kernel's interfaces that was tried: Linux 6.12. An older kernel denies
/// what it knows of it: files since 5.13, cutting them off since 6.2, TCP since 6.7.
const TRIED: ABI = ABI::V6;

/// What is still allowed after [`Sandbox::enter`], besides reading.
#[derive(Debug, Default)]
pub struct Sandbox {
    allowed: Vec<(PathBuf, BitFlags<AccessFs>)>,
}

/// A sandbox that the kernel knows and does not let this run enter.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A file or directory that stays writable cannot be named to it.
    #[error(transparent)]
    Path(#[from] PathFdError),
    /// It refuses.
    #[error(transparent)]
    Rules(#[from] RulesetError),
}

impl Sandbox {
    /// Nothing is written, made, removed or run.
    #[must_use]
    pub fn reading() -> Self {
        Self::default()
    }

    /// Files and directories are made, replaced and removed beneath `directory`, and where symbolic
    /// links in it lead: a cache may lie in part on another disk. Where it is not there yet,
    /// it can be made, and so can all beneath the nearest directory above it that is there.
    #[must_use]
    pub fn filling(mut self, directory: &Path) -> Self {
        let access = make_bitflags!(AccessFs::{MakeDir | MakeReg | RemoveFile | Truncate | WriteFile});
        let there = existing_ancestor(directory);
        let mut directories = if there == directory {
            directories_of_links(directory)
        } else {
            Vec::new()
        };
        directories.push(there);
        directories.retain(|directory| directory.is_dir());
        self.allowed
            .extend(directories.into_iter().map(|directory| (directory, access)));
        self
    }

    /// The files in `directory` are changed in place, and new ones are made there.
    #[must_use]
    pub fn changing_in(mut self, directory: &Path) -> Self {
        let access = make_bitflags!(AccessFs::{MakeReg | Truncate | WriteFile});
        self.allowed.push((directory.to_owned(), access));
        self
    }

    /// `file`, which is there, is changed in place, and so is what it is a link to.
    #[must_use]
    pub fn changing(mut self, file: &Path) -> Self {
        let access = make_bitflags!(AccessFs::{Truncate | WriteFile});
        self.allowed.push((file.to_owned(), access));
        self
    }

    /// From here on this thread, and every thread and program that it starts, is denied
    /// every other way to write, make, rename, link or remove a file or directory, running a
    /// program, TCP, and signals and abstract sockets of processes outside. For good: a second
    /// sandbox can only take away more. A kernel that does not know all of it denies what it
    /// knows, which may be nothing.
    pub fn enter(self) -> Result<(), SandboxError> {
        self.enforce().map(|_| ())
    }

    fn enforce(self) -> Result<RulesetStatus, SandboxError> {
        let mut rules = Ruleset::default()
            .handle_access(AccessFs::from_write(TRIED) | AccessFs::Execute)?
            .handle_access(AccessNet::from_all(TRIED))?
            .scope(Scope::from_all(TRIED))?
            .create()?;
        for (path, access) in self.allowed {
            rules = rules.add_rule(PathBeneath::new(PathFd::new(path)?, access))?;
        }
        Ok(rules.restrict_self()?.ruleset)
    }
}

/// Where the symbolic links to directories beneath `directory` lead.
fn directories_of_links(directory: &Path) -> Vec<PathBuf> {
    let mut linked = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => directories.push(entry.path()),
                Ok(kind) if kind.is_symlink() && entry.path().is_dir() => linked.push(entry.path()),
                _ => {}
            }
        }
    }
    linked
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind::{NotFound, PermissionDenied};
    use std::net::TcpListener;
    use std::os::unix::fs::symlink;
    use std::thread;

    use super::*;
    use crate::host::AtomicFile;

    /// Does `work` in `sandbox`, in a thread of its own; says so where that denies nothing.
    #[allow(clippy::print_stdout, reason = "a test says what it skips")]
    fn inside(sandbox: Sandbox, work: impl FnOnce(RulesetStatus) + Send) {
        thread::scope(|scope| {
            let run = scope.spawn(|| match sandbox.enforce().expect("allowed") {
                RulesetStatus::NotEnforced => println!("skipped: this kernel has no Landlock"),
                status => work(status),
            });
            run.join().expect("as it should be");
        });
    }

    fn directory(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("minikube-offline-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        directory
    }

    #[test]
    fn who_only_reads_writes_makes_removes_and_runs_nothing() {
        let directory = directory("reading");
        let (file, new) = (directory.join("file"), directory.join("new"));
        fs::write(&file, "read").expect("not yet denied");
        inside(Sandbox::reading(), |status| {
            assert_eq!(fs::read(&file).expect("readable"), b"read");
            let denied = [
                fs::write(&file, "written"),
                fs::write(&new, "made"),
                fs::create_dir(&new),
                symlink(&file, &new),
                fs::hard_link(&file, &new),
                fs::rename(&file, &new),
                fs::remove_file(&file),
                fs::remove_dir(&directory),
                std::process::Command::new("/bin/true").status().map(|_| ()),
                // In a thread that is started later, too.
                thread::scope(|scope| scope.spawn(|| fs::write(&new, "made")).join()).expect("no panic"),
            ];
            for (number, denied) in denied.into_iter().enumerate() {
                assert_eq!(
                    denied.map_err(|error| error.kind()),
                    Err(PermissionDenied),
                    "{number}"
                );
            }
            if status == RulesetStatus::FullyEnforced {
                let bound = TcpListener::bind("127.0.0.1:0").map_err(|error| error.kind());
                assert_eq!(bound.map(|_| ()), Err(PermissionDenied));
            }
        });
        assert_eq!(fs::read(&file).expect("as before"), b"read");
        fs::remove_dir_all(directory).expect("this thread is not in it");
    }

    #[test]
    fn who_fills_a_directory_writes_beneath_it_and_where_its_links_lead() {
        let directory = directory("filling");
        let (target, other) = (directory.join("target"), directory.join("other disk"));
        fs::create_dir_all(target.join("images")).expect("a directory");
        fs::create_dir(&other).expect("a directory");
        symlink(&other, target.join("images/amd64")).expect("a link");
        let elsewhere = directory.join("elsewhere");
        inside(Sandbox::reading().filling(&target), |_| {
            fs::create_dir(target.join("bin")).expect("beneath");
            for path in [target.join("bin/kubectl"), target.join("images/amd64/pause")] {
                AtomicFile::write(&path, b"first", 0o755).expect("beneath");
                AtomicFile::write(&path, b"second", 0o755).expect("beneath");
            }
            for denied in [fs::write(&elsewhere, ""), symlink("/", target.join("link"))] {
                assert_eq!(denied.map_err(|error| error.kind()), Err(PermissionDenied));
            }
            let ran = std::process::Command::new(target.join("bin/kubectl")).status();
            assert_eq!(
                ran.map(|_| ()).map_err(|error| error.kind()),
                Err(PermissionDenied)
            );
        });
        fs::remove_dir_all(directory).expect("this thread is not in it");
    }

    #[test]
    fn a_second_sandbox_takes_away_more() {
        let directory = directory("second");
        let target = directory.join("not/there");
        inside(Sandbox::reading().filling(&target), |_| {
            fs::create_dir_all(&target).expect("it may be made");
            fs::write(directory.join("beside"), "").expect("as long as it was not there");
            Sandbox::reading().filling(&target).enter().expect("allowed");
            fs::write(target.join("file"), "").expect("beneath");
            let beside = fs::write(directory.join("another"), "").map_err(|error| error.kind());
            assert_eq!(beside, Err(PermissionDenied));
        });
        fs::remove_dir_all(directory).expect("this thread is not in it");
    }

    #[test]
    fn who_changes_files_makes_new_ones_beside_them_and_removes_none() {
        let directory = directory("changing");
        let (bundle, elsewhere) = (directory.join("stick/b.run"), directory.join("b.run"));
        fs::create_dir(directory.join("stick")).expect("a directory");
        fs::write(&elsewhere, "damaged").expect("a file");
        symlink(&elsewhere, &bundle).expect("a link");
        let sandbox = Sandbox::reading()
            .changing_in(&directory.join("stick"))
            .changing(&bundle);
        inside(sandbox, |_| {
            fs::write(&bundle, "fixed").expect("through the link");
            fs::write(bundle.with_extension("run.001"), "made").expect("beside");
            for denied in [fs::remove_file(&bundle), fs::write(directory.join("other"), "")] {
                assert_eq!(denied.map_err(|error| error.kind()), Err(PermissionDenied));
            }
        });
        fs::remove_dir_all(directory).expect("this thread is not in it");
    }

    #[test]
    fn a_file_that_is_not_there_cannot_stay_writable() {
        let missing = Sandbox::reading().changing(Path::new("/no/such/file"));
        let error = missing.enter().expect_err("it has no rule");
        assert!(
            matches!(error, SandboxError::Path(PathFdError::OpenCall { source, .. }) if source.kind() == NotFound)
        );
    }
}
