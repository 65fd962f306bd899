//! Systems for which this program has no filter of system calls: it logs that as an error and goes
//! on.
//!
//! Invariant: nothing here claims a protection that does not exist.

use super::HardenError;

fn missing() {
    tracing::error!(
        "this platform has no filter of system calls that the host knows: it keeps rights that it gives up on Linux \
         (x86-64 and aarch64); do not serve other people's components here"
    );
}

pub(super) fn no_new_programs() -> Result<(), HardenError> {
    missing();
    Ok(())
}

pub(super) fn few_calls() -> Result<(), HardenError> {
    Ok(())
}

pub(super) fn only_compute() -> Result<(), HardenError> {
    Ok(())
}

pub(super) fn close_to_others() -> Result<(), HardenError> {
    Ok(())
}

pub(super) fn end_with_parent() -> Result<(), HardenError> {
    Ok(())
}
