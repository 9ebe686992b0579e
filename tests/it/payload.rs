//! The escape hatch: stock tools open a bundle without us.

use std::process::Command;

use minikube_offline::bundle::Digest;
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;

use crate::support::parts::SampleParts;
use crate::support::program::{Sandbox, bytes};

#[test]
fn tail_zstd_and_tar_open_the_payload() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let bundle = sandbox.pack(&parts, "x.run");
    let header = String::from_utf8_lossy(&bytes(&bundle)[..8192]).into_owned();
    let advice = header
        .lines()
        .find(|line| line.contains("tail -c"))
        .expect("the header says how");
    let line = advice
        .trim_start_matches(['#', ' '])
        .replace("FILE", "x.run")
        .replace("tar -t", "tar -xC out");
    let script = format!("set -e; command -v zstd >/dev/null || exit 99; mkdir out; {line}");
    let outcome = sandbox.run(Command::new("sh").args(["-c", &script]));
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{line}");
    let opened = OpenedBundle::open(&bundle, &TrustedKeys::none()).expect("a bundle");
    for member in &opened.index().members {
        let content = bytes(&sandbox.path("out").join(&member.path));
        assert_eq!(Digest::of(&content), member.sha256, "{}", member.path);
    }
    assert_eq!(
        bytes(&sandbox.path("out/bin/kubelet")),
        bytes(&parts.folder().join("binaries/kubelet"))
    );
}
