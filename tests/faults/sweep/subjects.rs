//! What is killed and refused: the verbs that change something.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::strace::{self, Call, Fault};
use super::tree::Tree;
use crate::draft::{Contents, Draft, Key};
use crate::effort::{Random, directory, rounds};
use crate::stub;

/// A verb with what it needs.
pub(super) trait Subject: Sync {
    fn name(&self) -> &'static str;
    /// A directory for it.
    fn directory(&self) -> TempDir {
        directory()
    }
    /// As whom it runs.
    fn user(&self, _command: &mut Command) {}
    /// Puts what the verb needs into the directory.
    fn prepare(&self, _directory: &Path) {}
    /// The program with its arguments; the directory is its working directory.
    fn command(&self, directory: &Path) -> Command;
    /// What takes back all that it did.
    fn undo(&self, _directory: &Path) -> Option<Command> {
        None
    }
    /// What it reads from its standard input.
    fn input(&self) -> Stdio {
        Stdio::null()
    }
    /// What counts of a file's content.
    fn content(&self, path: &Path) -> Vec<u8> {
        fs::read(path).expect("a file")
    }
    /// Whether other threads do a part of it.
    fn follows(&self) -> bool {
        true
    }
    /// Other exit codes with which it may end when a call is refused.
    fn also_ends_with(&self, _code: Option<i32>) -> bool {
        false
    }
}

/// Where a subject runs once.
pub(super) struct Place {
    directory: PathBuf,
    /// Goes away with it.
    _kept: Option<TempDir>,
}

impl Place {
    pub(super) fn of(subject: &dyn Subject) -> Self {
        let directory = subject.directory();
        let place = Self::within(directory.path(), subject);
        Self {
            _kept: Some(directory),
            ..place
        }
    }

    /// In a directory of somebody else's.
    pub(super) fn within(directory: &Path, subject: &dyn Subject) -> Self {
        for name in ["home", "tmp"] {
            fs::create_dir_all(directory.join(name)).expect("a directory");
        }
        subject.prepare(directory);
        Self::again(directory)
    }

    /// Where a subject was before.
    pub(super) fn again(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            _kept: None,
        }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Runs the subject to its end.
    pub(super) fn run(&self, subject: &dyn Subject) -> Output {
        start(&mut self.command(subject), subject)
    }

    /// The same; gives its calls, too.
    pub(super) fn list(&self, subject: &dyn Subject) -> (Output, Vec<Call>) {
        let directory = directory();
        let log = directory.path().join("log");
        // strace writes it as the subject's user.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).expect("ours");
        let mut command = strace::listing(&self.command(subject), subject.follows(), &log);
        (start(&mut command, subject), strace::calls(&log))
    }

    /// The same, with a fault at `call`.
    pub(super) fn disturb(&self, subject: &dyn Subject, call: &Call, fault: Fault) -> Output {
        let mut command = strace::injecting(&self.command(subject), subject.follows(), call, fault);
        start(&mut command, subject)
    }

    /// Runs the subject, and does not wait for its end.
    pub(super) fn spawn(&self, subject: &dyn Subject) -> Child {
        let mut command = self.command(subject);
        let quiet = command
            .stdin(subject.input())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        quiet.spawn().expect("it starts")
    }

    /// Takes back what the subject did, where it can be taken back.
    pub(super) fn undo(&self, subject: &dyn Subject) -> Option<Output> {
        let mut command = at_home(subject.undo(&self.directory)?, &self.directory);
        Some(start(&mut command, subject))
    }

    pub(super) fn command(&self, subject: &dyn Subject) -> Command {
        at_home(subject.command(&self.directory), &self.directory)
    }

    pub(super) fn tree(&self, subject: &dyn Subject) -> Tree {
        Tree::of(&self.directory, &|path| subject.content(path))
    }
}

/// The command, in the directory of a place.
pub(super) fn at_home(mut command: Command, directory: &Path) -> Command {
    command
        .current_dir(directory)
        .env("HOME", directory.join("home"))
        .env("TMPDIR", directory.join("tmp"));
    command
}

/// The program, run by another one, which gets `arguments` before it.
pub(super) fn through(other: &str, arguments: &[String], program: &Command) -> Command {
    let mut command = Command::new(other);
    command
        .args(arguments)
        .arg(program.get_program())
        .args(program.get_args());
    command.env_clear();
    for (name, value) in program.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    if let Some(directory) = program.get_current_dir() {
        command.current_dir(directory);
    }
    command
}

/// Runs a subject's program to its end.
pub(super) fn start(command: &mut Command, subject: &dyn Subject) -> Output {
    spawn(command, subject).wait_with_output().expect("ours")
}

/// Starts a subject's program, whose output is kept.
pub(super) fn spawn(command: &mut Command, subject: &dyn Subject) -> Child {
    subject.user(command);
    command
        .stdin(subject.input())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

/// `extract`.
pub(super) struct Extract {
    name: &'static str,
    flag: &'static str,
    target: &'static str,
    _directory: TempDir,
    bundle: PathBuf,
}

impl Extract {
    pub(super) fn to_directory() -> Self {
        Self::new("--to", &Draft::of(&Contents::with_files()).finish(&Key::new()))
    }

    pub(super) fn to_cache() -> Self {
        Self::new("--to-cache", &Draft::sound().finish(&Key::new()))
    }

    /// Of a bundle with many chunks, which do not compress.
    pub(super) fn of_noise(flag: &'static str) -> Self {
        static BUNDLE: OnceLock<Vec<u8>> = OnceLock::new();
        let bundle = BUNDLE.get_or_init(|| {
            let mut random = Random::new();
            let mut contents = Contents::small();
            for layer in &mut contents.layers {
                *layer = random.bytes(1 << 20);
            }
            // A call is counted in its thread, and each member is read in one of its own.
            contents.layers[0] = random.bytes(usize::try_from(rounds(16 << 20, 56 << 20)).expect("memory"));
            Draft::of(&contents).finish(&Key::new())
        });
        Self::new(flag, bundle)
    }

    /// Of the bundle that the script made, or else of noise.
    pub(super) fn real(flag: &'static str) -> Self {
        match std::env::var_os("MINIKUBE_OFFLINE_TEST_BUNDLE") {
            Some(bundle) => Self::of_noise(flag).at(Path::new(&bundle)),
            None => Self::of_noise(flag),
        }
    }

    /// The same with the bundle in another place.
    pub(super) fn at(mut self, bundle: &Path) -> Self {
        bundle.clone_into(&mut self.bundle);
        self
    }

    pub(super) fn bundle(&self) -> &Path {
        &self.bundle
    }

    fn new(flag: &'static str, content: &[u8]) -> Self {
        let directory = directory();
        let bundle = directory.path().join("x.run");
        fs::write(&bundle, content).expect("a bundle");
        let (name, target) = match flag {
            "--to" => ("extract --to", "out/parts"),
            _ => ("extract --to-cache", "home"),
        };
        Self {
            name,
            flag,
            target,
            _directory: directory,
            bundle,
        }
    }
}

impl Subject for Extract {
    fn name(&self) -> &'static str {
        self.name
    }

    fn command(&self, directory: &Path) -> Command {
        let mut command = stub::on(&self.bundle);
        command
            .args(["extract", self.flag])
            .arg(directory.join(self.target));
        command
    }
}

#[cfg(feature = "packager")]
pub(super) use packager::{Join, Pack, Sign};

#[cfg(feature = "packager")]
mod packager {
    use minikube_offline::trust::TrustedKeys;
    use minikube_offline::verify::OpenedBundle;

    use super::*;
    use crate::draft::nowhere;
    use crate::parts::{SampleParts, elf};

    fn packager() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_minikube-offline"));
        command.env_clear();
        command
    }

    /// `pack`, of the sample parts.
    pub(in crate::sweep) struct Pack {
        directory: TempDir,
        flags: Vec<String>,
    }

    impl Pack {
        pub(in crate::sweep) fn new() -> Self {
            let directory = directory();
            let parts = SampleParts::make(&directory.path().join("parts"), false);
            let stub = [elf(183, "stub"), b"minikube-offline-stub format 1\n".to_vec()].concat();
            fs::write(directory.path().join("stub"), stub).expect("a stub");
            let flags = parts.flags();
            Self { directory, flags }
        }
    }

    impl Subject for Pack {
        fn name(&self) -> &'static str {
            "pack"
        }

        fn command(&self, _: &Path) -> Command {
            let mut command = packager();
            command.args(["pack", "-o", "x.run", "--level=fast", "--stub"]);
            command.arg(self.directory.path().join("stub")).args(&self.flags);
            command
        }
    }

    /// `join`, of two bundles of the sample parts.
    pub(in crate::sweep) struct Join {
        directory: TempDir,
    }

    impl Join {
        pub(in crate::sweep) fn new() -> Self {
            let pack = Pack::new();
            let pack = |name: &str, more: &[&str]| {
                let mut command = packager();
                command
                    .current_dir(pack.directory.path())
                    .args(["pack", "-o", name]);
                command
                    .arg("--level=fast")
                    .args(more)
                    .arg("--stub=stub")
                    .args(&pack.flags);
                assert!(command.output().expect("packed").status.success(), "{name}");
            };
            let made = directory();
            let old = made.path().join("old.run").to_string_lossy().into_owned();
            let new = made.path().join("x.run").to_string_lossy().into_owned();
            pack(&old, &[]);
            pack(&new, &["--serial=2", &format!("--base={old}")]);
            Self { directory: made }
        }
    }

    impl Subject for Join {
        fn name(&self) -> &'static str {
            "join"
        }

        fn command(&self, _: &Path) -> Command {
            let mut command = packager();
            let file = |name: &str| self.directory.path().join(name);
            command.arg("join").arg(file("old.run")).arg(file("x.delta"));
            command.args(["-o", "x.run"]);
            command
        }
    }

    const PASSWORD: &str = "a test's password";

    /// `sign`.
    pub(in crate::sweep) struct Sign {
        directory: TempDir,
        bundle: Vec<u8>,
        public: String,
    }

    impl Sign {
        pub(in crate::sweep) fn new() -> Self {
            let directory = directory();
            let pair =
                minisign::KeyPair::generate_encrypted_keypair(Some(PASSWORD.to_owned())).expect("a key");
            let secret = pair.sk.to_box(None).expect("text").to_string();
            fs::write(directory.path().join("one.key"), secret).expect("a key");
            fs::write(directory.path().join("password"), format!("{PASSWORD}\n")).expect("a password");
            let bundle = Draft::sound().finish(&Key::new());
            let public = pair.pk.to_base64();
            Self {
                directory,
                bundle,
                public,
            }
        }
    }

    impl Subject for Sign {
        fn name(&self) -> &'static str {
            "sign"
        }

        fn prepare(&self, directory: &Path) {
            fs::write(directory.join("x.run"), &self.bundle).expect("a bundle");
        }

        /// No two signatures of one key over one thing are the same: a good one counts
        /// as one, and the digest that seals it does not count.
        fn content(&self, path: &Path) -> Vec<u8> {
            let content = fs::read(path).expect("a file");
            if path.extension().is_some_and(|extension| extension == "minisig") {
                let text = String::from_utf8_lossy(&content).into_owned();
                let lines = text.lines().filter(|line| line.contains("comment:"));
                return lines.collect::<String>().into_bytes();
            }
            let trusted = TrustedKeys::load(std::slice::from_ref(&self.public), &nowhere()).expect("a key");
            let Ok(opened) = OpenedBundle::open(path, &trusted) else {
                return content;
            };
            let signature = usize::try_from(opened.trailer().signature_offset()).expect("small");
            let end = content.len() - 32;
            [
                &content[..signature],
                b"a good signature",
                &content[signature + 138..end],
            ]
            .concat()
        }

        /// Where the password cannot be had.
        fn also_ends_with(&self, code: Option<i32>) -> bool {
            code == Some(2)
        }

        fn input(&self) -> Stdio {
            let password = fs::File::open(self.directory.path().join("password"));
            password.expect("a password").into()
        }

        fn command(&self, _: &Path) -> Command {
            let mut command = packager();
            command.args(["sign", "x.run", "--password-fd=0", "--key"]);
            command.arg(self.directory.path().join("one.key"));
            command
        }
    }
}
