//! The request that a tool makes and the response that it gets, as plain values.

/// A piece of a path or a query value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The tool's own text.
    Text(String),
    /// The actor's subject, which the host fills in.
    ActorSub,
    /// The actor's tenant, which the host fills in.
    ActorTenant,
}

/// A tool's request. There is no URL in it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Name of the service.
    pub service: String,
    /// HTTP method.
    pub method: String,
    /// Path segments below the service's base.
    pub path: Vec<Part>,
    /// Query parameters.
    pub query: Vec<(String, Part)>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
}

/// A service's answer, stripped of credentials.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, complete.
    pub body: Vec<u8>,
}
