//! A second of time, as the index and the lock write it.

use std::fmt;
use std::str::FromStr;

use super::text::serde_as_text;

/// A second, in text as RFC 3339 has it, in UTC and without fractions:
/// `2026-11-25T14:24:56Z`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Moment(String);

/// Text that is no such time.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a time such as `2026-11-25T14:24:56Z`")]
pub struct MomentError(String);

/// Where the digits stand; the other bytes are these.
const FORM: &[u8] = b"0000-00-00T00:00:00Z";

impl FromStr for Moment {
    type Err = MomentError;
    fn from_str(text: &str) -> Result<Self, MomentError> {
        let refused = || MomentError(text.chars().take(80).collect());
        let has_form = text.len() == FORM.len()
            && text.bytes().zip(FORM).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                form => byte == *form,
            });
        let number =
            |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<u32>().ok());
        let numbers =
            [(0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19)].map(|(from, to)| number(from, to));
        let [
            Some(year),
            Some(month),
            Some(day),
            Some(hour),
            Some(minute),
            Some(second),
        ] = numbers
        else {
            return Err(refused());
        };
        let is_time =
            year > 0 && (1..=days_in(year, month)).contains(&day) && hour < 24 && minute < 60 && second < 60;
        if has_form && is_time {
            Ok(Self(text.to_owned()))
        } else {
            Err(refused())
        }
    }
}

/// None of a month that there is not.
fn days_in(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(Moment);

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
            assert_eq!(text.parse::<Moment>().expect(text).to_string(), text);
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
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "+026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Ü",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
