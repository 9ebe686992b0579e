//! The registries of a run: where the images of each are, in its mirrors and itself, and
//! how this run is let in.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use super::docker_config::DockerConfig;
use super::place::Place;
use super::{UpstreamError, login};
use crate::bundle::ImageReference;
use crate::host::Environment;
use crate::http::{Http, HttpError, Request};
use crate::progress::Progress;
use crate::spec::{RegistryMirror, Sources};

/// The mirror that has every image under the last part of its name. Source: minikube
/// v1.38.1, `pkg/minikube/constants/constants.go:177`.
const FLAT: &str = "registry.cn-hangzhou.aliyuncs.com/google_containers";

/// The registries of this run, and what they said when they were asked to let in.
#[derive(Debug)]
pub(in crate::fetch::upstream) struct Registries {
    mirrors: Vec<RegistryMirror>,
    upstreams: Vec<RegistryMirror>,
    image_repository: Option<String>,
    insecure: Vec<String>,
    docker: DockerConfig,
    bases: Mutex<HashMap<String, String>>,
    authorizations: Mutex<HashMap<Place, String>>,
    /// What a person should know of how this run was let in, and whether it was said.
    notes: Mutex<BTreeMap<String, bool>>,
}

impl Registries {
    pub(in crate::fetch::upstream) fn new(sources: &Sources, environment: &Environment) -> Self {
        Self {
            mirrors: sources.registry_mirrors.clone(),
            upstreams: sources.registry_upstreams.clone(),
            image_repository: sources.images_place().map(str::to_owned),
            insecure: sources.insecure_registries.clone(),
            docker: DockerConfig::of(environment),
            bases: Mutex::default(),
            authorizations: Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// The mirrors that may have the image, in their order; last the place for all images of
    /// Kubernetes' and minikube's.
    pub(super) fn mirrors(&self, reference: &ImageReference) -> Vec<Place> {
        let mirrors = self.mirrors.iter();
        let mirrors = mirrors.filter(|mirror| mirror.registry == reference.registry());
        mirrors
            .map(|mirror| inside(mirror, reference.repository()))
            .chain(self.in_images_place(reference))
            .collect()
    }

    /// Where minikube itself looks for the node image when the registry does not give it: the
    /// same content, so that a digest must be known. Source: minikube v1.38.1,
    /// `pkg/drivers/kic/types.go` (`FallbackImages`).
    pub(super) fn second_origins(&self, reference: &ImageReference) -> Vec<Place> {
        let second = match (reference.registry(), reference.repository()) {
            ("gcr.io", "k8s-minikube/kicbase") => "docker.io/kicbase/stable",
            ("gcr.io", "k8s-minikube/kicbase-builds") => "docker.io/kicbase/build",
            _ => return Vec::new(),
        };
        let Ok(second) = ImageReference::parse(&format!("{second}:{}", reference.tag())) else {
            return Vec::new();
        };
        let mut places = self.mirrors(&second);
        places.push(self.upstream(&second));
        places
    }

    /// Where the place for all images of Kubernetes' and minikube's has this one, if there is
    /// such a place and it is one of these.
    pub(super) fn in_images_place(&self, reference: &ImageReference) -> Option<Place> {
        let place = in_repository(self.image_repository.as_deref()?, reference)?;
        Some(self.stood_in_for(place))
    }

    /// The registry whose word on the image counts.
    pub(super) fn upstream(&self, reference: &ImageReference) -> Place {
        let place = self.stood_in_for(Place {
            host: reference.registry().to_owned(),
            repository: reference.repository().to_owned(),
        });
        match place.host.as_str() {
            "docker.io" => Place {
                host: "registry-1.docker.io".to_owned(),
                ..place
            },
            _ => place,
        }
    }

    fn stood_in_for(&self, place: Place) -> Place {
        let mut stand_ins = self.upstreams.iter();
        match stand_ins.find(|entry| entry.registry == place.host) {
            Some(stand_in) => inside(stand_in, &place.repository),
            None => place,
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
        let keys = self.docker.credentials(place)?;
        let credentials = keys.credentials.as_ref();
        let base = self.base(http, &place.host);
        let result =
            login::authorization(http, &base, place, challenge, credentials).and_then(|authorization| {
                let authorization = authorization.ok_or(refusal)?;
                let result = work(request(Some(authorization.clone())))?;
                lock(&self.authorizations).insert(place.clone(), authorization);
                Ok(result)
            });
        // A helper that fails says why nobody was let in; others get in without it.
        match (result, keys.failure) {
            (Err(error), Some(failure)) if error.is_refusal() => Err(failure),
            (Ok(result), Some(failure)) if credentials.is_none() => {
                let note = format!("{failure}: `{}` lets in without", place.host);
                lock(&self.notes).entry(note).or_insert(false);
                Ok(result)
            }
            (result, _) => result,
        }
    }

    /// Says what was noted meanwhile, each once.
    pub(super) fn say_notes(&self, progress: &dyn Progress) {
        for (note, is_said) in lock(&self.notes).iter_mut() {
            if !std::mem::replace(is_said, true) {
                progress.note(note);
            }
        }
    }
}

/// Where `--image-repository` has an image of Kubernetes' or minikube's. Source: minikube
/// v1.38.1, `pkg/minikube/bootstrapper/images/images.go` (`componentImage`, `coreDNS`,
/// `storageProvisioner`, `KindNet`) and `pkg/minikube/node/cache.go:296`.
fn in_repository(repository: &str, reference: &ImageReference) -> Option<Place> {
    let image = reference.repository();
    let image = match reference.registry() {
        "registry.k8s.io" => image,
        "gcr.io" if image.starts_with("k8s-minikube/") => image,
        "docker.io" => image
            .strip_prefix("kindest/")
            .filter(|name| *name == "kindnetd")?,
        _ => return None,
    };
    let image = match repository {
        FLAT => image.rsplit('/').next().unwrap_or(image),
        _ => image,
    };
    let (host, directory) = repository.split_once('/').unwrap_or((repository, ""));
    Some(Place {
        host: host.to_owned(),
        repository: format!("{directory}/{image}").trim_start_matches('/').to_owned(),
    })
}

fn inside(mirror: &RegistryMirror, repository: &str) -> Place {
    Place {
        host: mirror.host.clone(),
        repository: format!("{}/{repository}", mirror.directory)
            .trim_start_matches('/')
            .to_owned(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
