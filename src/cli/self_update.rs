//! `self-update`: this program becomes a newer one.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::console::Console;
use crate::bundle::Version;
use crate::failure::{Failure, Kind};
use crate::host;
use crate::host::Environment;
use crate::http::{Http, HttpOptions};
use crate::store::Store;
use crate::trust::TrustDirectories;
use crate::update::{self, Origin, Outcome, Release, Standing, Updater, Wish};

#[derive(clap::Args, Debug)]
pub(super) struct SelfUpdateArgs {
    /// Only report whether there is a newer release
    #[arg(long)]
    check: bool,
    /// Install this release instead of the newest
    #[arg(long, value_name = "VERSION")]
    version: Option<Version>,
    /// URL or directory of the releases [default: the release page]
    #[arg(long, value_name = "URL|DIR")]
    from: Option<Origin>,
    /// Trust this public key, and none of the built-in keys
    #[arg(long = "key", value_name = "FILE|BASE64")]
    keys: Vec<String>,
    /// Install a release older than this program
    #[arg(long)]
    allow_downgrade: bool,
    /// Proxy to use instead of `HTTPS_PROXY` and its like
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// File with additional trusted certificate authorities
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
}

pub(super) fn run(args: SelfUpdateArgs, console: &Console) -> Result<(), Failure> {
    let origin = args.from.or_else(Origin::built_in).ok_or_else(|| {
        Failure::new(Kind::Usage, "this build does not know where its releases are")
            .hint("name the release page, or a mirror's URL or directory, with `--from`")
    })?;
    // Known before anything is asked of the network.
    let environment = Environment::of_this_process();
    let keys = if args.check {
        None
    } else {
        Some(update::release_keys(
            &args.keys,
            &TrustDirectories::of(&environment),
        )?)
    };
    let options = HttpOptions {
        proxy: args.proxy,
        ca: args.ca,
        ..HttpOptions::default()
    };
    let from = origin.to_string();
    // Where none can be, the program comes at one stretch.
    let store = if args.check {
        None
    } else {
        Store::directory_of(&environment).ok()
    };
    let store = store.and_then(|directory| Store::open(&directory).ok());
    let updater = Updater::new(
        origin,
        Http::new(options, &environment)?.heard_by(console.listener_at_terminal()),
        store,
    )?;
    let current = update::own_version();
    let release = updater.find(args.version.as_ref())?;
    let found = &release.version;
    let mut value = json!({
        "current": current.to_string(),
        "found": found.to_string(),
        "newer": release.standing(&current) == Standing::Newer,
        "updated": false,
        "from": from,
    });
    let Some(keys) = keys else {
        return console.result(&standing(&release, &current), &value);
    };
    let wish = Wish {
        version: args.version,
        current: current.clone(),
        allow_downgrade: args.allow_downgrade,
        program: host::own_program()?,
    };
    match updater.install(&release, &wish, &keys, console)? {
        Outcome::Same => console.result(&standing(&release, &current), &value),
        Outcome::Updated { key } => {
            let key_id = key.key.key_id().to_string();
            value["updated"] = Value::Bool(true);
            value["key_id"] = Value::String(key_id.clone());
            let text = format!(
                "`{}` is {found} now; it was {current}\nsigned with key {key_id} ({})",
                wish.program.display(),
                key.origin,
            );
            console.result(&text, &value)
        }
    }
}

fn standing(release: &Release, current: &Version) -> String {
    let found = &release.version;
    match release.standing(current) {
        Standing::Newer => {
            format!("{found} is newer than this {current}: `minikube-offline self-update` installs it")
        }
        Standing::Older => format!("this is {current}, newer than {found}, which is there"),
        Standing::Same => format!("this is {current}, the release that is there"),
    }
}
