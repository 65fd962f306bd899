//! A call that would be refused, and the change that would allow it.

use std::fmt;

use serde::Serialize;

use super::super::{Folder, worded};
use super::{KnownCaller, NamedTool};
use crate::dispatch::Denied;
use crate::identity::Caller;
use crate::reason::RefusalReason;

/// A call that would be refused.
#[derive(Debug, Serialize)]
pub struct RefusedCall {
    /// The caller, as the token proves it.
    pub caller: KnownCaller,
    /// The tool, if there is one of that name.
    pub tool: Option<NamedTool>,
    /// The stable code.
    pub reason: &'static str,
    /// The sentence that the caller gets.
    pub because: String,
    /// The change that would allow it.
    #[serde(serialize_with = "worded")]
    pub change: Remedy,
}

/// A change that would allow a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Remedy {
    /// The token needs more scopes.
    Scopes {
        /// The scopes that it lacks.
        missing: Vec<String>,
        /// The issuer that the client must ask for them.
        issuer: String,
    },
    /// The question has no arguments, but the tool needs some.
    GiveArguments,
    /// Other arguments.
    Arguments,
    /// The operator has denied the caller, the tool or its code.
    Lift {
        /// The identifier of the denial. Without it, the list of denials cannot be read.
        denial: Option<String>,
    },
    /// The tool is disabled.
    Enable {
        /// The name of the tool.
        tool: String,
    },
    /// The tool is offered to other tenants.
    Tenant {
        /// The tenants to which it is offered.
        tenants: Vec<String>,
    },
    /// Another name of a tool.
    Name {
        /// The tools that exist.
        tools: Vec<String>,
    },
    /// Another name of a tool, or a repair of one of the components that would not be served.
    NameOrComponents {
        /// The names of these components.
        refused: Vec<String>,
    },
}

impl Remedy {
    pub(super) fn of(
        denied: &Denied,
        (tool, given): (&str, bool),
        caller: &Caller,
        folder: &Folder,
    ) -> Self {
        let found = folder.catalog.find(tool);
        let tenants = found.and_then(|tool| tool.backing.tenants.as_ref());
        match denied.reason {
            RefusalReason::Denied | RefusalReason::DenialsUnavailable => Self::Lift {
                denial: denied.denial.clone(),
            },
            RefusalReason::UnknownTarget if folder.catalog.disables(tool) => Self::Enable {
                tool: tool.to_owned(),
            },
            RefusalReason::UnknownTarget if let Some(tenants) = tenants => Self::Tenant {
                tenants: tenants
                    .iter()
                    .map(|tenant| tenant.name().to_owned())
                    .collect(),
            },
            RefusalReason::InsufficientScope => Self::Scopes {
                missing: denied
                    .scopes
                    .iter()
                    .filter(|scope| !caller.spell(caller.scopes()).contains(scope))
                    .cloned()
                    .collect(),
                issuer: caller.actor().iss.clone(),
            },
            RefusalReason::InvalidArguments if given => Self::Arguments,
            RefusalReason::InvalidArguments => Self::GiveArguments,
            _ if folder.refused.is_empty() => Self::Name {
                tools: folder.tool_names(),
            },
            _ => Self::NameOrComponents {
                refused: folder
                    .refused
                    .iter()
                    .map(|refused| refused.name.clone())
                    .collect(),
            },
        }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scopes { missing, issuer } => write!(
                formatter,
                "the token lacks {}: let the client ask {issuer} for it",
                missing.join(" ")
            ),
            Self::GiveArguments => formatter
                .write_str("give the call's arguments with --arguments; without it they are {}"),
            Self::Arguments => formatter.write_str(
                "use other arguments; `bailiwick inspect` prints the tool's input schema",
            ),
            Self::Lift { denial: Some(id) } => {
                write!(
                    formatter,
                    "lift the denial: bailiwick deny --config FILE --lift {id}"
                )
            }
            Self::Lift { denial: None } => formatter.write_str(
                "mend the list of denials; `bailiwick deny --config FILE` says what is wrong",
            ),
            Self::Enable { tool } => {
                write!(
                    formatter,
                    "remove enabled = false from [components.NAME.tools.{tool}]"
                )
            }
            Self::Tenant { tenants } => write!(
                formatter,
                "the tool is offered to the tenants {}; add \"ALIAS:TENANT\" of the caller to \
                 tenants under [components.NAME]",
                tenants.join(", ")
            ),
            Self::Name { tools } if tools.is_empty() => {
                formatter.write_str("add a component; there are no tools")
            }
            Self::Name { tools } => {
                write!(formatter, "use one of these names: {}", tools.join(", "))
            }
            Self::NameOrComponents { refused } => write!(
                formatter,
                "use another name, or repair {} (see `bailiwick check`)",
                refused.join(", ")
            ),
        }
    }
}
