//! Requests whose answers fit into memory.

use std::io::Read;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Certificate, Method, StatusCode, Url};

use super::clients::{clients, load_certificates};
use super::redirect::Way;
use super::{HttpError, Patience, Proxies};
use crate::host::{Environment, interrupt};
use crate::progress::{Listener, Progress};

/// How the network is to be used.
#[derive(Clone, Debug, Default)]
pub struct HttpOptions {
    /// The proxy for everything, instead of those of the environment.
    pub proxy: Option<String>,
    /// Files with certificates of authorities that are trusted as well.
    pub ca: Vec<PathBuf>,
    /// Hosts, with their ports where they have one, whose certificates are not
    /// checked.
    pub insecure_hosts: Vec<String>,
    /// How patient to be.
    pub patience: Patience,
    /// Whether nothing may be asked of anybody.
    pub offline: bool,
    /// Told of each request before it is sent.
    pub listener: Listener,
}

/// The network.
#[derive(Debug)]
pub struct Http {
    /// Made when the first request is sent: who needs no network needs no certificates.
    clients: OnceLock<[Client; 2]>,
    certificates: Vec<Certificate>,
    options: HttpOptions,
    pub(super) proxies: Proxies,
}

/// What is asked of a server.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The URL.
    pub url: String,
    /// The media types that are taken.
    pub accept: Option<String>,
    /// The value of `Authorization`; it goes to this host only.
    pub authorization: Option<String>,
}

impl Request {
    /// For what is at `url`, whatever its type, without a login.
    pub fn of(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ..Self::default()
        }
    }
}

/// An answer in memory.
#[derive(Debug)]
pub struct Answer {
    /// Where it came from, after every redirect.
    pub url: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The content.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header that is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Http {
    /// A client for these options and the proxies of `environment`.
    pub fn new(options: HttpOptions, environment: &Environment) -> Result<Self, HttpError> {
        let proxies = Proxies::of(options.proxy.as_deref(), environment)?;
        let mut certificates = Vec::new();
        for path in &options.ca {
            certificates.extend(load_certificates(path)?);
        }
        Ok(Self {
            clients: OnceLock::new(),
            certificates,
            options,
            proxies,
        })
    }

    /// The same, whose requests `listener` is told of.
    #[must_use]
    pub fn heard_by(mut self, listener: Listener) -> Self {
        self.options.listener = listener;
        self
    }

    fn clients(&self) -> Result<&[Client; 2], HttpError> {
        if let Some(clients) = self.clients.get() {
            return Ok(clients);
        }
        let clients = clients(&self.options, &self.proxies, &self.certificates)?;
        Ok(self.clients.get_or_init(|| clients))
    }

    /// How patient this client is.
    #[must_use]
    pub fn patience(&self) -> Patience {
        self.options.patience
    }

    /// The answer to `request`, which has `limit` bytes at most.
    pub fn get(&self, request: &Request, limit: u64) -> Result<Answer, HttpError> {
        self.get_trying(request, limit, self.patience().attempts, None)
    }

    /// The same, tried so often at most. With `telling` a server that asks for a long pause
    /// gets it, and that is said there.
    pub fn get_trying(
        &self,
        request: &Request,
        limit: u64,
        attempts: u32,
        telling: Option<&dyn Progress>,
    ) -> Result<Answer, HttpError> {
        self.trying(attempts, telling, || {
            let response = self.send(request, &Method::GET, &[])?;
            self.answer(response, &request.url, limit)
        })
    }

    /// The answer to `fields`, sent as a form to `url`; it has `limit` bytes at most. The
    /// fields may be secret, so that no redirect is followed.
    pub fn post(&self, url: &str, fields: &[(&str, &str)], limit: u64) -> Result<Answer, HttpError> {
        self.check_online(url)?;
        let parsed = parse(url)?;
        let mut form = parsed.clone();
        form.query_pairs_mut().clear().extend_pairs(fields);
        let form = form.query().unwrap_or_default().to_owned();
        let client = self.client_for(&parsed)?;
        self.patiently(|| {
            self.tell(&parsed);
            let request = client
                .post(parsed.clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.clone());
            let response = request.send().map_err(|source| self.connection(url, source))?;
            self.answer(self.accepted(response, url)?, url, limit)
        })
    }

    /// The size that the server announces for `request`.
    pub fn size(&self, request: &Request) -> Result<Option<u64>, HttpError> {
        self.size_trying(request, self.patience().attempts)
    }

    /// The same, tried so often at most.
    pub fn size_trying(&self, request: &Request, attempts: u32) -> Result<Option<u64>, HttpError> {
        self.trying(attempts, None, || self.size_by_head(request))
    }

    /// Servers and proxies that give a file may refuse to speak of it: then its first byte is
    /// asked for.
    fn size_by_head(&self, request: &Request) -> Result<Option<u64>, HttpError> {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let response = match self.send(request, &Method::HEAD, &[]) {
            Err(HttpError::Status { status, .. }) if !matches!(status, 404 | 410 | 429) => {
                self.send(request, &Method::GET, &[("range", "bytes=0-0".to_owned())])?
            }
            response => response?,
        };
        let header = |name| response.headers().get(name)?.to_str().ok();
        if response.status() == StatusCode::PARTIAL_CONTENT {
            return Ok(header("content-range").and_then(|range| number(range.rsplit_once('/')?.1)));
        }
        Ok(header("content-length").and_then(number))
    }

    /// Where `request` leads in the end; nothing of what is there is read.
    pub fn destination(&self, request: &Request, attempts: u32) -> Result<String, HttpError> {
        self.trying(attempts, None, || {
            let response = self.send(request, &Method::GET, &[])?;
            Ok(response.url().to_string())
        })
    }

    /// Whether anything answers at `url`, whatever it says.
    #[must_use]
    pub fn answers(&self, url: &str) -> bool {
        let answer = self.send(&Request::of(url), &Method::GET, &[]);
        answer.is_ok() || answer.is_err_and(|error| error.status().is_some())
    }

    /// Does `work` until it succeeds, fails for good, or patience ends.
    fn patiently<T>(&self, work: impl Fn() -> Result<T, HttpError>) -> Result<T, HttpError> {
        self.trying(self.patience().attempts, None, work)
    }

    fn trying<T>(
        &self,
        attempts: u32,
        telling: Option<&dyn Progress>,
        work: impl Fn() -> Result<T, HttpError>,
    ) -> Result<T, HttpError> {
        let attempts = attempts.min(self.patience().attempts);
        let mut failures = 0;
        loop {
            interrupt::check()?;
            match work() {
                Err(error) if error.is_transient() => {
                    failures += 1;
                    if failures >= attempts || !self.pause(failures, &error, telling) {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
    }

    /// Waits before the next try; `false` when there should be none.
    pub(super) fn pause(&self, failures: u32, error: &HttpError, telling: Option<&dyn Progress>) -> bool {
        let asked_for = match error {
            HttpError::Status { retry_after, .. } => *retry_after,
            _ => None,
        };
        if let (Some(progress), Some(asked)) = (telling, asked_for)
            && self.patience().is_long(asked)
        {
            progress.note(&format!(
                "{error}: waiting {} s, as the server asks",
                asked.as_secs()
            ));
            return self.patience().wait(asked);
        }
        self.patience().pause(failures, asked_for)
    }

    /// Sends the request once, and follows where it is pointed to; an answer that is no
    /// success is an error.
    pub(super) fn send(
        &self,
        request: &Request,
        method: &Method,
        headers: &[(&str, String)],
    ) -> Result<Response, HttpError> {
        self.check_online(&request.url)?;
        let mut way = Way::from(parse(&request.url)?);
        loop {
            self.tell(&way.url);
            let client = self.client_for(&way.url)?;
            let mut builder: RequestBuilder = client.request(method.clone(), way.url.clone());
            if let Some(accept) = &request.accept {
                builder = builder.header("accept", accept);
            }
            if let Some(authorization) = request.authorization.as_ref().filter(|_| way.is_at_home) {
                builder = builder.header("authorization", authorization);
            }
            for (name, value) in headers {
                builder = builder.header(*name, value);
            }
            let response = builder
                .send()
                .map_err(|source| self.connection(&request.url, source))?;
            if !way.follow(&response, &request.url)? {
                return self.accepted(response, &request.url);
            }
        }
    }

    fn tell(&self, url: &Url) {
        let path = url.path().trim_start_matches('/');
        let host = url.host_str().unwrap_or_default();
        self.options.listener.contacts(host, path);
    }

    fn check_online(&self, url: &str) -> Result<(), HttpError> {
        if self.options.offline {
            return Err(HttpError::Offline { url: url.to_owned() });
        }
        Ok(())
    }

    fn accepted(&self, response: Response, url: &str) -> Result<Response, HttpError> {
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(response, url))
    }

    fn client_for(&self, url: &Url) -> Result<&Client, HttpError> {
        Ok(&self.clients()?[usize::from(self.is_insecure(url))])
    }

    /// Whether the certificate of the URL's host is not checked.
    fn is_insecure(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
        let hosts = &self.options.insecure_hosts;
        hosts.iter().any(|named| *named == host || *named == with_port)
    }

    /// The response with its content, of `limit` bytes at most.
    fn answer(&self, response: Response, url: &str, limit: u64) -> Result<Answer, HttpError> {
        let too_long = |found| HttpError::TooLong {
            url: url.to_owned(),
            proxy: self.proxy_shown(url),
            expected: limit,
            found,
        };
        let announced = response.content_length();
        if announced.is_some_and(|length| length > limit) {
            return Err(too_long(announced));
        }
        let headers = response.headers().clone();
        let from = response.url().to_string();
        let mut body = Vec::new();
        response
            .take(limit + 1)
            .read_to_end(&mut body)
            .map_err(|source| HttpError::CutOff {
                url: url.to_owned(),
                proxy: self.proxy_shown(url),
                bytes: body.len() as u64,
                source,
            })?;
        if body.len() as u64 > limit {
            return Err(too_long(None));
        }
        Ok(Answer {
            url: from,
            headers,
            body,
        })
    }

    fn refusal(&self, response: Response, url: &str) -> HttpError {
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        // Only the host that was asked says how it lets in, not one that it points to.
        let challenge = (parse(url).ok().map(|asked| asked.origin()) == Some(response.url().origin()))
            .then(|| response.headers().get_all("www-authenticate"))
            .into_iter()
            .flatten()
            .filter_map(|value| value.to_str().ok())
            .collect::<Vec<_>>()
            .join(", ");
        let mut head = Vec::new();
        // The text only helps; without it the status says enough.
        let _ = response.take(300).read_to_end(&mut head);
        let text = String::from_utf8_lossy(&head);
        HttpError::Status {
            url: url.to_owned(),
            proxy: self.proxy_shown(url),
            status,
            message: text.split_whitespace().collect::<Vec<_>>().join(" "),
            retry_after,
            challenge,
        }
    }

    pub(super) fn connection(&self, url: &str, source: reqwest::Error) -> HttpError {
        HttpError::Connection {
            url: url.to_owned(),
            proxy: self.proxy_shown(url),
            // The URL is in the message already.
            source: source.without_url(),
        }
    }

    /// The proxy for `url` as a message shows it.
    #[must_use]
    pub fn proxy_shown(&self, url: &str) -> Option<String> {
        self.proxies.shown(&Url::parse(url).ok()?)
    }
}

fn parse(url: &str) -> Result<Url, HttpError> {
    Url::parse(url)
        .ok()
        .filter(|url| ["http", "https"].contains(&url.scheme()))
        .ok_or_else(|| HttpError::Url { url: url.to_owned() })
}
