//! What an operator lets a tool ask of services, in the words of the configuration.
//!
//! Invariant: a request is compared piece by piece, as a host compares it, so that a test does not
//! allow what a host refuses. `tests/templates.json` holds both, and the other SDKs, to the same.

use crate::DownstreamError;
use crate::bindings::downstream::{Part, Piece, Request};

/// The templates of each service that is granted.
pub(super) type Grants = Vec<(String, Vec<String>)>;

/// Fails as a host would, if it would not make the request.
pub(super) fn check(grants: &Grants, request: &Request) -> Result<(), DownstreamError> {
    let granted = grants.iter().filter(|(name, _)| *name == request.service);
    let templates: Vec<&str> = granted
        .flat_map(|(_, templates)| templates)
        .map(String::as_str)
        .collect();
    if templates.is_empty() {
        return Err(DownstreamError::UnknownService);
    }
    let covering: Vec<Vec<&str>> = templates
        .iter()
        .filter_map(|template| covers(template, request))
        .collect();
    if covering.is_empty() {
        let covered = format!("{} covers {}", request.service, templates.join(", "));
        return Err(DownstreamError::NotGranted(covered));
    }
    let mut pairs = covering
        .iter()
        .flat_map(|slots| slots.iter().zip(&request.path));
    if pairs.all(|(slot, part)| is_segment(slot, &pieces(part))) {
        Ok(())
    } else {
        Err(DownstreamError::InvalidRequest(NO_SEGMENT.to_owned()))
    }
}

/// Panics if the text is no template.
pub(super) fn expect(template: &str) {
    let method = template.split_once(" /").map(|(method, _)| method);
    assert!(
        method.is_some_and(|method| METHODS.contains(&method)),
        "{template:?}: expected a template, such as GET /orders/{{}}"
    );
}

/// Returns the slot of each segment if a template, such as `GET /orders/{}?status={}`, covers a
/// request.
fn covers<'t>(template: &'t str, request: &Request) -> Option<Vec<&'t str>> {
    let (method, target) = template.split_once(" /")?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (segments, slash) = segments(&request.path);
    let slots = slots(path, segments.len())?;
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let covers = method == request.method
        && slash == path.ends_with('/')
        && slots
            .iter()
            .zip(segments)
            .all(|(slot, part)| fits(slot, part))
        && covers_query(&pairs.collect::<Vec<_>>(), &request.query);
    covers.then_some(slots)
}

/// Returns the segments of a path, and whether a slash stands behind them: a last part without
/// pieces.
fn segments(path: &[Part]) -> (&[Part], bool) {
    match path.split_last() {
        Some((last, before)) if pieces(last).is_empty() => (before, true),
        _ => (path, false),
    }
}

/// Returns the slot of each of `count` segments, if the path has so many. `{**}` is any number of
/// them, and what follows it in its segment belongs to the last.
fn slots(path: &str, count: usize) -> Option<Vec<&str>> {
    let own: Vec<&str> = path.split('/').filter(|text| !text.is_empty()).collect();
    let Some(at) = own.iter().position(|slot| slot.starts_with(REST)) else {
        return (own.len() == count).then_some(own);
    };
    let more = vec![REST; count.checked_sub(own.len())?];
    let (before, from) = own.split_at(at);
    Some([before, &more, from].concat())
}

/// A value that the tool chooses may be left out, and is there several times for `{*}`; another is
/// there once; no other key is there.
fn covers_query(slots: &[(&str, &str)], given: &[(String, Part)]) -> bool {
    let known = |(key, part): &(String, Part)| {
        let slot = slots.iter().find(|(name, _)| name == key);
        slot.is_some_and(|(_, slot)| fits(if *slot == REPEATED { FREE } else { slot }, part))
    };
    let counted = |(key, slot): &(&str, &str)| {
        let count = given.iter().filter(|(name, _)| name == key).count();
        count == 1 || *slot == REPEATED || (count == 0 && *slot == FREE)
    };
    given.iter().all(known) && slots.iter().all(counted)
}

/// Returns true if a part has the pieces of a slot: its texts, and anything for `{}`.
fn fits(slot: &str, part: &Part) -> bool {
    let pieces = pieces(part);
    if let Some(end) = slot.strip_prefix(REST) {
        let ends = || matches!(&*pieces, [_, .., Piece::Text(last)] if last == end);
        return end.is_empty() || ends();
    }
    let holes = holes(slot);
    let fits = |(hole, piece): (&&str, &Piece)| match piece {
        Piece::Text(text) => *hole == FREE || hole == text,
        Piece::ActorSub => *hole == "{actor.sub}",
        Piece::ActorTenant => *hole == "{actor.tenant}",
        Piece::ActorIssuer => *hole == "{actor.iss}",
    };
    holes.len() == pieces.len() && holes.iter().zip(&pieces).all(fits)
}

/// Splits `user-{actor.sub}` into `user-` and `{actor.sub}`.
fn holes(mut slot: &str) -> Vec<&str> {
    let mut holes = Vec::new();
    while !slot.is_empty() {
        let end = match slot.find('{') {
            Some(0) => slot.find('}').map_or(slot.len(), |end| end + 1),
            Some(start) => start,
            None => slot.len(),
        };
        let (hole, rest) = slot.split_at(end);
        holes.push(hole);
        slot = rest;
    }
    holes
}

fn pieces(part: &Part) -> Vec<Piece> {
    match part {
        Part::Text(text) => vec![Piece::Text(text.clone())],
        Part::ActorSub => vec![Piece::ActorSub],
        Part::ActorTenant => vec![Piece::ActorTenant],
        Part::ActorIssuer => vec![Piece::ActorIssuer],
        Part::Joined(pieces) => pieces.clone(),
    }
}

/// Returns true if the pieces are one segment of a path, and no placeholder of its slot is filled
/// with nothing or dots.
fn is_segment(slot: &str, pieces: &[Piece]) -> bool {
    let texts: Vec<&str> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            _ => "x",
        })
        .collect();
    let leaves = |c: char| matches!(c, '/' | '\\') || c.is_control();
    let whole = texts.concat();
    let filled: Vec<String> = match slot.strip_prefix(REST) {
        Some("") => Vec::new(),
        Some(end) => vec![whole.strip_suffix(end).unwrap_or_default().to_owned()],
        None => {
            let pairs = holes(slot).into_iter().zip(&texts);
            let filled = pairs.filter(|(hole, _)| hole.starts_with('{'));
            filled.map(|(_, text)| (*text).to_owned()).collect()
        }
    };
    !is_hollow(&whole) && !whole.contains(leaves) && !filled.iter().any(|text| is_hollow(text))
}

/// Returns true if a text is empty, `.` or `..`, also with parameters (`..;a`). Its characters may
/// be encoded, also more than once.
fn is_hollow(text: &str) -> bool {
    let mut plain = text.to_ascii_lowercase();
    while plain.contains("%25") {
        plain = plain.replace("%25", "%");
    }
    let plain = plain.replace("%2e", ".").replace("%3b", ";");
    let name = plain.split(';').next().unwrap_or_default();
    matches!(name, "" | "." | "..")
}

const FREE: &str = "{}";
const REPEATED: &str = "{*}";
const REST: &str = "{**}";

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

const NO_SEGMENT: &str =
    "a path segment is empty, `.`, `..`, or has `/`, `\\` or control characters";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde::Deserialize;

    use super::*;
    use crate::testing::Scene;
    use crate::{Error, Response};

    /// A request, and the target that a host makes of it, or the word for its refusal.
    #[derive(Deserialize)]
    struct Case {
        template: String,
        method: String,
        path: Vec<String>,
        query: Vec<(String, String)>,
        expected: String,
    }

    fn piece(text: &str) -> Piece {
        match text {
            "@sub" => Piece::ActorSub,
            "@tenant" => Piece::ActorTenant,
            "@iss" => Piece::ActorIssuer,
            text => text.into(),
        }
    }

    #[test]
    fn a_scene_allows_what_a_host_allows() {
        let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/templates.json");
        let cases = std::fs::read_to_string(cases).unwrap();
        let cases: Vec<Case> = serde_json::from_str(&cases).unwrap();
        for case in cases {
            let part = |text: &String| match text.as_str() {
                "@slash" => Part::joined([]),
                text => Part::joined(text.split('|').map(piece)),
            };
            let call = Scene::new()
                .allow("orders_api", [case.template.as_str()])
                .on_send(|_| Ok(Response::new(200, "")))
                .call();
            let service = call.service("orders_api");
            let mut request = service.request(&case.method, case.path.iter().map(part));
            for (key, value) in &case.query {
                request = request.query(key, part(value));
            }
            let ended = match request.send() {
                Ok(_) => "",
                Err(DownstreamError::NotGranted(why)) => {
                    assert_eq!(why, format!("orders_api covers {}", case.template));
                    "not-granted"
                }
                Err(DownstreamError::InvalidRequest(_)) => "invalid-request",
                Err(_) => "another error",
            };
            let Case {
                template,
                path,
                query,
                expected,
                ..
            } = case;
            let expected = if expected.starts_with('/') {
                ""
            } else {
                &expected
            };
            assert_eq!(ended, expected, "{template} for {path:?} {query:?}");
        }
    }

    #[test]
    fn a_service_without_a_grant_is_unknown_and_other_words_are_no_template() {
        let call = Scene::new()
            .allow("orders_api", ["GET /a", "GET /b"])
            .call();
        let ask = |service: &str, path: &str| call.service(service).get([path]).send();
        assert_eq!(
            ask("billing_api", "a"),
            Err(DownstreamError::UnknownService)
        );
        assert!(matches!(
            ask("orders_api", "c"),
            Err(DownstreamError::NotGranted(_))
        ));
        // The grant lets it through to the scene's own services, of which there are none.
        assert_eq!(ask("orders_api", "b"), Err(DownstreamError::UnknownService));
        assert!(matches!(
            Error::from(DownstreamError::UnknownService),
            Error::Failed(_)
        ));
        for wrong in ["orders/{}", "get /orders", "GET orders"] {
            let asked = std::panic::catch_unwind(|| Scene::new().allow("orders_api", [wrong]));
            assert!(asked.is_err(), "{wrong}");
        }
    }
}
