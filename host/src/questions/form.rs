//! Forms: flat objects of primitive fields (MCP 2026-07-28, `ElicitRequestFormParams`; SEP-1034,
//! SEP-1330).
//!
//! Invariant: a schema that [`check`] returns has only the keywords that MCP gives a form, and no
//! field whose name is an identity or a credential. Forms pass through the client, so they never
//! ask for secrets.

use bailiwick_journal::chain;
use serde_json::{Map, Value, json};

use crate::characters::{Unfit, check_prose};
use crate::schema::{Schema, SchemaError, names_identity};

/// The reason why a form is not accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// It is not a schema that this host evaluates.
    #[error("{0}")]
    Schema(String),
    /// It is not a flat object.
    #[error("expected an object with `type`, `properties` and `required` alone")]
    Shape,
    /// It has too many fields.
    #[error("it has more than {MAX_FIELDS} fields")]
    Many,
    /// A field asks for an identity or a secret.
    #[error(
        "the field {0:?} names an identity or a secret; a form never asks for these, because the \
         client sees the answer; use a page (`url`), or rename the field if it is something else"
    )]
    Secret(String),
    /// A field is not primitive.
    #[error(
        "the field {0:?} is not a primitive of MCP: expected a string, number, integer, boolean, a \
         choice of strings, or an array of such a choice, with the keywords that MCP has for it"
    )]
    Field(String),
    /// The default of a field does not fit the field.
    #[error("the default of the field {0:?} does not fit it")]
    Default(String),
    /// A text could deceive its reader.
    #[error("a text of the field {0:?} is not accepted: {1}")]
    Text(String, Unfit),
}

impl From<SchemaError> for FormError {
    fn from(error: SchemaError) -> Self {
        Self::Schema(chain(&error))
    }
}

/// Checks the text of a form's schema, and returns it as clients get it.
pub(super) fn check(text: &str) -> Result<Value, FormError> {
    let compiled = Schema::compile(text)?;
    let schema = compiled.value().as_object().ok_or(FormError::Shape)?;
    let known = |name: &String| FORM.contains(&name.as_str());
    let is_object = schema.get("type") == Some(&json!("object"));
    let fields = schema.get("properties").and_then(Value::as_object);
    let (true, true, Some(fields)) = (is_object, schema.keys().all(known), fields) else {
        return Err(FormError::Shape);
    };
    if fields.len() > MAX_FIELDS {
        return Err(FormError::Many);
    }
    for (name, field) in fields {
        check_field(name, field)?;
    }
    let required = match schema.get("required") {
        None => Vec::new(),
        Some(required) => required.as_array().cloned().ok_or(FormError::Shape)?,
    };
    let has = |name: &Value| name.as_str().is_some_and(|name| fields.contains_key(name));
    if !required.iter().all(has) {
        return Err(FormError::Shape);
    }
    let mut form = json!({"type": "object", "properties": fields});
    if let (Some(form), false) = (form.as_object_mut(), required.is_empty()) {
        form.insert("required".to_owned(), required.into());
    }
    Ok(form)
}

/// Returns the fields of an answer that the form has, if they fit it.
pub(super) fn content(schema: &Value, content: Option<&Value>) -> Option<Value> {
    let fields = schema.get("properties")?.as_object()?;
    let given = match content {
        None => &Map::new(),
        Some(content) => content.as_object()?,
    };
    let own = given.iter().filter(|(name, _)| fields.contains_key(*name));
    let own: Map<_, _> = own
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let own = Value::Object(own);
    let schema = Schema::compile(&schema.to_string()).ok()?;
    schema.check(&own).is_ok().then_some(own)
}

fn check_field(name: &str, field: &Value) -> Result<(), FormError> {
    if names_identity(name) || names_secret(name) {
        return Err(FormError::Secret(name.to_owned()));
    }
    check_text(name, name)?;
    let not_primitive = || FormError::Field(name.to_owned());
    let members = field.as_object().ok_or_else(not_primitive)?;
    if members
        .get("title")
        .and_then(Value::as_str)
        .is_some_and(names_secret)
    {
        return Err(FormError::Secret(name.to_owned()));
    }
    for text in ["title", "description"] {
        match members.get(text) {
            None => {}
            Some(Value::String(text)) => check_text(name, text)?,
            Some(_) => return Err(not_primitive()),
        }
    }
    if !is_primitive(members) {
        return Err(not_primitive());
    }
    let Some(default) = members.get("default") else {
        return Ok(());
    };
    let schema = Schema::compile(&field.to_string())?;
    match schema.check(default) {
        Ok(()) => Ok(()),
        Err(_) => Err(FormError::Default(name.to_owned())),
    }
}

fn check_text(field: &str, text: &str) -> Result<(), FormError> {
    check_prose(text).map_err(|unfit| FormError::Text(field.to_owned(), unfit))
}

/// Returns true if a field has the keywords of one of MCP's primitives, and no others.
fn is_primitive(members: &Map<String, Value>) -> bool {
    let only = |names: &[&str]| {
        members
            .keys()
            .all(|key| COMMON.contains(&key.as_str()) || names.contains(&key.as_str()))
    };
    match members.get("type").and_then(Value::as_str) {
        Some("string") => match (members.get("enum"), members.get("oneOf")) {
            (None, None) => {
                only(&["minLength", "maxLength", "format"]) && has_known_format(members)
            }
            // `enumNames` is what earlier revisions have for titles.
            (Some(values), None) => only(&["enum", "enumNames"]) && are_texts(values),
            (None, Some(choices)) => only(&["oneOf"]) && are_choices(choices),
            (Some(_), Some(_)) => false,
        },
        Some("number" | "integer") => only(&["minimum", "maximum"]),
        Some("boolean") => only(&[]),
        Some("array") => {
            let items = members.get("items").and_then(Value::as_object);
            only(&["items", "minItems", "maxItems"]) && items.is_some_and(is_choice)
        }
        _ => false,
    }
}

/// Returns true if this is the schema of an item that is one of several texts.
fn is_choice(items: &Map<String, Value>) -> bool {
    match (items.get("enum"), items.get("anyOf"), items.len()) {
        (Some(values), None, 2) => items.get("type") == Some(&json!("string")) && are_texts(values),
        (None, Some(choices), 1) => are_choices(choices),
        _ => false,
    }
}

fn are_texts(values: &Value) -> bool {
    let good = |value: &Value| value.as_str().is_some_and(|text| check_prose(text).is_ok());
    values.as_array().is_some_and(|all| all.iter().all(good))
}

fn are_choices(choices: &Value) -> bool {
    let good = |choice: &Value| {
        let text = |name| choice.get(name).and_then(Value::as_str);
        let fits = |text: Option<&str>| text.is_some_and(|text| check_prose(text).is_ok());
        choice.as_object().is_some_and(|members| members.len() == 2)
            && fits(text("const"))
            && fits(text("title"))
    };
    choices.as_array().is_some_and(|all| all.iter().all(good))
}

fn has_known_format(members: &Map<String, Value>) -> bool {
    let known = ["email", "uri", "date", "date-time"];
    let format = members.get("format");
    format.is_none_or(|format| format.as_str().is_some_and(|name| known.contains(&name)))
}

/// Returns true if words of a name or a title stand for a secret: `db_password`, `githubApiKey`,
/// `Your password`.
fn names_secret(name: &str) -> bool {
    let mut words = vec![String::new()];
    let mut before_is_lower = false;
    for character in name.chars() {
        let begins = before_is_lower && character.is_uppercase();
        if !character.is_alphanumeric() || begins {
            words.push(String::new());
        }
        if let (Some(word), true) = (words.last_mut(), character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
        before_is_lower = character.is_lowercase();
    }
    let known = |name: &str| SECRETS.contains(&name) || SECRET_NAMES.contains(&name);
    // The second one is a secret, too.
    let is_secret = |words: &[String]| known(words.concat().trim_end_matches(char::is_numeric));
    let all = words.concat();
    // `tokens` are secrets, and `tokens_to_buy` are a number.
    (1..=3).any(|run| words.windows(run).any(is_secret)) || all.strip_suffix('s').is_some_and(known)
}

/// The keywords of a form.
const FORM: &[&str] = &[
    "$schema",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "title",
    "description",
];
/// The keywords of every field.
const COMMON: &[&str] = &["type", "title", "description", "default"];
/// Words of a name that stand for a secret.
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "credential",
    "credentials",
    "pin",
    "otp",
    "cvv",
    "cvc",
    "apikey",
    "jwt",
];
/// Adjacent words that stand for a secret together.
const SECRET_NAMES: &[&str] = &[
    "privatekey",
    "secretkey",
    "accesskey",
    "apikey",
    "onetimecode",
    "cardnumber",
    "creditcardnumber",
    "creditcard",
    "securitycode",
    "recoverycode",
    "seedphrase",
];
const MAX_FIELDS: usize = 32;
