//! The decision about one call, with its reasons.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_envelope::DelegationMode;
use serde_json::Value;

use super::catalog::{Catalog, Tool};
use crate::identity::Caller;
use crate::json::numbers;
use crate::reason::Reason;

/// What a client asked for: a tool's name and its arguments, nothing more.
#[derive(Debug, Clone)]
pub struct ToolRequest {
    /// The tool.
    pub tool: String,
    /// The arguments, an object.
    pub arguments: Value,
    /// A number in the text of the arguments that the value does not carry exactly.
    pub inexact: Option<String>,
}

impl ToolRequest {
    /// A request with these arguments, which were parsed from `text`.
    pub fn new(tool: String, arguments: Value, text: &str) -> Self {
        Self { tool, arguments, inexact: numbers::inexact(text).map(String::from) }
    }
}

/// The result of authorizing one call: built only by [`permit`].
#[derive(Debug)]
pub struct Permit {
    tool: Arc<Tool>,
    arguments: Value,
}

/// Why there is no permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The code.
    pub reason: Reason,
    /// The tool, if there is such a tool.
    pub tool: Option<String>,
    /// Its component's digest.
    pub component: Option<String>,
    /// Scopes that the call needs, all of them, where scopes are missing.
    pub scopes: Vec<String>,
    /// For the caller.
    pub message: String,
}

/// Decides whether `caller` may make this call.
///
/// # Errors
/// They may not, or the call makes no sense.
pub fn permit(catalog: &Catalog, caller: &Caller, request: ToolRequest) -> Result<Permit, Denied> {
    let Some(tool) = catalog.find(&request.tool) else {
        return Err(unknown());
    };
    let denied = |reason, message| Denied {
        reason,
        tool: Some(tool.definition.name.clone()),
        component: Some(tool.component.digest.clone()),
        scopes: Vec::new(),
        message,
    };
    if !may_call(caller, tool) {
        let message = format!("this tool needs the scopes {}", tool.definition.scopes.join(" "));
        return Err(Denied { scopes: tool.definition.scopes.clone(), ..denied(Reason::InsufficientScope, message) });
    }
    if let Some(number) = request.inexact {
        let short: String = number.chars().take(40).collect();
        let message = format!(
            "the arguments are not valid: the number {short} cannot be carried exactly (integers up to 2^53-1, and \
             no more digits than a double has); where the tool allows it, send it as text"
        );
        return Err(denied(Reason::InvalidArguments, message));
    }
    if let Err(wrong) = tool.definition.input.check(&request.arguments) {
        return Err(denied(Reason::InvalidArguments, format!("the arguments are not valid: {wrong}")));
    }
    Ok(Permit { tool: Arc::clone(tool), arguments: request.arguments })
}

/// Whether the caller's token has every scope that the tool requires.
pub fn may_call(caller: &Caller, tool: &Tool) -> bool {
    tool.definition.scopes.iter().all(|scope| caller.scopes().contains(scope))
}

fn unknown() -> Denied {
    Denied {
        reason: Reason::UnknownTool,
        tool: None,
        component: None,
        scopes: Vec::new(),
        message: "there is no such tool".to_owned(),
    }
}

impl Permit {
    /// The tool that may be called.
    pub fn tool(&self) -> &Tool {
        &self.tool
    }

    /// The arguments, valid against the tool's input schema.
    pub fn arguments(&self) -> &Value {
        &self.arguments
    }

    /// Token ∩ tool ∩ grant: the required scopes, all of which the token has; sorted.
    pub fn scopes(&self) -> &[String] {
        &self.tool.definition.scopes
    }

    /// The services that this call may reach, each with its mode.
    pub fn services(&self) -> &BTreeMap<String, DelegationMode> {
        &self.tool.services
    }
}
