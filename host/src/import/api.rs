//! The plan of an import of an API: each chosen operation as a tool that makes its request.

use std::collections::BTreeSet;

use serde_json::Value;

use super::body::body;
use super::definition::{DescribedOperation, answer};
use super::described::DescribedNames;
use super::document::ApiDocument;
use super::fitting::ImportEffort;
use super::left_out::LeftOut;
use super::operation::{ApiMethod, ApiOperation, MAX_OPERATIONS};
use super::parameters::ApiParameters;
use super::path::{PathPiece, segments};
use super::plan::{ImportPlan, ImportRow, PlanSource, PlannedTool};
use super::program::{GuestOperation, GuestProgram, GuestSegment, SentPiece, SentStyle, SentValue};
use super::scopes::scopes;
use super::support::{check_line, takes_rest_within};
use super::text::brief;
use super::{ImportError, ImportRequest, ImportRules, OperationChoice, placed};

impl ImportPlan {
    /// Plans the import of a description.
    ///
    /// # Errors
    /// The request asks for something that the description does not have.
    pub fn of(document: &ApiDocument, request: &ImportRequest) -> Result<Self, ImportError> {
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
        for tag in &request.choice.tags {
            let has = |operation: &ApiOperation<'_>| operation.tags().any(|other| other == tag);
            if !all.iter().any(has) {
                return Err(ImportError::UnknownTag(tag.clone()));
            }
        }
        let rules = ImportRules {
            credentials: credentials(document),
            ..request.rules.clone()
        };
        let source = PlanSource::Api {
            digest: document.digest().to_owned(),
            servers: document.servers().map(str::to_owned).collect(),
        };
        let mut plan = Self::new(request, source)?;
        let (chosen, others): (Vec<_>, Vec<_>) = all
            .iter()
            .partition(|operation| request.choice.has(operation));
        plan.unchosen = others.len();
        if !(rules.drops.is_empty() && rules.allowed.is_empty()) {
            DescribedNames::of(&all, document.references())?.check(&rules)?;
        }
        if !rules.bindings.is_empty() {
            let chosen = chosen.iter().copied();
            DescribedNames::of(chosen, document.references())?.check_bindings(&rules)?;
        }
        let effort = ImportEffort::new();
        for operation in chosen {
            let planned = planned(operation, document, request, (&rules, &effort));
            plan.add(planned, |outcome| ImportRow {
                operation: operation.line(),
                tool: operation.tool.clone(),
                reads: operation.method.is_ok_and(ApiMethod::reads),
                outcome,
                tags: operation.tags().map(str::to_owned).collect(),
            })?;
            if effort.is_spent() {
                return Err(ImportError::TooLarge);
            }
        }
        Ok(plan)
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

/// Plans one operation.
fn planned(
    operation: &ApiOperation<'_>,
    document: &ApiDocument,
    request: &ImportRequest,
    (rules, effort): (&ImportRules, &ImportEffort),
) -> Result<PlannedTool, LeftOut> {
    let references = document.references();
    operation.check_item()?;
    let method = operation.method()?;
    let mut parameters = ApiParameters::of(operation, references, rules)?;
    if let Some(server) = operation.own_server(document).map(brief) {
        parameters.notes.push(format!(
            "its requests go to the service's url, and the description has {server:?} for it"
        ));
    }
    let path = path_of(operation, &parameters, rules)?;
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
    Ok(PlannedTool {
        definition,
        program: GuestProgram::Request(guest),
        line,
        scopes: scopes(operation, document),
        pin: None,
        notes,
    })
}

/// Returns the segments of the path with what fills them.
fn path_of(
    operation: &ApiOperation<'_>,
    parameters: &ApiParameters<'_>,
    rules: &ImportRules,
) -> Result<Vec<GuestSegment>, LeftOut> {
    let piece = |name: &str| match parameters.path.get(name) {
        Some(piece) => Ok(piece.clone()),
        None if rules.drops.contains(name) => Err(LeftOut::DroppedFromPath(name.to_owned())),
        None => Err(LeftOut::Undeclared(name.to_owned())),
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
