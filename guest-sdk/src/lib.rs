//! Write Bailiwick tools in Rust.
//!
//! A tool is a plain function with one attribute. It learns for whom it acts from [`Call::actor`]
//! and the methods beside it, asks services by name, and holds no keys: the host makes every call
//! to a service, on the authority that the operator granted.
//!
//! ```
//! use bailiwick_sdk::prelude::*;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Args {
//!     /// The order's number.
//!     order_id: String,
//! }
//!
//! #[derive(Deserialize, Serialize, JsonSchema)]
//! struct Order {
//!     id: String,
//!     status: String,
//! }
//!
//! /// Says where an order is.
//! #[bailiwick_sdk::tool(scopes = ["orders:read"], services = ["orders_api"], read_only)]
//! fn get_order_status(call: &Call, args: Args) -> Result<Order, Error> {
//!     call.service("orders_api").get(["orders", &args.order_id]).send()?.json()
//! }
//!
//! bailiwick_sdk::export!(get_order_status);
//! # fn main() {}
//! ```
//!
//! # The crate around it
//!
//! ```toml
//! [dependencies]
//! bailiwick-sdk = { path = "…/guest-sdk" }
//! schemars = "1"
//! serde = { version = "1", features = ["derive"] }
//!
//! [package.metadata.bailiwick]
//! name = "orders"        # the component's file name; the package's name unless given
//! stack-kib = 64         # the stack, 40 unless given; a call that needs more is stopped
//! arena-kib = 100        # memory to begin with, 6 unless given; a call that needs more is slower
//! ```
//!
//! `bailiwick build PATH` makes `orders.wasm` of it and owns every flag: the crate is an ordinary
//! library. A tool without arguments and without types of its own needs neither schemars nor serde.
//!
//! # What the attribute does
//!
//! - The name of the tool is the function's, the description its doc comment (the model reads it,
//!   so it must be there).
//! - The input schema comes from the arguments' type and is closed: what a type does not name, a
//!   caller cannot send.
//! - `scopes` are required of the caller's token, all of them. `services` are asked for; the
//!   operator grants them.
//! - `read_only`, `destructive`, `idempotent`, `open_world` (also `= false`), `title = "…"`, `name
//!   = "…"` and `meta = "{…}"` are hints for clients.
//!
//! # What a function returns
//!
//! `Result<T, E>`, where `T` is any `Serialize + JsonSchema` type (structured content and its
//! text), an [`Output`] (text, images, links, …) or an [`Outcome`] (which can also ask the user
//! something), and `E` is [`Error`] or converts to it. Errors of services convert with `?`, in
//! words that the caller may read: never the body of an answer.
//!
//! # Questions
//!
//! A tool asks the user by returning [`Questions`], and is called again, from the start, with the
//! answers. A form never asks for secrets; the host refuses one that does.
//!
//! ```
//! use bailiwick_sdk::prelude::*;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Sure {
//!     /// Whether to delete it.
//!     sure: bool,
//! }
//!
//! /// Deletes a file, if the user is sure.
//! #[bailiwick_sdk::tool(destructive)]
//! fn delete_file(call: &Call) -> Result<Outcome, Error> {
//!     let Some(answer) = call.form::<Sure>("sure")? else {
//!         return Ok(Questions::new().form::<Sure>("sure", "Delete it for ever?").into());
//!     };
//!     match answer {
//!         Answer::Accepted(Sure { sure: true }) => Ok(Output::text("deleted").into()),
//!         _ => Ok(Output::text("kept").into()),
//!     }
//! }
//!
//! # #[cfg(not(target_arch = "wasm32"))] {
//! use bailiwick_sdk::testing::Scene;
//!
//! let asked = delete_file(&Scene::new().call()).unwrap();
//! assert!(asked.questions().is_some_and(|asked| asked.keys().eq(["sure"])));
//! let call = Scene::new().accepts("sure", &serde_json::json!({"sure": true})).call();
//! assert_eq!(delete_file(&call), Ok(Output::text("deleted").into()));
//! let call = Scene::new().declines("sure").call();
//! assert_eq!(delete_file(&call), Ok(Output::text("kept").into()));
//! # }
//! ```
//!
//! # What is not there
//!
//! No network, no files, no environment, no threads, no `SystemTime::now`: a component has none of
//! it. Time comes from [`Call::now`], random bytes from [`Call::random`]; crates that use
//! `getrandom` 0.3 or later (`rand` 0.9, `uuid`) work as they are, because `bailiwick build`
//! selects the custom backend and this crate provides it.
//!
//! # Tests
//!
//! The functions are ordinary functions. `testing::Scene` (not in WebAssembly builds) makes a
//! [`Call`] for a chosen actor with services played by a closure, so `cargo test` needs no host:
//!
//! ```
//! # #[cfg(not(target_arch = "wasm32"))] {
//! use bailiwick_sdk::{prelude::*, testing::Scene};
//!
//! let call = Scene::new().actor("user_7").on_send(|_| Ok(Response::new(404, ""))).call();
//! let answer = call.service("orders_api").get(["orders", "1"]).send();
//! assert_eq!(answer.map(|answer| answer.status()), Ok(404));
//! assert_eq!(call.actor().sub, "user_7");
//! # }
//! ```
//!

#![allow(
    unexpected_cfgs,
    reason = "`getrandom_backend` is set by the build, not declared by a manifest"
)]

// The story of a call, from the guest's side.
#[doc(hidden)]
pub mod export;
pub mod identity;
pub mod log;

mod call;
mod error;
mod form;
mod output;
mod path;
mod questions;
mod schema;
mod service;

// The boundary to the host.
#[doc(hidden)]
pub mod bindings;
mod outside;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

// Replacements for what the target lacks.
#[cfg(any(target_arch = "wasm32", test))]
mod arena;
#[cfg(all(target_arch = "wasm32", getrandom_backend = "custom"))]
mod entropy;

pub use bailiwick_sdk_macros::tool;

pub use call::Call;
pub use error::{DownstreamError, Error};
pub use output::{Outcome, Output, Reply, content};
pub use path::{Part, Piece};
pub use questions::{Answer, Questions};
pub use service::{Request, Response, Service};

/// The names that nearly every tool uses.
pub mod prelude {
    pub use crate::identity::Envelope;
    pub use crate::{
        Answer, Call, DownstreamError, Error, Outcome, Output, Part, Piece, Questions, Request,
        Response, path, segment,
    };
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
}
