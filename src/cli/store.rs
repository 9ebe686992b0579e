//! `store`: what was downloaded and stays for the next pack.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::console::Console;
use super::size::human_bytes;
use crate::failure::Failure;
use crate::host::Environment;
use crate::store::Store;

const DAY: Duration = Duration::from_secs(86_400);

#[derive(Debug, clap::Subcommand)]
pub(super) enum StoreVerb {
    /// Name every blob with its size and the days since it was last used
    List,
    /// Remove every blob that no pack is using now; the next pack downloads it again
    Prune {
        /// Only those that nobody used for so many days
        #[arg(long, value_name = "DAYS", default_value_t = 0)]
        older_than: u32,
    },
}

impl StoreVerb {
    pub(super) fn run(&self, console: &Console) -> Result<(), Failure> {
        let folder = Store::folder_of(&Environment::of_this_process())?;
        match self {
            Self::List => {
                let blobs = Store::open(&folder)?.list()?;
                let total: u64 = blobs.iter().map(|blob| blob.size).sum();
                let mut text = String::new();
                let mut values = Vec::new();
                for blob in &blobs {
                    let unused = SystemTime::now().duration_since(blob.used).unwrap_or_default();
                    let days = unused.as_secs() / DAY.as_secs();
                    let size = human_bytes(blob.size);
                    let _ = writeln!(text, "{}  {size:>9}  {days} days", blob.digest);
                    values.push(json!({ "digest": blob.digest, "size": blob.size, "unused_days": days }));
                }
                let _ = write!(
                    text,
                    "`{}`: {} blobs, {}",
                    folder.display(),
                    blobs.len(),
                    human_bytes(total)
                );
                let value = json!({ "kind": "done", "folder": folder, "blobs": values, "bytes": total });
                console.result(&text, &value)
            }
            Self::Prune { older_than } => {
                let pruned = Store::prune(&folder, DAY * *older_than)?;
                let text = format!("removed {} files, {}", pruned.files, human_bytes(pruned.bytes));
                let value = json!({ "kind": "done", "files": pruned.files, "bytes": pruned.bytes });
                console.result(&text, &value)
            }
        }
    }
}
