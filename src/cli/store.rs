//! `store`: what was downloaded and stays for the next pack.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::console::Console;
use super::path_value::path_value;
use crate::failure::Failure;
use crate::host::Environment;
use crate::shown::human_bytes;
use crate::store::Store;

const DAY: Duration = Duration::from_secs(86_400);

#[derive(Debug, clap::Subcommand)]
pub(super) enum StoreVerb {
    /// List every blob with its size and the days since its last use
    List,
    /// Remove blobs; a pack that needs one downloads it again
    #[command(group = clap::ArgGroup::new("which").required(true))]
    Prune {
        /// Remove those that were not used for this many days
        #[arg(long, value_name = "DAYS", group = "which", value_parser = whole_days)]
        older_than: Option<u32>,
        /// Remove all of them
        #[arg(long, group = "which")]
        all: bool,
    },
}

fn whole_days(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| "it is no number of days, such as 30".to_owned())
}

impl StoreVerb {
    pub(super) fn run(&self, console: &Console) -> Result<(), Failure> {
        let directory = Store::directory_of(&Environment::of_this_process())?;
        match self {
            Self::List => {
                let mut blobs = Store::open(&directory)?.list()?;
                blobs.sort_by(|a, b| (&a.about, a.digest).cmp(&(&b.about, b.digest)));
                let total: u64 = blobs.iter().map(|blob| blob.size).sum();
                let mut text = String::new();
                let mut values = Vec::new();
                for blob in &blobs {
                    let unused = SystemTime::now().duration_since(blob.used).unwrap_or_default();
                    let days = unused.as_secs() / DAY.as_secs();
                    let size = human_bytes(blob.size);
                    let about = blob.about.as_deref().unwrap_or("nothing is noted of it");
                    let _ = writeln!(text, "{}  {size:>9}  {days:>4} days  {about}", blob.digest);
                    values.push(json!({
                        "digest": blob.digest,
                        "size_bytes": blob.size,
                        "unused_days": days,
                        "about": blob.about,
                    }));
                }
                let _ = write!(
                    text,
                    "`{}`: {} blobs, {}",
                    directory.display(),
                    blobs.len(),
                    human_bytes(total)
                );
                let value = json!({ "directory": path_value(directory), "blobs": values, "bytes": total });
                console.result(&text, &value)
            }
            Self::Prune { older_than, .. } => {
                let pruned = Store::prune(&directory, DAY * older_than.unwrap_or(0))?;
                let text = format!("removed {} files, {}", pruned.files, human_bytes(pruned.bytes));
                let value = json!({ "files": pruned.files, "bytes": pruned.bytes });
                console.result(&text, &value)
            }
        }
    }
}
