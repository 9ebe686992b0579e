//! `rehearse`: the bundle on a host without a network, and the report of it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::console::Console;
use super::ground::Ground;
use super::html;
use super::path_value::path_value;
use super::site::Trusting;
use crate::failure::{Failure, Kind};
use crate::host::AtomicFile;
use crate::rehearse::{self, Report, Request, Target};
use crate::shown::{human_bytes, human_duration};

#[derive(clap::Args, Debug)]
pub(super) struct RehearseArgs {
    /// The bundle
    #[arg(required_unless_present = "clean")]
    bundle: Option<PathBuf>,
    /// The most memory that the node may use, such as 4g
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// The size of the host's disk, such as 20g
    #[arg(long, value_name = "SIZE", value_parser = size)]
    disk: Option<u64>,
    /// Write the report as one HTML page, too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// How many seconds the applications may take to become ready
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    wait: u64,
    /// How many seconds attempts are recorded after that
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    watch: u64,
    /// Where the host has its files while it is there
    #[arg(long, value_name = "DIR", default_value = rehearse::DIRECTORY)]
    directory: PathBuf,
    /// Only remove what a rehearsal that was killed left
    #[arg(long, conflicts_with = "bundle")]
    clean: bool,
}

impl RehearseArgs {
    pub(super) fn ground(&self) -> Ground {
        let ground = Ground::arguments().writing(&self.directory);
        match &self.html {
            Some(file) => ground.writing(file),
            None => ground,
        }
    }
}

/// `4g`, `512m`, or bytes; binary units, as Docker has them.
fn size(text: &str) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(['b', 'k', 'm', 'g', 't']);
    let shift = match lower[digits.len()..].trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err("expected a size such as 4g or 512m".to_owned()),
    };
    let number: Option<u64> = digits.parse().ok().filter(|number| *number > 0);
    let bytes = number.and_then(|number| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| "expected a size such as 4g or 512m".to_owned())
}

pub(super) fn run(args: &Trusting<RehearseArgs>, console: &Console) -> Result<(), Failure> {
    let own = args.args();
    rehearse::check(own.disk.is_some())?;
    let Some(bundle) = own.bundle.as_ref().filter(|_| !own.clean) else {
        rehearse::clean(&own.directory)?;
        let text = format!("nothing of a rehearsal is in `{}`", own.directory.display());
        return console.result(&text, &json!({ "directory": path_value(&own.directory) }));
    };
    // Refused before a host is made for it.
    drop(args.open(bundle)?);
    let absolute =
        |path: &Path| std::path::absolute(path).map_err(|error| Failure::new(Kind::of_io(&error), error));
    let request = Request {
        bundle: absolute(bundle)?,
        keys: args.keys().to_vec(),
        memory: own.memory,
        disk: own.disk,
        directory: absolute(&own.directory)?,
        patience: Duration::from_secs(own.wait),
        watch: Duration::from_secs(own.watch),
    };
    let report = rehearse::rehearse(&request, console)?;
    let failure = report.verdict();
    let verdict = failure.as_ref().map(|verdict| verdict.message.clone());
    let text = describe(&report, bundle, verdict.as_deref());
    if let Some(file) = &own.html {
        let body = format!("<pre>{}</pre>\n", html::escaped(&text));
        AtomicFile::write(file, html::page("Rehearsal", &body).as_bytes(), 0o644)?;
    }
    console.result(&text, &value(&report, &request, verdict.is_none()))?;
    match failure {
        Some(verdict) => Err(Failure::new(verdict.kind, verdict.message).hint(verdict.hint)),
        None => Ok(()),
    }
}

fn describe(report: &Report, bundle: &Path, verdict: Option<&str>) -> String {
    let verdict = verdict.unwrap_or("everything was ready, and nothing needed a network");
    let mut text = format!("rehearsal of `{}`: {verdict}\n", bundle.display());
    let bytes = |bytes: Option<u64>| bytes.map_or_else(|| "not known".to_owned(), human_bytes);
    let _ = write!(
        text,
        "\n  start      {}\n  ready      {} after that\n  uninstall  {}\n  memory     {} at most\n  disk       {}\n",
        human_duration(report.start),
        human_duration(report.ready),
        human_duration(report.uninstall),
        bytes(report.memory),
        bytes(report.disk),
    );
    let _ = writeln!(text, "\nin the cluster: {}", report.workloads.len());
    for workload in &report.workloads {
        let state = workload.waiting_for.as_deref().unwrap_or("ready");
        let _ = writeln!(text, "  {} {}: {state}", workload.kind, workload.name);
    }
    let _ = writeln!(text, "\nattempts to reach a network: {}", report.attempts.len());
    for attempt in &report.attempts {
        let needed = if attempt.needed { "needed" } else { "not needed" };
        let target = attempt.target.describe();
        let _ = writeln!(
            text,
            "  {needed}: {} tries {target} ({})",
            attempt.by, attempt.why
        );
    }
    for thing in &report.left {
        let _ = writeln!(text, "\nleft after uninstall: {thing}");
    }
    text
}

fn value(report: &Report, request: &Request, fit: bool) -> Value {
    let workloads = report.workloads.iter().map(|workload| {
        json!({
            "kind": workload.kind, "name": workload.name,
            "ready": workload.waiting_for.is_none(), "reason": workload.waiting_for,
        })
    });
    let attempts = report.attempts.iter().map(|attempt| {
        let (name, address, port, protocol) = match &attempt.target {
            Target::Name(name) => (Some(name), None, None, "dns"),
            Target::Address {
                address,
                port,
                protocol,
            } => (None, Some(address.to_string()), *port, *protocol),
        };
        json!({
            "by": attempt.by, "name": name, "address": address, "port": port, "protocol": protocol,
            "packets": attempt.count, "needed": attempt.needed, "reason": attempt.why,
        })
    });
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    json!({
        "bundle": path_value(&request.bundle),
        "fit": fit,
        "start_error": report.start_error.as_ref().map(|(error, _)| error),
        "start_milliseconds": milliseconds(report.start),
        "ready_milliseconds": milliseconds(report.ready),
        "uninstall_milliseconds": milliseconds(report.uninstall),
        "memory_bytes": report.memory,
        "memory_limit_bytes": request.memory,
        "ended_for_memory": report.ended,
        "disk_bytes": report.disk,
        "disk_limit_bytes": request.disk,
        "workloads": workloads.collect::<Vec<_>>(),
        "attempts": attempts.collect::<Vec<_>>(),
        "left": report.left,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearse::{Attempt, Workload};

    fn report() -> Report {
        Report {
            workloads: vec![Workload {
                kind: "Pod".to_owned(),
                name: "shop/<b>cart".to_owned(),
                waiting_for: None,
                hopeless: false,
            }],
            attempts: vec![Attempt {
                target: Target::Name("license.example.com".to_owned()),
                by: "pod shop/cart".to_owned(),
                count: 3,
                needed: true,
                why: "a pod asks for something outside",
            }],
            memory: Some(2_000_000_000),
            ..Report::default()
        }
    }

    #[test]
    fn sizes_are_those_that_docker_takes() {
        for (text, bytes) in [
            ("4g", Some(4 << 30)),
            ("512M", Some(512 << 20)),
            ("2gb", Some(2 << 30)),
            ("7", Some(7)),
        ] {
            assert_eq!(size(text).ok(), bytes, "{text}");
        }
        for text in ["", "g", "4x", "-1", "0", "1.5g", "4gg", "99999999999t"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_report_names_each_attempt_and_who_made_it() {
        let text = describe(&report(), Path::new("a.run"), Some("it asks"));
        assert!(text.starts_with("rehearsal of `a.run`: it asks\n"), "{text}");
        let line =
            "  needed: pod shop/cart tries name license.example.com (a pod asks for something outside)\n";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("  memory     2.00 GB at most\n"), "{text}");
    }

    #[test]
    fn a_page_has_no_markup_of_others() {
        let page = html::escaped(&describe(&report(), Path::new("a.run"), None));
        assert!(page.contains("Pod shop/&lt;b&gt;cart: ready"), "{page}");
        assert!(!page.contains("<b>"), "{page}");
    }
}
