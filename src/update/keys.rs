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
    let keys = if given.is_empty() {
        let revoked = directories.revoked()?;
        let counts = |key: &PublicKey| !revoked.contains(&key.key_id());
        let built_in: Vec<String> = parse(BUILT_IN)?
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

    #[test]
    fn the_list_that_is_built_in_can_be_read() {
        assert!(parse(BUILT_IN).is_ok());
    }

    #[test]
    fn comments_are_no_keys_and_a_line_that_is_none_is_refused() {
        let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        let keys = parse(&format!("# a comment\n\n{key}\n")).expect("keys");
        assert_eq!(keys.len(), 1);
        assert_eq!(parse("# none\n").expect("no keys"), []);
        assert!(parse(&key[1..]).is_err());
    }
}
