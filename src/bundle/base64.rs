//! Base64 with padding (RFC 4648, section 4), in its one canonical spelling.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text of `bytes`.
#[must_use]
pub fn encode_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut padded = [0; 4];
        padded[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(padded);
        for place in 0..4 {
            let value = (bits >> (18 - 6 * place)) & 63;
            let letter = char::from(ALPHABET[value as usize]);
            text.push(if place <= group.len() { letter } else { '=' });
        }
    }
    text
}

/// The `N` bytes that `text` stands for; `None` for every other length and spelling.
#[must_use]
pub fn decode_base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N.div_ceil(3) * 4 {
        return None;
    }
    let mut bytes = [0; N];
    for (group, letters) in bytes.chunks_mut(3).zip(text.as_bytes().chunks(4)) {
        let mut bits = 0;
        for letter in letters {
            let value = match letter {
                b'=' => 0,
                letter => ALPHABET.iter().position(|known| known == letter)?,
            };
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        group.copy_from_slice(&bits.to_be_bytes()[1..=group.len()]);
    }
    // What was padded wrongly, or has bits that stand for nothing, reads otherwise.
    (encode_base64(&bytes) == text).then_some(bytes)
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
