//! `verify`: nothing is used, everything is compared.

use serde_json::json;

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
    /// Also decode the payload: compare every part, and every image with its config
    #[arg(long)]
    deep: bool,
    /// Fail (3) unless a trusted key signed the bundle: for gates where no key is pinned yet
    #[arg(long)]
    require_signature: bool,
    /// Also check the publishers' own signatures that the bundle carries
    #[cfg(feature = "packager")]
    #[arg(long)]
    attestations: bool,
    /// Who may issue certificates to signers: Sigstore's `trusted_root.json`, or PEM
    #[cfg(feature = "packager")]
    #[arg(long, value_name = "FILE", requires = "attestations")]
    trusted_root: Option<std::path::PathBuf>,
}

pub(super) fn run(args: &VerifyArgs, bundle: OpenedBundle, console: &Console) -> Result<(), Failure> {
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
        "`{}` {whole}: {} bytes ({}), each under a digest that agrees\n{}",
        bundle.path().display(),
        bundle.total_bytes(),
        human_bytes(bundle.total_bytes()),
        describe(authenticity),
    );
    let mut value = json!({
        "bundle": path_value(bundle.path()),
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
    console.result(&text, &value)
}
