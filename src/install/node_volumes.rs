//! Which of the journal's volumes belong to the nodes of a profile.

use super::Receipt;
use crate::minikube::may_be_node_of;

impl Receipt {
    /// The names of the volumes that we made for the nodes of one profile, or of every one.
    #[must_use]
    pub fn volumes_of_those(&self, profile: Option<&str>) -> Vec<String> {
        match profile {
            Some(profile) => self.volumes_of(profile),
            None => self.volumes().keys().cloned().collect(),
        }
    }

    /// The names of the volumes that we made for the nodes of a profile.
    #[must_use]
    pub fn volumes_of(&self, profile: &str) -> Vec<String> {
        let others = |name: &str| name != profile && self.profiles().contains_key(name);
        let names = self.volumes().keys();
        let names = names.filter(|name| may_be_node_of(profile, name) && !others(name));
        names.cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::Event;

    #[test]
    fn a_profile_with_the_name_of_a_node_keeps_its_volume() {
        let mut receipt = Receipt::default();
        for name in ["dev", "dev-m02", "dev-m03", "other"] {
            receipt.apply(Event::Volume {
                name: name.into(),
                nonce: "n".into(),
            });
        }
        assert_eq!(receipt.volumes_of("dev"), ["dev", "dev-m02", "dev-m03"]);
        receipt.apply(Event::Profile {
            name: "dev-m02".into(),
            minikube_home: "/home".into(),
            kubeconfig: None,
        });
        assert_eq!(receipt.volumes_of("dev"), ["dev", "dev-m03"]);
        assert_eq!(receipt.volumes_of("dev-m02"), ["dev-m02"]);
    }
}
