//! What a remote MCP server lists: finds the revision that it speaks, and reads all its tools.
//!
//! Trusts no answer. Invariant: nothing that a server says leads to another message than those that
//! list tools, or to another place; what repeats the operator's token is not used.

use http::StatusCode;

use super::endpoint::RemoteEndpoint;
use crate::delegation::Echoed;
use crate::egress::{EgressError, Reply};
use crate::remote::{
    RemoteAnswer, RemoteConversation, RemoteError, RemoteMessage, RemoteReply, RemoteRevision,
    RemoteTool, RemoteTools,
};

/// The tools of a remote server, as it lists them to one caller.
#[derive(Debug)]
pub struct RemoteListing {
    /// The place of the server.
    pub endpoint: RemoteEndpoint,
    /// The revision that it speaks.
    pub revision: RemoteRevision,
    /// All its tools, in its order.
    pub tools: Vec<RemoteTool>,
}

/// The reason why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// There is no answer.
    #[error("the server's list cannot be asked for")]
    Egress(#[from] EgressError),
    /// The server wants another token, or one at all.
    #[error(
        "the server does not list its tools to this caller (HTTP {0}): give a token that it \
         accepts, by --token-file"
    )]
    Refused(u16),
    /// The server is elsewhere.
    #[error(
        "the server redirects (HTTP {0}), which is not followed: give the address of the endpoint \
         itself"
    )]
    Moved(u16),
    /// There is no server at this path, or one of the former transport.
    #[error(
        "there is no MCP endpoint of Streamable HTTP at this address (HTTP {0}): give the whole \
         address that its owner names, with the path"
    )]
    NoEndpoint(u16),
    /// The server speaks another revision.
    #[error("the server speaks no revision of MCP that this host knows, and it knows {KNOWN}")]
    Revision,
    /// An answer is not one.
    #[error("the server's list cannot be read")]
    Answer(#[from] RemoteError),
    /// All answers together are too large.
    #[error("the server's list is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// An answer has the token in it.
    #[error("the server repeats the token in its answer, so nothing of it is used")]
    Echo,
}

impl RemoteListing {
    /// Lists the tools of the server at `endpoint`. `ask` sends a message there and returns its
    /// answer; `token` is what it proves itself with, if there is one.
    ///
    /// # Errors
    /// There is no list, or it is longer than any host's.
    pub async fn read(
        endpoint: RemoteEndpoint,
        token: Option<&[u8]>,
        ask: impl AsyncFnMut(RemoteMessage) -> Result<Reply, EgressError>,
    ) -> Result<Self, ListingError> {
        let mut echoed = Echoed::default();
        echoed.add(token.unwrap_or_default());
        let mut server = AskedServer {
            ask,
            echoed,
            left: MAX_BYTES,
        };
        let (revision, tools) = match server.without_handshake().await? {
            Some(tools) => (RemoteRevision::LATEST, tools),
            None => server.with_handshake().await?,
        };
        Ok(Self {
            endpoint,
            revision,
            tools,
        })
    }
}

/// A server, and what its answers may still have.
struct AskedServer<A> {
    ask: A,
    echoed: Echoed,
    /// The bytes that are left for answers.
    left: usize,
}

impl<A: AsyncFnMut(RemoteMessage) -> Result<Reply, EgressError>> AskedServer<A> {
    /// Lists the tools in the latest revision; `None` if the server does not speak it.
    async fn without_handshake(&mut self) -> Result<Option<Vec<RemoteTool>>, ListingError> {
        let mut conversation = RemoteConversation::new(RemoteRevision::LATEST);
        let message = conversation.list(None);
        let reply = self.reply(&message).await?;
        match message.answer(parts(&reply)) {
            Ok(first) if is_of_latest(&first) => {
                self.pages(&mut conversation, &first).await.map(Some)
            }
            // Servers that speak others say so in many ways, and some list their tools anyway.
            _ => Ok(None),
        }
    }

    /// Lists the tools in the revision that the server chooses in a handshake.
    async fn with_handshake(&mut self) -> Result<(RemoteRevision, Vec<RemoteTool>), ListingError> {
        let mut offered = RemoteRevision::LATEST_WITH_HANDSHAKE;
        // The host offers at a call what is found here, so a choice is tried as an offer.
        for _ in 0..OFFERS {
            let mut conversation = RemoteConversation::new(offered);
            let message = conversation.initialize().ok_or(ListingError::Revision)?;
            let reply = self.reply(&message).await?;
            let answer = message.answer(parts(&reply))?;
            if let RemoteAnswer::Status(status) = answer
                && NOWHERE.contains(&status)
            {
                return Err(ListingError::NoEndpoint(status));
            }
            let chosen = RemoteRevision::chosen(&answer)?;
            let tools = match conversation.initialized(&reply.headers, &answer) {
                Ok(initialized) => Some(self.in_session(&mut conversation, &initialized).await),
                Err(RemoteError::OtherRevision { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            if let Some(end) = conversation.end() {
                // The server forgets a session by itself too.
                (self.ask)(end).await.ok();
            }
            match (tools, chosen) {
                (Some(tools), _) => return Ok((offered, tools?)),
                (None, Some(chosen)) => offered = chosen,
                (None, None) => break,
            }
        }
        Err(ListingError::Revision)
    }

    /// Ends the handshake and lists the tools.
    async fn in_session(
        &mut self,
        conversation: &mut RemoteConversation,
        initialized: &RemoteMessage,
    ) -> Result<Vec<RemoteTool>, ListingError> {
        self.reply(initialized).await?;
        let message = conversation.list(None);
        let reply = self.reply(&message).await?;
        let first = message.answer(parts(&reply))?;
        self.pages(conversation, &first).await
    }

    /// Returns all tools, of which `first` has the first page.
    async fn pages(
        &mut self,
        conversation: &mut RemoteConversation,
        first: &RemoteAnswer,
    ) -> Result<Vec<RemoteTool>, ListingError> {
        let mut tools = RemoteTools::default();
        let mut next = tools.add(first)?;
        while let Some(cursor) = next {
            let message = conversation.list(Some(&cursor));
            let reply = self.reply(&message).await?;
            next = tools.add(&message.answer(parts(&reply))?)?;
        }
        Ok(tools.into_tools())
    }

    /// Sends a message, and returns what comes back if it may be looked at.
    async fn reply(&mut self, message: &RemoteMessage) -> Result<Reply, ListingError> {
        let reply = (self.ask)(message.clone()).await?;
        let left = self.left.checked_sub(reply.body.len());
        self.left = left.ok_or(ListingError::TooLarge)?;
        if self.echoed.are_in(&reply.body) {
            return Err(ListingError::Echo);
        }
        let status = reply.status;
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(ListingError::Refused(status.as_u16()))
            }
            _ if status.is_redirection() => Err(ListingError::Moved(status.as_u16())),
            _ => Ok(reply),
        }
    }
}

fn parts(reply: &Reply) -> RemoteReply<'_> {
    RemoteReply {
        status: reply.status,
        headers: &reply.headers,
        body: &reply.body,
    }
}

/// Returns true if an answer is a result of the latest revision: those of others have no type.
fn is_of_latest(answer: &RemoteAnswer) -> bool {
    matches!(answer, RemoteAnswer::Result(result) if result.contains_key("resultType"))
}

/// What a place without an endpoint answers.
const NOWHERE: [u16; 2] = [404, 405];
const KNOWN: &str = "2026-07-28, 2025-11-25, 2025-06-18 and 2025-03-26";
/// The host's newest revision with a handshake, and the server's choice.
const OFFERS: usize = 2;
/// The most bytes of all answers.
const MAX_BYTES: usize = 16 << 20;

#[cfg(test)]
mod tests;
