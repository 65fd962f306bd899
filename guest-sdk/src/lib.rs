//! Write Bailiwick tools, resources and prompts in Rust.
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
//! stack-kib = 64         # the stack, 41 unless given; a call that needs more is stopped
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
//!   = "…"`, `meta = "{…}"` and `icons = ["…"]` are hints for clients.
//! - `requires = ["elicitation.form"]` names what a client must be able to do.
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
//! # Resources and prompts
//!
//! [`resource`] makes a function a document that clients read by URI, or a family of them;
//! [`prompt`] makes it messages that people choose. Both can suggest values while the user types.
//!
//! ```
//! use bailiwick_sdk::prelude::*;
//!
//! #[derive(Deserialize)]
//! struct City {
//!     name: String,
//! }
//!
//! /// What there is to know about a city.
//! #[bailiwick_sdk::resource(
//!     uri = "guide://cities/{name}",
//!     mime_type = "text/markdown",
//!     members = cities,
//!     complete(name = names)
//! )]
//! fn city(_call: &Call, city: City) -> Result<String, Error> {
//!     Ok(format!("# {}", city.name))
//! }
//!
//! fn cities(_call: &Call, _cursor: Option<&str>) -> Result<Vec<Member>, Error> {
//!     Ok(vec![Member::new(city::uri("São Paulo"), "São Paulo")])
//! }
//!
//! fn names(_call: &Call, asked: &Completion) -> Result<Suggestions, Error> {
//!     Ok(asked.matching(["São Paulo", "Salvador"]))
//! }
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Trip {
//!     /// Where to.
//!     city: String,
//!     /// How many nights, 3 unless given.
//!     nights: Option<u8>,
//! }
//!
//! /// Plans a trip.
//! #[bailiwick_sdk::prompt(complete(city = names), icons = ["https://guide.example/trip.svg"])]
//! fn plan(_call: &Call, trip: Trip) -> Result<Prompt, Error> {
//!     let nights = trip.nights.unwrap_or(3);
//!     Ok(Prompt::new()
//!         .user(content::link(&city::uri(&trip.city), &trip.city))
//!         .user(format!("Plan a trip of {nights} nights to this city.")))
//! }
//!
//! bailiwick_sdk::export! {
//!     resources: [city],
//!     prompts: [plan],
//!     completion,
//!     facets,
//! }
//!
//! # #[cfg(not(target_arch = "wasm32"))] {
//! use bailiwick_sdk::testing::Scene;
//!
//! let call = Scene::new().call();
//! let members = cities(&call, None).unwrap();
//! assert_eq!(members[0].uri(), "guide://cities/S%C3%A3o%20Paulo");
//! assert_eq!(names(&call, &Completion::new("sa")).unwrap().values(), ["Salvador"]);
//! let trip = Trip { city: "Salvador".to_owned(), nights: None };
//! assert_eq!(plan(&call, trip).unwrap().messages().len(), 2);
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
pub mod content;
#[doc(hidden)]
pub mod export;
pub mod identity;
pub mod log;

mod call;
mod client;
mod completion;
mod error;
mod form;
mod outcome;
mod output;
mod path;
mod prompt;
mod questions;
mod resource;
mod schema;
mod service;
mod template;
mod texts;

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

pub use bailiwick_sdk_macros::{export, prompt, resource, tool};

pub use call::Call;
pub use client::{Client, Severity};
pub use completion::{Completion, Suggestions};
pub use error::{DownstreamError, Error};
pub use outcome::Outcome;
pub use output::{Output, Reply};
pub use path::{Part, Piece};
pub use prompt::{Message, Prompt, Role};
pub use questions::{Answer, Questions};
pub use resource::{Contents, Member, Page};
#[doc(hidden)]
pub use service::form_text;
pub use service::{Request, Response, Service};

/// The names that nearly every tool uses.
pub mod prelude {
    pub use crate::identity::Envelope;
    pub use crate::{
        Answer, Call, Completion, Contents, DownstreamError, Error, Member, Outcome, Output, Page,
        Part, Piece, Prompt, Questions, Request, Response, Severity, Suggestions, content, path,
        segment,
    };
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
}
