//! The keys that `bundle.toml` may have, asked of the types that read it, so that no
//! list beside them can fall behind.

use serde::Deserialize;
use serde::de::value::Error;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

/// The keys of the table that `T` is read from, in the order of its fields.
#[must_use]
pub(super) fn keys_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut keys: &'static [&'static str] = &[];
    // It always fails: there is nothing to read.
    let _ = T::deserialize(Asked(&mut keys));
    keys
}

/// Every key of the file, those of its table `[sources]` included.
#[cfg(test)]
pub(crate) fn all_keys() -> Vec<&'static str> {
    let top = keys_of::<super::PartialSpec>()
        .iter()
        .filter(|key| **key != "sources");
    top.chain(keys_of::<super::Sources>()).copied().collect()
}

/// Holds nothing, and notes which fields it was asked for.
struct Asked<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("nothing is read"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("it is not read from a table"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier
        ignored_any
    }
}
