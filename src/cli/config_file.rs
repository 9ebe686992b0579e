//! The user's `config.toml`: defaults of flags, in the part of TOML that they need. The reader
//! of the whole language is longer than what is left of a stub's size.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::usage::usage;
use crate::failure::{Failure, Kind};
use crate::host::{Environment, Trusted};

/// The longest file that is read.
const MOST_BYTES: u64 = 64 << 10;

/// What a key stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    /// A string, or a whole number as it is written.
    Text(String),
    List(Vec<String>),
}

/// `key = value`, and where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) line: usize,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    pub(super) entries: Vec<Entry>,
}

impl ConfigFile {
    /// The file of the user that `environment` is of, if there is one. One that others can
    /// write to is refused.
    pub(super) fn load(environment: &Environment) -> Result<Option<Self>, Failure> {
        let config = environment
            .absolute_path("XDG_CONFIG_HOME")
            .or_else(|| environment.home().map(|home| home.join(".config")));
        let Some(path) = config.map(|config| config.join("minikube-offline/config.toml")) else {
            return Ok(None);
        };
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let Some(file) = Trusted::by(environment.uid()).open("the config file", &path)? else {
            return Ok(None);
        };
        let mut text = String::new();
        let cannot = |error: std::io::Error| {
            let message = format!("cannot read `{}`: {error}", path.display());
            Failure::new(Kind::of_io(&error), message).hint("correct the file, or remove it")
        };
        file.take(MOST_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(cannot)?;
        if text.len() as u64 > MOST_BYTES {
            let message = format!(
                "cannot read `{}`: it has more than {MOST_BYTES} bytes",
                path.display()
            );
            return Err(usage(message, "correct the file, or remove it"));
        }
        let entries = parse(&text, &path)?;
        Ok(Some(Self { path, entries }))
    }
}

/// The entries of `text`.
fn parse(text: &str, path: &Path) -> Result<Vec<Entry>, Failure> {
    let mut entries: Vec<Entry> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let refused = |why: &str| {
            let message = format!("cannot use `{}`, line {}: {why}", path.display(), number + 1);
            usage(
                message,
                "a line is `flag = \"text\"`, a number, true, false or [\"a\", \"b\"]; `guide automation` shows a file",
            )
        };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with('[') {
            return Err(refused("there are no tables in this file"));
        }
        let (key, rest) = line
            .split_once('=')
            .ok_or_else(|| refused("expected `key = value`"))?;
        let key = key.trim();
        let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if key.is_empty() || !key.chars().all(is_bare) {
            return Err(refused("the key is not the name of a flag"));
        }
        if entries.iter().any(|entry| entry.key == key) {
            return Err(refused("the key is there twice"));
        }
        let (value, rest) = value(rest.trim_start())
            .ok_or_else(|| refused("the value is not one that this file can have"))?;
        if !rest.trim_start().is_empty() && !rest.trim_start().starts_with('#') {
            return Err(refused("there is text after the value"));
        }
        entries.push(Entry {
            key: key.to_owned(),
            value,
            line: number + 1,
        });
    }
    Ok(entries)
}

/// The value at the beginning of `text`, and what follows it.
fn value(text: &str) -> Option<(Value, &str)> {
    if let Some(inside) = text.strip_prefix('[') {
        return list(inside);
    }
    if text.starts_with(['"', '\'']) {
        let (text, rest) = string(text)?;
        return Some((Value::Text(text), rest));
    }
    let end = text.find([' ', '\t', '#']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let value = match word {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        number => {
            let digits = number.strip_prefix('-').unwrap_or(number);
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let leads = digits.len() > 1 && digits.starts_with('0');
            (is_number && !leads).then(|| Value::Text(number.to_owned()))?
        }
    };
    Some((value, rest))
}

/// Strings up to the bracket.
fn list(mut text: &str) -> Option<(Value, &str)> {
    let mut list = Vec::new();
    loop {
        text = text.trim_start();
        if let Some(rest) = text.strip_prefix(']') {
            return Some((Value::List(list), rest));
        }
        let (one, rest) = string(text)?;
        list.push(one);
        text = rest.trim_start();
        match text.strip_prefix(',') {
            Some(rest) => text = rest,
            None if text.starts_with(']') => {}
            None => return None,
        }
    }
}

/// A string in quotes, which ends in its line.
fn string(text: &str) -> Option<(String, &str)> {
    if let Some(inside) = text.strip_prefix('\'') {
        let (text, rest) = inside.split_once('\'')?;
        // `'''` begins a string of several lines.
        return (!(text.is_empty() && rest.starts_with('\''))).then(|| (text.to_owned(), rest));
    }
    let inside = text.strip_prefix('"')?;
    if inside.starts_with("\"\"") {
        return None;
    }
    let mut out = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &inside[at + 1..])),
            '\\' => match chars.next()?.1 {
                c @ ('"' | '\\') => out.push(c),
                _ => return None,
            },
            c if c.is_control() && c != '\t' => return None,
            c => out.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Entry>, String> {
        parse(text, Path::new("/c.toml")).map_err(|failure| failure.error.to_string())
    }

    #[test]
    fn what_is_read_is_what_toml_says() {
        let text = "# defaults\nprofile = \"a \\\"b\\\" \\\\ ü\"  # mine\ncpus=4\nmemory = '8g'\nno-addons = true\n\
                    deep = false#x\nkey_2 = [ \"a\", 'b,#' , ]\nempty = []\nminus = -3\nnone = ''\n";
        let entries = read(text).expect("a file");
        #[cfg(feature = "packager")]
        {
            let table: toml::Table = text.parse().expect("TOML");
            assert_eq!(table.len(), entries.len());
            for entry in &entries {
                let same = match (&entry.value, &table[&entry.key]) {
                    (Value::Bool(one), toml::Value::Boolean(other)) => one == other,
                    (Value::Text(one), toml::Value::String(other)) => one == other,
                    (Value::Text(one), toml::Value::Integer(other)) => *one == other.to_string(),
                    (Value::List(one), toml::Value::Array(other)) => {
                        let other: Vec<_> = other.iter().filter_map(toml::Value::as_str).collect();
                        *one == other
                    }
                    _ => false,
                };
                assert!(same, "{entry:?}");
            }
        }
        assert_eq!(
            entries[1],
            Entry {
                key: "cpus".to_owned(),
                value: Value::Text("4".to_owned()),
                line: 3
            }
        );
    }

    #[test]
    fn what_is_not_read_names_its_line() {
        for (text, why) in [
            ("cpus", "expected `key = value`"),
            ("\n[start]\ncpus = 4", "there are no tables in this file"),
            ("a.b = 1", "the key is not the name of a flag"),
            ("cpus = 4\ncpus = 5", "the key is there twice"),
            ("cpus = 4 5", "there is text after the value"),
            ("cpus = 1.5", "the value is not one that this file can have"),
            ("cpus = 04", "the value is not one that this file can have"),
            ("cpus = four", "the value is not one that this file can have"),
            ("profile = \"a", "the value is not one that this file can have"),
            (
                "profile = \"a\\n\"",
                "the value is not one that this file can have",
            ),
            (
                "profile = \"\"\"a\"\"\"",
                "the value is not one that this file can have",
            ),
            (
                "profile = '''a'''",
                "the value is not one that this file can have",
            ),
            (
                "profile = [\"a\" \"b\"]",
                "the value is not one that this file can have",
            ),
            ("profile =", "the value is not one that this file can have"),
        ] {
            let found = read(text).expect_err(text);
            assert!(
                found.starts_with("cannot use `/c.toml`, line ") && found.ends_with(why),
                "{text}: {found}"
            );
        }
    }
}
