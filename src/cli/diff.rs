//! `diff`: what two bundles have that differs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::authenticity::warning;
use super::console::Console;
use super::inspect::{Row, all, rows};
use super::path_value::path_value;
use super::site::Trusting;
use crate::bundle::{BinaryRole, BundleIndex, Origin, in_words};
use crate::failure::{Failure, Kind};
use crate::progress::Progress as _;
use crate::shown::human_bytes;

#[derive(clap::Args, Debug)]
pub(super) struct DiffArgs {
    /// Older bundle
    old: PathBuf,
    /// Newer bundle
    new: PathBuf,
}

/// A part is the same part in both bundles when these are equal.
type Key = (Option<crate::bundle::Platform>, &'static str, String);

pub(super) fn run(args: &Trusting<DiffArgs>, console: &Console) -> Result<(), Failure> {
    let DiffArgs { old, new } = args.args();
    let (one, other) = (args.open_to_show(old)?, args.open_to_show(new)?);
    [&one, &other]
        .into_iter()
        .filter_map(warning)
        .for_each(|text| console.warn(&text));
    let facts = facts(one.index(), other.index());
    let parts = parts(one.index(), other.index());
    let mut text = String::new();
    for (name, was, is) in &facts {
        let _ = writeln!(text, "~ {name}: {was} -> {is}");
    }
    for part in &parts {
        text += &part.line();
    }
    let same = facts.is_empty() && parts.is_empty();
    if same {
        text = format!("`{}` and `{}` have the same parts", old.display(), new.display());
    } else {
        let count = |status| parts.iter().filter(|part| part.status == status).count();
        let _ = write!(
            text,
            "{} added, {} removed, {} changed; `{}` has {}, `{}` {}",
            count("added"),
            count("removed"),
            count("changed"),
            old.display(),
            human_bytes(one.total_bytes()),
            new.display(),
            human_bytes(other.total_bytes()),
        );
    }
    let facts: serde_json::Map<String, Value> = facts
        .into_iter()
        .map(|(name, was, is)| (name.to_owned(), json!({ "old": was, "new": is })))
        .collect();
    let value = json!({
        "same": same,
        "old": { "bundle": path_value(old), "total_bytes": one.total_bytes() },
        "new": { "bundle": path_value(new), "total_bytes": other.total_bytes() },
        "facts": facts,
        "parts": parts.iter().map(Difference::json).collect::<Vec<_>>(),
    });
    console.result(&text, &value)?;
    if same {
        return Ok(());
    }
    Err(Failure::new(Kind::Different, "the bundles differ"))
}

/// What differs of the bundles as such.
fn facts(one: &BundleIndex, other: &BundleIndex) -> Vec<(&'static str, String, String)> {
    let of = |index: &BundleIndex| {
        let minikube = index
            .binaries
            .iter()
            .find(|part| part.role == BinaryRole::Minikube);
        let minikube = minikube.and_then(|part| part.version.as_ref());
        [
            ("name", index.name.clone()),
            ("serial", index.serial.to_string()),
            ("packer", index.packer.clone()),
            ("kubernetes", index.cluster.kubernetes_version.to_string()),
            (
                "minikube",
                minikube.map_or_else(|| "unknown".to_owned(), ToString::to_string),
            ),
            ("container_runtime", index.cluster.container_runtime.to_string()),
            ("platforms", in_words(&index.cluster.platforms)),
        ]
    };
    let pairs = of(one).into_iter().zip(of(other));
    let differing = pairs.filter(|(was, is)| was != is);
    differing.map(|((name, was), (_, is))| (name, was, is)).collect()
}

/// A part that is not the same in both.
struct Difference {
    status: &'static str,
    key: Key,
    old: Option<Row>,
    new: Option<Row>,
    /// Whether what proves it is another.
    provenance: bool,
}

fn parts(one: &BundleIndex, other: &BundleIndex) -> Vec<Difference> {
    let mut all: BTreeMap<Key, [Option<(Row, Origin)>; 2]> = BTreeMap::new();
    for (side, index) in [one, other].into_iter().enumerate() {
        for (row, origin) in with_origins(index) {
            let key = (row.platform, row.role, row.name.clone());
            all.entry(key).or_insert([None, None])[side] = Some((row, origin));
        }
    }
    let difference = |(key, [old, new]): (Key, [Option<(Row, Origin)>; 2])| {
        let (status, provenance) = match (&old, &new) {
            (None, _) => ("added", false),
            (_, None) => ("removed", false),
            (Some((was, before)), Some((is, after))) => {
                let same = was.digest == is.digest && was.version == is.version && was.size == is.size;
                if same && before == after {
                    return None;
                }
                ("changed", before != after)
            }
        };
        let row = |side: Option<(Row, Origin)>| side.map(|(row, _)| row);
        Some(Difference {
            status,
            key,
            old: row(old),
            new: row(new),
            provenance,
        })
    };
    all.into_iter().filter_map(difference).collect()
}

/// The rows, each with where it came from.
fn with_origins(index: &BundleIndex) -> Vec<(Row, Origin)> {
    let views = all(index);
    let of_views = views.iter().flat_map(|view| {
        let binaries = view.binaries().map(|part| part.origin.clone());
        let images = view.images().map(|part| part.origin.clone());
        binaries.chain(images).collect::<Vec<_>>()
    });
    let origins = of_views.chain(index.files.iter().map(|file| file.origin.clone()));
    rows(index, &views).into_iter().zip(origins).collect()
}

impl Difference {
    fn line(&self) -> String {
        let (platform, role, name) = &self.key;
        let sign = match self.status {
            "added" => '+',
            "removed" => '-',
            _ => '~',
        };
        let platform = platform.map_or_else(String::new, |platform| format!(" {platform}"));
        let shown = |row: &Row| {
            let digest = row.digest.get(..19).unwrap_or(&row.digest);
            let version = if row.version.is_empty() { "" } else { " " };
            format!("{}{version}{} {digest}", row.version, human_bytes(row.size))
        };
        let what = match (&self.old, &self.new) {
            (Some(was), Some(is)) if was.digest == is.digest => "provenance".to_owned(),
            (Some(was), Some(is)) => format!("{} -> {}", shown(was), shown(is)),
            (Some(one), None) | (None, Some(one)) => shown(one),
            (None, None) => String::new(),
        };
        format!("{sign} {role} {name}{platform}: {what}\n")
    }

    fn json(&self) -> Value {
        let row = |row: &Option<Row>| {
            row.as_ref()
                .map(|row| json!({ "version": row.version, "size": row.size, "digest": row.digest }))
        };
        let (platform, role, name) = &self.key;
        json!({
            "status": self.status,
            "role": role,
            "name": name,
            "platform": platform,
            "old": row(&self.old),
            "new": row(&self.new),
            "provenance_changed": self.provenance,
        })
    }
}
