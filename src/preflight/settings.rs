//! Settings of minikube's that change a start on this machine, or what comes after it.

use super::arguments::is_false;
use super::finding::{Finding, usage, warning};
use crate::docker::EngineInfo;
use crate::minikube::{MinikubeSettings, SiteOptions};

/// Images that `minikube cache add` noted: a start looks for them in the network.
pub(crate) fn examine(settings: &MinikubeSettings) -> Option<Finding> {
    let images = settings.cached_images();
    let file = settings.file().display();
    (!images.is_empty()).then(|| {
        warning(
            format!("`cache` in `{file}` names `{}`", images.join("`, `")),
            "minikube gets these images from the network at each start, unless they are in its cache, and complains without them",
            format!("`minikube cache delete IMAGE`, or remove `cache` from `{file}`"),
        )
    })
}

/// minikube ends where a rootless engine is demanded and this one is none. Source: minikube
/// v1.38.1, `start_flags.go:698`.
pub(crate) fn rootless(
    settings: &MinikubeSettings,
    options: &SiteOptions,
    engine: &EngineInfo,
) -> Option<Finding> {
    if engine.rootless() {
        return None;
    }
    let why = "minikube then wants a rootless engine, and Docker Engine runs as root";
    let context = "for a rootless engine `docker context use rootless`";
    if options.passes("--rootless") {
        let is_off = options
            .extra_args
            .iter()
            .any(|argument| argument.strip_prefix("--rootless=").is_some_and(is_false));
        return (!is_off).then(|| usage("`--rootless` after `--`", why, format!("omit it; {context}")));
    }
    let setting = settings
        .get("rootless")
        .filter(|setting| !is_false(&setting.value))?;
    Some(usage(
        setting.to_string(),
        why,
        format!("{}; {context}", setting.removal()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Kind;
    use crate::host::Environment;
    use crate::install::testing::with;

    fn of(variables: &[(&str, &str)]) -> MinikubeSettings {
        MinikubeSettings::of(&Environment::of(variables, 1000), None)
    }

    #[test]
    fn a_rootless_engine_is_demanded_of_one_only() {
        let rootful = EngineInfo::default();
        let engine = EngineInfo {
            security_options: Some(vec!["name=rootless".to_owned()]),
            ..EngineInfo::default()
        };
        let on = of(&[("MINIKUBE_ROOTLESS", "true")]);
        let found = rootless(&on, &with(""), &rootful).expect("refused");
        assert_eq!(
            (found.what.as_str(), found.fix.as_str(), found.kind),
            (
                "the variable `MINIKUBE_ROOTLESS` is `true`",
                "`unset MINIKUBE_ROOTLESS`; for a rootless engine `docker context use rootless`",
                Kind::Usage
            )
        );
        for (settings, arguments, engine) in [
            (&on, "", &engine),
            (&on, "--rootless=false", &rootful),
            (&of(&[("MINIKUBE_ROOTLESS", "0")]), "", &rootful),
            (&of(&[]), "", &rootful),
            (&of(&[]), "--rootless", &engine),
        ] {
            assert_eq!(rootless(settings, &with(arguments), engine), None, "{arguments}");
        }
        let found = rootless(&of(&[]), &with("--rootless"), &rootful).expect("refused");
        assert_eq!(found.what, "`--rootless` after `--`");
    }

    #[test]
    fn noted_images_are_a_warning() {
        let home = tempfile::tempdir().expect("a directory");
        let directory = home.path().join(".minikube/config");
        std::fs::create_dir_all(&directory).expect("a directory");
        let file = directory.join("config.json");
        std::fs::write(&file, r#"{"cache": {"app:1": null, "busybox": null}}"#).expect("a file");
        let path = home.path().to_string_lossy();
        let found = examine(&of(&[("HOME", &path)])).expect("a warning");
        assert_eq!(
            found.what,
            format!("`cache` in `{}` names `app:1`, `busybox`", file.display())
        );
        assert_eq!(examine(&of(&[("HOME", "/nowhere")])), None);
    }
}
