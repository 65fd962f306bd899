//! The times of the records: the first, the last, and whether the clock went back.

use std::fmt;

use super::super::damage::{Place, Spot};
use super::super::time::parse_time;

/// Records whose time is before that of the record before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    /// The number of such records.
    pub count: u64,
    /// The furthest that one goes back, in milliseconds.
    pub most_ms: u64,
    /// The place of that record.
    pub place: Place,
}

/// The times so far.
#[derive(Default)]
pub(super) struct Times {
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    pub(super) back: Option<Back>,
}

impl Times {
    /// Follows the time of one more record.
    pub(super) fn follow(&mut self, time: &str, spot: Spot) {
        if self.last.as_deref() == Some(time) {
            return;
        }
        self.first.get_or_insert_with(|| time.to_owned());
        let before = self.last.replace(time.to_owned());
        // All times have one spelling, so they compare as their text does.
        if let Some(before) = before.filter(|before| before.as_str() > time) {
            self.note(&before, time, spot);
        }
    }

    fn note(&mut self, before: &str, time: &str, spot: Spot) {
        let ms = |time| parse_time(time).unwrap_or_default();
        let by = ms(before).saturating_sub(ms(time));
        let back = self.back.get_or_insert_with(|| Back {
            count: 0,
            most_ms: 0,
            place: spot.place(),
        });
        back.count += 1;
        if by > back.most_ms {
            (back.most_ms, back.place) = (by, spot.place());
        }
    }
}

impl fmt::Display for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            count,
            most_ms,
            place,
        } = self;
        write!(
            f,
            "the time goes back at {count} records, the furthest by {most_ms} ms: {place}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_before_the_last_one_is_counted_and_the_furthest_is_placed() {
        let mut times = Times::default();
        let at = |seq| Spot {
            segment: 1,
            line: seq,
            seq,
        };
        for (second, seq) in [(10, 1), (10, 2), (9, 3), (11, 4), (5, 5), (6, 6)] {
            times.follow(&format!("2025-11-21T08:00:{second:02}.000Z"), at(seq));
        }
        assert_eq!(
            times.back,
            Some(Back {
                count: 2,
                most_ms: 6000,
                place: at(5).place()
            })
        );
    }
}
