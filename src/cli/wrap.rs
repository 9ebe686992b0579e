//! Text in the columns of a terminal: clap wraps with a crate that the stub has no room for.

/// `text` with its long lines broken at spaces; what follows a flag or a verb stays in its column.
pub(super) fn wrapped(text: &str, columns: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let indent = column_of_text(line, columns);
        let mut rest: Vec<char> = line.trim_end().chars().collect();
        while rest.len() > columns {
            let blank = |at: &usize| rest[*at] == ' ';
            let Some(at) = (indent + 1..=columns)
                .rev()
                .find(blank)
                .or_else(|| (columns + 1..rest.len()).find(blank))
            else {
                break;
            };
            out.push_str(rest[..at].iter().collect::<String>().trim_end());
            out.push('\n');
            let next = rest[at..].iter().skip_while(|c| **c == ' ');
            rest = std::iter::repeat_n(' ', indent)
                .chain(next.copied().collect::<Vec<_>>())
                .collect();
        }
        out.extend(rest);
        out += end;
    }
    out
}

/// Where the text of a line begins: behind the flag that it explains, if there is one.
fn column_of_text(line: &str, columns: usize) -> usize {
    let lead = line.chars().take_while(|c| *c == ' ').count();
    let chars: Vec<char> = line.chars().collect();
    let gap = (lead + 1..chars.len()).find(|at| chars[at - 1] == ' ' && chars[*at - 2..*at] == [' ', ' ']);
    gap.map(|at| at + chars[at..].iter().take_while(|c| **c == ' ').count())
        .filter(|at| *at <= columns * 2 / 3)
        .unwrap_or(lead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_in_the_column_of_its_text() {
        for (text, expected) in [
            ("short\n", "short\n"),
            (
                "  -q, --quiet  Print only results, warnings",
                "  -q, --quiet  Print\n               only\n               results,\n               warnings",
            ),
            (
                "      one two three four five six\n",
                "      one two three four\n      five six\n",
            ),
            (
                "averyverylongwordthatdoesnotfit\n",
                "averyverylongwordthatdoesnotfit\n",
            ),
            (
                "averyverylongwordthatdoesnotfit in\n",
                "averyverylongwordthatdoesnotfit\nin\n",
            ),
        ] {
            assert_eq!(wrapped(text, 24), expected, "{text:?}");
        }
    }
}
