//! The file that minikube writes a cluster to, at the end of a start.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::host::Environment;

/// The file by its name, which may be relative: the first in the variable `KUBECONFIG` that is
/// not empty. Source: minikube v1.38.1, `pkg/minikube/kubeconfig/kubeconfig.go:266`.
pub(crate) fn named_kubeconfig(environment: &Environment) -> Option<PathBuf> {
    let named = environment.variable("KUBECONFIG").and_then(|paths| {
        let mut paths = paths.as_bytes().split(|byte| *byte == b':');
        let first = paths.find(|path| !path.is_empty())?;
        Some(PathBuf::from(OsStr::from_bytes(first)))
    });
    named.or_else(|| environment.home().map(|home| home.join(".kube/config")))
}

/// The same, where it does not depend on the directory in which a run is.
#[must_use]
pub fn kubeconfig(environment: &Environment) -> Option<PathBuf> {
    named_kubeconfig(environment).filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_named_is_the_file() {
        for (variable, named, absolute) in [
            ("", "/home/ann/.kube/config", true),
            ("/a:/b", "/a", true),
            ("::/b", "/b", true),
            (":", "/home/ann/.kube/config", true),
            ("rel/path", "rel/path", false),
        ] {
            let environment = Environment::of(&[("HOME", "/home/ann"), ("KUBECONFIG", variable)], 1000);
            assert_eq!(named_kubeconfig(&environment), Some(PathBuf::from(named)));
            assert_eq!(kubeconfig(&environment).is_some(), absolute, "{variable}");
        }
    }
}
