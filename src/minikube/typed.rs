//! Paths in commands that a person is told to type.

use std::path::Path;

/// A path as a shell takes it, whatever is in it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+:@".contains(&b);
    if text.bytes().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The command that leaves nothing at `path`, and loses nothing.
pub(crate) fn move_away(path: &Path) -> String {
    let mut old = path.as_os_str().to_owned();
    old.push(".old");
    format!("`mv {} {}`", quoted(path), quoted(old.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(quoted(Path::new("/home/ann/.minikube")), "/home/ann/.minikube");
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
