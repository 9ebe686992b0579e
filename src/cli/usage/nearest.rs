//! Which name was meant: the stub has no room for a crate that knows.

/// The name that is most like `word`, if one is: it begins with it, or few letters are
/// wrong, missing, too many or exchanged.
pub(crate) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let likeness = |name: &str| {
        if word.len() >= 2 && name.starts_with(&word) {
            return Some(0);
        }
        Some(distance(&word, name)).filter(|distance| *distance <= word.len().max(name.len()) / 3)
    };
    let likely = names.filter_map(|name| Some((likeness(name)?, name)));
    likely.min().map(|(_, name)| name)
}

/// How many letters are to be changed, added, left out or exchanged with the next one
/// (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let exchanged = if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    rows[i - 2][j - 2] + 1
                } else {
                    usize::MAX
                };
                replaced
                    .min(exchanged)
                    .min(rows[i - 1][j] + 1)
                    .min(rows[i][j - 1] + 1)
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likest_name_is_found_and_an_unlike_one_never() {
        let names = [
            "start",
            "stop",
            "status",
            "preflight",
            "verify",
            "list",
            "pack",
            "cpus",
        ];
        for (word, meant) in [
            ("strat", Some("start")),
            ("star", Some("start")),
            ("Start", Some("start")),
            ("stat", Some("status")),
            ("sotp", Some("stop")),
            ("pakc", Some("pack")),
            ("prefligth", Some("preflight")),
            ("ver", Some("verify")),
            ("lst", Some("list")),
            ("cpu", Some("cpus")),
            ("x", None),
            ("remove", None),
            ("ls", None),
            ("version", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, names.into_iter()), meant, "{word}");
        }
    }
}
