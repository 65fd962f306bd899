//! What somebody may have meant who typed a name that is not there.

use super::text::brief;

/// Returns the end of a message about a name that is none of these: those that are near it, the
/// nearest first; nothing if there are none.
pub(super) fn near<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let name = letters(name);
    let most = name.len() / LETTERS_OF_ONE + 1;
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|known| known.len() <= MAX_NAME)
        .filter_map(|known| Some((distance(&name, &letters(known), most)?, known)))
        .collect();
    near.sort_unstable();
    near.dedup();
    let shown = near.iter().take(MOST);
    let shown: Vec<String> = shown
        .map(|(_, name)| format!("{:?}", brief(name)))
        .collect();
    match shown.as_slice() {
        [] => String::new(),
        shown => format!("; did you mean {}?", shown.join(" or ")),
    }
}

/// Returns a name as it is compared: `userId` is near `user_id`.
fn letters(name: &str) -> Vec<char> {
    let plain = name.chars().take(MAX_NAME).flat_map(char::to_lowercase);
    plain
        .filter(|character| !"_-.".contains(*character))
        .collect()
}

/// Returns the number of letters to add, to take away or to change until one name is the other;
/// `None` if it is more than `most`.
fn distance(one: &[char], other: &[char], most: usize) -> Option<usize> {
    if one.len().abs_diff(other.len()) > most {
        return None;
    }
    // The distances of the beginnings of `other` from what was read of `one`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.iter().enumerate() {
        let mut last = index + 1;
        let mut next = vec![last];
        for (pair, compared) in row.windows(2).zip(other) {
            let [before, above] = *pair else { continue };
            let changed = before + usize::from(compared != letter);
            last = changed.min(above + 1).min(last + 1);
            next.push(last);
        }
        row = next;
    }
    row.last().copied().filter(|distance| *distance <= most)
}

/// A name of so many letters may have one more that is wrong.
const LETTERS_OF_ONE: usize = 4;
/// The names that are told.
const MOST: usize = 3;
/// The most bytes of a name that anybody would mean.
const MAX_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn names_that_are_near_are_told_the_nearest_first() {
        let known = [
            "customer",
            "customer_id",
            "customers",
            "id",
            "page",
            "user_id",
        ];
        for (name, expected) in [
            ("custmer", "; did you mean \"customer\" or \"customers\"?"),
            ("costumer", "; did you mean \"customer\" or \"customers\"?"),
            ("userId", "; did you mean \"user_id\"?"),
            ("pge", "; did you mean \"page\"?"),
            ("di", ""),
            ("tenant", ""),
            ("", ""),
        ] {
            assert_eq!(near(name, known), expected, "{name}");
        }
        assert_eq!(near("page", []), "");
        let long = "a".repeat(1_000);
        assert_eq!(near(&long, [long.as_str()]), "");
        assert_eq!(
            near("ab", ["a\u{202e}b"]),
            "; did you mean \"a\\u{202e}b\"?"
        );
    }
}
