//! The targets that clients can ask for, and the code behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bailiwick_envelope::{Authorization, CallKind, Delegation, DelegationMode};
use serde_json::{Map, Value, json};

use super::definition::{Definition, Described, PromptFace, ResourceFace, ToolFace};
use super::grant::ComponentGrant;
use super::outline::table;
use crate::conditions::DenyRule;
use crate::identity::Caller;
use crate::intake::ComponentId;
use crate::json::numbers;
use crate::principal::Tenant;
use crate::questions::QuestionRule;
use crate::rounds::Resumption;
use crate::sandbox::{Code, CompletionOf, Export, ExportFunction};
use crate::schema::Schema;

/// The kinds of things that a client can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A tool (`tools/call`).
    Tool,
    /// A resource (`resources/read`), or members of a family (`resources/list`).
    Resource,
    /// A prompt (`prompts/get`).
    Prompt,
    /// Suggestions for an argument (`completion/complete`).
    Completion,
}

/// The thing that a client asks for, by the name that the client gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The tool of this name.
    Tool(String),
    /// The resource of this URI.
    Resource(String),
    /// Members of the family of this URI.
    Members(String),
    /// The prompt of this name.
    Prompt(String),
    /// Suggestions for an argument of the prompt, or a variable of the family, of this name.
    Completion(CompletionOf, String),
}

/// A client's request: what it wants, with arguments, and nothing more.
#[derive(Debug, Clone)]
pub struct TargetRequest {
    /// What it wants.
    pub wanted: Wanted,
    /// The arguments, an object. Those of a resource are in its URI.
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
    /// A resource, or one of a family: the reading of this URI.
    Resource(Arc<ReadableResource>, String),
    /// Members of a family of resources.
    Members(Arc<ReadableResource>),
    /// A prompt.
    Prompt(Arc<Prompt>),
    /// Suggestions for an argument of a prompt.
    PromptCompletion(Arc<Prompt>),
    /// Suggestions for a variable of a family of resources.
    FamilyCompletion(Arc<ReadableResource>),
}

/// A definition with the code behind it.
#[derive(Debug)]
pub struct Offered<F> {
    /// The component's checked definition.
    pub definition: Definition<F>,
    /// The code behind it, with its grant.
    pub backing: Backing,
}

/// A tool that can be called.
pub type Tool = Offered<ToolFace>;
/// A resource that can be read, or a family of resources.
pub type ReadableResource = Offered<ResourceFace>;
/// A prompt that can be asked for.
pub type Prompt = Offered<PromptFace>;

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
    /// The rules that deny its requests to services by content.
    pub deny: Arc<[DenyRule]>,
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
        CallKind::from(self).as_str()
    }
}

impl From<Kind> for CallKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Tool => Self::Tool,
            Kind::Resource => Self::Resource,
            Kind::Prompt => Self::Prompt,
            Kind::Completion => Self::Completion,
        }
    }
}

impl Wanted {
    /// Returns its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Tool(_) => Kind::Tool,
            Self::Resource(_) | Self::Members(_) => Kind::Resource,
            Self::Prompt(_) => Kind::Prompt,
            Self::Completion(..) => Kind::Completion,
        }
    }

    /// Returns the name that the client gives.
    pub fn name(&self) -> &str {
        match self {
            Self::Tool(name)
            | Self::Resource(name)
            | Self::Members(name)
            | Self::Prompt(name)
            | Self::Completion(_, name) => name,
        }
    }
}

impl TargetRequest {
    /// Builds a request for a tool with these arguments, which were parsed from `text`.
    pub fn tool(name: String, arguments: Value, text: &str) -> Self {
        Self {
            inexact: numbers::inexact(text).map(String::from),
            ..Self::of(Wanted::Tool(name), arguments)
        }
    }

    /// Builds a request whose arguments have no numbers.
    pub fn of(wanted: Wanted, arguments: Value) -> Self {
        Self {
            wanted,
            arguments,
            inexact: None,
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
            Self::Resource(..) | Self::Members(_) => Kind::Resource,
            Self::Prompt(_) => Kind::Prompt,
            Self::PromptCompletion(_) | Self::FamilyCompletion(_) => Kind::Completion,
        }
    }

    /// Returns what its component says about it.
    pub fn described(&self) -> &Described {
        match self {
            Self::Tool(tool) => &tool.definition,
            Self::Resource(resource, _)
            | Self::Members(resource)
            | Self::FamilyCompletion(resource) => &resource.definition,
            Self::Prompt(prompt) | Self::PromptCompletion(prompt) => &prompt.definition,
        }
    }

    /// Returns the code behind it, with its grant.
    pub fn backing(&self) -> &Backing {
        match self {
            Self::Tool(tool) => &tool.backing,
            Self::Resource(resource, _)
            | Self::Members(resource)
            | Self::FamilyCompletion(resource) => &resource.backing,
            Self::Prompt(prompt) | Self::PromptCompletion(prompt) => &prompt.backing,
        }
    }

    /// Returns its name, unique among its kind: of a resource, the URI in its definition.
    pub fn name(&self) -> &str {
        &self.described().name
    }

    /// Returns the tool, if it is one.
    pub fn tool(&self) -> Option<&Arc<Tool>> {
        match self {
            Self::Tool(tool) => Some(tool),
            _ => None,
        }
    }

    /// Returns the scopes that it requires of a caller's token, sorted. All of them are needed.
    pub fn scopes(&self) -> &[String] {
        self.described().scopes()
    }

    /// Returns the rights of a caller in a call of it: the scopes that it requires.
    pub fn authorization(&self) -> &Arc<Authorization> {
        &self.described().authorization
    }

    /// Returns true if `caller` may learn that it exists: it is offered to the caller's tenant, and
    /// the caller's token has its scopes.
    pub fn is_visible_to(&self, caller: &Caller) -> bool {
        self.backing().is_offered_to(caller) && caller.has_scopes(self.scopes())
    }

    /// Returns the operator's rule about the questions of its component.
    pub fn questions(&self) -> &QuestionRule {
        &self.described().questions
    }

    /// Returns the schema of its arguments, if it can be asked for.
    pub fn input(&self) -> Option<&Schema> {
        match self {
            Self::Tool(_) | Self::Resource(..) | Self::Prompt(_) => Some(&self.described().input),
            Self::Members(family) => Some(&family.definition.face.members),
            Self::PromptCompletion(prompt) => prompt.definition.face.completion.as_ref(),
            Self::FamilyCompletion(family) => family.definition.face.completion.as_ref(),
        }
    }

    /// Returns the export to call in its component, for a call with these arguments.
    pub fn export<'c>(&'c self, arguments: &'c Value) -> Export<'c> {
        let described = self.described();
        let function = match self {
            Self::Tool(tool) => ExportFunction::Tool {
                output: tool.definition.face.output.as_deref(),
            },
            Self::Resource(resource, uri) => ExportFunction::Read {
                uri,
                namespace: &resource.definition.face.namespace,
                mime_type: resource.definition.face.mime_type.as_deref(),
            },
            Self::Members(family) => ExportFunction::Members {
                family: &family.definition.face.pattern,
                mime_type: family.definition.face.mime_type.as_deref(),
            },
            Self::Prompt(_) => ExportFunction::Prompt,
            Self::PromptCompletion(_) => complete(CompletionOf::Prompt, arguments),
            Self::FamilyCompletion(_) => complete(CompletionOf::Family, arguments),
        };
        Export {
            name: &described.name,
            meta: &described.meta_rule,
            questions: &described.questions,
            function,
        }
    }

    /// Returns the input of the component, for a call with these arguments.
    pub fn component_input(&self, arguments: &Value) -> String {
        match self {
            Self::PromptCompletion(_) | Self::FamilyCompletion(_) => {
                let context = arguments.get("context").cloned();
                context.unwrap_or_else(|| json!({})).to_string()
            }
            _ => arguments.to_string(),
        }
    }
}

/// Returns the function that suggests values. The arguments fit the schema of completions.
fn complete(of: CompletionOf, arguments: &Value) -> ExportFunction<'_> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    ExportFunction::Complete {
        of,
        argument: text("argument").unwrap_or_default(),
        value: text("value").unwrap_or_default(),
    }
}

impl<F> Offered<F> {
    /// Returns true if `caller` is of a tenant that may learn that it exists.
    pub fn is_offered_to(&self, caller: &Caller) -> bool {
        self.backing.is_offered_to(caller)
    }

    /// Returns its parts beside this key.
    pub(super) fn parts(&self, key: String) -> (String, &Described, &Backing) {
        (key, &self.definition, &self.backing)
    }

    /// Returns the services that it asks for and the operator does not grant.
    pub fn ungranted(&self) -> impl Iterator<Item = &str> {
        self.backing.ungranted(&self.definition)
    }
}

impl ReadableResource {
    /// Returns the values of the variables if `uri` is its URI, or one of its family.
    pub fn matched(&self, uri: &str) -> Option<Map<String, Value>> {
        self.definition.face.pattern.matched(uri)
    }

    /// Returns true if it is a family of resources.
    pub fn is_family(&self) -> bool {
        self.definition.face.pattern.is_family()
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

    /// Returns the services that a definition asks for and the operator does not grant.
    pub fn ungranted<'b>(&'b self, described: &'b Described) -> impl Iterator<Item = &'b str> {
        let asked = described.services.iter().map(String::as_str);
        asked.filter(|name| !self.services().contains_key(*name))
    }

    /// Returns the services that the target declares and the operator grants, each with its mode.
    pub fn services(&self) -> &BTreeMap<String, DelegationMode> {
        self.delegation.modes()
    }
}

impl GrantName {
    /// Names the table that decides about the definition with this name in the outline: its own,
    /// its component's, or none.
    pub(super) fn of(component: &str, key: &str, grant: Option<&ComponentGrant>) -> Self {
        Self(match grant {
            Some(grant) if grant.tools.contains_key(key) => {
                format!("components.{component}.{}", table(key)).into()
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
