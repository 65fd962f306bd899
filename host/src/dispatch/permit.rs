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
        Self {
            tool,
            arguments,
            inexact: numbers::inexact(text).map(String::from),
        }
    }
}

/// A call that the caller may make if its arguments are valid: built only by [`allow`].
#[derive(Debug)]
pub struct Allowed {
    tool: Arc<Tool>,
    arguments: Value,
    inexact: Option<String>,
}

/// The result of authorizing one call: built only by [`Allowed::check`].
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
    allow(catalog, caller, request)?.check()
}

/// Decides whether `caller` may call this tool, whatever the arguments are.
///
/// # Errors
/// They may not, or there is no such tool.
pub fn allow(catalog: &Catalog, caller: &Caller, request: ToolRequest) -> Result<Allowed, Denied> {
    let Some(tool) = catalog.find(&request.tool) else {
        return Err(unknown());
    };
    let allowed = Allowed {
        tool: Arc::clone(tool),
        arguments: request.arguments,
        inexact: request.inexact,
    };
    if !may_call(caller, tool) {
        let message = format!(
            "this tool needs the scopes {}",
            tool.definition.scopes.join(" ")
        );
        let scopes = tool.definition.scopes.clone();
        return Err(Denied {
            scopes,
            ..allowed.denied(Reason::InsufficientScope, message)
        });
    }
    Ok(allowed)
}

impl Allowed {
    /// Whether [`check`](Self::check) takes long enough to hold up others.
    pub fn is_costly(&self) -> bool {
        self.tool.definition.input.is_costly(&self.arguments)
    }

    /// Checks the arguments against the tool's input schema.
    ///
    /// # Errors
    /// They are not valid.
    pub fn check(self) -> Result<Permit, Denied> {
        if let Some(number) = &self.inexact {
            let short: String = number.chars().take(40).collect();
            let message = format!(
                "the arguments are not valid: the number {short} is not one that everyone reads alike (RFC 8785 §3.2.2.3): \
                 an integer beyond 2^53-1, or a fraction that is not the shortest of its value; shorten it, or send it \
                 as text where the tool allows that"
            );
            return Err(self.denied(Reason::InvalidArguments, message));
        }
        match self.tool.definition.input.check(&self.arguments) {
            Ok(()) => Ok(Permit {
                tool: self.tool,
                arguments: self.arguments,
            }),
            Err(wrong) => Err(self.denied(
                Reason::InvalidArguments,
                format!("the arguments are not valid: {wrong}"),
            )),
        }
    }

    /// The denial of this call for `reason`.
    pub fn denied(&self, reason: Reason, message: String) -> Denied {
        let (tool, component) = (&self.tool.definition.name, &self.tool.component.digest);
        Denied {
            reason,
            tool: Some(tool.clone()),
            component: Some(component.clone()),
            scopes: Vec::new(),
            message,
        }
    }
}

/// Whether the caller's token has every scope that the tool requires.
pub fn may_call(caller: &Caller, tool: &Tool) -> bool {
    tool.definition
        .scopes
        .iter()
        .all(|scope| caller.scopes().contains(scope))
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
