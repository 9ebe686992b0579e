//! `verify`: nothing is used, everything is compared.

use std::path::Path;

use serde_json::{Value, json};

use super::authenticity::{describe, fields};
use super::console::Console;
use super::path_value::path_value;
use super::volumes::counted;
use crate::failure::{Failure, Kind};
use crate::shown::human_bytes;
use crate::trust::Authenticity;
use crate::verify::OpenedBundle;

#[derive(clap::Args, Debug)]
pub(super) struct VerifyArgs {
    /// Also decode the payload, and check every part and every image
    #[arg(long)]
    deep: bool,
    /// Fail with exit code 3 unless a trusted key signed the bundle
    #[arg(long)]
    require_signature: bool,
    /// Also check the publishers' signatures that the bundle carries
    #[cfg(feature = "packager")]
    #[arg(long)]
    attestations: bool,
    /// Issuers of signers' certificates: Sigstore's `trusted_root.json`, or PEM
    #[cfg(feature = "packager")]
    #[arg(long, value_name = "FILE", requires = "attestations")]
    trusted_root: Option<std::path::PathBuf>,
}

/// Verifies one bundle.
pub(super) fn run(args: &VerifyArgs, bundle: OpenedBundle, console: &Console) -> Result<(), Failure> {
    let path = bundle.path().to_owned();
    match checked(args, bundle, console) {
        Ok((text, mut value)) => {
            value["bundles"] = json!([value.clone()]);
            console.result(&text, &value)
        }
        Err(failure) => {
            if console.is_json() {
                console.result("", &json!({ "bundles": [failed(&path, &failure)] }))?;
            }
            Err(failure)
        }
    }
}

/// Verifies several bundles, each whatever was found in those before it.
#[cfg(feature = "packager")]
pub(super) fn several(
    args: &VerifyArgs,
    bundles: &[std::path::PathBuf],
    open: impl Fn(&Path) -> Result<OpenedBundle, Failure>,
    console: &Console,
) -> Result<(), Failure> {
    let (mut lines, mut values, mut worst) = (Vec::new(), Vec::new(), None);
    for path in bundles {
        let shown = path.display();
        match open(path).and_then(|bundle| checked(args, bundle, console)) {
            Ok((_, value)) => {
                let bytes = human_bytes(value["total_bytes"].as_u64().unwrap_or(0));
                let signed = value["key_id"]
                    .as_str()
                    .filter(|_| value["authenticity"] == "signed");
                let signed =
                    signed.map_or_else(|| "not signed".to_owned(), |key| format!("signed with key {key}"));
                lines.push(format!("{shown}: OK ({bytes}, {signed})"));
                values.push(value);
            }
            Err(failure) if matches!(failure.kind, Kind::Interrupted | Kind::Terminated) => {
                return Err(failure);
            }
            Err(failure) => {
                lines.push(format!(
                    "{shown}: FAILED ({}): {}",
                    failure.kind.name(),
                    failure.error
                ));
                if !console.is_json() {
                    console.failure(&failure);
                }
                values.push(failed(path, &failure));
                let is_worse = |kind: &Kind| failure.kind.exit_code() > kind.exit_code();
                if worst.as_ref().is_none_or(is_worse) {
                    worst = Some(failure.kind);
                }
            }
        }
    }
    let bad = values.iter().filter(|value| value["status"] == "failed").count();
    console.result(&lines.join("\n"), &json!({ "bundles": values }))?;
    match worst {
        None => Ok(()),
        Some(kind) => {
            let message = format!("cannot accept {bad} of {} bundles", bundles.len());
            Err(Failure::new(kind, message)
                .hint("each failure is reported above; the exit code is the highest of them"))
        }
    }
}

/// A bundle that was not accepted, for a program.
fn failed(path: &Path, failure: &Failure) -> Value {
    json!({
        "bundle": path_value(path),
        "status": "failed",
        "kind": failure.kind.name(),
        "message": failure.error.to_string(),
        "causes": failure.causes(),
        "hint": (!failure.hints.is_empty()).then(|| failure.hints.join("\n")),
    })
}

/// The result for a person and for a program.
fn checked(args: &VerifyArgs, bundle: OpenedBundle, console: &Console) -> Result<(String, Value), Failure> {
    // One that a pinned or given key did not sign was refused when it was opened.
    if args.require_signature && !matches!(bundle.authenticity(), Ok(Authenticity::Signed(_))) {
        let why = format!(
            "cannot accept `{}`: no trusted key signed it",
            bundle.path().display()
        );
        let fix = "name the packer's key with `--key FILE`, or pin it with `trust add`; an unsigned bundle is signed \
                   with `minikube-offline sign`";
        return Err(Failure::new(Kind::NotAuthentic, why).hint(fix));
    }
    let bundle = bundle.verify(console)?;
    if args.deep {
        if bundle.index().is_split() {
            bundle.verify_volumes(console)?;
        }
        bundle.verify_parts(console)?;
    }
    bundle.tell_misread(console);
    let authenticity = Ok(bundle.authenticity());
    let volumes = bundle.index().volumes.len();
    let whole = match volumes {
        0 => "is whole".to_owned(),
        _ => format!("and its {} are whole", counted(volumes)),
    };
    #[cfg(feature = "packager")]
    let attestations =
        super::attestations::checked(args.attestations, args.trusted_root.as_deref(), &bundle, console)?;
    let text = format!(
        "`{}` {whole}: {} bytes ({}), all checksums match\n{}",
        bundle.path().display(),
        bundle.total_bytes(),
        human_bytes(bundle.total_bytes()),
        describe(authenticity),
    );
    let mut value = json!({
        "bundle": path_value(bundle.path()),
        "status": "ok",
        "total_bytes": bundle.total_bytes(),
        "volumes": volumes,
        "deep": args.deep,
    });
    fields(authenticity, &mut value);
    #[cfg(feature = "packager")]
    let text = match attestations {
        Some((lines, parts)) => {
            value["attestations"] = parts;
            format!("{text}\n\n{lines}")
        }
        None => text,
    };
    Ok((text, value))
}
