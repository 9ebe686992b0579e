//! One run at work on this machine: it holds the lock and the journal.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::error::InstallError;
use super::journal::{Event, Journal};
use super::layout::Layout;
use super::place::Placer;
use super::receipt::Receipt;
use super::state_directory::make_state_directory;
use crate::docker::Engine;
use crate::host::{Claim, Command, Environment, Lock, LockError, Output, ProcessIdentity};

/// How long the engine may take to unpack what a killed run had given it.
const LOAD_PATIENCE: Duration = Duration::from_secs(300);

/// A run that may change this machine.
#[derive(Debug)]
pub struct Session {
    /// Where things go.
    pub layout: Layout,
    /// Who runs it, with which variables.
    pub environment: Environment,
    /// What was done.
    pub journal: Journal,
    before: Receipt,
    claims: Vec<Claim>,
    _lock: Lock,
}

impl Session {
    /// Takes the lock and opens the journal. A program that a killed run left running
    /// is ended first.
    pub fn open(minikube_home: Option<&Path>) -> Result<Self, InstallError> {
        let environment = Environment::of_this_process();
        let layout = Layout::of(&environment, minikube_home)?;
        layout.require_own(&environment)?;
        let (made, lock) = lock_state(&layout)?;
        let mut journal = Journal::open(&layout.journal())?;
        let before = if made {
            Receipt::default()
        } else {
            journal.receipt().clone()
        };
        if let Some(load) = journal.receipt().load().cloned() {
            // Else the image comes when nobody looks for it any more.
            load.outlast(LOAD_PATIENCE);
            journal.record(Event::LoadEnded)?;
        }
        if let Some(child) = journal.receipt().child().cloned() {
            child.end();
            journal.record(Event::ChildEnded)?;
        }
        Ok(Self {
            layout,
            environment,
            journal,
            before,
            claims: Vec::new(),
            _lock: lock,
        })
    }

    /// What was on this machine when this run began.
    #[must_use]
    pub fn before(&self) -> &Receipt {
        &self.before
    }

    /// What a killed run had begun is undone: from here on, this is what was there before.
    pub fn begin_again(&mut self) {
        self.before = self.journal.receipt().clone();
    }

    /// Keeps every other run away from a profile of this engine until this one ends, also
    /// those of other users and with other directories.
    pub fn claim(&mut self, engine: &Engine, profile: &str) -> Result<(), InstallError> {
        let what = format!("the profile `{profile}` of this Docker Engine");
        self.claims
            .push(Claim::take(&[&engine.info().id, profile], &what)?);
        Ok(())
    }

    /// Puts files on this machine, in the name of this run.
    pub fn placer(&mut self) -> Placer<'_> {
        Placer::journalled(&mut self.journal)
    }

    /// Runs a program that must not outlive this run unseen: it is in the journal while
    /// it runs, and the next run ends it where this one was killed.
    pub fn run_recorded(
        &mut self,
        command: &Command,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<Output, InstallError> {
        let journal = &mut self.journal;
        let record = |process: Option<ProcessIdentity>| match process {
            Some(process) => Ok(journal.record(Event::Child { process })?),
            None => Ok(()),
        };
        let output = command.run_lines(record, on_line);
        self.journal.record(Event::ChildEnded)?;
        output
    }

    /// A stage of a profile's start begins.
    pub fn begin(&mut self, profile: &str, stage: &str) -> Result<(), InstallError> {
        let (profile, stage) = (profile.to_owned(), stage.to_owned());
        Ok(self.journal.record(Event::StageBegun { profile, stage })?)
    }

    /// The stage is done.
    pub fn end(&mut self, profile: &str, stage: &str) -> Result<(), InstallError> {
        let (profile, stage) = (profile.to_owned(), stage.to_owned());
        Ok(self.journal.record(Event::StageDone { profile, stage })?)
    }
}

/// Takes the lock; says whether its directory was made for it.
fn lock_state(layout: &Layout) -> Result<(bool, Lock), InstallError> {
    let mut tries = 0;
    loop {
        let made = make_state_directory(&layout.journal())?;
        match Lock::take(&layout.lock()) {
            // A run that just ended may have taken the directory with it.
            Err(LockError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound && tries < 100 => {
                tries += 1;
            }
            taken => return Ok((made, taken?)),
        }
    }
}
