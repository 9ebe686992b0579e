//! How much a user's processes may watch.

use std::fs;

/// The kernel's limits for each user. Source: inotify(7), `/proc` interfaces.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct InotifyLimits {
    /// `fs.inotify.max_user_instances`; `None` where the kernel does not say.
    pub instances: Option<u64>,
    /// `fs.inotify.max_user_watches`.
    pub watches: Option<u64>,
}

impl InotifyLimits {
    /// Of this machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let limit = |name: &str| {
            let text = fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?;
            text.trim().parse().ok()
        };
        Self {
            instances: limit("max_user_instances"),
            watches: limit("max_user_watches"),
        }
    }
}
