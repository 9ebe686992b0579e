//! Texts that lie in a program, where nobody can be asked for them.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use memchr::memmem;

use crate::fetch::FetchError;

/// How much is looked at together.
const BLOCK_BYTES: usize = 1 << 20;

/// What `read` makes of the bytes behind each `prefix` in the file, each once. See
/// [`find_in`].
pub(super) fn find<T: PartialEq>(
    path: &Path,
    prefix: &[u8],
    longest: usize,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Vec<T>, FetchError> {
    File::open(path)
        .and_then(|file| find_in(BufReader::new(file), prefix, longest, read))
        .map_err(|source| FetchError::read(path, source))
}

/// What `read` makes of the bytes behind each `prefix`, each once. It gets `longest` bytes,
/// or fewer at the end, and at the border of two blocks: there it gets them again, so that
/// it must give nothing for what it has not seen to its end. Nothing ends a text in a Go
/// program: what follows it may be anything.
fn find_in<T: PartialEq>(
    mut program: impl Read,
    prefix: &[u8],
    longest: usize,
    read: impl Fn(&[u8]) -> Option<T>,
) -> io::Result<Vec<T>> {
    let mut found: Vec<T> = Vec::new();
    let mut window = Vec::new();
    loop {
        let block = BLOCK_BYTES as u64;
        let came = program.by_ref().take(block).read_to_end(&mut window)?;
        for start in ends_of(prefix, &window) {
            let behind = &window[start..window.len().min(start + longest)];
            if let Some(text) = read(behind).filter(|text| !found.contains(text)) {
                found.push(text);
            }
        }
        if came == 0 {
            return Ok(found);
        }
        // A text may lie across the border of two blocks.
        let rest = window.len().saturating_sub(prefix.len() + longest);
        window.drain(..rest);
    }
}

/// Where each prefix ends.
fn ends_of<'a>(prefix: &'a [u8], window: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    memmem::find_iter(window, prefix).map(|start| start + prefix.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The word up to a full stop.
    fn word(bytes: &[u8]) -> Option<String> {
        let end = bytes.iter().position(|byte| *byte == b'.')?;
        String::from_utf8(bytes[..end].to_vec()).ok()
    }

    #[test]
    fn a_text_is_found_wherever_it_lies_and_given_once() {
        for before in [
            0,
            1,
            BLOCK_BYTES - 12,
            BLOCK_BYTES - 7,
            BLOCK_BYTES - 3,
            3 * BLOCK_BYTES - 5,
        ] {
            let program = [&vec![b'n'; before][..], b"name: one.name: two.name: one.x"].concat();
            let found = find_in(&program[..], b"name: ", 8, word).expect("memory");
            assert_eq!(found, ["one", "two"], "{before}");
        }
        let cut = find_in(&b"name: one"[..], b"name: ", 8, word).expect("memory");
        assert!(cut.is_empty());
    }
}
