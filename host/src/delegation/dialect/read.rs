//! A dialect's text, and the rules that it must keep.

use serde::Deserialize;

use super::{
    DialectError, DialectRequest, ExchangeDialect, Field, FieldValue, WRONG_TYPE, says_wrong_type,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDialect {
    requests: Vec<WrittenRequest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRequest {
    fields: Vec<WrittenField>,
    token_type: Option<String>,
    #[serde(default)]
    issued_token_types: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenField {
    name: String,
    value: String,
    #[serde(default)]
    with_actor: bool,
}

impl ExchangeDialect {
    /// Reads a dialect.
    ///
    /// # Errors
    /// Its shape is another one, or it breaks a rule.
    pub fn parse(text: &str) -> Result<Self, DialectError> {
        let written: WrittenDialect = toml::from_str(text)
            .map_err(|error| DialectError::Shape(error.to_string().trim_end().to_owned()))?;
        let count = written.requests.len();
        if !(1..=2).contains(&count) {
            return Err(DialectError::Requests);
        }
        let mut requests = Vec::new();
        for (at, written) in written.requests.into_iter().enumerate() {
            let place = ValuePlace {
                is_first: at == 0,
                is_last: at + 1 == count,
            };
            let request = request(written, place);
            let request = request.map_err(|what| DialectError::Rule {
                request: at + 1,
                what,
            })?;
            requests.push(request);
        }
        Ok(Self { requests })
    }
}

#[derive(Clone, Copy)]
struct ValuePlace {
    is_first: bool,
    is_last: bool,
}

fn request(written: WrittenRequest, place: ValuePlace) -> Result<DialectRequest, String> {
    let mut fields: Vec<Field> = Vec::new();
    for field in written.fields {
        let name = field.name;
        let sound = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if !sound {
            return Err(format!("{name:?} is not a field of [a-z_]"));
        }
        if name.starts_with("client_") {
            return Err(format!(
                "{name} is the host's proof of identity (client_auth)"
            ));
        }
        if fields.iter().any(|known| known.name == name) {
            return Err(format!("{name} is there twice"));
        }
        let value = value(&field.value)?;
        if name == "scope" && value != FieldValue::Scopes {
            return Err("scope is always {scopes}".to_owned());
        }
        if matches!(&value, FieldValue::Text(text) if says_wrong_type(&name, text)) {
            return Err(format!("{name}: {WRONG_TYPE}"));
        }
        fields.push(Field {
            name,
            value,
            with_actor: field.with_actor,
        });
    }
    let count = |wanted: &FieldValue| fields.iter().filter(|field| field.value == *wanted).count();
    let (subject, grant) = (count(&FieldValue::Subject), count(&FieldValue::Grant));
    if subject != usize::from(place.is_first) {
        return Err("{subject_token} is in the first request, once, and in no other".to_owned());
    }
    if grant != usize::from(!place.is_first) {
        return Err("{grant} is in the second request, once, and in no other".to_owned());
    }
    if count(&FieldValue::Actor) > usize::from(place.is_first) {
        return Err("{actor_token} is in the first request, at most once".to_owned());
    }
    let grant_type = fields.iter().find(|field| field.name == "grant_type");
    if !grant_type.is_some_and(|field| matches!(field.value, FieldValue::Text(_))) {
        return Err("grant_type is missing, or is not a text".to_owned());
    }
    let token_type = written.token_type.unwrap_or_else(|| "Bearer".to_owned());
    if place.is_last && !token_type.eq_ignore_ascii_case("bearer") {
        return Err("token_type of the last answer is Bearer: services get no other".to_owned());
    }
    Ok(DialectRequest {
        fields,
        token_type,
        issued_token_types: written.issued_token_types,
    })
}

/// Reads a value: a text, or a placeholder alone.
fn value(text: &str) -> Result<FieldValue, String> {
    let inner = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    Ok(match inner {
        None if text.contains(['{', '}']) => {
            return Err(format!("{text:?}: a placeholder stands alone"));
        }
        None => FieldValue::Text(text.to_owned()),
        Some("subject_token") => FieldValue::Subject,
        Some("actor_token") => FieldValue::Actor,
        Some("grant") => FieldValue::Grant,
        Some("audience") => FieldValue::Audience,
        Some("scopes") => FieldValue::Scopes,
        Some(other) => match other.strip_prefix("parameters.") {
            Some(name) if !name.is_empty() => FieldValue::Parameter(name.to_owned()),
            _ => {
                return Err(format!(
                    "{text:?}: expected {{subject_token}}, {{actor_token}}, {{grant}}, \
                     {{audience}}, {{scopes}} or {{parameters.NAME}}"
                ));
            }
        },
    })
}
