//! Types that stand as text in JSON and TOML.

/// Lets serde write a type as its `Display` has it, and read it by its `FromStr`, or by
/// another function of the text where that takes more than one spelling. With `read_only`,
/// nobody writes it.
///
/// An error has the words of the type's own error, and the place of the value.
macro_rules! serde_as_text {
    ($type:ty) => {
        crate::bundle::text::serde_as_text!($type, <$type as std::str::FromStr>::from_str);
    };
    ($type:ty, $read:expr) => {
        crate::bundle::text::serde_as_text!(read_only $type, $read);

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
    (read_only $type:ty) => {
        crate::bundle::text::serde_as_text!(read_only $type, <$type as std::str::FromStr>::from_str);
    };
    (read_only $type:ty, $read:expr) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                $read(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

/// Gives an enum with `ALL` and `name` its text, which `$refused` says is not one of its
/// names: for people, for serde, and for a flag, whose help lists the names.
macro_rules! named_values {
    ($type:ident, $error:ident: $refused:literal) => {
        #[doc = concat!("Text that names no `", stringify!($type), "`.")]
        #[derive(Debug, thiserror::Error)]
        #[error($refused)]
        pub struct $error(String);

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $error;
            fn from_str(text: &str) -> Result<Self, $error> {
                Self::ALL
                    .into_iter()
                    .find(|value| value.name() == text)
                    .ok_or_else(|| $error(text.chars().take(80).collect()))
            }
        }

        impl clap::ValueEnum for $type {
            fn value_variants<'a>() -> &'a [Self] {
                &Self::ALL
            }
            fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
                Some(self.name().into())
            }
        }
    };
}

pub(crate) use {named_values, serde_as_text};

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use crate::bundle::{Digest, ImageReference, Platform, Version};

    fn read<T: DeserializeOwned + Serialize + Debug>(text: &str) -> Result<String, String> {
        let json = format!("{{\"key\": {text}}}");
        let read: std::collections::BTreeMap<String, T> =
            serde_json::from_str(&json).map_err(|error| error.to_string())?;
        Ok(serde_json::to_string(&read["key"]).expect("JSON"))
    }

    #[test]
    fn each_type_is_written_in_the_one_spelling_that_is_read() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let digest = format!("\"sha256:{hex}\"");
        assert_eq!(read::<Digest>(&digest), Ok(digest.clone()));
        let reference = "\"registry.k8s.io/pause:3.10.1\"";
        assert_eq!(read::<ImageReference>(reference), Ok(reference.to_owned()));
        assert_eq!(
            read::<Platform>("\"linux/arm64\""),
            Ok("\"linux/arm64\"".to_owned())
        );
        assert_eq!(read::<Version>("\"v1.35.4\""), Ok("\"v1.35.4\"".to_owned()));

        // These read as text, but are not how an index spells them.
        let no_digest = "is not a SHA-256 digest (64 lower-case hexadecimal characters)";
        assert_eq!(
            read::<Digest>(&format!("\"{hex}\"")),
            Err(format!("`{hex}` {no_digest} at line 1 column 75"))
        );
        assert_eq!(
            read::<Digest>(&format!("\"SHA256:{hex}\"")),
            Err(format!("`SHA256:{hex}` {no_digest} at line 1 column 82"))
        );
        assert_eq!(
            read::<ImageReference>("\"alpine\""),
            Err(
                "`alpine` is not an image reference: it is not spelled out in full at line 1 column 17"
                    .to_owned()
            )
        );
        assert_eq!(
            read::<Version>("\"v1.035.4\""),
            Err("`v1.035.4` is not a release version such as `v1.35.4` at line 1 column 19".to_owned())
        );
        assert_eq!(
            read::<Platform>("\"linux/AMD64\""),
            Err(
                "`linux/AMD64` is not a platform that can be carried (linux/amd64 or linux/arm64) at line 1 column 22"
                    .to_owned()
            )
        );
        assert_eq!(
            read::<Version>("1"),
            Err("invalid type: integer `1`, expected a string at line 1 column 9".to_owned())
        );
    }
}
