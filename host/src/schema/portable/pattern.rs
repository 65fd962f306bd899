//! Regular expressions that all clients read alike.

/// Returns true if a regular expression means the same to Rust, ECMAScript and Python: plain
/// characters of ASCII, groups, choices, anchors, repetitions and classes of plain characters.
///
/// `\d`, `\w` and `.` are not the same characters in all three.
pub(super) fn is_portable(pattern: &str) -> bool {
    let mut in_class = false;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        let fits = match character {
            '\\' => {
                let escaped = characters.next();
                escaped.is_some_and(|escaped| r"\^$.*+?()[]{}|/".contains(escaped))
            }
            '[' if in_class => false,
            '[' => {
                in_class = true;
                next != Some(']')
            }
            ']' => std::mem::replace(&mut in_class, false),
            '&' | '~' | '-' if in_class => next != Some(character),
            '.' => in_class,
            '(' if !in_class && next == Some('?') => {
                characters.next();
                characters.peek() == Some(&':')
            }
            '{' | '}' if !in_class => true,
            other => matches!(other, ' '..='~'),
        };
        if !fits {
            return false;
        }
    }
    !in_class && has_plain_counts(pattern)
}

/// Returns true if each brace outside of a class is part of a count such as `{2,4}`. Rust and
/// ECMAScript refuse other braces, and Python takes them as they are.
fn has_plain_counts(pattern: &str) -> bool {
    pattern.split('{').skip(1).all(|after| {
        after.split_once('}').is_some_and(|(count, _)| {
            count.starts_with(|digit: char| digit.is_ascii_digit())
                && count
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b',')
                && count.matches(',').count() <= 1
        })
    }) && pattern.matches('{').count() == pattern.matches('}').count()
}

#[cfg(test)]
mod tests {
    use super::is_portable;

    #[test]
    fn only_expressions_that_mean_the_same_everywhere_are_portable() {
        for (pattern, portable) in [
            ("^[A-Z]{3}-[0-9]{1,12}$", true),
            ("^(?:a|b)+$", true),
            (r"^a\.b\/c$", true),
            (r"^\d+$", false),
            (r"^\w", false),
            ("a.c", false),
            ("[.]", true),
            ("(?i)a", false),
            ("(?P<n>a)", false),
            ("[[:alpha:]]", false),
            ("[a&&b]", false),
            ("a{", false),
            ("a{,3}", false),
            ("a{2}", true),
            ("}", false),
            ("]", false),
            ("[", false),
            ("[]a]", false),
            ("\u{e9}", false),
            (r"a\", false),
            (r"\-", false),
        ] {
            assert_eq!(is_portable(pattern), portable, "{pattern}");
        }
    }
}
