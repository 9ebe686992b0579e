//! The line that says how far a stage is, never longer than the terminal is wide.

use std::time::Duration;

use crate::shown::{human_bytes, human_duration};

/// Before that nobody can say how long it will take.
const SETTLED: Duration = Duration::from_secs(2);

/// The columns of a text that is worth showing in part.
const A_WORD: usize = 12;

/// What is known when a line is drawn.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing<'a> {
    /// Which stage it is, and of how many.
    pub(super) number: Option<(usize, usize)>,
    /// The stage's name; nothing where none was begun.
    pub(super) name: &'a str,
    pub(super) spinner: char,
    pub(super) done: u64,
    pub(super) total: Option<u64>,
    /// For how long the stage, or what is waited for, has gone on.
    pub(super) elapsed: Duration,
    /// Whom, and what for.
    pub(super) waits_for: Option<(&'a str, &'a str)>,
    pub(super) step: Option<Step<'a>>,
}

/// Where work that counts its own steps is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    pub(super) text: &'a str,
    pub(super) number: usize,
    pub(super) count: usize,
}

/// The longest form that leaves a column of `columns` free: a full line would wrap.
pub(super) fn line(standing: &Standing<'_>, columns: usize) -> String {
    let room = columns.saturating_sub(1);
    let forms = forms(standing, room);
    if let Some((head, tail)) = forms
        .iter()
        .find(|(head, tail)| width(head) + width(tail) <= room)
    {
        return format!("{head}{tail}");
    }
    let (head, tail) = forms.last().expect("there is one");
    let head = cut(head, room.saturating_sub(width(tail)));
    cut(&format!("{head}{tail}"), room)
}

/// From the longest to the shortest; of the last, what stands first is cut.
fn forms(standing: &Standing<'_>, room: usize) -> Vec<(String, String)> {
    let name = standing.name;
    let numbered = match standing.number {
        Some((number, count)) if !name.is_empty() => format!("[{number}/{count}] {name}"),
        _ => name.to_owned(),
    };
    let clock = match standing.elapsed.as_secs() {
        0 => format!(" {}", standing.spinner),
        _ => format!(" {} {}", standing.spinner, human_duration(standing.elapsed)),
    };
    if let Some((whom, what)) = standing.waits_for {
        let stage = if name.is_empty() {
            String::new()
        } else {
            format!("{numbered}: ")
        };
        let whole = format!("{whom} {what}").trim_end().to_owned();
        return vec![
            (format!("{stage}{whole}"), clock.clone()),
            (whole, clock.clone()),
            (whom.to_owned(), clock),
        ];
    }
    let forms = |tails: Vec<String>| {
        let mut forms: Vec<_> = tails
            .into_iter()
            .map(|tail| (numbered.clone(), format!("{clock}  {tail}")))
            .collect();
        // What counts keeps its place where the time finds none.
        let short = forms.last().map(|(_, tail)| tail[clock.len()..].to_owned());
        forms.extend(short.map(|tail| (name.to_owned(), tail)));
        forms
    };
    if let Some(Step { text, number, count }) = standing.step {
        let short = format!("step {number} of {count}");
        // As much of the text as there is room for, if it is more than a word.
        let taken = width(&numbered) + width(&clock) + "  : ".len() + short.len();
        let text = match room.saturating_sub(taken) {
            left if width(text) <= left => text.to_owned(),
            left if left >= A_WORD => cut(text, left),
            _ => text.to_owned(),
        };
        return forms(vec![format!("{short}: {text}"), short]);
    }
    if standing.done == 0 {
        return vec![(numbered, clock.clone()), (name.to_owned(), clock)];
    }
    forms(counted(standing))
}

/// How far, how quick, and how long it will take.
fn counted(standing: &Standing<'_>) -> Vec<String> {
    let done = standing.done;
    let done_bytes = human_bytes(done);
    #[allow(clippy::cast_precision_loss)] // shown with three digits
    let rate = done as f64 / standing.elapsed.as_secs_f64().max(0.001);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative
    let per_second = human_bytes(rate as u64);
    let settled = standing.elapsed >= SETTLED;
    // Of less than a percent nobody knows how long the rest takes.
    let begun = |total: u64| done >= total / 100;
    match standing.total.filter(|total| *total >= done) {
        // Whoever took it is still at work.
        Some(total) if total == done => vec![done_bytes, "100 %".to_owned()],
        Some(total) => {
            #[allow(clippy::cast_precision_loss)]
            let left = Duration::from_secs_f64(((total - done) as f64 / rate).min(86_400.0));
            let left = human_duration(left);
            let percent = u128::from(done) * 100 / u128::from(total);
            let of_total = format!("{done_bytes} of {}", human_bytes(total));
            let mut tails = if settled && begun(total) {
                vec![
                    format!("{of_total}  {per_second}/s  {left} left"),
                    format!("{of_total}  {left} left"),
                    format!("{percent} %  {left} left"),
                ]
            } else {
                vec![of_total]
            };
            tails.push(format!("{percent} %"));
            tails
        }
        None if settled => vec![format!("{done_bytes}  {per_second}/s"), done_bytes],
        None => vec![done_bytes],
    }
}

/// How many columns `text` takes at most: what is not ASCII may take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// `text` in `room` columns, its end left out.
fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let dots = ".".repeat(room.min(2));
    let mut left = room - dots.len();
    let kept = text.chars().take_while(|c| {
        let columns = if c.is_ascii() { 1 } else { 2 };
        let fits = columns <= left;
        left = left.saturating_sub(columns);
        fits
    });
    kept.collect::<String>() + &dots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loading(seconds: u64) -> Standing<'static> {
        Standing {
            number: Some((3, 7)),
            name: "node image and programs",
            spinner: '*',
            done: 22_000_000,
            total: Some(51_300_000),
            elapsed: Duration::from_secs(seconds),
            ..Standing::default()
        }
    }

    #[test]
    fn a_narrow_terminal_keeps_name_and_percent() {
        for (columns, seconds, shown) in [
            (
                80,
                10,
                "[3/7] node image and programs * 10 s  22.0 MB of 51.3 MB  2.20 MB/s  13 s left",
            ),
            (
                70,
                10,
                "[3/7] node image and programs * 10 s  22.0 MB of 51.3 MB  13 s left",
            ),
            (60, 10, "[3/7] node image and programs * 10 s  42 %  13 s left"),
            (45, 10, "[3/7] node image and programs * 10 s  42 %"),
            (36, 10, "node image and programs  42 %"),
            (20, 10, "node image a..  42 %"),
            (80, 1, "[3/7] node image and programs * 1 s  22.0 MB of 51.3 MB"),
            (36, 1, "node image and programs  42 %"),
        ] {
            // A column is left free.
            assert_eq!(line(&loading(seconds), columns + 1), shown);
        }
    }

    #[test]
    fn what_is_waited_for_is_named_with_its_time() {
        let waiting = |name, seconds| Standing {
            name,
            spinner: '*',
            elapsed: Duration::from_secs(seconds),
            waits_for: Some(("contacting dl.k8s.io", "for release/stable-1.35.txt")),
            ..Standing::default()
        };
        for (columns, standing, shown) in [
            (
                80,
                waiting("", 0),
                "contacting dl.k8s.io for release/stable-1.35.txt *",
            ),
            (
                80,
                waiting("", 12),
                "contacting dl.k8s.io for release/stable-1.35.txt * 12 s",
            ),
            (
                80,
                waiting("asking", 2),
                "asking: contacting dl.k8s.io for release/stable-1.35.txt * 2 s",
            ),
            (
                60,
                waiting("asking", 2),
                "contacting dl.k8s.io for release/stable-1.35.txt * 2 s",
            ),
            (36, waiting("asking", 2), "contacting dl.k8s.io * 2 s"),
            (24, waiting("asking", 2), "contacting dl.k8.. * 2 s"),
        ] {
            assert_eq!(line(&standing, columns + 1), shown);
        }
    }

    #[test]
    fn work_that_counts_its_own_steps_shows_them() {
        let starting = Standing {
            number: Some((6, 7)),
            name: "minikube start",
            spinner: '*',
            elapsed: Duration::from_secs(65),
            step: Some(Step {
                text: "Preparing Kubernetes v1.35.4",
                number: 11,
                count: 19,
            }),
            ..Standing::default()
        };
        for (columns, shown) in [
            (
                80,
                "[6/7] minikube start * 1 min 05 s  step 11 of 19: Preparing Kubernetes v1.35.4",
            ),
            (
                70,
                "[6/7] minikube start * 1 min 05 s  step 11 of 19: Preparing Kubernet..",
            ),
            (60, "[6/7] minikube start * 1 min 05 s  step 11 of 19"),
            (30, "minikube start  step 11 of 19"),
        ] {
            assert_eq!(line(&starting, columns + 1), shown);
        }
        let nothing = Standing {
            step: None,
            ..starting
        };
        assert_eq!(line(&nothing, 80), "[6/7] minikube start * 1 min 05 s");
    }

    #[test]
    fn no_line_is_as_wide_as_the_terminal() {
        let step = Some(Step {
            text: "漢字 and more of them",
            number: 1,
            count: 19,
        });
        let waits = Some(("contacting r.io", "for v2/漢字/manifests/1"));
        let byte_counts = [0, 1, 22_000_000, 51_300_000, 51_300_001];
        for columns in 0..120 {
            for seconds in [0, 1, 2, 10, 4000] {
                for (total, waits_for, step) in [
                    (None, None, None),
                    (Some(51_300_000), None, None),
                    (None, waits, None),
                    (None, None, step),
                ] {
                    for done in byte_counts {
                        let standing = Standing {
                            done,
                            total,
                            waits_for,
                            step,
                            spinner: '⠹',
                            ..loading(seconds)
                        };
                        let line = line(&standing, columns);
                        assert!(width(&line) < columns.max(1), "{columns}: {line}");
                    }
                }
            }
        }
    }
}
