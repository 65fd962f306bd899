//! What a grant denies by content: `deny = [{ request = "POST /refunds", when = "..." }]`.
//!
//! A rule names requests by method and path, and has a condition in CEL over what is about to be
//! sent and who asks. Trusts the operator's text, and no value that it is about. Knows no service
//! and no credential.
//!
//! Invariant: a condition that cannot be evaluated denies. What a condition reads has one meaning:
//! a body that two programs could read in two ways is as good as unreadable.

mod body;
mod expression;
mod pattern;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};

use expression::Expression;

pub use expression::ConditionError;
pub use pattern::{NotARequestPattern, RequestPattern, may_read_as};

/// One rule of a grant's `deny`.
#[derive(Debug, Clone)]
pub struct DenyRule {
    name: Arc<str>,
    /// The service that it is about, if not about all.
    service: Option<String>,
    request: RequestPattern,
    condition: Arc<Expression>,
}

/// A request that is about to be sent, and who asks.
#[derive(Debug, Clone, Copy)]
pub struct RequestFacts<'a> {
    /// The service's name in the configuration.
    pub service: &'a str,
    /// The method.
    pub method: &'a str,
    /// Path and query below the service's URL, as they are sent.
    pub target: &'a str,
    /// The value of `Content-Type`, if there is one.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
    /// The arguments of the call.
    pub arguments: &'a Value,
    /// The actor's subject.
    pub sub: &'a str,
    /// The actor's tenant, if there is one.
    pub tenant: Option<&'a str>,
    /// The alias of the actor's issuer.
    pub issuer: &'a str,
    /// The agent.
    pub agent: &'a str,
}

impl RequestFacts<'_> {
    /// Returns the path as it is sent, without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns the query as conditions see it: a text for each name.
    ///
    /// # Errors
    /// Says why it has no one meaning.
    pub fn query(&self) -> Result<Value, String> {
        let (_, query) = self.target.split_once('?').unwrap_or_default();
        let why = "the query names a key twice, has too many of them, or is not UTF-8";
        body::fields(query.as_bytes()).ok_or_else(|| why.to_owned())
    }

    /// Returns the body as conditions see it: JSON, or a text for each field of a form.
    ///
    /// # Errors
    /// Says why it has no one meaning.
    pub fn read_body(&self) -> Result<Value, String> {
        body::read(self.content_type, self.body)
    }
}

/// A rule that denies a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedBy {
    /// The rule's name, such as `components.orders.deny[1]`.
    pub rule: Arc<str>,
    /// The reason why its condition could not be evaluated, if it could not.
    pub unclear: Option<String>,
}

impl DenyRule {
    /// Makes the rule with this name, which is its place in the configuration.
    ///
    /// # Errors
    /// Fails if `when` is no condition.
    pub fn new(
        name: &str,
        service: Option<String>,
        request: RequestPattern,
        when: &str,
    ) -> Result<Self, ConditionError> {
        Ok(Self {
            name: name.into(),
            service,
            request,
            condition: Arc::new(when.parse()?),
        })
    }

    /// Returns its name, such as `components.orders.deny[1]`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the text of its condition.
    pub fn condition(&self) -> &str {
        self.condition.text()
    }

    /// Returns true if its condition depends on the arguments of the call and on nothing that is
    /// sent. A tool may send something else.
    pub fn is_about_arguments_alone(&self) -> bool {
        self.reads("arguments") && !self.reads("request")
    }

    /// Returns true if its condition reads this, such as `arguments` or `request.body`.
    pub fn reads(&self, name: &str) -> bool {
        self.condition.reads(name)
    }

    /// Returns true if it is about a service's requests of this template, such as `POST /refunds`
    /// or `GET /orders/{}?status={}`.
    pub fn may_concern(&self, service: &str, template: &str) -> bool {
        self.is_about(service) && self.request.may_match(template)
    }

    fn is_about(&self, service: &str) -> bool {
        self.service.as_deref().is_none_or(|own| own == service)
    }

    /// Returns true if it is about this request, so that its condition decides.
    pub fn concerns(&self, asked: &RequestFacts<'_>) -> bool {
        self.is_about(asked.service) && self.request.matches(asked.method, asked.path())
    }

    /// Returns the denial, if this rule denies the request. `read` is its body, once a rule reads
    /// it. The larger what it [reads](Self::reads), the longer it takes.
    pub fn denies(&self, asked: &RequestFacts<'_>, read: &BodyOnce) -> Option<DeniedBy> {
        if !self.concerns(asked) {
            return None;
        }
        let facts = match self.facts(asked, read) {
            Ok(facts) => facts,
            Err(why) => return Some(self.denial(Some(why))),
        };
        match self.condition.holds(facts) {
            Ok(true) => Some(self.denial(None)),
            Ok(false) => None,
            Err(why) => Some(self.denial(Some(why))),
        }
    }

    /// Returns its denial of a request, with the reason why its condition could not be evaluated,
    /// if it could not.
    pub fn denial(&self, unclear: Option<String>) -> DeniedBy {
        DeniedBy {
            rule: Arc::clone(&self.name),
            unclear,
        }
    }

    /// Returns the variables of the condition. Only what it reads must be readable.
    fn facts(
        &self,
        asked: &RequestFacts<'_>,
        read: &BodyOnce,
    ) -> Result<[(&'static str, Value); 4], String> {
        let mut request = Map::from_iter([("path".to_owned(), json!(asked.path()))]);
        if self.reads("request.query") {
            request.insert("query".to_owned(), asked.query()?);
        }
        if self.reads("request.body") {
            let body = read.get_or_init(|| asked.read_body());
            request.insert("body".to_owned(), body.clone()?);
        }
        let mut actor = json!({"sub": asked.sub, "issuer": asked.issuer});
        if let (Some(tenant), Some(members)) = (asked.tenant, actor.as_object_mut()) {
            members.insert("tenant".to_owned(), json!(tenant));
        }
        let arguments = if self.reads("arguments") {
            asked.arguments.clone()
        } else {
            Value::Null
        };
        Ok([
            ("request", Value::Object(request)),
            ("arguments", arguments),
            ("actor", actor),
            ("agent", json!(asked.agent)),
        ])
    }
}

/// Returns the first of these rules that denies a request.
pub fn denial(rules: &[DenyRule], asked: &RequestFacts<'_>) -> Option<DeniedBy> {
    let read = BodyOnce::new();
    rules.iter().find_map(|rule| rule.denies(asked, &read))
}

/// A body as all conditions see it, or why they cannot. Reading it takes long.
pub type BodyOnce = OnceLock<Result<Value, String>>;

impl fmt::Display for DeniedBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the operator's rule {} denies it", self.rule)?;
        match &self.unclear {
            Some(why) => write!(
                formatter,
                ", because its condition cannot be evaluated: {why}"
            ),
            None => Ok(()),
        }
    }
}
