//! `verify --attestations`: who signed the parts, and what of that is proven.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::console::Console;
use crate::attestations::{self, Roots, SignedPart};
use crate::failure::Failure;
use crate::verify::VerifiedBundle;

/// What was found, for a person and for a program; nothing when it was not asked for.
pub(super) fn checked(
    is_asked_for: bool,
    roots: Option<&Path>,
    bundle: &VerifiedBundle,
    console: &Console,
) -> Result<Option<(String, Value)>, Failure> {
    if !is_asked_for {
        return Ok(None);
    }
    let roots = roots.map(Roots::load).transpose()?;
    let parts = attestations::check(bundle, roots.as_ref(), console)?;
    let lines = describe(&parts, roots.is_some());
    Ok(Some((lines, parts.iter().map(fields).collect())))
}

fn fields(part: &SignedPart) -> Value {
    let signers = part.signers.iter().map(|signer| {
        json!({
            "identity": signer.identity,
            "issuer": signer.issuer,
            "not_before": signer.not_before,
            "not_after": signer.not_after,
            "has_root": signer.has_root,
        })
    });
    json!({ "part": part.name, "signers": signers.collect::<Vec<_>>() })
}

fn describe(parts: &[SignedPart], has_roots: bool) -> String {
    let mut text = "What the publishers signed\n".to_owned();
    for part in parts {
        for signer in &part.signers {
            let _ = writeln!(
                text,
                "{}: by {} ({}), with a key that was certified from {} to {}",
                part.name, signer.identity, signer.issuer, signer.not_before, signer.not_after
            );
        }
    }
    let unsigned: Vec<&str> = parts
        .iter()
        .filter(|part| part.signers.is_empty())
        .map(|part| part.name.as_str())
        .collect();
    if !unsigned.is_empty() {
        let _ = writeln!(text, "without a signature: {}", unsigned.join(", "));
    }
    if unsigned.len() == parts.len() {
        text += "nothing is proven: no part has a signature of its publisher's";
        return text;
    }
    text += if has_roots {
        "proven: the keys in these certificates signed these parts, and a given root certified them\n"
    } else {
        "proven: the keys in these certificates signed these parts\n\
         not proven: who certified the keys; `--trusted-root FILE` names who may\n"
    };
    text += "not proven: version: a signature of an image names its repository and no tag, one of a binary neither its \
             name nor its version\n";
    text += "not proven: that they signed while the certificates were valid, which only a log of signatures knows";
    text
}
