//! Campaigns against the loader: any file in the tools folder is refused with a reason, or it
//! loads.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a campaign that cannot be set up has failed, and it says how it went"
)]

mod bench;
mod generated;
pub(super) mod material;
mod mutilated;
mod proposals;
mod types;

pub(crate) use material::small as smallest_component;
