//! The signs beside a stage or a check: those that the terminal can show.

use crate::host::Environment;

/// One set of signs.
#[derive(Debug, Eq, PartialEq)]
pub(in crate::cli) struct Glyphs {
    /// One after the other while something goes on.
    pub(super) spinner: &'static [char],
    pub(in crate::cli) done: &'static str,
    pub(in crate::cli) warning: &'static str,
    pub(in crate::cli) failed: &'static str,
}

const UNICODE: Glyphs = Glyphs {
    spinner: &['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
    done: "✓",
    warning: "!",
    failed: "✗",
};

const ASCII: Glyphs = Glyphs {
    spinner: &['|', '/', '-', '\\'],
    done: "ok",
    warning: "!",
    failed: "x",
};

impl Glyphs {
    /// ASCII for another encoding than UTF-8, and for the console of a Linux machine, whose
    /// font has 256 or 512 signs. Source of the order: POSIX.1-2024, 8.2.
    pub(super) fn of(environment: &Environment) -> &'static Self {
        let set = |name| environment.variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let is_utf_8 = locale.is_some_and(|locale| {
            let locale = locale.to_string_lossy().to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        let has_few = environment.variable("TERM").is_some_and(|term| term == "linux");
        if is_utf_8 && !has_few { &UNICODE } else { &ASCII }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_terminal_can_show_is_shown() {
        for (variables, glyphs) in [
            (&[("LANG", "en_US.UTF-8")][..], &UNICODE),
            (&[("LANG", "C.utf8"), ("TERM", "xterm")], &UNICODE),
            (&[("LANG", "en_US.UTF-8"), ("TERM", "linux")], &ASCII),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], &ASCII),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "")], &UNICODE),
            (&[("LANG", "de_DE@euro")], &ASCII),
            (&[], &ASCII),
        ] {
            let found = Glyphs::of(&Environment::of(variables, 1000));
            assert_eq!(found, glyphs, "{variables:?}");
        }
    }
}
