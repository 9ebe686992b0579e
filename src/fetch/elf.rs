//! The header of a Linux program.

use std::fmt;

use crate::bundle::{Arch, Platform};

/// As much of a file as [`ElfHeader::parse`] and [`ElfHeader::end_of_segments`] want.
pub(super) const HEAD_BYTES: u64 = 8192;

/// What the header of an ELF file says. Source: System V ABI, chapter 4.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ElfHeader {
    is_64_bit: bool,
    is_little_endian: bool,
    /// 2 is a program, 3 a position-independent one or a library.
    kind: u16,
    machine: u16,
}

impl ElfHeader {
    /// Reads the start of a file; `None` when it is no ELF file.
    pub(crate) fn parse(head: &[u8]) -> Option<Self> {
        let ident = head.get(..20).filter(|head| head.starts_with(b"\x7fELF"))?;
        let is_little_endian = ident[5] == 1;
        let number = |at: usize| {
            let bytes = [ident[at], ident[at + 1]];
            if is_little_endian {
                u16::from_le_bytes(bytes)
            } else {
                u16::from_be_bytes(bytes)
            }
        };
        Some(Self {
            is_64_bit: ident[4] == 2,
            is_little_endian,
            kind: number(16),
            machine: number(18),
        })
    }

    /// Whether it is a program that `platform` can run.
    pub(crate) fn is_program_for(self, platform: Platform) -> bool {
        self.is_64_bit
            && self.is_little_endian
            && matches!(self.kind, 2 | 3)
            && self.machine == platform.arch.elf_machine()
    }

    /// Where the last segment of a 64-bit little-endian program ends: a shorter file is
    /// cut. `None` when the header makes no sense.
    pub(super) fn end_of_segments(head: &[u8]) -> Option<u64> {
        let u64_at = |at: usize| head.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        let u16_at = |at: usize| head.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes);
        let (table, entry, count) = (
            usize::try_from(u64_at(32)?).ok()?,
            usize::from(u16_at(54)?),
            usize::from(u16_at(56)?),
        );
        let mut end = 0;
        for number in 0..count {
            let header = entry.checked_mul(number)?.checked_add(table)?;
            let (offset, size) = (u64_at(header.checked_add(8)?)?, u64_at(header.checked_add(32)?)?);
            end = end.max(offset.checked_add(size)?);
        }
        Some(end)
    }
}

/// `ELF for arm64`.
impl fmt::Display for ElfHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = if self.is_64_bit { "" } else { "32-bit " };
        let kind = match self.kind {
            2 | 3 => "",
            1 => " object file",
            4 => " core dump",
            _ => " file of an unknown type",
        };
        write!(f, "{bits}ELF{kind} for ")?;
        match Arch::ALL.iter().find(|arch| arch.elf_machine() == self.machine) {
            Some(arch) => f.write_str(arch.name()),
            None => write!(f, "machine {}", self.machine),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::fixtures::elf;

    #[test]
    fn a_program_is_told_by_its_architecture() {
        let (amd64, arm64) = (Platform { arch: Arch::Amd64 }, Platform { arch: Arch::Arm64 });
        let header = ElfHeader::parse(&elf(Arch::Arm64, b"x")).expect("ELF");
        assert!(header.is_program_for(arm64) && !header.is_program_for(amd64));
        assert_eq!(header.to_string(), "ELF for arm64");
        let mut object = elf(Arch::Amd64, b"x");
        object[16] = 1;
        let header = ElfHeader::parse(&object).expect("ELF");
        assert!(!header.is_program_for(amd64));
        assert_eq!(header.to_string(), "ELF object file for amd64");
        let mut narrow = elf(Arch::Amd64, b"x");
        (narrow[4], narrow[18]) = (1, 3);
        assert_eq!(
            ElfHeader::parse(&narrow).expect("ELF").to_string(),
            "32-bit ELF for machine 3"
        );
    }

    #[test]
    fn the_end_of_the_segments_is_the_least_length() {
        let program = elf(Arch::Amd64, b"content");
        assert_eq!(ElfHeader::end_of_segments(&program), Some(program.len() as u64));
        assert_eq!(ElfHeader::end_of_segments(&program[..100]), None);
        let mut far = program;
        far[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(ElfHeader::end_of_segments(&far), None);
    }
}
