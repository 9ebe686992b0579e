//! G5: kills at any moment of a run on a real bundle.

use std::time::{Duration, Instant};

use super::subjects::{Extract, Place};
use super::{text, undisturbed_state};
use crate::effort::{Random, report, rounds};

#[test]
fn a_run_that_is_killed_at_any_moment_is_finished_by_the_next() {
    let mut random = Random::new();
    let mut lines = Vec::new();
    for flag in ["--to", "--to-cache"] {
        let subject = Extract::real(flag);
        let right = undisturbed_state(&subject);
        let begun = Instant::now();
        undisturbed_state(&subject);
        let whole = begun.elapsed();
        let count = rounds(4, 100);
        // Some of them end before: other work on the machine makes a run longer or shorter.
        let (mut killed, mut tries) = (0, 0);
        while killed < count {
            tries += 1;
            assert!(tries <= 10 * count, "only {killed} of {tries} runs were killed");
            let place = Place::of(&subject);
            let mut running = place.spawn(&subject);
            let wait = Duration::from_micros(random.below(u64::try_from(whole.as_micros()).unwrap()));
            std::thread::sleep(wait);
            running.kill().expect("ours");
            killed += u64::from(!running.wait().expect("ours").success());
            let again = place.run(&subject);
            let what = format!("killed after {wait:?} (seed {})", random.seed());
            assert!(again.status.success(), "{what}: {}", text(&again));
            assert_eq!(
                place.tree(&subject).differences(&right),
                Vec::<String>::new(),
                "{what}"
            );
        }
        lines.push(format!("`extract {flag}` {killed} of {tries} runs"));
    }
    report(&format!(
        "kills at random moments: {}; each rerun ended in the same state (seed {})",
        lines.join(", "),
        random.seed()
    ));
}
