//! One segment or query value of a template, and the values that it admits.

use super::super::request::is_hollow;
use crate::conditions::may_read_as;
use crate::downstream::{Part, Piece};

/// A template's rule for one segment or query value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// Exactly these, one for each piece of the request's part.
    Pieces(Vec<Hole>),
    /// One segment or more, of any pieces. If there is a text, it is the last piece of the last
    /// one, and stays as the operator wrote it.
    Rest(Option<String>),
}

/// A template's rule for one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hole {
    Literal(String),
    Free,
    ActorSub,
    ActorTenant,
    ActorIssuer,
}

impl Slot {
    /// Several segments, of which another slot is the last.
    pub(super) const MORE: &'static Self = &Self::Rest(None);

    /// Returns the slot that admits this text alone.
    pub(super) fn literal(text: &str) -> Self {
        Self::Pieces(vec![Hole::Literal(text.to_owned())])
    }

    pub(super) fn is_rest(&self) -> bool {
        matches!(self, Self::Rest(_))
    }

    /// Returns true if it is one value that the tool chooses.
    pub(super) fn is_free(&self) -> bool {
        matches!(self, Self::Pieces(holes) if *holes == [Hole::Free])
    }

    /// Returns how much it says about each piece: the larger, the more. Of two slots that admit the
    /// same part, the list of the one that says more is the greater.
    pub(super) fn closeness(&self) -> Vec<u8> {
        match self {
            Self::Rest(None) => vec![0],
            Self::Rest(Some(_)) => vec![1],
            Self::Pieces(holes) => {
                let free = |hole: &Hole| *hole == Hole::Free;
                holes
                    .iter()
                    .map(|hole| if free(hole) { 2 } else { 3 })
                    .collect()
            }
        }
    }

    pub(super) fn has(&self, hole: &Hole) -> bool {
        matches!(self, Self::Pieces(holes) if holes.contains(hole))
    }

    /// Returns true if the subject is here and no other value shares the segment with it. For
    /// example, `{actor.sub}-{}` filled for `ann` with `b-c` is also the segment of a user `ann-b`,
    /// and so is `{actor.tenant}-{actor.sub}` of a tenant `ann` with a user `b-c`.
    pub(super) fn binds_actor(&self) -> bool {
        let is_literal = |hole: &Hole| matches!(hole, Hole::Literal(_) | Hole::ActorSub);
        self.has(&Hole::ActorSub)
            && matches!(self, Self::Pieces(holes) if holes.iter().all(is_literal)
                && holes.iter().filter(|hole| **hole == Hole::ActorSub).count() == 1)
    }

    /// Returns a part that it admits, with `x` wherever a tool chooses the text.
    pub(super) fn example(&self) -> Part {
        let free = || Piece::Text("x".to_owned());
        Part(match self {
            Self::Rest(None) => vec![free()],
            Self::Rest(Some(end)) => vec![free(), Piece::Text(end.clone())],
            Self::Pieces(holes) => holes
                .iter()
                .map(|hole| match hole {
                    Hole::Literal(text) => Piece::Text(text.clone()),
                    Hole::Free => free(),
                    Hole::ActorSub => Piece::ActorSub,
                    Hole::ActorTenant => Piece::ActorTenant,
                    Hole::ActorIssuer => Piece::ActorIssuer,
                })
                .collect(),
        })
    }

    pub(super) fn admits(&self, Part(pieces): &Part) -> bool {
        match self {
            Self::Rest(None) => true,
            Self::Rest(Some(end)) => {
                matches!(pieces.as_slice(), [_, .., Piece::Text(last)] if last == end)
            }
            Self::Pieces(holes) => {
                let admits = |(hole, piece): (&Hole, &Piece)| hole.admits(piece);
                holes.len() == pieces.len() && holes.iter().zip(pieces).all(admits)
            }
        }
    }

    /// Returns true if a service may read a part as this slot has it, however the tool cut it into
    /// pieces and spelled it. What the host fills in is nothing that a tool can spell.
    pub(super) fn reads(&self, part: &Part) -> bool {
        if self.admits(part) {
            return true;
        }
        let Part(pieces) = part;
        let text = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            Piece::ActorSub | Piece::ActorTenant | Piece::ActorIssuer => None,
        });
        let (Some(text), Some(own)) = (text.collect::<Option<String>>(), self.texts()) else {
            return false;
        };
        let own: Vec<_> = own.iter().map(String::as_str).collect();
        may_read_as(text.as_bytes(), &own)
    }

    /// Returns true if it admits any text, or is `other` itself.
    pub(super) fn is_as_wide_as(&self, other: &Self) -> bool {
        self == other || *self == Self::Rest(None) || self.is_free()
    }

    /// Returns its texts in lower case, with a placeholder between any two of them; `None` if the
    /// host fills one in.
    fn texts(&self) -> Option<Vec<String>> {
        let holes = match self {
            Self::Rest(end) => {
                let end = end.as_deref().unwrap_or_default();
                return Some(vec![String::new(), end.to_ascii_lowercase()]);
            }
            Self::Pieces(holes) => holes,
        };
        let (mut texts, mut last) = (Vec::new(), String::new());
        for hole in holes {
            match hole {
                Hole::Literal(text) => last.push_str(&text.to_ascii_lowercase()),
                Hole::Free => texts.push(std::mem::take(&mut last)),
                Hole::ActorSub | Hole::ActorTenant | Hole::ActorIssuer => return None,
            }
        }
        texts.push(last);
        Some(texts)
    }

    /// Returns true if a placeholder beside a text is filled with nothing or dots.
    /// `/ops/{}:cancel` would become `/ops/:cancel`, which many services read as a request for all
    /// of them.
    pub(super) fn has_hollow(&self, values: &[&str]) -> bool {
        match self {
            Self::Rest(None) => false,
            Self::Rest(Some(_)) => {
                let before = values.split_last().map(|(_, before)| before.concat());
                before.is_none_or(|before| is_hollow(&before))
            }
            Self::Pieces(holes) => holes
                .iter()
                .zip(values)
                .any(|(hole, value)| !matches!(hole, Hole::Literal(_)) && is_hollow(value)),
        }
    }

    /// Returns true if the piece at `index` of `count` stays as the operator wrote it, and is not
    /// encoded.
    pub(super) fn is_literal_at(&self, index: usize, count: usize) -> bool {
        match self {
            Self::Rest(None) => false,
            Self::Rest(Some(_)) => index + 1 == count,
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

/// Reads one segment or query value of a template. Returns `None` if it is malformed.
pub(super) fn slot(segment: &str) -> Option<Slot> {
    match segment.strip_prefix("{**}") {
        Some("") => return Some(Slot::Rest(None)),
        Some(end) => return plain(end).map(|end| Slot::Rest(Some(end))),
        None => {}
    }
    if matches!(segment, "" | "." | "..") {
        return None;
    }
    holes(segment).map(Slot::Pieces)
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

/// Returns the text if it means the same in a path with and without encoding.
pub(super) fn plain(text: &str) -> Option<String> {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:@!$'()*+,;".contains(&byte))
        .then(|| text.to_owned())
}
