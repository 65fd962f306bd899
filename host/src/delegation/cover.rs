//! The refusals that a service's settings decide alone: nothing is asked and nothing is sent.
//!
//! Invariant: a request is refused here by the same code whether a tool makes it or an operator
//! asks what would become of it.

use std::cmp::Reverse;

use bailiwick_envelope::{ActorKind, DelegationMode};

use super::asker::{Acting, KnownActor};
use super::reissue::narrowed;
use super::settings::{Auth, ExchangeSettings, ReissueSettings, ServiceSettings};
use super::template::Template;
use crate::downstream::{DownstreamError, Part, Piece, Request};

impl ServiceSettings {
    /// Returns the path of the template that covers the request most closely, the first of equals,
    /// and the target as it is sent.
    ///
    /// # Errors
    /// Fails if no template covers it, or if it names an actor that it must not name.
    pub(super) fn cover(
        &self,
        request: &Request,
        known: KnownActor<'_>,
    ) -> Result<(String, String), DownstreamError> {
        if request.path.len() > MAX_SEGMENTS {
            return Err(DownstreamError::InvalidRequest(format!(
                "the path has more than {MAX_SEGMENTS} segments"
            )));
        }
        self.check_names(request, known)?;
        if let Some(template) = self.closest(request)
            && let Some(target) = template.fill(request, known.actor)?
        {
            return Ok((template.path().to_owned(), target));
        }
        let covered: Vec<_> = self.allow.iter().map(ToString::to_string).collect();
        Err(DownstreamError::NotGranted(format!(
            "{} covers {}",
            self.name,
            covered.join(", ")
        )))
    }

    /// Returns the template for which the service may take a request that another one covers, if
    /// there is such a template: a tool chooses where it cuts a text into pieces.
    pub(super) fn other_meaning(&self, request: &Request) -> Option<String> {
        let closest = self.closest(request)?;
        let mut others = self.allow.iter();
        let other = others.find(|one| one.may_be_meant(request, closest));
        other.map(ToString::to_string)
    }

    fn closest(&self, request: &Request) -> Option<&Template> {
        let covering = self.allow.iter().filter(|one| one.covers(request));
        covering.min_by_key(|one| Reverse(one.closeness(request)))
    }

    /// Checks that the service may be given the names of the actor that the request asks for.
    fn check_names(&self, request: &Request, known: KnownActor<'_>) -> Result<(), DownstreamError> {
        let parts = request
            .path
            .iter()
            .chain(request.query.iter().map(|(_, part)| part));
        let pieces = || parts.clone().flat_map(|Part(pieces)| pieces);
        let knows = self.actor_issuers.iter().any(|alias| alias == known.alias);
        if !knows && pieces().any(|piece| !matches!(piece, Piece::Text(_))) {
            return Err(DownstreamError::NotGranted(
                "the service does not know the subjects of this issuer".into(),
            ));
        }
        // A service account may have the name of a user (RFC 9068 §5) and would then pass for that
        // user.
        if known.actor.kind != ActorKind::User
            && !self.subjects.service_accounts
            && pieces().any(|piece| matches!(piece, Piece::ActorSub))
        {
            return Err(DownstreamError::IdentityUnavailable);
        }
        Ok(())
    }

    /// Returns the error that a tool whose calls have these `scopes` would get for a request of
    /// this template in this mode, as far as it is known before anything leaves the host.
    pub fn refusal(
        &self,
        template: &Template,
        mode: DelegationMode,
        known: KnownActor<'_>,
        scopes: &[String],
    ) -> Option<DownstreamError> {
        if let Err(refused) = self.cover(&template.example(), known) {
            return Some(refused);
        }
        if let (DelegationMode::ServiceIdentity, Auth::Static(auth)) = (mode, &self.auth) {
            return auth.refusal(known, self.subjects.service_accounts);
        }
        Acting::in_mode(mode)?;
        let (exchange, reissue) = (self.exchange.as_ref(), self.reissue.as_ref());
        let serves = exchange.is_some_and(|exchange| exchange.serves(known))
            || reissue.is_some_and(|reissue| reissue.serves(known));
        if !serves {
            return Some(DownstreamError::IdentityUnavailable);
        }
        let lacks = |reissue: &&ReissueSettings| !reissue.has_scopes(scopes);
        let reissue = reissue.filter(lacks)?;
        Some(DownstreamError::ScopeDenied(reissue.scopes.clone()))
    }
}

impl ExchangeSettings {
    /// Returns true if a user's authority can be asked for on behalf of this actor.
    pub(super) fn serves(&self, known: KnownActor<'_>) -> bool {
        let mut issuers = self.subject_issuers.iter();
        known.actor.kind == ActorKind::User && issuers.any(|alias| alias == known.alias)
    }
}

impl ReissueSettings {
    /// Returns true if the host issues tokens for this actor: a user of the one issuer. A token
    /// whose subject is its client would be the host's own (RFC 9068 §5).
    pub(super) fn serves(&self, known: KnownActor<'_>) -> bool {
        known.actor.kind == ActorKind::User
            && known.alias == self.subject_issuer
            && known.actor.sub != self.client_id
    }

    /// Returns true if a call with these scopes has one of the service's.
    pub fn has_scopes(&self, of_call: &[String]) -> bool {
        !narrowed(&self.scopes, of_call).is_empty()
    }
}

/// The most segments of a path. `{**}` stands for any number of them.
const MAX_SEGMENTS: usize = 256;
