//! The stub that goes into the bundle.

use std::fs;
use std::path::{Path, PathBuf};

use super::PackError;
use crate::bundle::{Platform, limits};
use crate::fetch::ElfHeader;

/// A stub, padded to whole blocks.
pub struct Stub {
    pub(super) platform: Platform,
    pub(super) bytes: Vec<u8>,
}

#[cfg(feature = "embedded-stub")]
const EMBEDDED: Option<&[u8]> = Some(include_bytes!(env!("MINIKUBE_OFFLINE_STUB")));
#[cfg(not(feature = "embedded-stub"))]
const EMBEDDED: Option<&[u8]> = None;

impl Stub {
    /// The stub for `platform`: the one at `given`, else the one that this program
    /// carries, else, in builds that carry none, the one beside `program`.
    pub fn find(given: Option<&Path>, program: &Path, platform: Platform) -> Result<Self, PackError> {
        let own = Platform::of_this_machine() == Some(platform);
        if let (None, Some(bytes), true) = (given, EMBEDDED, own) {
            return Self::new(platform, bytes.to_vec(), program);
        }
        let path = match given {
            Some(path) => path.to_owned(),
            None => beside(program, platform),
        };
        match fs::read(&path) {
            Ok(bytes) => Self::new(platform, bytes, &path),
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

    fn new(platform: Platform, mut bytes: Vec<u8>, path: &Path) -> Result<Self, PackError> {
        let refused = |reason: &str| PackError::NotAStub {
            path: path.to_owned(),
            platform,
            reason: reason.into(),
        };
        match ElfHeader::parse(&bytes) {
            Some(elf) if elf.is_program_for(platform) => {}
            Some(elf) => return Err(refused(&format!("it is an {elf}"))),
            None => return Err(refused("it is not an ELF program")),
        }
        let marker = format!("minikube-offline-stub format {}\n", limits::FORMAT);
        if !bytes
            .windows(marker.len())
            .any(|window| window == marker.as_bytes())
        {
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
