//! The stub that goes into the bundle.

use std::fs;
use std::path::{Path, PathBuf};

use memchr::memmem;

use super::PackError;
use crate::bundle::{Arch, Platform, limits};
use crate::fetch::ElfHeader;

/// A stub, padded to whole blocks.
pub struct Stub {
    pub(super) platform: Platform,
    pub(super) bytes: Vec<u8>,
}

/// The stubs that this program carries: `packaging/build` says which.
const EMBEDDED: &[(Arch, &[u8])] = &[
    #[cfg(feature = "embedded-stub-amd64")]
    (Arch::Amd64, include_bytes!(env!("MINIKUBE_OFFLINE_STUB_AMD64"))),
    #[cfg(feature = "embedded-stub-arm64")]
    (Arch::Arm64, include_bytes!(env!("MINIKUBE_OFFLINE_STUB_ARM64"))),
];

impl Stub {
    /// The platforms whose stubs this program carries.
    #[must_use]
    pub fn embedded() -> Vec<String> {
        EMBEDDED
            .iter()
            .map(|(arch, _)| format!("linux/{}", arch.name()))
            .collect()
    }

    /// The stub for each of `platforms`: the one among the files `given` that is for it,
    /// else the one that this program carries for it, else the one beside `program`.
    pub fn find(given: &[PathBuf], program: &Path, platforms: &[Platform]) -> Result<Vec<Self>, PackError> {
        let mut stubs = Vec::new();
        for path in given {
            let bytes = fs::read(path).map_err(|source| PackError::Read {
                what: path.display().to_string(),
                source,
            })?;
            stubs.push(Self::recognise(platforms, bytes, path)?);
        }
        for platform in platforms {
            if !stubs.iter().any(|stub| stub.platform == *platform) {
                stubs.push(Self::own(program, *platform)?);
            }
        }
        stubs.sort_by_key(|stub| stub.platform);
        match stubs.windows(2).find(|pair| pair[0].platform == pair[1].platform) {
            Some(pair) => Err(PackError::TwoStubs {
                platform: pair[0].platform,
            }),
            None => Ok(stubs),
        }
    }

    /// The one that is not given.
    fn own(program: &Path, platform: Platform) -> Result<Self, PackError> {
        if let Some((_, bytes)) = EMBEDDED.iter().find(|(arch, _)| *arch == platform.arch) {
            return Self::recognise(&[platform], bytes.to_vec(), program);
        }
        let path = beside(program, platform);
        match fs::read(&path) {
            Ok(bytes) => Self::recognise(&[platform], bytes, &path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(PackError::NoStub {
                platform,
                looked: vec![path],
            }),
            Err(source) => Err(PackError::Read {
                what: path.display().to_string(),
                source,
            }),
        }
    }

    /// Finds out for which of the platforms the stub is.
    fn recognise(platforms: &[Platform], mut bytes: Vec<u8>, path: &Path) -> Result<Self, PackError> {
        let refused = |reason: &str| PackError::NotAStub {
            path: path.to_owned(),
            platforms: platforms.to_vec(),
            reason: reason.into(),
        };
        let elf = ElfHeader::parse(&bytes).ok_or_else(|| refused("it is not an ELF program"))?;
        let platform = platforms.iter().find(|platform| elf.is_program_for(**platform));
        let platform = *platform.ok_or_else(|| refused(&format!("it is an {elf}")))?;
        let marker = format!("minikube-offline-stub format {}\n", limits::FORMAT);
        if memmem::find(&bytes, marker.as_bytes()).is_none() {
            return Err(refused(&format!("it does not read format {}", limits::FORMAT)));
        }
        let block = usize::try_from(limits::BLOCK_BYTES).expect("a few KiB");
        bytes.resize(bytes.len().next_multiple_of(block), 0);
        Ok(Self { platform, bytes })
    }
}

fn beside(program: &Path, platform: Platform) -> PathBuf {
    let name = match Platform::of_this_machine() {
        Some(own) if own == platform => "minikube-offline-stub".to_owned(),
        _ => format!("minikube-offline-stub-{}", platform.arch.name()),
    };
    program.with_file_name(name)
}
