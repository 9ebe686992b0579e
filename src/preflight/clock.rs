//! Whether the clock can be right.

use super::finding::{Finding, warning};
use crate::bundle::Timestamp;

const DAY: u64 = 86_400;

/// The first day of 2026: this program is not older.
const EARLIEST: u64 = 1_767_225_600;

/// The first day of 2100: certificates that begin later are refused by some programs.
const LATEST: u64 = 4_102_444_800;

/// `now` and `packed`, when the bundle's file was written, are in seconds since 1970. A
/// FAT stick keeps local time, so a day is no difference.
pub(crate) fn examine(now: u64, packed: Option<u64>) -> Option<Finding> {
    let why =
        "the cluster's certificates count from now on, and are not valid when the clock is set right later";
    let fix = "set it: `date --utc --set 'YYYY-MM-DD HH:MM'`, then `hwclock --systohc`";
    if !(EARLIEST..LATEST).contains(&now) {
        return Some(warning(
            format!("the clock says that it is {}", date(now)),
            why,
            fix,
        ));
    }
    let packed = packed.filter(|packed| *packed > now + DAY && *packed < LATEST)?;
    Some(warning(
        format!(
            "the clock says that it is {}, and the bundle was written on {}",
            date(now),
            date(packed)
        ),
        why,
        fix,
    ))
}

/// The day, for a person.
pub(crate) fn date(seconds: u64) -> String {
    Timestamp::of_unix(seconds).map_or_else(|| "after the year 9999".to_owned(), Timestamp::date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_the_bundle_or_out_of_all_bounds_is_told() {
        let now = EARLIEST + 300 * DAY;
        for (now, packed, told) in [
            (now, Some(now - 1), false),
            (now, Some(now + DAY), false),
            (now, Some(now + DAY + 1), true),
            (now, None, false),
            (now, Some(u64::MAX), false),
            (0, None, true),
            (EARLIEST - 1, Some(0), true),
            (LATEST, None, true),
            (u64::MAX, None, true),
        ] {
            assert_eq!(examine(now, packed).is_some(), told, "{now} {packed:?}");
        }
    }
}
