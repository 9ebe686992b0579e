//! Passwords: typed on the terminal or read from a descriptor, never an argument or a
//! variable, where others could see them.

use std::fs::File;
use std::io::Read;

use super::SignError;
use crate::host::{TypedError, typed_secret};

/// Where the password of a secret key comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Password {
    /// The first line of what this open file descriptor holds.
    Descriptor(u32),
    /// The terminal.
    Terminal,
}

/// As minisign.
const LIMIT_BYTES: usize = 1024;

impl Password {
    /// The source that was asked for.
    #[must_use]
    pub fn from(descriptor: Option<u32>) -> Self {
        descriptor.map_or(Self::Terminal, Self::Descriptor)
    }

    /// The password of a key that is there.
    pub(super) fn ask(self, what: &str) -> Result<String, SignError> {
        checked(match self {
            Self::Descriptor(number) => read_descriptor(number)?,
            Self::Terminal => prompt(&format!("password of {what}: "))?,
        })
    }

    /// The password of a new key, typed twice.
    pub(super) fn ask_new(self, what: &str) -> Result<String, SignError> {
        if self != Self::Terminal {
            return self.ask(what);
        }
        let mut why = String::new();
        loop {
            let typed = checked(prompt(&format!("{why}password of {what}: "))?);
            let again = match typed {
                Ok(password) if prompt("the same again: ")? == password => return Ok(password),
                Ok(_) => "the two are not the same".to_owned(),
                Err(SignError::Password { reason }) => reason,
                Err(other) => return Err(other),
            };
            why = format!("{again}; ");
        }
    }
}

fn prompt(text: &str) -> Result<String, SignError> {
    typed_secret(text).map_err(|error| match error {
        TypedError::Interrupted(interruption) => interruption.into(),
        TypedError::NoTerminal(source) if source.kind() == std::io::ErrorKind::InvalidData => {
            refused("it is not UTF-8")
        }
        TypedError::NoTerminal(source) => SignError::NoTerminal { source },
    })
}

/// Opens the descriptor again by its name, so that it stays the caller's.
fn read_descriptor(number: u32) -> Result<String, SignError> {
    let failed = |error: std::io::Error| refused(&format!("reading file descriptor {number}: {error}"));
    let file = File::open(format!("/proc/self/fd/{number}")).map_err(failed)?;
    let mut line = Vec::new();
    for byte in std::io::BufReader::new(file).bytes() {
        match byte.map_err(failed)? {
            b'\n' => break,
            _ if line.len() > LIMIT_BYTES => break,
            byte => line.push(byte),
        }
    }
    // A file from Windows: stock minisign passes over it, too.
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| refused("it is not UTF-8"))
}

fn checked(password: String) -> Result<String, SignError> {
    match password.len() {
        0 => Err(refused("it is empty")),
        length if length > LIMIT_BYTES => Err(refused("it is longer than 1024 bytes")),
        _ => Ok(password),
    }
}

fn refused(reason: &str) -> SignError {
    SignError::Password {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    fn read(content: &str) -> Result<String, SignError> {
        let path = std::env::temp_dir().join(format!("minikube-offline-password-{}", std::process::id()));
        std::fs::write(&path, content).expect("a file");
        let file = File::open(&path).expect("a file");
        std::fs::remove_file(path).expect("clean up");
        let number = u32::try_from(file.as_raw_fd()).expect("open");
        Password::Descriptor(number).ask("the key")
    }

    #[test]
    fn the_first_line_of_a_descriptor_is_the_password() {
        assert_eq!(read("secret\nmore\n").expect("a password"), "secret");
        assert_eq!(read("secret\r\n").expect("a password"), "secret");
        assert_eq!(read("no line end ").expect("a password"), "no line end ");
        for content in ["", "\nsecret\n", &"x".repeat(1025)] {
            assert!(read(content).is_err(), "{content}");
        }
        assert!(read(&"x".repeat(1024)).is_ok());
        assert!(Password::Descriptor(1_000_000).ask("the key").is_err());
    }
}
