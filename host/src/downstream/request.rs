//! The request that a tool makes and the response that it gets, as plain values.

/// A path segment or a query value: pieces that the host joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part(pub Vec<Piece>);

/// A piece of a path segment or of a query value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The tool's own text.
    Text(String),
    /// The actor's subject, which the host fills in.
    ActorSub,
    /// The actor's tenant, which the host fills in.
    ActorTenant,
    /// The actor's issuer, which the host fills in.
    ActorIssuer,
}

/// A tool's request. There is no URL in it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Name of the service.
    pub service: String,
    /// HTTP method.
    pub method: String,
    /// The path below the service's base, one part per segment.
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
