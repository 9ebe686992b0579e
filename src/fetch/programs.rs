//! The programs: found, recognised, hashed, asked.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::elf::{self, ElfHeader};
use super::hashing::{Counted, Hashing, hash};
use super::parts::LocalBinary;
use super::upstream::UpstreamError;
use super::{Cache, FetchError, packages, sniff, versions};
use crate::bundle::{BinaryRole, Digest, Origin, Platform, Transport, Verification, Version};
use crate::host::{Ask, in_parallel};
use crate::progress::Progress;
use crate::resolve::BinaryPin;
use crate::spec::Spec;

/// Every binary that the spec and the caches have, one for each platform and role at most, in
/// this order.
pub(super) fn given(
    spec: &Spec,
    caches: &[Cache],
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Vec<LocalBinary>, FetchError> {
    let mut found = Vec::new();
    for candidate in candidates(spec, caches)? {
        found.push(recognise(candidate, &spec.platforms)?);
    }
    read(found, &spec.kubernetes_version, ask, progress)
}

/// A file that should have this role.
pub(super) struct Candidate {
    pub(super) role: BinaryRole,
    pub(super) path: PathBuf,
    /// The release that was downloaded.
    pub(super) version: Option<Version>,
    pub(super) origin: Origin,
    /// What a download had when it was compared.
    pub(super) expected: Option<Digest>,
}

/// A file that is a binary for one of the bundle's platforms.
pub(super) struct Recognised {
    candidate: Candidate,
    platform: Platform,
    size: u64,
}

impl Recognised {
    /// An order that does not depend on who was named first.
    fn key(&self) -> (Platform, BinaryRole, Transport, &Path) {
        let candidate = &self.candidate;
        let transport = candidate.origin.transport;
        (self.platform, candidate.role, transport, &candidate.path)
    }
}

/// The binaries, hashed, one for each platform and role. Those for this machine's platform
/// are asked for their version.
pub(super) fn read(
    mut found: Vec<Recognised>,
    kubernetes: &Version,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Vec<LocalBinary>, FetchError> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let total = found.iter().map(|program| program.size).sum();
    progress.begin("reading the programs", Some(total));
    found.sort_by(|a, b| a.key().cmp(&b.key()));
    let mut chosen: BTreeMap<(Platform, BinaryRole), LocalBinary> = BTreeMap::new();
    for binary in in_parallel(&found, |program| hashed(program, progress)) {
        let binary = binary?;
        match chosen.get(&binary.key()) {
            Some(first) if first.pin.sha256 != binary.pin.sha256 => {
                return Err(FetchError::Conflict {
                    what: binary.pin.role.to_string(),
                    first: first.path.display().to_string(),
                    second: binary.path.display().to_string(),
                });
            }
            Some(_) => {}
            None => {
                chosen.insert(binary.key(), binary);
            }
        }
    }
    let mut binaries: Vec<LocalBinary> = chosen.into_values().collect();
    let own = Platform::of_this_machine();
    for binary in binaries
        .iter_mut()
        .filter(|binary| Some(binary.pin.platform) == own)
    {
        let pin = &mut binary.pin;
        let version = versions::version(ask, pin.role, &binary.path, kubernetes);
        let version = version.map_err(|error| error.naming(pin.origin.url.as_deref()))?;
        if let Some(subject) = version {
            pin.version = Some(subject.clone());
            pin.origin.compared(Verification::SelfReportedVersion { subject });
        }
    }
    progress.end(&format!("{} programs", binaries.len()));
    Ok(binaries)
}

fn candidates(spec: &Spec, caches: &[Cache]) -> Result<Vec<Candidate>, FetchError> {
    let mut found = Vec::new();
    let candidate = |transport, role, path| Candidate {
        role,
        path,
        version: None,
        origin: Origin::by(transport),
        expected: None,
    };
    let minikubes = spec.minikube.iter().cloned();
    found.extend(minikubes.map(|path| candidate(Transport::File, BinaryRole::Minikube, path)));
    for path in &spec.binaries {
        let given = binaries_at(path, spec)?;
        found.extend(
            given
                .into_iter()
                .map(|(role, path)| candidate(Transport::File, role, path)),
        );
    }
    for (cache, role) in caches
        .iter()
        .flat_map(|cache| BinaryRole::KUBERNETES.map(|role| (cache, role)))
    {
        let path = cache.binary(role, &spec.kubernetes_version);
        found.extend(path.map(|path| candidate(Transport::MinikubeCache, role, path)));
    }
    Ok(found)
}

/// The programs in the directory `path`, or the one that the file `path` is by its name: Helm
/// where there are charts.
fn binaries_at(path: &Path, spec: &Spec) -> Result<Vec<(BinaryRole, PathBuf)>, FetchError> {
    let metadata = fs::metadata(path).map_err(|source| FetchError::read(path, source))?;
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let helm = (!spec.charts.is_empty()).then_some(BinaryRole::Helm);
    let found: Vec<(BinaryRole, PathBuf)> = BinaryRole::KUBERNETES
        .into_iter()
        .chain(helm)
        .map(|role| {
            (
                role,
                if metadata.is_dir() {
                    path.join(role.name())
                } else {
                    path.to_owned()
                },
            )
        })
        .filter(|(role, file)| {
            if metadata.is_dir() {
                file.try_exists().unwrap_or(true)
            } else {
                role.name() == name
            }
        })
        .collect();
    if found.is_empty() {
        return Err(FetchError::NoPrograms {
            path: path.to_owned(),
            found: if metadata.is_dir() {
                "a directory without any of them"
            } else {
                "a file with another name"
            },
        });
    }
    Ok(found)
}

/// Finds out for which of the platforms it is, and its size.
pub(super) fn recognise(candidate: Candidate, platforms: &[Platform]) -> Result<Recognised, FetchError> {
    let path = &candidate.path;
    let head = sniff::head(path, elf::HEAD_BYTES)?;
    let header = ElfHeader::parse(&head);
    let is_for = |platform: &&Platform| header.is_some_and(|header| header.is_program_for(**platform));
    let Some(platform) = platforms.iter().find(is_for).copied() else {
        return Err(FetchError::WrongProgram {
            role: candidate.role,
            path: path.clone(),
            expected: platforms.to_vec(),
            found: sniff::describe(&head),
        });
    };
    let size = fs::metadata(path)
        .map_err(|source| FetchError::read(path, source))?
        .len();
    // In a long file the headers may lie beyond its head; then nothing is known.
    let is_cut = ElfHeader::end_of_segments(&head).map_or(size < elf::HEAD_BYTES, |end| end > size);
    if is_cut {
        return Err(FetchError::Truncated {
            path: path.clone(),
            found: size,
        });
    }
    Ok(Recognised {
        candidate,
        platform,
        size,
    })
}

/// The digest and the size of the file.
pub(super) fn digest(path: &Path) -> Result<(Digest, u64), FetchError> {
    let hashed = File::open(path).and_then(|file| hash(file, |_| ()));
    hashed.map_err(|source| FetchError::read(path, source))
}

/// The binary, read once: its digest, its size, and the packages that it names.
fn hashed(program: &Recognised, progress: &dyn Progress) -> Result<LocalBinary, FetchError> {
    let candidate = &program.candidate;
    let path = &candidate.path;
    let read_error = |source| FetchError::read(path, source);
    let file = File::open(path).map_err(read_error)?;
    let mut reader = Hashing::new(Counted { file, progress });
    let packages = packages::of_binary(&mut reader);
    let (sha256, size) = reader.finish().map_err(read_error)?;
    if let Some(expected) = candidate.expected.filter(|expected| *expected != sha256) {
        return Err(UpstreamError::Replaced {
            path: path.clone(),
            expected,
            found: sha256,
        }
        .into());
    }
    Ok(LocalBinary {
        pin: BinaryPin {
            role: candidate.role,
            platform: program.platform,
            version: candidate.version.clone(),
            size,
            sha256,
            origin: candidate.origin.clone(),
        },
        path: path.clone(),
        packages: packages.map_err(read_error)?,
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::thread;

    use super::*;
    use crate::progress::Silent;

    #[test]
    fn a_binary_is_hashed_and_searched_in_one_read() {
        let directory = tempfile::tempdir().expect("a directory");
        // What a pipe gave it does not give again.
        let path = directory.path().join("kubelet");
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo").success());
        let written = path.clone();
        let writer = thread::spawn(move || fs::write(written, b"\x7fELF and more"));
        let candidate = Candidate {
            role: BinaryRole::Kubelet,
            path,
            version: None,
            origin: Origin::by(Transport::File),
            expected: None,
        };
        let platform = "linux/amd64".parse().expect("a platform");
        let size = 13;
        let binary = hashed(
            &Recognised {
                candidate,
                platform,
                size,
            },
            &Silent,
        );
        writer.join().expect("no panic").expect("written");
        let pin = binary.expect("a binary").pin;
        assert_eq!((pin.sha256, pin.size), (Digest::of(b"\x7fELF and more"), size));
    }
}
