//! Remote MCP servers: the messages of one conversation, and what their answers say.
//!
//! Trusts nothing that a server sends. Makes messages and reads answers, and neither connects nor
//! holds a credential: `delegation` carries the messages for a call, and `cli` carries them for an
//! import.
//!
//! Invariant: an answer counts only if it is the one answer to the message that was sent. What else
//! a server says (requests, `_meta`, links, changes of its list) leads to no message.

mod answer;
mod arguments;
mod conversation;
mod error;
mod events;
mod mirrored;
mod revision;
#[cfg(any(test, fuzzing))]
mod surface;
#[cfg(test)]
mod tests;
mod tool;

pub use answer::{RemoteAnswer, RemoteReply};
pub use arguments::RemoteArguments;
pub use conversation::{RemoteConversation, RemoteMessage};
pub use error::RemoteError;
pub use mirrored::MirroredArgument;
pub use revision::{RemoteRevision, UnknownRevision};
#[cfg(any(test, fuzzing))]
pub use surface::stream as stream_surface;
pub use tool::{RemoteTool, RemoteTools, is_tool_name};

/// The method that calls a tool. No other one of MCP does anything for a tool of this host.
pub const TOOLS_CALL: &str = "tools/call";
