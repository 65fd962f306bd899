//! The parameters of an operation: which become arguments, which the host fills in, which are not
//! sent.
//!
//! Invariant: a parameter that names an identity or a credential is an argument only if the
//! operator said that it is something else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ImportRules;
use super::body::is_json;
use super::left_out::LeftOut;
use super::names::plain_name;
use super::operation::ApiOperation;
use super::program::{ActorFact, SentPiece, SentStyle, SentValue};
use super::query::{FREE, QueryForm, QueryStyle};
use super::references::ApiReferences;
use super::support::{is_ignored_header, sends_header, takes_key};
use crate::schema::names_identity;

/// An argument of a tool.
#[derive(Debug, Clone)]
pub(super) struct ApiArgument<'d> {
    pub(super) name: String,
    pub(super) schema: Option<&'d Value>,
    pub(super) description: Option<&'d str>,
    pub(super) required: bool,
    /// The members that can be sent, if it may be an object of which not all can.
    pub(super) members: Option<Vec<String>>,
}

/// The parameters of an operation.
#[derive(Debug, Default)]
pub(super) struct ApiParameters<'d> {
    pub(super) arguments: Vec<ApiArgument<'d>>,
    /// The pieces for the variables of the path.
    pub(super) path: BTreeMap<&'d str, SentPiece>,
    /// The variables whose values may have slashes.
    pub(super) rests: BTreeSet<&'d str>,
    pub(super) query: Vec<SentValue>,
    /// The query of the template, pair by pair.
    pub(super) pairs: Vec<String>,
    pub(super) headers: Vec<SentValue>,
    /// What is not as the document has it.
    pub(super) notes: Vec<String>,
}

/// A parameter of the document.
struct ApiParameter<'d> {
    name: &'d str,
    place: &'d str,
    value: &'d Value,
    /// The schema; that of its content, if it has one.
    schema: Option<&'d Value>,
    /// The media type of its content.
    content: Option<&'d str>,
}

impl<'d> ApiParameters<'d> {
    /// Reads the parameters of an operation and of its path.
    pub(super) fn of(
        operation: &ApiOperation<'d>,
        references: ApiReferences<'d>,
        rules: &ImportRules,
    ) -> Result<Self, LeftOut> {
        let mut read = Self::default();
        for parameter in &declared(operation, references)? {
            read.add(parameter, references, rules)?;
        }
        Ok(read)
    }

    fn add(
        &mut self,
        parameter: &ApiParameter<'d>,
        references: ApiReferences<'d>,
        rules: &ImportRules,
    ) -> Result<(), LeftOut> {
        let name = parameter.name;
        if parameter.place == "header" && is_ignored_header(name) {
            return Ok(());
        }
        // What the operator says comes before what the document says about its credentials.
        if let Some(fact) = rules.bindings.get(name) {
            return self.bind(parameter, *fact);
        }
        if rules.drops.contains(name) {
            self.note(parameter, "it is dropped");
            return Ok(());
        }
        if rules.carries_credential(parameter.place, name, parameter.is_required()) {
            self.note(parameter, "it carries the credential, which the host sends");
            return Ok(());
        }
        // `filter[user_id]` is the member of an object that is written as one name.
        let is_named = names_identity(name) || name.split(['[', ']']).any(names_identity);
        if is_named && !rules.allowed.contains(name) {
            match parameter.place {
                "path" => return Err(LeftOut::IdentityInPath(name.to_owned())),
                "query" => return Err(LeftOut::Identity(name.to_owned())),
                _ => {}
            }
        }
        match parameter.place {
            "path" => self.in_path(parameter),
            "query" => self.in_query(parameter, references, rules),
            "header" => self.in_header(parameter),
            _ if parameter.is_required() => Err(LeftOut::Cookie(name.to_owned())),
            _ => {
                self.note(parameter, "a tool may not set cookies");
                Ok(())
            }
        }
    }

    /// Lets the host fill a parameter in.
    fn bind(&mut self, parameter: &ApiParameter<'d>, fact: ActorFact) -> Result<(), LeftOut> {
        let value = SentPiece::Actor(fact);
        match parameter.place {
            "path" => {
                self.path.insert(parameter.name, value);
            }
            "query" => {
                if let Some(why) = unwritable(parameter.name) {
                    return Err(parameter.lacks(why));
                }
                let pair = format!("{}={}", parameter.name, fact.placeholder());
                self.pairs.push(pair);
                self.query.push(parameter.sent(value, SentStyle::Repeated));
            }
            _ => return Err(LeftOut::BoundElsewhere(parameter.name.to_owned())),
        }
        Ok(())
    }

    fn in_path(&mut self, parameter: &ApiParameter<'d>) -> Result<(), LeftOut> {
        if parameter.content.is_some() || !matches!(parameter.text("style"), None | Some("simple"))
        {
            return Err(parameter.lacks("which has another style than \"simple\""));
        }
        if parameter.value.get("x-multi-segment") == Some(&Value::Bool(true)) {
            self.rests.insert(parameter.name);
        }
        let argument = self.argument(parameter, None)?;
        self.path
            .insert(parameter.name, SentPiece::Argument(argument));
        Ok(())
    }

    fn in_query(
        &mut self,
        parameter: &ApiParameter<'d>,
        references: ApiReferences<'d>,
        rules: &ImportRules,
    ) -> Result<(), LeftOut> {
        let form = match unwritable(parameter.name) {
            Some(why) => Err(why),
            None => parameter.form(references, rules),
        };
        let form = match form {
            Ok(form) => form,
            Err(why) if parameter.is_required() => return Err(parameter.lacks(why)),
            Err(why) => {
                self.note(parameter, why);
                return Ok(());
            }
        };
        // The definition may not show a member that can be sent: a read-only one, for example. And
        // the host fills in no member.
        let names_one = |name: &&String| {
            let is_named = names_identity(name) || rules.bindings.contains_key(*name);
            is_named && !rules.allowed.contains(*name)
        };
        if let Some(name) = form.members.iter().flatten().find(names_one) {
            return Err(LeftOut::IdentityMember(name.clone()));
        }
        let argument = self.argument(parameter, form.members)?;
        if !form.left_out.is_empty() {
            let (name, members) = (parameter.name, form.left_out.join(", "));
            let why = format!("{name:?} without its {members}, which a query cannot have");
            self.notes.push(why);
        }
        self.pairs.extend(form.pairs);
        self.query
            .push(parameter.sent(SentPiece::Argument(argument), form.style));
        Ok(())
    }

    fn in_header(&mut self, parameter: &ApiParameter<'d>) -> Result<(), LeftOut> {
        if !sends_header(parameter.name) {
            if parameter.is_required() {
                return Err(LeftOut::Header(parameter.name.to_owned()));
            }
            self.note(parameter, "a tool may not set this header");
            return Ok(());
        }
        let argument = self.argument(parameter, None)?;
        self.headers
            .push(parameter.sent(SentPiece::Argument(argument), SentStyle::Repeated));
        Ok(())
    }

    /// Makes a parameter an argument; returns the argument's name.
    fn argument(
        &mut self,
        parameter: &ApiParameter<'d>,
        members: Option<Vec<String>>,
    ) -> Result<String, LeftOut> {
        let plain = plain_name(parameter.name);
        let placed = format!("{}_{plain}", parameter.place);
        let is_free = |name: &&String| {
            name.as_str() != BODY && self.arguments.iter().all(|other| other.name != **name)
        };
        let name = [plain, placed].iter().find(is_free).cloned();
        let name = name.ok_or_else(|| LeftOut::Clash(parameter.name.to_owned()))?;
        self.arguments.push(ApiArgument {
            name: name.clone(),
            schema: parameter.schema,
            description: parameter.text("description"),
            required: parameter.is_required(),
            members,
        });
        Ok(name)
    }

    fn note(&mut self, parameter: &ApiParameter<'d>, why: &str) {
        let (place, name) = (parameter.place, parameter.name);
        self.notes
            .push(format!("without the {place} parameter {name:?}: {why}"));
    }
}

/// Returns the parameters of an operation and of its path. The operation's come in place of those
/// of its path (OpenAPI 3.1 §4.8.10.1).
fn declared<'d>(
    operation: &ApiOperation<'d>,
    references: ApiReferences<'d>,
) -> Result<Vec<ApiParameter<'d>>, LeftOut> {
    let mut declared: Vec<ApiParameter<'d>> = Vec::new();
    let lists = [
        operation.item.member("parameters")?,
        operation.value.get("parameters"),
    ];
    for list in lists.into_iter().flatten() {
        let list = list.as_array();
        for value in list.into_iter().flatten() {
            let parameter = ApiParameter::of(references.followed(value)?, references)?;
            let same = |other: &&mut ApiParameter<'d>| {
                let names = (other.name, parameter.name);
                other.place == parameter.place
                    && match parameter.place {
                        "header" => names.0.eq_ignore_ascii_case(names.1),
                        _ => names.0 == names.1,
                    }
            };
            let is_full = declared.len() == MAX_PARAMETERS;
            match declared.iter_mut().find(same) {
                Some(other) => *other = parameter,
                None if is_full => return Err(LeftOut::Parameters),
                None => declared.push(parameter),
            }
        }
    }
    Ok(declared)
}

impl<'d> ApiParameter<'d> {
    fn of(value: &'d Value, references: ApiReferences<'d>) -> Result<Self, LeftOut> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let malformed = LeftOut::Malformed("parameter");
        let (Some(name), Some(place)) = (text("name"), text("in")) else {
            return Err(malformed);
        };
        if !["path", "query", "header", "cookie"].contains(&place) || name.len() > MAX_NAME {
            return Err(malformed);
        }
        let content = value.get("content").and_then(Value::as_object);
        let content = content.and_then(|content| content.iter().next());
        let part = content.map(|(_, part)| references.followed(part));
        let part = part.transpose()?;
        Ok(Self {
            name,
            place,
            value,
            schema: part.unwrap_or(value).get("schema"),
            content: content.map(|(media, _)| media.as_str()),
        })
    }

    fn text(&self, name: &str) -> Option<&'d str> {
        self.value.get(name).and_then(Value::as_str)
    }

    /// Returns true if every request has it. A path has all its parts.
    fn is_required(&self) -> bool {
        self.place == "path" || self.value.get("required") == Some(&Value::Bool(true))
    }

    fn lacks(&self, why: &'static str) -> LeftOut {
        LeftOut::Parameter {
            name: self.name.to_owned(),
            why,
        }
    }

    fn sent(&self, value: SentPiece, style: SentStyle) -> SentValue {
        let name = match self.place {
            "header" => self.name.to_ascii_lowercase(),
            _ => self.name.to_owned(),
        };
        SentValue { name, value, style }
    }

    /// Returns the form of a query parameter.
    fn form(
        &self,
        references: ApiReferences<'d>,
        rules: &ImportRules,
    ) -> Result<QueryForm, &'static str> {
        if let Some(media) = self.content {
            let form = is_json(media).then(|| QueryForm::one(self.name, SentStyle::Json, FREE));
            return form.ok_or("its content is not JSON");
        }
        let style = self.text("style").unwrap_or("form");
        let explodes = match self.value.get("explode") {
            Some(Value::Bool(explodes)) => *explodes,
            _ => style == "form",
        };
        let described = QueryStyle {
            name: self.name,
            style,
            explodes,
            schema: self.schema,
        };
        QueryForm::of(&described, references, rules)
    }
}

/// Returns why a query cannot have the key; `None` if it can.
fn unwritable(key: &str) -> Option<&'static str> {
    (!takes_key(key)).then_some("a template cannot have its name as a key of the query")
}

/// The most parameters of an operation, and the most bytes of a parameter's name.
const MAX_PARAMETERS: usize = 256;
const MAX_NAME: usize = 256;
/// The argument that is the body.
pub(super) const BODY: &str = "body";
