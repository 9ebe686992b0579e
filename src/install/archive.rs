//! Images as one tar that everything loads: an OCI image layout which also has the
//! `manifest.json` of `docker save`, the layout that Docker Engine 25 and newer write
//! themselves. Engine 20.10 reads `manifest.json`; containerd and podman read
//! `index.json`, and so keep the manifest digests that the bundle names.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};

use super::transfer::{TransferError, transfer};
use crate::bundle::{
    Digest, ImagePart, ImageReference, Member, PlatformView, archived, blob_in_layout, blob_path, member_span,
};
use crate::oci::{self, Descriptor, Index};
use crate::verify::PlatformBundle;

/// Some images of a bundle, with the blobs that they share.
#[derive(Clone, Debug)]
pub struct ImageSet<'a> {
    images: Vec<&'a ImagePart>,
    sizes: HashMap<Digest, u64>,
}

impl<'a> ImageSet<'a> {
    /// The images `images` of the bundle that `view` is of.
    pub fn new(view: PlatformView<'a>, images: impl IntoIterator<Item = &'a ImagePart>) -> Self {
        let images: Vec<&ImagePart> = images.into_iter().collect();
        let blobs: BTreeSet<Digest> = images.iter().flat_map(|image| image.blobs()).collect();
        let by_path: HashMap<&str, u64> = view
            .members()
            .iter()
            .map(|member| (member.path.as_str(), member.size))
            .collect();
        let sizes = blobs
            .into_iter()
            .filter_map(|digest| {
                by_path
                    .get(blob_path(digest).as_str())
                    .map(|size| (digest, *size))
            })
            .collect();
        Self { images, sizes }
    }

    /// The images.
    #[must_use]
    pub fn images(&self) -> &[&'a ImagePart] {
        &self.images
    }

    /// Whether the member is a blob of one of them.
    #[must_use]
    pub fn wants(&self, member: &Member) -> bool {
        self.sizes.contains_key(&member.sha256) && member.path == blob_path(member.sha256)
    }

    /// The digest of each of their blobs.
    pub fn blobs(&self) -> impl Iterator<Item = Digest> + '_ {
        self.sizes.keys().copied()
    }

    /// The size of all their blobs.
    #[must_use]
    pub fn blob_bytes(&self) -> u64 {
        self.sizes.values().sum()
    }

    /// The size of their archive.
    #[must_use]
    pub fn archive_bytes(&self) -> u64 {
        let documents = self.documents();
        let sizes = documents.iter().map(|(_, bytes)| bytes.len() as u64);
        // The end of a tar: two empty blocks.
        sizes
            .chain(self.sizes.values().copied())
            .filter_map(member_span)
            .sum::<u64>()
            + 1024
    }

    /// What makes blobs an archive: `oci-layout`, `index.json`, `manifest.json`. An image that
    /// somebody names by digest has that name for containerd, too, whose CRI then finds it by
    /// it; Docker Engine takes none from an archive.
    #[must_use]
    pub fn documents(&self) -> [(&'static str, Vec<u8>); 3] {
        self.documents_naming(|reference| reference.tag().to_owned(), true)
    }

    /// The same for a directory, in which stock tools look for an image by its full name.
    #[must_use]
    pub fn layout_documents(&self) -> [(&'static str, Vec<u8>); 3] {
        self.documents_naming(ToString::to_string, false)
    }

    fn documents_naming(
        &self,
        name: fn(&ImageReference) -> String,
        with_digests: bool,
    ) -> [(&'static str, Vec<u8>); 3] {
        let manifests: Vec<_> = self
            .images
            .iter()
            .flat_map(|image| {
                let tagged = (image.reference.to_string(), name(&image.reference));
                let by_digest = image.named_digest().filter(|_| with_digests);
                let by_digest = by_digest.map(|digest| {
                    let (registry, repository) = (image.reference.registry(), image.reference.repository());
                    (
                        format!("{registry}/{repository}@{digest}"),
                        name(&image.reference),
                    )
                });
                let names = [tagged].into_iter().chain(by_digest);
                let size = self.sizes.get(&image.manifest).copied().unwrap_or_default();
                let manifest = Descriptor::new(oci::MANIFEST, image.manifest, size);
                names.map(move |(full, short)| manifest.clone().named(full, short))
            })
            .collect();
        let entries: Vec<_> = self.images.iter().map(|image| archived(image)).collect();
        [
            ("oci-layout", oci::LAYOUT.into()),
            ("index.json", oci::json(&Index::new(manifests))),
            ("manifest.json", oci::json(&entries)),
        ]
    }
}

/// Writes a tar file by file.
#[derive(Debug)]
pub struct ArchiveWriter<W: Write> {
    out: W,
    unpadded: u64,
}

impl<W: Write> ArchiveWriter<W> {
    /// A tar on `out`.
    pub fn new(out: W) -> Self {
        Self { out, unpadded: 0 }
    }

    /// Begins a file; what is written next is its content, `size` bytes of it.
    pub fn begin(&mut self, name: &str, size: u64, mode: u32) -> io::Result<()> {
        self.pad()?;
        let mut header = tar::Header::new_ustar();
        header.set_path(name)?;
        header.set_size(size);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        self.out.write_all(header.as_bytes())?;
        Ok(())
    }

    /// Adds a blob's header.
    pub fn begin_blob(&mut self, digest: Digest, size: u64) -> io::Result<()> {
        self.begin(&blob_in_layout(digest), size, 0o644)
    }

    /// Adds the documents of `set`.
    pub fn documents(&mut self, set: &ImageSet<'_>) -> io::Result<()> {
        for (name, bytes) in set.documents() {
            self.begin(name, bytes.len() as u64, 0o644)?;
            self.write_all(&bytes)?;
        }
        Ok(())
    }

    /// What is written to, which has or takes the next `size` bytes of content by itself.
    pub(crate) fn content(&mut self, size: u64) -> &mut W {
        self.unpadded += size;
        &mut self.out
    }

    /// Ends the tar.
    pub fn finish(self) -> io::Result<W> {
        let (out, ended) = self.end();
        ended.map(|()| out)
    }

    /// Ends the tar, and gives what it was written to also when that failed.
    pub fn end(mut self) -> (W, io::Result<()>) {
        let ended = self
            .pad()
            .and_then(|()| self.out.write_all(&[0; 1024]))
            .and_then(|()| self.out.flush());
        (self.out, ended)
    }

    /// What was written so far, without an end.
    #[must_use]
    pub fn into_inner(self) -> W {
        self.out
    }

    fn pad(&mut self) -> io::Result<()> {
        let padding = usize::try_from((512 - self.unpadded % 512) % 512).unwrap_or(0);
        self.unpadded = 0;
        self.out.write_all(&[0; 512][..padding])
    }
}

impl<W: Write> Write for ArchiveWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.unpadded += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes the archive of `set` to `out`, each blob once, in the order of the payload.
pub fn write_images<W: Write>(
    bundle: PlatformBundle<'_>,
    set: &ImageSet<'_>,
    out: W,
    moved: &dyn Fn(u64),
) -> Result<W, TransferError> {
    let mut archive = ArchiveWriter::new(out);
    archive.documents(set).map_err(TransferError::Write)?;
    let mut members = bundle.members(|member| set.wants(member));
    while let Some(reader) = members.next_member()? {
        let (digest, size) = (reader.member().sha256, reader.member().size);
        archive.begin_blob(digest, size).map_err(TransferError::Write)?;
        let mut blob = reader.by_its_chunks();
        transfer(&mut blob, &mut [&mut archive as &mut dyn Write], moved)?;
    }
    archive.finish().map_err(TransferError::Write)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_tar_reads_back_with_its_padding() {
        let mut archive = ArchiveWriter::new(Vec::new());
        for (name, size) in [("a", 0usize), ("b", 1), ("c/d", 512), ("e", 1025)] {
            archive.begin(name, size as u64, 0o755).expect("header");
            archive.write_all(&vec![b'x'; size]).expect("content");
        }
        let bytes = archive.finish().expect("end");
        let mut found = Vec::new();
        for entry in tar::Archive::new(bytes.as_slice()).entries().expect("tar") {
            let mut entry = entry.expect("entry");
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("content");
            assert!(content.iter().all(|byte| *byte == b'x'));
            found.push((entry.path().expect("path").display().to_string(), content.len()));
        }
        assert_eq!(
            found,
            [("a", 0), ("b", 1), ("c/d", 512), ("e", 1025)].map(|(name, size)| (name.to_owned(), size))
        );
    }

    #[test]
    fn a_blob_has_the_name_that_the_layout_gives_it() {
        let digest = Digest::of(b"abc");
        assert_eq!(blob_in_layout(digest), format!("blobs/sha256/{}", digest.hex()));
    }

    #[test]
    fn an_image_has_the_name_by_digest_that_somebody_gives_it() {
        let mut index = crate::install::testing::index();
        let digest = Digest::of(b"list");
        index.images[2]
            .named_by
            .push(crate::install::testing::named(digest));
        let view = crate::install::testing::view(&index);
        let set = ImageSet::new(view, view.cluster_images());
        let names = |documents: [(&str, Vec<u8>); 3]| {
            let index: serde_json::Value = serde_json::from_slice(&documents[1].1).expect("JSON");
            let manifests = index["manifests"].as_array().expect("manifests").clone();
            let name =
                |manifest: serde_json::Value| manifest["annotations"]["io.containerd.image.name"].clone();
            manifests.into_iter().map(name).collect::<Vec<_>>()
        };
        let by_tag = [
            "registry.k8s.io/kube-apiserver:v1.35.4".to_owned(),
            "registry.k8s.io/pause:3.10.1".to_owned(),
            "docker.io/library/app:1".to_owned(),
        ];
        assert_eq!(names(set.layout_documents()), by_tag);
        let mut all = by_tag.to_vec();
        all.insert(2, format!("registry.k8s.io/pause@{digest}"));
        assert_eq!(names(set.documents()), all);
    }
}
