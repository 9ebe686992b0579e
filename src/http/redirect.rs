//! Where a redirect leads. reqwest would follow by itself, but it takes what is for the
//! proxy away together with what is for the first host (v0.13, `redirect.rs`,
//! `remove_sensitive_headers`), and keeps to one answer to whose certificates are checked.

use reqwest::blocking::Response;
use reqwest::header::LOCATION;
use reqwest::{StatusCode, Url};

use super::HttpError;

/// No server needs more.
const MOST_REDIRECTS: usize = 10;

/// The way of one request.
#[derive(Debug)]
pub(super) struct Way {
    /// Where it goes now.
    pub(super) url: Url,
    /// Whether it is still at the host that was asked, for whom its credentials are. Once
    /// away it stays away: who leads back there is another.
    pub(super) is_at_home: bool,
    redirects: usize,
}

impl Way {
    pub(super) fn from(url: Url) -> Self {
        Self {
            url,
            is_at_home: true,
            redirects: 0,
        }
    }

    /// Goes where `response` points; `false` when it is no redirect, or says not where to.
    /// `asked` is the URL for messages: where a redirect leads may itself be a secret.
    pub(super) fn follow(&mut self, response: &Response, asked: &str) -> Result<bool, HttpError> {
        let is_redirect = matches!(
            response.status(),
            StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT
        );
        let location = response
            .headers()
            .get(LOCATION)
            .filter(|_| is_redirect)
            .and_then(|location| self.url.join(location.to_str().ok()?).ok());
        let Some(next) = location else {
            return Ok(false);
        };
        self.go(next).map_err(|reason| HttpError::Redirect {
            url: asked.to_owned(),
            reason,
        })?;
        Ok(true)
    }

    fn go(&mut self, next: Url) -> Result<(), &'static str> {
        self.redirects += 1;
        if self.redirects > MOST_REDIRECTS {
            return Err("more than 10 times");
        }
        match (self.url.scheme(), next.scheme()) {
            (_, "https") | ("http", "http") => {}
            ("https", "http") => return Err("from https to http"),
            _ => return Err("to what is neither http nor https"),
        }
        self.is_at_home &= next.origin() == self.url.origin();
        self.url = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_redirect_leads_out_of_tls_and_credentials_stay_with_host_and_port() {
        let url = |text: &str| Url::parse(text).expect(text);
        let way = |from: &str, next: &str| {
            let mut way = Way::from(url(from));
            way.go(url(next)).map(|()| way.is_at_home)
        };
        let a = "https://a.example/x";
        assert_eq!(way(a, "https://a.example:443/y"), Ok(true));
        assert_eq!(way(a, "https://a.example:444/x"), Ok(false));
        assert_eq!(way(a, "https://b.a.example/x"), Ok(false));
        assert_eq!(way("http://a.example/x", a), Ok(false));
        assert_eq!(way(a, "http://a.example/x"), Err("from https to http"));
        assert!(way(a, "file:///etc/passwd").is_err() && way(a, "ftp://a.example/x").is_err());
        let mut way = Way::from(url(a));
        assert!((0..MOST_REDIRECTS).all(|_| way.go(url(a)).is_ok()));
        assert!(way.go(url(a)).is_err() && way.is_at_home);
    }
}
