//! Names of parts that are taken unverified: which can be meant.

use super::{ImageSource, PartialSpec, SpecError, near};
use crate::bundle::{BinaryRole, ImageReference};

/// Whether `accepted` is the name of this part, a program's or an image's: `nginx` is
/// `docker.io/library/nginx:latest`.
pub(crate) fn is_accepted(accepted: &str, part: &str) -> bool {
    let full = |name: &str| ImageReference::parse(name).ok();
    accepted == part || !is_program(part) && full(accepted).is_some_and(|name| full(part) == Some(name))
}

fn is_program(name: &str) -> bool {
    BinaryRole::ALL.iter().any(|role| role.name() == name)
}

/// Fails when a name of `--accept-unverified` can be no part's: it is no program's, and no
/// image's. A short one must be that of an image which is asked for; the others are known
/// when all images are.
pub fn check_accepted(asked: &PartialSpec) -> Result<(), SpecError> {
    let images = [&asked.images, &asked.kicbase].into_iter().flatten().flatten();
    let images: Vec<String> = images
        .filter_map(|image| match image {
            ImageSource::Docker { reference, .. } => Some(reference.to_string()),
            _ => None,
        })
        .collect();
    for name in &asked.sources.accept_unverified {
        let is_name = ImageReference::parse(name).is_ok();
        let may_be_listed = is_name && name.contains('/');
        let is_place = asked.sources.images_place() == Some(name);
        if is_program(name)
            || is_place
            || may_be_listed
            || images.iter().any(|image| is_accepted(name, image))
        {
            continue;
        }
        let programs = BinaryRole::ALL.iter().map(|role| role.name());
        let known: Vec<&str> = programs.chain(images.iter().map(String::as_str)).collect();
        return Err(SpecError::Accepted {
            name: name.chars().take(200).collect(),
            near: near(name, &known).next().map(str::to_owned),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_part_can_have_is_refused_with_the_nearest() {
        let refused = |name: &str| {
            let mut asked = PartialSpec {
                images: Some(vec!["docker://nginx".parse().expect("an image")]),
                ..PartialSpec::default()
            };
            asked.sources.accept_unverified = vec![name.to_owned()];
            check_accepted(&asked).err().map(|error| error.to_string())
        };
        for name in [
            "kubectl",
            "nginx",
            "nginx:latest",
            "registry.k8s.io/pause:3.10",
            "r.example/app:1",
        ] {
            assert_eq!(refused(name), None, "{name}");
        }
        for (name, words) in [
            (
                "nonsense",
                "`nonsense`, which `--accept-unverified` names, is none of the parts",
            ),
            ("kubectll", "did you mean `kubectl`?"),
            ("Upper/x", "`Upper/x`"),
            ("", "``"),
        ] {
            let said = refused(name).expect(name);
            assert!(said.contains(words), "{said}");
        }
    }
}
