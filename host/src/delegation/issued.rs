//! Verification of an issued token, before a byte of it is sent anywhere.
//!
//! Invariant: a token is refused if it names another subject, tenant, issuer, audience, client or
//! actor, has wider scopes or `authorization_details`, is bound to anything but the certificate
//! that the host shows to the service, is an ID token or outlives the caller's authority. `null` is
//! never read as silence.

use bailiwick_envelope::PriorActor;
use secrecy::ExposeSecret as _;

use super::asker::{Acting, Asker};
#[cfg(test)]
use super::barriers::Barrier;
use super::obtaining::refuse;
use super::settings::{ExchangeSettings, IssuedSettings};
use crate::downstream::DownstreamError;
use crate::egress::CertificateDigest;
use crate::identity::MAX_ACTORS;
use crate::seams::Clock;
use crate::tokens::{
    Audience, Claims, Expectations, Granted, KeyRing, Subject, TokenError, Unverified,
};

/// The expectations of an issued token: the operator's, and those that follow from the asker.
pub(super) struct Expected<'c> {
    pub(super) exchange: &'c ExchangeSettings,
    /// The keys of the issuer that the operator names.
    pub(super) keys: &'c KeyRing,
    pub(super) asker: &'c Asker<'c>,
    /// SHA-256 of the certificate that the host shows to the service, if it shows one.
    pub(super) certificate: Option<CertificateDigest>,
    pub(super) clock: &'c dyn Clock,
}

impl Expected<'_> {
    /// Verifies the issued token in full. Returns the time until which it may be used, in seconds
    /// since 1970-01-01 UTC: never longer than the caller's own token.
    ///
    /// # Errors
    /// Fails if the token must not be sent.
    pub(super) async fn verify(&self, granted: &Granted) -> Result<u64, DownstreamError> {
        let token = granted.access_token.expose_secret();
        if self.rule().opaque {
            return self.answered(granted);
        }
        let verified = self
            .expectations()
            .verify(Unverified::parse(token)?, self.clock)
            .await?;
        let claims = verified.claims();
        self.check_tenant(claims)?;
        self.check_client(claims)?;
        self.check_actor(claims)?;
        if !self.rule().details && (granted.details || claims.has("authorization_details")) {
            return Err(refuse(
                "it has authorization_details (exchange.expect_authorization_details)",
            ));
        }
        self.check_scopes(Some(claims), granted)?;
        Ok(claims.expiry()?.min(self.asker.until))
    }

    fn rule(&self) -> &IssuedSettings {
        &self.exchange.issued
    }

    /// Checks what an answer says about a token that only its service can read. Whose token it is,
    /// the authorization server alone knows: the operator has said that this is enough.
    fn answered(&self, granted: &Granted) -> Result<u64, DownstreamError> {
        if !self.rule().details && granted.details {
            return Err(refuse(
                "it has authorization_details (exchange.expect_authorization_details)",
            ));
        }
        self.check_scopes(None, granted)?;
        let Some(lifetime) = granted.expires_in else {
            return Err(refuse("the answer does not say how long it is valid"));
        };
        let expires_at = self.clock.now().saturating_add(lifetime);
        if expires_at > self.ends_by() {
            return Err(TokenError::Outlives.into());
        }
        Ok(expires_at.min(self.asker.until))
    }

    /// Returns the latest time at which an issued token may expire.
    fn ends_by(&self) -> u64 {
        let beyond = self
            .rule()
            .max_lifetime
            .map_or(0, |seconds| self.clock.now().saturating_add(seconds));
        self.asker.until.max(beyond)
    }

    /// Returns the expectations of any token that is issued for this caller.
    fn expectations(&self) -> Expectations<'_> {
        let rule = self.rule();
        let subject = Some(Subject {
            claim: &rule.subject_claim,
            name: &self.asker.actor.sub,
        });
        #[cfg(test)]
        let subject = subject.filter(|_| Barrier::IssuedSubject.stands());
        Expectations {
            issuer: &rule.issuer,
            keys: self.keys,
            token_type: &rule.token_type,
            times: &rule.times,
            ends_by: Some(self.ends_by()),
            audience: Audience::Only(&rule.audience),
            subject,
            certificate: self.certificate,
        }
    }

    /// Checks the tenant: a user of two tenants must not reach the other tenant's data.
    fn check_tenant(&self, claims: &Claims) -> Result<(), DownstreamError> {
        let Some(rule) = &self.rule().tenant else {
            return Ok(());
        };
        match claims.optional_string(&rule.claim)? {
            Some(tenant) if Some(tenant) != self.asker.actor.tenant.as_deref() => Err(refuse(
                "it is for another tenant (exchange.expect_tenant_claim)",
            )),
            None if rule.required => {
                Err(refuse("it states no tenant (exchange.expect_tenant_claim)"))
            }
            _ => Ok(()),
        }
    }

    /// Checks the client. It is the one that asked for the token, under either name (RFC 9068
    /// §2.2).
    fn check_client(&self, claims: &Claims) -> Result<(), DownstreamError> {
        for name in ["client_id", "azp", "appid", "cid"] {
            if claims.has(name) && !claims.states(name) {
                return Err(TokenError::Claim(name.to_owned()).into());
            }
            if claims
                .client(name)?
                .is_some_and(|client| client != self.rule().client)
            {
                return Err(refuse(
                    "it was issued to another client (exchange.expect_client)",
                ));
            }
        }
        Ok(())
    }

    /// Checks the actors (RFC 8693 §4.1): the outermost actor is the host. Those nested in it acted
    /// before, so they can only be agents of the caller.
    ///
    /// Without an actor token, `act` is optional. But if it is there, it names the party that may
    /// use the token (§1.1), so even then it must be the host, under the name that the
    /// authorization server knows: its client.
    fn check_actor(&self, claims: &Claims) -> Result<(), DownstreamError> {
        let (rule, acting) = (self.rule(), self.asker.acting);
        let Some(act) = claims.optional_object("act")? else {
            let wanted = acting == Acting::HostForUser && rule.actor.is_some();
            return if wanted {
                Err(refuse("it names no actor"))
            } else {
                Ok(())
            };
        };
        if acting == Acting::UserAlone {
            return Err(refuse(
                "it names an actor, which a restricted token must not",
            ));
        }
        let sub = act.string("sub")?;
        if sub != rule.actor.as_deref().unwrap_or(&rule.client) {
            return Err(refuse("it names another actor (exchange.expect_actor)"));
        }
        let issuer = act.optional_string("iss")?;
        if issuer
            .is_some_and(|issuer| issuer != rule.actor_issuer.as_deref().unwrap_or(&rule.issuer))
        {
            return Err(refuse(
                "its actor is of another issuer (exchange.expect_actor_issuer)",
            ));
        }
        let mut nested = act.optional_object("act")?;
        let mut depth = 0_usize;
        while let Some(prior) = nested {
            depth += 1;
            if depth > MAX_ACTORS {
                return Err(refuse("its `act` has too many actors nested in it"));
            }
            if !self.is_agent(prior.string("sub")?, prior.optional_string("iss")?) {
                return Err(refuse(
                    "its `act` has an actor nested in it that the caller's token does not name",
                ));
            }
            nested = prior.optional_object("act")?;
        }
        Ok(())
    }

    /// Returns true if this is an agent of the caller according to the caller's own token.
    fn is_agent(&self, sub: &str, issuer: Option<&str>) -> bool {
        let Asker { actor, agent, .. } = self.asker;
        let home = |issuer: &str| issuer == self.rule().issuer || issuer == actor.iss;
        let outer = (sub == agent.id || sub == agent.client_id) && issuer.is_none_or(home);
        let named = |prior: &PriorActor| {
            prior.sub == sub
                && issuer.is_none_or(|issuer| home(issuer) || prior.iss.as_deref() == Some(issuer))
        };
        outer || agent.prior.iter().any(named)
    }

    /// Checks the scopes. RFC 8693 §2.2.1: the answer may leave `scope` out only if the scopes are
    /// the requested ones. A restricted user's token must state its scopes. The answer may spell
    /// scopes as they were requested, the token as the service knows them.
    ///
    /// # Errors
    /// Fails if there are scopes that were not requested, or if one of those is missing.
    pub(super) fn check_scopes(
        &self,
        claims: Option<&Claims>,
        granted: &Granted,
    ) -> Result<(), DownstreamError> {
        let (asked, spelled) = (&self.exchange.scopes, &self.rule().scopes);
        let mut issued = Vec::new();
        for name in ["scope", "scp"] {
            issued.extend(claims.map_or(Ok(Vec::new()), |claims| claims.scopes(name))?);
        }
        let answered = granted.scope.as_deref().unwrap_or_default();
        let wanted = |scope: &String| asked.contains(scope) || spelled.contains(scope);
        if issued.iter().any(|scope| !spelled.contains(scope)) || !answered.iter().all(wanted) {
            return Err(refuse(
                "it has scopes that were not requested (exchange.expect_scopes)",
            ));
        }
        let states = claims.is_some_and(|claims| claims.has("scope") || claims.has("scp"));
        let missing = if states {
            lacking(spelled, &issued)
        } else if granted.scope.is_some() && answered.iter().any(|scope| asked.contains(scope)) {
            lacking(asked, answered)
        } else if granted.scope.is_some() {
            lacking(spelled, answered)
        } else if self.asker.acting == Acting::UserAlone {
            return Err(refuse(
                "neither it nor the answer states scopes, which a restricted token must",
            ));
        } else {
            Vec::new()
        };
        if missing.is_empty() {
            Ok(())
        } else {
            Err(DownstreamError::ScopeDenied(missing))
        }
    }
}

/// Returns the wanted scopes that are not among the given ones.
fn lacking(wanted: &[String], given: &[String]) -> Vec<String> {
    let missing = wanted.iter().filter(|scope| !given.contains(scope));
    missing.cloned().collect()
}
