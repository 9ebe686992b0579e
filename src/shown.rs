//! What a person is shown: nothing that steers the terminal, no passwords, and sizes and
//! durations in few digits.

use std::time::Duration;

pub use crate::bundle::steers;

/// `text` with characters that steer a terminal, but line ends and tabs, made visible:
/// names in a bundle, and what other programs say, are somebody else's.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            if steers(c) && c != '\n' && c != '\t' {
                out.extend(c.escape_default());
            } else {
                out.push(c);
            }
            out
        })
}

/// `text` with `***` for what may be a name and a password in an address (RFC 3986,
/// section 3.2.1): a message repeats what was typed, and is kept in logs.
#[must_use]
pub fn masked(text: &str) -> String {
    let words = text.split_inclusive([' ', '\t', '\n', '`', '\'', '"']);
    words.map(mask_word).collect()
}

fn mask_word(word: &str) -> String {
    // A name by its digest has an `@`, too.
    let (address, digest) = word.split_at(word.rfind("@sha256:").unwrap_or(word.len()));
    let Some((before, host)) = address.rsplit_once('@') else {
        return word.to_owned();
    };
    let scheme = before.find("//").map(|at| at + 2);
    let begin = scheme.or_else(|| before.find('=').map(|at| at + 1)).unwrap_or(0);
    if scheme.is_none() && before[begin..].contains('/') {
        return word.to_owned(); // a path
    }
    format!("{}***@{host}{digest}", &before[..begin])
}

/// `386 MB`, `1.56 GB`: decimal units, three digits that count.
#[must_use]
pub fn human_bytes(bytes: u64) -> String {
    in_three_digits(bytes, f64::round)
}

/// The same, rounded up: for what is needed.
#[must_use]
pub fn human_bytes_at_least(bytes: u64) -> String {
    in_three_digits(bytes, f64::ceil)
}

fn in_three_digits(bytes: u64, round: fn(f64) -> f64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    #[allow(clippy::cast_precision_loss)] // three digits are shown
    let mut value = bytes as f64;
    let mut unit = 0;
    loop {
        let (digits, scale) = match value {
            _ if unit == 0 => (0, 1.0),
            99.95.. => (0, 1.0),
            9.995.. => (1, 10.0),
            _ => (2, 100.0),
        };
        let shown = round(value * scale) / scale;
        if shown < 1000.0 || unit + 1 == UNITS.len() {
            return format!("{shown:.digits$} {}", UNITS[unit]);
        }
        value /= 1000.0;
        unit += 1;
    }
}

/// `8 s`, `2 min 05 s`.
#[must_use]
pub fn human_duration(duration: Duration) -> String {
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
    fn a_password_in_an_address_is_not_repeated() {
        for (text, shown) in [
            (
                "`docker://me:secret@r.io/app:1` is",
                "`docker://***@r.io/app:1` is",
            ),
            ("'https://me:se/cret@r.io/'", "'https://***@r.io/'"),
            ("docker.io=me:secret@r.io/k8s", "docker.io=***@r.io/k8s"),
            ("me:secret@r.io", "***@r.io"),
            (
                "HTTP_PROXY=http://me:p,a@s;s@proxy:3128/x\t\"socks5://u@h\" ://",
                "HTTP_PROXY=http://***@proxy:3128/x\t\"socks5://***@h\" ://",
            ),
            ("docker://app:1@sha256:00", "docker://app:1@sha256:00"),
            (
                "docker://me:secret@r.io/app:1@sha256:00",
                "docker://***@r.io/app:1@sha256:00",
            ),
            ("/home/me@work/b.run", "/home/me@work/b.run"),
            ("nothing to hide", "nothing to hide"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn no_character_steers_what_is_shown() {
        let steering = "a\u{7}\u{1b}[2J\u{9b}31m\r\u{7f}\u{202e}\u{2066}\u{200f}z";
        let shown = printable(steering);
        assert!(
            shown.is_ascii() && !shown.chars().any(char::is_control),
            "{shown}"
        );
        assert_eq!(printable("one\n\ttwo ä 漢"), "one\n\ttwo ä 漢");
    }

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
        assert_eq!(human_bytes_at_least(1_001_000), "1.01 MB");
        assert_eq!(human_bytes_at_least(999_000_001), "1.00 GB");
        assert_eq!(human_bytes_at_least(0), "0 B");
    }
}
