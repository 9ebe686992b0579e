//! The `bundle.toml` that `init` writes.

/// A `bundle.toml` with every key: the needed ones set, the others behind `#` with
/// their defaults or an example.
pub const TEMPLATE: &str = include_str!("../../templates/bundle.toml");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::spec::keys::keys_of;
    use crate::spec::{PartialSpec, Sources, Spec, VersionWord, parse_spec};

    /// The template with the `#` before each key taken away.
    fn uncommented() -> String {
        let key = |line: &str| {
            line.starts_with('#') && line[1..].starts_with(|first: char| first.is_ascii_lowercase())
        };
        let lines = TEMPLATE
            .lines()
            .map(|line| if key(line) { &line[1..] } else { line });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn resolved(text: &str) -> Spec {
        let spec = parse_spec(text, Path::new("bundle.toml")).expect("the template parses");
        // A line of releases is replaced by one of them before.
        let release = spec.kubernetes_version.as_ref().and_then(VersionWord::line);
        let release = format!("{}.0", release.expect("a line")).parse().ok();
        PartialSpec {
            kubernetes_version: release,
            ..spec
        }
        .resolve()
        .expect("the template is a spec")
    }

    #[test]
    fn every_key_is_there_once_and_in_the_order_of_the_spec() {
        let text = uncommented();
        let named: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .map(|line| {
                line.split(" = ")
                    .next()
                    .unwrap_or_default()
                    .trim_matches(['[', ']'])
            })
            .collect();
        let (tables, keys): (Vec<&str>, Vec<&str>) = keys_of::<PartialSpec>()
            .iter()
            .partition(|key| **key == "sources");
        assert!(keys.len() > 10, "{keys:?}");
        assert_eq!(named, [keys, tables, keys_of::<Sources>().to_vec()].concat());
    }

    #[test]
    fn what_stands_behind_a_hash_parses_and_is_the_default_where_there_is_one() {
        let (bare, full) = (resolved(TEMPLATE), resolved(&uncommented()));
        // Counted, where nothing is said: from 1 on.
        assert_eq!(
            (full.level, full.serial, bare.serial),
            (bare.level, Some(1), None)
        );
        assert_eq!((full.name, full.output), (bare.name, bare.output));
        assert_eq!((full.cni, full.ha), (bare.cni, bare.ha));
        assert_eq!(full.sources.offline, bare.sources.offline);
    }

    #[test]
    fn each_key_has_one_line_of_explanation_before_it() {
        let blocks = TEMPLATE.split("\n\n").skip(1);
        let bad: Vec<&str> = blocks
            .filter(|block| block.trim_end().lines().count() != 2)
            .collect();
        assert_eq!(bad, Vec::<&str>::new());
        let lines: BTreeSet<&str> = TEMPLATE.lines().filter(|line| line.starts_with("# ")).collect();
        assert!(lines.iter().all(|line| line.len() <= 110), "{lines:#?}");
    }
}
