//! Kubernetes objects in a file, and the images that their pods name. Source: the API of
//! Kubernetes v1.35, `core/v1`: `PodSpec`, `Container`, `ImageVolumeSource`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::fetch::FetchError;

/// The lists of containers in a pod.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// An image as an object names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::fetch) struct NamedImage {
    pub(super) name: String,
    /// Whether a node asks a registry for it although it has it.
    pub(super) is_always_pulled: bool,
}

/// The images that the objects in the manifest `path` name, in its order; fails when it does
/// not hold objects.
pub(super) fn images(path: &Path) -> Result<Vec<NamedImage>, FetchError> {
    let bytes = fs::read(path).map_err(|source| FetchError::read(path, source))?;
    let text = str::from_utf8(&bytes).map_err(|_| "it is no text in UTF-8".to_owned());
    text.and_then(parse).map_err(|reason| FetchError::Manifest {
        path: path.to_owned(),
        reason,
    })
}

/// The same of a text; the error is one line.
pub(super) fn parse(text: &str) -> Result<Vec<NamedImage>, String> {
    // It is the packer's own file: it may be as large as it likes.
    let options = serde_saphyr::options! { budget: None };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let said = error.to_string();
        let line = said.lines().next().unwrap_or_default();
        line.trim_start_matches("error: ").to_owned()
    })?;
    let objects: Vec<&Value> = documents.iter().filter(|document| !document.is_null()).collect();
    if objects.is_empty() {
        return Err("there is no object in it".to_owned());
    }
    let mut images = Vec::new();
    for (number, object) in objects.into_iter().enumerate() {
        for key in ["apiVersion", "kind"] {
            if !object.get(key).is_some_and(Value::is_string) {
                return Err(format!("its object {} has no `{key}`", number + 1));
            }
        }
        collect(object, &mut images);
    }
    Ok(images)
}

/// Adds the images of every pod, and of every template of one, that is inside `value`.
fn collect(value: &Value, images: &mut Vec<NamedImage>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, images)),
        Value::Object(fields) => {
            for (key, field) in fields {
                let items = field.as_array().into_iter().flatten();
                if CONTAINERS.contains(&key.as_str()) {
                    images.extend(items.filter_map(|item| named(item.get("image")?, item)));
                } else if key == "volumes" {
                    images.extend(items.filter_map(|item| {
                        let volume = item.get("image")?;
                        named(volume.get("reference")?, volume)
                    }));
                }
                collect(field, images);
            }
        }
        _ => {}
    }
}

/// The image with this name in a container, or in a volume, which `holder` is. Without a
/// policy a node always pulls what has the tag `latest`, or neither tag nor digest.
fn named(name: &Value, holder: &Value) -> Option<NamedImage> {
    let name = name.as_str()?.to_owned();
    let policy = holder.get("imagePullPolicy").or(holder.get("pullPolicy"));
    let last = name.rsplit('/').next().unwrap_or(&name);
    let is_latest = !last.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    Some(NamedImage {
        is_always_pulled: policy
            .and_then(Value::as_str)
            .map_or(is_latest, |policy| policy == "Always"),
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPLOYMENT: &str = "# ours
apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: web}
spec:
  template:
    spec:
      initContainers:
      - {name: first, image: registry.example:5000/first}
      containers:
      - name: web
        image: registry.example/web:1
      - name: proxy
        image: registry.example/proxy:latest
        imagePullPolicy: IfNotPresent
      volumes:
      - name: model
        image: {reference: registry.example/model:2, pullPolicy: Always}
---
";

    fn names(text: &str) -> Result<Vec<(String, bool)>, String> {
        let images = parse(text)?.into_iter();
        Ok(images.map(|image| (image.name, image.is_always_pulled)).collect())
    }

    #[test]
    fn the_images_of_a_pod_are_found_wherever_it_is_described() {
        let expected = [
            ("registry.example/web:1", false),
            ("registry.example/proxy:latest", false),
            ("registry.example:5000/first", true),
            ("registry.example/model:2", true),
        ];
        let expected = expected.map(|(name, always)| (name.to_owned(), always));
        assert_eq!(names(DEPLOYMENT), Ok(expected.into()));
        let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let list = format!(
            r#"{{"apiVersion":"v1","kind":"List","items":[{{"apiVersion":"v1","kind":"Pod",
                "spec":{{"containers":[{{"name":"a","image":"a@{digest}"}}]}}}}]}}"#
        );
        assert_eq!(names(&list), Ok(vec![(format!("a@{digest}"), false)]));
    }

    #[test]
    fn what_is_no_manifest_says_where() {
        let failed = |text: &str| names(text).expect_err("refused");
        assert_eq!(failed(""), "there is no object in it");
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("latin-1.yaml");
        std::fs::write(&path, b"kind: \xe4\n").expect("a file");
        let error = images(&path).expect_err("refused").to_string();
        assert!(
            error.ends_with("latin-1.yaml` is no Kubernetes manifest: it is no text in UTF-8"),
            "{error}"
        );
        assert_eq!(failed("---\n# nothing\n"), "there is no object in it");
        assert_eq!(
            failed("apiVersion: v1\nkind: A\n---\nkind: B\n"),
            "its object 2 has no `apiVersion`"
        );
        assert_eq!(failed("- apiVersion: v1\n"), "its object 1 has no `apiVersion`");
        assert!(failed("a: b: c\n").starts_with("line 1 column 5: "));
        assert!(failed("apiVersion: v1\nkind: A\nx: {{ .Values.x }}\n").starts_with("line 3 column 5: "));
    }

    #[test]
    fn a_large_manifest_is_read() {
        let object = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b, c: d, e: f}\n";
        assert_eq!(names(&object.repeat(100_000)), Ok(Vec::new()));
    }
}
