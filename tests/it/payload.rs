//! The escape hatch: stock tools open a bundle without us.

use std::io::Read;
use std::path::Path;
use std::process::Command;

use minikube_offline::bundle::Digest;
use minikube_offline::progress::Silent;
use minikube_offline::trust::TrustedKeys;
use minikube_offline::verify::OpenedBundle;

use crate::support::parts::SampleParts;
use crate::support::program::{Sandbox, bytes};

/// Opens `x.run` with the line that its header has for that; all members are what the
/// index says.
fn open_with_stock_tools(sandbox: &Sandbox, bundle: &Path, command: &str) {
    let header = String::from_utf8_lossy(&bytes(bundle)[..8192]).into_owned();
    let advice = header
        .lines()
        .find(|line| line.contains(command))
        .expect("the header says how");
    let line = advice
        .trim_start_matches(['#', ' '])
        .replace("FILE", "x.run")
        .replace("tar -t", "tar -xC out");
    let script = format!("set -e; command -v zstd >/dev/null || exit 99; mkdir out; {line}");
    let outcome = sandbox.run(Command::new("sh").args(["-c", &script]));
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{line}");
    let opened = OpenedBundle::open(bundle, &TrustedKeys::none()).expect("a bundle");
    for member in &opened.index().members {
        let content = bytes(&sandbox.path("out").join(&member.path));
        assert_eq!(Digest::of(&content), member.sha256, "{}", member.path);
    }
}

#[test]
fn tail_zstd_and_tar_open_the_payload() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make(&sandbox.path("parts"), false);
    let bundle = sandbox.pack(&parts, "x.run");
    open_with_stock_tools(&sandbox, &bundle, "tail -c");
    assert_eq!(
        bytes(&sandbox.path("out/bin/linux/arm64/kubelet")),
        bytes(&parts.directory().join("binaries/kubelet"))
    );
}

#[test]
fn cat_zstd_and_tar_open_the_volumes() {
    let sandbox = Sandbox::new();
    let parts = SampleParts::make_large(&sandbox.path("parts"));
    let bundle = sandbox.pack_with(&parts, "x.run", &["--split=1M"]);
    open_with_stock_tools(&sandbox, &bundle, "cat FILE");
    assert!(sandbox.path("x.run.005").exists());
}

#[test]
fn any_choice_of_members_is_read_whole() {
    let sandbox = Sandbox::new();
    let bundle = sandbox.sample_bundle("x.run");
    let bundle = OpenedBundle::open(&bundle, &TrustedKeys::none())
        .and_then(|opened| opened.verify(&Silent))
        .expect("a bundle");
    let all = &bundle.index().members;
    // Each alone, each pair of neighbours, every second; read to the end or left halfway.
    let choices = (0..all.len()).flat_map(|at| [vec![at], vec![at, (at + 1) % all.len()]]);
    for choice in choices.chain([(0..all.len()).step_by(2).collect()]) {
        let wanted: Vec<&str> = choice.iter().map(|at| all[*at].path.as_str()).collect();
        let mut members = bundle.members(|member| wanted.contains(&member.path.as_str()));
        let mut read = 0;
        while let Some(mut reader) = members.next_member().expect("a member") {
            read += 1;
            let mut content = Vec::new();
            let half = reader.member().size / 2 * (read % 2) + reader.member().size * ((read + 1) % 2);
            reader
                .by_ref()
                .take(half)
                .read_to_end(&mut content)
                .expect("its content");
            assert_eq!(content.len() as u64, half);
        }
        assert_eq!(read, wanted.len() as u64, "{wanted:?}");
    }
}
