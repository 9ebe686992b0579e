//! An authority that certifies signers for a while, as Fulcio does; made with openssl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::effort::report;

/// Who signs Kubernetes' parts.
pub(crate) const KUBERNETES: &str = "krel-staging@k8s-releng-prod.iam.gserviceaccount.com";
pub(crate) const GOOGLE: &str = "https://accounts.google.com";

/// A root, and a signer that it certified.
pub(crate) struct Authority {
    directory: PathBuf,
}

impl Authority {
    /// Makes both in `directory`; nothing where there is no openssl.
    pub(crate) fn new(directory: &Path, identity: &str) -> Option<Self> {
        if !Path::new("/usr/bin/openssl").exists() {
            report("skipped: openssl is not installed");
            return None;
        }
        fs::create_dir_all(directory).expect("a directory");
        let authority = Self {
            directory: directory.to_owned(),
        };
        let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1";
        let root = "-keyout root.key -out root.pem -subj /CN=root -addext basicConstraints=critical,CA:TRUE";
        authority.openssl(&format!("{new} {root}"), &[]);
        let signer = "-keyout signer.key -out signer.pem -CA root.pem -CAkey root.key -subj / \
                      -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=codeSigning";
        let bare: Vec<String> = GOOGLE.bytes().map(|byte| format!("{byte:02x}")).collect();
        let bare = bare.join(":");
        let names = [
            format!("subjectAltName=critical,email:{identity}"),
            format!("1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:{GOOGLE}"),
            // The older form, which is the bare text.
            format!("1.3.6.1.4.1.57264.1.1=DER:{bare}"),
        ];
        authority.openssl(
            &format!("{new} {signer}"),
            &["-addext", &names[0], "-addext", &names[1], "-addext", &names[2]],
        );
        Some(authority)
    }

    /// The root's certificate.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.join("root.pem")
    }

    /// The signer's certificate, in PEM.
    pub(crate) fn certificate(&self) -> String {
        fs::read_to_string(self.directory.join("signer.pem")).expect("a certificate")
    }

    /// The certificate as Kubernetes publishes it: PEM in base64.
    pub(crate) fn published_certificate(&self) -> String {
        self.openssl("base64 -A -in signer.pem", &[])
    }

    /// The signature of `bytes`, in base64.
    pub(crate) fn sign(&self, bytes: &[u8]) -> String {
        fs::write(self.directory.join("content"), bytes).expect("a file");
        self.openssl("dgst -sha256 -sign signer.key -out signature content", &[]);
        self.openssl("base64 -A -in signature", &[])
    }

    fn openssl(&self, arguments: &str, more: &[&str]) -> String {
        let output = Command::new("/usr/bin/openssl")
            .args(arguments.split_whitespace())
            .args(more)
            .current_dir(&self.directory)
            .output()
            .expect("openssl runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}
