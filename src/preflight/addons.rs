//! Whether the bundle was packed with the addons that are asked for. Which images an addon
//! needs, only minikube knows: `start` asks the bundle's, once it is unpacked, and refuses
//! what the bundle lacks.

use super::finding::{Finding, note};
use crate::bundle::PlatformView;
use crate::minikube::SiteOptions;

/// A note for each addon of which no image says that it is there for it: those that were
/// given to `pack` one by one do not say so.
pub(crate) fn examine(view: PlatformView<'_>, options: &SiteOptions) -> Vec<Finding> {
    let packed_with = |addon: &str| {
        let mut named_by = view.cluster_images().flat_map(|image| &image.named_by);
        named_by.any(|named| named.addon() == Some(addon))
    };
    let addons = options.addons();
    let addons = addons.iter().filter(|addon| !packed_with(addon));
    let unsaid = |addon: &String| {
        note(
            format!("no image in the bundle says that it is of minikube's addon `{addon}`"),
            "`start` asks the bundle's minikube which it needs, and changes nothing when one is missing",
            format!("pack the bundle with `pack --addon {addon}`"),
        )
    };
    addons.map(unsaid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Namer;
    use crate::bundle::{Digest, NamedBy};
    use crate::install::testing::{index, view, with};

    #[test]
    fn an_addon_that_was_packed_is_nothing_to_tell() {
        let mut index = index();
        index.images[3].named_by.push(NamedBy {
            digest: Digest::of(b"list"),
            by: Namer::MinikubeAddon,
            name: Some("metrics-server".to_owned()),
        });
        let told = |arguments: &str| examine(view(&index), &with(arguments)).len();
        assert_eq!(told(""), 0);
        assert_eq!(told("--addons=metrics-server"), 0);
        assert_eq!(told("--addons=metrics-server,dashboard --addons registry"), 2);
    }
}
