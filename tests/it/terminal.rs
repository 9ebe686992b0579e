//! What a person sees at a terminal, and what their keys do.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::engine::FakeEngine;
use crate::support::program::Sandbox;
use crate::support::terminal::Terminal;

const CTRL_C: &str = "\u{3}";

/// A bundle, and the directory of an engine that passes the preflight.
fn startable() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    sandbox.runnable_bundle("b.run");
    FakeEngine::make(&sandbox);
    let engine = sandbox.path("engine");
    (sandbox, engine)
}

fn at_question(sandbox: &Sandbox, engine: &Path) -> Option<Terminal> {
    let terminal = Terminal::run(sandbox, 80, "xterm", engine, "./b.run --image-load cache")?;
    terminal.shows("? [Y/n] ");
    Some(terminal)
}

#[test]
fn ctrl_c_at_the_start_question_ends_at_once() {
    let (sandbox, engine) = startable();
    let Some(mut terminal) = at_question(&sandbox, &engine) else {
        return;
    };
    terminal.types(CTRL_C);
    let (status, screen) = terminal.ends();
    assert_eq!(status, 130, "{screen}");
    let end = "? [Y/n] ^C\r\n\x1b[1;31merror:\x1b[0m interrupted\r\n\r\nhint: nothing was changed\r\n";
    assert!(screen.ends_with(end), "{screen}");
    assert_eq!(fs::read_dir(sandbox.path("home")).unwrap().count(), 0);
}

#[test]
fn another_word_than_yes_or_no_is_asked_again() {
    let (sandbox, engine) = startable();
    let Some(mut terminal) = at_question(&sandbox, &engine) else {
        return;
    };
    terminal.types("maybe\n");
    terminal.shows("answer y or n: start Kubernetes");
    terminal.types("n\n");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 1, "{screen}");
    let end = "? [Y/n] n\r\nnot started: nothing was changed; run it again to start\r\n";
    assert!(screen.ends_with(end) && !screen.contains("error:"), "{screen}");
}

#[test]
fn ctrl_c_at_the_password_of_a_new_key_ends_at_once() {
    let sandbox = Sandbox::new();
    let line = "\"$PACKAGER\" keygen -o k";
    let Some(mut terminal) = Terminal::run(&sandbox, 80, "xterm", Path::new("/bin"), line) else {
        return;
    };
    terminal.shows("password of ");
    terminal.types(CTRL_C);
    let (status, screen) = terminal.ends();
    assert_eq!(status, 130, "{screen}");
    assert!(!sandbox.path("k.key").exists() && !sandbox.path("k.pub").exists());
}

/// At once, as at the first look of the question for signals, and later, in its wait.
#[test]
fn a_signal_at_any_moment_ends_a_question() {
    let (sandbox, engine) = startable();
    let keygen = ("\"$PACKAGER\" keygen -o k", Path::new("/bin"), "password of ");
    let start = ("./b.run --image-load cache", engine.as_path(), "? [Y/n] ");
    for delay in 0..8 {
        for (line, path, question) in [keygen, start] {
            let line = format!("echo $$ >pid; exec {line}");
            let Some(mut terminal) = Terminal::run(&sandbox, 80, "xterm", path, &line) else {
                return;
            };
            terminal.shows(question);
            std::thread::sleep(std::time::Duration::from_millis(3 * delay));
            // The group, as the terminal does it.
            let group = format!("-{}", fs::read_to_string(sandbox.path("pid")).unwrap().trim());
            let sent = Command::new("kill").args(["-INT", "--", &group]).status();
            assert!(sent.unwrap().success());
            let (status, screen) = terminal.ends();
            assert_eq!(status, 130, "after {delay}: {screen}");
            assert!(screen.contains("error:\x1b[0m interrupted\r\n"), "{screen}");
        }
    }
    assert!(!sandbox.path("k.key").exists());
}

#[test]
fn two_different_passwords_are_asked_for_again() {
    let sandbox = Sandbox::new();
    let line = "\"$PACKAGER\" keygen -o k";
    let Some(mut terminal) = Terminal::run(&sandbox, 80, "xterm", Path::new("/bin"), line) else {
        return;
    };
    terminal.shows("password of ");
    terminal.types("\n");
    terminal.shows("it is empty; password of ");
    terminal.types("one\n");
    terminal.shows("the same again: ");
    terminal.types("other\n");
    terminal.shows("the two are not the same; password of ");
    terminal.types("one\n");
    while terminal.screen().matches("the same again: ").count() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    terminal.types("one\n");
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    assert!(sandbox.path("k.key").exists() && sandbox.path("k.pub").exists());
}

/// The lines that were drawn and drawn over, without their ends.
fn redrawn(screen: &str) -> Vec<&str> {
    let pieces = screen
        .split('\r')
        .filter_map(|piece| piece.strip_suffix("\u{1b}[K"));
    pieces.filter(|piece| !piece.is_empty()).collect()
}

#[test]
fn progress_is_never_as_wide_as_the_terminal() {
    let sandbox = Sandbox::new();
    sandbox.runnable_bundle("b.run");
    for columns in [36, 60, 80] {
        let line = format!("./b.run verify && ./b.run extract --to parts{columns}");
        let Some(mut terminal) = Terminal::run(&sandbox, columns, "xterm", Path::new("/bin"), &line) else {
            return;
        };
        let (status, screen) = terminal.ends();
        assert_eq!(status, 0, "{screen}");
        let redrawn = redrawn(&screen);
        assert!(redrawn.len() >= 2, "{screen:?}");
        assert!(redrawn.iter().all(|line| line.len() < columns), "{redrawn:?}");
    }
}

#[test]
fn a_dumb_terminal_gets_neither_escapes_nor_returns() {
    let sandbox = Sandbox::new();
    sandbox.runnable_bundle("b.run");
    let line = "./b.run verify";
    let Some(mut terminal) = Terminal::run(&sandbox, 80, "dumb", Path::new("/bin"), line) else {
        return;
    };
    let (status, screen) = terminal.ends();
    assert_eq!(status, 0, "{screen}");
    let text = screen.replace("\r\n", "\n");
    assert!(!text.contains(['\r', '\u{1b}']), "{text:?}");
}

#[test]
fn an_engine_that_hangs_is_waited_for_visibly() {
    let (sandbox, engine) = startable();
    fs::write(engine.join("docker"), "#!/bin/sh\nexec sleep 30\n").unwrap();
    fs::set_permissions(engine.join("docker"), fs::Permissions::from_mode(0o755)).unwrap();
    for (verb, shown) in [
        ("start", "[1/6] preflight: asking Docker Engine "),
        ("preflight", "asking Docker Engine "),
        (
            "status",
            "asking Docker Engine and minikube how the clusters are ",
        ),
    ] {
        let line = format!("./b.run {verb}");
        let Some(mut terminal) = Terminal::run(&sandbox, 80, "xterm", &engine, &line) else {
            return;
        };
        if verb == "status" {
            continue; // nothing is installed: nobody is asked
        }
        terminal.shows(shown);
        terminal.shows(" 1 s");
        terminal.types(CTRL_C);
        let (status, screen) = terminal.ends();
        assert_eq!(status, 130, "{verb}: {screen}");
    }
}

/// A firewall that drops: the server takes the connection and never answers.
#[test]
fn a_server_that_never_answers_is_waited_for_visibly() {
    let sandbox = Sandbox::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let line = format!(
        "\"$PACKAGER\" pack --kubernetes-version v1.35 --binary-upstream http://{}",
        server.local_addr().unwrap()
    );
    let Some(mut terminal) = Terminal::run(&sandbox, 80, "xterm", Path::new("/bin"), &line) else {
        return;
    };
    terminal.shows("contacting 127.0.0.1 for stable-1.35.txt ");
    terminal.shows(" 1 s");
    // The second one ends it at once; two that come together are one signal.
    let (status, screen) = terminal.ends_by(CTRL_C);
    assert_eq!(status, 130, "{screen}");
}
