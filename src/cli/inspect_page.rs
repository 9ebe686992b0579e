//! `inspect --html`: all that is known of a bundle, for people who decide whether it may go in.

use std::fmt::Write as _;

use super::html::{escaped, facts, page};
use super::inspect::{self, ratio};
use super::{authenticity, provenance};
use crate::bundle::{BundleIndex, Digest, Origin, PartPackages, Platform, PlatformView, in_words};
use crate::shown::human_bytes;
use crate::trust::{Authenticity, Refusal};

/// What the page is made of.
pub(super) struct Shown<'a> {
    pub(super) index: &'a BundleIndex,
    pub(super) views: &'a [PlatformView<'a>],
    pub(super) total_bytes: u64,
    pub(super) authenticity: Result<&'a Authenticity, Refusal>,
    pub(super) packages: &'a [PartPackages],
}

/// The whole page.
pub(super) fn html(shown: &Shown<'_>) -> String {
    let Shown {
        index,
        views,
        total_bytes,
        packages,
        ..
    } = *shown;
    let authenticity = shown.authenticity.as_ref().copied().map_err(Clone::clone);
    let is_signed = matches!(shown.authenticity, Ok(Authenticity::Signed(_)));
    let body = [
        format!(
            "<p class=\"verdict{}\">{}</p>\n",
            if is_signed { " good" } else { "" },
            escaped(&authenticity::describe(authenticity))
        ),
        overview(index, total_bytes),
        sizes(index, views),
        origins(views, index),
        software(index, packages),
        format!(
            "<h2>What a start puts on a host</h2>\n<pre>{}</pre>\n",
            escaped(inspect::placed(index).trim_end())
        ),
    ];
    page(&index.name, &body.concat())
}

fn overview(index: &BundleIndex, total_bytes: u64) -> String {
    let cluster = &index.cluster;
    let mut rows = vec![
        ("Kubernetes", cluster.kubernetes_version.to_string()),
        ("Container runtime", cluster.container_runtime.to_string()),
        ("Platforms", in_words(&cluster.platforms)),
        ("Serial", index.serial.to_string()),
        ("Packed by", index.packer.clone()),
        (
            "Size",
            format!(
                "{} stored, {} plain, ratio {}",
                human_bytes(total_bytes),
                human_bytes(index.plain_size()),
                ratio(index.plain_size(), total_bytes)
            ),
        ),
    ];
    if let Some(time) = &index.resolved {
        rows.push(("Resolved", time.to_string()));
    }
    facts(rows)
}

/// Every part with its size as a bar; the longest is the largest part's.
fn sizes(index: &BundleIndex, views: &[PlatformView<'_>]) -> String {
    let rows = inspect::rows(index, views);
    let largest = rows.iter().map(|row| row.size).max().unwrap_or(1).max(1);
    let mut html = "<h2>Parts</h2>\n<div class=\"scroll\"><table>\n<tr><th>Role</th><th>Name</th>\
         <th class=\"wide\">Platform</th><th>Size</th><th></th><th class=\"wide\">SHA-256</th></tr>\n"
        .to_owned();
    for row in rows {
        let platform = row.platform.map_or_else(|| "any".to_owned(), |it| it.to_string());
        let share = u128::from(row.size) * 1000 / u128::from(largest);
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td class=\"name\">{} {}</td><td class=\"wide\">{}</td><td class=\"number\">{}</td>\
             <td class=\"bar\"><span style=\"width:{}.{}%\"></span></td><td class=\"wide\"><code title=\"{}\">{}</code></td></tr>",
            escaped(row.role),
            escaped(&row.name),
            escaped(&row.version),
            escaped(&platform),
            human_bytes(row.size),
            share / 10,
            share % 10,
            escaped(&row.digest),
            escaped(
                row.digest
                    .trim_start_matches("sha256:")
                    .get(..12)
                    .unwrap_or_default()
            ),
        );
    }
    html + "</table></div>\n"
}

/// What each part was compared with before it was packed.
fn origins(views: &[PlatformView<'_>], index: &BundleIndex) -> String {
    let mut html = "<h2>Provenance</h2>\n<div class=\"scroll\"><table>\n\
         <tr><th>Part</th><th>Compared with, when it was packed</th></tr>\n"
        .to_owned();
    let mut add = |name: &str, origin: &Origin, platform: Option<Platform>| {
        let sentences = provenance::sentences(origin, platform);
        let cell = if sentences.is_empty() {
            format!("<span class=\"soft\">nothing (from {})</span>", origin.transport)
        } else {
            let items = sentences.iter().map(|text| format!("<li>{}</li>", escaped(text)));
            format!("<ul>{}</ul>", items.collect::<String>())
        };
        let _ = writeln!(
            html,
            "<tr><td class=\"name\">{}</td><td>{cell}</td></tr>",
            escaped(name)
        );
    };
    for view in views {
        for part in view.binaries() {
            add(part.role.name(), &part.origin, Some(part.platform));
        }
        for part in view.images() {
            add(&part.reference.to_string(), &part.origin, Some(part.platform));
        }
    }
    for part in &index.files {
        add(&part.name, &part.origin, None);
    }
    html + "</table></div>\n"
}

/// The packages inside the parts, a fold for each part.
fn software(index: &BundleIndex, packages: &[PartPackages]) -> String {
    let mut html = "<h2>Software</h2>\n".to_owned();
    if packages.is_empty() {
        return html + "<p class=\"soft\">The bundle lists no packages.</p>\n";
    }
    for part in packages {
        let _ = write!(
            html,
            "<details><summary>{}: {} packages</summary>\n<div class=\"scroll\"><table>\n\
             <tr><th>Package</th><th>Version</th><th>Licenses</th></tr>\n",
            escaped(&name_of(index, part.part)),
            part.packages.len()
        );
        for package in &part.packages {
            let _ = writeln!(
                html,
                "<tr><td class=\"name\">{}</td><td>{}</td><td>{}</td></tr>",
                escaped(&package.name),
                escaped(&package.version),
                escaped(&package.licenses.join(", "))
            );
        }
        html += "</table></div>\n";
        for path in &part.unread {
            let _ = writeln!(html, "<p>not read: <code>{}</code></p>", escaped(path));
        }
        html += "</details>\n";
    }
    html
}

/// The part that packages are in.
fn name_of(index: &BundleIndex, part: Digest) -> String {
    let image = index.images.iter().find(|image| image.config == part);
    let binary = index.binaries.iter().find(|binary| binary.sha256 == part);
    match (image, binary) {
        (Some(image), _) => image.reference.to_string(),
        (None, Some(binary)) => binary.role.name().to_owned(),
        (None, None) => part.to_string(),
    }
}
