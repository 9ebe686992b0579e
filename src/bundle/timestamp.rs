//! A second of time, as the index and the lock write it.

use std::fmt;
use std::str::FromStr;

use super::text::serde_as_text;

/// A second since 1970, before the year 10000. In text as RFC 3339 has it, in UTC and
/// without fractions: `2026-11-25T14:24:56Z`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(u64);

/// Text that is not a timestamp.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a time such as `2026-11-25T14:24:56Z`")]
pub struct TimestampError(String);

const DAY: u64 = 86_400;

/// `9999-12-31T23:59:59Z`: a later year has another form.
const LAST: u64 = 253_402_300_799;

/// Days from the first of March of the year 0 to 1970. The year begins in March, so that
/// its odd day is the last. Source: Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `days_from_civil` and `civil_from_days`.
const EPOCH: u64 = 719_468;

impl Timestamp {
    /// The timestamp of `seconds` since 1970; none after the year 9999.
    #[must_use]
    pub fn of_unix(seconds: u64) -> Option<Self> {
        (seconds <= LAST).then_some(Self(seconds))
    }

    /// Its day: `2026-11-25`.
    #[must_use]
    pub fn date(self) -> String {
        let days = self.0 / DAY + EPOCH;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.0 % DAY;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}Z", self.date())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        // What is not there, or is written otherwise, is written back as another text.
        read(text)
            .filter(|timestamp| timestamp.to_string() == text)
            .ok_or_else(|| TimestampError(text.chars().take(80).collect()))
    }
}

serde_as_text!(Timestamp);

/// What the digits where they belong stand for.
fn read(text: &str) -> Option<Timestamp> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let year = year.checked_sub(u64::from(month <= 2))?;
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day.checked_sub(1)?;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year;
    let seconds = hour * 3_600 + minute * 60 + second;
    Timestamp::of_unix(days.checked_sub(EPOCH)? * DAY + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_form() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2023-02-28T00:00:00Z",
            "2024-02-29T23:59:59Z",
            "2026-04-30T00:00:00Z",
            "9999-12-31T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>().expect(text).to_string(), text);
        }
        for text in [
            "",
            "2026-11-25",
            "2026-11-25T14:24:56",
            "2026-11-25t14:24:56z",
            "2026-11-25T14:24:56.0Z",
            "2026-11-25T14:24:56+00:00",
            "2026-11-25T24:00:00Z",
            "2026-11-25T23:59:60Z",
            "2026-11-25T23:60:00Z",
            "2023-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "+026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Ü",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_timestamp_is_the_seconds_since_1970() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
            (4_102_444_799, "2099-12-31T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            let timestamp = Timestamp::of_unix(seconds).expect(text);
            assert_eq!(
                (timestamp.to_string().as_str(), timestamp.date().as_str()),
                (text, &text[..10])
            );
            assert_eq!(text.parse::<Timestamp>().expect(text), timestamp);
        }
        assert_eq!(Timestamp::of_unix(253_402_300_800), None);
        assert_eq!(Timestamp::of_unix(u64::MAX), None);
        for day in (0..=2_932_896).step_by(17) {
            let timestamp = Timestamp::of_unix(day * DAY + 86_399).expect("before the year 10000");
            assert_eq!(
                timestamp.to_string().parse::<Timestamp>().expect("read"),
                timestamp
            );
        }
    }
}
