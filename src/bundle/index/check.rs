//! What makes an index one that a bundle can have.

use std::collections::{HashMap, HashSet};

use super::{BundleIndex, is_bundle_name};
use crate::bundle::application;
use crate::bundle::attestation::ATTESTATION_DIR;
use crate::bundle::frame::TAR_END_BYTES;
use crate::bundle::provenance::check_names;
use crate::bundle::{
    Attestation, BinaryPart, BinaryRole, Digest, FilePart, ImagePart, ImageReference, ImageRole, Member,
    PACKAGES_PATH, Platform, attestation_path, blob_path, chunk_count, is_file_name, is_plain,
    layout_documents, limits, member_span,
};

impl BundleIndex {
    /// Whether what it says agrees with itself, as a sentence where it does not.
    pub(super) fn check(&self) -> Result<(), String> {
        self.check_names()?;
        self.check_platforms()?;
        self.check_extents()?;
        self.check_frames()?;
        self.check_volumes()?;
        self.check_members()?;
        self.check_parts()
    }

    fn check_names(&self) -> Result<(), String> {
        if !is_bundle_name(&self.name) {
            return Err(
                "the bundle's name is not 1 to 128 of a-z, 0-9, `.`, `_` and `-`, starting with a letter or a digit"
                    .to_owned(),
            );
        }
        if self.packer.len() > limits::PACKER_BYTES || !is_plain(&self.packer) {
            return Err("the packer's name is too long or no plain text".to_owned());
        }
        Ok(())
    }

    fn check_platforms(&self) -> Result<(), String> {
        let platforms = &self.cluster.platforms;
        if platforms.is_empty() || !platforms.is_sorted_by(|a, b| a < b) {
            return Err("the platforms are not in order, one is there twice, or there is none".to_owned());
        }
        let stubs: Vec<Platform> = self.stubs.iter().map(|stub| stub.platform).collect();
        if stubs != *platforms {
            return Err("there is not one stub for each platform, in the platforms' order".to_owned());
        }
        Ok(())
    }

    fn check_extents(&self) -> Result<(), String> {
        let aligned = |size: u64| size.is_multiple_of(limits::BLOCK_BYTES) && size > 0;
        if !aligned(self.header.size) || self.header.size > limits::HEADER_BYTES {
            return Err(format!("the header has {} bytes", self.header.size));
        }
        let mut end = self.header.size;
        for stub in &self.stubs {
            if !aligned(stub.size) || stub.size > limits::STUB_BYTES {
                return Err(format!("the stub for {} has {} bytes", stub.platform, stub.size));
            }
            end = end
                .checked_add(stub.size)
                .ok_or("the stubs are longer than a file can be")?;
        }
        let total = self
            .frames
            .iter()
            .try_fold(end, |end, frame| end.checked_add(frame.size));
        total
            .map(|_| ())
            .ok_or_else(|| "the payload is longer than a file can be".to_owned())
    }

    fn check_frames(&self) -> Result<(), String> {
        if self.members.len() > limits::MEMBERS {
            return Err(format!("there are {} members", self.members.len()));
        }
        let mut members = self.members.iter();
        for (number, frame) in self.frames.iter().enumerate() {
            let last = number + 1 == self.frames.len();
            let mut plain = if last { TAR_END_BYTES as u64 } else { 0 };
            for _ in 0..frame.members {
                let member = members
                    .next()
                    .ok_or("the frames hold more members than there are")?;
                plain = member_span(member.size)
                    .and_then(|span| span.checked_add(plain))
                    .ok_or_else(|| format!("`{}` is larger than a file can be", member.path))?;
            }
            if plain != frame.plain_size || frame.size == 0 || frame.members == 0 {
                return Err(format!("frame {number} does not hold its members"));
            }
        }
        if self.frames.is_empty() || members.next().is_some() {
            return Err("there are members outside every frame".to_owned());
        }
        let plain_total = self
            .frames
            .iter()
            .try_fold(0u64, |sum, frame| sum.checked_add(frame.plain_size));
        plain_total.ok_or("the payload decodes to more than a file can hold")?;
        if chunk_count(self.payload_size()) != self.chunks.len() as u64 {
            return Err("the chunk table does not cover the payload".to_owned());
        }
        Ok(())
    }

    /// Each member is a part's or one of the layout's documents, and is there once.
    fn check_members(&self) -> Result<(), String> {
        let mut expected: HashSet<String> = layout_documents(&self.cluster.platforms).into_iter().collect();
        expected.extend(self.binaries.iter().map(BinaryPart::member_path));
        expected.extend(self.files.iter().map(FilePart::member_path));
        expected.extend(self.image_indexes.iter().map(|list| blob_path(list.digest)));
        expected.extend(self.images.iter().flat_map(ImagePart::blobs).map(blob_path));
        let files = self.attestations().flat_map(Attestation::files);
        expected.extend(files.map(attestation_path));
        expected.extend(self.packages.map(|_| PACKAGES_PATH.to_owned()));
        for member in &self.members {
            if member.tar_header().is_none() || !expected.remove(&member.path) {
                return Err(format!("no part needs `{}`, or it is there twice", member.path));
            }
            if member.size == 0 && member.sha256 != Digest::of(b"") {
                return Err(format!(
                    "`{}` is empty and has the digest of something",
                    member.path
                ));
            }
            if member.path.starts_with(ATTESTATION_DIR) && member.size > limits::ATTESTATION_BYTES {
                return Err(format!(
                    "`{}` has {} bytes, more than an attestation's file can have",
                    member.path, member.size
                ));
            }
            if member.path == PACKAGES_PATH
                && (Some(member.sha256) != self.packages || member.size > limits::PACKAGES_BYTES)
            {
                return Err(format!("`{PACKAGES_PATH}` has another digest, or is too long"));
            }
            let blob = ["images/blobs/sha256/", ATTESTATION_DIR]
                .iter()
                .find_map(|directory| member.path.strip_prefix(directory));
            if blob.is_some_and(|hex| hex != member.sha256.hex()) {
                return Err(format!("`{}` has the digest of another blob", member.path));
            }
        }
        let is_attestations = |member: &&Member| member.path.starts_with(ATTESTATION_DIR);
        let attestations: u64 = self
            .members
            .iter()
            .filter(is_attestations)
            .map(|file| file.size)
            .sum();
        if attestations > limits::ALL_ATTESTATION_BYTES {
            return Err(format!("the attestations have {attestations} bytes"));
        }
        expected
            .into_iter()
            .min()
            .map_or(Ok(()), |path| Err(format!("`{path}` is missing")))
    }

    fn check_parts(&self) -> Result<(), String> {
        let platforms = &self.cluster.platforms;
        let by_path: HashMap<&str, &Member> = self
            .members
            .iter()
            .map(|member| (member.path.as_str(), member))
            .collect();
        let programs: Vec<_> = self
            .binaries
            .iter()
            .map(|binary| (binary.platform, binary.role))
            .collect();
        let roles = BinaryRole::of_bundle(!self.applications.is_empty());
        let of_all = |platform: &Platform| roles.clone().map(|role| (*platform, role)).collect::<Vec<_>>();
        if programs != platforms.iter().flat_map(of_all).collect::<Vec<_>>() {
            return Err("there is not one program for each platform and role, in their order".to_owned());
        }
        let is_member = |path: &str, size: u64, sha256: Digest| {
            let member = by_path.get(path);
            member.is_some_and(|member| (member.size, member.sha256) == (size, sha256))
        };
        for binary in &self.binaries {
            if !is_member(&binary.member_path(), binary.size, binary.sha256) {
                return Err(format!(
                    "{} for {} is not the file that it says",
                    binary.role, binary.platform
                ));
            }
            let origin = binary.origin.check(false);
            origin.map_err(|reason| format!("{} for {} {reason}", binary.role, binary.platform))?;
        }
        let key = |file: &FilePart| (file.role, file.name.clone());
        if !self.files.is_sorted_by(|a, b| key(a) < key(b)) {
            return Err("the files are not in order, or one is there twice".to_owned());
        }
        for file in &self.files {
            let FilePart { role, name, .. } = file;
            if !is_file_name(name) {
                return Err(format!("a {role} has the name {name:?}"));
            }
            if !is_member(&file.member_path(), file.size, file.sha256) {
                return Err(format!("the {role} `{name}` is not the file that it says"));
            }
            if !file.origin.attestations.is_empty() {
                return Err(format!(
                    "the {role} `{name}` has a publisher's attestation, and no publisher"
                ));
            }
            let origin = file.origin.check(false);
            origin.map_err(|reason| format!("the {role} `{name}` {reason}"))?;
        }
        application::check(&self.applications, &self.files)?;
        self.check_images()
    }

    fn check_images(&self) -> Result<(), String> {
        let key = |image: &ImagePart| (image.platform, image.role, image.reference.clone());
        if !self.images.is_sorted_by(|a, b| key(a) < key(b)) {
            return Err("the images are not in order, or one is there twice".to_owned());
        }
        let platforms = &self.cluster.platforms;
        if let Some(image) = self
            .images
            .iter()
            .find(|image| !platforms.contains(&image.platform))
        {
            return Err(format!("{} is for {}", image.reference, image.platform));
        }
        for image in &self.images {
            let origin = image.origin.check(true);
            let named = origin.and_then(|()| check_names(&image.named_by));
            named.map_err(|reason| format!("{} for {} {reason}", image.reference, image.platform))?;
        }
        for view in platforms.iter().filter_map(|platform| self.on(*platform)) {
            let is_node = |image: &&ImagePart| image.role == ImageRole::Node;
            if view.images().filter(is_node).count() != 1 {
                return Err(format!("there is not one node image for {}", view.platform()));
            }
            let names: HashSet<&ImageReference> = view.images().map(|image| &image.reference).collect();
            if names.len() != view.images().count() {
                return Err(format!("two images for {} have one name", view.platform()));
            }
        }
        self.check_lists()
    }

    /// One list for each name where there are several platforms, else none.
    fn check_lists(&self) -> Result<(), String> {
        let mut names: Vec<&ImageReference> = self.images.iter().map(|image| &image.reference).collect();
        names.sort();
        names.dedup();
        if self.cluster.platforms.len() == 1 {
            names.clear();
        }
        let listed: Vec<&ImageReference> = self.image_indexes.iter().map(|list| &list.reference).collect();
        if listed != names {
            return Err("there is not one image index for each image's name, in their order".to_owned());
        }
        Ok(())
    }
}
