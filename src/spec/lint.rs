//! Everything that is wrong with a `bundle.toml`, not only the first of it.
//!
//! Each key, and each item of a list, is read by itself as a spec of one value: what
//! is right is decided by the types that `pack` reads the file with.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::file::place;
use super::keys::keys_of;
use super::near::near;
use super::{PartialSpec, Sources};

const SOURCES: &str = "sources";

/// Keys of `[sources]` of which one alone can be meant.
const ONE_OF: [(&str, &str); 1] = [("image-repository", "image-mirror-country")];

/// Something that is wrong, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// What is wrong with the TOML `text` of the file `path`, in the order of the text. The
/// files that it names are looked for; nothing else is touched.
#[must_use]
pub fn lint(text: &str, path: &Path) -> Vec<Finding> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut found = Found {
        text,
        directory: path.parent().unwrap_or(Path::new("")),
        findings: Vec::new(),
    };
    for error in &errors {
        found.add_error(error, 0);
    }
    // What was guessed to read on is not to be blamed.
    let broken: Vec<usize> = found.findings.iter().map(|finding| finding.line).collect();
    found.root(root.get_ref());
    let mut findings = found.findings;
    let mut seen = 0;
    findings.retain(|finding| {
        seen += 1;
        seen <= broken.len() || !broken.contains(&finding.line)
    });
    findings.sort_by_key(|finding| (finding.line, finding.column));
    findings.dedup();
    findings
}

struct Found<'a> {
    text: &'a str,
    directory: &'a Path,
    findings: Vec<Finding>,
}

type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;
type Value<'i> = Spanned<DeValue<'i>>;

impl Found<'_> {
    fn root(&mut self, root: &DeTable<'_>) {
        let sources = root.get(SOURCES).map(Spanned::get_ref);
        let offline = sources
            .and_then(|sources| sources.get("offline"))
            .map(Spanned::get_ref);
        let offline = offline.is_some_and(|value| value.as_bool() == Some(true));
        for (key, value) in root {
            match value.get_ref() {
                DeValue::Table(sources) if key.get_ref() == SOURCES => self.sources(sources),
                _ if self.is_known(key, keys_of::<PartialSpec>(), None) => {
                    for spec in self.specs(value, |value| single(key, value)) {
                        self.check_online(&spec, offline);
                    }
                }
                _ => {}
            }
        }
    }

    fn sources(&mut self, sources: &DeTable<'_>) {
        for (key, value) in sources {
            if self.is_known(key, keys_of::<Sources>(), Some(SOURCES)) {
                self.specs(value, |value| {
                    let table = DeValue::Table(single(key, value));
                    single(
                        &Spanned::new(key.span(), SOURCES.into()),
                        Spanned::new(key.span(), table),
                    )
                });
            }
        }
        for (one, other) in ONE_OF {
            let place = |name| sources.get_key_value(name).map(|(key, _)| key.span().start);
            if let (Some(first), Some(second)) = (place(one), place(other)) {
                let message = format!("`{one}` and `{other}` cannot both be set");
                self.add(first.max(second), message);
            }
        }
    }

    /// Whether the table has this key; else a finding that says where it belongs.
    fn is_known(&mut self, key: &Key<'_>, keys: &[&str], table: Option<&str>) -> bool {
        let name = key.get_ref().as_ref();
        if keys.contains(&name) {
            return true;
        }
        let message = if table.is_none() && keys_of::<Sources>().contains(&name) {
            format!("`{name}` belongs into the table `[{SOURCES}]`")
        } else if table.is_some() && keys_of::<PartialSpec>().contains(&name) {
            format!("`{name}` belongs above the table `[{SOURCES}]`")
        } else {
            let suggestion = near(name, keys)
                .next()
                .map(|near| format!("; did you mean `{near}`?"));
            format!("unknown key `{name}`{}", suggestion.unwrap_or_default())
        };
        self.add(key.span().start, message);
        false
    }

    /// The value, or each item of the list, as a spec with nothing else in it, made by
    /// `wrap`; what cannot be one is a finding.
    fn specs<'i>(&mut self, value: &Value<'i>, wrap: impl Fn(Value<'i>) -> DeTable<'i>) -> Vec<Placed> {
        let alone = |item: &Value<'i>| {
            Spanned::new(item.span(), DeValue::Array([item.clone()].into_iter().collect()))
        };
        let values: Vec<Value<'i>> = match value.get_ref() {
            DeValue::Array(items) if !items.is_empty() => items.iter().map(alone).collect(),
            _ => vec![value.clone()],
        };
        let mut specs = Vec::new();
        for value in values {
            let start = value.span().start;
            let table = Spanned::new(value.span(), wrap(value));
            match PartialSpec::deserialize(Deserializer::from(table)) {
                Ok(spec) => {
                    self.check(start, &spec);
                    specs.push(Placed { start, spec });
                }
                Err(error) => self.add_error(&error, start),
            }
        }
        specs
    }

    fn check(&mut self, start: usize, spec: &PartialSpec) {
        if let Err(error) = spec.check() {
            self.add(start, error.to_string());
        }
        let seen = spec.clone().seen_from(self.directory);
        for path in seen.named_paths() {
            if let Err(error) = path.metadata() {
                self.add(start, format!("`{}` cannot be found: {error}", path.display()));
            }
        }
    }

    fn check_online(&mut self, placed: &Placed, offline: bool) {
        if let Some(what) = placed.spec.needs_network().filter(|_| offline) {
            self.add(
                placed.start,
                format!("{what} would be downloaded, and `offline` is set"),
            );
        }
    }

    fn add_error(&mut self, error: &Error, otherwise: usize) {
        let start = error.span().map_or(otherwise, |span| span.start);
        self.add(start, error.message().trim_end().replace('\n', ", "));
    }

    fn add(&mut self, start: usize, message: String) {
        let (line, column) = place(self.text, start);
        self.findings.push(Finding {
            line,
            column,
            message,
        });
    }
}

/// A spec of one value, and where it stands.
struct Placed {
    start: usize,
    spec: PartialSpec,
}

fn single<'i>(key: &Key<'i>, value: Value<'i>) -> DeTable<'i> {
    let mut table = DeTable::new();
    table.insert(key.clone(), value);
    table
}

#[cfg(test)]
mod tests;
