//! A bundle never quietly replaces a newer one of its name.

use std::path::Path;

use super::receipt::Receipt;
use crate::bundle::{BinaryRole, Checksum, PlatformView, Version};
use crate::explain::{Explain, Explanation, Kind};

/// A bundle that is older than what is installed.
#[derive(Debug, thiserror::Error)]
#[error("this is `{name}` with serial {serial}, and serial {installed} is installed: nothing was changed")]
pub struct DowngradeError {
    /// The bundle's name.
    pub name: String,
    /// Its serial.
    pub serial: u64,
    /// The highest serial that was installed under this name.
    pub installed: u64,
}

/// Refuses the bundle of `view` when a higher serial of its name was installed, unless
/// that is `allowed`.
pub fn check_serial(receipt: &Receipt, view: PlatformView<'_>, allowed: bool) -> Result<(), DowngradeError> {
    match receipt.serial(view.name()) {
        Some(installed) if installed > view.serial() && !allowed => Err(DowngradeError {
            name: view.name().to_owned(),
            serial: view.serial(),
            installed,
        }),
        _ => Ok(()),
    }
}

/// What tells the bundle of `view` from one of the same name and serial that was installed:
/// which of them is the newer, nobody can say. `minikube` is where that program goes.
#[must_use]
pub fn other_of_same_serial(receipt: &Receipt, view: PlatformView<'_>, minikube: &Path) -> Option<String> {
    let mut bundles = receipt.bundles();
    let installed = bundles.find(|bundle| bundle.name == view.name() && bundle.serial == view.serial())?;
    let (then, now) = (&installed.kubernetes_version, view.kubernetes_version());
    let program = view.binary(BinaryRole::Minikube);
    let differs = if *then == now.to_string() {
        let known = receipt.files().get(minikube)?;
        if known.contains(&Checksum::Sha256(program.sha256)) {
            return None;
        }
        let version = program.version.as_ref();
        format!(
            "another minikube than this one{}",
            version.map_or_else(String::new, |version| format!(", {version}"))
        )
    } else {
        let order = match then.parse::<Version>() {
            Ok(then) if then > *now => "which is newer than",
            Ok(_) => "which is older than",
            Err(_) => "and not",
        };
        format!("Kubernetes {then}, {order} {now} here")
    };
    Some(format!(
        "another bundle `{}` with serial {} is installed: it has {differs}; which is the newer, \
         `pack --serial` would tell",
        view.name(),
        view.serial()
    ))
}

impl Explain for DowngradeError {
    fn explain(&self) -> Explanation {
        Kind::Downgrade.hint("use the newer bundle; --allow-downgrade starts the older one anyway")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::journal::Event;
    use crate::install::testing;

    #[test]
    fn another_bundle_of_the_same_serial_is_told_by_what_it_has() {
        let index = testing::index();
        let view = testing::view(&index);
        let minikube = Path::new("/bin/minikube");
        let told = |version: &str, serial, sha256| {
            let mut receipt = Receipt::default();
            receipt.apply(Event::Bundle {
                name: index.name.clone(),
                serial,
                kubernetes_version: version.to_owned(),
            });
            receipt.apply(Event::File {
                path: minikube.to_owned(),
                digest: Checksum::Sha256(sha256),
            });
            other_of_same_serial(&receipt, view, minikube).unwrap_or_default()
        };
        let same = view.binary(BinaryRole::Minikube).sha256;
        let other = crate::bundle::Digest::of(b"another minikube");
        assert_eq!(told("v1.35.4", 1, same), "");
        assert_eq!(told("v1.35.5", 2, other), "");
        assert!(told("v1.35.5", 1, same).contains("Kubernetes v1.35.5, which is newer than v1.35.4 here;"));
        assert!(told("v1.34.9", 1, same).contains("Kubernetes v1.34.9, which is older than v1.35.4 here;"));
        assert!(told("v1.35.4", 1, other).contains("another minikube than this one;"));
        assert_eq!(other_of_same_serial(&Receipt::default(), view, minikube), None);
    }

    #[test]
    fn an_older_bundle_is_refused_unless_it_is_allowed() {
        let mut index = testing::index();
        index.serial = 7;
        let installed = |name: &str, serial| {
            let mut receipt = Receipt::default();
            let (name, kubernetes_version) = (name.to_owned(), "v1.35.4".to_owned());
            receipt.apply(Event::Bundle {
                name,
                serial,
                kubernetes_version,
            });
            receipt
        };
        let name = index.name.clone();
        let view = testing::view(&index);
        for (receipt, refused) in [
            (Receipt::default(), false),
            (installed(&name, 6), false),
            (installed(&name, 7), false),
            (installed(&name, 8), true),
            (installed(&name, u64::MAX), true),
            (installed("another", 8), false),
        ] {
            assert_eq!(
                check_serial(&receipt, view, false).is_err(),
                refused,
                "{receipt:?}"
            );
            assert!(check_serial(&receipt, view, true).is_ok());
        }
        let error = check_serial(&installed(&name, 8), view, false).expect_err("older");
        assert_eq!(error.explain().kind, Kind::Downgrade);
        assert!(error.to_string().contains("serial 7, and serial 8"), "{error}");
    }
}
