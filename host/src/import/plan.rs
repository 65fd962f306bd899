//! The plan of an import: each chosen operation as a tool, or left out with its reason.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::fitting::text;
use super::join;
use super::left_out::LeftOut;
use super::operation::{ApiMethod, ApiOperation, MAX_OPERATIONS};
use super::parameters::{ApiParameters, has_parameter};
use super::path::{PathPiece, segments};
use super::program::{
    GuestOperation, GuestSegment, SentPiece, SentStyle, SentValue, Shelved, data,
};
use super::scopes::scopes;
use super::settings::{self, ImportedGrant};
use super::support::{check_line, takes_rest_within};
use super::text::brief;
use super::{ImportError, ImportRequest, ImportRules, OperationChoice, placed};
use crate::dispatch::MAX_OF_A_KIND;
use crate::remote::RemoteRevision;
use crate::sandbox::RawDefinition;

/// The plan of an import.
pub struct ImportPlan {
    service: String,
    document: String,
    servers: Vec<String>,
    allowed: Vec<String>,
    rows: Vec<ImportRow>,
    tools: Vec<GrantedTool>,
    /// The number of operations that were not chosen.
    pub unchosen: usize,
}

/// What is imported.
pub(super) enum PlanSource {
    /// The operations of an API.
    Api {
        /// The digest of its description.
        digest: String,
        /// The server that the description names.
        server: Option<String>,
    },
    /// The tools of an MCP server.
    Remote {
        /// Its endpoint.
        url: String,
        /// The revision that it speaks.
        revision: RemoteRevision,
        /// The ranges without which it cannot be reached.
        private_addresses: Vec<String>,
    },
}

/// A chosen operation of an API, or a chosen tool of a remote server.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// The method and path, or the method and the remote tool, as the description has them.
    pub operation: String,
    /// The name of the tool.
    pub tool: String,
    /// Whether it changes nothing. Of a remote tool, its server says so.
    pub reads: bool,
    /// What is not as the description has it, or why the operation is left out.
    pub outcome: Result<Vec<String>, LeftOut>,
    pub(super) tags: Vec<String>,
}

/// A tool that can be imported.
pub(super) struct PlannedTool {
    pub(super) definition: RawDefinition,
    pub(super) program: GuestProgram,
    /// The line of the grant.
    pub(super) line: String,
    /// The name on the remote server, and the pin of the definition there.
    pub(super) pin: Option<(String, String)>,
    /// What is not as the description has it.
    pub(super) notes: Vec<String>,
}

/// A tool as it is written.
struct GrantedTool {
    shelved: Shelved,
    line: String,
    /// The scopes that a token for the service needs.
    scopes: Vec<String>,
}

impl ImportPlan {
    /// Begins a plan without tools.
    ///
    /// # Errors
    /// The service cannot have its name.
    pub(super) fn new(request: &ImportRequest, source: PlanSource) -> Result<Self, ImportError> {
        let service = &request.service;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if !(1..=64).contains(&service.len()) || !service.bytes().all(plain) {
            return Err(ImportError::Service(service.clone()));
        }
        let all = ApiOperation::all(document);
        if all.len() > MAX_OPERATIONS {
            return Err(ImportError::TooLarge);
        }
        for name in &request.choice.only {
            let is_known = |operation: &ApiOperation<'_>| operation.is_named(name);
            if !all.iter().any(is_known) {
                return Err(ImportError::Unknown(name.clone()));
            }
        }
        let rules = ImportRules {
            credentials: credentials(document),
            ..request.rules.clone()
        };
        let mut plan = Self {
            service: service.clone(),
            document: document.digest().to_owned(),
            servers: document.servers().map(str::to_owned).collect(),
            allowed: rules.allowed.iter().cloned().collect(),
            rows: Vec::new(),
            tools: Vec::new(),
            unchosen: 0,
        };
        let (chosen, others): (Vec<_>, Vec<_>) = all
            .iter()
            .partition(|operation| request.choice.has(operation));
        plan.unchosen = others.len();
        for name in rules.bindings.keys() {
            let references = document.references();
            let has = |operation: &&ApiOperation<'_>| has_parameter(operation, references, name);
            if !chosen.iter().any(has) {
                return Err(ImportError::Unbound(name.clone()));
            }
        }
        let effort = Cell::new(MAX_EFFORT);
        for operation in chosen {
            plan.add(operation, document, request, (&rules, &effort))?;
            if effort.get() == 0 {
                return Err(ImportError::TooLarge);
            }
        }
        Ok(plan)
    }

    /// Adds a tool, or the reason why there is none, with the row that says so.
    pub(super) fn add(
        &mut self,
        operation: &ApiOperation<'_>,
        document: &ApiDocument,
        request: &ImportRequest,
        within: (&ImportRules, &Cell<usize>),
    ) -> Result<(), ImportError> {
        let outcome = match planned(operation, document, request, rules) {
            Ok((sent, definition, line, notes)) => {
                self.tools.push(PlannedTool {
                    shelved: Shelved {
                        name: definition.name.clone(),
                        definition: text(&definition)?,
                        operation: serde_json::to_vec(&sent)?,
                    },
                    line,
                    scopes: scopes(operation, document),
                });
                Ok(tool.notes)
            }
            Err(left_out) => Err(left_out),
        };
        self.rows.push(row(outcome));
        Ok(())
    }

    /// Returns the chosen operations in their order.
    pub fn rows(&self) -> &[ImportRow] {
        &self.rows
    }

    /// Returns the parameters that the grant must allow by name.
    pub fn allowed(&self) -> &[String] {
        &self.allowed
    }

    /// Returns the number of operations that can be imported.
    pub fn tools(&self) -> usize {
        self.tools.len()
    }

    /// Returns the word for what is imported, in the plural.
    pub fn word(&self) -> &'static str {
        match self.source {
            PlanSource::Api { .. } => "operations",
            PlanSource::Remote { .. } => "tools",
        }
    }

    /// Returns the component with all tools of the plan.
    ///
    /// # Errors
    /// There are none, or more than a component can have.
    pub fn component(&self) -> Result<Vec<u8>, ImportError> {
        match self.tools.len() {
            0 => return Err(ImportError::Nothing(self.word())),
            count if count > MAX_OF_A_KIND => {
                return Err(ImportError::TooMany {
                    count,
                    what: self.word(),
                    most: MAX_OF_A_KIND,
                    choices: self.choices(),
                });
            }
            _ => {}
        }
        let shelved: Vec<&Shelved> = self.tools.iter().map(|tool| &tool.shelved).collect();
        join::component(&data(&shelved)?, &self.origin()?)
    }

    /// Returns the lines of the configuration that grant the requests of the plan to the component
    /// `name` with this digest.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn settings(&self, name: &str, digest: &str) -> Result<String, ImportError> {
        let lines: BTreeSet<&str> = self.tools.iter().map(|tool| tool.line.as_str()).collect();
        let scopes = self.tools.iter().filter(|tool| !tool.scopes.is_empty());
        let scopes = scopes.map(|tool| (tool.shelved.name.as_str(), tool.scopes.as_slice()));
        Ok(settings::text(&ImportedGrant {
            service: &self.service,
            granted,
            name,
            digest,
            lines: &lines,
            allowed: &self.allowed,
            servers: &self.servers,
            scopes: &scopes.collect(),
        })?)
    }

    /// Returns the digest of what is imported: of an API's description, or of the pins of remote
    /// tools.
    fn origin(&self) -> Result<String, ImportError> {
        Ok(match &self.source {
            PlanSource::Api { digest, .. } => digest.clone(),
            PlanSource::Remote { .. } => build::digest(&serde_json::to_vec(&self.pins())?),
        })
    }

    /// Returns the pins of the remote tools by their names there.
    fn pins(&self) -> BTreeMap<&str, &str> {
        let pins = self.tools.iter().filter_map(|tool| tool.pin.as_ref());
        pins.map(|(name, pin)| (name.as_str(), pin.as_str()))
            .collect()
    }

    /// Returns the options that choose some of the operations.
    fn choices(&self) -> String {
        match self.source {
            PlanSource::Api { .. } => format!("--only, --tag or --method{}", self.tags()),
            PlanSource::Remote { .. } => "--only".to_owned(),
        }
    }

    /// Returns the tags of what can be imported, with their numbers, the most used first.
    fn tags(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.outcome.is_ok()) {
            for tag in &row.tags {
                *counts.entry(tag).or_default() += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(tag, count)| (std::cmp::Reverse(*count), *tag));
        let shown = counts.iter().take(MOST_TAGS);
        let shown: Vec<_> = shown
            .map(|(tag, count)| format!("{tag} ({count})"))
            .collect();
        if shown.is_empty() {
            return String::new();
        }
        let more = if counts.len() > MOST_TAGS {
            ", …"
        } else {
            ""
        };
        format!("; its tags: {}{more}", shown.join(", "))
    }
}

impl OperationChoice {
    fn has(&self, operation: &ApiOperation<'_>) -> bool {
        let named = |name: &String| operation.is_named(name);
        let tagged = |tag: &String| operation.tags().any(|other| other == tag);
        let of_method = |method: &ApiMethod| operation.method == Ok(*method);
        (self.only.is_empty() || self.only.iter().any(named))
            && (self.tags.is_empty() || self.tags.iter().any(tagged))
            && (self.methods.is_empty() || self.methods.iter().any(of_method))
    }
}

type PlannedParts = (GuestOperation, RawDefinition, String, Vec<String>);

/// Plans one operation.
fn planned(
    operation: &ApiOperation<'_>,
    document: &ApiDocument,
    request: &ImportRequest,
    (rules, effort): (&ImportRules, &Cell<usize>),
) -> Result<PlannedParts, LeftOut> {
    let references = document.references();
    references.followed(operation.item)?;
    let method = operation.method()?;
    let mut parameters = ApiParameters::of(operation, references, rules)?;
    let server = operation.own_server(document);
    parameters.notes.extend(server.map(|server| {
        format!("its requests go to the service's url, and the description has {server:?} for it")
    }));
    let path = path_of(operation, &parameters)?;
    let body = body(operation, references, &mut parameters.notes)?;
    let answer = answer(operation, references);
    if let Some((media, _)) = answer {
        parameters.headers.push(SentValue {
            name: "accept".to_owned(),
            value: SentPiece::Text(media.to_owned()),
            style: SentStyle::Repeated,
        });
    }
    let line = line(method, &path, &parameters.pairs);
    check_line(&line)?;
    let described = DescribedOperation {
        operation,
        arguments: &parameters.arguments,
        body: body.as_ref(),
        answer: answer
            .and_then(|(_, schema)| schema)
            .filter(|_| request.output_schemas),
        service: &request.service,
        rules,
        effort,
    };
    let mut notes = parameters.notes.clone();
    let definition = described.definition(references, &mut notes)?;
    let guest = GuestOperation {
        service: request.service.clone(),
        method: method.as_str(),
        path,
        query: parameters.query,
        headers: parameters.headers,
        body: body.map(|body| body.sent),
        structured: definition.output_schema.is_some(),
    };
    Ok((guest, definition, line, notes))
}

/// Returns the segments of the path with what fills them.
fn path_of(
    operation: &ApiOperation<'_>,
    parameters: &ApiParameters<'_>,
) -> Result<Vec<GuestSegment>, LeftOut> {
    let piece = |name: &str| {
        let piece = parameters.path.get(name).cloned();
        piece.ok_or_else(|| LeftOut::Undeclared(name.to_owned()))
    };
    let segments = segments(operation.path)?;
    let count = segments.len();
    let mut path = Vec::with_capacity(count);
    for (index, pieces) in segments.into_iter().enumerate() {
        let first = path
            .iter()
            .all(|other| matches!(other, GuestSegment::One(_)));
        let fits = first && (index + 1 == count || takes_rest_within());
        if let [PathPiece::Variable(name) | PathPiece::Rest(name)] = pieces.as_slice() {
            let is_rest = matches!(pieces.as_slice(), [PathPiece::Rest(_)])
                || parameters.rests.contains(name.as_str());
            if let (SentPiece::Argument(argument), true, true) = (piece(name)?, is_rest, fits) {
                path.push(GuestSegment::Rest(argument));
                continue;
            }
        }
        let pieces = pieces.into_iter().map(|part| match part {
            PathPiece::Literal(text) => Ok(SentPiece::Text(text)),
            PathPiece::Variable(name) | PathPiece::Rest(name) => piece(&name),
        });
        path.push(GuestSegment::One(pieces.collect::<Result<_, _>>()?));
    }
    Ok(path)
}

/// Returns the line of the grant for the requests of an operation.
fn line(method: ApiMethod, path: &[GuestSegment], pairs: &[String]) -> String {
    let piece = |piece: &SentPiece| match piece {
        SentPiece::Text(text) => text.clone(),
        SentPiece::Argument(_) => "{}".to_owned(),
        SentPiece::Actor(fact) => fact.placeholder().to_owned(),
    };
    let segment = |segment: &GuestSegment| match segment {
        GuestSegment::One(pieces) => pieces.iter().map(piece).collect::<String>(),
        GuestSegment::Rest(_) => "{**}".to_owned(),
    };
    let path: Vec<String> = path.iter().map(segment).collect();
    let mark = if pairs.is_empty() { "" } else { "?" };
    let (path, query) = (path.join("/"), pairs.join("&"));
    format!("{} /{path}{mark}{query}", method.as_str())
}

/// Returns the places and names of the parameters that carry a credential of a security scheme.
fn credentials(document: &ApiDocument) -> BTreeSet<(String, String)> {
    let schemes = document.root().pointer("/components/securitySchemes");
    let schemes = schemes.and_then(Value::as_object);
    let place = |(_, scheme): (_, &Value)| {
        let scheme = document.references().followed(scheme).ok()?;
        let text = |name: &str| scheme.get(name).and_then(Value::as_str);
        Some(placed(text("in")?, text("name")?))
    };
    schemes.into_iter().flatten().filter_map(place).collect()
}

/// What may be spent on the schemas of all operations: many times what the largest description that
/// is known takes. Operations can share a schema, so the size of the file says little.
const MAX_EFFORT: usize = 16_000_000;
/// The tags that are told.
const MOST_TAGS: usize = 24;
