//! A path in the JSON that a program reads.

use std::path::Path;

use serde_json::Value;

/// `path` as text. A path is bytes, and JSON is not: what is no UTF-8 in it becomes U+FFFD,
/// where serde would end the run that did what was asked.
pub(super) fn path_value(path: impl AsRef<Path>) -> Value {
    path.as_ref().to_string_lossy().into()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_shown_as_such() {
        let path = OsStr::from_bytes(b"/a\xffb/x.run");
        assert_eq!(path_value(path), "/a\u{fffd}b/x.run");
        assert_eq!(path_value(Path::new("/ä")), "/ä");
    }
}
