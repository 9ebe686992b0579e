//! Lists in messages.

use crate::bundle::Platform;
use crate::fetch::Need;

pub(super) fn any_of(platforms: &[Platform]) -> String {
    let names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    names.join(" or ")
}

pub(super) fn listed_needs(needs: &[Need]) -> String {
    let needs: Vec<String> = needs
        .iter()
        .filter(|need| need.bytes > 0)
        .map(ToString::to_string)
        .collect();
    match &needs[..] {
        [one] => format!("{one} are"),
        several => format!("{} are", several.join(" and ")),
    }
}

pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => "none with a name".to_owned(),
        names => names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}
