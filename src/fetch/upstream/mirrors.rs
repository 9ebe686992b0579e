//! The servers that may have one thing, in the order in which they are asked.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::progress::Progress;

/// A registry or a release page.
pub(super) trait Server {
    /// Why it does not give a thing.
    type Error: fmt::Display;

    /// Where is gone on when it does not give it.
    const NEXT: &'static str;

    /// What it is known by, whatever is asked of it.
    fn key(&self) -> &str;

    /// How a note names it.
    fn shown(&self) -> String;

    /// What the error says of it.
    fn verdict(error: &Self::Error) -> Verdict;
}

/// What an error says of the server that gave it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// Another server would not help.
    Ends,
    /// It does not have the thing as it should be; another one may.
    Lacks,
    /// It does not answer, or not as it should.
    Silent,
}

/// Servers that did not answer in this run, however often they were asked.
#[derive(Debug, Default)]
pub(super) struct SilentServers(Mutex<HashSet<String>>);

impl SilentServers {
    /// Whether the server did not answer before.
    pub(super) fn has(&self, server: &impl Server) -> bool {
        self.lock().contains(server.key())
    }

    /// Notes that the server does not answer; whether that is new.
    pub(super) fn add(&self, server: &impl Server) -> bool {
        self.lock().insert(server.key().to_owned())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the first of the servers gives to `work`: mirrors, then the publisher's own, which
    /// is asked whatever happened before.
    pub(super) fn try_each<S: Server, T>(
        &self,
        servers: &[S],
        progress: &dyn Progress,
        work: impl Fn(&S) -> Result<T, S::Error>,
    ) -> Result<T, S::Error> {
        let (own, mirrors) = servers.split_last().expect("the publisher's own is the last");
        self.first_of(mirrors, progress, &work)
            .unwrap_or_else(|| work(own))
    }

    /// What the first of the mirrors gives to `work`, if one does. Of the others it is said why
    /// they do not; one that does not answer is not asked again in this run.
    pub(super) fn first_of<'s, S: Server + 's, T>(
        &self,
        mirrors: impl IntoIterator<Item = &'s S>,
        progress: &dyn Progress,
        work: impl Fn(&S) -> Result<T, S::Error>,
    ) -> Option<Result<T, S::Error>> {
        for mirror in mirrors {
            if self.has(mirror) {
                continue;
            }
            let error = match work(mirror) {
                Err(error) if S::verdict(&error) != Verdict::Ends => error,
                result => return Some(result),
            };
            let next = S::NEXT;
            if S::verdict(&error) == Verdict::Lacks {
                progress.note(&format!("{error}: going on with {next}"));
            } else if self.add(mirror) {
                let mirror = mirror.shown();
                progress.note(&format!(
                    "{error}: {mirror} is no longer asked, going on with {next}"
                ));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Named(&'static str);

    impl Server for Named {
        type Error = &'static str;
        const NEXT: &'static str = "the next";

        fn key(&self) -> &str {
            self.0
        }

        fn shown(&self) -> String {
            self.0.to_owned()
        }

        fn verdict(error: &&'static str) -> Verdict {
            match *error {
                "ends" => Verdict::Ends,
                "silent" => Verdict::Silent,
                _ => Verdict::Lacks,
            }
        }
    }

    /// Keeps what is noted.
    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Progress for Notes {
        fn begin(&self, _: &str, _: Option<u64>) {}
        fn advance(&self, _: u64) {}
        fn note(&self, text: &str) {
            self.0.lock().expect("a lock").push(text.to_owned());
        }
        fn end(&self, _: &str) {}
    }

    #[test]
    fn a_silent_mirror_is_asked_once_and_the_publisher_always() {
        let (silent, notes) = (SilentServers::default(), Notes::default());
        let servers = [Named("silent"), Named("lacks"), Named("own")];
        let asked = Mutex::new(Vec::new());
        let ask = |own: &'static str| {
            silent.try_each(&servers, &notes, |server| {
                asked.lock().expect("a lock").push(server.0);
                if server.0 == "own" && own == "gives" {
                    Ok(7)
                } else if server.0 == "own" {
                    Err(own)
                } else {
                    Err(server.0)
                }
            })
        };
        assert_eq!(ask("gives"), Ok(7));
        assert_eq!(ask("silent"), Err("silent"));
        assert_eq!(
            *asked.lock().expect("a lock"),
            ["silent", "lacks", "own", "lacks", "own"]
        );
        let said = notes.0.lock().expect("a lock");
        let lacks = "lacks: going on with the next";
        assert_eq!(
            *said,
            [
                "silent: silent is no longer asked, going on with the next",
                lacks,
                lacks
            ]
        );
    }

    #[test]
    fn an_error_that_no_other_server_helps_against_ends_it() {
        let servers = [Named("ends"), Named("own")];
        let given = SilentServers::default().try_each(&servers, &Notes::default(), |server| match server.0 {
            "own" => Ok(()),
            error => Err(error),
        });
        assert_eq!(given, Err("ends"));
    }
}
