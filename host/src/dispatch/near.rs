//! The names that a mistyped name may have meant.

use std::fmt::Write as _;

/// Returns the known names as `expected ...` lists them: those like `name` first, and no more than
/// a few.
pub fn expected<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_by_key(|one| (distance(name, one), *one));
    let more = known.len().saturating_sub(SHOWN);
    known.truncate(SHOWN);
    let mut text = match known.as_slice() {
        [] => return "there are none".to_owned(),
        [one] => format!("expected {one}"),
        several => format!("expected one of {}", several.join(", ")),
    };
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// Returns the number of letters to insert, remove or replace to make `to` of `from`, whatever
/// their case. Only the first letters of long names count.
fn distance(from: &str, to: &str) -> usize {
    let letters = |name: &str| -> Vec<char> {
        name.chars()
            .take(64)
            .map(|letter| letter.to_ascii_lowercase())
            .collect()
    };
    let (from, to) = (letters(from), letters(to));
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.iter().enumerate() {
        let mut next = vec![index + 1];
        let (mut left, pairs) = (index + 1, row.windows(2).zip(&to));
        for (above, other) in pairs {
            let [diagonal, above] = above else { continue };
            let replaced = diagonal + usize::from(letter != other);
            left = replaced.min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

const SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_like_the_one_that_was_written_come_first() {
        let known = [
            "cancel_order",
            "get_order",
            "hello",
            "list",
            "refund",
            "ship",
        ];
        for (name, first) in [
            ("get_ordr", "get_order"),
            ("GET_ORDER", "get_order"),
            ("refnud", "refund"),
            ("lits", "list"),
            ("cancel-order", "cancel_order"),
        ] {
            let text = expected(name, known);
            assert!(
                text.starts_with(&format!("expected one of {first}, ")),
                "{text}"
            );
            assert!(text.ends_with(" and 1 more"), "{text}");
        }
        assert_eq!(expected("x", ["a", "b"]), "expected one of a, b");
        assert_eq!(expected("x", ["a"]), "expected a");
        assert_eq!(expected("x", []), "there are none");
    }

    #[test]
    fn the_distance_counts_letters() {
        for (from, to, letters) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("same", "SAME", 0),
            ("ab", "ba", 2),
        ] {
            assert_eq!(distance(from, to), letters, "{from} {to}");
        }
        assert_eq!(distance(&"x".repeat(9000), &"y".repeat(9000)), 64);
    }
}
