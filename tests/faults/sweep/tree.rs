//! A directory with all that is in it, to be compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use minikube_offline::bundle::Digest;

/// What has a name.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Node {
    Directory,
    File(Digest, u32),
    Link(String),
    /// A file whose content tells of how it came about.
    History,
}

/// All that is in a directory, by path.
#[derive(Clone, Debug)]
pub(super) struct Tree(BTreeMap<PathBuf, Node>);

impl Tree {
    /// All below `root`, with what `content` reads of a file. Journals and locks count by their names alone.
    pub(super) fn of(root: &Path, content: &dyn Fn(&Path) -> Vec<u8>) -> Self {
        let entries = walkdir::WalkDir::new(root).min_depth(1).into_iter();
        let nodes = entries.map(|entry| {
            let entry = entry.expect("an entry");
            let path = entry.path();
            let name = entry.file_name().to_string_lossy();
            let node = if entry.file_type().is_dir() {
                Node::Directory
            } else if entry.file_type().is_symlink() {
                let target = fs::read_link(path).expect("a link").display().to_string();
                Node::Link(target.replace(&root.display().to_string(), ""))
            } else if ["journal", "journal.jsonl", "lock"].contains(&&*name) {
                Node::History
            } else {
                let mode = entry.metadata().expect("there").permissions().mode();
                Node::File(Digest::of(&content(path)), mode & 0o7777)
            };
            (path.strip_prefix(root).expect("inside").to_owned(), node)
        });
        Self(nodes.collect())
    }

    /// The paths in which this is another tree than `other`.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let paths = self.0.keys().chain(other.0.keys());
        let mut different: Vec<String> = paths
            .filter(|path| self.0.get(*path) != other.0.get(*path))
            .map(|path| {
                format!(
                    "`{}`: {:?}, not {:?}",
                    path.display(),
                    self.0.get(path),
                    other.0.get(path)
                )
            })
            .collect();
        different.dedup();
        different
    }

    /// What is here and is neither as it was in `before` nor as it is in `after`.
    pub(super) fn strangers(&self, before: &Self, after: &Self) -> Vec<String> {
        let here = self
            .0
            .iter()
            .filter(|(path, node)| ![before.0.get(*path), after.0.get(*path)].contains(&Some(*node)));
        let gone = before
            .0
            .keys()
            .filter(|path| !self.0.contains_key(*path) && after.0.contains_key(*path));
        here.map(|(path, _)| path.display().to_string())
            .chain(gone.map(|path| format!("{} is gone", path.display())))
            .collect()
    }
}
