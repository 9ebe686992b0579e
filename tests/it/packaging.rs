//! What packages of the program hold besides it.

use std::fs;
use std::process::Command;

use crate::support::program::Sandbox;

#[test]
fn bash_and_its_like_complete_what_the_program_knows() {
    let sandbox = Sandbox::new();
    for (shell, words) in [
        ("bash", ["complete -F", "self-update", "--kubernetes-version"]),
        (
            "zsh",
            ["#compdef minikube-offline", "self-update", "--kubernetes-version"],
        ),
        (
            "fish",
            [
                "complete -c minikube-offline",
                "self-update",
                "kubernetes-version",
            ],
        ),
    ] {
        let outcome = sandbox.packager(["completions", shell]);
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{shell}");
        for word in words {
            assert!(outcome.stdout.contains(word), "{shell}: {word}");
        }
        assert!(!outcome.stdout.contains("\\u{"), "{shell}: nothing was escaped");
    }
    let script = sandbox.path("completions.bash");
    fs::write(&script, sandbox.packager(["completions", "bash"]).stdout).expect("a file");
    // As bash calls it for `minikube-offline self-up<TAB>`.
    let ask = "source \"$0\"; COMP_WORDS=(minikube-offline self-up); COMP_CWORD=1; \
               ask=$(complete -p minikube-offline | sed 's/.*-F \\([^ ]*\\).*/\\1/'); \
               $ask minikube-offline self-up minikube-offline; echo \"${COMPREPLY[@]}\"";
    let outcome = sandbox.run(Command::new("bash").args(["-c", ask]).arg(&script));
    assert_eq!(
        (outcome.status, outcome.stdout.as_str()),
        (0, "self-update\n"),
        "{outcome:?}"
    );
}

#[test]
fn every_verb_that_help_shows_has_a_manual_page() {
    let sandbox = Sandbox::new();
    let directory = sandbox.path("man1");
    fs::create_dir(&directory).expect("a directory");
    let outcome = sandbox.packager(["man", "man1"]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
    let page = |name: &str| fs::read_to_string(directory.join(format!("{name}.1"))).expect(name);
    assert!(page("minikube-offline").contains(".TH minikube-offline 1"));
    let help = sandbox.packager(["help"]).stdout;
    let verbs = help.split("Commands:\n").nth(1).expect("verbs");
    let verbs: Vec<&str> = verbs
        .lines()
        .map_while(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(verbs.len() > 10 && verbs.contains(&"man"), "{verbs:?}");
    for verb in verbs.iter().filter(|verb| **verb != "help") {
        assert!(
            page(&format!("minikube-offline-{verb}")).contains(".SH SYNOPSIS"),
            "{verb}"
        );
    }
}
