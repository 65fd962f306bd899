//! What a tool may ask of a service: `METHOD /path/{}?key={}`.
//!
//! `{}` is one free value, `{actor.sub}`, `{actor.tenant}` and `{actor.iss}` are filled in by the
//! host, `{**}` is the rest of the path. A segment may mix text and placeholders: `/v1/{}:cancel`.
//! Query keys that the template does not name are refused.
//!
//! Invariant: a request is compared piece by piece, never as text, so a free value cannot take the
//! place of a literal or of the actor, whatever it contains.

use std::fmt;
use std::str::FromStr;

use bailiwick_envelope::Actor;

use super::request::{check_segment, encode_piece, encode_query, method};
use crate::downstream::{DownstreamError, Part, Piece, Request};

/// One line of a service's `allow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    method: String,
    path: Vec<Slot>,
    query: Vec<(String, Slot)>,
}

/// What a template says of one segment or query value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Slot {
    /// Exactly these, one for each piece of the request's part.
    Pieces(Vec<Hole>),
    /// One segment or more, of any pieces.
    Rest,
}

/// What a template says of one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Hole {
    Literal(String),
    Free,
    ActorSub,
    ActorTenant,
    ActorIssuer,
}

/// Why a template makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not of the form.
    #[error("expected `METHOD /path`, with a method of GET, HEAD, POST, PUT, PATCH or DELETE")]
    Form,
    /// A segment of something else than plain text and placeholders.
    #[error(
        "{0:?}: expected plain text, {{}}, {{actor.sub}}, {{actor.tenant}}, or text mixed with \
         them, and text between any two placeholders; {{**}} stands alone"
    )]
    Segment(String),
    /// `{actor.iss}` in the path.
    #[error("{{actor.iss}} is a URL, so it fits into a query value and not into a path segment")]
    Issuer,
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
        if path.iter().any(|slot| slot.has(&Hole::ActorIssuer)) {
            return Err(TemplateError::Issuer);
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

    /// Whether the actor's subject is bound before the first free piece. Where a service cannot
    /// tell users apart, only such a template keeps a tool from choosing whose data it gets.
    ///
    /// In a method that may have a body, only the path binds: many services read a parameter from
    /// the body rather than from the query.
    pub fn binds_actor_first(&self) -> bool {
        let bodyless = matches!(self.method.as_str(), "GET" | "HEAD");
        let query = self.query.iter().map(|(_, slot)| slot).filter(|_| bodyless);
        for slot in self.path.iter().chain(query) {
            if *slot == Slot::Rest || slot.has(&Hole::Free) {
                return false;
            }
            if slot.binds_actor() {
                return true;
            }
        }
        false
    }

    /// Whether the host fills in anything about the actor.
    pub fn names_actor(&self) -> bool {
        let query = self.query.iter().map(|(_, slot)| slot);
        self.path.iter().chain(query).any(|slot| {
            [Hole::ActorSub, Hole::ActorTenant, Hole::ActorIssuer]
                .iter()
                .any(|hole| slot.has(hole))
        })
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
            push_segment(&mut target, part, self.path.get(index), actor)?;
        }
        if target.is_empty() {
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
            Slot::Pieces(holes) if *holes == [Hole::Free] => count(key) <= 1,
            _ => count(key) == 1,
        });
        all_named && all_given
    }
}

impl Slot {
    fn has(&self, hole: &Hole) -> bool {
        matches!(self, Self::Pieces(holes) if holes.contains(hole))
    }

    /// Whether the subject is here and no other value shares the segment with it: `{actor.sub}-{}`
    /// filled for `ann` with `b-c` is also the segment of a user `ann-b`, and so is
    /// `{actor.tenant}-{actor.sub}` of a tenant `ann` with a user `b-c`.
    fn binds_actor(&self) -> bool {
        let is_literal = |hole: &Hole| matches!(hole, Hole::Literal(_) | Hole::ActorSub);
        self.has(&Hole::ActorSub)
            && matches!(self, Self::Pieces(holes) if holes.iter().all(is_literal)
                && holes.iter().filter(|hole| **hole == Hole::ActorSub).count() == 1)
    }

    fn admits(&self, Part(pieces): &Part) -> bool {
        match self {
            Self::Rest => false,
            Self::Pieces(holes) => {
                let admits = |(hole, piece): (&Hole, &Piece)| hole.admits(piece);
                holes.len() == pieces.len() && holes.iter().zip(pieces).all(admits)
            }
        }
    }

    /// Whether the piece at `index` is written as the operator wrote it, and not encoded.
    fn is_literal_at(&self, index: usize) -> bool {
        match self {
            Self::Rest => false,
            Self::Pieces(holes) => matches!(holes.get(index), Some(Hole::Literal(_))),
        }
    }
}

impl Hole {
    fn admits(&self, piece: &Piece) -> bool {
        match (self, piece) {
            (Self::Literal(literal), Piece::Text(text)) => literal == text,
            (Self::Free, Piece::Text(_))
            | (Self::ActorSub, Piece::ActorSub)
            | (Self::ActorTenant, Piece::ActorTenant)
            | (Self::ActorIssuer, Piece::ActorIssuer) => true,
            _ => false,
        }
    }
}

/// Appends one segment to `target`: each piece encoded by itself, if the whole is one segment.
fn push_segment(
    target: &mut String,
    part: &Part,
    slot: Option<&Slot>,
    actor: &Actor,
) -> Result<(), DownstreamError> {
    let Part(pieces) = part;
    let values: Vec<&str> = pieces
        .iter()
        .map(|piece| value(piece, actor))
        .collect::<Result<_, _>>()?;
    check_segment(&values.concat())?;
    for (index, value) in values.into_iter().enumerate() {
        if slot.is_some_and(|slot| slot.is_literal_at(index)) {
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

/// Reads one segment or query value of a template.
fn slot(segment: &str) -> Result<Slot, TemplateError> {
    if segment == "{**}" {
        return Ok(Slot::Rest);
    }
    if matches!(segment, "" | "." | "..") {
        return Err(TemplateError::Segment(segment.to_owned()));
    }
    let holes = holes(segment).ok_or_else(|| TemplateError::Segment(segment.to_owned()))?;
    Ok(Slot::Pieces(holes))
}

/// Splits a segment into its pieces. Two placeholders need text between them: in `{actor.sub}{}`
/// the free value could continue the subject.
fn holes(mut rest: &str) -> Option<Vec<Hole>> {
    let mut holes = Vec::new();
    while !rest.is_empty() {
        let (literal, after) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
        if !literal.is_empty() {
            holes.push(Hole::Literal(plain(literal)?));
        } else if !matches!(holes.last(), None | Some(Hole::Literal(_))) {
            return None;
        }
        rest = after;
        if let Some(placeholder) = after.strip_prefix('{') {
            let (name, after) = placeholder.split_once('}')?;
            holes.push(match name {
                "" => Hole::Free,
                "actor.sub" => Hole::ActorSub,
                "actor.tenant" => Hole::ActorTenant,
                "actor.iss" => Hole::ActorIssuer,
                _ => return None,
            });
            rest = after;
        }
    }
    Some(holes)
}

/// Returns text that means the same in a path whether encoded or not, if it is that.
fn plain(text: &str) -> Option<String> {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:@!$'()*+,;".contains(&byte))
        .then(|| text.to_owned())
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
        if plain(key).is_none()
            || matches!(key, "" | "." | "..")
            || slots.iter().any(|(name, _)| name == key)
        {
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

    /// A request whose path and query are written as text: `@sub` stands for the actor's subject,
    /// and `|` joins pieces.
    fn request(method: &str, path: &[&str], query: &[(&str, &str)]) -> Request {
        let piece = |text: &str| match text {
            "@sub" => Piece::ActorSub,
            "@tenant" => Piece::ActorTenant,
            "@iss" => Piece::ActorIssuer,
            text => Piece::Text(text.into()),
        };
        let part = |text: &&str| Part(text.split('|').map(piece).collect());
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
            ("POST /v1:batch", "POST", &["v1|:batch"], &[], None),
            (
                "POST /v1/{}:cancel",
                "POST",
                &["v1", "op 7|:cancel"],
                &[],
                Some("/v1/op%207:cancel"),
            ),
            (
                "POST /v1/{}:cancel",
                "POST",
                &["v1", "7:delete|:cancel"],
                &[],
                Some("/v1/7%3Adelete:cancel"),
            ),
            ("POST /v1/{}:cancel", "POST", &["v1", "7:cancel"], &[], None),
            (
                "POST /v1/{}:cancel",
                "POST",
                &["v1", "7|:delete"],
                &[],
                None,
            ),
            (
                "POST /v1/{}:cancel",
                "POST",
                &["v1", "7|:|cancel"],
                &[],
                None,
            ),
            (
                "POST /v1/{}:cancel",
                "POST",
                &["v1", "@sub|:cancel"],
                &[],
                None,
            ),
            ("POST /v1/{}", "POST", &["v1", "7|:cancel"], &[], None),
            (
                "GET /diff/{}...{}",
                "GET",
                &["diff", "a|...|b"],
                &[],
                Some("/diff/a...b"),
            ),
            (
                "GET /u/user-{actor.sub}",
                "GET",
                &["u", "user-|@sub"],
                &[],
                Some("/u/user-alice%40x"),
            ),
            (
                "GET /u/user-{actor.sub}",
                "GET",
                &["u", "user-|bob"],
                &[],
                None,
            ),
            (
                "GET /c?iss={actor.iss}&q=owner:{actor.sub}",
                "GET",
                &["c"],
                &[("iss", "@iss"), ("q", "owner:|@sub")],
                Some("/c?iss=https%3A%2F%2Fidp.example&q=owner%3Aalice%40x"),
            ),
            (
                "GET /c?iss={actor.iss}",
                "GET",
                &["c"],
                &[("iss", "https://idp.example")],
                None,
            ),
            (
                "GET /files/{**}",
                "GET",
                &["files", "@tenant|-|a b"],
                &[],
                Some("/files/acme-a%20b"),
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
    fn a_segment_of_several_pieces_stays_one_segment() {
        let alice = actor("alice", None);
        for (template, segment) in [
            ("GET /{}", ""),
            ("GET /{}:cancel", "a/../b|:cancel"),
            ("GET /{}:cancel", "..\\|:cancel"),
            ("GET /{}:cancel", "a\r\n|:cancel"),
            ("GET /.{}", ".|."),
            ("GET /.{}", ".|"),
            ("GET /{}.", "|."),
            ("GET /{**}", ".|."),
            ("GET /{**}", "|"),
            ("GET /{**}", ".|/|."),
            ("GET /{**}", "a|/../b"),
            ("GET /{**}", "@iss"),
            ("GET /{**}", "@sub|/"),
        ] {
            let refused = fill(template, &request("GET", &[segment], &[]), &alice);
            assert!(
                matches!(refused, Err(DownstreamError::InvalidRequest(_))),
                "{template} with {segment:?}: {refused:?}"
            );
        }
        for (segment, filled) in [
            ("%2e|%2e", "/%252e%252e"),
            ("a|%2f..", "/a%252f.."),
            (".|a", "/.a"),
        ] {
            let request = request("GET", &[segment], &[]);
            assert_eq!(fill("GET /{**}", &request, &alice), Ok(Some(filled.into())));
        }
        let nothing = Request {
            path: vec![Part(Vec::new())],
            ..request("GET", &[], &[])
        };
        assert!(fill("GET /{**}", &nothing, &alice).is_err());
        assert_eq!(fill("GET /{}", &nothing, &alice), Ok(None));
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
            ("GET /c/user:{actor.sub}/{}", true),
            ("GET /c/{actor.sub}:orders/{}", true),
            ("GET /c/{actor.sub}-{}", false),
            ("GET /c/{}-{actor.sub}", false),
            ("GET /c/{actor.tenant}-{actor.sub}", false),
            ("GET /c/{actor.sub}-{actor.sub}", false),
            ("GET /c?iss={actor.iss}&user={actor.sub}", true),
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
            "GET /{}{}",
            "GET /{actor.sub}{}",
            "GET /a{}{actor.sub}",
            "GET /a{**}",
            "GET /{}/{**}b",
            "GET /{",
            "GET /}",
            "GET /{}}",
            "GET /a{",
            "GET /{{}}",
            "GET /{actor.iss}",
            "GET /x-{actor.iss}",
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
