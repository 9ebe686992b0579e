//! `bundle.toml`: the flags of `pack`, in a file.

use std::fs;
use std::path::Path;

use super::{Finding, PartialSpec, SpecError, lint};

/// Reads the file `path`; relative paths in it are relative to its directory.
pub fn load_spec(path: &Path) -> Result<PartialSpec, SpecError> {
    let text = read(path)?;
    parse_spec(&text, path).map_err(|error| match (&error, lint(&text, path).into_iter().next()) {
        // It names the likely key, where the parser lists them all.
        (SpecError::Toml { .. }, Some(first)) => SpecError::Toml {
            path: path.to_owned(),
            line: first.line,
            column: first.column,
            message: first.message,
        },
        _ => error,
    })
}

/// Everything that is wrong with the file `path`, in the order of its text.
pub fn lint_file(path: &Path) -> Result<Vec<Finding>, SpecError> {
    Ok(lint(&read(path)?, path))
}

fn read(path: &Path) -> Result<String, SpecError> {
    fs::read_to_string(path).map_err(|source| SpecError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Reads the TOML `text` of the file `path`, which is not touched. An unknown key is
/// an error, with its place.
pub fn parse_spec(text: &str, path: &Path) -> Result<PartialSpec, SpecError> {
    let spec: PartialSpec = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let (line, column) = place(text, start);
        SpecError::Toml {
            path: path.to_owned(),
            line,
            column,
            message: error.message().trim_end().replace('\n', ", "),
        }
    })?;
    Ok(spec.seen_from(path.parent().unwrap_or(Path::new(""))))
}

/// Line and column, both from 1, of the byte `start`.
pub(super) fn place(text: &str, start: usize) -> (usize, usize) {
    let before = text.get(..start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::failure::{Failure, Kind};
    use crate::spec::{ImageSource, Level, VolumeSize};

    #[test]
    fn a_file_says_what_the_flags_say() {
        let text = r#"
            kubernetes-version = "v1.35.4"
            container-runtime = "containerd"
            platform = "linux/arm64"
            minikube = "minikube"
            kicbase = "docker-archive:kicbase.tar"
            binaries = ["/abs/v1.35.4"]
            from-cache = ["../cache"]
            image = ["docker-daemon:app:1", "oci:layout:tag"]
            bundle = "out.run"
            split = "4000M"
            level = "max"
            name = "site"
            serial = 7
        "#;
        let spec = parse_spec(text, Path::new("conf/bundle.toml")).expect("spec");
        assert_eq!(spec.minikube, Some(vec!["conf/minikube".into()]));
        assert_eq!(spec.binaries, Some(vec![PathBuf::from("/abs/v1.35.4")]));
        assert_eq!(spec.from_cache, Some(vec![PathBuf::from("conf/../cache")]));
        assert_eq!(
            spec.kicbase,
            Some(vec![
                ImageSource::parse("docker-archive:conf/kicbase.tar").expect("source")
            ])
        );
        let images = spec.images.as_ref().expect("images");
        assert_eq!(images[0].to_string(), "docker-daemon:docker.io/library/app:1");
        assert_eq!(images[1].to_string(), "oci:conf/layout:tag");
        assert_eq!(spec.output, Some("conf/out.run".into()));
        assert_eq!((spec.level, spec.serial), (Some(Level::Max), Some(7)));
        assert_eq!(spec.split.map(VolumeSize::bytes), Some(4000 << 20));
        let spec = spec.resolve().expect("spec");
        assert_eq!(
            (spec.name.as_str(), spec.platforms[0].to_string().as_str()),
            ("site", "linux/arm64")
        );
    }

    fn refused(text: &str) -> String {
        parse_spec(text, Path::new("bundle.toml"))
            .expect_err(text)
            .to_string()
    }

    #[test]
    fn an_error_names_file_line_and_column() {
        let unknown = refused("level = \"max\"\nkubernets-version = \"v1.35.4\"\n");
        assert!(
            unknown.starts_with("`bundle.toml`, line 2, column 1: unknown field `kubernets-version`, expected one of `kubernetes-version`"),
            "{unknown}"
        );
        assert_eq!(
            refused("kubernetes-version = \"1.x\"\n"),
            "`bundle.toml`, line 1, column 22: `1.x` is no version of Kubernetes: give `v1.35.4`, `v1.35` for its newest patch, `stable` or `latest`"
        );
        // Inside a list the place is the list's; the message quotes the item.
        let image = refused("\nimage = [\n  \"oci:x\",\n  \"dir:x\",\n]\n");
        assert!(
            image.starts_with("`bundle.toml`, line 2, column 9: `dir:x`"),
            "{image}"
        );
        let syntax = refused("level = \n");
        assert!(syntax.starts_with("`bundle.toml`, line 1, column "), "{syntax}");
        let twice = refused("serial = 1\nserial = 2\n");
        assert!(
            twice.starts_with("`bundle.toml`, line 2, column 1: duplicate key"),
            "{twice}"
        );
        let kind = refused("serial = -1\n");
        assert!(kind.starts_with("`bundle.toml`, line 1, column 10: "), "{kind}");
        let level = refused("level = \"ultra\"\n");
        assert!(
            level.ends_with("`ultra` is not a level (fast, default or max)"),
            "{level}"
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_a_usage_error() {
        let error = load_spec(Path::new("/nonexistent/bundle.toml")).expect_err("no file");
        let failure = Failure::from(error);
        assert_eq!(failure.kind, Kind::Usage);
        assert!(
            failure
                .to_string()
                .starts_with("error: cannot read `/nonexistent/bundle.toml`\n  caused by: ")
        );
    }
}
