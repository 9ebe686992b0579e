//! A program that another one takes the place of in the store, once it was compared.

use std::fs;

use minikube_offline::bundle::Digest;

use super::world::{VERSION, World, kubernetes_program};
use crate::support::program::Sandbox;
use crate::swapped::swap;

#[test]
fn a_program_that_is_replaced_in_the_store_is_not_packed() {
    let world = World::new();
    let right = Digest::of(&kubernetes_program("kubelet"));
    let evil = [kubernetes_program(" evil "), b"kubelet".to_vec()].concat();
    for round in 0..3 {
        let sandbox = Sandbox::new();
        let store = sandbox.path("home/.cache/minikube-offline/store/sha256");
        fs::create_dir_all(&store).unwrap();
        fs::write(sandbox.path("evil"), &evil).unwrap();
        let swapper = swap(&store.join(right.hex()), &sandbox.path("evil"));
        let outcome = world.pack(&sandbox, VERSION, &["--level=fast"]);
        swapper.join().expect("exchanged");
        assert_eq!(fs::read(store.join(right.hex())).unwrap(), evil, "round {round}");
        if outcome.status == 0 {
            // It was open already.
            let listed = sandbox.packager(["list", "x.run", "--no-header"]).stdout;
            let kubelet = listed.lines().find(|line| line.contains("\tkubelet\t"));
            assert!(kubelet.expect("kubelet").contains(&right.to_string()), "{listed}");
        } else {
            let said = format!(
                "should have {right}, as it was downloaded; it has {}\n",
                Digest::of(&evil)
            );
            assert_eq!(outcome.status, 4, "{outcome:?}");
            assert!(outcome.stderr.contains(&said), "{outcome:?}");
        }
    }
}
