//! Lists and texts that may be `null` in JSON.

use serde::{Deserialize, Deserializer};

/// `null` as nothing: programs in Go write a list, a map or a text so that nobody filled.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
