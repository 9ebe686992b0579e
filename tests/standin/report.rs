//! What a command says: `CloudEvents` or text on stdout, and the files that
//! minikube leaves behind, `events.json` and `lastStart.txt`.

use crate::home::Home;
use crate::stop::Stop;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the events of one command go.
pub(crate) struct Report {
    is_json: bool,
    events: Option<File>,
    log: Option<File>,
    count: u32,
}

impl Report {
    /// Reports to stdout only.
    pub(crate) fn new(is_json: bool) -> Self {
        Self {
            is_json,
            events: None,
            log: None,
            count: 0,
        }
    }

    /// Keeps a copy of the events with the profile, and a log.
    pub(crate) fn keep(&mut self, home: &Home, profile: &str) -> io::Result<()> {
        fs::create_dir_all(home.profile(profile))?;
        self.events = Some(File::create(home.profile(profile).join("events.json"))?);
        let log = home.last_start();
        fs::create_dir_all(log.parent().unwrap_or(&log))?;
        let mut log = File::create(log)?;
        writeln!(
            log,
            "Log line format: [IWEF]mmdd hh:mm:ss.uuuuuu threadid file:line] msg"
        )?;
        self.log = Some(log);
        Ok(())
    }

    /// One of the steps that minikube numbers from 0 to 19.
    pub(crate) fn step(&mut self, number: u8, name: &str, message: &str) {
        let data = json!({
            "currentstep": number.to_string(),
            "message": message,
            "name": name,
            "totalsteps": "19",
        });
        self.emit("step", data, &format!("* {message}"), 'I');
    }

    pub(crate) fn info(&mut self, message: &str) {
        self.emit(
            "info",
            json!({ "message": message }),
            &format!("  - {message}"),
            'I',
        );
    }

    pub(crate) fn warning(&mut self, message: &str) {
        self.emit(
            "warning",
            json!({ "message": message }),
            &format!("! {message}"),
            'W',
        );
    }

    /// An error event without an exit code: minikube has them on good runs too.
    pub(crate) fn error(&mut self, message: &str) {
        self.emit(
            "error",
            json!({ "message": message }),
            &format!("* {message}"),
            'E',
        );
    }

    /// The end of a command that failed.
    pub(crate) fn stop(&mut self, stop: &Stop) {
        let data = json!({
            "advice": stop.advice,
            "exitcode": stop.code.to_string(),
            "issues": "",
            "message": stop.message,
            "name": stop.id,
            "url": "",
        });
        self.emit(
            "error",
            data,
            &format!("X Exiting due to {}: {}", stop.id, stop.message),
            'E',
        );
    }

    /// A line for the log alone.
    pub(crate) fn log(&mut self, severity: char, message: &str) {
        if let Some(log) = &mut self.log {
            let line = format!(
                "{severity}{} {:7} standin] {message}",
                klog_time(),
                std::process::id()
            );
            writeln!(log, "{line}").ok();
        }
    }

    #[allow(clippy::needless_pass_by_value, reason = "reads better where it is called")]
    fn emit(&mut self, kind: &str, data: Value, text: &str, severity: char) {
        self.count += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let event = json!({
            "specversion": "1.0",
            "id": format!("{:08x}-0000-4000-8000-{:04x}{:08x}", now.as_secs() & 0xffff_ffff, self.count & 0xffff, now.subsec_nanos()),
            "source": "https://minikube.sigs.k8s.io/",
            "type": format!("io.k8s.sigs.minikube.{kind}"),
            "datacontenttype": "application/json",
            "data": data,
        });
        if let Some(events) = &mut self.events {
            writeln!(events, "{event}").ok();
        }
        self.log(severity, text.trim_start_matches(['*', ' ', '-', '!', 'X']));
        if self.is_json {
            writeln!(io::stdout(), "{event}").ok();
        } else if severity == 'I' {
            writeln!(io::stdout(), "{text}").ok();
        } else {
            writeln!(io::stderr(), "{text}").ok();
        }
    }
}

/// The time of day in UTC as klog writes it, `mmdd hh:mm:ss.uuuuuu`.
fn klog_time() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (now.as_secs() / 86_400, now.as_secs() % 86_400);
    // Days since 1970 to a date, counting years from March: Howard Hinnant's way.
    let shifted = days + 719_468;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    format!(
        "{month:02}{day:02} {:02}:{:02}:{:02}.{:06}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        now.subsec_micros()
    )
}
