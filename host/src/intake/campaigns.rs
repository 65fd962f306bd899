//! Campaigns against the loader: any file in the tools folder is refused with a reason, or it
//! loads.
//!
//! Each campaign has a budget of time and a seed. A longer one, by hand:
//!
//! ```sh
//! BAILIWICK_CAMPAIGN_SECONDS=300 cargo test --lib campaigns -- --nocapture
//! ```
//!
//! A failure names its seed; the same campaign with `BAILIWICK_CAMPAIGN_SEED` set to it begins with
//! that case.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a campaign that cannot be set up has failed, it is steered by the environment, and it says how it went"
)]

mod bench;
mod budget;
mod generated;
pub(super) mod material;
mod mutilated;
mod proposals;
mod types;

pub(crate) use material::small as smallest_component;
