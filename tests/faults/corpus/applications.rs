//! Applications: a release's name becomes an argument, and a chart is a file of the bundle.

use minikube_offline::bundle::{BinaryRole, BundleIndex, FileRole};

use super::Case;
use crate::draft::{Contents, Draft};

const NAME: &str = "an application has the release";
const FILES: &str = "the applications name other charts and values than there are";
const ROLES: &str = "there is not one program for each platform and role";

/// A bundle with two applications, spoilt.
fn case(name: &str, says: &str, spoil: impl Fn(&mut BundleIndex) + Sync + 'static) -> Case {
    Case::draft(format!("applications: {name}"), says, move |draft| {
        *draft = Draft::of(&Contents::with_applications());
        spoil(&mut draft.index);
    })
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("a release twice", "there are two releases `web`", |index| {
            "web".clone_into(&mut index.applications[1].release);
        }),
        case("a chart that is not there", FILES, |index| {
            "other.tgz".clone_into(&mut index.applications[1].chart);
        }),
        case("values that are not there", FILES, |index| {
            index.applications[1].values.push("other.yaml".to_owned());
        }),
        case("values that nobody uses", FILES, |index| {
            index.applications[0].values.clear();
        }),
        case("a chart as values", "no part needs", |index| {
            index.files[1].role = FileRole::Values;
        }),
        case("charts without applications", ROLES, |index| {
            index.applications.clear();
        }),
        case("no Helm", "no part needs", |index| {
            index.binaries.retain(|binary| binary.role != BinaryRole::Helm);
        }),
    ];
    let long = "x".repeat(64);
    for name in [
        "", "--debug", "Web", "a b", "a/b", "-a", "a-", "a\n", "\u{e4}", "a..b", &long,
    ] {
        let release = name.to_owned();
        cases.push(case(&format!("the release {name:?}"), NAME, move |index| {
            index.applications[0].release.clone_from(&release);
        }));
        let namespace = name.to_owned();
        cases.push(case(&format!("the namespace {name:?}"), NAME, move |index| {
            index.applications[0].namespace.clone_from(&namespace);
        }));
    }
    cases
}
