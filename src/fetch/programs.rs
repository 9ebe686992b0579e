//! The programs: found, recognised, hashed, asked.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::elf::{self, ElfHeader};
use super::hashing::{hash, in_parallel};
use super::parts::LocalBinary;
use super::upstream::Program;
use super::{Cache, FetchError, Upstream, sniff, versions};
use crate::bundle::{BinaryPart, BinaryRole, Origin, Platform};
use crate::progress::Progress;
use crate::resolve::Ask;
use crate::spec::Spec;

/// Every program that the spec and the caches have, and `upstream` what they do not,
/// one for each role at most, by role. Those for this machine's platform are asked for their version.
pub(super) fn gather(
    spec: &Spec,
    caches: &[Cache],
    upstream: Option<&Upstream>,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Vec<LocalBinary>, FetchError> {
    let mut candidates = candidates(spec, caches)?;
    if let Some(upstream) = upstream {
        for role in BinaryRole::ALL {
            if candidates.iter().all(|candidate| candidate.role != role) {
                candidates.push(download(spec, role, upstream, progress)?);
            }
        }
    }
    let mut total = 0;
    for candidate in &candidates {
        total += check(candidate, spec.platform)?;
    }
    progress.begin("reading the programs", Some(total));
    candidates.sort_by(|a, b| (a.role, a.transport, &a.path).cmp(&(b.role, b.transport, &b.path)));
    let hashed = in_parallel(&candidates, |candidate| read(candidate, spec.platform, progress));
    let mut chosen: BTreeMap<BinaryRole, LocalBinary> = BTreeMap::new();
    for binary in hashed {
        let binary = binary?;
        match chosen.get(&binary.part.role) {
            Some(first) if first.part.sha256 != binary.part.sha256 => {
                return Err(FetchError::Conflict {
                    what: binary.part.role.to_string(),
                    first: first.path.display().to_string(),
                    second: binary.path.display().to_string(),
                });
            }
            Some(_) => {}
            None => {
                chosen.insert(binary.part.role, binary);
            }
        }
    }
    let mut binaries: Vec<LocalBinary> = chosen.into_values().collect();
    if Platform::of_this_machine() == Some(spec.platform) {
        for binary in &mut binaries {
            let role = binary.part.role;
            binary.part.version = versions::version(ask, role, &binary.path, &spec.kubernetes_version)?;
            let version = binary.part.version.as_ref();
            let evidence = version.map(|version| format!("it says that it is {version}"));
            binary.part.origin.evidence.extend(evidence);
        }
    }
    progress.end(&format!("{} programs", binaries.len()));
    Ok(binaries)
}

/// A file that should have this role.
struct Candidate {
    role: BinaryRole,
    path: PathBuf,
    transport: &'static str,
    /// A download, and what it was compared with.
    download: Option<Program>,
}

fn download(
    spec: &Spec,
    role: BinaryRole,
    upstream: &Upstream,
    progress: &dyn Progress,
) -> Result<Candidate, FetchError> {
    let program = upstream.program(role, &spec.kubernetes_version, spec.platform, progress)?;
    Ok(Candidate {
        role,
        path: program.path.clone(),
        transport: "https",
        download: Some(program),
    })
}

fn candidates(spec: &Spec, caches: &[Cache]) -> Result<Vec<Candidate>, FetchError> {
    let mut found = Vec::new();
    let file = |role, path| Candidate {
        role,
        path,
        transport: "file",
        download: None,
    };
    found.extend(spec.minikube.clone().map(|path| file(BinaryRole::Minikube, path)));
    for path in &spec.binaries {
        let given = given(path)?;
        found.extend(given.into_iter().map(|(role, path)| file(role, path)));
    }
    for (cache, role) in caches
        .iter()
        .flat_map(|cache| BinaryRole::KUBERNETES.map(|role| (cache, role)))
    {
        if let Some(path) = cache.binary(role, &spec.kubernetes_version) {
            found.push(Candidate {
                role,
                path,
                transport: "minikube-cache",
                download: None,
            });
        }
    }
    Ok(found)
}

/// The programs in the folder `path`, or the one that the file `path` is by its name.
fn given(path: &Path) -> Result<Vec<(BinaryRole, PathBuf)>, FetchError> {
    let metadata = fs::metadata(path).map_err(|source| FetchError::read(path, source))?;
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let found: Vec<(BinaryRole, PathBuf)> = BinaryRole::KUBERNETES
        .into_iter()
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
                "a folder without any of them"
            } else {
                "a file with another name"
            },
        });
    }
    Ok(found)
}

/// Recognises the file; gives its size.
fn check(candidate: &Candidate, platform: Platform) -> Result<u64, FetchError> {
    let path = &candidate.path;
    let head = sniff::head(path, elf::HEAD_BYTES)?;
    if !ElfHeader::parse(&head).is_some_and(|header| header.is_program_for(platform)) {
        return Err(FetchError::WrongProgram {
            role: candidate.role,
            path: path.clone(),
            expected: platform,
            found: sniff::describe(&head),
        });
    }
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
    Ok(size)
}

fn read(
    candidate: &Candidate,
    platform: Platform,
    progress: &dyn Progress,
) -> Result<LocalBinary, FetchError> {
    let (sha256, size) = File::open(&candidate.path)
        .and_then(|file| hash(file, |bytes| progress.advance(bytes)))
        .map_err(|source| FetchError::read(&candidate.path, source))?;
    Ok(LocalBinary {
        part: BinaryPart {
            role: candidate.role,
            version: candidate
                .download
                .as_ref()
                .map(|download| download.version.clone()),
            platform,
            size,
            sha256,
            origin: Origin {
                transport: candidate.transport.to_owned(),
                evidence: candidate
                    .download
                    .iter()
                    .map(|download| download.evidence.clone())
                    .chain([format!("it is a program for {platform}")])
                    .collect(),
            },
        },
        path: candidate.path.clone(),
        url: candidate.download.as_ref().map(|download| download.url.clone()),
    })
}
