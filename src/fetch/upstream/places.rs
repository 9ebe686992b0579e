//! Where the images of a registry are: its mirrors, and itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::credentials::DockerConfig;
use super::{UpstreamError, login};
use crate::bundle::ImageReference;
use crate::host::Environment;
use crate::http::{Http, HttpError, Request};
use crate::spec::{RegistryMirror, Sources};

/// Registries whose images `--image-repository` stands for. Source: minikube v1.38.1,
/// `pkg/minikube/bootstrapper/images/repo.go`.
const MINIKUBES: [&str; 2] = ["registry.k8s.io/", "gcr.io/k8s-minikube/"];

/// A repository in a registry.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Place {
    /// The registry's host, with its port where it has one.
    pub(super) host: String,
    /// The repository's name there.
    pub(super) repository: String,
}

/// The registries of this run, and what they said when they were asked to let in.
#[derive(Debug)]
pub(super) struct Registries {
    mirrors: Vec<RegistryMirror>,
    upstreams: Vec<RegistryMirror>,
    image_repository: Option<String>,
    insecure: Vec<String>,
    docker: DockerConfig,
    bases: Mutex<HashMap<String, String>>,
    authorizations: Mutex<HashMap<Place, String>>,
}

impl Registries {
    pub(super) fn new(sources: &Sources, environment: &Environment) -> Self {
        Self {
            mirrors: sources.registry_mirrors.clone(),
            upstreams: sources.registry_upstreams.clone(),
            image_repository: sources.image_repository.clone().or_else(|| {
                let country = sources.image_mirror_country?;
                Some(country.image_repository().to_owned())
            }),
            insecure: sources.insecure_registries.clone(),
            docker: DockerConfig::of(environment),
            bases: Mutex::default(),
            authorizations: Mutex::default(),
        }
    }

    /// The mirrors that may have the image, in their order.
    pub(super) fn mirrors(&self, reference: &ImageReference) -> Vec<Place> {
        self.mirrors
            .iter()
            .filter(|mirror| mirror.registry == reference.registry())
            .map(|mirror| inside(mirror, reference.repository()))
            .collect()
    }

    /// The registry whose word on the image counts.
    pub(super) fn upstream(&self, reference: &ImageReference) -> Place {
        let name = format!("{}/{}", reference.registry(), reference.repository());
        if let Some(repository) = &self.image_repository
            && MINIKUBES.iter().any(|prefix| name.starts_with(prefix))
        {
            // minikube looks for the last part of the name only.
            let last = name.rsplit('/').next().unwrap_or(&name);
            let (host, folder) = repository.split_once('/').unwrap_or((repository, ""));
            return Place {
                host: host.to_owned(),
                repository: format!("{folder}/{last}").trim_start_matches('/').to_owned(),
            };
        }
        if let Some(stand_in) = self
            .upstreams
            .iter()
            .find(|entry| entry.registry == reference.registry())
        {
            return inside(stand_in, reference.repository());
        }
        let host = match reference.registry() {
            "docker.io" => "registry-1.docker.io",
            host => host,
        };
        Place {
            host: host.to_owned(),
            repository: reference.repository().to_owned(),
        }
    }

    /// The URL of `path` in `place`.
    pub(super) fn url(&self, http: &Http, place: &Place, path: &str) -> String {
        format!("{}/v2/{}/{path}", self.base(http, &place.host), place.repository)
    }

    /// `https://HOST`; `http://HOST` for a registry that was named as insecure and does
    /// not speak TLS.
    fn base(&self, http: &Http, host: &str) -> String {
        let https = format!("https://{host}");
        if !self.insecure.iter().any(|insecure| insecure == host) {
            return https;
        }
        let known = |bases: &HashMap<String, String>| bases.get(host).cloned();
        if let Some(base) = known(&lock(&self.bases)) {
            return base;
        }
        let base = if http.answers(&format!("{https}/v2/")) {
            https
        } else {
            format!("http://{host}")
        };
        lock(&self.bases).insert(host.to_owned(), base.clone());
        base
    }

    /// Does `work` with what lets in to `place`: first with what is known, and after a
    /// 401 with what the registry says is needed; after a second one it ends.
    pub(super) fn let_in<T>(
        &self,
        http: &Http,
        place: &Place,
        accept: Option<&str>,
        path: &str,
        work: impl Fn(Request) -> Result<T, HttpError>,
    ) -> Result<T, UpstreamError> {
        let request = |authorization| Request {
            url: self.url(http, place, path),
            accept: accept.map(str::to_owned),
            authorization,
        };
        let known = lock(&self.authorizations).get(place).cloned();
        let refusal = match work(request(known)) {
            Err(error) if error.status() == Some(401) => error,
            result => return Ok(result?),
        };
        let challenge = refusal.challenge();
        let credentials = self.docker.credentials(&place.host)?;
        let base = self.base(http, &place.host);
        let authorization = login::authorization(http, &base, place, challenge, credentials.as_ref())?;
        let Some(authorization) = authorization else {
            return Err(refusal.into());
        };
        let result = work(request(Some(authorization.clone())))?;
        lock(&self.authorizations).insert(place.clone(), authorization);
        Ok(result)
    }
}

fn inside(mirror: &RegistryMirror, repository: &str) -> Place {
    Place {
        host: mirror.host.clone(),
        repository: format!("{}/{repository}", mirror.folder)
            .trim_start_matches('/')
            .to_owned(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
