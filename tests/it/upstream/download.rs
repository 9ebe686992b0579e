//! Downloads from a server that does what it should not.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use minikube_offline::bundle::Digest;
use minikube_offline::failure::{Failure, Kind};
use minikube_offline::host::Environment;
use minikube_offline::http::{Download, Http, HttpError, HttpOptions, Patience, Request};
use minikube_offline::progress::Silent;
use minikube_offline::store::Store;
use tempfile::TempDir;

use crate::support::parts::noise;
use crate::support::server::{Fault, Reply, Seen, Server};

/// Quick, for tests: four attempts, no pause worth the name.
pub(super) fn patience() -> Patience {
    Patience {
        attempts: 4,
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_secs(2),
        longest_wait: Duration::from_secs(2),
        stall: Duration::from_secs(3),
    }
}

fn http() -> Http {
    let options = HttpOptions {
        patience: patience(),
        ..HttpOptions::default()
    };
    Http::new(options, &Environment::default()).expect("a client")
}

fn content() -> Vec<u8> {
    noise("content", 400_000)
}

struct Try {
    server: Server,
    directory: TempDir,
}

impl Try {
    fn with(handler: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let count = AtomicUsize::new(0);
        Self {
            server: Server::start(move |seen| handler(seen, count.fetch_add(1, Ordering::SeqCst))),
            directory: tempfile::tempdir().expect("a directory"),
        }
    }

    fn wanted(&self) -> Download {
        let content = content();
        Download {
            request: Request {
                url: self.server.url("/file"),
                ..Request::default()
            },
            digest: Some(Digest::of(&content)),
            size: Some(content.len() as u64),
            limit: None,
        }
    }

    fn get(&self, download: &Download) -> Result<Vec<u8>, HttpError> {
        let store = Store::open(self.directory.path()).expect("a store");
        let path = http().download(&store, download, &Silent)?;
        Ok(std::fs::read(path).expect("a blob"))
    }

    fn succeeds(&self) {
        assert_eq!(self.get(&self.wanted()).expect("downloaded"), content());
    }

    /// Fails, with nothing in the store.
    fn fails(&self) -> HttpError {
        let error = self.get(&self.wanted()).expect_err("refused");
        assert!(stored(self.directory.path()).is_empty(), "{error}");
        error
    }
}

fn stored(directory: &Path) -> Vec<String> {
    std::fs::read_dir(directory.join("sha256"))
        .expect("a directory")
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_blob_that_is_there_is_not_asked_for_again() {
    let test = Try::with(|seen, _| Reply::file(seen, &content(), "\"1\""));
    test.succeeds();
    test.succeeds();
    assert_eq!(test.server.seen().len(), 1);
}

#[test]
fn a_cut_a_reset_and_a_stall_are_resumed_where_they_came() {
    for fault in [
        Fault::CutAfter(150_000),
        Fault::ResetAfter(150_000),
        Fault::StallAfter(150_000),
    ] {
        let test = Try::with(move |seen, number| {
            let reply = Reply::file(seen, &content(), "\"1\"");
            if number == 0 { reply.fault(fault) } else { reply }
        });
        test.succeeds();
        let seen = test.server.seen();
        assert_eq!(seen.len(), 2, "{fault:?}");
        // A reset may take with it what the client had not read yet.
        let from = seen[1]
            .header("range")
            .map_or("0", |range| &range[6..range.len() - 1]);
        let expected = fault != Fault::ResetAfter(150_000);
        assert!(from == "150000" || !expected, "{fault:?}: from {from}");
    }
}

#[test]
fn a_known_digest_is_enough_to_resume() {
    for validator in [None, Some("Mon, 02 Nov 2026 10:00:00 GMT")] {
        let test = Try::with(move |seen, number| {
            let mut asked = seen.clone();
            asked.headers.remove("if-range");
            let mut reply = Reply::file(&asked, &content(), "").without("etag");
            if let Some(validator) = validator {
                reply = reply.header("last-modified", validator);
            }
            match number {
                0 => reply.fault(Fault::CutAfter(150_000)),
                _ => reply,
            }
        });
        test.succeeds();
        let seen = test.server.seen();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[1].header("range"), Some("bytes=150000-"));
        assert_eq!(seen[1].header("if-range"), validator);
    }
}

#[test]
fn a_half_of_something_else_is_thrown_away_once() {
    // The first half is of another file each time: that must end.
    let test = Try::with(|seen, number| {
        let reply = Reply::file(seen, &content(), "").without("etag");
        match seen.header("range") {
            None if number < 10 => Reply::ok(noise("another", 400_000)).fault(Fault::CutAfter(1000)),
            _ => reply,
        }
    });
    let error = test.fails();
    assert!(matches!(error, HttpError::WrongDigest { .. }), "{error}");
    assert_eq!(test.server.seen().len(), 4);
}

#[test]
fn a_download_of_an_earlier_run_goes_on_with_if_range() {
    let test = Try::with(|seen, number| {
        let reply = Reply::file(seen, &content(), "\"1\"");
        if number < 4 {
            // No byte more after the first time.
            reply.fault(Fault::CutAfter(if number == 0 { 100_000 } else { 0 }))
        } else {
            reply
        }
    });
    let error = test.fails();
    assert!(
        matches!(error, HttpError::CutOff { bytes: 100_000, .. }),
        "{error}"
    );
    assert_eq!(Failure::from(error).kind, Kind::Io);
    test.succeeds();
    let last = test.server.seen().pop().expect("a request");
    assert_eq!(last.header("range"), Some("bytes=100000-"));
    assert_eq!(last.header("if-range"), Some("\"1\""));
}

#[test]
fn a_download_that_ended_before_it_was_stored_is_not_asked_for_again() {
    let test = Try::with(|seen, _| Reply::file(seen, &content(), "\"1\""));
    // As a run leaves it that is killed behind the last byte.
    let store = Store::open(test.directory.path()).expect("a store");
    let mut partial = store.partial(Digest::of(&content())).expect("a download");
    partial
        .restart(&format!("{}\n\"1\"", test.server.url("/file")))
        .expect("written");
    partial.append(&content()).expect("written");
    drop(partial);
    // A program's size is not known before it is there.
    let download = Download {
        size: None,
        ..test.wanted()
    };
    assert_eq!(test.get(&download).expect("stored"), content());
    assert_eq!(test.server.seen().len(), 0);
}

#[test]
fn a_file_that_changed_is_never_glued_to_its_old_half() {
    let test = Try::with(|seen, number| {
        if number == 0 {
            Reply::file(seen, &noise("old", 400_000), "\"old\"").fault(Fault::CutAfter(100_000))
        } else {
            Reply::file(seen, &content(), "\"new\"")
        }
    });
    test.succeeds();
    assert_eq!(test.server.seen().len(), 2);
}

#[test]
fn a_server_that_glues_halves_itself_is_asked_from_the_start() {
    let test = Try::with(|seen, number| match number {
        0 => Reply::file(seen, &noise("old", 400_000), "\"1\"").fault(Fault::CutAfter(100_000)),
        _ => Reply::file(seen, &content(), "\"1\""),
    });
    test.succeeds();
    let last = test.server.seen().pop().expect("a request");
    assert_eq!(last.header("range"), None);
}

#[test]
fn a_range_that_is_ignored_or_wrong_is_no_harm() {
    for wrong in [false, true] {
        let test = Try::with(move |seen, number| {
            let whole = Reply::ok(content()).header("etag", "\"1\"");
            match (number, wrong) {
                (0, _) => whole.fault(Fault::CutAfter(100_000)),
                (1, true) => Reply::status(206)
                    .body(&content()[5..])
                    .header("content-range", "bytes 5-399999/400000"),
                _ if seen.header("range").is_some() && wrong => Reply::status(416),
                _ => whole,
            }
        });
        test.succeeds();
    }
}

#[test]
fn a_wrong_body_is_refused_at_once() {
    let test = Try::with(|_, _| Reply::ok(noise("other", 400_000)));
    let error = test.fails();
    assert_eq!(test.server.seen().len(), 1);
    let message = error.to_string();
    let (expected, found) = (Digest::of(&content()), Digest::of(&noise("other", 400_000)));
    assert!(
        message.contains(&test.server.url("/file"))
            && message.contains(&expected.to_string())
            && message.contains(&found.to_string()),
        "{message}"
    );
    assert_eq!(Failure::from(error).kind, Kind::Damaged);
}

#[test]
fn a_lying_size_is_seen_before_and_while_it_comes() {
    let longer = || [content(), vec![0; 9]].concat();
    let announced = Try::with(move |_, _| Reply::ok(longer()));
    let error = announced.fails();
    assert!(
        matches!(
            error,
            HttpError::WrongSize {
                expected: 400_000,
                found: 400_009,
                ..
            }
        ),
        "{error}"
    );
    let hidden = Try::with(move |_, _| Reply::ok(longer()).without_length());
    let error = hidden.fails();
    assert!(
        matches!(
            error,
            HttpError::TooLong {
                expected: 400_000,
                ..
            }
        ),
        "{error}"
    );
    let short = Try::with(|_, _| Reply::ok(&content()[..9]).without_length());
    let error = short.fails();
    assert!(matches!(error, HttpError::WrongSize { found: 9, .. }), "{error}");
    for test in [announced, hidden, short] {
        assert_eq!(test.server.seen().len(), 1);
    }
}

#[test]
fn what_is_transient_is_tried_again_and_what_is_not_is_not() {
    for status in [429, 500, 502, 503, 504] {
        let test = Try::with(move |seen, number| match number {
            0 | 1 => Reply::status(status).header("retry-after", 0),
            _ => Reply::file(seen, &content(), "\"1\""),
        });
        test.succeeds();
    }
    for (status, kind) in [(400, Kind::Io), (401, Kind::Io), (403, Kind::Io), (404, Kind::Io)] {
        let test = Try::with(move |_, _| Reply::status(status).body("no such thing"));
        let error = test.fails();
        assert_eq!(test.server.seen().len(), 1);
        assert_eq!(error.status(), Some(status));
        assert!(
            error
                .to_string()
                .ends_with(&format!("answered {status} (`no such thing`)")),
            "{error}"
        );
        assert_eq!(Failure::from(error).kind, kind);
    }
    let busy = Try::with(|_, _| Reply::status(503));
    assert_eq!(busy.fails().status(), Some(503));
    assert_eq!(busy.server.seen().len(), 4);
}

#[test]
fn retry_after_is_kept_and_too_long_a_one_ends_it() {
    let test = Try::with(|seen, number| match number {
        0 => Reply::status(429).header("retry-after", 1),
        _ => Reply::file(seen, &content(), "\"1\""),
    });
    let begun = std::time::Instant::now();
    test.succeeds();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let test = Try::with(|_, _| Reply::status(429).header("retry-after", 3600));
    assert_eq!(test.fails().status(), Some(429));
    assert_eq!(test.server.seen().len(), 1);
}

#[test]
fn credentials_do_not_follow_to_another_host() {
    let other = Server::start(|seen| Reply::file(seen, &content(), "\"1\""));
    let there = other.url("/blob");
    let test = Try::with(move |_, _| Reply::status(307).header("location", &there));
    let mut download = test.wanted();
    download.request.authorization = Some("Bearer secret".to_owned());
    assert_eq!(test.get(&download).expect("downloaded"), content());
    assert_eq!(
        test.server.seen()[0].header("authorization"),
        Some("Bearer secret")
    );
    let seen = other.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("authorization"), None);
}

#[test]
fn a_server_that_is_down_and_redirects_without_end_are_named() {
    let test = Try::with(|_, _| Reply::status(302).header("location", "/file"));
    let error = test.fails();
    assert!(
        error.to_string().ends_with("/file` redirects more than 10 times"),
        "{error}"
    );
    let url = test.server.url("/file");
    let directory = test.directory;
    drop(test.server);
    let store = Store::open(directory.path()).expect("a store");
    let download = Download {
        request: Request {
            url: "http://127.0.0.1:9/file".to_owned(),
            ..Request::default()
        },
        digest: None,
        size: None,
        limit: None,
    };
    let error = http().download(&store, &download, &Silent).expect_err("down");
    let failure = Failure::from(error);
    assert_eq!(failure.kind, Kind::Io);
    assert!(
        failure.to_string().contains("http://127.0.0.1:9/file"),
        "{failure} {url}"
    );
    assert!(failure.hints[0].contains("HTTPS_PROXY"));
}

#[test]
fn a_file_whose_size_nobody_knows_has_its_limit() {
    for without_length in [false, true] {
        let test = Try::with(move |seen, _| {
            let reply = Reply::file(seen, &content(), "\"1\"");
            if without_length {
                reply.without_length()
            } else {
                reply
            }
        });
        let mut download = Download {
            size: None,
            limit: Some(content().len() as u64 - 1),
            ..test.wanted()
        };
        let error = test.get(&download).expect_err("too long");
        assert!(matches!(error, HttpError::TooLong { .. }), "{error}");
        download.limit = Some(content().len() as u64);
        assert_eq!(test.get(&download).expect("fits"), content());
    }
}

#[test]
fn an_answer_in_memory_has_its_limit() {
    for reply in [
        Reply::ok(vec![b'x'; 2000]),
        Reply::ok(vec![b'x'; 2000]).without_length(),
    ] {
        let server = Server::start(move |_| reply.clone());
        let request = Request {
            url: server.url("/small"),
            ..Request::default()
        };
        let error = http().get(&request, 1000).expect_err("too long");
        assert!(
            matches!(error, HttpError::TooLong { expected: 1000, .. }),
            "{error}"
        );
        assert_eq!(http().get(&request, 2000).expect("fits").body.len(), 2000);
    }
}

#[test]
fn a_thing_that_is_no_url_or_no_certificate_is_the_users() {
    let request = Request {
        url: "ftp://x/y".to_owned(),
        ..Request::default()
    };
    let error = http().get(&request, 10).expect_err("ftp");
    assert_eq!(Failure::from(error).kind, Kind::Usage);
    let file = tempfile::NamedTempFile::new().expect("a file");
    for path in [file.path(), Path::new("/nonexistent/ca.pem")] {
        let options = HttpOptions {
            ca: vec![path.to_owned()],
            ..HttpOptions::default()
        };
        let error = Http::new(options, &Environment::default()).expect_err("no certificate");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert_eq!(Failure::from(error).kind, Kind::Usage);
    }
}
