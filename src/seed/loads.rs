//! The images on their way into the node's runtime, an archive for each portion of them:
//! while one is unpacked the next is fed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use super::SeedError;
use super::sink::{Fed, Sink, Stop};
use crate::bundle::limits::IMAGE_CONFIG_BYTES;
use crate::bundle::{Digest, ImagePart, Member, PlatformView};
use crate::host::Running;
use crate::install::{ImageSet, PORTIONS_AT_ONCE, portions, transfer};

/// Starts the program that takes an archive.
pub(crate) type Start<'a> = &'a dyn Fn() -> Result<Running, SeedError>;

/// All archives, fed in one pass over the payload.
pub(crate) struct Loads<'a> {
    start: Start<'a>,
    archives: Vec<Archive<'a>>,
    /// Manifests and configs: small, and kept until their archive ends.
    documents: BTreeMap<Digest, Vec<u8>>,
    unpacking: Vec<Fed>,
}

/// One archive that is not whole yet.
struct Archive<'a> {
    set: ImageSet<'a>,
    awaited: BTreeSet<Digest>,
    sink: Option<Sink>,
}

impl<'a> Loads<'a> {
    pub(crate) fn new(view: PlatformView<'a>, start: Start<'a>) -> Self {
        let archive = |set: ImageSet<'a>| Archive {
            awaited: set.images().iter().flat_map(|image| image.blobs()).collect(),
            set,
            sink: None,
        };
        Self {
            start,
            archives: portions(view).into_iter().map(archive).collect(),
            documents: BTreeMap::new(),
            unpacking: Vec::new(),
        }
    }

    /// Gives a blob to every archive that waits for it.
    pub(crate) fn take(
        &mut self,
        member: &Member,
        blob: &mut (impl Read + Send),
        moved: &dyn Fn(u64),
    ) -> Result<(), Stop> {
        let digest = member.sha256;
        if self.is_document(member) {
            let mut bytes = Vec::new();
            transfer(blob, &mut [&mut bytes], moved)?;
            self.documents.insert(digest, bytes);
        } else {
            let mut sinks: Vec<&mut dyn Write> = Vec::new();
            let waiting = |archive: &&mut Archive<'_>| archive.awaited.contains(&digest);
            for archive in self.archives.iter_mut().filter(waiting) {
                let sink = open(&mut archive.sink, self.start)?;
                sink.begin_blob(digest, member.size)?;
                sinks.push(sink);
            }
            transfer(blob, &mut sinks, moved)?;
        }
        for archive in &mut self.archives {
            archive.awaited.remove(&digest);
        }
        self.end_whole_archives()
    }

    /// Waits until the runtime has unpacked everything.
    pub(crate) fn finish(self) -> Result<(), SeedError> {
        self.unpacking.into_iter().try_for_each(Fed::finish)
    }

    /// The archive whose program took no more.
    pub(crate) fn into_broken(self) -> Option<Sink> {
        let mut sinks = self.archives.into_iter().filter_map(|archive| archive.sink);
        sinks.find(Sink::is_broken)
    }

    fn is_document(&self, member: &Member) -> bool {
        let of_image = |image: &&ImagePart| [image.manifest, image.config].contains(&member.sha256);
        let mut images = self.archives.iter().flat_map(|archive| archive.set.images());
        member.size <= IMAGE_CONFIG_BYTES && images.any(of_image)
    }

    fn end_whole_archives(&mut self) -> Result<(), Stop> {
        while let Some(at) = self
            .archives
            .iter()
            .position(|archive| archive.awaited.is_empty())
        {
            self.archives[at].complete(self.start, &self.documents)?;
            let Archive { sink, .. } = self.archives.remove(at);
            self.unpacking.extend(sink.map(Sink::end));
            while self.unpacking.len() >= PORTIONS_AT_ONCE {
                self.unpacking.remove(0).finish()?;
            }
        }
        Ok(())
    }
}

impl Archive<'_> {
    /// Adds what is not a layer.
    fn complete(&mut self, start: Start<'_>, documents: &BTreeMap<Digest, Vec<u8>>) -> Result<(), Stop> {
        let images = self.set.images().iter();
        let wanted: BTreeSet<Digest> = images.flat_map(|image| [image.manifest, image.config]).collect();
        let sink = open(&mut self.sink, start)?;
        sink.documents(&self.set)?;
        for (digest, bytes) in documents.iter().filter(|(digest, _)| wanted.contains(digest)) {
            sink.begin_blob(*digest, bytes.len() as u64)?;
            sink.write_all(bytes)?;
        }
        Ok(())
    }
}

/// The archive's program, started when the first blob comes.
fn open<'a>(sink: &'a mut Option<Sink>, start: Start<'_>) -> Result<&'a mut Sink, Stop> {
    if sink.is_none() {
        *sink = Some(Sink::new(start()?));
    }
    Ok(sink.as_mut().expect("just made"))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs::{self, File};

    use super::*;
    use crate::bundle::blob_path;
    use crate::docker::EngineError;
    use crate::host::Command;
    use crate::install::testing::{index, view};

    /// Feeds the blobs of the test's index to programs that keep what they get; gives
    /// the names in each archive.
    fn fed(order: impl Fn(&mut Vec<&Member>)) -> Vec<Vec<String>> {
        let index = index();
        let directory = std::env::temp_dir().join(format!("loads-{:?}", std::thread::current().id()));
        fs::create_dir_all(&directory).expect("directory");
        let started = Cell::new(0);
        let start = || {
            started.set(started.get() + 1);
            let path = directory.join(started.get().to_string());
            Ok(Command::new("sh")
                .args(["-c", "cat >\"$0\""])
                .arg(path)
                .spawn()
                .map_err(EngineError::from)?)
        };
        let mut loads = Loads::new(view(&index), &start);
        let mut members: Vec<&Member> = index.members.iter().collect();
        order(&mut members);
        for member in members {
            let wanted = view(&index)
                .cluster_images()
                .any(|image| image.blobs().any(|blob| blob == member.sha256));
            if wanted {
                let taken = loads.take(member, &mut vec![7; 1000].as_slice(), &|_| {});
                assert!(taken.is_ok(), "{}", member.path);
            }
        }
        loads.finish().expect("every program ends well");
        let names = (1..=started.get()).map(|number| {
            let file = File::open(directory.join(number.to_string())).expect("archive");
            let mut archive = tar::Archive::new(file);
            let entries = archive.entries().expect("tar");
            let mut names: Vec<String> = entries
                .map(|entry| entry.expect("entry").path().expect("path").display().to_string())
                .collect();
            names.sort();
            names
        });
        let names = names.collect();
        fs::remove_dir_all(&directory).expect("clean up");
        names
    }

    #[test]
    fn every_archive_has_all_that_its_images_need_whatever_comes_first() {
        let index = index();
        for order in [
            |_: &mut Vec<&Member>| {},
            |members: &mut Vec<&Member>| members.reverse(),
        ] {
            let archives = fed(order);
            assert_eq!(archives.len(), 3);
            for image in view(&index).cluster_images() {
                let mut expected: Vec<String> = image
                    .blobs()
                    .map(|blob| blob_path(blob).trim_start_matches("images/").to_owned())
                    .chain(["index.json", "manifest.json", "oci-layout"].map(str::to_owned))
                    .collect();
                expected.sort();
                assert!(archives.contains(&expected), "{}", image.reference);
            }
        }
    }
}
