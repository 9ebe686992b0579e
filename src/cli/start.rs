//! tmp
use super::console::Console;
use crate::failure::Failure;
use crate::verify::OpenedBundle;
#[derive(clap::Args, Debug)]
pub(super) struct StartArgs {
    #[arg(short)]
    y: bool,
    #[arg(long)]
    profile: Option<String>,
    #[arg(last = true)]
    extra: Vec<String>,
}
#[derive(clap::Args, Debug)]
pub(super) struct ProfileArgs {}
#[derive(clap::Args, Debug)]
pub(super) struct UninstallArgs {}
pub(super) fn run(_: StartArgs, _: OpenedBundle, _: &Console) -> Result<(), Failure> {
    todo!()
}
pub(super) fn status(_: &ProfileArgs, _: &Console) -> Result<(), Failure> {
    todo!()
}
pub(super) fn stop(_: &ProfileArgs, _: &Console) -> Result<(), Failure> {
    todo!()
}
pub(super) fn uninstall(_: &UninstallArgs, _: &Console) -> Result<(), Failure> {
    todo!()
}
