//! What a tool may ask of a service: `METHOD /path/{}?key={}`.
//!
//! `{}` is one free value, `{actor.sub}` and `{actor.tenant}` are filled in by the host, `{**}` is
//! the rest of the path. Query keys that the template does not name are refused.

use std::fmt;
use std::str::FromStr;

use bailiwick_envelope::Actor;

use super::request::{encode_query, encode_segment, method};
use crate::downstream::{DownstreamError, Part, Request};

/// One line of a service's `allow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    method: String,
    path: Vec<Slot>,
    query: Vec<(String, Slot)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Slot {
    Literal(String),
    Free,
    ActorSub,
    ActorTenant,
    Rest,
}

/// Why a template makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not of the form.
    #[error(
        "it is not of the form `METHOD /path`, with a method of GET, HEAD, POST, PUT, PATCH, DELETE"
    )]
    Form,
    /// A segment that is not a whole placeholder or a plain text.
    #[error(
        "{0:?} is neither plain text nor exactly one of {{}}, {{actor.sub}}, {{actor.tenant}}, {{**}}"
    )]
    Segment(String),
    /// `{**}` not at the end of the path.
    #[error("{{**}} stands for the rest of the path, so it must be its last segment")]
    Rest,
    /// A query part without a value or twice.
    #[error("the query parameter {0:?} is not of the form key=value, or is named twice")]
    Query(String),
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let (name, target) = text.split_once(' ').ok_or(TemplateError::Form)?;
        method(name).map_err(|_| TemplateError::Form)?;
        let (path, query) = target
            .split_once('?')
            .map_or((target, None), |(path, query)| (path, Some(query)));
        let segments = path.strip_prefix('/').ok_or(TemplateError::Form)?;
        let path: Vec<Slot> = match segments {
            "" => Vec::new(),
            segments => segments.split('/').map(slot).collect::<Result<_, _>>()?,
        };
        let before_last = path.len().saturating_sub(1);
        if path
            .iter()
            .take(before_last)
            .any(|slot| *slot == Slot::Rest)
        {
            return Err(TemplateError::Rest);
        }
        let query = query.map(parse_query).transpose()?.unwrap_or_default();
        Ok(Self {
            text: text.to_owned(),
            method: name.to_owned(),
            path,
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
    /// The template without its method, for the journal.
    pub(super) fn path(&self) -> &str {
        self.text.split_once(' ').map_or("", |(_, path)| path)
    }

    /// Whether the actor's subject is bound before the first free part. Where a service cannot
    /// tell users apart, only such a template keeps a tool from choosing whose data it gets.
    ///
    /// In a method that may have a body, only the path binds: many services read a parameter from
    /// the body rather than from the query.
    pub fn binds_actor_first(&self) -> bool {
        let bodyless = matches!(self.method.as_str(), "GET" | "HEAD");
        let query = self.query.iter().map(|(_, slot)| slot).filter(|_| bodyless);
        for slot in self.path.iter().chain(query) {
            match slot {
                Slot::ActorSub => return true,
                Slot::Free | Slot::Rest => return false,
                Slot::Literal(_) | Slot::ActorTenant => {}
            }
        }
        false
    }

    /// Whether the host fills in anything about the actor.
    pub fn names_actor(&self) -> bool {
        let slots = self
            .path
            .iter()
            .chain(self.query.iter().map(|(_, slot)| slot));
        slots
            .into_iter()
            .any(|slot| matches!(slot, Slot::ActorSub | Slot::ActorTenant))
    }

    /// The path and query of `request`, encoded, if this template covers it; `None` if not.
    ///
    /// # Errors
    /// The template covers the shape of the request, but a value of it is unacceptable.
    pub(super) fn fill(
        &self,
        request: &Request,
        actor: &Actor,
    ) -> Result<Option<String>, DownstreamError> {
        if request.method != self.method || !self.covers(request) {
            return Ok(None);
        }
        let mut target = String::new();
        for (index, part) in request.path.iter().enumerate() {
            target.push('/');
            match self.path.get(index) {
                // As the operator wrote it.
                Some(Slot::Literal(literal)) => target.push_str(literal),
                _ => target.push_str(&encode_segment(&value(part, actor)?)?),
            }
        }
        if target.is_empty() {
            target.push('/');
        }
        for (index, (key, part)) in request.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(&encode_query(key)?);
            target.push('=');
            target.push_str(&encode_query(&value(part, actor)?)?);
        }
        if target.len() > MAX_TARGET {
            return Err(DownstreamError::InvalidRequest(format!(
                "the path is longer than {MAX_TARGET} bytes"
            )));
        }
        Ok(Some(target))
    }

    fn covers(&self, request: &Request) -> bool {
        let rest = self.path.last() == Some(&Slot::Rest);
        let fixed = if rest {
            self.path.len().saturating_sub(1)
        } else {
            self.path.len()
        };
        let long_enough = if rest {
            request.path.len() > fixed
        } else {
            request.path.len() == fixed
        };
        long_enough
            && self
                .path
                .iter()
                .take(fixed)
                .zip(&request.path)
                .all(|(slot, part)| slot.admits(part))
            && self.covers_query(&request.query)
    }

    /// Free parameters may be left out; literal and host-filled ones must be there, once.
    fn covers_query(&self, given: &[(String, Part)]) -> bool {
        let named = |key: &String| self.query.iter().find(|(name, _)| name == key);
        let all_named = given
            .iter()
            .all(|(key, part)| named(key).is_some_and(|(_, slot)| slot.admits(part)));
        let count = |key: &String| given.iter().filter(|(name, _)| name == key).count();
        let all_given = self.query.iter().all(|(key, slot)| match slot {
            Slot::Free => count(key) <= 1,
            _ => count(key) == 1,
        });
        all_named && all_given
    }
}

impl Slot {
    fn admits(&self, part: &Part) -> bool {
        match (self, part) {
            (Self::Literal(literal), Part::Text(text)) => literal == text,
            (Self::Free, Part::Text(_))
            | (Self::ActorSub, Part::ActorSub)
            | (Self::ActorTenant, Part::ActorTenant) => true,
            _ => false,
        }
    }
}

fn value(part: &Part, actor: &Actor) -> Result<String, DownstreamError> {
    match part {
        Part::Text(text) => Ok(text.clone()),
        Part::ActorSub => Ok(actor.sub.clone()),
        Part::ActorTenant => actor.tenant.clone().ok_or_else(|| {
            DownstreamError::NotGranted("the actor of this call has no tenant".into())
        }),
    }
}

fn slot(segment: &str) -> Result<Slot, TemplateError> {
    match segment {
        "{}" => Ok(Slot::Free),
        "{actor.sub}" => Ok(Slot::ActorSub),
        "{actor.tenant}" => Ok(Slot::ActorTenant),
        "{**}" => Ok(Slot::Rest),
        text if is_plain(text) => Ok(Slot::Literal(text.to_owned())),
        text => Err(TemplateError::Segment(text.to_owned())),
    }
}

fn is_plain(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:@!$'()*+,;".contains(&byte))
}

fn parse_query(query: &str) -> Result<Vec<(String, Slot)>, TemplateError> {
    let mut slots: Vec<(String, Slot)> = Vec::new();
    for pair in query.split('&') {
        let refused = || TemplateError::Query(pair.to_owned());
        let (key, value) = pair.split_once('=').ok_or_else(refused)?;
        let value = slot(value)
            .ok()
            .filter(|slot| *slot != Slot::Rest)
            .ok_or_else(refused)?;
        if !is_plain(key) || slots.iter().any(|(name, _)| name == key) {
            return Err(refused());
        }
        slots.push((key.to_owned(), value));
    }
    Ok(slots)
}

const MAX_TARGET: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use bailiwick_envelope::ActorKind;

    use super::*;

    fn actor(sub: &str, tenant: Option<&str>) -> Actor {
        Actor {
            kind: ActorKind::User,
            sub: sub.into(),
            iss: "https://idp.example".into(),
            tenant: tenant.map(String::from),
            acr: None,
            auth_time: None,
        }
    }

    fn request(method: &str, path: &[&str], query: &[(&str, &str)]) -> Request {
        let part = |text: &&str| match *text {
            "@sub" => Part::ActorSub,
            "@tenant" => Part::ActorTenant,
            text => Part::Text(text.into()),
        };
        Request {
            service: "s".into(),
            method: method.into(),
            path: path.iter().map(part).collect(),
            query: query
                .iter()
                .map(|(key, value)| ((*key).into(), part(value)))
                .collect(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    fn fill(
        template: &str,
        request: &Request,
        actor: &Actor,
    ) -> Result<Option<String>, DownstreamError> {
        template
            .parse::<Template>()
            .map_err(|error| DownstreamError::InvalidRequest(error.to_string()))?
            .fill(request, actor)
    }

    #[test]
    fn a_request_is_covered_by_its_template_alone() {
        type Case<'c> = (
            &'c str,
            &'c str,
            &'c [&'c str],
            &'c [(&'c str, &'c str)],
            Option<&'c str>,
        );
        let alice = actor("alice@x", Some("acme"));
        let cases: &[Case<'_>] = &[
            (
                "GET /orders/{}",
                "GET",
                &["orders", "7"],
                &[],
                Some("/orders/7"),
            ),
            ("GET /orders/{}", "POST", &["orders", "7"], &[], None),
            ("GET /orders/{}", "GET", &["orders"], &[], None),
            ("GET /orders/{}", "GET", &["orders", "7", "8"], &[], None),
            ("GET /orders/{}", "GET", &["Orders", "7"], &[], None),
            (
                "GET /orders/{}",
                "GET",
                &["orders", "7"],
                &[("expand", "all")],
                None,
            ),
            ("GET /orders/{}", "GET", &["orders", "@sub"], &[], None),
            (
                "GET /c/{actor.sub}/orders?status={}",
                "GET",
                &["c", "@sub", "orders"],
                &[],
                Some("/c/alice%40x/orders"),
            ),
            (
                "GET /c/{actor.sub}/orders?status={}",
                "GET",
                &["c", "@sub", "orders"],
                &[("status", "a b")],
                Some("/c/alice%40x/orders?status=a%20b"),
            ),
            (
                "GET /c/{actor.sub}/orders?status={}",
                "GET",
                &["c", "@sub", "orders"],
                &[("status", "a"), ("status", "b")],
                None,
            ),
            (
                "GET /c/{actor.sub}/orders",
                "GET",
                &["c", "alice@x", "orders"],
                &[],
                None,
            ),
            (
                "GET /c/{actor.sub}/orders",
                "GET",
                &["c", "bob", "orders"],
                &[],
                None,
            ),
            (
                "GET /t/{actor.tenant}?u={actor.sub}",
                "GET",
                &["t", "@tenant"],
                &[("u", "@sub")],
                Some("/t/acme?u=alice%40x"),
            ),
            (
                "GET /t/{actor.tenant}?u={actor.sub}",
                "GET",
                &["t", "@tenant"],
                &[],
                None,
            ),
            (
                "GET /files/{**}",
                "GET",
                &["files", "a", "b"],
                &[],
                Some("/files/a/b"),
            ),
            ("GET /files/{**}", "GET", &["files"], &[], None),
            ("GET /", "GET", &[], &[], Some("/")),
            (
                "GET /x?kind=a",
                "GET",
                &["x"],
                &[("kind", "a")],
                Some("/x?kind=a"),
            ),
            ("GET /x?kind=a", "GET", &["x"], &[("kind", "b")], None),
            ("GET /x?kind=a", "GET", &["x"], &[], None),
            (
                "POST /v1:batch",
                "POST",
                &["v1:batch"],
                &[],
                Some("/v1:batch"),
            ),
        ];
        for (template, method, path, query, expected) in cases {
            let filled = fill(template, &request(method, path, query), &alice);
            assert_eq!(
                filled.as_ref().map(Option::as_deref),
                Ok(*expected),
                "{template} for {method} {path:?} {query:?}"
            );
        }
    }

    #[test]
    fn what_the_host_fills_in_passes_the_same_refusals() {
        for sub in ["..", "a/b", "a\\b", "."] {
            let refused = fill(
                "GET /c/{actor.sub}",
                &request("GET", &["c", "@sub"], &[]),
                &actor(sub, None),
            );
            assert!(
                matches!(refused, Err(DownstreamError::InvalidRequest(_))),
                "{sub}"
            );
        }
        let refused = fill(
            "GET /t/{actor.tenant}",
            &request("GET", &["t", "@tenant"], &[]),
            &actor("a", None),
        );
        assert!(matches!(refused, Err(DownstreamError::NotGranted(_))));
    }

    #[test]
    fn the_actor_must_be_bound_before_anything_is_free() {
        for (template, bound) in [
            ("GET /c/{actor.sub}/orders/{}", true),
            ("POST /c/{actor.sub}", true),
            ("GET /c?user={actor.sub}&q={}", true),
            ("HEAD /c?user={actor.sub}", true),
            ("POST /c?user={actor.sub}", false),
            ("PUT /c?user={actor.sub}", false),
            ("PATCH /c?user={actor.sub}", false),
            ("DELETE /c?user={actor.sub}", false),
            ("POST /c/{actor.sub}?user={actor.sub}", true),
            ("GET /c?q={}&user={actor.sub}", false),
            ("GET /c/{}/x/{actor.sub}", false),
            ("GET /t/{actor.tenant}/{}", false),
            ("GET /reports", false),
            ("GET /{**}", false),
        ] {
            assert_eq!(
                template.parse::<Template>().map(|t| t.binds_actor_first()),
                Ok(bound),
                "{template}"
            );
        }
    }

    #[test]
    fn a_template_that_makes_no_sense_is_refused() {
        for text in [
            "",
            "GET",
            "get /a",
            "TRACE /a",
            "GET a",
            "GET /a//b",
            "GET /a/../b",
            "GET /a{}",
            "GET /{user}",
            "GET /{**}/a",
            "GET /a?b",
            "GET /a?b={}&b={}",
            "GET /a?b={**}",
            "GET /a b",
            "GET /%2e",
        ] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }
}
