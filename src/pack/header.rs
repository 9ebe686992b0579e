//! The shell header, made from its template.

use crate::bundle::{StubEntry, limits};

const TEMPLATE: &str = include_str!("../../templates/header.sh");

/// Blocks that every header of this version takes, so that its length does not
/// depend on what it says.
const HEADER_BLOCKS: u64 = 2;

/// Length of a header in bytes.
pub(super) const HEADER_BYTES: u64 = HEADER_BLOCKS * limits::BLOCK_BYTES;

/// A template that cannot be filled in: a mistake in this program, which its tests
/// find.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeaderError {
    #[error("the header needs {0} bytes and has {HEADER_BYTES}")]
    TooLong(usize),
    #[error("the template has a place `{0}` that nothing fills")]
    Unfilled(String),
}

/// So many volumes are named one by one.
const NAMED_VOLUMES: usize = 20;

/// The header of a bundle that is `bundle_bytes` long; when it is split, into so many
/// `volumes`, its first file is.
pub(super) fn render(
    name: &str,
    stubs: &[StubEntry],
    bundle_bytes: u64,
    volumes: usize,
) -> Result<Vec<u8>, HeaderError> {
    let mut skip = HEADER_BLOCKS;
    let mut cases = Vec::new();
    for stub in stubs {
        let (machine, count) = (stub.platform.arch.machine(), stub.size / limits::BLOCK_BYTES);
        cases.push(format!(
            "Linux/{machine}) skip={skip} count={count} sha256={} ;;",
            stub.sha256.hex()
        ));
        skip += count;
    }
    let platforms: Vec<String> = stubs.iter().map(|stub| stub.platform.to_string()).collect();
    // Each by its name: a pattern would take what else lies there.
    let payload = match volumes {
        0 => format!("tail -c +{} FILE", skip * limits::BLOCK_BYTES + 1),
        1..=NAMED_VOLUMES => (1..=volumes).fold("cat".to_owned(), |text, number| {
            text + &format!(" FILE.{number:03}")
        }),
        _ => format!("cat $(seq -f FILE.%03g {volumes})"),
    };
    let text = fill(&[
        ("NAME", name.to_owned()),
        ("PAYLOAD", payload),
        ("BUNDLE_BYTES", bundle_bytes.to_string()),
        ("STUB_CASES", cases.join("\n")),
        ("PLATFORMS", platforms.join(" and ")),
        ("BLOCK_BYTES", limits::BLOCK_BYTES.to_string()),
    ])?;
    pad(text)
}

fn fill(values: &[(&str, String)]) -> Result<String, HeaderError> {
    let text = values.iter().fold(TEMPLATE.to_owned(), |text, (place, value)| {
        text.replace(&format!("@{place}@"), value)
    });
    // `"$@"` is shell; a place is a name between two of these signs.
    let mut pieces = text.split('@').skip(1);
    match pieces.find(|piece| !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
    {
        Some(place) => Err(HeaderError::Unfilled(place.to_owned())),
        None => Ok(text),
    }
}

/// The shell never reads the padding: what stands in braces ends before it.
fn pad(text: String) -> Result<Vec<u8>, HeaderError> {
    let size = usize::try_from(HEADER_BYTES).expect("a few KiB");
    let mut bytes = text.into_bytes();
    if bytes.len() >= size {
        return Err(HeaderError::TooLong(bytes.len()));
    }
    bytes.resize(size - 1, b'#');
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{Arch, Digest, Platform};

    #[test]
    fn the_header_names_where_its_stub_lies() {
        let stub = StubEntry {
            platform: Platform { arch: Arch::Amd64 },
            size: 12 * 4096,
            sha256: Digest::of(b"stub"),
        };
        let rendered = |volumes| {
            let header = render("name", &[stub], u64::MAX, volumes).expect("fits");
            String::from_utf8(header).expect("ASCII")
        };
        let header = rendered(0);
        assert_eq!(header.len() as u64, HEADER_BYTES);
        let hex = Digest::of(b"stub").hex();
        assert!(header.contains(&format!("\nLinux/x86_64) skip=2 count=12 sha256={hex} ;;\n")));
        assert!(header.contains(&format!("\nbundle_bytes={}\n", u64::MAX)));
        assert!(header.contains("\n#   tail -c +57345 FILE | zstd -d --long=27 | tar -t\n"));
        for (volumes, names) in [
            (1, "cat FILE.001"),
            (3, "cat FILE.001 FILE.002 FILE.003"),
            (999, "cat $(seq -f FILE.%03g 999)"),
        ] {
            let split = rendered(volumes);
            assert_eq!(split.len() as u64, HEADER_BYTES);
            let line = format!("\n#   {names} | zstd -d --long=27 | tar -t\n");
            assert!(split.contains(&line), "{split}");
        }
        assert!(rendered(20).contains(" FILE.019 FILE.020 | zstd "));
    }
}
