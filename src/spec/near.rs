//! What somebody may have meant who wrote something else.

use std::cmp::Reverse;

/// The names that are like `name`, the likest first, by the measure that clap has for
/// flags.
pub(crate) fn near<'a>(name: &str, names: &[&'a str]) -> impl Iterator<Item = &'a str> + use<'a> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and 1
    let likeness = |other: &str| (strsim::jaro(name, other) * 1000.0) as u32;
    let mut likely: Vec<(u32, &str)> = names.iter().map(|other| (likeness(other), *other)).collect();
    likely.retain(|(likeness, _)| *likeness > 700);
    likely.sort_by_key(|(likeness, other)| (Reverse(*likeness), *other));
    likely.into_iter().map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likest_name_comes_first_and_an_unlike_one_never() {
        let names = ["ingress-dns", "ingress", "registry", "metrics-server"];
        assert_eq!(
            near("ingres", &names).collect::<Vec<_>>(),
            ["ingress", "ingress-dns"]
        );
        assert_eq!(near("zzz", &names).count(), 0);
    }
}
