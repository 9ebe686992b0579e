//! What a person is shown: nothing that steers the terminal, and no passwords.

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
    let words = text.split_inclusive([' ', '\n', '`', '\'', '"']);
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
}
