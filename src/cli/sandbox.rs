//! The sandbox of a verb that runs no other program.

use super::console::Console;
use crate::host::Sandbox;
use crate::progress::Progress;

/// From here on the kernel denies what `sandbox` does not allow. Where it does not know how,
/// the verb does as it did: there may be no other machine to verify a bundle on.
pub(super) fn enter(sandbox: Sandbox, console: &Console) {
    if let Err(error) = sandbox.enter() {
        console.warn(&format!(
            "this run may do more than it has to, since the kernel does not confine it: {error}"
        ));
    }
}
