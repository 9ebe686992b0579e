//! A cluster's images in portions. A runtime spools an archive before it unpacks it: in
//! portions, less of it lies on the disk twice.

use super::archive::ImageSet;
use crate::bundle::{ImagePart, PlatformView};

/// Into how many portions about the images are divided.
const PORTIONS: u64 = 8;

/// How many portions lie in the runtime's spool at once: one is fed, and one unpacked.
pub const PORTIONS_AT_ONCE: usize = 2;

/// The cluster's images in runs of about one size, in the order of the index.
#[must_use]
pub fn portions(view: PlatformView<'_>) -> Vec<ImageSet<'_>> {
    let enough = ImageSet::new(view, view.cluster_images()).blob_bytes() / PORTIONS;
    let mut sets = Vec::new();
    let mut run: Vec<&ImagePart> = Vec::new();
    for image in view.cluster_images() {
        run.push(image);
        let set = ImageSet::new(view, run.iter().copied());
        if set.blob_bytes() >= enough {
            sets.push(set);
            run.clear();
        }
    }
    if !run.is_empty() {
        sets.push(ImageSet::new(view, run));
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{BundleIndex, blob_path};
    use crate::install::testing::{index, view};

    #[test]
    fn images_are_divided_into_runs_of_about_one_size() {
        let mut index = index();
        let runs = |index: &BundleIndex| {
            let sets = portions(view(index));
            sets.iter().map(|set| set.images().len()).collect::<Vec<_>>()
        };
        assert_eq!(runs(&index), [1, 1, 1]);
        let large = blob_path(index.images[2].layers[1]);
        for member in index.members.iter_mut().filter(|member| member.path == large) {
            member.size = 100_000;
        }
        assert_eq!(runs(&index), [2, 1]);
    }
}
