//! Which process something is, also after its number was given away: for what outlives the
//! run that began it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process_group};

use super::interrupt;

/// One process, told apart from a later one with the same number.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessIdentity {
    /// Its number, which is its group's too.
    pub pid: u32,
    /// When it started, in clock ticks since boot (proc(5), field 22 of `stat`).
    pub started: u64,
    /// The boot that these ticks count from.
    pub boot: String,
}

impl ProcessIdentity {
    /// The process that has the number `pid` now, if it runs.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        Self::read(pid, start_ticks)
    }

    /// This process's own child `pid`, whose end was not asked for yet: also when it ended.
    pub(super) fn of_child(pid: u32) -> Option<Self> {
        Self::read(pid, |stat| state_and_start(stat).map(|(_, started)| started))
    }

    fn read(pid: u32, started: impl FnOnce(&str) -> Option<u64>) -> Option<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let started = started(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
        Some(Self {
            pid,
            started,
            boot: boot.trim().to_owned(),
        })
    }

    /// Whether it runs, as a process of this user's: another's was never begun by a run of ours.
    fn runs(&self) -> bool {
        let owner = fs::metadata(format!("/proc/{}", self.pid)).map(|facts| facts.uid());
        Self::of(self.pid).as_ref() == Some(self) && owner.is_ok_and(|uid| uid == geteuid().as_raw())
    }

    /// Waits until the process ended by itself, and ends it after `patience`, or when
    /// this run is told to end.
    pub fn outlast(&self, patience: Duration) {
        let until = Instant::now() + patience;
        while self.runs() && Instant::now() < until && interrupt::received().is_none() {
            thread::sleep(Duration::from_millis(50));
        }
        self.end();
    }

    /// Ends the process and its group, if it still runs.
    pub fn end(&self) {
        let alive = || self.runs();
        let Some(group) = Pid::from_raw(self.pid.cast_signed()) else {
            return;
        };
        for (signal, patience) in [(Signal::TERM, 10), (Signal::KILL, 5)] {
            let until = Instant::now() + Duration::from_secs(patience);
            if !alive() || kill_process_group(group, signal).is_err() {
                return;
            }
            while alive() && Instant::now() < until {
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// When the process started of which `/proc/PID/stat` tells. A zombie no longer runs.
pub(super) fn start_ticks(stat: &str) -> Option<u64> {
    let (state, started) = state_and_start(stat)?;
    (state != "Z").then_some(started)
}

/// Fields 3 and 22 of `/proc/PID/stat`; the name in field 2 may hold spaces and brackets.
fn state_and_start(stat: &str) -> Option<(&str, u64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_is_waited_for_and_ended_when_it_takes_too_long() {
        let mut quick = Command::new("sh")
            .args(["-c", "read -r line"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh");
        let identity = ProcessIdentity::of(quick.id()).expect("it runs");
        // Its stdin ends, as when the run that feeds it is killed.
        drop(quick.stdin.take());
        identity.outlast(Duration::from_secs(60));
        assert_eq!(quick.wait().expect("waited").code(), Some(1));

        let mut stuck = Command::new("sleep")
            .arg("600")
            .process_group(0)
            .spawn()
            .expect("sleep");
        let identity = ProcessIdentity::of(stuck.id()).expect("it runs");
        identity.outlast(Duration::from_millis(100));
        assert_eq!(stuck.wait().expect("waited").code(), None);
    }

    #[test]
    fn a_child_is_known_until_its_end_is_asked_for_and_runs_no_more() {
        let mut child = Command::new("true").spawn().expect("true");
        let until = Instant::now() + Duration::from_secs(10);
        while ProcessIdentity::of(child.id()).is_some() && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        let identity = ProcessIdentity::of_child(child.id()).expect("nobody asked");
        assert!(!identity.runs());
        child.wait().expect("it ended");
        assert_eq!(ProcessIdentity::of_child(child.id()), None);
    }

    #[test]
    fn a_process_is_known_by_more_than_its_number() {
        let me = ProcessIdentity::of(std::process::id()).expect("this process");
        assert_eq!(ProcessIdentity::of(std::process::id()), Some(me.clone()));
        assert!(me.started > 0);
        assert_eq!(
            start_ticks("7 (a) b) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0"),
            Some(4711)
        );
        assert_eq!(
            start_ticks("7 (a) Z 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0"),
            None
        );
    }
}
