//! The programs under test, run with an environment that holds nothing of ours.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;

use minikube_offline::bundle::Arch;
use tempfile::TempDir;

use super::effort::report;
use super::parts::{RunnableParts, SampleParts};
use super::stripped;

/// The time that bundles and locks have which are packed in a sandbox.
pub(crate) const EPOCH: &str = "1764081872";
pub(crate) const EPOCH_TIME: &str = "2025-11-25T14:44:32Z";

/// A directory of its own for a test: home, temporary files, and what the test makes.
pub(crate) struct Sandbox {
    directory: TempDir,
}

/// What a program did.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("minikube offline 'test' ")
            .tempdir()
            .expect("a directory");
        std::fs::create_dir(directory.path().join("home")).expect("a directory");
        Self { directory }
    }

    /// A path inside.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs the packager.
    pub(crate) fn packager<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Outcome {
        self.run(Command::new(env!("CARGO_BIN_EXE_minikube-offline")).args(arguments))
    }

    /// Starts the packager and goes on.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_minikube-offline"));
        let command = self.prepare(command.args(arguments));
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    }

    /// Runs any program, in this sandbox.
    pub(crate) fn run(&self, command: &mut Command) -> Outcome {
        let outcome = Outcome::from(self.prepare(command).output().expect("the program starts"));
        super::contract::check(command, &outcome);
        outcome
    }

    fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            // What comes from upstream has the time in it: two packs are compared byte for byte.
            .env("SOURCE_DATE_EPOCH", EPOCH)
    }

    /// Runs `script` in a mount namespace of its own, where it may mount; `None`, after
    /// saying so, where the kernel does not allow that.
    pub(crate) fn with_mounts(&self, script: &str) -> Option<Outcome> {
        let namespace = |script: &str| {
            let mut command = Command::new("unshare");
            command.args(["--user", "--map-root-user", "--mount", "sh", "-eu", "-c", script]);
            self.run(&mut command)
        };
        if namespace("mount -t tmpfs none /tmp").status != 0 {
            report("skipped: mounts in a user namespace are not allowed here");
            return None;
        }
        Some(namespace(script))
    }

    /// Packs the sample parts into `name`.
    pub(crate) fn pack(&self, parts: &SampleParts, name: &str) -> PathBuf {
        self.pack_with(parts, name, &[])
    }

    /// The same with more flags.
    pub(crate) fn pack_with(&self, parts: &SampleParts, name: &str, more: &[&str]) -> PathBuf {
        let more = more.iter().map(|flag| (*flag).to_owned());
        let flags: Vec<String> = parts.flags().into_iter().chain(more).collect();
        self.pack_flags(&flags, &self.stub(), name)
    }

    /// Packs parts for this machine into `name`, with the stub of this build.
    pub(crate) fn pack_runnable(&self, parts: &RunnableParts, name: &str) -> PathBuf {
        self.pack_runnable_with(parts, name, &[])
    }

    /// The same with more flags.
    pub(crate) fn pack_runnable_with(&self, parts: &RunnableParts, name: &str, more: &[&str]) -> PathBuf {
        let more = more.iter().map(|flag| (*flag).to_owned());
        let flags: Vec<String> = parts.flags().into_iter().chain(more).collect();
        self.pack_flags(&flags, &stripped::stub(), name)
    }

    /// A copy in `name` of a bundle of the sample parts, which is packed once a run.
    pub(crate) fn sample_bundle(&self, name: &str) -> PathBuf {
        self.packed_once("sample.run", name, |sandbox, name| {
            sandbox.pack(&SampleParts::make(&sandbox.path("parts"), false), name)
        })
    }

    /// The same of a bundle for this machine.
    pub(crate) fn runnable_bundle(&self, name: &str) -> PathBuf {
        self.packed_once("runnable.run", name, |sandbox, name| {
            sandbox.pack_runnable(&RunnableParts::make(&sandbox.path("parts")), name)
        })
    }

    fn packed_once(&self, what: &'static str, name: &str, pack: fn(&Self, &str) -> PathBuf) -> PathBuf {
        static PACKED: Mutex<BTreeMap<&str, PathBuf>> = Mutex::new(BTreeMap::new());
        let mut packed = PACKED.lock().expect("the bundle was packed");
        let from = packed.entry(what).or_insert_with(|| {
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(what);
            // Another run of the tests may copy the one of before.
            let own = kept.with_extension(std::process::id().to_string());
            let sandbox = Self::new();
            copy(&pack(&sandbox, what), &own);
            std::fs::rename(own, &kept).expect("ours");
            kept
        });
        let to = self.path(name);
        copy(from, &to);
        to
    }

    fn pack_flags(&self, flags: &[String], stub: &Path, name: &str) -> PathBuf {
        let bundle = self.path(name);
        let mut arguments = vec![
            "pack".to_owned(),
            "-o".to_owned(),
            bundle.to_string_lossy().into_owned(),
        ];
        arguments.extend(["--stub".to_owned(), stub.to_string_lossy().into_owned()]);
        arguments.extend_from_slice(flags);
        let outcome = self.packager(&arguments);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        bundle
    }

    /// A stub for the sample parts' platform, which is never run.
    pub(crate) fn stub(&self) -> PathBuf {
        self.stub_for(Arch::Arm64)
    }

    /// A stub that is never run.
    pub(crate) fn stub_for(&self, arch: Arch) -> PathBuf {
        let path = self.path(&format!("stub-{}", arch.name()));
        if !path.exists() {
            let mut bytes = super::parts::elf(arch.elf_machine(), "stub");
            bytes.extend_from_slice(b"minikube-offline-stub format 1\n");
            std::fs::write(&path, bytes).expect("a stub");
        }
        path
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Copies a file that is to be run. Another program does it: what this process has open
/// for writing, or a child that it just began to start, cannot be executed.
pub(crate) fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").args([from, to]).status();
    assert!(copied.expect("cp").success());
}

/// The bytes of a file.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("a file")
}
