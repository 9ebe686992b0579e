//! What confines programs on this machine beyond their user.

use std::fs;

/// Linux security modules that are on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Confinement {
    /// `SELinux` denies what its policy does not allow.
    pub selinux_enforcing: bool,
    /// `AppArmor` is on.
    pub apparmor: bool,
    /// `AppArmor` lets only programs with a profile make user namespaces.
    pub user_namespaces_restricted: bool,
}

impl Confinement {
    /// Of this machine. Source: kernel.org, "Linux Security Module Usage".
    #[must_use]
    pub fn of_this_machine() -> Self {
        let says =
            |path: &str, wanted: &str| fs::read_to_string(path).is_ok_and(|text| text.trim() == wanted);
        Self {
            selinux_enforcing: says("/sys/fs/selinux/enforce", "1"),
            apparmor: says("/sys/module/apparmor/parameters/enabled", "Y"),
            user_namespaces_restricted: says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
        }
    }
}
