//! The bundle's manifests, given to a cluster that is ready.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use super::ClusterError;
use crate::bundle::BinaryRole;
use crate::explain::{Explain, Explanation, Kind};
use crate::host::{Command, interrupt, remove_tree_if_there};
use crate::install::Session;
use crate::minikube::without_proxies;

/// How long one manifest may wait for what another brings: kinds that it defines, or who
/// admits objects. A cluster that has just become ready needs some seconds for its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// What kubectl says of an object that no waiting makes right. Source: Kubernetes v1.35,
/// `apimachinery/pkg/api/errors`: `NewInvalid`, `NewBadRequest`; `structured-merge-diff`, which
/// the server checks fields by.
const FINAL: [&str; 3] = [" is invalid: ", "(BadRequest)", "field not declared in schema"];

/// How much kubectl says is shown of a failure, in lines.
const LINES: usize = 5;

/// Manifests that the cluster does not take.
#[derive(Debug, thiserror::Error)]
#[error("the cluster `{profile}` is ready, and does not take all of the bundle's manifests: {said}")]
pub struct ManifestsError {
    /// The profile.
    profile: String,
    /// What kubectl said.
    said: String,
}

impl Explain for ManifestsError {
    fn explain(&self) -> Explanation {
        let hint = "the cluster stays: the same command again gives it the manifests again, `--no-manifests` leaves them out";
        Kind::Cluster.hint(hint)
    }
}

/// Gives the manifests to the cluster, in their order; says how many objects it took.
///
/// By server-side apply: what is there already stays where the manifests say the same, and
/// gets what they say where it differs. Objects have no annotation with their whole text,
/// which is too long for many a definition of a kind. Source: kubernetes.io,
/// "Server-Side Apply".
pub(crate) fn apply(
    session: &mut Session,
    profile: &str,
    manifests: &[PathBuf],
) -> Result<usize, ClusterError> {
    let cache = session.layout.kubectl_cache();
    let files = manifests
        .iter()
        .flat_map(|path| ["-f".as_ref(), path.as_os_str()]);
    // The cluster is on this machine, whatever proxy leads out of it.
    let command = without_proxies(
        Command::installed(&session.layout.program(BinaryRole::Kubectl))
            // It keeps the API that it learnt, by default in the user's home.
            .arg("--cache-dir")
            .arg(&cache)
            .args(["--context", profile, "--request-timeout=30s"])
            .args([
                "apply",
                "--server-side",
                "--force-conflicts",
                "--field-manager=minikube-offline",
            ])
            .args(files)
            .timeout(Duration::from_secs(300)),
    );
    let applied = until_taken(session, profile, &command);
    // Once more, where a call failed: what then stays goes with the next run.
    let removed = remove_tree_if_there(&cache).or_else(|_| remove_tree_if_there(&cache));
    let objects = applied?;
    removed?;
    Ok(objects)
}

/// Runs the command until all is taken, or no waiting helps; says how many objects were.
fn until_taken(session: &mut Session, profile: &str, command: &Command) -> Result<usize, ClusterError> {
    let until = Instant::now() + PATIENCE;
    loop {
        interrupt::check()?;
        let output = session.run_recorded(command, &mut |_| {})?;
        if output.success() {
            return Ok(output.stdout.lines().count());
        }
        if Instant::now() >= until || is_final(&output.stderr) {
            let (profile, said) = (profile.to_owned(), shown(&output.stderr));
            return Err(ManifestsError { profile, said }.into());
        }
        thread::sleep(Duration::from_secs(2));
    }
}

/// Whether each thing that kubectl says is of that kind.
fn is_final(stderr: &str) -> bool {
    let mut lines = stderr.lines().filter(|line| !line.trim().is_empty()).peekable();
    lines.peek().is_some() && lines.all(|line| FINAL.iter().any(|text| line.contains(text)))
}

/// The first lines of what kubectl said: each is about an object.
fn shown(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    let more = match lines.len().saturating_sub(LINES) {
        0 => String::new(),
        more => format!("; and {more} lines more"),
    };
    let first = lines.iter().take(LINES).map(|line| line.trim());
    first.collect::<Vec<_>>().join("; ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_what_stays_wrong() {
        // Of kubectl v1.35.4.
        let invalid = "The Deployment \"web\" is invalid: spec.selector: Required value\n";
        let unknown = "error: resource mapping not found for name: \"hello\" namespace: \"\" from \"a.yaml\": no \
                       matches for kind \"Greeting\" in version \"test.example/v1\"\nensure CRDs are installed first\n";
        assert!(is_final(invalid));
        assert!(!is_final(unknown) && !is_final(&format!("{invalid}{unknown}")) && !is_final(""));
    }

    #[test]
    fn what_kubectl_says_is_cut_short() {
        assert_eq!(shown("one\n\n two\n"), "one; two");
        let many = "1\n2\n3\n4\n5\n6\n7\n8\n";
        assert_eq!(shown(many), "1; 2; 3; 4; 5; and 3 lines more");
    }
}
