//! `report`: one text file about this host, to carry back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::console::Console;
use super::path_value::path_value;
use crate::cluster::{self, Section};
use crate::failure::{Failure, Kind, masked};
use crate::host::AtomicFile;
use crate::minikube::SiteOptions;
use crate::progress::Progress;
use crate::trust::TrustedKeys;
use crate::verify::OpenedBundle;

#[derive(clap::Args, Debug)]
pub(super) struct ReportArgs {
    /// File to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Directory of minikube [default: ~/.minikube]
    #[arg(long, value_name = "DIR")]
    minikube_home: Option<PathBuf>,
}

impl ReportArgs {
    pub(super) fn minikube_home(&self) -> Option<&Path> {
        self.minikube_home.as_deref()
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}

/// Writes the report; with the checks of `preflight` where there is a bundle.
pub(super) fn run(args: &ReportArgs, bundle: Option<&Path>, console: &Console) -> Result<(), Failure> {
    let shown = args.file.display();
    if args.file.symlink_metadata().is_ok() {
        let failure = Failure::new(Kind::Usage, format!("`{shown}` exists"));
        return Err(failure.hint("name another file; nothing was written"));
    }
    console.begin("report", None);
    let mut sections = vec![Section {
        title: "minikube-offline".to_owned(),
        text: env!("CARGO_PKG_VERSION").to_owned(),
    }];
    if let Some(bundle) = bundle {
        sections.push(about(bundle));
    }
    sections.extend(cluster::report(args.minikube_home(), console)?);
    let text = sections.iter().fold(String::new(), |mut text, section| {
        let _ = writeln!(
            text,
            "===== {} =====\n{}\n",
            section.title,
            section.text.trim_end()
        );
        text
    });
    AtomicFile::write(&args.file, masked(&text).as_bytes(), 0o600)?;
    console.end("");
    let text = format!(
        "`{shown}` has {} sections; look through it before you pass it on",
        sections.len()
    );
    let value = json!({ "file": path_value(&args.file), "sections": sections.len() });
    console.result(&text, &value)
}

/// The bundle, and what `preflight` says of this host for it.
fn about(path: &Path) -> Section {
    let look = || -> Result<String, Failure> {
        let bundle = OpenedBundle::open_to_show(path, &TrustedKeys::none())?;
        let index = bundle.index();
        let cluster = &index.cluster;
        let mut text = format!(
            "{} serial {}, Kubernetes {} on {}, packed by {}\n",
            index.name, index.serial, cluster.kubernetes_version, cluster.container_runtime, index.packer
        );
        let report = crate::preflight::preflight(&bundle, &SiteOptions::default())?;
        for passed in report.passed() {
            let _ = writeln!(text, "ok: {}: {}", passed.subject, passed.found);
        }
        for finding in report.findings() {
            let _ = writeln!(
                text,
                "{}: {}: {}\n  fix: {}",
                finding.severity.name(),
                finding.what,
                finding.why,
                finding.fix
            );
        }
        Ok(text)
    };
    Section {
        title: format!("preflight of {}", path.display()),
        text: look().unwrap_or_else(|failure| failure.to_string()),
    }
}
