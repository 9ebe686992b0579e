//! The payload in files of its own.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use super::PackError;
use super::beside::{directory_of, temporary};
use super::replaced::index_of;
use crate::bundle::limits::VOLUMES;
use crate::bundle::{Extent, Hasher, volume_path};
use crate::spec::VolumeSize;

/// Cuts what is written to it into volumes, which have no names of their own yet.
pub(super) struct VolumeWriter {
    bundle: PathBuf,
    size: VolumeSize,
    current: Option<(NamedTempFile, Hasher)>,
    done: Vec<(TempPath, Extent)>,
}

impl VolumeWriter {
    pub(super) fn new(bundle: &Path, size: VolumeSize) -> Self {
        Self {
            bundle: bundle.to_owned(),
            size,
            current: None,
            done: Vec::new(),
        }
    }

    /// The volumes, each whole and on the medium.
    pub(super) fn finish(mut self) -> io::Result<Vec<(TempPath, Extent)>> {
        self.finish_volume()?;
        Ok(self.done)
    }

    fn finish_volume(&mut self) -> io::Result<()> {
        if let Some((file, hasher)) = self.current.take() {
            file.as_file().sync_all()?;
            let size = hasher.bytes();
            let sha256 = hasher.finish();
            self.done.push((file.into_temp_path(), Extent { size, sha256 }));
        }
        Ok(())
    }
}

impl Write for VolumeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self
            .current
            .as_ref()
            .is_some_and(|(_, hasher)| hasher.bytes() == self.size.bytes())
        {
            self.finish_volume()?;
        }
        let (file, hasher) = match &mut self.current {
            Some(current) => current,
            none => none.insert((temporary(&self.bundle, 0o644)?, Hasher::new())),
        };
        let room = usize::try_from(self.size.bytes() - hasher.bytes()).unwrap_or(usize::MAX);
        let count = file.write(&bytes[..room.min(bytes.len())])?;
        hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many volumes `stored` bytes make; no more than three digits can number.
pub(super) fn check_count(stored: u64, size: VolumeSize) -> Result<(), PackError> {
    let count = stored.div_ceil(size.bytes());
    if count <= VOLUMES as u64 {
        return Ok(());
    }
    let least = stored.div_ceil(VOLUMES as u64).div_ceil(1 << 20);
    Err(PackError::TooManyVolumes { count, size, least })
}

/// Refuses to take the place of a file that has the name of one of the first `count`
/// volumes of the bundle `path` and is none of those that the bundle there now has.
pub(crate) fn check_names(path: &Path, count: u64) -> Result<(), PackError> {
    let beside = volumes_beside(path).map_err(|source| PackError::Write {
        path: directory_of(path).to_owned(),
        source,
    })?;
    let replaced = index_of(path).map_or(0, |index| index.volumes.len());
    let needed = beside.into_iter().filter(|number| *number as u64 <= count);
    match needed.filter(|number| *number > replaced).min() {
        None => Ok(()),
        Some(number) => Err(PackError::Occupied {
            path: volume_path(path, number),
            bundle: path.to_owned(),
        }),
    }
}

/// The numbers of the files beside `path` that have a volume's name.
fn volumes_beside(path: &Path) -> io::Result<Vec<usize>> {
    let name = path.file_name().unwrap_or_default();
    let number = |candidate: &OsStr| -> Option<usize> {
        let rest = candidate.as_bytes().strip_prefix(name.as_bytes())?;
        let digits = std::str::from_utf8(rest.strip_prefix(b".")?).ok()?;
        let plain = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|number| plain && *number > 0)
    };
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory_of(path))? {
        numbers.extend(number(&entry?.file_name()));
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Digest, surplus_volumes};

    #[test]
    fn volumes_are_cut_where_they_are_full_however_the_bytes_arrive() {
        let directory = tempfile::tempdir().expect("a directory");
        let bytes: Vec<u8> = (0..(5 << 19) + 7).map(|i: u32| (i % 251) as u8).collect();
        for step in [bytes.len(), 1 << 20, 65_537] {
            let mut writer = VolumeWriter::new(directory.path(), "1M".parse().expect("a size"));
            for piece in bytes.chunks(step) {
                writer.write_all(piece).expect("written");
            }
            let volumes = writer.finish().expect("volumes");
            let mut parts = bytes.chunks(1 << 20);
            for (path, extent) in &volumes {
                let part = parts.next().expect("no more volumes than parts");
                assert_eq!(fs::read(path).expect("a volume"), part);
                assert_eq!(
                    (extent.size, extent.sha256),
                    (part.len() as u64, Digest::of(part))
                );
            }
            assert_eq!((volumes.len(), parts.next()), (3, None));
        }
        assert_eq!(fs::read_dir(directory.path()).expect("a directory").count(), 0);
    }

    #[test]
    fn more_volumes_than_three_digits_number_are_refused_with_the_size_that_does() {
        let size = |text: &str| text.parse::<VolumeSize>().expect(text);
        assert!(check_count(999 << 20, size("1M")).is_ok());
        let error = check_count((999 << 20) + 1, size("1M")).expect_err("too many");
        assert_eq!(
            error.to_string(),
            "with `--split 1M` there would be 1000 volumes, and 999 can be numbered"
        );
        assert!(matches!(error, PackError::TooManyVolumes { least: 2, .. }));
        assert!(check_count((999 << 20) + 1, size("2M")).is_ok());
    }

    #[test]
    fn only_a_volumes_name_is_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let bundle = directory.path().join("x.run");
        for name in [
            "x.run",
            "x.run.000",
            "x.run.1",
            "x.run.0012",
            "x.run.+12",
            "x.run.minisig",
            "y.run.001",
            "x.run.003",
            "x.run.012",
        ] {
            fs::write(directory.path().join(name), "").expect("a file");
        }
        let surplus = |count, numbers: &[usize]| {
            let paths: Vec<PathBuf> = numbers
                .iter()
                .map(|number| volume_path(&bundle, *number))
                .collect();
            assert_eq!(surplus_volumes(&bundle, count), paths);
        };
        surplus(2, &[0, 3, 12]);
        surplus(3, &[0, 12]);
        surplus(999, &[0]);
        assert!(check_names(&bundle, 2).is_ok());
        let error = check_names(&bundle, 3).expect_err("not ours").to_string();
        let (volume, bundle) = (volume_path(&bundle, 3), bundle.display());
        assert_eq!(
            error,
            format!("`{}` is there, and is no volume of `{bundle}`", volume.display())
        );
    }
}
