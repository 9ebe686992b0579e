//! Who made a bundle, said to a person and to a program.

use serde_json::{Value, json};

use crate::bundle::INDEX_COMMENT;
use crate::trust::{Authenticity, Refusal};
use crate::verify::OpenedBundle;

/// One line that says who made it, as far as is known.
pub(super) fn describe(authenticity: Result<&Authenticity, Refusal>) -> String {
    match authenticity {
        Ok(Authenticity::Signed(by)) => format!(
            "signed with key {} (`{}`), trusted comment `{INDEX_COMMENT}`",
            by.key.key_id(),
            by.origin
        ),
        Ok(Authenticity::IntegrityOnly { claimed: None }) => {
            "integrity only: it is not signed, and no key is trusted here; digests guard against damage, \
             not against a forger"
                .to_owned()
        }
        Ok(Authenticity::IntegrityOnly {
            claimed: Some(key_id),
        }) => format!(
            "integrity only: it names the key {key_id}, unchecked, since no key is trusted here; digests guard \
             against damage, not against a forger"
        ),
        Err(refusal) => format!("NOT AUTHENTIC: {refusal}"),
    }
}

/// The same in a few words, for a bundle whose origin is not verified; `inspect` has the rest.
pub(super) fn warning(bundle: &OpenedBundle) -> Option<String> {
    match bundle.authenticity() {
        Ok(Authenticity::Signed(_)) => None,
        Ok(Authenticity::IntegrityOnly { claimed: None }) => {
            Some("not signed: its origin is not verified".to_owned())
        }
        Ok(Authenticity::IntegrityOnly {
            claimed: Some(key_id),
        }) => Some(format!(
            "its signature by key {key_id} is not verified: no key is trusted here"
        )),
        refused => Some(describe(refused)),
    }
}

/// Adds the same to the last object of `--output json`.
pub(super) fn fields(authenticity: Result<&Authenticity, Refusal>, value: &mut Value) {
    let (name, key_id) = match authenticity {
        Ok(Authenticity::Signed(by)) => {
            value["trusted_comment"] = json!(INDEX_COMMENT);
            value["trusted_by"] = json!(by.origin);
            ("signed", Some(by.key.key_id()))
        }
        Ok(Authenticity::IntegrityOnly { claimed }) => {
            value["claimed_key_id"] = json!(claimed.map(|key_id| key_id.to_string()));
            ("integrity-only", None)
        }
        Err(refusal) => {
            value["refusal"] = json!(refusal.to_string());
            ("not-authentic", None)
        }
    };
    value["authenticity"] = json!(name);
    value["key_id"] = json!(key_id.map(|key_id| key_id.to_string()));
}
