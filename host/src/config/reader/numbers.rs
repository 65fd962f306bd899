//! Numbers, alone and with a unit.

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::Section;

impl<'c> Section<'c> {
    pub(in crate::config) fn number(&self, key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = match self.find(key)?.get_ref() {
            DeValue::Integer(number) => number.to_string().replace('_', "").parse::<u64>().ok(),
            _ => None,
        };
        match value {
            Some(value) if range.contains(&value) => Some(value),
            _ => self.not(
                key,
                &format!("a number from {} to {}", range.start(), range.end()),
            ),
        }
    }

    /// Reads a list of user or group numbers.
    pub(in crate::config) fn ids(&self, key: &str) -> Vec<u32> {
        let Some(value) = self.find(key) else {
            return Vec::new();
        };
        let id = |item: &Spanned<DeValue<'c>>| match item.get_ref() {
            DeValue::Integer(number) => number.to_string().replace('_', "").parse().ok(),
            _ => None,
        };
        let ids = match value.get_ref() {
            DeValue::Array(items) => items.iter().map(id).collect(),
            _ => None,
        };
        ids.or_else(|| self.not(key, "a list of numbers of users or groups, such as [1000]"))
            .unwrap_or_default()
    }

    /// Reads text with a unit, such as `500ms`, `10s` or `5m`.
    pub(in crate::config) fn duration(&self, key: &str, max: Duration) -> Option<Duration> {
        let text = self.text(key)?;
        let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
        match with_unit(&text, &units).map(Duration::from_millis) {
            Some(value) if !value.is_zero() && value <= max => Some(value),
            _ => self.not(
                key,
                &format!("a duration such as \"500ms\" or \"10s\", at most {max:?}"),
            ),
        }
    }

    /// Reads text with a unit, such as `64KiB` or `1MiB`.
    pub(in crate::config) fn size(&self, key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let text = self.text(key)?;
        let units = [
            ("KiB", 1 << 10),
            ("MiB", 1 << 20),
            ("GiB", 1 << 30),
            ("B", 1),
        ];
        match with_unit(&text, &units) {
            Some(value) if range.contains(&value) => Some(value),
            _ => {
                let (min, max) = (range.start(), range.end() >> 20);
                self.not(
                    key,
                    &format!("a size such as \"64KiB\" or \"1MiB\", at least {min} bytes and at most {max} MiB"),
                )
            }
        }
    }
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    number.trim().parse::<u64>().ok()?.checked_mul(factor)
}
