//! `bailiwick explain`: prints the decision about a call that is not made, with its reasons.
//!
//! Invariant: the token is neither printed nor sent; only its claims are printed.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bailiwick::answers::explain::{
    AllowedCall, Claimed, ClaimedTime, DeniedWhen, Explanation, KnownCaller, NamedTool,
    NeededToken, NotAdmitted, Question, RefusedCall, ServiceAccess, ServiceGranted, explain,
    how_far,
};
use bailiwick::config;
use bailiwick::identity::Presented;
use bailiwick::seams::{Clock as _, SystemClock};
use http::{HeaderValue, Request, header};

use super::compile::compiler;
use super::page::{Page, Tone};
use super::wait;

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
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, page: &mut Page<'_>) -> anyhow::Result<()> {
    let config = config::load(&args.config)?;
    let (presented, claimed) = token(&args.token_file)?;
    let question = Question {
        tool: args.tool.clone(),
        presented,
        claimed,
        arguments: args.arguments.clone(),
    };
    let explanation = wait(async { explain(&config, question, compiler()?).await })?;
    if args.json {
        page.value(&explanation)?;
    } else {
        as_text(&explanation, page)?;
    }
    match explanation {
        Explanation::Allowed(_) => Ok(()),
        Explanation::RefusedByService(_) => {
            bail!("the call would be made, and its requests to a service would be refused")
        }
        Explanation::Refused(_) => bail!("the call would be refused"),
        Explanation::NotAdmitted(_) => bail!("the token would not be admitted"),
    }
}

/// Reads a token and passes it through a header, once, as a request would.
fn token(file: &Path) -> anyhow::Result<(Presented, Claimed)> {
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
        .map_or(text, |(_, token)| token);
    let wrong = || {
        anyhow::anyhow!(
            "--token-file: {} must hold one access token and nothing else (the text after \
             `Bearer`)",
            file.display()
        )
    };
    let mut value = HeaderValue::try_from(format!("Bearer {bare}")).map_err(|_| wrong())?;
    value.set_sensitive(true);
    let request = Request::post("/").header(header::AUTHORIZATION, value);
    let mut head = request.body(())?.into_parts().0;
    let presented = Presented::take(&mut head).map_err(|_| wrong())?;
    Ok((presented, Claimed::of(bare, SystemClock.now())))
}

fn as_text(explanation: &Explanation, page: &mut Page<'_>) -> anyhow::Result<()> {
    match explanation {
        Explanation::NotAdmitted(answer) => not_admitted(answer, page),
        Explanation::Refused(answer) => {
            caller(&answer.caller, page)?;
            refused(answer, page)
        }
        Explanation::Allowed(answer) | Explanation::RefusedByService(answer) => {
            caller(&answer.caller, page)?;
            allowed(answer, page)
        }
    }
}

fn not_admitted(answer: &NotAdmitted, page: &mut Page<'_>) -> anyhow::Result<()> {
    let decision = format!("refused: {}", answer.reason);
    page.toned("decision", Tone::Bad, &decision)?;
    page.field("because", &answer.because)?;
    if let Some(claimed) = &answer.claimed {
        let none = "none";
        let time =
            |time: &Option<ClaimedTime>| time.as_ref().map_or(none.to_owned(), ToString::to_string);
        page.heading("what the token claims (not verified)")?;
        page.field("issuer", claimed.issuer.as_deref().unwrap_or(none))?;
        page.field("audience", claimed.audience.as_deref().unwrap_or(none))?;
        page.field("typ", claimed.typ.as_deref().unwrap_or(none))?;
        page.field("iat", &time(&claimed.issued))?;
        page.field("nbf", &time(&claimed.not_before))?;
        page.field("exp", &time(&claimed.expires))?;
    }
    needed(&answer.needed, page)
}

fn needed(needed: &NeededToken, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.heading("what a token must have")?;
    page.field("issuer", &needed.issuers.join(" or "))?;
    page.field("audience", &needed.audience)?;
    if let Some(typ) = needed.typ.as_ref().filter(|_| !needed.opaque) {
        page.field("typ", typ)?;
    }
    if let (Some(lifetime), Some(age)) = (needed.lifetime, needed.age) {
        let bounds = format!(
            "exp in the future, at most {lifetime} s after iat (max_token_lifetime); iat at most \
             {age} s ago (max_token_age)"
        );
        page.field("times", &bounds)?;
    }
    let besides = if needed.opaque {
        "an answer of the issuer that it is active, with iss, sub, exp, a client, and token_type Bearer"
    } else {
        "a signature by a key that the issuer publishes, sub, exp, and client_id, azp, appid or cid"
    };
    Ok(page.field("besides", besides)?)
}

fn caller(caller: &KnownCaller, page: &mut Page<'_>) -> anyhow::Result<()> {
    let issuer = format!("{} (alias {})", caller.issuer, caller.alias);
    let agent = format!("{} (client {})", caller.agent, caller.client);
    let left = i64::try_from(caller.seconds_left).unwrap_or(i64::MAX);
    page.say(&[(Tone::Strong, "caller")])?;
    page.field("issuer", &issuer)?;
    page.field("subject", &caller.subject)?;
    page.field("kind", caller.kind.as_str())?;
    page.field("tenant", caller.tenant.as_deref().unwrap_or("none"))?;
    page.field("agent", &agent)?;
    page.field("scopes", &or_none(&caller.scopes))?;
    let expires = format!("{}, {}", caller.expires, how_far(left));
    Ok(page.field("expires", &expires)?)
}

fn refused(answer: &RefusedCall, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.heading("decision")?;
    let decision = format!("refused: {}", answer.reason);
    page.toned("decision", Tone::Bad, &decision)?;
    if let Some(named) = &answer.tool {
        tool(named, page)?;
    }
    page.field("because", &answer.because)?;
    Ok(page.field("to change", &answer.change.to_string())?)
}

fn allowed(answer: &AllowedCall, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.heading("decision")?;
    let (tone, decision) = verdict(answer);
    page.toned("decision", tone, &decision)?;
    tool(&answer.tool, page)?;
    let scopes = or_none(&answer.scopes);
    page.field(
        "scopes",
        &format!("needs {scopes}; the token has all of them"),
    )?;
    page.field("grant", &answer.grant)?;
    page.field("arguments", "valid against the tool's input schema")?;
    services(answer, page)
}

/// Returns the decision in words: the call itself is allowed, and each service decides about its
/// requests.
fn verdict(answer: &AllowedCall) -> (Tone, String) {
    let by = |service: &ServiceAccess| {
        let (name, (some, all)) = (service.service(), service.refused_in_part());
        match service.refused() {
            Some(reason) => Some(format!("{name} refuses every request: {reason}")),
            None if some > 0 => Some(format!("{name} refuses {some} of {all} requests")),
            None => None,
        }
    };
    let refusals: Vec<_> = answer.services.iter().filter_map(by).collect();
    if refusals.is_empty() {
        return (Tone::Good, "allowed".to_owned());
    }
    let tone = match answer.services.iter().find_map(ServiceAccess::refused) {
        Some(_) => Tone::Bad,
        None => Tone::Warning,
    };
    (
        tone,
        format!("the tool starts, but {}", refusals.join("; ")),
    )
}

fn tool(tool: &NamedTool, page: &mut Page<'_>) -> anyhow::Result<()> {
    let named = format!("{} of {} ({})", tool.name, tool.component, tool.digest);
    Ok(page.field("tool", &named)?)
}

fn services(answer: &AllowedCall, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.heading("services")?;
    if answer.services.is_empty() {
        page.line("  none: the tool asks for no service")?;
    }
    for service in &answer.services {
        match service {
            ServiceAccess::Granted(granted) => reach(granted, page)?,
            ServiceAccess::NotGranted { service, refused } => page.say(&[
                (Tone::Strong, &format!("  {service}")),
                (
                    Tone::Bad,
                    &format!("  not granted: refuses every request ({refused})"),
                ),
            ])?,
        }
    }
    if !answer.lacks.is_empty() {
        page.heading("what is missing")?;
    }
    for lack in &answer.lacks {
        page.say(&[(Tone::Warning, "  - "), (Tone::Plain, &lack.to_string())])?;
    }
    Ok(())
}

fn reach(granted: &ServiceGranted, page: &mut Page<'_>) -> anyhow::Result<()> {
    page.say(&[
        (Tone::Strong, &format!("  {}", granted.service)),
        (Tone::Plain, &format!("  {}", granted.mode.as_str())),
    ])?;
    page.field("  at", &granted.url)?;
    if let Some(revision) = granted.mcp {
        page.field("  speaks", &format!("MCP {revision}, to tools as pinned"))?;
    }
    page.field("  presents", &granted.presents.to_string())?;
    for (index, (name, value)) in granted.headers.iter().enumerate() {
        let label = if index == 0 { "  with" } else { "" };
        page.field(label, &format!("{name}: {value}"))?;
    }
    for (index, request) in granted.allow.iter().enumerate() {
        let label = if index == 0 { "  may ask" } else { "" };
        match (&request.refused, &request.because) {
            (Some(code), Some(because)) => page.say(&[
                (Tone::Faint, &format!("  {label:<12}")),
                (Tone::Plain, &request.request),
                (Tone::Bad, &format!("  refused: {because} ({code})")),
            ])?,
            _ => page.field(label, &request.request)?,
        }
        for denied in &request.denied_when {
            let DeniedWhen { rule, when } = denied;
            page.say(&[
                (Tone::Faint, &format!("  {:<12}", "")),
                (Tone::Warning, &format!("  unless {when} ({rule})")),
            ])?;
        }
    }
    if let Some(point) = &granted.policy_point {
        let asks = format!("the policy point at {point}, which must allow each request");
        page.field("  also asks", &asks)?;
    }
    if granted.transaction_token {
        page.field(
            "  also gets",
            "a transaction token that names actor and agent",
        )?;
    }
    Ok(())
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(" ")
    }
}

#[cfg(test)]
mod tests;
