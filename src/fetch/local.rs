//! What can be found wrong on this machine before anything is downloaded.

use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::{FetchError, daemon};
use crate::progress::Progress;
use crate::spec::{ImageSource, PartialSpec};

/// Fails when a path that `asked` names is not there, the bundle cannot be written where it
/// is to be, or there is no engine to ask. Each is found later as well, after what was
/// downloaded by then.
pub fn check_local(asked: &PartialSpec, progress: &dyn Progress) -> Result<(), FetchError> {
    if let Some(output) = &asked.output {
        check_output(output).map_err(|source| FetchError::Output {
            path: output.clone(),
            source,
        })?;
    }
    let paths = [
        &asked.minikube,
        &asked.binaries,
        &asked.from_cache,
        &asked.manifests,
        &asked.carried,
    ];
    for path in paths.into_iter().flatten().flatten() {
        check_there(path)?;
    }
    for chart in asked.charts.iter().flatten() {
        chart.paths().try_for_each(check_there)?;
    }
    let images = [&asked.kicbase, &asked.images].into_iter().flatten().flatten();
    let asks_engine = images
        .clone()
        .any(|source| matches!(source, ImageSource::DockerDaemon { .. }));
    for path in images.filter_map(ImageSource::path) {
        check_there(path)?;
    }
    if asks_engine {
        progress.waits_for("asking Docker Engine", "for its version");
        daemon::check()?;
    }
    Ok(())
}

fn check_there(path: &Path) -> Result<(), FetchError> {
    match fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(source) => Err(FetchError::read(path, source)),
    }
}

/// Whether a file of this name can be made, or the one that is there exchanged.
fn check_output(output: &Path) -> io::Result<()> {
    let ends_in_slash = output.as_os_str().as_encoded_bytes().ends_with(b"/");
    if ends_in_slash || output.is_dir() || output.file_name().is_none() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    if !fs::metadata(parent)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(accessat(
        CWD,
        parent,
        Access::WRITE_OK | Access::EXEC_OK,
        AtFlags::EACCESS,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Failure, Kind};
    use crate::progress::Silent;

    fn check(asked: &PartialSpec) -> Result<(), Failure> {
        Ok(check_local(asked, &Silent)?)
    }

    #[test]
    fn an_output_that_cannot_be_written_is_found() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        fs::write(path("file"), "").expect("a file");
        let output = |path: &Path| {
            let asked = PartialSpec {
                output: Some(path.to_owned()),
                ..PartialSpec::default()
            };
            check(&asked).map_err(|failure| (failure.kind, failure.to_string()))
        };
        for good in [path("new.run"), path("file"), "new.run".into()] {
            assert_eq!(output(&good), Ok(()), "{}", good.display());
        }
        for (bad, cause) in [
            (directory.path().to_owned(), "is a directory"),
            (path("new/"), "is a directory"),
            (path("none/x.run"), "No such file or directory (os error 2)"),
            (path("file/x.run"), "not a directory"),
        ] {
            let (kind, text) = output(&bad).expect_err("refused");
            let expected = format!(
                "error: cannot write `{}`\n  caused by: {cause}\n\n\
                 hint: `-o FILE` names the bundle: a file in a directory that is there and that this user may write to",
                bad.display()
            );
            assert_eq!((kind, text), (Kind::Usage, expected));
        }
        assert_eq!(
            output(Path::new("/proc/x.run")).map_err(|(kind, _)| kind),
            match accessat(CWD, "/proc", Access::WRITE_OK, AtFlags::EACCESS) {
                Ok(()) => Ok(()),
                Err(_) => Err(Kind::Io),
            }
        );
    }

    #[test]
    fn every_path_that_is_not_there_is_found() {
        let none = || "/no/such/path".to_owned();
        let image = |text: &str| Some(vec![text.parse::<ImageSource>().expect("a source")]);
        let given = PartialSpec::default;
        for asked in [
            PartialSpec {
                minikube: Some(vec![none().into()]),
                ..given()
            },
            PartialSpec {
                binaries: Some(vec![none().into()]),
                ..given()
            },
            PartialSpec {
                from_cache: Some(vec![none().into()]),
                ..given()
            },
            PartialSpec {
                manifests: Some(vec![none().into()]),
                ..given()
            },
            PartialSpec {
                carried: Some(vec![none().into()]),
                ..given()
            },
            PartialSpec {
                images: image("docker-archive:/no/such/path"),
                ..given()
            },
            PartialSpec {
                kicbase: image("docker-archive:/no/such/path:a:1"),
                ..given()
            },
            PartialSpec {
                images: image("oci:/no/such/path:1"),
                ..given()
            },
        ] {
            let failure = check(&asked).expect_err("not there");
            assert_eq!(failure.kind, Kind::Usage);
            assert_eq!(failure.error.to_string(), "cannot read `/no/such/path`");
        }
        let elsewhere = PartialSpec {
            images: image("docker://a:1"),
            ..given()
        };
        assert!(check(&elsewhere).is_ok());
    }
}
