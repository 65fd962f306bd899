//! One operation: how arguments become a request.

use std::collections::BTreeMap;

use bailiwick_sdk::bindings::downstream::{self, Part};
use bailiwick_sdk::{Error, form_text};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::form::{ListStyle, fields};
use crate::value::{Kind, Members, kind, members, text, texts, unfit};

/// An operation of the API, as the importer writes it.
#[derive(Clone, Debug, Deserialize)]
pub struct Operation {
    service: String,
    method: String,
    path: Vec<Segment>,
    #[serde(default)]
    query: Vec<Parameter>,
    #[serde(default)]
    headers: Vec<Parameter>,
    body: Option<Body>,
    /// Whether the answer is structured content too.
    #[serde(default)]
    pub structured: bool,
}

/// A segment of the path.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// One segment of these pieces; a slash at the end of the path, if there are none.
    One(Vec<Piece>),
    /// As many segments as the argument has between slashes.
    Rest(String),
}

/// A piece of a segment or of a value.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// A text of the document.
    Text(String),
    /// An argument, by its name.
    Argument(String),
    /// A fact about the actor, which the host fills in.
    Actor(FilledIn),
}

/// A fact about the actor.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilledIn {
    /// The subject.
    Sub,
    /// The tenant.
    Tenant,
    /// The issuer.
    Iss,
}

/// A query parameter or a header.
#[derive(Clone, Debug, Deserialize)]
pub struct Parameter {
    name: String,
    value: Piece,
    #[serde(default)]
    style: Style,
}

/// The form of an argument in the query.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// A value, or the key again for each item of a list.
    #[default]
    Repeated,
    /// A value, or the items of a list, or the names and values of an object's members, with this
    /// between them.
    Joined(String),
    /// The members of an object with their names in brackets, `key[member]`; the items of a list as
    /// `key[]`.
    Deep,
    /// The members of an object by their names alone.
    Spread,
    /// The argument as JSON.
    Json,
}

/// The body, which is the argument `body`.
#[derive(Clone, Debug, Deserialize)]
pub struct Body {
    /// The media type.
    media: String,
    encoding: Encoding,
}

/// The form of a body.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// JSON.
    Json,
    /// A form, with the lists in it that are not repeated.
    Form(BTreeMap<String, ListStyle>),
}

impl Operation {
    /// Returns the request for arguments that their schema accepts.
    ///
    /// # Errors
    /// An argument has a shape that its place in the request cannot have.
    pub fn request(&self, input: &str) -> Result<downstream::Request, Error> {
        let mut arguments: Members = serde_json::from_str(input)?;
        arguments.retain(|name, value| name == BODY || kind(value) != Kind::Null);
        let mut path = Vec::with_capacity(self.path.len());
        for segment in &self.path {
            segment.push(&arguments, &mut path)?;
        }
        let mut query = Vec::new();
        for parameter in &self.query {
            parameter.push(&arguments, &mut query)?;
        }
        let mut headers = Vec::new();
        for header in &self.headers {
            if let Some(Part::Text(text)) = header.value.part(&arguments)? {
                headers.push((header.name.clone(), text));
            }
        }
        let body = match (&self.body, arguments.remove(BODY)) {
            (Some(body), Some(value)) => {
                headers.push(("content-type".to_owned(), body.media.clone()));
                match &body.encoding {
                    Encoding::Json => value.get().as_bytes().to_vec(),
                    Encoding::Form(styles) => form_text(fields(&value, styles)?).into_bytes(),
                }
            }
            _ => Vec::new(),
        };
        Ok(downstream::Request {
            service: self.service.clone(),
            method: self.method.clone(),
            path,
            query,
            headers,
            body,
        })
    }
}

impl Segment {
    fn push(&self, arguments: &Members, path: &mut Vec<Part>) -> Result<(), Error> {
        match self {
            Self::One(pieces) => {
                if let [piece] = pieces.as_slice() {
                    path.push(piece.needed(arguments)?);
                    return Ok(());
                }
                let parts = pieces.iter().map(|piece| piece.needed(arguments));
                let joined = parts.map(|part| part.map(joinable));
                path.push(Part::Joined(joined.collect::<Result<_, _>>()?));
            }
            Self::Rest(name) => {
                let value = arguments.get(name).ok_or_else(|| missing(name))?;
                let text = text(name, value)?;
                path.extend(text.split('/').map(Part::from));
            }
        }
        Ok(())
    }
}

impl Piece {
    /// Returns the part for a place that cannot be left out.
    fn needed(&self, arguments: &Members) -> Result<Part, Error> {
        let part = self.part(arguments)?;
        part.ok_or_else(|| match self {
            Self::Argument(name) => missing(name),
            _ => missing("a part of the path"),
        })
    }

    /// Returns the part; `None` for an argument that is not given.
    fn part(&self, arguments: &Members) -> Result<Option<Part>, Error> {
        Ok(match self {
            Self::Text(text) => Some(Part::Text(text.clone())),
            Self::Actor(FilledIn::Sub) => Some(Part::ActorSub),
            Self::Actor(FilledIn::Tenant) => Some(Part::ActorTenant),
            Self::Actor(FilledIn::Iss) => Some(Part::ActorIssuer),
            Self::Argument(name) => match arguments.get(name) {
                Some(value) => Some(Part::Text(texts(name, value)?.join(","))),
                None => None,
            },
        })
    }
}

impl Parameter {
    fn push(&self, arguments: &Members, query: &mut Vec<(String, Part)>) -> Result<(), Error> {
        let Piece::Argument(name) = &self.value else {
            let part = self.value.part(arguments)?;
            query.extend(part.map(|part| (self.name.clone(), part)));
            return Ok(());
        };
        let Some(value) = arguments.get(name) else {
            return Ok(());
        };
        let key = self.name.clone();
        match (&self.style, kind(value)) {
            (Style::Json, _) => query.push((key, value.get().to_owned().into())),
            (Style::Joined(between), value_kind) => {
                let texts = match value_kind {
                    Kind::Object => named_texts(name, value, between)?,
                    _ => texts(name, value)?,
                };
                if !texts.is_empty() {
                    query.push((key, texts.join(between).into()));
                }
            }
            (Style::Deep | Style::Spread, Kind::Object) => {
                for (member, value) in members(value)? {
                    if kind(&value) != Kind::Null {
                        repeat(&self.style.key(&key, member), &value, query)?;
                    }
                }
            }
            (Style::Deep, Kind::List) => repeat(&format!("{key}[]"), value, query)?,
            _ => repeat(&key, value, query)?,
        }
        Ok(())
    }
}

impl Style {
    /// Returns the key of a member.
    fn key(&self, key: &str, member: String) -> String {
        match self {
            Self::Deep => format!("{key}[{member}]"),
            _ => member,
        }
    }
}

/// Returns the names and values of an object's members in turn: `R,100,G,200`. A text with what
/// stands between them would be another member.
fn named_texts(name: &str, value: &RawValue, between: &str) -> Result<Vec<String>, Error> {
    let mut named = Vec::new();
    for (member, value) in members(value)? {
        if kind(&value) != Kind::Null {
            let text = text(&member, &value)?;
            named.extend([member, text]);
        }
    }
    if named.iter().any(|text| text.contains(between)) {
        return Err(unfit(
            name,
            &format!("names and values without {between:?}"),
        ));
    }
    Ok(named)
}

/// Adds the key with a value, or with each item of a list.
fn repeat(key: &str, value: &RawValue, query: &mut Vec<(String, Part)>) -> Result<(), Error> {
    let texts = texts(key, value)?;
    query.extend(texts.into_iter().map(|text| (key.to_owned(), text.into())));
    Ok(())
}

/// Returns a part as a piece of a segment.
fn joinable(part: Part) -> downstream::Piece {
    match part {
        Part::Text(text) => downstream::Piece::Text(text),
        Part::ActorSub => downstream::Piece::ActorSub,
        Part::ActorTenant => downstream::Piece::ActorTenant,
        Part::ActorIssuer => downstream::Piece::ActorIssuer,
        // A piece is never made of pieces; the host refuses an empty segment.
        Part::Joined(_) => downstream::Piece::Text(String::new()),
    }
}

fn missing(name: &str) -> Error {
    unfit(name, "a value, because it is part of the path")
}

/// The argument that is the body.
const BODY: &str = "body";

#[cfg(test)]
mod tests;
