//! tmp
use super::console::Console;
use crate::failure::Failure;
use crate::verify::OpenedBundle;
#[derive(clap::Args, Debug)]
pub(super) struct ExtractArgs {}
pub(super) fn run(_: &ExtractArgs, _: OpenedBundle, _: &Console) -> Result<(), Failure> {
    todo!()
}
