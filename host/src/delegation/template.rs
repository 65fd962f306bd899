//! The requests that a tool may make to a service: `METHOD /path/{}?key={}`, or `tools/call NAME`
//! at a remote MCP server.
//!
//! `{}` is one free value; the host fills in `{actor.sub}`, `{actor.tenant}` and `{actor.iss}`;
//! `{**}` is several segments, `{*}` several values of one key. A segment may mix text and
//! placeholders: `/v1/{}:cancel`. Query keys that the template does not name are refused.
//!
//! Invariant: a request is compared piece by piece, never as text, so a free value cannot take the
//! place of a literal or of the actor, whatever it contains.

mod query;
mod slot;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use bailiwick_envelope::Actor;

use super::request::{check_segment, encode_piece, encode_query, method};
use crate::downstream::{DownstreamError, Part, Piece, Request};
use crate::remote::{TOOLS_CALL, is_tool_name};
use query::QuerySlots;
use slot::{Hole, Slot, slot};

/// One line of a service's `allow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    method: String,
    path: Vec<Slot>,
    /// Whether a slash stands behind the last segment.
    slash: bool,
    query: QuerySlots,
}

/// The faults of a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It does not have the form of a template.
    #[error(
        "expected `METHOD /path`, with a method of GET, HEAD, POST, PUT, PATCH or DELETE, or \
         `tools/call NAME`"
    )]
    Form,
    /// It names a remote tool in a way that no request could.
    #[error("expected `tools/call NAME`, with a name of 1 to 128 letters, digits, _, -, . and /")]
    Tool,
    /// A segment mixes in something other than plain text and placeholders.
    #[error(
        "{0:?}: expected plain text, {{}}, {{actor.sub}}, {{actor.tenant}}, or text mixed with \
         them, and text between any two placeholders; {{**}} for several segments begins its own"
    )]
    Segment(String),
    /// `{actor.iss}` stands in the path.
    #[error("{{actor.iss}} is a URL, so it fits into a query value and not into a path segment")]
    Issuer,
    /// `{**}` is there more than once.
    #[error("{{**}} stands for any number of segments, so a path has it once")]
    Rest,
    /// A query part has no value, occurs twice, or could be read as another one.
    #[error(
        "the query parameter {0:?}: expected key=value or key={{*}}, each key once, and none that \
         differs from a fixed one only by its case or by brackets behind it"
    )]
    Query(String),
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let (name, target) = text.split_once(' ').ok_or(TemplateError::Form)?;
        if name == TOOLS_CALL {
            return Self::of_tool(text, target);
        }
        method(name).map_err(|_| TemplateError::Form)?;
        let (path, query) = target
            .split_once('?')
            .map_or((target, None), |(path, query)| (path, Some(query)));
        let segments = path.strip_prefix('/').ok_or(TemplateError::Form)?;
        let (segments, slash) = match segments.strip_suffix('/') {
            Some(segments) => (segments, true),
            None => (segments, false),
        };
        let path: Vec<Slot> = match segments {
            "" if !slash => Vec::new(),
            segments => segments
                .split('/')
                .map(|text| slot(text).ok_or_else(|| TemplateError::Segment(text.to_owned())))
                .collect::<Result<_, _>>()?,
        };
        if path.iter().filter(|slot| slot.is_rest()).count() > 1 {
            return Err(TemplateError::Rest);
        }
        if path.iter().any(|slot| slot.has(&Hole::ActorIssuer)) {
            return Err(TemplateError::Issuer);
        }
        let query = query.map(QuerySlots::read).transpose();
        let query = query.map_err(TemplateError::Query)?.unwrap_or_default();
        Ok(Self {
            text: text.to_owned(),
            method: name.to_owned(),
            path,
            slash,
            query,
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Template {
    fn of_tool(text: &str, name: &str) -> Result<Self, TemplateError> {
        if !is_tool_name(name) {
            return Err(TemplateError::Tool);
        }
        Ok(Self {
            text: text.to_owned(),
            method: TOOLS_CALL.to_owned(),
            path: vec![Slot::literal(name)],
            slash: false,
            query: QuerySlots::default(),
        })
    }

    /// Returns the name of the remote tool, if it is about one.
    pub fn tool(&self) -> Option<&str> {
        (self.method == TOOLS_CALL).then(|| self.path())
    }

    /// Returns the template without its method, for the journal.
    pub(super) fn path(&self) -> &str {
        self.text.split_once(' ').map_or("", |(_, path)| path)
    }

    /// Returns true if the actor's subject is bound before the first free piece. If a service
    /// cannot tell users apart, only such a template keeps a tool from choosing whose data it gets.
    ///
    /// In a method that may have a body, only the path binds: many services read a parameter from
    /// the body rather than from the query.
    pub fn binds_actor_first(&self) -> bool {
        let bodyless = matches!(self.method.as_str(), "GET" | "HEAD");
        let query = self.query.slots().filter(|_| bodyless);
        for slot in self.path.iter().chain(query) {
            if slot.is_rest() || slot.has(&Hole::Free) {
                return false;
            }
            if slot.binds_actor() {
                return true;
            }
        }
        false
    }

    /// Returns true if a tool may send a query parameter of this name. Case and brackets do not
    /// count, as they do not for some services.
    pub fn has_parameter(&self, name: &str) -> bool {
        self.query.has_parameter(name)
    }

    /// Returns true if the host fills in anything about the actor.
    pub fn names_actor(&self) -> bool {
        self.path.iter().chain(self.query.slots()).any(|slot| {
            [Hole::ActorSub, Hole::ActorTenant, Hole::ActorIssuer]
                .iter()
                .any(|hole| slot.has(hole))
        })
    }

    /// Returns a request that it covers, with `x` wherever a tool chooses the text.
    pub(super) fn example(&self) -> Request {
        let end = self.slash.then(|| Part(Vec::new()));
        Request {
            service: String::new(),
            method: self.method.clone(),
            path: self.path.iter().map(Slot::example).chain(end).collect(),
            query: self.query.example(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Returns the path and query of `request`, encoded, or the name of the remote tool, if this
    /// template covers it; `None` if not.
    ///
    /// # Errors
    /// Fails if the template covers the shape of the request, but one of its values is
    /// unacceptable.
    pub(super) fn fill(
        &self,
        request: &Request,
        actor: &Actor,
    ) -> Result<Option<String>, DownstreamError> {
        if !self.covers(request) {
            return Ok(None);
        }
        if let Some(name) = self.tool() {
            return Ok(Some(name.to_owned()));
        }
        let mut target = String::new();
        let (path, slash) = path_of(request);
        let slots = self.slots(path.len()).unwrap_or_default();
        for (part, slot) in path.iter().zip(slots) {
            target.push('/');
            push_segment(&mut target, part, slot, actor)?;
        }
        if slash || target.is_empty() {
            target.push('/');
        }
        for (index, (key, part)) in request.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(&encode_query(key)?);
            target.push('=');
            target.push_str(&encode_query(&joined(part, actor)?)?);
        }
        if target.len() > MAX_TARGET {
            return Err(DownstreamError::InvalidRequest(format!(
                "the path is longer than {MAX_TARGET} bytes"
            )));
        }
        Ok(Some(target))
    }

    /// Returns true if it covers the shape of the request.
    pub(super) fn covers(&self, request: &Request) -> bool {
        let (path, slash) = path_of(request);
        slash == self.slash
            && self.has_path(request, path, Slot::admits)
            && self.query.covers(&request.query)
    }

    /// Returns true if a service may take a request, which `closest` covers and this template does
    /// not, for one of this template, which says something else. For example, `/files/{**}` covers
    /// `secret` in two pieces, and `/files/secret` does not. A slash at the end makes no difference
    /// to many services.
    pub(super) fn may_be_meant(&self, request: &Request, closest: &Self) -> bool {
        // The name of a remote tool goes out as it stands here, so it has one meaning.
        let (path, _) = path_of(request);
        let reads =
            || self.has_path(request, path, Slot::reads) && self.query.reads(&request.query);
        if self.tool().is_some() || self.covers(request) || !reads() {
            return false;
        }
        let own = self.slots(path.len()).unwrap_or_default();
        let others = closest.slots(path.len()).unwrap_or_default();
        let mut pairs = own.into_iter().zip(others);
        pairs.any(|(slot, other)| !slot.is_as_wide_as(other))
            || self.query.fixes_more_than(&closest.query)
    }

    /// Returns true if it has the method and these segments of a request.
    fn has_path(&self, request: &Request, path: &[Part], fits: fn(&Slot, &Part) -> bool) -> bool {
        let fit = |slots: Vec<&Slot>| {
            let mut pairs = slots.into_iter().zip(path);
            pairs.all(|(slot, part)| fits(slot, part))
        };
        request.method == self.method && self.slots(path.len()).is_some_and(fit)
    }

    /// Returns how closely it describes a request that it covers; the greatest is the closest. The
    /// first piece decides about which two templates say something different: a text or the actor
    /// says more than `{}`, and that more than `{**}`. Then the query decides.
    pub(super) fn closeness(&self, request: &Request) -> impl Ord + use<> {
        let (path, _) = path_of(request);
        let slots = self.slots(path.len()).unwrap_or_default();
        let path: Vec<u8> = slots.into_iter().flat_map(Slot::closeness).collect();
        (path, self.query.closeness())
    }

    /// Returns the slot of each of `count` segments, or `None` if the path does not have so many.
    fn slots(&self, count: usize) -> Option<Vec<&Slot>> {
        let Some(at) = self.path.iter().position(Slot::is_rest) else {
            return (self.path.len() == count).then(|| self.path.iter().collect());
        };
        let more = count.checked_sub(self.path.len())?;
        let (before, from) = self.path.split_at(at);
        let more = std::iter::repeat_n(Slot::MORE, more);
        Some(before.iter().chain(more).chain(from).collect())
    }
}

/// Returns the segments of a request's path, and whether a slash stands behind them. It is a last
/// part without any piece, which no text is.
fn path_of(request: &Request) -> (&[Part], bool) {
    match request.path.split_last() {
        Some((Part(pieces), before)) if pieces.is_empty() => (before, true),
        _ => (&request.path, false),
    }
}

/// Appends one segment to `target`, with each piece encoded by itself. Fails if the whole is not
/// one segment.
fn push_segment(
    target: &mut String,
    part: &Part,
    slot: &Slot,
    actor: &Actor,
) -> Result<(), DownstreamError> {
    let Part(pieces) = part;
    let values: Vec<&str> = pieces
        .iter()
        .map(|piece| value(piece, actor))
        .collect::<Result<_, _>>()?;
    check_segment(&values.concat())?;
    if slot.has_hollow(&values) {
        return Err(DownstreamError::InvalidRequest(
            "a placeholder in the path is empty, `.` or `..`".into(),
        ));
    }
    let count = values.len();
    for (index, value) in values.into_iter().enumerate() {
        if slot.is_literal_at(index, count) {
            target.push_str(value);
        } else {
            target.extend(encode_piece(value));
        }
    }
    Ok(())
}

/// Returns the text of a whole query value, not yet encoded.
fn joined(Part(pieces): &Part, actor: &Actor) -> Result<String, DownstreamError> {
    pieces.iter().map(|piece| value(piece, actor)).collect()
}

fn value<'v>(piece: &'v Piece, actor: &'v Actor) -> Result<&'v str, DownstreamError> {
    match piece {
        Piece::Text(text) => Ok(text),
        Piece::ActorSub => Ok(&actor.sub),
        Piece::ActorIssuer => Ok(&actor.iss),
        Piece::ActorTenant => actor.tenant.as_deref().ok_or_else(|| {
            DownstreamError::NotGranted("the actor of this call has no tenant".into())
        }),
    }
}

const MAX_TARGET: usize = 8 * 1024;
