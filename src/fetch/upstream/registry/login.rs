//! How to be let in by a registry: the challenge, and the token or the password for it.
//!
//! Sources: RFC 7235; distribution, `docs/spec/auth/token.md` and `oauth.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use serde::Deserialize;

use super::UpstreamError;
use super::credentials::Credentials;
use super::place::Place;
use crate::bundle::null_as_default;
use crate::http::{Answer, Http, HttpError, Request};

/// The token is some KiB.
const TOKEN_BYTES: u64 = 1 << 20;

const CLIENT: &str = "minikube-offline";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Token {
    #[serde(deserialize_with = "null_as_default")]
    token: String,
    #[serde(deserialize_with = "null_as_default")]
    access_token: String,
}

/// What the registry at `base` said of how it lets in.
struct Challenge {
    /// Who gives tokens; none when the password itself will do.
    realm: Option<String>,
    service: String,
}

/// The value of `Authorization` for `place`, whose registry at `base` answered with
/// `challenge`; `None` when nothing this user has lets in.
pub(super) fn authorization(
    http: &Http,
    base: &str,
    place: &Place,
    challenge: &str,
    credentials: Option<&Credentials>,
) -> Result<Option<String>, UpstreamError> {
    let Some(challenge) = Challenge::of(challenge) else {
        return Ok(None);
    };
    let Some(realm) = &challenge.realm else {
        return Ok(credentials.and_then(basic));
    };
    let refused = |reason: &str| UpstreamError::TokenServer {
        host: place.host.clone(),
        realm: realm.clone(),
        reason: reason.to_owned(),
    };
    let url = Url::parse(realm).map_err(|_| refused("that is not a URL"))?;
    let url = with_tls(url, base).ok_or_else(|| refused("it has no TLS, though the registry has"))?;
    let answer = ask(http, url, &challenge, place, credentials).map_err(|source| UpstreamError::Login {
        host: place.host.clone(),
        repository: place.repository.clone(),
        source: Box::new(source),
    })?;
    // Not the parser's own words: they may quote a token.
    let given: Token = serde_json::from_slice(&answer.body).unwrap_or_default();
    let token = [given.token, given.access_token]
        .into_iter()
        .find(|token| !token.is_empty())
        .ok_or_else(|| refused("its answer holds no token"))?;
    Ok(Some(format!("Bearer {token}")))
}

/// The token server with TLS, where the registry at `base` has it. Behind a proxy that ends
/// TLS a registry may not know that, and names itself without (goharbor/harbor#20530): then it
/// is asked as the registry was. Nothing for a server elsewhere that has no TLS.
fn with_tls(realm: Url, base: &str) -> Option<Url> {
    let base = Url::parse(base).ok()?;
    if realm.scheme() == base.scheme() || realm.scheme() == "https" {
        return Some(realm);
    }
    if realm.host_str() != base.host_str() {
        return None;
    }
    let mut same = base;
    same.set_path(realm.path());
    same.set_query(realm.query());
    Some(same)
}

/// Asks the token server for a token to read the place with.
fn ask(
    http: &Http,
    mut url: Url,
    challenge: &Challenge,
    place: &Place,
    credentials: Option<&Credentials>,
) -> Result<Answer, HttpError> {
    let scope = format!("repository:{}:pull", place.repository);
    if let Some(Credentials::IdentityToken(token)) = credentials {
        let fields = [
            ("grant_type", "refresh_token"),
            ("service", &challenge.service),
            ("scope", &scope),
            ("client_id", CLIENT),
            ("refresh_token", token),
        ];
        return http.post(url.as_str(), &fields, TOKEN_BYTES);
    }
    url.query_pairs_mut()
        .append_pair("service", &challenge.service)
        .append_pair("scope", &scope)
        .append_pair("client_id", CLIENT);
    let request = Request {
        url: url.into(),
        accept: None,
        authorization: credentials.and_then(basic),
    };
    http.get(&request, TOKEN_BYTES)
}

fn basic(credentials: &Credentials) -> Option<String> {
    let Credentials::Password { user, password } = credentials else {
        return None;
    };
    Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

impl Challenge {
    /// The first one of `WWW-Authenticate` that is understood; tokens come first.
    fn of(header: &str) -> Option<Self> {
        let challenges = http_auth::parse_challenges(header).ok()?;
        let of_scheme = |scheme: &str| {
            challenges
                .iter()
                .find(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme))
        };
        if let Some(bearer) = of_scheme("Bearer") {
            let parameter = |wanted: &str| {
                let found = bearer
                    .params
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                found.map(|(_, value)| value.to_unescaped())
            };
            return Some(Self {
                realm: Some(parameter("realm")?),
                service: parameter("service").unwrap_or_default(),
            });
        }
        of_scheme("Basic").map(|_| Self {
            realm: None,
            service: String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Environment;
    use crate::http::HttpOptions;

    #[test]
    fn a_challenge_names_the_token_server_or_wants_the_password() {
        let challenge = |text| Challenge::of(text).map(|known| (known.realm, known.service));
        let realm = "https://auth.example/token";
        for text in [
            r#"Bearer realm="https://auth.example/token",service="r.example",scope="repository:a/b:pull,push""#,
            r#"basic realm="x", bearer service=r.example, realm="https://auth.example/token""#,
        ] {
            assert_eq!(
                challenge(text),
                Some((Some(realm.to_owned()), "r.example".to_owned())),
                "{text}"
            );
        }
        assert_eq!(challenge(r#"Basic realm="x""#), Some((None, String::new())));
        for text in ["", "Negotiate", "Bearer service=x", "\u{1}"] {
            assert_eq!(challenge(text), None, "{text}");
        }
    }

    #[test]
    fn a_registry_that_does_not_know_of_its_tls_is_asked_with_it() {
        let with = |realm, base| {
            let url = with_tls(Url::parse(realm).expect("a URL"), base);
            url.map(String::from)
        };
        let (plain, tls) = (
            "http://r.example/service/token?a=b",
            "https://r.example/service/token?a=b",
        );
        assert_eq!(with(plain, "https://r.example").as_deref(), Some(tls));
        assert_eq!(
            with("http://r.example:80/t", "https://r.example:8443").as_deref(),
            Some("https://r.example:8443/t")
        );
        assert_eq!(with(plain, "http://r.example").as_deref(), Some(plain));
        assert_eq!(with(tls, "https://other.example").as_deref(), Some(tls));
        assert_eq!(with(tls, "http://r.example").as_deref(), Some(tls));
        for base in ["https://other.example", "https://auth.r.example"] {
            assert_eq!(with(plain, base), None);
        }
    }

    #[test]
    fn a_registry_with_tls_sends_nobody_to_a_token_server_without() {
        let http = Http::new(HttpOptions::default(), &Environment::default()).expect("a client");
        let place = Place {
            host: "r.example".to_owned(),
            repository: "team/app".to_owned(),
        };
        let known = Credentials::IdentityToken("secret".to_owned());
        for (realm, reason) in [
            (
                "http://auth.example/token",
                "it has no TLS, though the registry has",
            ),
            ("nowhere", "that is not a URL"),
        ] {
            let challenge = format!("Bearer realm=\"{realm}\"");
            let error = authorization(&http, "https://r.example", &place, &challenge, Some(&known));
            assert_eq!(
                error.expect_err(realm).to_string(),
                format!("`r.example` lets in whom `{realm}` gives a token: {reason}")
            );
        }
    }
}
