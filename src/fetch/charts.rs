//! The charts of the spec: packaged, named, rendered, hashed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::FetchError;
use super::helm::{self, Helm};
use super::own;
use super::parts::LocalFile;
use super::programs::digest;
use super::scratch::Scratch;
use super::sniff::require_file;
use super::upstream::WantedImage;
use crate::bundle::{Application, FilePart, FileRole, Origin, Transport, is_file_name, is_release_name};
use crate::progress::Progress;
use crate::spec::{Chart, Spec};

/// What the charts of a spec become.
#[derive(Default)]
pub(super) struct Charts {
    /// What a start installs.
    pub(super) applications: Vec<Application>,
    /// The archives and the values, by role and name.
    pub(super) files: Vec<LocalFile>,
    /// The images that they name, each with the chart that does.
    pub(super) images: Vec<(PathBuf, WantedImage)>,
}

/// Every chart of the spec, by way of the `helm` that runs here. Archives of directories
/// are in `scratch`.
pub(super) fn gather(
    spec: &Spec,
    helm: Option<PathBuf>,
    scratch: &Scratch,
    progress: &dyn Progress,
) -> Result<Charts, FetchError> {
    let mut charts = Charts::default();
    if spec.charts.is_empty() {
        return Ok(charts);
    }
    let helm = Helm {
        path: helm.ok_or(FetchError::NoHelm)?,
    };
    progress.begin("rendering the charts", None);
    let mut files: BTreeMap<(FileRole, String), LocalFile> = BTreeMap::new();
    for (number, chart) in spec.charts.iter().enumerate() {
        let archive = archive(&helm, chart, scratch)?;
        let name = helm.name(&chart.path, &archive)?;
        let release = chart.release.clone().unwrap_or(name);
        if !is_release_name(&release) {
            let reason = format!("its name `{release}` cannot be a release's: name one with `release`");
            return Err(helm::refused(&chart.path, helm::NO_CHART, &reason));
        }
        progress.detail(&format!("rendering `{}` as `{release}`", chart.path.display()));
        let application = Application {
            chart: file_name(&archive, &chart.path)?,
            values: (1..=chart.values.len())
                .map(|of| format!("{:02}-{release}-{of}.yaml", number + 1))
                .collect(),
            namespace: chart.namespace().to_owned(),
            release,
        };
        let Application {
            release, namespace, ..
        } = &application;
        let is_same = |other: &&Application| (&other.release, &other.namespace) == (release, namespace);
        if charts.applications.iter().any(|other| is_same(&other)) {
            return Err(FetchError::Release {
                release: release.clone(),
                namespace: namespace.clone(),
            });
        }
        for values in &chart.values {
            require_file(values)?;
        }
        let rendered = helm.render(chart, &archive, release, &spec.kubernetes_version)?;
        own::add(
            own::rendered(&chart.path, &rendered)?,
            &chart.path,
            &mut charts.images,
            progress,
        )?;
        add(&mut files, FileRole::Chart, &application.chart, &archive)?;
        for (name, path) in application.values.iter().zip(&chart.values) {
            add(&mut files, FileRole::Values, name, path)?;
        }
        charts.applications.push(application);
    }
    charts.files = files.into_values().collect();
    progress.end(&format!("{} releases", charts.applications.len()));
    Ok(charts)
}

/// The chart as an archive: itself or, of a directory, one that Helm makes.
fn archive(helm: &Helm, chart: &Chart, scratch: &Scratch) -> Result<PathBuf, FetchError> {
    let path = &chart.path;
    if !path.is_dir() {
        require_file(path)?;
        return Ok(path.clone());
    }
    let to = scratch.path_of(&format!("chart {}", path.display()))?;
    if to.is_dir() {
        fs::remove_dir_all(&to).map_err(|source| scratch.error(source))?;
    }
    fs::create_dir(&to).map_err(|source| scratch.error(source))?;
    helm.package(path, &to)
}

/// The name by which the bundle carries the archive of `chart`.
fn file_name(archive: &Path, chart: &Path) -> Result<String, FetchError> {
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    if is_file_name(&name) {
        return Ok(name.into_owned());
    }
    let path = chart.to_owned();
    Err(FetchError::FileName { path })
}

/// Adds the file `path` under `name`; two releases may have one chart.
fn add(
    files: &mut BTreeMap<(FileRole, String), LocalFile>,
    role: FileRole,
    name: &str,
    path: &Path,
) -> Result<(), FetchError> {
    let (sha256, size) = digest(path)?;
    let name = name.to_owned();
    match files.get(&(role, name.clone())) {
        Some(there) if there.part.sha256 == sha256 => return Ok(()),
        Some(there) => {
            return Err(FetchError::Conflict {
                what: format!("the {role} `{name}`"),
                first: there.path.display().to_string(),
                second: path.display().to_string(),
            });
        }
        None => {}
    }
    let part = FilePart {
        role,
        name: name.clone(),
        size,
        sha256,
        origin: Origin::by(Transport::File),
    };
    let path = path.to_owned();
    files.insert((role, name), LocalFile { part, path });
    Ok(())
}
