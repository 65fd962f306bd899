//! Information for the service about the call: the transaction token and the audit headers.
//!
//! Neither grants anything. A service inside the trust domain can verify the transaction token; the
//! headers are for its log.

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use bailiwick_envelope::DelegationMode;

use super::settings::{AuditHeaders, ServiceSettings};
use crate::downstream::DownstreamError;
use crate::envelope::{Envelope, Signer};
use crate::seams::{Random, random_hex};

/// For whom a service is called.
pub(super) struct OnBehalf<'c> {
    pub(super) envelope: &'c Envelope,
    pub(super) service: &'c ServiceSettings,
    pub(super) mode: DelegationMode,
}

/// Adds the transaction token and the audit headers to a request, as far as the operator wants
/// them.
pub(super) fn identify(
    headers: &mut HeaderMap,
    behalf: &OnBehalf<'_>,
    signer: &Signer,
    random: &dyn Random,
) -> Result<(), DownstreamError> {
    let &OnBehalf {
        envelope,
        service,
        mode,
    } = behalf;
    let claims = envelope.claims();
    let mut set = |name: &'static str, value: &str| {
        let value = HeaderValue::try_from(value).map_err(|_| {
            DownstreamError::InvalidRequest(format!("the header {name} cannot carry this identity"))
        })?;
        headers.insert(HeaderName::from_static(name), value);
        Ok::<_, DownstreamError>(())
    };
    if service.in_trust_domain {
        let token = signer
            .transaction(envelope, &service.name)
            .map_err(|_| DownstreamError::IdentityUnavailable)?;
        set("txn-token", token.as_str())?;
    }
    if service.audit_headers == AuditHeaders::None {
        return Ok(());
    }
    let span = random_hex::<8>(random);
    set(
        "traceparent",
        &format!("00-{}-{span}-01", claims.session.trace_id),
    )?;
    set("x-trace-id", &claims.session.trace_id)?;
    if service.audit_headers == AuditHeaders::Full {
        set("x-actor-sub", &header_text(&claims.actor.sub))?;
        set("x-actor-iss", &header_text(&claims.actor.iss))?;
        set("x-agent-id", &header_text(&claims.agent.id))?;
        set("x-delegation-mode", mode.as_str())?;
    }
    Ok(())
}

/// Encodes a name for a header. Names may have any printable character, and headers carry ASCII.
/// Injective, so two names never become one.
fn header_text(name: &str) -> String {
    const ODD: &AsciiSet = &CONTROLS.add(b'%').add(b' ').add(b'"').add(b',').add(b';');
    utf8_percent_encode(name, ODD).to_string()
}
