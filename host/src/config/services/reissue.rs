//! `[services.NAME.reissue]`: the tokens that the host itself issues for the service.

use std::sync::Arc;
use std::time::Duration;

use bailiwick_envelope::MAX_TOKEN_LIFETIME;

use crate::config::issuers::is_sound;
use crate::config::presentation::scopes;
use crate::config::reader::Section;
use crate::config::reissue::Reissuer;
use crate::delegation::{ReissueSettings, ServiceSettings};

/// Reads what the service's tokens say. `is_on` says whether there is a `[reissue]`, right or
/// wrong.
pub(super) fn reissue(
    section: &Section<'_>,
    reissuer: Option<&Reissuer>,
    is_on: bool,
) -> Option<ReissueSettings> {
    let audience = section.required("audience");
    if !section.has("scopes") {
        section.problem(
            section.start,
            format!("{} is missing", section.name("scopes")),
        );
    }
    let scopes = scopes(section, "scopes");
    if section.has("scopes") && scopes.is_empty() {
        section.wrong("scopes", "the list is empty, so no token could be issued");
    }
    let longest = Duration::from_secs(MAX_TOKEN_LIFETIME);
    let lifetime = section.duration("lifetime", longest).unwrap_or(longest);
    if !is_on {
        section.problem(
            section.start,
            format!(
                "{} needs [reissue]: the host's own issuer and key, which are off unless set",
                section.path
            ),
        );
    }
    let reissuer = reissuer?;
    let audience = audience.filter(|audience| is_sound(section, "audience", audience))?;
    if reissuer.own_names.contains(&audience) {
        let why = "it names this host (server.resource, envelope.trust_domain or reissue.issuer), \
                   and not the service";
        section.wrong("audience", why);
    }
    Some(ReissueSettings {
        issuer: Arc::clone(&reissuer.issuer),
        subject_issuer: reissuer.subject_issuer.clone(),
        client_id: reissuer.client_id.clone(),
        audience,
        scopes,
        lifetime: lifetime.as_secs().max(1),
    })
}

/// Checks that the token of one service is good at no other, and that no authorization server is
/// expected to issue tokens in the host's name.
pub(super) fn check_apart(root: &Section<'_>, services: &[ServiceSettings], own: &Reissuer) {
    for (index, service) in services.iter().enumerate() {
        let name = &service.name;
        let exchange = service.exchange.as_ref();
        if exchange.is_some_and(|exchange| exchange.issued.issuer == own.issuer.name()) {
            root.problem(
                0,
                format!("services.{name}.exchange.issuer: it is reissue.issuer, the host itself"),
            );
        }
        let Some(reissue) = &service.reissue else {
            continue;
        };
        let same = |other: &&ServiceSettings| {
            let audience = other.reissue.as_ref().map(|reissue| &reissue.audience);
            audience == Some(&reissue.audience) && other.url != service.url
        };
        if let Some(other) = services.iter().take(index).find(same) {
            let other = &other.name;
            root.problem(
                0,
                format!(
                    "services.{name}.reissue.audience: services.{other} has it at another url, so \
                     each could use at the other what it was sent"
                ),
            );
        }
    }
}
