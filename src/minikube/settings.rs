//! What minikube is told besides its flags: by variables, and by `minikube config`. A flag
//! overrides a variable, and that the file. Source: minikube v1.38.1,
//! `cmd/minikube/cmd/start_flags.go:158` and `root.go:307`, which bind each flag of `start` to
//! viper.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::host::Environment;

/// The flags on which something here depends as it does on the person's own: how many nodes
/// there are, what joins them, what they listen at and which addons they get. The last two
/// are lists.
const TOLD_AS_FLAGS: [&str; 8] = [
    "cni",
    "enable-default-cni",
    "ha",
    "nodes",
    "network",
    "subnet",
    "addons",
    "ports",
];
const LISTS: usize = 2;

/// Where a setting stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// In the file of `minikube config`.
    File(PathBuf),
    /// In this variable.
    Variable(String),
}

/// A setting that is not a flag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Setting {
    pub(crate) value: String,
    pub(crate) origin: Origin,
    name: String,
}

impl Setting {
    /// What a person does to be rid of it.
    pub(crate) fn removal(&self) -> String {
        match &self.origin {
            Origin::File(path) => format!("remove `{}` from `{}`", self.name, path.display()),
            Origin::Variable(name) => format!("`unset {name}`"),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, name, .. } = self;
        match &self.origin {
            Origin::File(path) => write!(f, "`{name}` is `{value}` in `{}`", path.display()),
            Origin::Variable(name) => write!(f, "the variable `{name}` is `{value}`"),
        }
    }
}

/// The settings of this user.
#[derive(Clone, Debug, Default)]
pub struct MinikubeSettings {
    environment: Environment,
    file: PathBuf,
    values: serde_json::Map<String, Value>,
}

impl MinikubeSettings {
    /// Those of this environment and of `minikube_home`, or of the home that minikube has
    /// without one. As for minikube, a file that cannot be read says nothing.
    #[must_use]
    pub fn of(environment: &Environment, minikube_home: Option<&Path>) -> Self {
        let home = super::home::minikube_home(environment, minikube_home);
        let file = home.unwrap_or_default().join("config/config.json");
        let text = fs::metadata(&file)
            .is_ok_and(|facts| facts.is_file())
            .then(|| fs::read(&file).ok())
            .flatten();
        Self {
            environment: environment.clone(),
            values: text
                .and_then(|text| serde_json::from_slice(&text).ok())
                .unwrap_or_default(),
            file,
        }
    }

    /// The setting for the flag `--name`.
    pub(crate) fn get(&self, name: &str) -> Option<Setting> {
        let variable = format!("MINIKUBE_{}", name.to_ascii_uppercase().replace('-', "_"));
        let of = |value: String, origin| Setting {
            value,
            origin,
            name: name.to_owned(),
        };
        if let Some(value) = self.environment.variable(&variable) {
            return Some(of(
                value.to_string_lossy().into_owned(),
                Origin::Variable(variable),
            ));
        }
        // viper does not tell `A` from `a`.
        let mut values = self.values.iter();
        let (_, value) = values.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(of(value, Origin::File(self.file.clone())))
    }

    /// The value of a flag that may be a setting.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<String> {
        self.get(name).map(|setting| setting.value)
    }

    /// The flags that settings stand for, besides those that a person `gave`.
    #[must_use]
    pub fn flags_besides(&self, gave: &[String]) -> Vec<String> {
        let lists = &TOLD_AS_FLAGS[TOLD_AS_FLAGS.len() - LISTS..];
        let is_given = |flag: &str| {
            let mut given = gave.iter().filter_map(|argument| argument.strip_prefix(flag));
            given.any(|rest| rest.is_empty() || rest.starts_with('='))
        };
        let flag = |name: &&str| {
            let flag = format!("--{name}");
            let value = self.value(name)?;
            match lists.contains(name) {
                // minikube adds up the values of a list's flags, and not those of a variable, which
                // it splits at spaces.
                true if is_given(&flag) => None,
                true => Some(format!(
                    "{flag}={}",
                    value.split_whitespace().collect::<Vec<_>>().join(",")
                )),
                false => Some(format!("{flag}={value}")),
            }
        };
        TOLD_AS_FLAGS.iter().filter_map(flag).collect()
    }

    /// The images that `minikube cache add` noted: minikube gets them at each start. Source:
    /// `pkg/minikube/node/cache.go:270`.
    pub(crate) fn cached_images(&self) -> Vec<String> {
        let images = self.values.get("cache").and_then(Value::as_object);
        images.map_or_else(Vec::new, |images| images.keys().cloned().collect())
    }

    /// The file of `minikube config`.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::minikube::options::SiteOptions;

    fn settings(variables: &[(&str, &str)], file: &str) -> (tempfile::TempDir, MinikubeSettings) {
        let home = tempfile::tempdir().expect("a directory");
        let directory = home.path().join(".minikube/config");
        fs::create_dir_all(&directory).expect("a directory");
        fs::write(directory.join("config.json"), file).expect("a file");
        let mut variables = variables.to_vec();
        let path = home.path().to_string_lossy().into_owned();
        variables.push(("HOME", &path));
        let settings = MinikubeSettings::of(&Environment::of(&variables, 1000), None);
        (home, settings)
    }

    #[test]
    fn a_flag_overrides_its_variable_and_that_the_file() {
        let variables = [
            ("MINIKUBE_NODES", "2"),
            ("MINIKUBE_ENABLE_DEFAULT_CNI", "true"),
            ("MINIKUBE_CNI", ""),
            ("MINIKUBE_MEMORY", "4g"),
            ("MINIKUBE_ADDONS", "dashboard ingress"),
        ];
        let (_home, settings) = settings(&variables, r#"{"memory": 8192, "CPUS": 3, "ha": true}"#);
        let mut options = SiteOptions {
            extra_args: settings.flags_besides(&[]),
            ..SiteOptions::default()
        };
        assert_eq!(
            options.extra_args,
            [
                "--enable-default-cni=true",
                "--ha=true",
                "--nodes=2",
                "--addons=dashboard,ingress"
            ]
        );
        assert_eq!(options.nodes(), 2);
        options.extra_args.push("-n1".to_owned());
        assert_eq!(options.nodes(), 1);
        assert_eq!(settings.value("memory").as_deref(), Some("4g"));
        assert_eq!(settings.value("cpus").as_deref(), Some("3"));
        let given = ["--addons".to_owned(), "metrics-server".to_owned()];
        assert!(
            !settings
                .flags_besides(&given)
                .iter()
                .any(|flag| flag.starts_with("--addons"))
        );
    }

    #[test]
    fn a_file_that_is_not_there_or_no_object_says_nothing() {
        for file in ["", "[]", "{", "null"] {
            let (home, settings) = settings(&[], file);
            assert_eq!(settings.get("rootless"), None, "{file}");
            assert!(settings.cached_images().is_empty());
            fs::remove_dir_all(home.path().join(".minikube")).expect("ours");
        }
        let none = MinikubeSettings::of(&Environment::of(&[("MINIKUBE_HA", "true")], 1000), None);
        assert_eq!(none.flags_besides(&[]), ["--ha=true"]);
    }
}
