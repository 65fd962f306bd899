//! What one call could reach: each service with its mode, what the mode does, and what is missing.

use bailiwick::config::Config;
use bailiwick::delegation::{Auth, ExchangeSettings, ServiceSettings};
use bailiwick::dispatch::Tool;
use bailiwick::identity::Caller;
use bailiwick_envelope::{ActorKind, DelegationMode};

use super::super::page::{Page, Tone};

/// `user` or `service`.
pub(super) fn kind(caller: &Caller) -> &'static str {
    match caller.actor().kind {
        ActorKind::User => "user",
        ActorKind::Service => "service",
    }
}

/// Tells about every service that the tool has or wants.
pub(super) fn tell(
    tool: &Tool,
    caller: &Caller,
    config: &Config,
    page: &mut Page<'_>,
) -> anyhow::Result<()> {
    page.heading("services")?;
    if tool.definition.services.is_empty() {
        page.line("  none: the tool asks for no service")?;
    }
    let mut missing = Vec::new();
    for name in &tool.definition.services {
        let service = config.services.iter().find(|service| service.name == *name);
        match (tool.backing.services.get(name), service) {
            (Some(mode), Some(service)) => {
                page.say(&[
                    (Tone::Strong, &format!("  {name}")),
                    (Tone::Plain, &format!("  {}", mode.as_str())),
                ])?;
                about(service, *mode, page)?;
                missing.extend(lacking(service, *mode, caller));
            }
            (_, known) => {
                page.say(&[
                    (Tone::Strong, &format!("  {name}")),
                    (Tone::Warning, "  not granted"),
                ])?;
                missing.push(ungranted(
                    name,
                    &tool.backing.component.name,
                    known.is_some(),
                ));
            }
        }
    }
    if !missing.is_empty() {
        page.heading("what is missing")?;
        missing
            .iter()
            .try_for_each(|text| page.say(&[(Tone::Warning, "  - "), (Tone::Plain, text)]))?;
    }
    Ok(())
}

fn about(
    service: &ServiceSettings,
    mode: DelegationMode,
    page: &mut Page<'_>,
) -> anyhow::Result<()> {
    page.field("  at", &service.url.to_string())?;
    page.field("  presents", &credential(service, mode))?;
    for (index, template) in service.allow.iter().enumerate() {
        page.field(
            if index == 0 { "  may ask" } else { "" },
            &template.to_string(),
        )?;
    }
    if service.in_trust_domain {
        page.field(
            "  also gets",
            "a transaction token that names actor and agent",
        )?;
    }
    Ok(())
}

/// What the host would present, and where it would come from.
fn credential(service: &ServiceSettings, mode: DelegationMode) -> String {
    match (mode, &service.exchange) {
        (DelegationMode::ServiceIdentity, _) => own_credential(&service.auth),
        (_, None) => "nothing: there is no exchange for it".to_owned(),
        (DelegationMode::OnBehalfOf, Some(exchange)) => {
            let actor = if exchange.actor {
                "and the host's own as actor_token"
            } else {
                "without an actor_token"
            };
            format!("the user's token exchanged {actor} {}", exchanged(exchange))
        }
        (DelegationMode::RestrictedUser, Some(exchange)) => {
            format!(
                "the user's token re-issued for this service alone, without an act, {}",
                exchanged(exchange)
            )
        }
    }
}

fn own_credential(auth: &Auth) -> String {
    match auth {
        Auth::None => "no credential; the user's token is not used".to_owned(),
        Auth::Static { header, .. } => {
            format!(
                "the host's own key from its secret file, in {header}; the user's token is not used"
            )
        }
        Auth::ClientCredentials { client, scopes, .. } => {
            let (at, id) = (&client.token_endpoint, &client.client_id);
            format!(
                "the host's own token from {at} as {id}{}; the user's token is not used",
                asking(scopes)
            )
        }
    }
}

fn exchanged(exchange: &ExchangeSettings) -> String {
    let (at, id, audience) = (
        &exchange.client.token_endpoint,
        &exchange.client.client_id,
        &exchange.audience,
    );
    format!(
        "at {at} by {id} for the audience {audience}{}",
        asking(&exchange.scopes)
    )
}

fn asking(scopes: &[String]) -> String {
    if scopes.is_empty() {
        String::new()
    } else {
        format!(" with the scopes {}", scopes.join(" "))
    }
}

/// What this caller lacks for a service; the call itself would still be made.
fn lacking(service: &ServiceSettings, mode: DelegationMode, caller: &Caller) -> Vec<String> {
    let (name, alias) = (&service.name, caller.issuer_alias());
    let mut missing = Vec::new();
    if let Some(exchange) = service
        .exchange
        .as_ref()
        .filter(|_| mode != DelegationMode::ServiceIdentity)
    {
        if caller.actor().kind != ActorKind::User {
            let mode = mode.as_str();
            missing.push(format!(
                "{name}: {mode} needs a user, and this caller is a service (identity-unavailable)"
            ));
        }
        if !exchange.subject_issuers.iter().any(|known| known == alias) {
            let key = format!("services.{name}.exchange.subject_issuers");
            missing.push(format!(
                "{name}: {key} does not list {alias:?} (identity-unavailable)"
            ));
        }
    }
    if service.allow.is_empty() {
        missing.push(format!(
            "{name}: services.{name}.allow is empty, so every request is refused (not-granted)"
        ));
    }
    let subject =
        |template: &bailiwick::delegation::Template| template.to_string().contains("{actor.sub}");
    if mode == DelegationMode::ServiceIdentity
        && caller.actor().kind != ActorKind::User
        && !service.subjects.service_accounts
        && service.allow.iter().any(subject)
    {
        let change = format!("services.{name}.service_accounts = true would allow them");
        missing.push(format!(
            "{name}: this caller is a service, so requests with {{actor.sub}} are refused (identity-unavailable); {change}"
        ));
    }
    let binds = service
        .allow
        .iter()
        .any(bailiwick::delegation::Template::names_actor);
    if binds && !service.actor_issuers.iter().any(|known| known == alias) {
        let key = format!("services.{name}.actor_issuers");
        missing.push(format!(
            "{name}: {key} does not list {alias:?}, so requests that name the actor are refused"
        ));
    }
    let tenant = |template: &bailiwick::delegation::Template| {
        template.to_string().contains("{actor.tenant}")
    };
    if caller.actor().tenant.is_none() && service.allow.iter().any(tenant) {
        let change = "set tenant under [[issuers]]";
        missing.push(format!(
            "{name}: the token names no tenant, so requests with {{actor.tenant}} are refused; {change}"
        ));
    }
    missing
}

fn ungranted(service: &str, component: &str, known: bool) -> String {
    let change = if known {
        format!("add {service} = \"<mode>\" to services under [components.{component}]")
    } else {
        format!(
            "describe it under [services.{service}] and grant it under [components.{component}]"
        )
    };
    format!("{service} is not granted (unknown-service); {change}")
}
