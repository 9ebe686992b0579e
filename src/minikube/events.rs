//! What minikube tells of its work: one `CloudEvents` 1.0 object a line.

use serde::Deserialize;

/// One thing that minikube says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum MinikubeEvent {
    /// A step begins.
    Step {
        /// What it does.
        message: String,
        /// Which step it is, and of how many. Source: minikube v1.38.1,
        /// `pkg/minikube/out/register/register.go`: the first is 0.
        count: Option<(usize, usize)>,
    },
    /// Good to know.
    Info(String),
    /// Something may be wrong.
    Warning(String),
    /// Something is wrong. Without an exit code it is advice: minikube goes on.
    Error(Complaint),
}

/// What minikube says is wrong.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Complaint {
    /// The reason's stable name: `GUEST_PROVISION`.
    pub(crate) name: String,
    /// What happened.
    pub(crate) message: String,
    /// What minikube advises.
    pub(crate) advice: String,
    /// The exit code that it ends with, when it ends.
    pub(crate) exit_code: Option<i32>,
}

/// Reads a line of `minikube --output json`; `None` for what is no event, or none that
/// is worth a word. Source: minikube v1.38.1, `pkg/minikube/out/register`: every value
/// in `data` is a string.
pub(crate) fn parse(line: &str) -> Option<MinikubeEvent> {
    #[derive(Deserialize)]
    struct CloudEvent {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        data: Data,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Data {
        message: String,
        name: String,
        advice: String,
        exitcode: String,
        currentstep: String,
        totalsteps: String,
    }
    let CloudEvent { kind, data } = serde_json::from_str(line).ok()?;
    let message = data.message.trim().to_owned();
    match kind.strip_prefix("io.k8s.sigs.minikube.")? {
        "step" => {
            let number = data.currentstep.parse();
            let count = number.ok().zip(data.totalsteps.parse().ok());
            Some(MinikubeEvent::Step { message, count })
        }
        "info" => Some(MinikubeEvent::Info(message)),
        "warning" => Some(MinikubeEvent::Warning(message)),
        "error" => Some(MinikubeEvent::Error(Complaint {
            message,
            name: data.name,
            advice: data.advice,
            exit_code: data.exitcode.parse().ok(),
        })),
        _ => None,
    }
}

/// Warnings that are always there without a network, or that our own flags cause.
/// A promise of minikube v1.38 and of builds before v1.39 is one of them: what runs in the node
/// is always named.
const EXPECTED: [&str; 7] = [
    "minikube skips various validations when --force",
    "Specified Kubernetes version",
    DEFAULT_CHANGES,
    "Image was not built for the current minikube version",
    "Failing to connect to https://",
    "Local proxy ignored",
    "You appear to be using a proxy",
];

/// Source: `constants.DefaultContainerRuntimeChangeWarning`, v1.38.0 to eb25dbc703; from v1.39.0 on
/// nobody says it.
const DEFAULT_CHANGES: &str = "Starting v1.39.0, minikube will default";

/// Whether a warning tells the person nothing.
pub(crate) fn is_expected(warning: &str) -> bool {
    EXPECTED.iter().any(|start| warning.starts_with(start))
        || warning.contains("which may have incompatibilities with Kubernetes")
}

/// What minikube said in one run, as far as a failure needs it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    complaints: Vec<Complaint>,
}

impl Story {
    /// Keeps a complaint.
    pub(crate) fn add(&mut self, complaint: Complaint) {
        self.complaints.push(complaint);
    }

    /// Why minikube ended: the last complaint with an exit code, or the last one.
    pub(crate) fn reason(&self) -> Option<&Complaint> {
        let last = |ends: bool| {
            self.complaints
                .iter()
                .rev()
                .find(|complaint| complaint.exit_code.is_some() == ends)
        };
        last(true).or_else(|| last(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str, data: &str) -> String {
        format!(
            r#"{{"specversion":"1.0","id":"x","source":"https://minikube.sigs.k8s.io/","type":"io.k8s.sigs.minikube.{kind}","datacontenttype":"application/json","data":{data}}}"#
        )
    }

    #[test]
    fn minikubes_lines_are_read() {
        let step = line(
            "step",
            r#"{"currentstep":"5","message":"Pulling base image ...","name":"Pulling Base Image","totalsteps":"19"}"#,
        );
        assert_eq!(
            parse(&step),
            Some(MinikubeEvent::Step {
                message: "Pulling base image ...".to_owned(),
                count: Some((5, 19)),
            })
        );
        assert_eq!(parse(&line("download.progress", r#"{"artifact":"x"}"#)), None);
        for noise in ["", "* Done!", "{", "{}", r#"{"type":"other","data":{}}"#] {
            assert_eq!(parse(noise), None, "{noise}");
        }
    }

    #[test]
    fn the_error_with_an_exit_code_is_the_reason() {
        let mut story = Story::default();
        for data in [
            r#"{"message":"as root, use --force"}"#,
            r#"{"message":"no image","name":"GUEST_PROVISION","advice":"","exitcode":"80","issues":"","url":""}"#,
            r#"{"message":"please file an issue"}"#,
        ] {
            if let Some(MinikubeEvent::Error(complaint)) = parse(&line("error", data)) {
                story.add(complaint);
            }
        }
        let reason = story.reason().expect("a reason");
        assert_eq!(
            (reason.name.as_str(), reason.exit_code),
            ("GUEST_PROVISION", Some(80))
        );
        assert_eq!(Story::default().reason(), None);
    }
}
