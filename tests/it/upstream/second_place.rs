//! The node image from where minikube itself looks for it next.

use super::world::{VERSION, World};
use crate::support::program::Sandbox;
use crate::support::server::Reply;

const FIRST: &str = "/v2/k8s-minikube/kicbase/";
const SECOND: &str = "/v2/hub/kicbase/stable/";

#[test]
fn a_node_image_that_its_registry_does_not_give_comes_from_docker_hub() {
    for status in [401, 403, 503] {
        let world = World::with(move |seen, reply| {
            if seen.target.starts_with(FIRST) {
                Reply::status(status)
            } else {
                reply
            }
        });
        let sandbox = Sandbox::new();
        let packed = world.pack(&sandbox, VERSION, &["--level=fast"]);
        assert_eq!(packed.status, 0, "{status}: {packed:?}");
        assert!(world.server.count(SECOND) >= 3, "{status}");
        let note = format!("answered {status}: ");
        assert!(packed.stderr.contains(&note), "{packed:?}");
        assert!(
            packed.stderr.contains(" going on with the next place\n"),
            "{packed:?}"
        );
    }
}

#[test]
fn a_node_image_that_is_there_is_not_looked_for_elsewhere() {
    let world = World::new();
    let resolved = world.resolve(&Sandbox::new(), VERSION, &[]);
    assert_eq!(resolved.status, 0, "{resolved:?}");
    assert_eq!(world.server.count("kicbase/stable"), 0);
}

#[test]
fn a_node_image_without_a_digest_is_what_its_registry_says() {
    let world = World::with(|seen, reply| {
        if seen.target.starts_with(FIRST) {
            Reply::status(403)
        } else {
            reply
        }
    });
    let named = "--kicbase=docker://gcr.io/k8s-minikube/kicbase:v0.0.51";
    let resolved = world.resolve(&Sandbox::new(), VERSION, &[named]);
    assert_eq!(resolved.status, 5, "{resolved:?}");
    assert_eq!(world.server.count("kicbase/stable"), 0);
}
