//! One segment or query value of a template, and the values that it admits.

use crate::downstream::{Part, Piece};

/// A template's rule for one segment or query value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// Exactly these, one for each piece of the request's part.
    Pieces(Vec<Hole>),
    /// One segment or more, of any pieces.
    Rest,
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
            Self::Rest => vec![free()],
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
            Self::Rest => false,
            Self::Pieces(holes) => {
                let admits = |(hole, piece): (&Hole, &Piece)| hole.admits(piece);
                holes.len() == pieces.len() && holes.iter().zip(pieces).all(admits)
            }
        }
    }

    /// Returns true if a placeholder is filled with nothing. `/ops/{}:cancel` would become
    /// `/ops/:cancel`, which many services read as a request for all of them.
    pub(super) fn lacks_text(&self, values: &[&str]) -> bool {
        matches!(self, Self::Pieces(_)) && values.contains(&"")
    }

    /// Returns true if the piece at `index` stays as the operator wrote it, and is not encoded.
    pub(super) fn is_literal_at(&self, index: usize) -> bool {
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

/// Reads one segment or query value of a template. Returns `None` if it is malformed.
pub(super) fn slot(segment: &str) -> Option<Slot> {
    if segment == "{**}" {
        return Some(Slot::Rest);
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
