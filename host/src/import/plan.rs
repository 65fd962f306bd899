//! The plan of an import: each chosen operation as a tool, or left out with its reason.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::body::body;
use super::definition::{DescribedOperation, answer, text};
use super::document::ApiDocument;
use super::join;
use super::left_out::LeftOut;
use super::operation::{ApiMethod, ApiOperation};
use super::parameters::{ApiParameters, has_parameter};
use super::path::{PathPiece, segments};
use super::program::{
    GuestOperation, GuestSegment, SentPiece, SentStyle, SentValue, Shelved, data,
};
use super::settings::{self, ImportedGrant};
use super::support::{check_line, takes_rest_within};
use super::{ImportError, ImportRequest, ImportRules, OperationChoice};
use crate::dispatch::MAX_OF_A_KIND;
use crate::sandbox::RawDefinition;

/// The plan of an import.
pub struct ImportPlan {
    service: String,
    document: String,
    server: Option<String>,
    allowed: Vec<String>,
    rows: Vec<ImportRow>,
    tools: Vec<PlannedTool>,
    /// The number of operations that were not chosen.
    pub unchosen: usize,
}

/// A chosen operation.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// The method and path, as the description has them.
    pub operation: String,
    /// The name of the tool.
    pub tool: String,
    /// Whether it changes nothing.
    pub reads: bool,
    /// What is not as the description has it, or why the operation is left out.
    pub outcome: Result<Vec<String>, LeftOut>,
    tags: Vec<String>,
}

/// A tool that can be written.
struct PlannedTool {
    shelved: Shelved,
    /// The line of the grant.
    line: String,
}

impl ImportPlan {
    /// Plans the import of a description.
    ///
    /// # Errors
    /// The request asks for something that the description does not have.
    pub fn of(document: &ApiDocument, request: &ImportRequest) -> Result<Self, ImportError> {
        let service = &request.service;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if !(1..=64).contains(&service.len()) || !service.bytes().all(plain) {
            return Err(ImportError::Service(service.clone()));
        }
        let all = ApiOperation::all(document);
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
            server: document.server().map(str::to_owned),
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
        for operation in chosen {
            plan.add(operation, document, request, &rules)?;
        }
        Ok(plan)
    }

    fn add(
        &mut self,
        operation: &ApiOperation<'_>,
        document: &ApiDocument,
        request: &ImportRequest,
        rules: &ImportRules,
    ) -> Result<(), ImportError> {
        let outcome = match planned(operation, document, request, rules) {
            Ok((operation, definition, line, notes)) => {
                self.tools.push(PlannedTool {
                    shelved: Shelved {
                        name: definition.name.clone(),
                        definition: text(&definition)?,
                        operation: serde_json::to_vec(&operation)?,
                    },
                    line,
                });
                Ok(notes)
            }
            Err(left_out) => Err(left_out),
        };
        self.rows.push(ImportRow {
            operation: operation.line(),
            tool: operation.tool.clone(),
            reads: operation.method.is_ok_and(ApiMethod::reads),
            outcome,
            tags: operation.tags().map(str::to_owned).collect(),
        });
        Ok(())
    }

    /// Returns the chosen operations, by path and method.
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

    /// Returns the component with all tools of the plan.
    ///
    /// # Errors
    /// There are none, or more than a component can have.
    pub fn component(&self) -> Result<Vec<u8>, ImportError> {
        match self.tools.len() {
            0 => return Err(ImportError::Nothing),
            count if count > MAX_OF_A_KIND => {
                return Err(ImportError::TooMany {
                    count,
                    most: MAX_OF_A_KIND,
                    tags: self.tags(),
                });
            }
            _ => {}
        }
        let shelved: Vec<&Shelved> = self.tools.iter().map(|tool| &tool.shelved).collect();
        join::component(&data(&shelved)?, &self.document)
    }

    /// Returns the lines of the configuration that grant the requests of the plan to the component
    /// `name` with this digest.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn settings(&self, name: &str, digest: &str) -> Result<String, ImportError> {
        let lines: BTreeSet<&str> = self.tools.iter().map(|tool| tool.line.as_str()).collect();
        Ok(settings::text(&ImportedGrant {
            service: &self.service,
            name,
            digest,
            lines: &lines,
            allowed: &self.allowed,
            server: self.server.as_deref(),
        })?)
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
    rules: &ImportRules,
) -> Result<PlannedParts, LeftOut> {
    let references = document.references();
    let method = operation.method()?;
    let mut parameters = ApiParameters::of(operation, references, rules)?;
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
    let line = line(method, &path, &parameters.query);
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
fn line(method: ApiMethod, path: &[GuestSegment], query: &[SentValue]) -> String {
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
    let query: Vec<String> = query
        .iter()
        .map(|sent| format!("{}={}", sent.name, piece(&sent.value)))
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let (path, query) = (path.join("/"), query.join("&"));
    format!("{} /{path}{mark}{query}", method.as_str())
}

/// Returns the places and names of the parameters that carry a credential of a security scheme.
fn credentials(document: &ApiDocument) -> BTreeSet<(String, String)> {
    let schemes = document.root().pointer("/components/securitySchemes");
    let schemes = schemes.and_then(Value::as_object);
    let place = |(_, scheme): (_, &Value)| {
        let scheme = document.references().followed(scheme).ok()?;
        let text = |name: &str| scheme.get(name).and_then(Value::as_str);
        Some((text("in")?.to_owned(), text("name")?.to_owned()))
    };
    schemes.into_iter().flatten().filter_map(place).collect()
}

/// The tags that are told.
const MOST_TAGS: usize = 24;
