//! The targets that clients can ask for, and the code behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bailiwick_envelope::{Authorization, CallKind, Delegation, DelegationMode};
use serde_json::Value;

use super::definition::Definition;
use super::grant::ComponentGrant;
use crate::identity::Caller;
use crate::intake::ComponentId;
use crate::json::numbers;
use crate::principal::Tenant;
use crate::questions::QuestionRule;
use crate::rounds::Resumption;
use crate::sandbox::{Code, Export, ToolExport};
use crate::schema::Schema;

/// The kinds of things that a client can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A tool (`tools/call`).
    Tool,
}

/// A client's request: a kind, a name and arguments, nothing more.
#[derive(Debug, Clone)]
pub struct TargetRequest {
    /// The kind of target.
    pub kind: Kind,
    /// The target's name.
    pub name: String,
    /// The arguments, an object.
    pub arguments: Value,
    /// A number in the text of the arguments that the value does not carry exactly, such as
    /// `9007199254740993`.
    pub inexact: Option<String>,
    /// The W3C trace id that the client sent, for correlation.
    pub trace_id: Option<String>,
    /// The round that it goes on with, if any.
    pub resumption: Resumption,
}

/// A target in the catalog.
#[derive(Debug, Clone)]
pub enum Target {
    /// A tool.
    Tool(Arc<Tool>),
}

/// A tool that can be called.
#[derive(Debug)]
pub struct Tool {
    /// The component's checked description of it.
    pub definition: Definition,
    /// The code behind it, with its grant.
    pub backing: Backing,
}

/// The code behind a target, with the operator's grant.
#[derive(Debug, Clone)]
pub struct Backing {
    /// The component that exports the target.
    pub component: ComponentId,
    /// The component's code.
    pub code: Arc<Code>,
    /// The grant that allows it.
    pub grant: GrantName,
    /// The way in which it reaches its services.
    pub delegation: Arc<Delegation>,
    /// Settings of the component, a JSON object.
    pub settings: Arc<str>,
    /// The tenants to which it is offered, if not to all.
    pub tenants: Option<Arc<BTreeSet<Tenant>>>,
}

/// The place of a grant in the configuration, for example `components.orders` or
/// `components.orders.tools.refund`. A component without a table has the grant `default`, which
/// grants no service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantName(Arc<str>);

impl Kind {
    /// Returns the word for it in envelopes, records and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
        }
    }
}

impl From<Kind> for CallKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Tool => Self::Tool,
        }
    }
}

impl TargetRequest {
    /// Builds a request for a tool with these arguments, which were parsed from `text`.
    pub fn tool(name: String, arguments: Value, text: &str) -> Self {
        Self {
            kind: Kind::Tool,
            name,
            arguments,
            inexact: numbers::inexact(text).map(String::from),
            trace_id: None,
            resumption: Resumption::default(),
        }
    }
}

impl Target {
    /// Returns the kind of target.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Tool(_) => Kind::Tool,
        }
    }

    /// Returns its name, unique among its kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Tool(tool) => &tool.definition.name,
        }
    }

    /// Returns the code behind it, with its grant.
    pub fn backing(&self) -> &Backing {
        match self {
            Self::Tool(tool) => &tool.backing,
        }
    }

    /// Returns the scopes that it requires of a caller's token, sorted. All of them are needed.
    pub fn scopes(&self) -> &[String] {
        &self.authorization().scopes
    }

    /// Returns the rights of a caller in a call of it: the scopes that it requires.
    pub fn authorization(&self) -> &Arc<Authorization> {
        match self {
            Self::Tool(tool) => &tool.definition.authorization,
        }
    }

    /// Returns true if `caller` may learn that it exists: it is offered to the caller's tenant, and
    /// the caller's token has its scopes.
    pub fn is_visible_to(&self, caller: &Caller) -> bool {
        match self {
            Self::Tool(tool) => tool.is_visible_to(caller),
        }
    }

    /// Returns the operator's rule about the questions of its component.
    pub fn questions(&self) -> &QuestionRule {
        match self {
            Self::Tool(tool) => &tool.definition.questions,
        }
    }

    /// Returns the export to call in its component.
    pub fn export(&self) -> Export<'_> {
        match self {
            Self::Tool(tool) => Export::Tool(ToolExport {
                name: &tool.definition.name,
                output: tool.definition.output.as_deref(),
                meta: &tool.definition.meta_rule,
                questions: &tool.definition.questions,
            }),
        }
    }

    /// Returns the component's checked description of it.
    pub fn definition(&self) -> &Definition {
        match self {
            Self::Tool(tool) => &tool.definition,
        }
    }

    /// Returns the schema of its arguments.
    pub fn input(&self) -> &Schema {
        match self {
            Self::Tool(tool) => &tool.definition.input,
        }
    }
}

impl Tool {
    /// Returns true if `caller` may learn that it exists and has the scopes for it.
    pub fn is_visible_to(&self, caller: &Caller) -> bool {
        self.is_offered_to(caller) && caller.has_scopes(self.definition.scopes())
    }

    /// Returns true if `caller` is of a tenant that may learn that it exists.
    pub fn is_offered_to(&self, caller: &Caller) -> bool {
        self.backing.is_offered_to(caller)
    }

    /// Returns the services that it asks for and the operator does not grant.
    pub fn ungranted(&self) -> impl Iterator<Item = &str> {
        let granted = self.backing.services();
        let asked = self.definition.services.iter().map(String::as_str);
        asked.filter(|name| !granted.contains_key(*name))
    }
}

impl Backing {
    /// Returns true if the operator offers it to the caller's tenant.
    pub fn is_offered_to(&self, caller: &Caller) -> bool {
        let is_in = |tenants: &Arc<BTreeSet<Tenant>>| {
            caller
                .tenant()
                .is_some_and(|tenant| tenants.contains(tenant))
        };
        self.tenants.as_ref().is_none_or(is_in)
    }

    /// Returns the services that the target declares and the operator grants, each with its mode.
    pub fn services(&self) -> &BTreeMap<String, DelegationMode> {
        self.delegation.modes()
    }
}

impl GrantName {
    /// Names the table that decides about `tool`: its own, its component's, or none.
    pub(super) fn of(component: &str, tool: &str, grant: Option<&ComponentGrant>) -> Self {
        Self(match grant {
            Some(grant) if grant.tools.contains_key(tool) => {
                format!("components.{component}.tools.{tool}").into()
            }
            Some(_) => format!("components.{component}").into(),
            None => "default".into(),
        })
    }

    /// Returns the name as it stands in records.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for GrantName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
