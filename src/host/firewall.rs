//! Whether firewalld rules this machine's network.

use std::fs;

/// firewalld, as far as its files say.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Firewalld {
    /// Whether it runs.
    pub runs: bool,
    /// Whether it writes its rules with nftables, which is its default.
    pub nftables: bool,
}

impl Firewalld {
    /// Of this machine. Source: firewalld(1), its `PIDFile`; firewalld.conf(5),
    /// `FirewallBackend`.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let conf = fs::read_to_string("/etc/firewalld/firewalld.conf").unwrap_or_default();
        Self {
            runs: fs::metadata("/run/firewalld.pid").is_ok(),
            nftables: !uses_iptables(&conf),
        }
    }
}

fn uses_iptables(conf: &str) -> bool {
    let mut lines = conf.lines().filter_map(|line| line.split_once('='));
    lines.any(|(name, value)| name.trim() == "FirewallBackend" && value.trim() == "iptables")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backend_is_nftables_unless_its_file_says_otherwise() {
        for (conf, iptables) in [
            ("", false),
            ("DefaultZone=public\nFirewallBackend=nftables\n", false),
            ("# FirewallBackend=iptables\n", false),
            ("FirewallBackend = iptables\n", true),
        ] {
            assert_eq!(uses_iptables(conf), iptables, "{conf}");
        }
    }
}
