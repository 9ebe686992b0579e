//! The networks that the engine has on this machine.

use super::{Engine, EngineError};
use crate::host::Subnet;

impl Engine {
    /// The IPv4 ranges of the engine's networks, with the networks' names.
    pub fn subnets(&self) -> Result<Vec<(String, Subnet)>, EngineError> {
        let ids = self.request(&["network", "ls", "--quiet"])?.stdout;
        let format = "{{.Name}}{{range .IPAM.Config}} {{.Subnet}}{{end}}";
        let mut arguments = vec!["network", "inspect", "--format", format];
        arguments.extend(ids.split_whitespace());
        if arguments.len() == 4 {
            return Ok(Vec::new());
        }
        Ok(parse_subnets(&self.request(&arguments)?.stdout))
    }
}

fn parse_subnets(text: &str) -> Vec<(String, Subnet)> {
    text.lines()
        .flat_map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next().unwrap_or_default();
            // IPv6 ranges are none of ours.
            words.filter_map(move |word| Some((name.to_owned(), word.parse().ok()?)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_answers_are_read() {
        let text = "bridge 172.17.0.0/16\nhost\nboth fd00::/64 192.168.49.0/24\n";
        let subnets: Vec<String> = parse_subnets(text)
            .iter()
            .map(|(name, subnet)| format!("{name} {subnet}"))
            .collect();
        assert_eq!(subnets, ["bridge 172.17.0.0/16", "both 192.168.49.0/24"]);
    }
}
