//! `bailiwick import`: an API description, or the tools of a remote MCP server, become a component
//! with typed tools, and the lines of the configuration that grant exactly its requests.
//!
//! No compiler runs: one guest, built once, is [joined](join) with the operations as data, so the
//! component's digest covers them. Trusts nothing in a description: it is read with bounds, every
//! definition passes the host's own rules before it is joined, and every line of the grant is
//! parsed as the host parses it.
//!
//! Invariant: nothing of a description decides where a request goes beyond the lines that the
//! operator grants. Servers, examples, defaults and extensions are never copied. An operation, or a
//! remote tool, is imported whole, or left out with its reason.

mod api;
mod body;
mod definition;
mod described;
mod document;
mod endpoint;
mod fitting;
mod item;
mod join;
mod left_out;
mod listing;
mod made;
mod members;
mod names;
mod near;
mod operation;
mod parameters;
mod path;
mod plan;
mod program;
mod query;
mod references;
mod remote;
mod schemas;
mod scopes;
mod search;
mod settings;
mod shape;
mod support;
mod text;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use crate::build::BuildError;
use crate::egress::ProxyError;
use crate::json::JsonError;
pub use document::ApiDocument;
pub use endpoint::{RemoteEndpoint, RemoteWay};
pub use join::GUEST;
pub use left_out::LeftOut;
pub use listing::{ListingError, RemoteListing};
pub use made::check_place;
pub use operation::ApiMethod;
pub use plan::{ImportPlan, ImportRow};
pub use program::ActorFact;
pub use yaml::YamlError;

/// What to import, and how.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    /// The name of the service in the configuration.
    pub service: String,
    /// The operations to take: those of these names, tags and methods; all where there are none.
    pub choice: OperationChoice,
    /// What becomes of parameters.
    pub rules: ImportRules,
    /// Whether tools describe their answers, and the host holds the service to it.
    pub output_schemas: bool,
}

/// The operations to take.
#[derive(Debug, Clone, Default)]
pub struct OperationChoice {
    /// Names of operations or of their tools.
    pub only: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Methods.
    pub methods: Vec<ApiMethod>,
}

/// What becomes of parameters, by their names in the description.
#[derive(Debug, Clone, Default)]
pub struct ImportRules {
    /// Those that the host fills in.
    pub bindings: BTreeMap<String, ActorFact>,
    /// Those that are not sent, and members of bodies that are not described.
    pub drops: BTreeSet<String>,
    /// Those that are called as an identity or a credential, and are something else. The operator's
    /// grant then has them as `allow_parameters`.
    pub allowed: BTreeSet<String>,
    /// Those that carry a credential of a security scheme, as [`placed`].
    credentials: BTreeSet<(String, String)>,
}

impl ImportRules {
    /// Returns true if a parameter carries a credential, which the host sends: one of a security
    /// scheme, or one that is called so and can do without.
    fn carries_credential(&self, place: &str, name: &str, required: bool) -> bool {
        let plain = || name.to_ascii_lowercase().replace(['-', '_'], "");
        let may = matches!(place, "header" | "cookie") || !required;
        (may && CREDENTIALS.contains(&plain().as_str()))
            || self.credentials.contains(&placed(place, name))
    }
}

/// Returns the place and name of a parameter; of a header in lower case.
fn placed(place: &str, name: &str) -> (String, String) {
    let name = match place {
        "header" => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    };
    (place.to_owned(), name)
}

/// The reason why nothing is imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The description is too large.
    #[error("the description, or what is made of it, is too large: at most 64 MiB are read")]
    TooLarge,
    /// It is not JSON.
    #[error("the description cannot be read as JSON")]
    Json(#[from] JsonError),
    /// It is not YAML that means the same as JSON.
    #[error("the description cannot be read as YAML")]
    Yaml(#[from] YamlError),
    /// It is in an older version.
    #[error(
        "it is Swagger 2.0: convert it first, for example with `npx swagger2openapi FILE -o \
         openapi.json`"
    )]
    Swagger,
    /// It is no description at all.
    #[error("it has no `openapi`, so it is no OpenAPI description in version 3.0 or 3.1")]
    NoVersion,
    /// It is in another version.
    #[error("its `openapi` is {0}; expected a text of version 3.0 or 3.1, such as \"3.1.0\"")]
    Version(String),
    /// The address of a remote server is not one.
    #[error(
        "expected the address of the server: an https URL without user, query or fragment; http is \
         for this machine, and for addresses within --private-addresses"
    )]
    Url,
    /// A remote server cannot be reached at its address, whatever its name resolves to.
    #[error("{option}: {why}")]
    Undialled {
        /// What to change.
        option: &'static str,
        /// The fault.
        why: String,
    },
    /// The proxy cannot be one.
    #[error("--proxy cannot be used")]
    Proxy(#[from] ProxyError),
    /// There are addresses of a proxy, and no proxy.
    #[error("--proxy-private-addresses: there is no --proxy")]
    NoProxy,
    /// A certificate of the host has no key, or the reverse.
    #[error("--client-certificate-file and --client-key-file belong together: give both")]
    HalfIdentity,
    /// A file of certificates, or of a key, cannot be used.
    #[error("{option} {}: it cannot be used", path.display())]
    File {
        /// The option.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The service cannot have that name.
    #[error("--service {0:?}: expected 1 to 64 characters of [A-Za-z0-9_-]")]
    Service(String),
    /// An operation was asked for that is not there.
    #[error("--only {0}: no operation and no tool has this name; --dry-run lists them")]
    Unknown(String),
    /// A tag was asked for that no operation has.
    #[error("--tag {0}: no operation has this tag")]
    UnknownTag(String),
    /// No operation is all that was asked for.
    #[error("no operation is chosen: none fits --only, --tag and --method together")]
    NoneChosen,
    /// A parameter was bound that no chosen operation has.
    #[error("--bind {name}: no chosen operation has this parameter{near}")]
    Unbound {
        /// The name.
        name: String,
        /// What may have been meant, if anything.
        near: String,
    },
    /// A name was dropped or allowed that nothing has.
    #[error("{option} {name}: no parameter and no member of an argument has this name{near}")]
    Undescribed {
        /// The option.
        option: &'static str,
        /// The name.
        name: String,
        /// What may have been meant, if anything.
        near: String,
    },
    /// No operation or tool can be imported.
    #[error("none of the {0} can be imported")]
    Nothing(&'static str),
    /// There are more operations than one component has tools.
    #[error(
        "{count} {what} can be imported, and a component has at most {most} tools: choose by \
         {choices}"
    )]
    TooMany {
        /// How many there are.
        count: usize,
        /// Operations or tools.
        what: &'static str,
        /// How many there may be.
        most: usize,
        /// The options that choose some of them.
        choices: String,
    },
    /// A file is there that no import made.
    #[error(
        "{}: no import made this file, so none replaces it: choose another --name or --out, or \
         take the file away",
        .0.display()
    )]
    Foreign(PathBuf),
    /// It cannot be seen what is there.
    #[error("{}: it cannot be read, so it is not replaced", path.display())]
    Place {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The guest does not ask for data.
    #[error("the guest of this program cannot be joined; report it as a fault")]
    Guest,
    /// The guest cannot be joined.
    #[error("the guest cannot be joined with the operations")]
    Join {
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The joined module cannot be a component.
    #[error("the tools cannot become a component")]
    Component(#[from] BuildError),
    /// A part of the data cannot be written.
    #[error("the tools cannot be written as data")]
    Data(#[from] serde_json::Error),
    /// The lines of the configuration cannot be written.
    #[error("the lines of the configuration cannot be written")]
    Settings(#[from] toml::ser::Error),
}

/// Names of parameters that carry credentials, by their letters and digits.
const CREDENTIALS: [&str; 10] = [
    "token",
    "accesstoken",
    "oauthtoken",
    "authtoken",
    "bearertoken",
    "apikey",
    "xapikey",
    "xauthtoken",
    "authorization",
    "cookie",
];

#[cfg(test)]
mod tests;
