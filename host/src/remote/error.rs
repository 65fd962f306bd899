//! What is wrong with an answer of a remote MCP server.

use super::revision::RemoteRevision;
use crate::json::JsonError;
use crate::json::member::IllTyped;

/// An answer that counts for none, or a message that cannot be made. Quotes no text of the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// The text is not JSON that the host reads.
    #[error("the server's message cannot be read")]
    Json(#[from] JsonError),
    /// A member has another type than MCP gives it.
    #[error("a member of the server's message has another type")]
    IllTyped(#[from] IllTyped),
    /// It is JSON, and no message of JSON-RPC 2.0.
    #[error("the server's message is not one of JSON-RPC 2.0: {0}")]
    NotRpc(&'static str),
    /// The stream of events is not UTF-8.
    #[error("the server's stream of events is not UTF-8")]
    NotText,
    /// It answers a message that the host did not send in this exchange.
    #[error("the server answers another message than the host's")]
    Foreign,
    /// The host's message has two answers.
    #[error("the server answers one message twice")]
    Twice,
    /// The stream ended without an answer. The host does not come back for the rest of a stream.
    #[error("the server's stream of events ended without an answer")]
    Unanswered,
    /// The server asks for something. The host declares no capability that would let it.
    #[error("the server sent a request of its own, which the host refuses")]
    Asks,
    /// The tool asks for input before it answers.
    #[error(
        "the remote tool asks for input (input_required), which it cannot get through the host"
    )]
    InputRequired,
    /// The server answers a message that prepares the call with an error.
    #[error("the server refused {method} with the error {code}")]
    Refused {
        /// The method of the host's message.
        method: &'static str,
        /// The code of JSON-RPC.
        code: i64,
    },
    /// A message has no answer of JSON-RPC, or one whose HTTP status says more than it.
    #[error("the server answered {method} with the HTTP status {status} and no result")]
    Status {
        /// The method of the host's message.
        method: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// The server chose another revision than the one of the configuration.
    #[error("the server does not speak MCP {expected}; import it again to find out what it speaks")]
    OtherRevision {
        /// The revision of the configuration.
        expected: RemoteRevision,
    },
    /// The identifier of the session cannot stand in a header.
    #[error("the server's Mcp-Session-Id is not one value of 1 to {0} visible characters")]
    Session(usize),
    /// The list of tools has no end.
    #[error("the server's list of tools has more than {0} pages")]
    TooManyPages(usize),
    /// The list has too many tools.
    #[error("the server's list has more than {0} tools")]
    TooManyTools(usize),
    /// The definitions of the list are too large together.
    #[error("the definitions in the server's list have more than {0} values")]
    TooManyValues(usize),
    /// A tool of the list has no name.
    #[error("a tool of the server's list has no name")]
    Unnamed,
    /// Two tools of the list have one name, so nobody knows which of them a call means.
    #[error("two tools of the server's list have one name")]
    OneName,
    /// An input schema sends an argument in a header in a way that MCP does not know.
    #[error(
        "an x-mcp-header of the tool's input schema is not the name of a header, is there twice, \
         or belongs to something other than a string, an integer or a boolean"
    )]
    Mirrored,
    /// The arguments of a call are not one object.
    #[error("the arguments of a remote tool are one JSON object, without a member twice")]
    Arguments,
}
