//! Who runs it.

use super::finding::{Finding, note};

pub(crate) fn examine(root: bool) -> Option<Finding> {
    root.then(|| {
        note(
            "this run is root's",
            "minikube gets `--force`, without which it refuses to run as root with the docker driver",
            "run as a user of the group `docker` to do without",
        )
    })
}
