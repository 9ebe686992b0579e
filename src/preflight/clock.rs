//! Whether the clock can be right.

use super::finding::{Finding, warning};

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

/// `2026-01-31`. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`.
fn date(seconds: u64) -> String {
    let days = seconds / DAY + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (EARLIEST, "2026-01-01"),
            (EARLIEST - 1, "2025-12-31"),
            (LATEST, "2100-01-01"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }

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
        ] {
            assert_eq!(examine(now, packed).is_some(), told, "{now} {packed:?}");
        }
    }
}
