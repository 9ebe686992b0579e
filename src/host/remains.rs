//! What a killed run left of a file, taken up again: what is written is compared with what
//! is there, and goes to the medium from the first difference on. So nothing of it is
//! trusted, and nothing that is right is written a second time.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::own_file::is_own;

/// How far the content of a file that was there is the one that is written.
#[derive(Debug, Default)]
pub(super) struct Remains {
    /// The bytes that were found again.
    found: u64,
    /// The bytes that are there.
    length: u64,
    there: Vec<u8>,
}

impl Remains {
    /// Opens what is at `path`; `None` where it is nothing that a run of this user left.
    /// Somebody else could have it open, and write to it after it was compared.
    pub(super) fn open(path: &Path) -> Option<(File, Self)> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags.bits().cast_signed())
            .open(path)
            .ok()?;
        let facts = file.metadata().ok()?;
        let remains = Self {
            length: facts.len(),
            ..Self::default()
        };
        is_own(&facts).then_some((file, remains))
    }

    /// Writes `bytes`, unless they are there: tells how many of them are now.
    pub(super) fn write(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        if self.found == self.length || bytes.is_empty() {
            return file.write(bytes);
        }
        let same = self.same(file, bytes);
        if same == 0 {
            self.drop_rest(file)?;
            return file.write(bytes);
        }
        self.found += same as u64;
        if self.found == self.length {
            file.seek(SeekFrom::Start(self.found))?;
        }
        Ok(same)
    }

    /// Removes what stands behind the bytes that were found.
    pub(super) fn drop_rest(&mut self, file: &mut File) -> io::Result<()> {
        if self.found < self.length {
            file.set_len(self.found)?;
            file.seek(SeekFrom::Start(self.found))?;
            self.length = self.found;
        }
        Ok(())
    }

    /// How many of the next bytes are `bytes`. What cannot be read is not.
    fn same(&mut self, file: &File, bytes: &[u8]) -> usize {
        let left = usize::try_from(self.length - self.found).unwrap_or(usize::MAX);
        self.there.resize(left.min(bytes.len()), 0);
        if file.read_exact_at(&mut self.there, self.found).is_err() {
            return 0;
        }
        let pairs = self.there.iter().zip(bytes);
        pairs.take_while(|(there, wanted)| there == wanted).count()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;

    fn directory(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("minikube-offline-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("directory");
        directory
    }

    fn leave(path: &Path, content: &[u8]) {
        fs::write(path, content).expect("a file");
        fs::set_permissions(path, Permissions::from_mode(0o600)).expect("ours");
    }

    #[test]
    fn whatever_is_there_the_file_becomes_what_is_written() {
        let directory = directory("remains");
        let path = directory.join("file");
        let wanted: Vec<u8> = (0..40).collect();
        for length in 0..60 {
            for wrong_at in 0..=length {
                let mut there: Vec<u8> = (0..length).collect();
                if let Some(byte) = there.get_mut(usize::from(wrong_at)) {
                    *byte ^= 0x80;
                }
                leave(&path, &there);
                let (mut file, mut remains) = Remains::open(&path).expect("ours");
                for mut piece in wanted.chunks(7) {
                    while !piece.is_empty() {
                        let taken = remains.write(&mut file, piece).expect("written");
                        piece = &piece[taken..];
                    }
                }
                remains.drop_rest(&mut file).expect("cut");
                assert_eq!(fs::read(&path).expect("there"), wanted, "{length} {wrong_at}");
                assert_eq!(remains.found, u64::from(wrong_at.min(40)));
            }
        }
        fs::remove_dir_all(directory).expect("clean up");
    }

    #[test]
    fn what_somebody_else_may_write_to_is_not_taken_up() {
        let directory = directory("not-taken-up");
        let (path, other) = (directory.join("file"), directory.join("other"));
        assert!(Remains::open(&path).is_none(), "nothing");
        leave(&path, b"ours");
        assert!(Remains::open(&path).is_some());
        for mode in [0o620, 0o602, 0o4600, 0o2600, 0o1600] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("ours");
            assert!(Remains::open(&path).is_none(), "{mode:o}");
        }
        leave(&path, b"ours");
        fs::hard_link(&path, &other).expect("a second name");
        assert!(Remains::open(&path).is_none(), "a second name");
        fs::remove_file(&path).expect("ours");
        symlink(&other, &path).expect("a link");
        assert!(Remains::open(&path).is_none(), "a link");
        fs::remove_file(&path).expect("ours");
        fs::create_dir(&path).expect("a directory");
        assert!(Remains::open(&path).is_none(), "a directory");
        fs::remove_dir_all(directory).expect("clean up");
    }
}
