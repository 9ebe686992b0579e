//! A process that is in the way, as well as it can be described.

use std::fmt;
use std::fs;

/// The clock ticks of `/proc` in a second: `USER_HZ`, which is 100 on every platform of
/// a bundle. Source: proc(5), time(7).
const TICKS: u64 = 100;

/// A command line is cut after so many characters.
const SHOWN: usize = 120;

/// A process, by what `/proc` says of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    seconds: Option<u64>,
    command: Option<String>,
}

impl Holder {
    /// The process `pid`.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        let read = |name: &str| fs::read(format!("/proc/{name}")).ok();
        let text = |name: &str| String::from_utf8(read(name)?).ok();
        let seconds = text("uptime").and_then(|uptime| {
            let uptime: u64 = uptime.split('.').next()?.parse().ok()?;
            let started = super::identity::start_ticks(&text(&format!("{pid}/stat"))?)?;
            Some(uptime.saturating_sub(started / TICKS))
        });
        Self {
            pid,
            seconds,
            command: read(&format!("{pid}/cmdline")).and_then(|bytes| command_line(&bytes)),
        }
    }
}

/// The arguments, each ended by a NUL. The stub's own two, which the shell header gives,
/// are not what the person typed.
fn command_line(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let words: Vec<&str> = text.trim_end_matches('\0').split('\0').collect();
    let typed = match words[..] {
        [_, "--bundle", ..] => &words[2..],
        _ => &words[..],
    };
    let line: String = typed.join(" ").chars().take(SHOWN).collect();
    (!line.is_empty()).then_some(line)
}

/// `process 4711, begun 12 s ago as ./b.run -y`.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)?;
        match self.seconds {
            Some(seconds @ 0..120) => write!(f, ", begun {seconds} s ago")?,
            Some(seconds @ 120..7200) => write!(f, ", begun {} min ago", seconds / 60)?,
            Some(seconds) => write!(f, ", begun {} h ago", seconds / 3600)?,
            None => {}
        }
        match &self.command {
            Some(command) => write!(f, " as `{command}`"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_by_number_age_and_command() {
        let holder = Holder {
            pid: 7,
            seconds: Some(130),
            command: command_line(b"/run/x/stub\0--bundle\0./b.run\0-y\0"),
        };
        assert_eq!(holder.to_string(), "process 7, begun 2 min ago as `./b.run -y`");
        assert_eq!(Holder::of(u32::MAX).to_string(), format!("process {}", u32::MAX));
        let me = Holder::of(std::process::id()).to_string();
        assert!(me.contains(" s ago as ") || me.contains(" min ago as "), "{me}");
    }
}
