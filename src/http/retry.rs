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
    /// No pause is longer, whatever a server asks for.
    pub longest_pause: Duration,
    /// A connection on which nothing comes for so long is dropped.
    pub stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(60),
            stall: Duration::from_secs(30),
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
        let until = Instant::now() + asked_for.unwrap_or(jittered);
        while interrupt::received().is_none() && Instant::now() < until {
            thread::sleep(TICK.min(until.saturating_duration_since(Instant::now())));
        }
        true
    }
}
