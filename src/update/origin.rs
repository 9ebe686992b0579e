//! Where releases are.

use std::fmt;
use std::path;
use std::str::FromStr;

/// Where releases are. In text: `https://github.com/OWNER/NAME`, or the same at a GitHub
/// of one's own as `API/repos/OWNER/NAME`; any other URL, or a directory, is a mirror: the
/// files of a release page with their `manifest.json`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// A directory, over HTTP or on this machine.
    Mirror {
        /// Its URL (http, https or file), without a `/` at its end.
        directory: String,
    },
    /// A release page of GitHub's kind.
    Page {
        /// The URL of its API.
        api: String,
        /// Whose repository.
        owner: String,
        /// Which one.
        repository: String,
    },
}

/// Text that does not say where releases are.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// It would stand in messages.
    #[error("the address of the releases holds a name or a password")]
    Credentials,
    /// It is neither a URL that can be read nor a directory.
    #[error("`{0}` is neither an http, https or file URL nor a directory")]
    Form(String),
}

const GITHUB: &str = "https://github.com/";
const GITHUB_API: &str = "https://api.github.com";

impl Origin {
    /// Whether it is a directory of this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Mirror { directory } if directory.starts_with("file://"))
    }

    /// The release page of the repository that `Cargo.toml` names, if it does.
    #[must_use]
    pub fn built_in() -> Option<Self> {
        let named = env!("CARGO_PKG_REPOSITORY");
        (!named.is_empty()).then(|| named.parse().expect("Cargo.toml names a repository"))
    }
}

impl FromStr for Origin {
    type Err = OriginError;
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let refused = || OriginError::Form(text.chars().take(200).collect());
        let Some((scheme, rest)) = text.split_once("://") else {
            let directory = path::absolute(text).map_err(|_| refused())?;
            let directory = directory
                .to_str()
                .filter(|_| !text.is_empty())
                .ok_or_else(refused)?;
            return Ok(Self::Mirror {
                directory: format!("file://{}", directory.trim_end_matches('/')),
            });
        };
        // RFC 3986, section 3.2: before the first of these stands the authority.
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(OriginError::Credentials);
        }
        let local = scheme == "file" && rest.starts_with('/');
        let remote = ["http", "https"].contains(&scheme) && !authority.is_empty();
        if !local && !remote {
            return Err(refused());
        }
        let address = text.trim_end_matches('/');
        let (api, names) = match (address.strip_prefix(GITHUB), address.rsplit_once("/repos/")) {
            (Some(names), _) => (GITHUB_API, names),
            (None, Some((api, names))) if remote => (api, names),
            _ => ("", ""),
        };
        Ok(match names.split_once('/') {
            Some((owner, repository)) if !owner.is_empty() && !repository.contains('/') => Self::Page {
                api: api.to_owned(),
                owner: owner.to_owned(),
                repository: repository.to_owned(),
            },
            _ => Self::Mirror {
                directory: address.to_owned(),
            },
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mirror { directory } => f.write_str(directory),
            Self::Page {
                api,
                owner,
                repository,
            } if api == GITHUB_API => write!(f, "{GITHUB}{owner}/{repository}"),
            Self::Page {
                api,
                owner,
                repository,
            } => write!(f, "{api}/repos/{owner}/{repository}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Origin {
        text.parse().expect(text)
    }

    #[test]
    fn a_page_is_told_from_a_mirror() {
        let page = |api: &str| Origin::Page {
            api: api.to_owned(),
            owner: "o".to_owned(),
            repository: "n".to_owned(),
        };
        assert_eq!(parse("https://github.com/o/n"), page("https://api.github.com"));
        assert_eq!(parse("https://github.com/o/n/"), page("https://api.github.com"));
        assert_eq!(
            parse("https://g.example/api/v3/repos/o/n"),
            page("https://g.example/api/v3")
        );
        for text in [
            "https://mirror.example",
            "https://mirror.example/tools/minikube-offline",
            "file:///srv/repos/o/n",
        ] {
            let directory = text.to_owned();
            assert_eq!(parse(text), Origin::Mirror { directory });
        }
        let directory = "file:///srv/mirror".to_owned();
        assert_eq!(parse("/srv/mirror/"), Origin::Mirror { directory });
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "https://github.com/o/n",
            "http://g.example:8080/repos/o/n",
            "http://mirror.example/x",
            "file:///srv/a b",
        ] {
            assert_eq!(parse(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_place_is_refused_and_no_password_is_shown() {
        for text in ["", "ftp://x/y", "https://", "file://relative"] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
        let error = "https://u:secret@mirror.example/x"
            .parse::<Origin>()
            .expect_err("a password");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
