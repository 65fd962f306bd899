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
    #[error("the server does not answer")]
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
            // Servers that speak others say so in many ways, and some list their tools all the same.
            _ => Ok(None),
        }
    }

    /// Lists the tools in the revision that the server chooses in a handshake.
    async fn with_handshake(
        &mut self,
    ) -> Result<(RemoteRevision, Vec<RemoteTool>), ListingError> {
        let offered = RemoteRevision::LATEST_WITH_HANDSHAKE;
        if let Some(tools) = self.in_revision(offered).await?? {
            return Ok((offered, tools));
        }
        Err(ListingError::Revision)
    }

    /// Lists the tools in the revision that the server chooses in a handshake.
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
}
