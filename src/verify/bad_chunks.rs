//! The chunks of a payload that are bad: the first with all that is known of it, of the
//! others where they are.

use std::collections::BTreeSet;
use std::path::Path;

use super::{OtherDamage, VerifyError};
use crate::bundle::{BundleIndex, ChunkPlace, volume_path};

/// How many runs of chunks are named: a person looks at these, and the rest is a number.
const NAMED_RUNS: usize = 8;

/// Collects them in whatever order they are found.
#[derive(Default)]
pub(super) struct BadChunks {
    /// The lowest that is bad.
    first: Option<(u64, VerifyError)>,
    /// Those that do not have their digests.
    damaged: BTreeSet<u64>,
    /// Whether one could not be read, after which no other was looked at.
    gave_up: bool,
}

impl BadChunks {
    pub(super) fn add(&mut self, number: u64, error: VerifyError) {
        if matches!(error, VerifyError::Damaged(_)) {
            self.damaged.insert(number);
        } else {
            self.gave_up = true;
        }
        if self.first.as_ref().is_none_or(|(lowest, _)| number < *lowest) {
            self.first = Some((number, error));
        }
    }

    /// What is wrong with the bundle at `path`; `None` when nothing is.
    pub(super) fn into_error(mut self, path: &Path, index: &BundleIndex) -> Option<VerifyError> {
        let (lowest, mut error) = self.first?;
        self.damaged.remove(&lowest);
        if let VerifyError::Damaged(damage) = &mut error
            && !self.gave_up
            && !self.damaged.is_empty()
        {
            let mut runs = runs(&self.damaged, index);
            let more_places = runs.len().saturating_sub(NAMED_RUNS);
            runs.truncate(NAMED_RUNS);
            damage.others = Some(OtherDamage {
                chunks: self.damaged.len(),
                of: index.chunks.len(),
                places: runs.iter().map(|run| describe(path, *run)).collect(),
                more_places,
            });
        }
        Some(error)
    }
}

/// Where these chunks are; those that follow one another in a file are one run.
fn runs(chunks: &BTreeSet<u64>, index: &BundleIndex) -> Vec<ChunkPlace> {
    let mut runs: Vec<ChunkPlace> = Vec::new();
    for place in chunks.iter().filter_map(|number| index.chunk_place(*number)) {
        match runs.last_mut() {
            Some(last) if last.file == place.file && last.offset + last.size == place.offset => {
                last.size += place.size;
            }
            _ => runs.push(place),
        }
    }
    runs
}

fn describe(path: &Path, place: ChunkPlace) -> String {
    let ChunkPlace { file, offset, size } = place;
    let name = match file {
        0 => path.to_owned(),
        number => volume_path(path, number),
    };
    let name = name
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    format!("bytes {offset} to {} of `{name}`", offset + size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::limits::CHUNK_BYTES;
    use crate::bundle::{Blake3, Checksum, Digest};
    use crate::verify::Damage;

    /// An index of nothing but 40 chunks.
    fn index() -> BundleIndex {
        let digest = Digest::of(b"").to_string();
        serde_json::from_value(serde_json::json!({
            "format": 1, "name": "x", "serial": 1, "packer": "x",
            "cluster": {
                "platforms": ["linux/amd64"], "kubernetes_version": "v1.35.4", "container_runtime": "docker",
            },
            "header": { "size": 4096, "sha256": digest },
            "stubs": [], "volumes": [], "chunks": vec![Blake3::of(b""); 40],
            "frames": [{ "size": 40 * CHUNK_BYTES, "plain_size": 1, "members": 1 }],
            "members": [], "binaries": [], "images": [], "image_indexes": [],
        }))
        .expect("an index")
    }

    fn damage(number: u64) -> VerifyError {
        let damage = Damage {
            path: "x.run".into(),
            what: format!("chunk {number}"),
            offset: 0,
            size: 1,
            expected: Checksum::Blake3(Blake3::of(b"")),
            found: Checksum::Blake3(Blake3::of(b"")),
            others: None,
        };
        damage.into()
    }

    fn said(bad: BadChunks) -> String {
        let error = bad.into_error(Path::new("/stick/x.run"), &index());
        error.expect("something is wrong").to_string()
    }

    #[test]
    fn the_first_runs_are_named_and_the_others_counted() {
        let mut bad = BadChunks::default();
        // Every second one, and three side by side.
        for number in (0..40).rev().filter(|number| number % 2 == 0 || *number == 3) {
            bad.add(number, damage(number));
        }
        let place = |chunk: u64| index().payload_offset() + chunk * CHUNK_BYTES;
        let first = format!(
            "; so are 20 others of the 40 chunks: bytes {} to {} of `x.run`",
            place(2),
            place(5)
        );
        let said = said(bad);
        assert!(said.starts_with("`x.run` is damaged: chunk 0,"), "{said}");
        assert!(
            said.contains(&first) && said.ends_with(", and 10 more runs"),
            "{said}"
        );
        assert!(
            BadChunks::default()
                .into_error(Path::new("x"), &index())
                .is_none()
        );
    }

    #[test]
    fn of_what_was_not_looked_at_nothing_is_said() {
        let unread = || VerifyError::Read {
            path: "x.run".into(),
            source: std::io::Error::other("gone"),
        };
        let mut bad = BadChunks::default();
        for (number, error) in [(7, damage(7)), (9, unread()), (3, damage(3))] {
            bad.add(number, error);
        }
        let text = said(bad);
        assert!(text.starts_with("`x.run` is damaged: chunk 3,"), "{text}");
        assert!(!text.contains("others"), "{text}");
        let mut bad = BadChunks::default();
        for (number, error) in [(7, damage(7)), (2, unread())] {
            bad.add(number, error);
        }
        assert_eq!(said(bad), "cannot open `x.run`");
    }
}
