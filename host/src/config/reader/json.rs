//! Tables that are kept as JSON.

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::DeValue;

use super::Section;

impl Section<'_> {
    /// Reads a table as a JSON object.
    pub(in crate::config) fn json(&self, key: &str) -> Option<Map<String, Value>> {
        match to_json(self.find(key)?.get_ref()) {
            Some(Value::Object(members)) => Some(members),
            _ => self.not(key, "a table of plain values"),
        }
    }
}

fn to_json(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => text.to_string().into(),
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Integer(number) => number
            .to_string()
            .replace('_', "")
            .parse::<i64>()
            .ok()?
            .into(),
        DeValue::Float(number) => number
            .to_string()
            .replace('_', "")
            .parse::<f64>()
            .ok()?
            .into(),
        DeValue::Datetime(time) => time.to_string().into(),
        DeValue::Array(items) => items
            .iter()
            .map(|item| to_json(item.get_ref()))
            .collect::<Option<Vec<_>>>()?
            .into(),
        DeValue::Table(table) => {
            let member =
                |(name, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                    Some((name.get_ref().to_string(), to_json(value.get_ref())?))
                };
            Value::Object(table.iter().map(member).collect::<Option<_>>()?)
        }
    })
}
