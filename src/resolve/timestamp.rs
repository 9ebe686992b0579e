//! When parts are resolved.

use super::ResolveError;
use crate::bundle::Timestamp;
use crate::host::{Environment, unix_seconds};

/// What says the time instead of the clock, in seconds since 1970. Source:
/// <https://reproducible-builds.org/specs/source-date-epoch/>.
const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The time that a lock of this run has: `SOURCE_DATE_EPOCH` where it is set, else now.
pub fn timestamp(environment: &Environment) -> Result<Timestamp, ResolveError> {
    let Some(said) = environment.variable(SOURCE_DATE_EPOCH) else {
        return Ok(Timestamp::of_unix(unix_seconds()).expect("no clock goes beyond the year 9999"));
    };
    let refused = || ResolveError::SourceDate {
        said: said.to_string_lossy().chars().take(80).collect(),
    };
    let digits = said
        .to_str()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(refused)?;
    Timestamp::of_unix(seconds).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_says_the_time_or_is_refused() {
        let at = |text: &str| timestamp(&Environment::of(&[(SOURCE_DATE_EPOCH, text)], 0));
        for (text, time) in [
            ("0", "1970-01-01T00:00:00Z"),
            ("1709251199", "2024-02-29T23:59:59Z"),
            ("253402300799", "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(at(text).expect(text).to_string(), time);
        }
        for text in ["-1", "+1", "1.5", "now", "253402300800", "99999999999999999999"] {
            let error = at(text).expect_err(text).to_string();
            assert!(
                error.contains(&format!("SOURCE_DATE_EPOCH is `{text}`")),
                "{error}"
            );
        }
        let now = timestamp(&Environment::of(&[], 0)).expect("now");
        assert!(now > "2024-01-01T00:00:00Z".parse().expect("a time"));
    }
}
