//! Whether minikube can write its kubeconfig, which it does last: after all other work.

use std::path::{Path, PathBuf};

use super::finding::{Finding, fatal};
use crate::host::{Environment, Unwritable, why_unwritable};
use crate::minikube::named_kubeconfig;
use crate::minikube::{move_away, quoted};

/// The file, and what speaks against it.
#[derive(Clone, Debug)]
pub(crate) struct KubeconfigFacts {
    /// As it is named.
    pub(crate) path: PathBuf,
    /// Whether the variable `KUBECONFIG` names it.
    pub(crate) by_variable: bool,
    /// Why it cannot be written.
    pub(crate) unwritable: Option<Unwritable>,
    /// This user's id, and home.
    pub(crate) uid: u32,
    pub(crate) home: PathBuf,
}

impl KubeconfigFacts {
    pub(crate) fn gather(environment: &Environment) -> Option<Self> {
        let path = named_kubeconfig(environment)?;
        let home = environment.home()?;
        Some(Self {
            by_variable: path != home.join(".kube/config"),
            unwritable: why_unwritable(&path),
            uid: environment.uid(),
            home,
            path,
        })
    }
}

const LAST: &str =
    "minikube writes the cluster's address and keys there at the end of a start, which fails otherwise";

pub(crate) fn examine(facts: Option<&KubeconfigFacts>) -> Option<Finding> {
    let facts = facts?;
    let named = facts.path.display();
    if facts.path.is_relative() {
        return Some(fatal(
            format!("`KUBECONFIG` names `{named}`, which is another file in each directory"),
            "kubectl and `uninstall` find the cluster only where they find that file",
            format!("`export KUBECONFIG=\"$PWD/{named}\"`, or `unset KUBECONFIG` for `~/.kube/config`"),
        ));
    }
    let (what, fix) = match facts.unwritable.as_ref()? {
        Unwritable::Directory => (
            format!("the kubeconfig `{named}` is a directory"),
            Some(move_away(&facts.path)),
        ),
        Unwritable::NotADirectory(path) => (
            format!(
                "the kubeconfig `{named}` cannot be made: `{}` is a file",
                path.display()
            ),
            Some(move_away(path)),
        ),
        Unwritable::Dangling(target) => (
            format!(
                "the kubeconfig `{named}` is a link to `{}`, whose directory is not there",
                target.display()
            ),
            Some(format!("`rm {}`", quoted(&facts.path))),
        ),
        Unwritable::ReadOnly(path) => (
            format!(
                "the kubeconfig `{named}` is on a file system that is read-only, at `{}`",
                path.display()
            ),
            None,
        ),
        Unwritable::Denied { path, owner } => (
            if *path == facts.path {
                format!("this user may not read and write the kubeconfig `{named}`")
            } else {
                format!(
                    "this user may not make the kubeconfig `{named}`: `{}` is not writable",
                    path.display()
                )
            },
            permission(path, *owner == facts.uid, path.starts_with(&facts.home)),
        ),
    };
    let other = if facts.by_variable {
        "`unset KUBECONFIG` for `~/.kube/config`"
    } else {
        "name another file: `export KUBECONFIG=\"$HOME/kubeconfig\"`"
    };
    let fix = fix.map_or_else(|| other.to_owned(), |fix| format!("{fix}; or {other}"));
    Some(fatal(what, LAST, fix))
}

/// How a user gets to write `path`: what is neither this user's nor in the home is left alone.
fn permission(path: &Path, is_ours: bool, in_home: bool) -> Option<String> {
    let path = quoted(path);
    if is_ours {
        return Some(format!("`chmod u+rwX {path}`"));
    }
    in_home.then(|| {
        format!(
            "make it this user's again, which a run with sudo may have changed: `sudo chown $USER {path}`"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Kind;

    fn of(path: &str, by_variable: bool, unwritable: Option<Unwritable>) -> Option<Finding> {
        examine(Some(&KubeconfigFacts {
            path: path.into(),
            by_variable,
            unwritable,
            uid: 1000,
            home: "/home/ann".into(),
        }))
    }

    #[test]
    fn each_reason_has_its_fix() {
        let denied = |path: &str, owner| Unwritable::Denied {
            path: path.into(),
            owner,
        };
        let unset = "`unset KUBECONFIG` for `~/.kube/config`";
        let other = "name another file: `export KUBECONFIG=\"$HOME/kubeconfig\"`";
        for (path, unwritable, what, fix) in [
            (
                "/etc/kubernetes/admin.conf",
                denied("/etc", 0),
                "this user may not make the kubeconfig `/etc/kubernetes/admin.conf`: `/etc` is not writable",
                unset.to_owned(),
            ),
            (
                "/home/ann/.kube/config",
                denied("/home/ann/.kube/config", 0),
                "this user may not read and write the kubeconfig `/home/ann/.kube/config`",
                format!(
                    "make it this user's again, which a run with sudo may have changed: `sudo chown $USER \
                     /home/ann/.kube/config`; or {other}"
                ),
            ),
            (
                "/home/ann/.kube/config",
                denied("/home/ann/.kube/config", 1000),
                "this user may not read and write the kubeconfig `/home/ann/.kube/config`",
                format!("`chmod u+rwX /home/ann/.kube/config`; or {other}"),
            ),
            (
                "/home/ann/.kube/config",
                Unwritable::Directory,
                "the kubeconfig `/home/ann/.kube/config` is a directory",
                format!("`mv /home/ann/.kube/config /home/ann/.kube/config.old`; or {other}"),
            ),
            (
                "/data/config",
                Unwritable::NotADirectory("/data".into()),
                "the kubeconfig `/data/config` cannot be made: `/data` is a file",
                format!("`mv /data /data.old`; or {unset}"),
            ),
            (
                "/home/ann/.kube/config",
                Unwritable::Dangling("/gone/config".into()),
                "the kubeconfig `/home/ann/.kube/config` is a link to `/gone/config`, whose directory is not there",
                format!("`rm /home/ann/.kube/config`; or {other}"),
            ),
            (
                "/home/ann/.kube/config",
                Unwritable::ReadOnly("/home".into()),
                "the kubeconfig `/home/ann/.kube/config` is on a file system that is read-only, at `/home`",
                other.to_owned(),
            ),
        ] {
            let by_variable = !path.starts_with("/home");
            let finding = of(path, by_variable, Some(unwritable)).expect("a finding");
            assert_eq!((finding.what.as_str(), finding.fix), (what, fix));
            assert_eq!(finding.kind, Kind::Unfit);
        }
    }

    #[test]
    fn only_a_relative_or_unwritable_file_is_a_finding() {
        assert_eq!(of("/home/ann/.kube/config", false, None), None);
        assert_eq!(examine(None), None);
        let relative = of("rel/path", true, None).expect("a finding");
        assert_eq!(
            relative.what,
            "`KUBECONFIG` names `rel/path`, which is another file in each directory"
        );
        assert_eq!(
            relative.fix,
            "`export KUBECONFIG=\"$PWD/rel/path\"`, or `unset KUBECONFIG` for `~/.kube/config`"
        );
    }
}
