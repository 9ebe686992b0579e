//! Sizes and durations, as a person reads them.

use std::time::Duration;

/// `386 MB`, `1.56 GB`: decimal units, three digits that count.
pub(super) fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    #[allow(clippy::cast_precision_loss)] // three digits are shown
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = if unit == 0 || value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// `8 s`, `2 min 05 s`.
pub(super) fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a run lasts no 2^64 s
    let seconds = seconds as u64;
    if seconds < 60 {
        format!("{seconds} s")
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_count() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (386_000_000, "386 MB"),
            (999_600_000, "1.00 GB"),
            (1_560_000_000, "1.56 GB"),
            (99_960_000, "100 MB"),
        ] {
            assert_eq!(human_bytes(bytes), text);
        }
        assert_eq!(human_duration(Duration::from_millis(124_600)), "2 min 05 s");
    }
}
