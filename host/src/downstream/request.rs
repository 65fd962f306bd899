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
    /// The name of the service.
    pub service: String,
    /// The HTTP method.
    pub method: String,
    /// The path below the service's base, one part per segment.
    pub path: Vec<Part>,
    /// The query parameters.
    pub query: Vec<(String, Part)>,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body; empty if there is none.
    pub body: Vec<u8>,
}

/// A service's answer, stripped of credentials.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The complete body.
    pub body: Vec<u8>,
}
