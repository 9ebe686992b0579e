//! How a run looks: the flags of every verb for its format, its detail and its colors.

use std::path::{Path, PathBuf};

use crate::host::Environment;

/// How results and progress are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(super) enum OutputFormat {
    // Text for a person; progress goes to stderr.
    #[default]
    Text,
    // One JSON object a line on stdout, each with its `type`.
    Json,
}

/// When to use colors.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub(super) enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

/// How much a run prints.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Detail {
    /// Results, warnings and errors.
    Quiet,
    #[default]
    Normal,
    /// Also each request, each file and each command line of minikube.
    Verbose,
}

/// The flags, which every verb of both programs has.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct AppearanceArgs {
    /// Format of results and progress
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t)]
    output: OutputFormat,
    /// Same as `--output json`
    #[arg(long, global = true)]
    json: bool,
    /// Print only results, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print more: requests, files, minikube's command lines
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Use colors [default: auto, on terminals only]
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_default_value = true
    )]
    color: ColorChoice,
    /// Show no progress line that is drawn again
    #[arg(long, global = true)]
    no_progress: bool,
    /// Append every line to FILE, with timestamps
    #[arg(long, global = true, value_name = "FILE")]
    log_file: Option<PathBuf>,
}

impl AppearanceArgs {
    /// What the flags and the environment ask for.
    pub(super) fn appearance(&self, environment: &Environment) -> Appearance {
        let is_json = self.json || self.output == OutputFormat::Json;
        Appearance {
            format: if is_json {
                OutputFormat::Json
            } else {
                OutputFormat::Text
            },
            detail: match (self.quiet, self.verbose) {
                (true, _) => Detail::Quiet,
                (false, true) => Detail::Verbose,
                (false, false) => Detail::Normal,
            },
            color: chosen(self.color, environment),
            progress: !self.no_progress && !self.quiet && !is_in_ci(environment),
        }
    }

    pub(super) fn log_file(&self) -> Option<&Path> {
        self.log_file.as_deref()
    }
}

/// How a run looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Appearance {
    pub(super) format: OutputFormat,
    pub(super) detail: Detail,
    /// `Auto` leaves the choice to [`Appearance::colors`].
    color: ColorChoice,
    /// Whether a line may be drawn again on a terminal.
    pub(super) progress: bool,
}

impl Appearance {
    /// The appearance of `format` where the command line was not read.
    pub(super) fn plain(format: OutputFormat, environment: &Environment) -> Self {
        Self {
            format,
            detail: Detail::Normal,
            color: chosen(ColorChoice::Auto, environment),
            progress: false,
        }
    }

    /// Whether what goes to a stream has colors; `is_terminal` says what the stream is.
    pub(super) fn colors(self, is_terminal: bool) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal,
        }
    }
}

/// The flag decides, then `NO_COLOR`, then `CLICOLOR_FORCE`, then the terminal. Source:
/// no-color.org, bixense.com/clicolors.
fn chosen(flag: ColorChoice, environment: &Environment) -> ColorChoice {
    let is = |name: &str, value: &str| environment.variable(name).is_some_and(|found| found == value);
    if flag != ColorChoice::Auto {
        flag
    } else if environment.variable("NO_COLOR").is_some() {
        ColorChoice::Never
    } else if environment.variable("CLICOLOR_FORCE").is_some() && !is("CLICOLOR_FORCE", "0") {
        ColorChoice::Always
    } else if is("TERM", "dumb") || is("CLICOLOR", "0") {
        ColorChoice::Never
    } else {
        ColorChoice::Auto
    }
}

/// The services that run jobs set `CI`; some of them have a terminal.
fn is_in_ci(environment: &Environment) -> bool {
    let ci = environment.variable("CI");
    ci.is_some_and(|value| value != "false" && value != "0")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        appearance: AppearanceArgs,
    }

    fn of(line: &str, variables: &[(&str, &str)]) -> Appearance {
        let words = ["x"].into_iter().chain(line.split_whitespace());
        let line = Line::try_parse_from(words).expect("flags");
        line.appearance.appearance(&Environment::of(variables, 1000))
    }

    #[test]
    fn the_flag_wins_over_variables_and_those_over_the_terminal() {
        for (line, variables, on_terminal, in_pipe) in [
            ("", &[][..], true, false),
            ("", &[("NO_COLOR", "1")], false, false),
            ("", &[("NO_COLOR", "")], true, false),
            ("", &[("CLICOLOR_FORCE", "1")], true, true),
            ("", &[("CLICOLOR_FORCE", "0")], true, false),
            ("", &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false, false),
            ("", &[("TERM", "dumb")], false, false),
            ("", &[("CLICOLOR", "0")], false, false),
            ("--color always", &[("NO_COLOR", "1")], true, true),
            ("--color never", &[("CLICOLOR_FORCE", "1")], false, false),
            ("--color auto", &[("NO_COLOR", "1")], false, false),
        ] {
            let appearance = of(line, variables);
            let found = (appearance.colors(true), appearance.colors(false));
            assert_eq!(found, (on_terminal, in_pipe), "{line} {variables:?}");
        }
    }

    #[test]
    fn nothing_is_drawn_again_where_that_is_not_wanted() {
        for (line, variables, progress) in [
            ("", &[][..], true),
            ("--no-progress", &[], false),
            ("-q", &[], false),
            ("-v", &[], true),
            ("", &[("CI", "true")], false),
            ("", &[("CI", "false")], true),
        ] {
            assert_eq!(of(line, variables).progress, progress, "{line} {variables:?}");
        }
        assert!(Line::try_parse_from(["x", "-q", "-v"]).is_err());
        assert_eq!(of("-q", &[]).detail, Detail::Quiet);
        assert_eq!(of("--json", &[]).format, OutputFormat::Json);
    }
}
