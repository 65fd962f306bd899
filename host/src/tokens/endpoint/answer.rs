//! An endpoint's answer before anything in it is believed.

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use super::error::{EndpointError, MalformedAnswer};
use super::granted::{Granted, claims, known_error, refused};
use super::pause::{ProofDigest, ProofStanding};
use super::{MAX_DEPTH, wipe, wipe_bytes};
use crate::egress::Reply;
use crate::json::{self, member};

/// An answer, and the proof of identity that its request had. What it says is erased with it.
pub(super) struct EndpointAnswer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) proof: ProofDigest,
    pub(super) document: Result<Value, MalformedAnswer>,
}

impl EndpointAnswer {
    pub(super) fn new(reply: Reply, proof: ProofDigest) -> Self {
        let document = document(&reply);
        // A token may be in both copies: the bytes, and the document that was read from them.
        wipe_bytes(reply.body);
        Self {
            status: reply.status,
            headers: reply.headers,
            proof,
            document,
        }
    }

    /// Reads the answer to a request for a token with the scopes `asked`. An `error` is one under
    /// any status: some servers send it with 200.
    pub(super) fn granted(
        &self,
        asked: &[String],
        token_type: &str,
    ) -> Result<Granted, EndpointError> {
        if self.status != StatusCode::OK {
            return Err(self.refused(asked));
        }
        let document = self.document.as_ref().map_err(MalformedAnswer::clone)?;
        if let Some(why) = self.error(asked) {
            return Err(why);
        }
        Ok(Granted::read(document, token_type)?)
    }

    /// Returns the meaning of an answer with another status than 200. `asked` are the requested
    /// scopes. Of the server's text only a known code goes further.
    pub(super) fn refused(&self, asked: &[String]) -> EndpointError {
        let status = self.status.as_u16();
        if self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS {
            return EndpointError::Unavailable;
        }
        if let Some(why) = self.error(asked) {
            return why;
        }
        if self.status.is_redirection() {
            EndpointError::Redirected(status)
        } else if self.status.is_client_error() {
            EndpointError::RefusedWithoutCode(status)
        } else {
            EndpointError::OtherStatus(status)
        }
    }

    /// Returns the meaning of the answer's `error`, if its code is known.
    fn error(&self, asked: &[String]) -> Option<EndpointError> {
        let members = self.members()?;
        Some(refused(known_error(members)?, claims(members), asked))
    }

    /// Returns what the answer, which was `read`, says about the host as a client. A 401 that has
    /// another code than `invalid_client` or `unauthorized_client` is about the user (such as an
    /// account that is not linked).
    pub(super) fn standing<T>(&self, read: &Result<T, EndpointError>) -> ProofStanding {
        let status = self.status;
        match read {
            Ok(_) => ProofStanding::Known,
            // Keycloak says the one of an `audience` that it does not know, too, and the other of a
            // wrong secret as of a grant that the client may not use.
            Err(EndpointError::Refused("invalid_client")) if status == StatusCode::BAD_REQUEST => {
                ProofStanding::Doubted
            }
            Err(EndpointError::Refused("unauthorized_client"))
                if status == StatusCode::UNAUTHORIZED =>
            {
                ProofStanding::Doubted
            }
            Err(EndpointError::Refused("invalid_client")) => ProofStanding::Refused,
            Err(EndpointError::RefusedWithoutCode(401)) if !self.has_code() => {
                ProofStanding::Refused
            }
            Err(
                EndpointError::Refused("invalid_grant")
                | EndpointError::ConsentRequired
                | EndpointError::ClaimsRequired(_),
            ) => ProofStanding::Known,
            Err(_) => ProofStanding::Unsaid,
        }
    }

    fn has_code(&self) -> bool {
        self.members()
            .is_some_and(|members| matches!(member::text(members, "error"), Ok(Some(_))))
    }

    fn members(&self) -> Option<&Map<String, Value>> {
        let document = self.document.as_ref().ok()?;
        member::members(document, "the answer").ok()
    }
}

impl Drop for EndpointAnswer {
    fn drop(&mut self) {
        self.document.iter_mut().for_each(wipe);
    }
}

/// Reads a body as JSON, or says what it is instead.
fn document(reply: &Reply) -> Result<Value, MalformedAnswer> {
    let body = reply.body.as_ref();
    json::parse(body, MAX_DEPTH).map_err(|error| {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        match first {
            None => MalformedAnswer::Empty,
            Some(_) if body.starts_with(b"\xef\xbb\xbf") => MalformedAnswer::ByteOrderMark,
            Some(_) if body.starts_with(&[0x1f, 0x8b]) => MalformedAnswer::Compressed,
            Some(b'<') => MalformedAnswer::Page,
            Some(_) => error.into(),
        }
    })
}
