//! The decision about a call that is not made: admitted or not, allowed or not, with the reasons.
//!
//! Trusts what the host trusts: it runs the same admission and the same permit, with the issuers'
//! keys fetched as configured.
//!
//! Invariant: nothing is called and nothing is recorded. The token is neither kept nor sent; only
//! its claims are shown.

mod claimed;
mod lacks;
mod presents;
mod refused;
mod services;

use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use bailiwick_envelope::ActorKind;
use serde::Serialize;
use serde_json::Value;

use super::{Folder, all_worded};
use crate::audit::rfc3339;
use crate::config::{Config, Issuer};
use crate::denials::{Denials, Stop};
use crate::dispatch::{Decided, Denied, Sight, TargetRequest, Tool, decide};
use crate::identity::{Caller, Identity, Presented};
use crate::intake::Compiler;
use crate::seams::{Clock, SystemClock};
use crate::tokens::KeyRing;
use crate::{egress, json};

pub use claimed::{Claimed, ClaimedTime, NeededToken, NotAdmitted, how_far};
pub use lacks::{Lack, Missing};
pub use presents::{ExchangedFrom, KeyCarrier, Presents};
pub use refused::{RefusedCall, Remedy};
pub use services::{AllowedRequest, DeniedWhen, ServiceAccess, ServiceGranted};

/// A call to explain.
pub struct Question {
    /// The tool's name.
    pub tool: String,
    /// The token, as a request would present it.
    pub presented: Presented,
    /// The token's claims.
    pub claimed: Claimed,
    /// The arguments as JSON text, or `None` for `{}`.
    pub arguments: Option<String>,
}

/// The decision about a call that is not made.
#[derive(Debug, Serialize)]
#[serde(tag = "decision", rename_all = "kebab-case")]
pub enum Explanation {
    /// The token does not prove a caller.
    NotAdmitted(NotAdmitted),
    /// The caller is known, and the call would be refused.
    Refused(Box<RefusedCall>),
    /// The call would be made, and a service that the tool asks for would refuse every request.
    RefusedByService(Box<AllowedCall>),
    /// The call would be made.
    Allowed(Box<AllowedCall>),
}

/// A call that would be made.
#[derive(Debug, Serialize)]
pub struct AllowedCall {
    /// The caller, as the token proves it.
    pub caller: KnownCaller,
    /// The tool and its code.
    pub tool: NamedTool,
    /// True if `tools/list` shows the tool to this caller.
    pub listed: bool,
    /// The scopes that the call needs, all of which the token has.
    pub scopes: Vec<String>,
    /// The grant that allows it: its table in the configuration.
    pub grant: String,
    /// The services that the tool asks for.
    pub services: Vec<ServiceAccess>,
    /// The conditions that keep this call from using the services in full.
    #[serde(serialize_with = "all_worded")]
    pub lacks: Vec<Lack>,
}

/// A caller whose token was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownCaller {
    /// The issuer's URL.
    pub issuer: String,
    /// The issuer's alias in the configuration.
    pub alias: String,
    /// The subject (`sub`), unique at the issuer.
    pub subject: String,
    /// A user or a service account.
    pub kind: ActorKind,
    /// The caller's tenant, if the token names one.
    pub tenant: Option<String>,
    /// The id of the agent that acts for the caller.
    pub agent: String,
    /// The agent's client identifier.
    pub client: String,
    /// The scopes of the token.
    pub scopes: Vec<String>,
    /// The time at which the token expires (RFC 3339).
    pub expires: String,
    /// The seconds from now until then.
    pub seconds_left: u64,
}

/// A tool and the code behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedTool {
    /// The tool's name.
    pub name: String,
    /// The name of its component.
    pub component: String,
    /// The component's digest.
    pub digest: String,
}

/// Decides about a call without making it.
///
/// # Errors
/// Fails if the question cannot be asked: the audience is known only to a running host, the
/// arguments are not a JSON object, or the tools folder cannot be read.
pub async fn explain(
    config: &Config,
    question: Question,
    compiler: Compiler,
) -> anyhow::Result<Explanation> {
    let resource = resource(config)?;
    let text = question.arguments.as_deref().unwrap_or("{}");
    let arguments = arguments(text)?;
    let request = TargetRequest::tool(question.tool.clone(), arguments, text);
    let admitted = identity(&config.issuers, &resource)?
        .admit(question.presented)
        .await;
    let folder = Folder::load(config, compiler).await?;
    let caller = match admitted {
        Ok((caller, _subject)) => caller,
        Err(error) => {
            let refused = NotAdmitted::of(&error, question.claimed, &resource, config);
            return Ok(Explanation::NotAdmitted(refused));
        }
    };
    let decided = match stop(config, &caller, folder.catalog.find(&question.tool)) {
        Some(stop) => Err(Denied::general(stop.reason(), stop.message()).because_of(stop.id())),
        None => decide(&folder.catalog, &caller, request),
    };
    let tool = folder.catalog.find(&question.tool);
    Ok(match (decided, tool) {
        (Ok(decided), Some(tool)) => AllowedCall::of((&decided, tool), &caller, config).into(),
        (Ok(_), None) => bail!("the tool is not in the catalog that decided about it"),
        (Err(denied), tool) => {
            let given = question.arguments.is_some();
            let tool = tool.map(|tool| NamedTool::of(tool));
            Explanation::Refused(Box::new(RefusedCall {
                caller: KnownCaller::of(&caller),
                tool,
                reason: denied.reason.as_str(),
                because: denied.message.clone(),
                change: Remedy::of(&denied, (&question.tool, given), &caller, &folder),
            }))
        }
    })
}

/// Returns the operator's denial that stops a call of this tool now, if there is one.
fn stop(config: &Config, caller: &Caller, tool: Option<&Arc<Tool>>) -> Option<Stop> {
    let denials = Denials::unknown(Arc::new(SystemClock));
    if let Ok(list) = config.denials().read(0) {
        denials.adopt([&list]);
    }
    let requester = caller.asking();
    denials.stop(&match tool {
        Some(tool) => requester.for_tool(&tool.definition.name, &tool.backing.component.digest),
        None => requester,
    })
}

/// Returns the audience that a token must name.
fn resource(config: &Config) -> anyhow::Result<String> {
    match &config.server.resource {
        Some(resource) => Ok(resource.clone()),
        None if config.server.listen.port() != 0 => {
            Ok(format!("http://{}/mcp", config.server.listen))
        }
        None => bail!(
            "server.resource is not set and the port is 0, so the audience that tokens must name \
             is known only while the host runs; set server.resource, or a port"
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

fn identity(issuers: &[Issuer], resource: &str) -> anyhow::Result<Identity> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tls = egress::tls()?;
    let trusted = |issuer: &Issuer| {
        let keys = KeyRing::new(issuer.key_settings(), &tls, Arc::clone(&clock));
        (issuer.settings.clone(), keys)
    };
    let identity = Identity::new(
        issuers.iter().map(trusted).collect(),
        resource.to_owned(),
        Arc::clone(&clock),
    );
    let asking = |identity: Identity, issuer: &Issuer| match issuer.questions(&tls, &clock) {
        Some(questions) => identity.asking(&issuer.settings.issuer, questions),
        None => identity,
    };
    Ok(issuers.iter().fold(identity, asking))
}

impl AllowedCall {
    fn of((decided, tool): (&Decided, &Tool), caller: &Caller, config: &Config) -> Self {
        Self {
            caller: KnownCaller::of(caller),
            tool: NamedTool::of(tool),
            listed: config.server.visibility.sight(tool, caller) == Sight::Permitted,
            scopes: decided.target().scopes().to_vec(),
            grant: decided.target().backing().grant.as_str().to_owned(),
            services: services::of(tool, caller, config),
            lacks: lacks::of(tool, caller, config),
        }
    }
}

impl From<AllowedCall> for Explanation {
    fn from(call: AllowedCall) -> Self {
        let call = Box::new(call);
        match call.services.iter().find_map(ServiceAccess::refused) {
            Some(_) => Self::RefusedByService(call),
            None => Self::Allowed(call),
        }
    }
}

impl KnownCaller {
    fn of(caller: &Caller) -> Self {
        let (actor, agent) = (caller.actor(), caller.agent());
        Self {
            issuer: actor.iss.clone(),
            alias: caller.issuer_alias().to_string(),
            subject: actor.sub.clone(),
            kind: actor.kind,
            tenant: actor.tenant.clone(),
            agent: agent.id.clone(),
            client: agent.client_id.clone(),
            scopes: caller.scopes().to_vec(),
            expires: rfc3339(caller.expires_at().saturating_mul(1000)),
            seconds_left: caller.expires_at().saturating_sub(SystemClock.now()),
        }
    }
}

impl NamedTool {
    fn of(tool: &Tool) -> Self {
        Self {
            name: tool.definition.name.clone(),
            component: tool.backing.component.name.clone(),
            digest: tool.backing.component.digest.clone(),
        }
    }
}

/// The deepest nesting of JSON, as at the front door.
const MAX_DEPTH: usize = 64;

#[cfg(test)]
mod tests;
