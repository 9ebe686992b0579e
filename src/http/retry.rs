//! How often, and after which pauses, something is tried again.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::thread;
use std::time::{Duration, Instant};

use crate::host::interrupt;

/// A signal waits no longer than this.
const TICK: Duration = Duration::from_millis(100);

/// How patient a client is with servers and networks.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How often something is tried without any byte gained in between.
    pub attempts: u32,
    /// The pause after the first failure; each further one is twice as long.
    pub first_pause: Duration,
    /// No pause is longer, unless a server asks for it and a person is told.
    pub longest_pause: Duration,
    /// A server that asks for more than this is left.
    pub longest_wait: Duration,
    /// A connection on which nothing comes for so long is dropped. cdn.dl.k8s.io takes half
    /// a minute for a first byte now and then (kubernetes/k8s.io#9052). Nobody takes as long
    /// to connect: half of it ends that.
    pub stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(60),
            longest_wait: Duration::from_secs(15 * 60),
            stall: Duration::from_secs(60),
        }
    }
}

impl Patience {
    /// Waits after the failure number `failures` (from 1): between half and all of the
    /// growing pause, by chance, or as long as the server asks for. `false` when that
    /// would be too long.
    #[must_use]
    pub fn pause(&self, failures: u32, asked_for: Option<Duration>) -> bool {
        if asked_for.is_some_and(|asked| asked > self.longest_pause) {
            return false;
        }
        let grown = self.first_pause.saturating_mul(1 << (failures - 1).min(16));
        let grown = grown.min(self.longest_pause);
        // So that many clients do not come back at the same time.
        let chance = u32::try_from(RandomState::new().hash_one(failures) % 512).unwrap_or(0);
        let jittered = grown / 2 + (grown / 1024) * chance;
        sleep(asked_for.unwrap_or(jittered));
        true
    }

    /// Whether a server asks for a longer pause than is made without a word, but not for
    /// too long a one.
    #[must_use]
    pub fn is_long(&self, asked: Duration) -> bool {
        asked > self.longest_pause && asked <= self.longest_wait
    }

    /// Waits so long, unless a signal comes; `false` when that would be too long.
    #[must_use]
    pub fn wait(&self, asked: Duration) -> bool {
        let may_wait = asked <= self.longest_wait;
        if may_wait {
            sleep(asked);
        }
        may_wait
    }
}

/// Until the time is over or a signal comes.
fn sleep(time: Duration) {
    let until = Instant::now() + time;
    while interrupt::received().is_none() && Instant::now() < until {
        thread::sleep(TICK.min(until.saturating_duration_since(Instant::now())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_byte_may_take_as_long_as_the_slowest_server_takes() {
        assert!(Patience::default().stall >= Duration::from_secs(60));
    }

    #[test]
    fn a_pause_is_long_between_the_two_bounds() {
        let patience = Patience::default();
        let asked = [60, 61, 900, 901].map(|seconds| patience.is_long(Duration::from_secs(seconds)));
        assert_eq!(asked, [false, true, true, false]);
        assert!(!patience.pause(1, Some(Duration::from_secs(61))));
        assert!(!patience.wait(Duration::from_secs(901)));
    }
}
