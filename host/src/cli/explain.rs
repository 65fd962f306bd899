//! `bailiwick explain`: whether a token may make a call, and why, found out as the host would.
//!
//! Trusts what the host trusts: it runs the same admission and the same permit, with the issuers'
//! keys fetched as configured. Invariant: nothing is called and nothing is recorded; the token is
//! neither printed nor sent, only what it claims.

mod services;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use bailiwick::audit::rfc3339;
use bailiwick::config::{self, Config, Issuer};
use bailiwick::dispatch::{Decided, Denied, Target, TargetRequest, Tool, decide};
use bailiwick::identity::{AdmitError, BearerToken, Caller, Identity};
use bailiwick::reason::RefusalReason;
use bailiwick::seams::{Clock, SystemClock};
use bailiwick::tokens::{KeyRing, TokenError};
use bailiwick::{app, json};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, header};
use serde_json::Value;

use super::folder::Folder;
use super::page::{Page, Tone};
use super::{chain, wait};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    config: PathBuf,
    /// The tool to call.
    #[arg(long, value_name = "TOOL")]
    tool: String,
    /// A file that holds the caller's access token; `-` reads it from standard input.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    token_file: PathBuf,
    /// The arguments of the call, a JSON object; `{}` unless given.
    #[arg(long, value_name = "JSON")]
    arguments: Option<String>,
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let config = config::load(&args.config)?;
    let resource = resource(&config)?;
    let text = args.arguments.as_deref().unwrap_or("{}");
    let arguments = arguments(text)?;
    let (token, claimed) = token(&args.token_file)?;
    let (admitted, folder) = wait(async {
        let admitted = identity(&config.issuers, &resource)?.admit(token).await;
        Ok((admitted, Folder::load(&config).await?))
    })?;
    let caller = match admitted {
        Ok((caller, _subject)) => caller,
        Err(error) => return Err(not_admitted(&error, &claimed, &resource, &config, page)?),
    };
    about_caller(&caller, page)?;
    let request = TargetRequest::tool(args.tool.clone(), arguments, text);
    match decide(&folder.catalog, &caller, request) {
        Ok(decided) => allowed(&decided, &caller, &config, page),
        Err(denied) => refused(&denied, args, &caller, &folder, page),
    }
}

/// The audience that a token must name.
fn resource(config: &Config) -> anyhow::Result<String> {
    match &config.server.resource {
        Some(resource) => Ok(resource.clone()),
        None if config.server.listen.port() != 0 => {
            Ok(format!("http://{}/mcp", config.server.listen))
        }
        None => bail!(
            "server.resource is not set and the port is 0, so the audience that tokens must name is known only while \
             the host runs; set server.resource, or a port"
        ),
    }
}

fn arguments(text: &str) -> anyhow::Result<Value> {
    let value = json::parse(text.as_bytes(), MAX_DEPTH).context("--arguments")?;
    ensure!(
        value.is_object(),
        "--arguments: write one JSON object, such as {{\"order_id\":\"1\"}}"
    );
    Ok(value)
}

/// The token goes the way of a request's: out of a header, once.
fn token(file: &Path) -> anyhow::Result<(BearerToken, Claimed)> {
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
            .context("the token cannot be read from standard input")?
    } else {
        std::fs::read_to_string(file)
            .with_context(|| format!("--token-file: {} cannot be read", file.display()))?
    };
    let text = text.trim();
    let bare = text
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or(text, |(_, t)| t);
    let wrong = || {
        let file = file.display();
        format!(
            "--token-file: {file} must hold one access token and nothing else (the text after `Bearer`)"
        )
    };
    let mut value =
        HeaderValue::try_from(format!("Bearer {bare}")).map_err(|_| anyhow::anyhow!(wrong()))?;
    value.set_sensitive(true);
    let mut headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
    let token = BearerToken::take(&mut headers).map_err(|_| anyhow::anyhow!(wrong()))?;
    Ok((token, Claimed::of(bare)))
}

/// What a token says of itself. Nothing in it is true; it is good for telling what to change.
#[derive(Default)]
struct Claimed {
    issuer: Option<String>,
    audience: Option<String>,
}

impl Claimed {
    fn of(token: &str) -> Self {
        let payload = token
            .split('.')
            .nth(1)
            .and_then(|payload| BASE64_URL_SAFE_NO_PAD.decode(payload).ok());
        let claims = payload
            .and_then(|payload| json::parse(&payload, MAX_DEPTH).ok())
            .unwrap_or_default();
        let text = |name| match claims.get(name)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        Self {
            issuer: text("iss"),
            audience: text("aud"),
        }
    }

    fn tell(&self, page: &mut Page<'_>) -> anyhow::Result<()> {
        let shown = |claim: &Option<String>| {
            claim.as_ref().map_or_else(
                || "none".to_owned(),
                |text| text.chars().take(MAX_SHOWN).collect(),
            )
        };
        page.heading("what the token claims (not verified)")?;
        page.field("issuer", &shown(&self.issuer))?;
        Ok(page.field("audience", &shown(&self.audience))?)
    }
}

fn identity(issuers: &[Issuer], resource: &str) -> anyhow::Result<Identity> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tls = app::tls()?;
    let trusted = |issuer: &Issuer| {
        let keys = KeyRing::new(
            issuer.keys.clone(),
            issuer.algorithms.clone(),
            &tls,
            Arc::clone(&clock),
        );
        (issuer.settings.clone(), keys)
    };
    Ok(Identity::new(
        issuers.iter().map(trusted).collect(),
        resource.to_owned(),
        Arc::clone(&clock),
    ))
}

/// The answer to a token that proves nothing. The caller of a request would learn less.
fn not_admitted(
    error: &AdmitError,
    claimed: &Claimed,
    resource: &str,
    config: &Config,
    page: &mut Page<'_>,
) -> anyhow::Result<anyhow::Error> {
    let issuers: Vec<_> = config
        .issuers
        .iter()
        .map(|issuer| issuer.settings.issuer.as_str())
        .collect();
    page.toned(
        "decision",
        Tone::Bad,
        &format!("refused: {}", error.reason().as_str()),
    )?;
    page.field("because", &chain(error))?;
    if matches!(
        error,
        AdmitError::UnknownIssuer | AdmitError::Token(TokenError::Audience)
    ) {
        claimed.tell(page)?;
    }
    let issuer = config
        .issuers
        .iter()
        .find(|issuer| claimed.issuer.as_ref() == Some(&issuer.settings.issuer));
    let audience = issuer
        .and_then(|issuer| issuer.settings.audience.as_deref())
        .unwrap_or(resource);
    page.heading("what a token must have")?;
    page.field("issuer", &issuers.join(" or "))?;
    page.field("audience", audience)?;
    page.field(
        "besides",
        "a signature by a key that the issuer publishes, sub, exp, and client_id, azp or appid",
    )?;
    Ok(anyhow::anyhow!("the token would not be admitted"))
}

fn about_caller(caller: &Caller, page: &mut Page<'_>) -> anyhow::Result<()> {
    let (actor, agent) = (caller.actor(), caller.agent());
    page.say(&[(Tone::Strong, "caller")])?;
    page.field(
        "issuer",
        &format!("{} (alias {})", actor.iss, caller.issuer_alias()),
    )?;
    page.field("subject", &actor.sub)?;
    page.field("kind", services::kind(caller))?;
    page.field("tenant", actor.tenant.as_deref().unwrap_or("none"))?;
    page.field(
        "agent",
        &format!("{} (client {})", agent.id, agent.client_id),
    )?;
    page.field("scopes", &or_none(caller.scopes()))?;
    let left = caller.expires_at().saturating_sub(SystemClock.now());
    let expires = rfc3339(caller.expires_at().saturating_mul(1000));
    page.field(
        "expires",
        &format!("{expires}, in {} min {} s", left / 60, left % 60),
    )?;
    Ok(())
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(" ")
    }
}

fn allowed(
    decided: &Decided,
    caller: &Caller,
    config: &Config,
    page: &mut Page<'_>,
) -> anyhow::Result<()> {
    let Target::Tool(tool) = decided.target();
    page.heading("decision")?;
    page.toned("decision", Tone::Good, "allowed")?;
    about_tool(tool, page)?;
    page.field(
        "scopes",
        &format!(
            "needs {}; the token has all of them",
            or_none(decided.target().scopes())
        ),
    )?;
    page.field("grant", decided.target().backing().grant.as_str())?;
    page.field("arguments", "valid against the tool's input schema")?;
    services::tell(tool, caller, config, page)
}

fn about_tool(tool: &Tool, page: &mut Page<'_>) -> anyhow::Result<()> {
    let component = &tool.backing.component;
    Ok(page.field(
        "tool",
        &format!(
            "{} of {} ({})",
            tool.definition.name, component.name, component.digest
        ),
    )?)
}

fn refused(
    denied: &Denied,
    args: &Args,
    caller: &Caller,
    folder: &Folder,
    page: &mut Page<'_>,
) -> anyhow::Result<()> {
    page.heading("decision")?;
    page.toned(
        "decision",
        Tone::Bad,
        &format!("refused: {}", denied.reason.as_str()),
    )?;
    if let Some(tool) = folder.catalog.find(&args.tool) {
        about_tool(tool, page)?;
    }
    page.field("because", &denied.message)?;
    page.field("to change", &change(denied, args, caller, folder))?;
    bail!("the call would be refused")
}

/// What to change, and where.
fn change(denied: &Denied, args: &Args, caller: &Caller, folder: &Folder) -> String {
    match denied.reason {
        RefusalReason::InsufficientScope => {
            let missing: Vec<_> = denied
                .scopes
                .iter()
                .filter(|scope| !caller.scopes().contains(scope))
                .cloned()
                .collect();
            format!(
                "the token lacks {}: let the client ask {} for it",
                missing.join(" "),
                caller.actor().iss
            )
        }
        RefusalReason::InvalidArguments if args.arguments.is_none() => {
            "give the call's arguments with --arguments; without it they are {}".to_owned()
        }
        RefusalReason::InvalidArguments => {
            "the arguments; `bailiwick inspect` prints the tool's input schema".to_owned()
        }
        _ if folder.refused.is_empty() => {
            let names: Vec<_> = folder
                .catalog
                .tools()
                .map(|tool| tool.definition.name.as_str())
                .collect();
            format!(
                "the name; there are {}",
                if names.is_empty() {
                    "no tools".to_owned()
                } else {
                    names.join(", ")
                }
            )
        }
        _ => {
            let names: Vec<_> = folder
                .refused
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            format!(
                "the name, or what is wrong with {} (`bailiwick check` says it)",
                names.join(", ")
            )
        }
    }
}

/// As at the front door.
const MAX_DEPTH: usize = 64;

/// Characters of a claim that are shown.
const MAX_SHOWN: usize = 400;

#[cfg(test)]
mod tests;
