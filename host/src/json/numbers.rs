//! Finds numbers of a JSON text that do not mean the same to everyone.
//!
//! The canonical form (RFC 8785) writes every number as an IEEE 754 double, so 9007199254740992 and
//! 9007199254740993 have one hash. What is hashed must be what is used, so a number that a double
//! does not carry exactly is found in the text, before anything reads it.
//!
//! Invariant: two numbers that pass and differ in value have different canonical forms.

use std::collections::BTreeMap;

use serde_json::Value;

/// Returns the first number of a valid JSON text that its canonical form would change: an integer
/// beyond ±(2^53−1) (RFC 7493 §2.2), or more digits than a double has.
pub fn inexact(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let (_, found) = rest.split_at(at);
        if let Some(string) = found.strip_prefix('"') {
            rest = after_string(string);
            continue;
        }
        let end = found
            .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(found.len());
        let (number, after) = found.split_at(end);
        if !is_exact(number) {
            return Some(number);
        }
        rest = after;
    }
    None
}

/// Returns the integers of a value that its canonical form would change, in order.
pub fn wide_integers(value: &Value) -> Vec<String> {
    match value {
        Value::Number(number)
            if (number.is_i64() || number.is_u64()) && !is_exact(&number.to_string()) =>
        {
            vec![number.to_string()]
        }
        Value::Array(items) => items.iter().flat_map(wide_integers).collect(),
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> = members.iter().collect();
            sorted.into_values().flat_map(wide_integers).collect()
        }
        _ => Vec::new(),
    }
}

/// Writes each whole number of a value as an integer: `5.0` and `5e0` as `5`. JSON Schema takes
/// them for integers, and many programs do not (RFC 8785 has one form for all of them).
pub fn make_whole(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = number.as_f64().and_then(integer) {
                *value = Value::from(whole);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_whole),
        Value::Object(members) => members.values_mut().for_each(make_whole),
        _ => {}
    }
}

/// Returns the integer that a double is, if it is one that every program has exactly.
fn integer(double: f64) -> Option<i64> {
    // `Display` writes a double without an exponent and without a fraction that is zero.
    let text = (double.abs() <= 9_007_199_254_740_991.0).then(|| double.to_string())?;
    text.parse().ok()
}

/// Returns the text after a string whose opening quote is already consumed.
fn after_string(mut text: &str) -> &str {
    while let Some(at) = text.find(['"', '\\']) {
        let (_, found) = text.split_at(at);
        let mut following = found.chars();
        if following.next() == Some('"') {
            return following.as_str();
        }
        following.next();
        text = following.as_str();
    }
    ""
}

fn is_exact(number: &str) -> bool {
    if !number.contains(['.', 'e', 'E']) {
        return number
            .parse::<i64>()
            .is_ok_and(|integer| integer.unsigned_abs() <= MAX_SAFE);
    }
    let Ok(double) = number.parse::<f64>() else {
        return false;
    };
    // A number that is not finite has no canonical form.
    let canonical = serde_json_canonicalizer::to_string(&double).unwrap_or_default();
    double.is_finite()
        && Decimal::of(number).is_some_and(|written| Decimal::of(&canonical) == Some(written))
}

/// The value of a number: digits without zeros at either end, times a power of ten.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn of(number: &str) -> Option<Self> {
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (negative, mantissa) = mantissa
            .strip_prefix('-')
            .map_or((false, mantissa), |rest| (true, rest));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        let zeros = i64::try_from(all.len().checked_sub(digits.len())?).ok()?;
        let places = i64::try_from(fraction.len()).ok()?;
        let exponent = exponent
            .parse::<i64>()
            .ok()?
            .checked_sub(places)?
            .checked_add(zeros)?;
        Some(Self {
            negative,
            digits: digits.trim_start_matches('0').to_owned(),
            exponent,
        })
    }
}

/// 2^53 − 1.
const MAX_SAFE: u64 = (1 << 53) - 1;

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_passes_only_if_its_canonical_form_has_its_value() {
        for number in [
            "0",
            "-0",
            "-0.0",
            "0e5",
            "1",
            "-17",
            "9007199254740991",
            "-9007199254740991",
            "0.1",
            "0.10",
            "10.0",
            "1E2",
            "1e+2",
            "1.5e-7",
            "9007199254740992.0",
            "6.02214076e23",
            "1.7976931348623157e308",
            "5e-324",
        ] {
            assert_eq!(inexact(number), None, "{number}");
        }
        for number in [
            "9007199254740992",
            "9007199254740993",
            "-9007199254740992",
            "18446744073709551615",
            "18446744073709551616",
            "9007199254740993.0",
            "9007199254740993e0",
            "4503599627370497.51",
            "0.1000000000000000055511151231257827",
            "1e400",
            "-1e400",
            "1e-400",
            "1e99999999999999999999",
        ] {
            assert_eq!(inexact(number), Some(number), "{number}");
            let nested =
                format!(r#"{{"a":[1,"9007199254740993 \" 1e400"],"\\":{{"b": {number} }}}}"#);
            assert_eq!(inexact(&nested), Some(number), "{nested}");
        }
    }

    #[test]
    fn text_is_not_a_number() {
        for text in [
            r#""9007199254740993""#,
            r#"{"9007199254740993":"1e400"}"#,
            r#"["\\","\"1e400"]"#,
            "[true,null]",
            "",
        ] {
            assert_eq!(inexact(text), None, "{text}");
        }
    }

    #[test]
    fn integers_that_the_canonical_form_would_change_are_found_in_a_value() {
        let value = serde_json::json!({"a": [1, u64::MAX, 1e300], "b": {"c": i64::MIN, "d": "9007199254740993"}});
        assert_eq!(
            wide_integers(&value),
            ["18446744073709551615", "-9223372036854775808"]
        );
    }

    /// Decimals close to each other, where doubles are far apart.
    fn decimal() -> impl Strategy<Value = (i64, usize)> {
        ((1_i64 << 52)..(1_i64 << 54), 0_usize..4)
    }

    proptest! {
        #[test]
        fn two_amounts_never_have_one_hash((units, places) in decimal(), more in 1_i64..3) {
            let written = |units: i64| {
                let power = [1, 10, 100, 1000].get(places).copied().unwrap_or(1);
                let text = units.to_string();
                if places == 0 { text } else { format!("{}.{:0width$}", units / power, units % power, width = places) }
            };
            let (one, other) = (written(units), written(units + more));
            let canonical = |text: &str| {
                let value: Value = serde_json::from_str(text).expect("a number");
                serde_json_canonicalizer::to_string(&value).expect("a canonical form")
            };
            if canonical(&one) == canonical(&other) {
                prop_assert!(inexact(&one).is_some() || inexact(&other).is_some(), "{one} and {other}");
            }
        }

        #[test]
        fn the_canonical_form_of_every_double_passes(double in any::<f64>().prop_filter("finite", |double| double.is_finite())) {
            let text = serde_json_canonicalizer::to_string(&double).expect("a number");
            // A whole double beyond 2^53 is written without a point, as an integer that no double
            // carries exactly.
            prop_assert!(inexact(&text).is_none() || double.abs() > 9e15, "{text}");
        }

        #[test]
        fn every_safe_integer_passes(integer in -((1_i64 << 53) - 1)..(1_i64 << 53)) {
            let text = integer.to_string();
            prop_assert_eq!(inexact(&text), None);
        }
    }
}
