//! The modules that Go 1.18 and newer name in a binary.
//!
//! Source: Go's `src/debug/buildinfo/buildinfo.go` and `src/runtime/debug/mod.go`.

use std::io::{self, Read};

use memchr::memmem;

use crate::bundle::{Package, PackageKind};

/// What the build information begins with; it is aligned to its header's half.
const MAGIC: &[u8] = b"\xff Go buildinf:";
const ALIGNMENT: usize = 16;
const HEADER_BYTES: usize = 32;

/// The flag of a header that the version and the modules follow.
const INLINE: u8 = 2;

/// The most that is read after a header: Kubernetes' has 20 kB.
const INFO_BYTES: usize = 4 << 20;

const BUFFER_BYTES: usize = 1 << 20;

/// The modules of the ELF file in `file`; none where it is another file or not of Go.
pub(super) fn packages(file: &mut impl Read) -> io::Result<Vec<Package>> {
    let mut window = Vec::new();
    // Where the window begins in the file: aligned, so that offsets in it are, too.
    fill(file, &mut window, 4)?;
    if window != b"\x7fELF" {
        return Ok(Vec::new());
    }
    loop {
        let begun = window.len();
        fill(file, &mut window, BUFFER_BYTES)?;
        let ended = window.len() == begun;
        let mut from = 0;
        while let Some(at) = memmem::find(&window[from..], MAGIC).map(|at| from + at) {
            from = at + 1;
            if !at.is_multiple_of(ALIGNMENT) {
                continue;
            }
            let wanted = (at + INFO_BYTES).saturating_sub(window.len());
            fill(file, &mut window, wanted)?;
            // The name of the magic in another program's code is no header.
            if let Some(packages) = parse(&window[at..]) {
                return Ok(packages);
            }
        }
        if ended {
            return Ok(Vec::new());
        }
        // Keeps what may be the beginning of a header, and the alignment.
        let keep = window.len() % ALIGNMENT + ALIGNMENT;
        window.drain(..window.len().saturating_sub(keep));
    }
}

/// Reads up to `count` bytes more.
fn fill(file: &mut impl Read, window: &mut Vec<u8>, count: usize) -> io::Result<()> {
    file.take(count as u64).read_to_end(window)?;
    Ok(())
}

/// What the header at the beginning of `bytes` and the strings after it say.
fn parse(bytes: &[u8]) -> Option<Vec<Package>> {
    let (header, rest) = bytes.split_at_checked(HEADER_BYTES)?;
    if header[15] & INLINE == 0 {
        return None;
    }
    let (go, rest) = string(rest)?;
    let (modules, _) = string(rest)?;
    // A sentinel of 16 bytes stands at each end.
    let modules = modules.get(16..modules.len().checked_sub(16)?)?;
    let go = std::str::from_utf8(go)
        .ok()?
        .split(' ')
        .next()?
        .strip_prefix("go")?;
    let mut packages = vec![module("stdlib", go)];
    for line in std::str::from_utf8(modules).ok()?.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        match cells[..] {
            ["mod" | "dep", path, version, ..] => packages.push(module(path, version)),
            // The module before it was replaced by this one.
            ["=>", path, version, ..] => {
                packages.pop();
                packages.push(module(path, version));
            }
            _ => {}
        }
    }
    Some(packages)
}

/// A string after its length, a varint (`encoding/binary`), and what follows it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)?;
    let length = bytes[..=end]
        .iter()
        .rev()
        .fold(0, |length: usize, byte| length << 7 | usize::from(byte & 0x7f));
    bytes[end + 1..].split_at_checked(length)
}

fn module(path: &str, version: &str) -> Package {
    Package {
        kind: PackageKind::Golang,
        name: path.to_owned(),
        version: version.to_owned(),
        arch: None,
        distro: None,
        licenses: Vec::new(),
    }
}
