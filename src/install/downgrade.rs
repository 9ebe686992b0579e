//! A bundle never quietly replaces a newer one of its name.

use super::Receipt;
use crate::bundle::PlatformView;
use crate::failure::{Failure, Kind};

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

impl From<DowngradeError> for Failure {
    fn from(error: DowngradeError) -> Self {
        Self::new(Kind::Downgrade, error)
            .hint("use the newer bundle; --allow-downgrade starts the older one all the same")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::Event;
    use crate::install::testing;

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
        let failure = Failure::from(check_serial(&installed(&name, 8), view, false).expect_err("older"));
        assert_eq!((failure.kind, failure.kind.exit_code()), (Kind::Downgrade, 8));
        assert!(
            failure.to_string().contains("serial 7, and serial 8"),
            "{failure}"
        );
    }
}
