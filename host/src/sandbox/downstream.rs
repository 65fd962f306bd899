//! The `downstream` import: a tool's request goes to this call's authority.

use futures_util::future::join_all;

use super::bindings::bailiwick::tool::downstream as wit;
use super::state::CallState;
use crate::delegation::{DownstreamError, Part, Piece, Request, Response};

impl wit::Host for CallState {
    async fn send(
        &mut self,
        request: wit::Request,
    ) -> wasmtime::Result<Result<wit::Response, wit::Error>> {
        let authority = &self.scope("downstream")?.authority;
        Ok(authority
            .send(request.into())
            .await
            .map(Into::into)
            .map_err(Into::into))
    }

    async fn send_all(
        &mut self,
        requests: Vec<wit::Request>,
    ) -> wasmtime::Result<Vec<Result<wit::Response, wit::Error>>> {
        let authority = &self.scope("downstream")?.authority;
        // What cannot be within the bound costs the host nothing more.
        let over = requests
            .len()
            .saturating_sub(authority.most_calls().saturating_add(1));
        let within = requests.len().saturating_sub(over);
        let asked = requests
            .into_iter()
            .take(within)
            .map(|request| authority.send(request.into()));
        let answers = join_all(asked)
            .await
            .into_iter()
            .map(|answer| answer.map(Into::into).map_err(Into::into));
        Ok(answers
            .chain(std::iter::repeat_with(|| Err(wit::Error::QuotaExhausted)).take(over))
            .collect())
    }
}

impl From<wit::Request> for Request {
    fn from(request: wit::Request) -> Self {
        Self {
            service: request.service,
            method: request.method,
            path: request.path.into_iter().map(Into::into).collect(),
            query: request
                .query
                .into_iter()
                .map(|(key, part)| (key, part.into()))
                .collect(),
            headers: request.headers,
            body: request.body,
        }
    }
}

impl From<wit::Part> for Part {
    fn from(part: wit::Part) -> Self {
        Self(match part {
            wit::Part::Text(text) => vec![Piece::Text(text)],
            wit::Part::ActorSub => vec![Piece::ActorSub],
            wit::Part::ActorTenant => vec![Piece::ActorTenant],
            wit::Part::ActorIssuer => vec![Piece::ActorIssuer],
            wit::Part::Joined(pieces) => pieces.into_iter().map(Into::into).collect(),
        })
    }
}

impl From<wit::Piece> for Piece {
    fn from(piece: wit::Piece) -> Self {
        match piece {
            wit::Piece::Text(text) => Self::Text(text),
            wit::Piece::ActorSub => Self::ActorSub,
            wit::Piece::ActorTenant => Self::ActorTenant,
            wit::Piece::ActorIssuer => Self::ActorIssuer,
        }
    }
}

impl From<Response> for wit::Response {
    fn from(response: Response) -> Self {
        Self {
            status: response.status,
            headers: response.headers,
            body: response.body,
        }
    }
}

impl From<DownstreamError> for wit::Error {
    fn from(error: DownstreamError) -> Self {
        match error {
            DownstreamError::UnknownService => Self::UnknownService,
            DownstreamError::NotGranted(why) => Self::NotGranted(why),
            DownstreamError::InvalidRequest(why) => Self::InvalidRequest(why),
            DownstreamError::IdentityUnavailable => Self::IdentityUnavailable,
            DownstreamError::ConsentRequired(hint) => Self::ConsentRequired(hint),
            DownstreamError::ScopeDenied(scopes) => Self::ScopeDenied(scopes),
            DownstreamError::CredentialRefused(why) => Self::CredentialRefused(why),
            DownstreamError::Unavailable(what) => Self::Unavailable(what),
            DownstreamError::TimedOut => Self::TimedOut,
            DownstreamError::TooLarge => Self::TooLarge,
            DownstreamError::QuotaExhausted => Self::QuotaExhausted,
            DownstreamError::UnknownOutcome(_) => Self::UnknownOutcome,
            DownstreamError::AuditUnavailable => {
                Self::Unavailable("the host cannot record the call".into())
            }
        }
    }
}
