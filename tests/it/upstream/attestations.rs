//! The publishers' signatures: carried, shown, extracted, and checked without a network.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use minikube_offline::bundle::{Digest, Platform};

use super::world::{VERSION, World, other};
use crate::support::authority::{Authority, GOOGLE, KUBERNETES};
use crate::support::effort::report;
use crate::support::program::{Outcome, Sandbox, bytes};
use crate::support::server::{Reply, Seen};

/// A sandbox, an authority in it, and what the authority's signer signed.
fn signed(identity: &str) -> Option<(Sandbox, Authority, World)> {
    let sandbox = Sandbox::new();
    let authority = Authority::new(&sandbox.path("authority"), identity)?;
    let world = World::build(Some(&authority), |_, reply| reply);
    Some((sandbox, authority, world))
}

fn pack(world: &World, sandbox: &Sandbox, more: &[&str]) {
    let outcome = world.pack(sandbox, VERSION, &[&["--level=fast"], more].concat());
    assert_eq!(outcome.status, 0, "{outcome:?}");
}

fn verify(sandbox: &Sandbox, root: Option<&Path>) -> Outcome {
    let mut arguments = vec![
        "verify".to_owned(),
        "--attestations".to_owned(),
        "x.run".to_owned(),
    ];
    arguments.extend(root.map(|root| format!("--trusted-root={}", root.display())));
    sandbox.packager(arguments)
}

#[test]
fn signatures_travel_with_the_bundle_and_hold_without_a_network() {
    let Some((sandbox, authority, world)) = signed(KUBERNETES) else {
        return;
    };
    pack(&world, &sandbox, &[]);
    drop(world);
    let outcome = verify(&sandbox, Some(&authority.root()));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let says = |text: &str| assert!(outcome.stdout.contains(text), "`{text}` in {}", outcome.stdout);
    for part in ["kubeadm", "kubelet", "kubectl", "registry.k8s.io/pause:3.10.2"] {
        says(&format!(
            "\n{part}: by {KUBERNETES} ({GOOGLE}), with a key that was certified from "
        ));
    }
    says(
        "\nwithout a signature: minikube, gcr.io/k8s-minikube/kicbase:v0.0.51, \
         gcr.io/k8s-minikube/storage-provisioner:v5\n\
         proven: the keys in these certificates signed these parts, and a given root certified them\n\
         not proven: version: a signature of an image names its repository and no tag, one of a binary neither its \
         name nor its version\n\
         not proven: that they signed while the certificates were valid, which only a log of signatures knows",
    );
    let without = verify(&sandbox, None);
    assert_eq!(without.status, 0, "{without:?}");
    assert!(
        without.stdout.contains("\nnot proven: who certified the keys;"),
        "{without:?}"
    );

    let deep = sandbox.packager(["verify", "--deep", "x.run"]);
    assert_eq!(deep.status, 0, "{deep:?}");
    let inspected = sandbox.packager(["inspect", "x.run"]);
    assert!(
        inspected
            .stdout
            .contains("attested    10 signatures of publishers: `verify --attestations` checks them"),
        "{inspected:?}"
    );
    let shown = sandbox.packager(["inspect", "--output=json", "x.run"]).stdout;
    assert!(shown.contains(r#""attestations":[{"certificates":"#), "{shown}");
    assert!(shown.contains(r#""unattested":"not-found""#), "{shown}");

    let outcome = sandbox.packager(["extract", "--to=parts", "x.run"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let files: Vec<_> = fs::read_dir(sandbox.path("parts/attestations"))
        .expect("a directory")
        .collect();
    // Three programs' signatures; of seven images a signature, what it signs, the list and
    // the manifest; one certificate as a file, and one as the registry has it, and an entry.
    assert_eq!(files.len(), 3 + 7 * 4 + 3);
    for file in files {
        let path = file.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(Digest::of(&bytes(&path)).hex(), name);
    }
}

#[test]
fn signatures_that_do_not_hold_are_all_named() {
    let Some((sandbox, authority, world)) = signed(KUBERNETES) else {
        return;
    };
    let refused_with = |sandbox: &Sandbox, root: Option<&Path>, words: &str, hint: &str| {
        let outcome = verify(sandbox, root);
        assert_eq!(outcome.status, 3, "{outcome:?}");
        assert!(outcome.stderr.contains(words), "`{words}` in {}", outcome.stderr);
        assert!(outcome.stderr.contains(hint), "{outcome:?}");
        outcome.stderr
    };
    let refused = |sandbox: &Sandbox, root: Option<&Path>, words: &str| {
        refused_with(sandbox, root, words, "hint: do not use the bundle")
    };
    // Another authority's certificate.
    pack(&world, &sandbox, &[]);
    let other = Authority::new(&sandbox.path("other"), KUBERNETES).expect("openssl");
    let words = "kubelet.sig` does not hold: its certificate does not lead to a trusted root: ";
    refused(
        &sandbox,
        Some(&other.root()),
        &words.replace("kubelet", "kubeadm"),
    );
    // The signature of another program, under a certificate that is right.
    world.change("/kubelet.sig", |signature| {
        *signature = authority.sign(b"another program").into_bytes();
    });
    world.change("/kubectl.sig", |signature| *signature = b"?".to_vec());
    pack(&world, &sandbox, &[]);
    // The checksums of both are their publisher's: it may be the one who is wrong.
    let published = " (so published: the packer found the part's SHA-256 at its publisher's)";
    let stderr = refused_with(
        &sandbox,
        Some(&authority.root()),
        &format!("kubelet.sig` does not hold: the certificate's key did not sign this{published}; "),
        "hint: the publisher may have signed it wrongly: ask the packer of the bundle",
    );
    let last = format!("kubectl.sig` does not hold: the signature is not base64{published}\n");
    assert!(stderr.contains(&last), "{stderr}");

    // Somebody who is not Kubernetes' release team, certified by the same authority.
    let (sandbox, authority, world) = signed("somebody@example.com").expect("openssl");
    pack(&world, &sandbox, &[]);
    refused(
        &sandbox,
        Some(&authority.root()),
        "kubeadm should be signed by Kubernetes' release team; it is by somebody@example.com (https://accounts.google.com)",
    );

    let usage = verify(&sandbox, Some(&sandbox.path("x.lock")));
    assert_eq!(usage.status, 2, "{usage:?}");
    assert!(
        usage
            .stderr
            .contains("should hold root certificates: there is no root certificate in it"),
        "{usage:?}"
    );
}

/// Sigstore's form of the root, which counts in this interval.
fn trusted_root(authority: &Authority, file: &Path, interval: &serde_json::Value) {
    let pem = fs::read_to_string(authority.root()).expect("a certificate");
    let raw: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let root = serde_json::json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "certificateAuthorities": [{
            "uri": "https://fulcio.example",
            "certChain": { "certificates": [{ "rawBytes": raw }] },
            "validFor": interval,
        }],
    });
    fs::write(file, root.to_string()).expect("a file");
}

#[test]
fn an_authority_counts_only_in_its_time() {
    let Some((sandbox, authority, world)) = signed(KUBERNETES) else {
        return;
    };
    pack(&world, &sandbox, &[]);
    let file = sandbox.path("trusted_root.json");
    let said = format!(
        "no authority in `{}` counts for the time of its certificate",
        file.display()
    );
    for (interval, until) in [
        (
            serde_json::json!({ "start": "2021-03-07T03:20:29.000Z", "end": "2021-12-31T23:59:59Z" }),
            "; the last one counts until 2021-12-31T23:59:59Z; ",
        ),
        (serde_json::json!({ "start": "2099-01-01T00:00:00Z" }), "; "),
    ] {
        trusted_root(&authority, &file, &interval);
        let outcome = verify(&sandbox, Some(&file));
        assert_eq!(outcome.status, 3, "{outcome:?}");
        let said = format!("kubeadm.sig` does not hold: {said}{until}");
        assert!(outcome.stderr.contains(&said), "{outcome:?}");
    }
    for interval in [
        serde_json::json!({ "start": "2021-03-07T03:20:29.000Z" }),
        serde_json::json!({ "start": "2021-03-07T03:20:29.000Z", "end": "2099-01-01T00:00:00.000Z" }),
        serde_json::Value::Null,
    ] {
        trusted_root(&authority, &file, &interval);
        let outcome = verify(&sandbox, Some(&file));
        assert_eq!(outcome.status, 0, "{outcome:?}");
    }
    trusted_root(&authority, &file, &serde_json::json!({ "end": "soon" }));
    let outcome = verify(&sandbox, Some(&file));
    assert_eq!(outcome.status, 2, "{outcome:?}");
    let said = "should hold root certificates: `soon` in it is no time\n";
    assert!(outcome.stderr.contains(said), "{outcome:?}");
}

/// A signature and an image that belong together, under another image's name.
#[test]
fn a_signed_image_under_another_ones_name_is_named() {
    let sandbox = Sandbox::new();
    let Some(authority) = Authority::new(&sandbox.path("authority"), KUBERNETES) else {
        return;
    };
    let pause: Mutex<std::collections::HashMap<String, Reply>> = Mutex::default();
    let world = World::build(Some(&authority), move |seen, reply| {
        let mut pause = pause.lock().expect("no panic");
        let target = seen.target.replace("/3.7.0-0", "/3.10.2");
        if seen.method == "GET" && target.contains("/k8s/pause/") {
            pause.insert(target.clone(), reply.clone());
        }
        let pauses = target.replace("/k8s/etcd/", "/k8s/pause/");
        pause.get(&pauses).cloned().unwrap_or(reply)
    });
    pack(&world, &sandbox, &[]);
    let root = authority.root();
    assert_eq!(verify(&sandbox, Some(&root)).status, 0);
    // Now everything of pause is there for etcd.
    let sandbox = Sandbox::new();
    pack(&world, &sandbox, &[]);
    let outcome = verify(&sandbox, Some(&root));
    assert_eq!(outcome.status, 3, "{outcome:?}");
    assert!(
        outcome.stderr.contains(
            ".sig` does not hold: it was made for `k8s/pause`, which is not registry.k8s.io/etcd:3.7.0-0"
        ),
        "{outcome:?}"
    );
}

/// Fails unless a locked pack that has to ask again says that this signature is not the
/// locked one any more.
fn locked_without_store_misses(world: &World, sandbox: &Sandbox, signature: &str) {
    fs::remove_dir_all(sandbox.path("home/.cache")).expect("the store");
    let outcome = world.pack(sandbox, VERSION, &["--locked"]);
    assert_eq!(outcome.status, 4, "{outcome:?}");
    let words = format!("{signature}: the lock has it, and there is another one now, or none");
    assert!(outcome.stderr.contains(&words), "{outcome:?}");
}

#[test]
fn a_lock_keeps_the_signatures_or_names_the_one_that_changed() {
    let Some((sandbox, authority, world)) = signed(KUBERNETES) else {
        return;
    };
    pack(&world, &sandbox, &[]);
    let first = bytes(&sandbox.path("x.run"));
    pack(&world, &sandbox, &["--locked"]);
    assert!(bytes(&sandbox.path("x.run")) == first);
    world.change("/kubelet.sig", |signature| {
        *signature = authority.sign(b"again").into_bytes();
    });
    // The store has what the lock names, whatever is signed by now.
    pack(&world, &sandbox, &["--locked"]);
    assert!(bytes(&sandbox.path("x.run")) == first);
    locked_without_store_misses(&world, &sandbox, "kubelet.sig");
}

#[test]
fn a_locked_pack_asks_nobody_for_what_the_store_has() {
    let Some((sandbox, _, world)) = signed(KUBERNETES) else {
        return;
    };
    pack(&world, &sandbox, &["--addon=greeter"]);
    let first = bytes(&sandbox.path("x.run"));
    let before = world.server.seen().len();
    pack(&world, &sandbox, &["--addon=greeter", "--locked"]);
    assert!(bytes(&sandbox.path("x.run")) == first);
    pack(&world, &sandbox, &["--addon=greeter", "--locked", "--offline"]);
    assert!(bytes(&sandbox.path("x.run")) == first);
    let since: Vec<String> = world.server.seen()[before..]
        .iter()
        .map(|seen| seen.target.clone())
        // To know which scheme an insecure registry speaks.
        .filter(|target| target != "/v2/")
        .collect();
    assert_eq!(since, Vec::<String>::new());

    // Given parts are carried with what the lock says was signed of them.
    let store = sandbox.path("home/.cache/minikube-offline/store/sha256");
    let kubelet = super::world::kubernetes_program("kubelet");
    let given = sandbox.path("kubelet");
    fs::write(&given, &kubelet).expect("a file");
    fs::set_permissions(&given, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("ours");
    fs::remove_file(store.join(Digest::of(&kubelet).hex())).expect("in the store");
    let offline = ["--addon=greeter", "--locked", "--offline", "--level=fast"];
    let missing = world.pack(&sandbox, VERSION, &offline);
    assert_eq!(missing.status, 2, "{missing:?}");
    assert!(
        missing
            .stderr
            .contains("/kubelet` is not in the store, and nothing may be downloaded"),
        "{missing:?}"
    );
    let given = format!("--binaries={}", given.display());
    pack(&world, &sandbox, &[&offline[..3], &[&given]].concat());
    let shown = sandbox.packager(["verify", "--attestations", "x.run"]);
    assert_eq!(shown.status, 0, "{shown:?}");
    assert!(shown.stdout.contains("\nkubelet: by "), "{shown:?}");
}

#[test]
fn a_lock_of_another_platform_needs_no_program_of_this_ones() {
    let (world, sandbox) = (World::new(), Sandbox::new());
    let there = other(Platform::of_this_machine().expect("a platform").arch);
    let platform = format!("--platform=linux/{}", there.name());
    let stub = format!("--stub={}", sandbox.stub_for(there).display());
    let pack = |more: &[&str]| {
        let flags = [&platform, "--addon=greeter", "--level=fast"];
        let mut arguments = world.arguments(VERSION, &[&flags[..], more].concat());
        arguments.retain(|argument| !argument.starts_with("--stub="));
        arguments.push(stub.clone());
        sandbox.packager(arguments)
    };
    let outcome = pack(&[]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let first = bytes(&sandbox.path("x.run"));
    // What was fetched for this platform, to be asked, is not in the bundle: it goes.
    let lock = fs::read_to_string(sandbox.path("x.lock")).expect("a lock");
    let store = sandbox.path("home/.cache/minikube-offline/store/sha256");
    let mut gone = 0;
    for entry in fs::read_dir(&store).expect("a store") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if !lock.contains(&name) && fs::metadata(&path).expect("ours").len() > 1 << 20 {
            fs::remove_file(&path).expect("ours");
            gone += 1;
        }
    }
    assert!(gone > 0, "no program was asked");
    let again = pack(&["--locked", "--offline"]);
    assert_eq!(again.status, 0, "{again:?}");
    assert!(bytes(&sandbox.path("x.run")) == first);
    // What the lock does not have is not left away in silence.
    let more = pack(&["--addon=other", "--locked", "--offline"]);
    assert_eq!(more.status, 2, "{more:?}");
}

#[test]
fn a_lock_that_was_resolved_packs_the_same_signatures_for_two_platforms() {
    let Some((sandbox, _, world)) = signed(KUBERNETES) else {
        return;
    };
    let arch = Platform::of_this_machine().expect("a platform").arch;
    let stub = format!("--stub={}", sandbox.stub_for(other(arch)).display());
    let both = "--platform=linux/amd64,linux/arm64";
    let outcome = world.resolve(&sandbox, VERSION, &[both]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    pack(&world, &sandbox, &[both, &stub, "--locked"]);
    let locked = bytes(&sandbox.path("x.run"));
    pack(&world, &sandbox, &[both, &stub]);
    assert!(bytes(&sandbox.path("x.run")) == locked);
    let outcome = verify(&sandbox, None);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    for part in ["kubelet", "registry.k8s.io/pause:3.10.2"] {
        for platform in ["linux/amd64", "linux/arm64"] {
            let says = format!("\n{part} for {platform}: by {KUBERNETES} ");
            assert!(outcome.stdout.contains(&says), "`{says}` in {}", outcome.stdout);
        }
    }
    // A platform's own, and those that were there before.
    let mut files = Vec::new();
    for _ in 0..2 {
        let outcome = sandbox.packager(["extract", "--to=parts", "--platform=linux/arm64", "x.run"]);
        assert_eq!(outcome.status, 0, "{outcome:?}");
        files.push(
            fs::read_dir(sandbox.path("parts/attestations"))
                .expect("a directory")
                .count(),
        );
    }
    // As below for one platform, and the config of etcd's as it was signed.
    assert_eq!(files, [3 + 7 * 4 + 3 + 1; 2]);
}

#[test]
fn a_part_without_a_signature_is_packed_and_what_is_signed_later_is_not_in_its_lock() {
    let sandbox = Sandbox::new();
    let Some(authority) = Authority::new(&sandbox.path("authority"), KUBERNETES) else {
        return;
    };
    let later = Arc::new(AtomicBool::new(false));
    let is_later = Arc::clone(&later);
    let world = World::build(Some(&authority), move |seen, reply| {
        let unsigned = ["/kubelet.sig", "/kubectl.cert"];
        let is_missing = unsigned.iter().any(|end| seen.target.ends_with(end));
        if is_missing && !is_later.load(Ordering::Relaxed) {
            return Reply::status(404);
        }
        reply
    });
    pack(&world, &sandbox, &[]);
    let first = bytes(&sandbox.path("x.run"));
    let outcome = verify(&sandbox, Some(&authority.root()));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let says = "\nwithout a signature: minikube, kubelet, kubectl, gcr.io/";
    assert!(outcome.stdout.contains(says), "{}", outcome.stdout);

    later.store(true, Ordering::Relaxed);
    pack(&world, &sandbox, &["--locked"]);
    assert!(bytes(&sandbox.path("x.run")) == first);
    world.remove("/kubeadm.cert");
    locked_without_store_misses(&world, &sandbox, "kubeadm.sig");
}

#[test]
fn an_image_under_another_ones_signature_is_named_and_a_server_that_fails_is_noted() {
    let sandbox = Sandbox::new();
    let Some(authority) = Authority::new(&sandbox.path("authority"), KUBERNETES) else {
        return;
    };
    // The signature of pause stands for etcd's.
    let is_signature = |seen: &Seen, of: &str| seen.target.contains(of) && seen.target.contains("/sha256-");
    let pause = Mutex::new(None);
    let world = World::build(Some(&authority), move |seen, reply| {
        let mut pause = pause.lock().expect("no panic");
        if is_signature(seen, "/k8s/etcd/manifests/") {
            return pause.clone().unwrap_or(Reply::status(404));
        }
        if is_signature(seen, "/k8s/pause/manifests/") {
            *pause = Some(reply.clone());
        }
        reply
    });
    // First pause's comes, then it is there for etcd.
    pack(&world, &sandbox, &[]);
    pack(&world, &sandbox, &[]);
    let outcome = verify(&sandbox, Some(&authority.root()));
    assert_eq!(outcome.status, 3, "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("error: the signature of registry.k8s.io/etcd:3.7.0-0 from `http://")
            && outcome.stderr.contains(
                ".sig` does not hold: it was made for `k8s/pause`, which is not registry.k8s.io/etcd:3.7.0-0"
            ),
        "{}",
        outcome.stderr
    );
    assert_eq!(outcome.stderr.matches("error: ").count(), 1, "{}", outcome.stderr);
    // Without being asked nobody looks.
    assert_eq!(sandbox.packager(["verify", "--deep", "x.run"]).status, 0);

    let failing = World::build(Some(&authority), |seen, reply| {
        if seen.target.ends_with("/kubelet.sig") {
            // Which is not tried again.
            return Reply::status(501);
        }
        reply
    });
    let outcome = failing.pack(&Sandbox::new(), VERSION, &["--level=fast"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let note = "/kubelet.sig` answered 501: going on without the signatures of publishers that kubelet does not give\n";
    assert!(outcome.stderr.contains(note), "{}", outcome.stderr);
}

#[test]
fn cosign_itself_finds_the_extracted_signature_good() {
    if !Path::new("/usr/bin/cosign").exists() {
        report("skipped: cosign is not installed");
        return;
    }
    let Some((sandbox, authority, world)) = signed(KUBERNETES) else {
        return;
    };
    pack(&world, &sandbox, &[]);
    assert_eq!(sandbox.packager(["extract", "--to=parts", "x.run"]).status, 0);
    let shown = sandbox.packager(["inspect", "--output=json", "x.run"]).stdout;
    let shown: serde_json::Value = serde_json::from_str(shown.lines().last().expect("a line")).expect("json");
    let file = |digest: &serde_json::Value| {
        let hex = digest.as_str().expect("a digest").trim_start_matches("sha256:");
        format!("parts/attestations/{hex}")
    };
    let cosign = |signature: &serde_json::Value, content: &str| {
        sandbox.run(Command::new("/usr/bin/cosign").args([
            "verify-blob",
            "--insecure-ignore-tlog",
            "--insecure-ignore-sct",
            &format!("--ca-roots={}", authority.root().display()),
            &format!("--certificate-identity={KUBERNETES}"),
            &format!("--certificate-oidc-issuer={GOOGLE}"),
            &format!("--certificate={}", file(&signature["certificates"][0])),
            &format!("--signature={}", file(&signature["signature"])),
            content,
        ]))
    };
    let kubelet = &shown["index"]["binaries"][2];
    assert_eq!(kubelet["role"], "kubelet");
    let signature = &kubelet["origin"]["attestations"][0];
    let good = cosign(signature, "parts/bin/kubelet");
    assert_eq!(good.status, 0, "{good:?}");
    assert_ne!(cosign(signature, "parts/bin/kubectl").status, 0);
    // Of an image the first document is what is signed.
    let images = shown["index"]["images"].as_array().expect("images");
    let pause = images.last().expect("an image");
    assert_eq!(pause["reference"], "registry.k8s.io/pause:3.10.2");
    let signature = &pause["origin"]["attestations"][0];
    let good = cosign(signature, &file(&signature["documents"][0]));
    assert_eq!(good.status, 0, "{good:?}");
    assert_ne!(cosign(signature, &file(&signature["documents"][1])).status, 0);
}
