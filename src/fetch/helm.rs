//! Helm on the connected side: packages a chart, tells its name, renders it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use tar::{Archive, Builder, EntryType, Header};

use super::FetchError;
use crate::bundle::Version;
use crate::host::ask_at_length;
use crate::spec::Chart;

/// A chart larger than this is not one: Helm itself keeps a release in an object of 1 MB.
const CHART_BYTES: u64 = 64 << 20;

/// A Helm that runs here.
pub(super) struct Helm {
    pub(super) path: PathBuf,
}

/// What was expected of a chart.
pub(super) const NO_CHART: &str = "is not a Helm chart";
const NOT_PACKAGED: &str = "cannot be packaged";
const NOT_RENDERED: &str = "does not render";

impl Helm {
    /// The name of the chart in the archive `path`.
    pub(super) fn name(&self, chart: &Path, path: &Path) -> Result<String, FetchError> {
        #[derive(serde::Deserialize)]
        struct Facts {
            name: String,
            #[serde(default, rename = "type")]
            kind: String,
        }
        let text = self.run(chart, NO_CHART, &["show", "chart"], &[path])?;
        let facts: Facts = serde_saphyr::from_str(&text).map_err(|error| {
            refused(
                chart,
                NO_CHART,
                error.to_string().lines().next().unwrap_or_default(),
            )
        })?;
        if facts.kind == "library" {
            let reason = "it is a library: other charts use it, and it installs nothing";
            return Err(refused(chart, NO_CHART, reason));
        }
        Ok(facts.name)
    }

    /// The chart in the directory `chart` as an archive in the empty directory `to`, the same
    /// bytes for the same chart; its path.
    pub(super) fn package(&self, chart: &Path, to: &Path) -> Result<PathBuf, FetchError> {
        self.run(chart, NOT_PACKAGED, &["package", "--destination"], &[to, chart])?;
        let packaged = fs::read_dir(to).and_then(|mut entries| entries.next().transpose());
        let packaged = packaged.map_err(|source| FetchError::read(to, source))?;
        let packaged = packaged.ok_or_else(|| refused(chart, NOT_PACKAGED, "Helm wrote no archive"))?;
        let path = packaged.path();
        repacked(&path).map_err(|source| FetchError::read(&path, source))?;
        Ok(path)
    }

    /// The objects that the chart in the archive `path` becomes, hooks and definitions of kinds
    /// among them.
    pub(super) fn render(
        &self,
        chart: &Chart,
        path: &Path,
        release: &str,
        kubernetes: &Version,
    ) -> Result<String, FetchError> {
        let kubernetes = kubernetes.to_string();
        let mut flags = vec![
            "template",
            release,
            "--include-crds",
            "--namespace",
            chart.namespace(),
        ];
        flags.extend(["--kube-version", &kubernetes]);
        let mut paths = Vec::new();
        for values in &chart.values {
            paths.push(absolute(values)?);
        }
        let values: Vec<String> = paths
            .iter()
            .map(|path| format!("--values={}", path.display()))
            .collect();
        flags.extend(values.iter().map(String::as_str));
        self.run(&chart.path, NOT_RENDERED, &flags, &[path])
    }

    /// What Helm answers; where it refuses, all that it said of `chart` is in the error.
    fn run(
        &self,
        chart: &Path,
        otherwise: &'static str,
        arguments: &[&str],
        paths: &[&Path],
    ) -> Result<String, FetchError> {
        let mut all: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        for path in paths {
            all.push(absolute(path)?.display().to_string());
        }
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let output = ask_at_length(&self.path, &all).map_err(|source| FetchError::Helm { source })?;
        if output.success() {
            return Ok(output.stdout);
        }
        Err(refused(chart, otherwise, &said(&output.stderr)))
    }
}

fn absolute(path: &Path) -> Result<PathBuf, FetchError> {
    std::path::absolute(path).map_err(|source| FetchError::read(path, source))
}

pub(super) fn refused(chart: &Path, what: &'static str, reason: &str) -> FetchError {
    FetchError::Chart {
        path: chart.to_owned(),
        what,
        reason: reason.chars().take(1000).collect(),
    }
}

/// All lines of an error of Helm's as one: of values that a schema refuses each has its own.
fn said(stderr: &str) -> String {
    let lines = stderr
        .lines()
        .map(|line| line.trim().trim_start_matches("Error: "));
    let telling = lines.filter(|line| {
        !line.is_empty() && !line.starts_with("Use --debug flag") && !line.starts_with("level=")
    });
    telling.collect::<Vec<_>>().join("; ")
}

/// Writes the archive again: its files in the order of their names, with one time and owner.
fn repacked(path: &Path) -> io::Result<()> {
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    let mut archive = Archive::new(MultiGzDecoder::new(File::open(path)?).take(CHART_BYTES));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.header().entry_type() == EntryType::Regular {
            let name = entry.path()?.into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.push((name, content));
        }
    }
    // Helm takes the chart's name from its first entry.
    files.sort_by_key(|(name, _)| {
        (
            name.components().count() != 2 || !name.ends_with("Chart.yaml"),
            name.clone(),
        )
    });
    let gzip = GzBuilder::new().write(File::create(path)?, Compression::best());
    let mut archive = Builder::new(gzip);
    for (name, content) in &files {
        let mut header = Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content.as_slice())?;
    }
    archive.into_inner()?.finish()?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_refusal_is_told() {
        let stderr = "Error: values don't meet the specifications of the schema(s) in the following \
                      chart(s):\nweb:\n- at '/replicas': got string, want integer\n\n";
        assert_eq!(
            said(stderr),
            "values don't meet the specifications of the schema(s) in the following chart(s):; web:; \
             - at '/replicas': got string, want integer"
        );
        assert_eq!(
            said("Error: a\n\nUse --debug flag to render out invalid YAML\n"),
            "a"
        );
    }
}
