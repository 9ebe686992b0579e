//! What a person far away needs to see of this host: versions, state, logs.
//!
//! Nothing is changed, nothing needs a network, and a question without an answer is a section
//! that says so: a report is asked for when something does not work.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::ClusterError;
use super::applications;
use super::minikube;
use crate::bundle::BinaryRole;
use crate::docker::Engine;
use crate::host::{Command, Environment};
use crate::install::Layout;
use crate::minikube::{ProfileConfig, last_start_log, read_end, without_proxies};
use crate::progress::Progress;

/// How long one question may take.
const ANSWER: Duration = Duration::from_secs(30);

/// What is shown of a file or an answer: its end.
const MOST_BYTES: u64 = 64 << 10;

/// One question and its answer.
#[derive(Clone, Debug)]
pub struct Section {
    /// The command, or the file.
    pub title: String,
    /// What it said.
    pub text: String,
}

/// Asks the host, its engine, and each of minikube's profiles.
pub fn report(minikube_home: Option<&Path>, progress: &dyn Progress) -> Result<Vec<Section>, ClusterError> {
    let environment = Environment::of_this_process();
    let layout = Layout::of(&environment, minikube_home)?;
    let mut sections = Sections {
        all: Vec::new(),
        progress,
    };
    sections.ask("uname -a", Command::new("uname").arg("-a"));
    sections.file(Path::new("/etc/os-release"));
    sections.file(Path::new("/proc/meminfo"));
    sections.ask("df -h", Command::new("df").arg("-h"));
    sections.file(&layout.journal());
    sections.file(&layout.failed_start_log());
    sections.file(&last_start_log(&layout.minikube_home));
    let engine = match Engine::connect(&environment) {
        Ok(engine) => Some(engine),
        Err(error) => {
            sections.add("docker", error.to_string());
            None
        }
    };
    for arguments in [
        &["version"][..],
        &["info"],
        &["ps", "--all", "--size"],
        &["images", "--digests"],
        &["volume", "ls"],
        &["network", "ls"],
    ] {
        let Some(engine) = &engine else { break };
        sections.ask(
            &format!("docker {}", arguments.join(" ")),
            engine.docker(arguments),
        );
    }
    let minikube = minikube::of(&layout, engine.as_ref());
    if !minikube.is_installed() {
        sections.add(
            "minikube",
            "no bundle was started by this user on this host".to_owned(),
        );
        return Ok(sections.all);
    }
    for profile in ProfileConfig::names(&layout.minikube_home) {
        for arguments in [&["status"][..], &["logs", "--length=100"]] {
            let command = minikube.command(arguments).args(["--profile", &profile]);
            sections.ask(
                &format!("minikube {} --profile {profile}", arguments.join(" ")),
                command,
            );
        }
        let helm = applications::list(&layout, &profile);
        if let Some(command) = helm {
            sections.ask(
                &format!("helm list --all-namespaces --kube-context {profile}"),
                command,
            );
        }
        for arguments in [
            &["get", "nodes", "--output=wide"][..],
            &["get", "pods", "--all-namespaces", "--output=wide"],
            &["get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"],
        ] {
            let command = Command::installed(&layout.program(BinaryRole::Kubectl))
                .args(["--context", &profile, "--request-timeout=10s"])
                .arg("--cache-dir=/dev/null/none")
                .args(arguments);
            sections.ask(
                &format!("kubectl --context {profile} {}", arguments.join(" ")),
                without_proxies(command),
            );
        }
    }
    Ok(sections.all)
}

struct Sections<'a> {
    all: Vec<Section>,
    progress: &'a dyn Progress,
}

impl Sections<'_> {
    fn add(&mut self, title: &str, text: String) {
        let title = title.to_owned();
        self.all.push(Section { title, text });
    }

    fn ask(&mut self, title: &str, command: Command) {
        self.progress.note(title);
        let text = match command.timeout(ANSWER).run() {
            Ok(output) => {
                let code = match output.code {
                    Some(0) => String::new(),
                    Some(code) => format!("exit code {code}\n"),
                    None => "ended by a signal\n".to_owned(),
                };
                format!("{}{}{code}", end_of(&output.stdout), end_of(&output.stderr))
            }
            Err(error) => error.to_string(),
        };
        self.add(title, text);
    }

    fn file(&mut self, path: &Path) {
        let text = match read_end(path, MOST_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => "there is no such file".to_owned(),
            Err(error) => format!("cannot read it: {error}"),
        };
        self.add(&path.display().to_string(), text);
    }
}

/// The end of a text, from the beginning of a line on.
fn end_of(text: &str) -> &str {
    let from = text
        .len()
        .saturating_sub(usize::try_from(MOST_BYTES).unwrap_or(usize::MAX));
    match text.as_bytes()[from..].iter().position(|byte| *byte == b'\n') {
        Some(line) if from > 0 => &text[from + line + 1..],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_is_cut_at_the_beginning_of_a_line() {
        assert_eq!(end_of("short\n"), "short\n");
        let long = "é line\n".repeat(20_000);
        let end = end_of(&long);
        assert!(
            end.starts_with("é line\n") && end.len() as u64 <= MOST_BYTES,
            "{}",
            end.len()
        );
    }
}
