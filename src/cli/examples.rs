//! The examples in the help of each verb.

/// Of the packager alone.
#[cfg(feature = "packager")]
const PACKAGER: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "pack --kubernetes-version v1.37",
            "verify minikube-offline-v1.37.run",
            "start minikube-offline-v1.37.run",
        ],
    ),
    ("init", &["init", "init site.toml"]),
    ("lint", &["lint", "lint site.toml"]),
    (
        "pack",
        &[
            "pack --kubernetes-version v1.37 --image nginx:1.27",
            "pack --kubernetes-version v1.37 --addon ingress -o site.run",
            "pack site.toml --sign-key site.key",
            "pack --kubernetes-version v1.37 --split 4000M",
        ],
    ),
    (
        "resolve",
        &["resolve --kubernetes-version v1.37", "resolve site.toml"],
    ),
    ("keygen", &["keygen -o site"]),
    (
        "sign",
        &["sign site.run --key site.key", "sign new.pub --key site.key"],
    ),
    (
        "trust",
        &["trust add site.pub --comment build-server", "trust list"],
    ),
    (
        "trust add",
        &[
            "trust add site.pub --comment build-server",
            "trust add site.pub --system",
        ],
    ),
    ("trust list", &["trust list", "trust list --no-header"]),
    ("trust remove", &["trust remove C3C6E72E2C59B9E4"]),
    ("trust revoke", &["trust revoke C3C6E72E2C59B9E4"]),
    ("trust rotate", &["trust rotate new.pub"]),
    ("copy", &["copy site.run /media/stick"]),
    ("join", &["join old.run new.delta -o new.run"]),
    ("diff", &["diff old.run new.run"]),
    (
        "rehearse",
        &[
            "rehearse site.run --html report.html",
            "rehearse site.run --memory 4g --disk 20g",
        ],
    ),
    ("store", &["store list", "store prune --older-than 30"]),
    ("store list", &["store list"]),
    ("store prune", &["store prune --older-than 30"]),
    (
        "self-update",
        &["self-update --check", "self-update --from /media/releases"],
    ),
    ("completions", &["completions bash"]),
    ("man", &["man /usr/local/share/man/man1"]),
];

/// Of both: what follows the bundle.
const HOST: &[(&str, &[&str])] = &[
    ("start", &["-y", "--cpus 4 --memory 8g", "-y -- --nodes 3"]),
    ("preflight", &["", "--memory 8g --json"]),
    ("verify", &["", "--deep --require-signature"]),
    ("inspect", &["", "--sbom=spdx", "--html site.html"]),
    ("list", &["", "--no-header"]),
    ("repair", &["--from /media/second/site.run"]),
    ("extract", &["--to parts", "--to-cache ~/.minikube"]),
];

/// Of both, without a bundle.
const MACHINE: &[(&str, &[&str])] = &[
    ("status", &["status", "status --profile minikube --json"]),
    ("stop", &["stop"]),
    ("rollback", &["rollback", "rollback -y --profile minikube"]),
    ("uninstall", &["uninstall", "uninstall -y --profile minikube"]),
    ("report", &["report /media/stick/report.txt"]),
    ("guide", &["guide", "guide troubleshooting"]),
    ("version", &["version --json"]),
];

/// The examples of the verb at `path`, without the program's name; of a bundle's own program
/// when `of_bundle`.
pub(super) fn examples(path: &str, of_bundle: bool) -> Vec<String> {
    let find = |table: &[(&str, &'static [&'static str])]| {
        let found = table.iter().find(|(verb, _)| *verb == path);
        found.map(|(_, lines)| *lines)
    };
    if of_bundle && path.is_empty() {
        return ["", "-y", "preflight", "uninstall"].map(str::to_owned).to_vec();
    }
    if let Some(lines) = find(HOST) {
        let bundle = if of_bundle { "" } else { " site.run" };
        let line = |rest: &&str| format!("{path}{bundle} {rest}").trim_end().to_owned();
        let mut lines: Vec<String> = lines.iter().map(line).collect();
        if path == "verify" && !of_bundle {
            lines.push("verify *.run".to_owned());
        }
        return lines;
    }
    let lines = find(MACHINE);
    #[cfg(feature = "packager")]
    let lines = lines.or_else(|| find(PACKAGER));
    lines
        .unwrap_or_default()
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}
