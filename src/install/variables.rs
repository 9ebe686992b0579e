//! What minikube reads from its variables, told as flags: what the preflight looks at and
//! what the start adds depend on it.

use crate::host::Environment;

/// The flags that say how many nodes there are and what joins them. minikube reads each of
/// its flags from a variable, too, which a flag overrides. Source: minikube v1.38.1,
/// `cmd/minikube/cmd/start_flags.go:158-162`.
const FLAGS: [&str; 4] = ["cni", "enable-default-cni", "ha", "nodes"];

/// The flags that this environment stands for. Those of the person come behind them.
#[must_use]
pub fn flags_of_variables(environment: &Environment) -> Vec<String> {
    let flag = |name: &str| {
        let variable = format!("MINIKUBE_{}", name.to_ascii_uppercase().replace('-', "_"));
        let value = environment.variable(&variable)?.to_str()?;
        Some(format!("--{name}={value}"))
    };
    FLAGS.into_iter().filter_map(flag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::SiteOptions;

    #[test]
    fn a_flag_overrides_its_variable() {
        let environment = Environment::of(
            &[
                ("MINIKUBE_NODES", "2"),
                ("MINIKUBE_ENABLE_DEFAULT_CNI", "true"),
                ("MINIKUBE_CNI", ""),
                ("MINIKUBE_MEMORY", "4g"),
            ],
            0,
        );
        let mut options = SiteOptions {
            extra_args: flags_of_variables(&environment),
            ..SiteOptions::default()
        };
        assert_eq!(options.extra_args, ["--enable-default-cni=true", "--nodes=2"]);
        assert_eq!(options.nodes(), 2);
        options.extra_args.push("-n1".to_owned());
        assert_eq!(options.nodes(), 1);
    }
}
