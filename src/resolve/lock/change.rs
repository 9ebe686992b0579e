//! In what two locks differ.

use std::fmt;

use super::Lock;
use crate::bundle::{Application, Digest, in_words};

/// Something that is in one of two locks, or not the same in both.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// What: `kubelet for linux/amd64`.
    pub what: String,
    /// What the first lock has for it.
    pub before: Option<String>,
    /// What the second has.
    pub now: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.what;
        match (&self.before, &self.now) {
            (Some(before), Some(now)) => write!(f, "changed  {what}: was {before}, is {now}"),
            (Some(before), None) => write!(f, "removed  {what}: was {before}"),
            (None, now) => write!(f, "added    {what}: is {}", now.as_deref().unwrap_or_default()),
        }
    }
}

impl Lock {
    /// What is another in `now` than in this lock: parts by their digests, and what was
    /// asked for. Where a part came from, and what it was compared with, does not count.
    #[must_use]
    pub fn changes(&self, now: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut compare = |what: &str, before: Option<String>, now: Option<String>| {
            if before != now {
                changes.push(Change {
                    what: what.to_owned(),
                    before,
                    now,
                });
            }
        };
        for (what, of) in ASKED {
            compare(what, of(self), of(now));
        }
        let (before, now) = (self.digests(), now.digests());
        let mut names: Vec<&String> = before.iter().chain(&now).map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        for name in names {
            compare(name, digest_in(&before, name), digest_in(&now, name));
        }
        changes
    }

    /// Each part by its name with the digest that identifies it: the binaries, the images,
    /// the files.
    pub(super) fn digests(&self) -> Vec<(String, Digest)> {
        let binaries = self
            .binaries
            .iter()
            .map(|binary| (format!("{} for {}", binary.role, binary.platform), binary.sha256));
        let images = self.images.iter().map(|image| {
            (
                format!("{} for {}", image.reference, image.platform),
                image.config,
            )
        });
        let files = self
            .files
            .iter()
            .map(|file| (format!("the {} `{}`", file.role, file.name), file.sha256));
        binaries.chain(images).chain(files).collect()
    }
}

/// What was asked for, in words.
type Asked = (&'static str, fn(&Lock) -> Option<String>);

const ASKED: [Asked; 7] = [
    ("Kubernetes", |lock| Some(lock.kubernetes_version.to_string())),
    ("runtime", |lock| Some(lock.container_runtime.to_string())),
    ("platforms", |lock| Some(in_words(&lock.platforms))),
    ("addons", |lock| {
        (!lock.addons.is_empty()).then(|| lock.addons.join(", "))
    }),
    ("network", |lock| lock.cni.clone()),
    ("applications", |lock| {
        let shown = |it: &Application| {
            let values = it.values.join(" and ");
            let with = if values.is_empty() { "" } else { " with " };
            format!("{}/{} from {}{with}{values}", it.namespace, it.release, it.chart)
        };
        let all: Vec<String> = lock.applications.iter().map(shown).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }),
    ("several control planes", |lock| lock.ha.then(|| "yes".to_owned())),
];

fn digest_in(list: &[(String, Digest)], name: &str) -> Option<String> {
    let there = list.iter().find(|(other, _)| other == name);
    there.map(|(_, digest)| digest.to_string())
}
