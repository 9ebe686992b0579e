//! Text from outside that is shown to a person: it cannot end a line, move the cursor or
//! change the direction of what stands around it.

/// Whether `text` is shown as it is: it has no control character, no other line end, and
/// nothing that is invisible or changes the direction of writing.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(steers)
}

/// `text` with what is not plain in it as an escape: `\n`, `\u{202e}`.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut plain, c| {
            if steers(c) {
                plain.extend(c.escape_default());
            } else {
                plain.push(c);
            }
            plain
        })
}

/// Whether `c` changes how other characters are shown, or is not seen. Source: Unicode 16,
/// general categories `Cc`, `Zl`, `Zp`, and of `Cf` what directs or joins; UAX #9,
/// "Bidirectional Algorithm".
#[must_use]
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_line_or_turns_it_is_not_plain() {
        for text in ["", "it has 2 layers; `x` says so", "Größe 日本語 → ok"] {
            assert!(is_plain(text) && plain(text) == text, "{text}");
        }
        for (text, shown) in [
            ("a\nb", "a\\nb"),
            ("a\r", "a\\r"),
            ("\t", "\\t"),
            ("\u{1b}[2K", "\\u{1b}[2K"),
            ("\u{9b}2K", "\\u{9b}2K"),
            ("\u{85}", "\\u{85}"),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("\u{202e}gnp", "\\u{202e}gnp"),
            ("a\u{200b}b", "a\\u{200b}b"),
            ("\u{feff}", "\\u{feff}"),
        ] {
            assert!(!is_plain(text), "{text:?}");
            assert_eq!(plain(text), shown);
        }
    }
}
