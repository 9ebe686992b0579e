//! A medium that gives wrong bytes and, asked once more, right ones: a stick that ages, a
//! bad cable. What is wrong once is read again, and the person is told of the medium; what
//! is wrong twice is damage. It is a file system of this test's own, for nothing else
//! reads wrong when it is told to.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyEntry, ReplyOpen, Request,
};
use minikube_offline::progress::Progress;
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::{Damage, OpenedBundle, VerifiedBundle, VerifyError};
use tempfile::TempDir;

use crate::effort::{directory, report};
use crate::library::Bundle;

/// A byte that reads wrong.
#[derive(Debug)]
struct Spot {
    file: usize,
    offset: u64,
    /// Which readings of it are wrong, from 0.
    wrong: HashSet<u64>,
    readings: u64,
}

/// The files of a directory, some bytes of which read wrong.
struct Files {
    content: Vec<(String, Vec<u8>)>,
    spots: Arc<Mutex<Vec<Spot>>>,
    /// Whether what was read is kept in memory, as that of a disk is.
    cached: bool,
}

const FOREVER: Duration = Duration::from_secs(3600);

impl Files {
    /// The file with this number; the directory is none.
    fn file(&self, inode: INodeNo) -> Option<(usize, &[u8])> {
        let at = usize::try_from(u64::from(inode)).ok()?.checked_sub(2)?;
        self.content.get(at).map(|(_, bytes)| (at, bytes.as_slice()))
    }

    fn facts(&self, inode: INodeNo) -> FileAttr {
        let (kind, size) = match self.file(inode) {
            Some((_, bytes)) => (FileType::RegularFile, bytes.len() as u64),
            None => (FileType::Directory, 0),
        };
        let (uid, gid) = (
            rustix::process::getuid().as_raw(),
            rustix::process::getgid().as_raw(),
        );
        FileAttr {
            ino: inode,
            size,
            blocks: size.div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm: 0o755,
            nlink: 1,
            uid,
            gid,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }
}

impl Filesystem for Files {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.content.iter().position(|(known, _)| name == known.as_str());
        match found {
            Some(at) => reply.entry(&FOREVER, &self.facts(INodeNo(at as u64 + 2)), Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&FOREVER, &self.facts(inode));
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let flags = if self.cached {
            FopenFlags::empty()
        } else {
            FopenFlags::FOPEN_DIRECT_IO
        };
        reply.opened(FileHandle(0), flags);
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let Some((file, bytes)) = self.file(inode) else {
            return reply.error(Errno::EISDIR);
        };
        let start = bytes.len().min(usize::try_from(offset).unwrap());
        let end = bytes.len().min(start + size as usize);
        let mut piece = bytes[start..end].to_vec();
        for spot in self.spots.lock().unwrap().iter_mut() {
            let within = spot
                .offset
                .checked_sub(offset)
                .and_then(|at| usize::try_from(at).ok());
            let byte = within.and_then(|at| piece.get_mut(at));
            if let Some(byte) = byte.filter(|_| spot.file == file) {
                *byte ^= u8::from(spot.wrong.contains(&spot.readings));
                spot.readings += 1;
            }
        }
        reply.data(&piece);
    }
}

/// Such a medium, mounted until it is dropped.
pub(crate) struct Medium {
    _session: BackgroundSession,
    names: Vec<String>,
    spots: Arc<Mutex<Vec<Spot>>>,
    mounted: TempDir,
}

impl Medium {
    /// With the files that are beside `path`, which is one of them. The reason why there
    /// can be none here, where that is so.
    pub(crate) fn with(path: &Path, cached: bool) -> Result<Self, String> {
        let beside = fs::read_dir(path.parent().expect("a directory")).expect("a directory");
        let files = beside
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.is_file());
        let content: Vec<(String, Vec<u8>)> = files
            .map(|path| {
                let name = path.file_name().expect("a name").to_str().expect("UTF-8");
                (name.to_owned(), fs::read(&path).expect("a file"))
            })
            .collect();
        let names = content.iter().map(|(name, _)| name.clone()).collect();
        let spots = Arc::default();
        let files = Files {
            content,
            spots: Arc::clone(&spots),
            cached,
        };
        let mounted = directory();
        let mut config = Config::default();
        config.mount_options = vec![MountOption::RO, MountOption::FSName("flaky".to_owned())];
        let session = fuser::spawn_mount(files, mounted.path(), &config);
        Ok(Self {
            _session: session.map_err(|error| format!("no file system of a program's own: {error}"))?,
            names,
            spots,
            mounted,
        })
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.mounted.path().join(name)
    }

    /// From now on only this byte reads wrong, at these readings of it.
    pub(crate) fn spoil(&self, name: &str, offset: u64, wrong: &[u64]) {
        self.spots.lock().unwrap().clear();
        self.spoil_also(name, offset, wrong);
    }

    fn spoil_also(&self, name: &str, offset: u64, wrong: &[u64]) {
        let file = self.names.iter().position(|known| known == name);
        self.spots.lock().unwrap().push(Spot {
            file: file.expect("one of the files"),
            offset,
            wrong: wrong.iter().copied().collect(),
            readings: 0,
        });
    }

    /// How often the byte that was spoiled was read since.
    pub(crate) fn readings(&self) -> u64 {
        self.spots.lock().unwrap()[0].readings
    }
}

/// What a person would be told.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Progress for Told {
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
    fn end(&self, _: &str) {}
}

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn verified(path: &Path, told: &Told) -> Result<VerifiedBundle, VerifyError> {
    OpenedBundle::open(path, &TrustedKeys::none()).and_then(|opened| opened.verify(told))
}

/// Everything that is given out, or why not everything was.
fn read_all(bundle: &VerifiedBundle) -> Result<Vec<Vec<u8>>, VerifyError> {
    let mut members = bundle.members(|_| true);
    let mut contents = Vec::new();
    while let Some(mut reader) = members.next_member()? {
        let path = reader.member().path.clone();
        let mut content = Vec::new();
        let read = reader.read_to_end(&mut content);
        read.map_err(|error| bundle.member_error(&path, error))?;
        contents.push(content);
    }
    Ok(contents)
}

/// The name of a file, and where in it each chunk lies.
fn chunks(bundle: &VerifiedBundle) -> Vec<(String, u64, u64)> {
    let index = bundle.index();
    let places = (0..index.chunks.len() as u64).map(|number| index.chunk_place(number).unwrap());
    let name = |file| match file {
        0 => "x.run".to_owned(),
        number => format!("x.run.{number:03}"),
    };
    places
        .map(|place| (name(place.file), place.offset, place.size))
        .collect()
}

fn is_damage(error: &VerifyError, path: &Path, offset: u64) {
    match error {
        VerifyError::Damaged(damage) => {
            let Damage {
                path: found,
                offset: at,
                ..
            } = &**damage;
            assert_eq!((found.as_path(), *at), (path, offset), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_reads_wrong_once_is_read_again_and_what_reads_wrong_twice_is_damage() {
    let (mut once, mut twice) = (0, 0);
    for (bundle, cached) in [Bundle::whole(), Bundle::split()]
        .iter()
        .flat_map(|it| [(it, true), (it, false)])
    {
        let medium = match Medium::with(&bundle.path, cached) {
            Ok(medium) => medium,
            Err(reason) => return report(&format!("skipped: a medium that reads wrong once: {reason}")),
        };
        let path = medium.at("x.run");
        let told = Told::default();
        let sound = verified(&bundle.path, &told).unwrap();
        let right = read_all(&sound).unwrap();
        assert_eq!(told.take(), Vec::<String>::new());
        for (name, offset, size) in chunks(&sound) {
            let run = format!(
                "second time: `{}` bytes {offset} to {}; the medium,",
                medium.at(&name).display(),
                offset + size
            );
            // The first and the last byte share their pages with what is beside the chunk.
            for at in [offset, offset + size / 2, offset + size - 1] {
                medium.spoil(&name, at, &[0]);
                let bundle = verified(&path, &told).unwrap_or_else(|error| panic!("byte {at}: {error}"));
                let notes = told.take();
                assert!(
                    notes.len() == 1 && notes[0].contains(&run),
                    "{notes:?} without {run}"
                );
                assert!(read_all(&bundle).unwrap() == right);
                once += 1;
                medium.spoil(&name, at, &[0, 1]);
                is_damage(&verified(&path, &told).unwrap_err(), &medium.at(&name), offset);
                assert_eq!(told.take(), Vec::<String>::new());
                twice += 1;
                if cached {
                    continue;
                }
                // After it was verified, when it is used: nothing was kept in memory.
                medium.spoil(&name, at, &[1]);
                let bundle = verified(&path, &told).unwrap();
                assert!(medium.readings() == 1 && read_all(&bundle).unwrap() == right);
                assert_eq!(told.take(), Vec::<String>::new());
                bundle.tell_misread(&told);
                let notes = told.take();
                assert!(
                    notes.len() == 1 && notes[0].contains(&run),
                    "{notes:?} without {run}"
                );
                once += 1;
                medium.spoil(&name, at, &[1, 2]);
                let bundle = verified(&path, &told).unwrap();
                is_damage(&read_all(&bundle).unwrap_err(), &medium.at(&name), offset);
                twice += 1;
            }
        }
    }
    report(&format!(
        "{once} bytes that read wrong once: accepted, and the medium is told of; {twice} that read wrong twice: refused"
    ));
}

#[test]
fn a_medium_that_often_reads_wrong_is_told_of_in_one_line() {
    let bundle = Bundle::split();
    let Ok(medium) = Medium::with(&bundle.path, false) else {
        return report("skipped: a medium that often reads wrong: no file system of a program's own");
    };
    let told = Told::default();
    let places = chunks(&verified(&bundle.path, &told).unwrap());
    assert_eq!(places.len(), 3);
    for (name, offset, _) in &places {
        medium.spoil_also(name, *offset, &[0]);
    }
    verified(&medium.at("x.run"), &told).unwrap();
    let notes = told.take();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].starts_with("warning: read wrongly, and rightly the second time: "),
        "{notes:?}"
    );
    assert!(notes[0].contains(" and 1 run of bytes more; "), "{notes:?}");
}
