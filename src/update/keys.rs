//! The keys that releases are signed with.

use super::UpdateError;
use crate::trust::{PublicKey, TrustDirectories, TrustedKeys};

/// The project's keys, one a line; lines with `#` are comments.
const BUILT_IN: &str = include_str!("../../packaging/release-keys.txt");

/// The keys that are `given`, each a file or the key itself; without any, those that are
/// built into this program. The keys that are pinned for bundles do not count here: who
/// may pack for a site need not be who makes this program. One that is revoked in
/// `directories` does not count anywhere.
pub fn release_keys(given: &[String], directories: &TrustDirectories) -> Result<TrustedKeys, UpdateError> {
    keys_of(BUILT_IN, given, directories)
}

/// The same of a program that has this `list` built in.
fn keys_of(list: &str, given: &[String], directories: &TrustDirectories) -> Result<TrustedKeys, UpdateError> {
    let keys = if given.is_empty() {
        let revoked = directories.revoked()?;
        let counts = |key: &PublicKey| !revoked.contains(&key.key_id());
        let built_in: Vec<String> = parse(list)?
            .into_iter()
            .filter(counts)
            .map(|key| key.base64().to_owned())
            .collect();
        TrustedKeys::named(&built_in, "this program", directories)?
    } else {
        TrustedKeys::named(given, "--key", directories)?
    };
    // Without a key everything would count as vouched for.
    if keys.iter().next().is_none() {
        return Err(UpdateError::NoKeys);
    }
    Ok(keys)
}

fn parse(list: &str) -> Result<Vec<PublicKey>, UpdateError> {
    list.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| PublicKey::parse_base64(line).map_err(|source| UpdateError::BuiltIn { source }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::KeyDirectory;

    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn a_built_in_key_counts_until_it_is_revoked() {
        let root = tempfile::tempdir().expect("a directory");
        let directory = KeyDirectory::new(root.path().join("trust.d"), rustix::process::getuid().as_raw());
        let directories = TrustDirectories {
            system: KeyDirectory::new("/no/such/directory".into(), 0),
            user: Some(directory.clone()),
        };
        let list = format!("# ours\n{KEY}\n");
        let keys = keys_of(&list, &[], &directories).expect("a key");
        let key = PublicKey::parse_base64(KEY).expect("a key");
        let ids: Vec<_> = keys.iter().map(|trusted| trusted.key.key_id()).collect();
        assert_eq!(ids, [key.key_id()]);
        crate::trust::revoke(&directory, key.key_id()).expect("a directory of ours");
        for list in [&list, "# none\n", ""] {
            let refused = keys_of(list, &[], &directories);
            assert!(matches!(refused, Err(UpdateError::NoKeys)), "{refused:?}");
        }
    }

    #[test]
    fn the_list_that_is_built_in_can_be_read() {
        let lines = BUILT_IN
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        assert_eq!(parse(BUILT_IN).expect("keys").len(), lines.count());
    }

    #[test]
    fn comments_are_no_keys_and_a_line_that_is_none_is_refused() {
        let keys = parse(&format!("# a comment\n\n{KEY}\n")).expect("keys");
        assert_eq!(keys.len(), 1);
        assert_eq!(parse("# none\n").expect("no keys"), []);
        assert!(parse(&KEY[1..]).is_err());
    }
}
