//! The programs: found, recognised, hashed, asked.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::elf::{self, ElfHeader};
use super::estimate::Sizes;
use super::hashing::hash;
use super::parts::LocalBinary;
use super::upstream::{Program, Published, Signed, Unproven, UpstreamError, addon_images};
use super::{Cache, FetchError, Upstream, room, sniff, versions};
use crate::bundle::{BinaryRole, Digest, Origin, Platform, Transport, Verification};
use crate::host::{Ask, in_parallel};
use crate::progress::Progress;
use crate::resolve::BinaryPin;
use crate::spec::Spec;

/// Every program that the spec and the caches have, and `upstream` what they do not, one
/// for each platform and role at most, in this order. Those for this machine's platform
/// are asked for their version.
pub(super) fn gather(
    spec: &Spec,
    caches: &[Cache],
    upstream: Option<&Upstream>,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Vec<LocalBinary>, FetchError> {
    let mut found = Vec::new();
    for candidate in candidates(spec, caches)? {
        let given = recognise(candidate, &spec.platforms)?;
        check_addons(spec, &given, ask)?;
        found.push(given);
    }
    if let Some(upstream) = upstream {
        let here: Vec<_> = found
            .iter()
            .map(|program| (program.platform, program.candidate.role))
            .collect();
        let mut differences = Vec::new();
        let published = published(spec, &here, upstream, ask, progress)?;
        check_room(spec, upstream, &published)?;
        for (platform, role, program) in published {
            match download(upstream, platform, role, &program, progress) {
                Ok(candidate) => {
                    let found_here = recognise(candidate, &[platform])?;
                    check_addons(spec, &found_here, ask)?;
                    found.push(found_here);
                }
                // All that upstream changed is to be named.
                Err(error) => differences.push(upstream.changed_program(role, platform, error)?),
            }
        }
        if !differences.is_empty() {
            differences.extend(upstream.changed_images(spec, progress)?);
        }
        upstream.refuse(differences)?;
    }
    let total = found.iter().map(|program| program.size).sum();
    progress.begin("reading the programs", Some(total));
    found.sort_by(|a, b| a.key().cmp(&b.key()));
    let hashed = in_parallel(&found, |program| {
        read(&program.candidate, program.platform, progress)
    });
    let mut chosen: BTreeMap<(Platform, BinaryRole), LocalBinary> = BTreeMap::new();
    for binary in hashed {
        let binary = binary?;
        let key = (binary.pin.platform, binary.pin.role);
        match chosen.get(&key) {
            Some(first) if first.pin.sha256 != binary.pin.sha256 => {
                return Err(FetchError::Conflict {
                    what: binary.pin.role.to_string(),
                    first: first.path.display().to_string(),
                    second: binary.path.display().to_string(),
                });
            }
            Some(_) => {}
            None => {
                chosen.insert(key, binary);
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
        let version = versions::version(ask, pin.role, &binary.path, &spec.kubernetes_version);
        pin.version = version.map_err(|error| error.naming(pin.origin.url.as_deref()))?;
        let version = pin.version.clone();
        let reported = version.map(|subject| Verification::SelfReportedVersion { subject });
        pin.origin.verified_by.extend(reported);
    }
    progress.end(&format!("{} programs", binaries.len()));
    Ok(binaries)
}

/// Fails when this minikube lacks one of the addons: the other programs are still to come.
fn check_addons(spec: &Spec, program: &Recognised, ask: Ask<'_>) -> Result<(), FetchError> {
    let candidate = &program.candidate;
    let asked =
        candidate.role == BinaryRole::Minikube && Platform::of_this_machine() == Some(program.platform);
    for addon in spec.addons.iter().filter(|_| asked) {
        addon_images(ask, &candidate.path, addon)?;
    }
    Ok(())
}

/// The programs that the bundle needs besides those that are `here`, as their publishers
/// describe them. Fails with all of which nothing says what they should be.
pub(super) fn published(
    spec: &Spec,
    here: &[(Platform, BinaryRole)],
    upstream: &Upstream,
    ask: Ask<'_>,
    progress: &dyn Progress,
) -> Result<Vec<(Platform, BinaryRole, Published)>, FetchError> {
    let (mut published, mut unproven) = (Vec::new(), Unproven::default());
    for (platform, role) in missing(spec, here) {
        let program = upstream.published(role, &spec.kubernetes_version, platform, ask, progress);
        if let Some(program) = unproven.set_aside(program) {
            published.push((platform, role, program?));
        }
    }
    unproven.refuse()?;
    Ok(published)
}

/// The programs that the bundle needs besides those that are `here`.
fn missing(spec: &Spec, here: &[(Platform, BinaryRole)]) -> Vec<(Platform, BinaryRole)> {
    let platforms = spec.platforms.iter();
    let all = platforms.flat_map(|platform| BinaryRole::ALL.map(|role| (*platform, role)));
    all.filter(|program| !here.contains(program)).collect()
}

/// A file that should have this role.
struct Candidate {
    role: BinaryRole,
    path: PathBuf,
    transport: Transport,
    /// A download, and what it was compared with.
    download: Option<Program>,
    /// What its publisher signed of it.
    signed: Signed,
}

/// A file that is a program for one of the bundle's platforms.
struct Recognised {
    candidate: Candidate,
    platform: Platform,
    size: u64,
}

impl Recognised {
    /// An order that does not depend on who was named first.
    fn key(&self) -> (Platform, BinaryRole, Transport, &Path) {
        let candidate = &self.candidate;
        (
            self.platform,
            candidate.role,
            candidate.transport,
            &candidate.path,
        )
    }
}

/// Fails unless there is room for these programs.
fn check_room(
    spec: &Spec,
    upstream: &Upstream,
    programs: &[(Platform, BinaryRole, Published)],
) -> Result<(), FetchError> {
    if programs.is_empty() {
        return Ok(()); // no store is needed
    }
    let sizes = programs.iter().filter_map(|(_, _, program)| program.size);
    let sizes = Sizes {
        plain: sizes.sum(),
        layers: 0,
    };
    let blobs = programs
        .iter()
        .filter_map(|(_, _, program)| program.digest.zip(program.size));
    let download = upstream.missing_bytes(&blobs.collect::<Vec<_>>())?;
    room::check(spec, upstream.store_directory()?, download, &sizes)
}

fn download(
    upstream: &Upstream,
    platform: Platform,
    role: BinaryRole,
    published: &Published,
    progress: &dyn Progress,
) -> Result<Candidate, FetchError> {
    let program = upstream.download(role, platform, published, progress)?;
    Ok(Candidate {
        role,
        path: program.path.clone(),
        transport: Transport::Https,
        signed: upstream.signed_program(role, &program.version, platform, progress)?,
        download: Some(program),
    })
}

fn candidates(spec: &Spec, caches: &[Cache]) -> Result<Vec<Candidate>, FetchError> {
    let mut found = Vec::new();
    let candidate = |transport, role, path| Candidate {
        role,
        path,
        transport,
        download: None,
        signed: Signed::default(),
    };
    let minikubes = spec.minikube.iter().cloned();
    found.extend(minikubes.map(|path| candidate(Transport::File, BinaryRole::Minikube, path)));
    for path in &spec.binaries {
        let given = given(path)?;
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

/// The programs in the directory `path`, or the one that the file `path` is by its name.
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
                "a directory without any of them"
            } else {
                "a file with another name"
            },
        });
    }
    Ok(found)
}

/// Finds out for which of the platforms it is, and its size.
fn recognise(candidate: Candidate, platforms: &[Platform]) -> Result<Recognised, FetchError> {
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
    digest_counted(path, |_| ())
}

fn digest_counted(path: &Path, advance: impl FnMut(u64)) -> Result<(Digest, u64), FetchError> {
    File::open(path)
        .and_then(|file| hash(file, advance))
        .map_err(|source| FetchError::read(path, source))
}

fn read(
    candidate: &Candidate,
    platform: Platform,
    progress: &dyn Progress,
) -> Result<LocalBinary, FetchError> {
    let (sha256, size) = digest_counted(&candidate.path, |bytes| progress.advance(bytes))?;
    if let Some(download) = &candidate.download
        && download.digest != sha256
    {
        return Err(UpstreamError::Replaced {
            path: candidate.path.clone(),
            expected: download.digest,
            found: sha256,
        }
        .into());
    }
    Ok(LocalBinary {
        pin: BinaryPin {
            role: candidate.role,
            version: candidate
                .download
                .as_ref()
                .map(|download| download.version.clone()),
            platform,
            size,
            sha256,
            origin: origin_of(candidate),
        },
        path: candidate.path.clone(),
    })
}

fn origin_of(candidate: &Candidate) -> Origin {
    let mut origin = Origin::by(candidate.transport);
    origin.attestations.clone_from(&candidate.signed.attestations);
    origin.unattested = candidate.signed.unattested;
    if let Some(download) = &candidate.download {
        origin.url = Some(download.url.clone());
        origin.verified_by.clone_from(&download.verified_by);
        origin.unverified = download.unverified;
    }
    origin
}
