//! Base64 with padding (RFC 4648, section 4), in its one canonical spelling.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The text of `bytes`.
#[must_use]
pub fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The `N` bytes that `text` stands for; `None` for every other length and spelling.
#[must_use]
pub fn decode_base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_hold() {
        assert_eq!(encode_base64(b""), "");
        assert_eq!(encode_base64(b"f"), "Zg==");
        assert_eq!(encode_base64(b"fo"), "Zm8=");
        assert_eq!(encode_base64(b"foobar"), "Zm9vYmFy");
        assert_eq!(decode_base64(""), Some([]));
        assert_eq!(decode_base64("Zg=="), Some(*b"f"));
        assert_eq!(decode_base64("Zm9vYmFy"), Some(*b"foobar"));
    }

    #[test]
    fn there_is_one_spelling() {
        for text in [
            "Zh==", "Zg=", "Zg", "Z===", "====", "Z=g=", "Zg==\n", " Zg=", "Zg=A", "Zg-=",
        ] {
            assert_eq!(decode_base64::<1>(text), None, "{text}");
        }
        assert_eq!(decode_base64::<2>("Zg=="), None);
        assert_eq!(decode_base64::<3>("Zg=="), None);
    }
}
