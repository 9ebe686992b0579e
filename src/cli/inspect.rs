//! `inspect` and `list`: what is in a bundle.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::columns::HeaderArg;
use super::console::Console;
use super::path_value::path_value;
use super::provenance;
use super::sbom::{SbomFormat, packages_of, sbom};
use super::volumes::{checksums, volumes};
use super::{authenticity, inspect_page};
use crate::bundle::{
    Application, BinaryPart, BundleIndex, FilePart, FileRole, ImagePart, Origin, Platform, PlatformView,
    in_words,
};
use crate::failure::Failure;
use crate::host::AtomicFile;
use crate::progress::Progress;
use crate::shown::human_bytes;
use crate::verify::OpenedBundle;

#[derive(clap::Args, Debug)]
pub(super) struct ShowArgs {
    /// Show only the parts for this platform
    #[arg(long)]
    platform: Option<Platform>,
}

#[derive(clap::Args, Debug)]
pub(super) struct InspectArgs {
    #[command(flatten)]
    show: ShowArgs,
    /// Print a software bill of materials instead
    #[arg(long, value_name = "FORMAT", conflicts_with = "platform", num_args = 0..=1, require_equals = true,
          default_missing_value = "cyclonedx")]
    sbom: Option<SbomFormat>,
    /// Write all of it as one HTML page, which loads nothing
    #[arg(long, value_name = "FILE", conflicts_with = "sbom")]
    html: Option<PathBuf>,
}

impl InspectArgs {
    /// The file that is written.
    pub(super) fn written(&self) -> Option<&Path> {
        self.html.as_deref()
    }
}

#[derive(clap::Args, Debug)]
pub(super) struct ListArgs {
    #[command(flatten)]
    show: ShowArgs,
    #[command(flatten)]
    header: HeaderArg,
}

/// Shows everything that the index says.
pub(super) fn inspect(args: &InspectArgs, bundle: OpenedBundle, console: &Console) -> Result<(), Failure> {
    if let Some(format) = args.sbom {
        if let Some(text) = authenticity::warning(&bundle) {
            console.warn(&text);
        }
        let path = path_value(bundle.path());
        let sbom = sbom(format, bundle, console)?;
        let text = format!("{sbom:#}");
        return console.result(&text, &json!({ "bundle": path, "sbom": sbom }));
    }
    if let Some(file) = &args.html {
        return write_page(file, &args.show, bundle, console);
    }
    let index = bundle.index();
    let views = views(&args.show, &bundle)?;
    let mut value = json!({
        "bundle": path_value(bundle.path()),
        "total_bytes": bundle.total_bytes(),
        "volumes": volumes(bundle.path(), index),
        "plain_bytes": index.plain_size(),
        "index": index,
    });
    authenticity::fields(bundle.authenticity(), &mut value);
    let signature = authenticity::describe(bundle.authenticity());
    let mut text = describe(index, &views, bundle.total_bytes(), &signature);
    if index.is_split() {
        text += "\nThe volumes, which lie beside it, as `sha256sum -c` compares them\n";
        text += &checksums(bundle.path(), index);
    }
    console.result(&text, &value)
}

fn write_page(file: &Path, show: &ShowArgs, bundle: OpenedBundle, console: &Console) -> Result<(), Failure> {
    let path = bundle.path().to_owned();
    let index = bundle.index().clone();
    let authenticity = bundle.authenticity().cloned();
    let total_bytes = bundle.total_bytes();
    let platforms: Vec<Platform> = views(show, &bundle)?.iter().map(|view| view.platform()).collect();
    let packages = packages_of(bundle, console)?;
    let views: Vec<_> = platforms
        .into_iter()
        .filter_map(|platform| index.on(platform))
        .collect();
    let html = inspect_page::html(&inspect_page::Shown {
        index: &index,
        views: &views,
        total_bytes,
        authenticity: authenticity.as_ref().map_err(Clone::clone),
        packages: &packages,
    });
    AtomicFile::write(file, html.as_bytes(), 0o644)
        .map_err(|error| Failure::from(error).hint("name a file in a directory that you may write to"))?;
    let text = format!("wrote `{}`: open it in a browser", file.display());
    console.result(
        &text,
        &json!({ "bundle": path_value(&path), "file": path_value(file), "changed": true }),
    )
}

/// Lists the parts, one a line.
pub(super) fn list(args: &ListArgs, bundle: &OpenedBundle, console: &Console) -> Result<(), Failure> {
    let rows: Vec<Row> = rows(bundle.index(), &views(&args.show, bundle)?);
    if console.is_json() {
        let parts: Vec<Value> = rows.iter().map(Row::json).collect();
        return console.result("", &json!({ "parts": parts }));
    }
    let cells: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let platform = row
                .platform
                .map_or_else(|| "any".to_owned(), |platform| platform.to_string());
            [
                row.role.to_owned(),
                row.name,
                row.size.to_string(),
                row.digest,
                platform,
            ]
        })
        .collect();
    let header = ["ROLE", "NAME", "BYTES", "DIGEST", "PLATFORM"];
    console.result(&args.header.columns(header, &cells), &Value::Null)
}

/// What is shown: every platform, or the one that is asked for.
fn views<'a>(args: &ShowArgs, bundle: &'a OpenedBundle) -> Result<Vec<PlatformView<'a>>, Failure> {
    match args.platform {
        Some(platform) => Ok(vec![bundle.on(platform)?]),
        None => Ok(all(bundle.index())),
    }
}

/// Every platform of a bundle.
pub(super) fn all(index: &BundleIndex) -> Vec<PlatformView<'_>> {
    let platforms = index.cluster.platforms.iter();
    platforms.filter_map(|platform| index.on(*platform)).collect()
}

/// One part, as `list` and the table of `inspect` show it.
pub(super) struct Row {
    pub(super) role: &'static str,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) size: u64,
    pub(super) digest: String,
    /// Nothing for a file, which is for every platform.
    pub(super) platform: Option<Platform>,
    /// Whether nothing said what it should be.
    pub(super) unverified: bool,
}

impl Row {
    fn json(&self) -> Value {
        json!({
            "role": self.role,
            "name": self.name,
            "size_bytes": self.size,
            "digest": self.digest,
            "platform": self.platform,
            "unverified": self.unverified,
        })
    }
}

/// Every part of these platforms: programs, then images, then what is for all of them.
pub(super) fn rows(index: &BundleIndex, views: &[PlatformView<'_>]) -> Vec<Row> {
    let binary = |part: &BinaryPart| Row {
        role: "binary",
        name: part.role.name().to_owned(),
        version: part.version.as_ref().map(ToString::to_string).unwrap_or_default(),
        size: part.size,
        digest: part.sha256.to_string(),
        platform: Some(part.platform),
        unverified: part.origin.unverified,
    };
    let image = |part: &ImagePart| Row {
        role: part.role.name(),
        name: part.reference.to_string(),
        version: String::new(),
        size: part
            .layers
            .iter()
            .filter_map(|layer| index.blob_size(*layer))
            .sum(),
        digest: part.config.to_string(),
        platform: Some(part.platform),
        unverified: part.origin.unverified,
    };
    let file = |part: &FilePart| Row {
        role: part.role.name(),
        name: part.name.clone(),
        version: String::new(),
        size: part.size,
        digest: part.sha256.to_string(),
        platform: None,
        unverified: part.origin.unverified,
    };
    let of = |view: &PlatformView<'_>| {
        view.binaries()
            .map(binary)
            .chain(view.images().map(image))
            .collect()
    };
    let of_platforms = views.iter().flat_map(|view| -> Vec<Row> { of(view) });
    of_platforms.chain(index.files.iter().map(file)).collect()
}

fn describe(index: &BundleIndex, views: &[PlatformView<'_>], total_bytes: u64, signature: &str) -> String {
    let cluster = &index.cluster;
    let resolved = index.resolved.as_ref();
    let resolved = resolved.map(|time| format!("resolved   {time}, from the publishers' servers\n"));
    let mut text = format!(
        "{} (serial {}, format {}, packed by {})\n{}\
         starts     Kubernetes {} on {}, {} as container runtime\n\
         signature  {signature}\n\
         size       {} stored, {} plain, ratio {}\n\n",
        index.name,
        index.serial,
        index.format,
        index.packer,
        resolved.unwrap_or_default(),
        cluster.kubernetes_version,
        in_words(&cluster.platforms),
        cluster.container_runtime,
        human_bytes(total_bytes),
        human_bytes(index.plain_size()),
        ratio(index.plain_size(), total_bytes),
    );
    text += &table(index, views);
    let signatures = index.attestations().count();
    if signatures > 0 {
        let _ = writeln!(
            text,
            "attested    {signatures} signatures of publishers: `verify --attestations` checks them"
        );
    }
    text += &compared(views);
    text += "\nWhat a start puts on a machine\n";
    text + &placed(index)
}

/// What a start puts where.
pub(super) fn placed(index: &BundleIndex) -> String {
    let mut text = "\
        \x20 the programs    ~/.local/share/minikube-offline, with links `minikube` and `kubectl` in\n\
        \x20                 /usr/local/bin (root) or ~/.local/bin where nothing has these names\n\
        \x20 the node image  Docker Engine\n\
        \x20 the nodes       Docker Engine: for each a container and a volume with its name, and a network\n\
        \x20                 with the profile's\n\
        \x20 all other       these volumes, and minikube's home, ~/.minikube\n\
        \x20 how to reach it ~/.kube/config\n\
        \x20 its journal     ~/.local/state/minikube-offline\n\
        \x20 its serial      ~/.config/minikube-offline/serials.json, where a pinned key signed it: it stays\n\
        \x20                 after `uninstall`\n"
        .to_owned();
    if !index.files.is_empty() {
        let _ = writeln!(
            text,
            "  its own files   ~/.local/share/minikube-offline/bundles/{}",
            index.name
        );
    }
    if index.files.iter().any(|file| file.role == FileRole::Manifest) {
        text += "  its manifests   the cluster, when it is ready: `--no-manifests` leaves them out\n";
    }
    if !index.applications.is_empty() {
        text += "  applications    the cluster, when it is ready, in this order: `--no-applications` leaves them out\n";
    }
    for Application {
        release,
        namespace,
        chart,
        values,
    } in &index.applications
    {
        let _ = writeln!(
            text,
            "                  {release} in the namespace {namespace}: {}",
            [std::slice::from_ref(chart), values].concat().join(", ")
        );
    }
    text
}

/// What each part was compared with before it was packed, or that it was with nothing.
fn compared(views: &[PlatformView<'_>]) -> String {
    let mut text = "\nWhat each part was compared with when it was packed\n".to_owned();
    let mut add = |name: &str, origin: &Origin, platform: Platform| {
        let sentences = provenance::sentences(origin, Some(platform));
        let _ = match &sentences[..] {
            [] => writeln!(text, "  {name}: nothing (from {})", origin.transport),
            // Plain text, by the format: it cannot look like another part's line.
            sentences => writeln!(text, "  {name}: {}", sentences.join("; ")),
        };
    };
    for view in views {
        view.binaries()
            .for_each(|part| add(part.role.name(), &part.origin, part.platform));
        view.images()
            .for_each(|part| add(&part.reference.to_string(), &part.origin, part.platform));
    }
    text
}

/// The parts in columns. A platform is named where there are several.
pub(super) fn table(index: &BundleIndex, views: &[PlatformView<'_>]) -> String {
    let rows = rows(index, views);
    let several = rows
        .iter()
        .filter_map(|row| row.platform)
        .any(|platform| Some(platform) != rows[0].platform);
    let width = |cell: fn(&Row) -> usize| rows.iter().map(cell).max().unwrap_or(0);
    let (names, versions) = (width(|row| row.name.len()), width(|row| row.version.len()));
    rows.iter().fold(String::new(), |text, row| {
        let short = row.digest.get(..19).unwrap_or(&row.digest);
        let (role, size) = (row.role, human_bytes(row.size));
        let platform = match row.platform {
            Some(platform) if several => format!("  {platform}"),
            _ => String::new(),
        };
        text + &format!(
            "{role:<11} {:<names$}  {:<versions$}  {size:>8}  {short}{platform}{}\n",
            row.name,
            row.version,
            if row.unverified { "  UNVERIFIED" } else { "" },
        )
    })
}

/// `4.6`: how many plain bytes one stored byte stands for.
pub(super) fn ratio(plain: u64, stored: u64) -> String {
    #[allow(clippy::cast_precision_loss)] // two digits are shown
    let ratio = plain as f64 / stored.max(1) as f64;
    format!("{ratio:.1}")
}
