//! `inspect --sbom`.

use cyclonedx_bom::prelude::*;
use minikube_offline::bundle::Digest;
use serde_json::Value;

use crate::support::program::Sandbox;

#[test]
fn the_bill_of_materials_names_every_part_and_is_valid() {
    let sandbox = Sandbox::new();
    sandbox.sample_bundle("b.run");
    let outcome = sandbox.packager(["inspect", "b.run", "--sbom"]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert!(outcome.stderr.contains("integrity only"), "{outcome:?}");
    let bom = Bom::parse_from_json_v1_5(outcome.stdout.as_bytes()).expect("CycloneDX");
    let judged = bom.validate_version(SpecVersion::V1_5);
    assert!(judged.passed(), "{judged:#?}");

    let value: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let listed = sandbox.packager(["list", "b.run"]).stdout;
    let components = value["components"].as_array().expect("components");
    assert_eq!(components.len(), listed.lines().count());
    for line in listed.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let found = components.iter().any(|component| {
            let named = component["bom-ref"]
                .as_str()
                .is_some_and(|named| named.starts_with(cells[1]));
            let hex = Digest::parse(cells[3]).expect("a digest").hex();
            named && component.to_string().contains(&hex)
        });
        assert!(found, "{line}");
    }
    // Twice the same, and one object of a line for a program.
    assert_eq!(
        sandbox.packager(["inspect", "b.run", "--sbom"]).stdout,
        outcome.stdout
    );
    let json = sandbox.packager(["inspect", "b.run", "--sbom", "--output", "json"]);
    let last: Value = serde_json::from_str(json.stdout.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["kind"], &last["sbom"]), (&"done".into(), &value));
}
