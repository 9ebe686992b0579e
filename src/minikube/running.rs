//! The nodes of minikube that run in an engine.

use super::{CREATED_BY, NAME};
use crate::docker::{Engine, EngineError};

/// A node of minikube that runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MinikubeNode {
    /// Its profile.
    pub profile: String,
    /// The most memory that it may use, in bytes; 0 for all.
    pub memory_bytes: u64,
}

/// Those of all profiles.
pub(crate) fn running_nodes(engine: &Engine) -> Result<Vec<MinikubeNode>, EngineError> {
    let created = format!("label={CREATED_BY}=true");
    let ids = engine
        .request(&["container", "ls", "--quiet", "--filter", &created])?
        .stdout;
    let format = format!(r#"{{{{index .Config.Labels "{NAME}"}}}} {{{{.HostConfig.Memory}}}}"#);
    let mut arguments = vec!["container", "inspect", "--format", &format];
    arguments.extend(ids.split_whitespace());
    if arguments.len() == 4 {
        return Ok(Vec::new());
    }
    Ok(parse_nodes(&engine.request(&arguments)?.stdout))
}

fn parse_nodes(text: &str) -> Vec<MinikubeNode> {
    text.lines()
        .filter_map(|line| {
            let (profile, memory) = line.trim().rsplit_once(' ')?;
            Some(MinikubeNode {
                profile: profile.to_owned(),
                memory_bytes: memory.parse().ok()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_answer_is_read() {
        let nodes = parse_nodes("minikube 3221225472\n0\n");
        assert_eq!(nodes.len(), 1);
        assert_eq!(
            (nodes[0].profile.as_str(), nodes[0].memory_bytes),
            ("minikube", 3 << 30)
        );
    }
}
