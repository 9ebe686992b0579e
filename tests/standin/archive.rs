//! Checks that a file is a docker-archive, whole and unaltered.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// The first bytes of gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Larger entries cannot be a manifest or a configuration.
const LARGEST_JSON: u64 = 4 << 20;

/// What is known of one file in the archive.
struct Entry {
    digest: String,
    is_compressed: bool,
    content: Vec<u8>,
}

/// Checks the archive at `path`, which must hold the image `reference`; gives
/// the image's id. Everything is hashed: a changed byte in a layer is found.
pub(crate) fn check(path: &Path, reference: &str) -> Result<String, String> {
    let entries = read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    check_image(&entries, reference).map_err(|error| format!("{}: {error}", path.display()))
}

fn check_image(entries: &BTreeMap<String, Entry>, reference: &str) -> Result<String, String> {
    let manifest = json(entries, "manifest.json")?;
    let image = manifest
        .as_array()
        .into_iter()
        .flatten()
        .find(|image| texts(&image["RepoTags"]).contains(&reference))
        .ok_or_else(|| format!("tag {reference} not found in tarball"))?;
    let config_name = image["Config"].as_str().unwrap_or_default();
    let config = json(entries, config_name)?;
    let id = &entries[config_name].digest;
    check_name(config_name, id)?;
    let layers = texts(&image["Layers"]);
    let expected = texts(&config["rootfs"]["diff_ids"]);
    if layers.len() != expected.len() {
        return Err(format!(
            "{} layers, its configuration names {}",
            layers.len(),
            expected.len()
        ));
    }
    for (layer, expected) in layers.iter().zip(expected) {
        let entry = entries
            .get(*layer)
            .ok_or_else(|| format!("layer {layer} is missing"))?;
        if entry.is_compressed {
            check_name(layer, &entry.digest)?;
        } else if expected != format!("sha256:{}", entry.digest) {
            return Err(format!(
                "layer {layer} has sha256 {}, expected {expected}",
                entry.digest
            ));
        }
    }
    Ok(format!("sha256:{id}"))
}

/// A file that is named after its digest must have that digest.
fn check_name(name: &str, digest: &str) -> Result<(), String> {
    let base = name.rsplit(['/', ':']).next().unwrap_or(name);
    let base = base.split('.').next().unwrap_or(base);
    let is_digest = base.len() == 64 && base.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest && base != digest {
        return Err(format!("{name} has sha256 {digest}"));
    }
    Ok(())
}

fn json(entries: &BTreeMap<String, Entry>, name: &str) -> Result<Value, String> {
    let entry = entries.get(name).ok_or_else(|| format!("no {name} in it"))?;
    serde_json::from_slice(&entry.content).map_err(|error| format!("{name}: {error}"))
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn read(path: &Path) -> io::Result<BTreeMap<String, Entry>> {
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 20, File::open(path)?));
    let mut entries = BTreeMap::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry
            .path()?
            .to_string_lossy()
            .trim_start_matches("./")
            .to_owned();
        let keep = entry.size() <= LARGEST_JSON;
        let (mut hash, mut content, mut is_compressed) = (Sha256::new(), Vec::new(), false);
        let (mut buffer, mut total) = (vec![0; 1 << 20], 0);
        loop {
            let read = entry.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            if total == 0 {
                is_compressed = buffer[..read].starts_with(&GZIP);
            }
            total += read as u64;
            hash.update(&buffer[..read]);
            if keep {
                content.extend_from_slice(&buffer[..read]);
            }
        }
        if total != entry.size() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "unexpected EOF"));
        }
        let digest = hash.finalize().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").ok();
            text
        });
        entries.insert(
            name,
            Entry {
                digest,
                is_compressed,
                content,
            },
        );
    }
    Ok(entries)
}
