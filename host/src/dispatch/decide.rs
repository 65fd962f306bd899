//! The decision about one call: allowed with its reasons, or denied.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::catalog::Catalog;
use super::target::{GrantName, Kind, Target, TargetRequest};
use crate::identity::Caller;
use crate::reason::RefusalReason;

/// A call that the caller may make if its arguments are valid. Only [`allow`] builds it.
#[derive(Debug)]
pub struct Allowed {
    target: Target,
    arguments: Value,
    inexact: Option<String>,
}

/// A target with arguments that fit it, for a caller who may ask for it. Only [`Allowed::check`]
/// builds it.
#[derive(Debug)]
pub struct Decided {
    target: Target,
    arguments: Arc<Value>,
}

/// The reason why a call may not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The stable code.
    pub reason: RefusalReason,
    /// The target, if it exists. A name that a client invents is never recorded.
    pub target: Option<Named>,
    /// All scopes that the call needs, if some are missing, as the client asks for them. Without a
    /// good token, the scopes to begin with.
    pub scopes: Vec<String>,
    /// The capabilities that the client lacks, such as `elicitation.form`.
    pub lacking: Vec<String>,
    /// The text for the caller.
    pub message: String,
    /// The time after which another request is worth making, if it is known.
    pub wait: Option<Duration>,
    /// The identifier of the operator's denial, if that is the reason.
    pub denial: Option<String>,
}

/// A target by name, with the digest of its component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The kind of target.
    pub kind: Kind,
    /// The target's name.
    pub name: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub component: String,
    /// The grant that had allowed the call, if it was refused after that.
    pub grant: Option<GrantName>,
}

/// Decides whether `caller` may make this call.
///
/// # Errors
/// Fails if the caller may not, or if the call makes no sense.
pub fn decide(
    catalog: &Catalog,
    caller: &Caller,
    request: TargetRequest,
) -> Result<Decided, Denied> {
    allow(catalog, caller, request)?.check()
}

/// Decides whether `caller` may ask for this target with any arguments.
///
/// # Errors
/// Fails if the caller may not, or if there is no such target.
pub fn allow(
    catalog: &Catalog,
    caller: &Caller,
    request: TargetRequest,
) -> Result<Allowed, Denied> {
    let found = catalog.target(&request.wanted);
    // To another tenant it does not exist.
    let found = found.filter(|(target, _)| target.backing().is_offered_to(caller));
    let Some((target, variables)) = found else {
        let message = format!("there is no such {}", request.wanted.kind());
        return Err(Denied::general(RefusalReason::UnknownTarget, &message));
    };
    if !caller.has_scopes(target.scopes()) {
        let scopes = caller.spell(target.scopes());
        let (kind, needed) = (target.kind(), target.scopes().join(" "));
        let message = format!("this {kind} needs the scopes {needed}");
        return Err(Denied {
            scopes,
            ..Denied::of(&target, RefusalReason::InsufficientScope, message)
        });
    }
    Ok(Allowed {
        target,
        arguments: variables.map_or(request.arguments, Value::Object),
        inexact: request.inexact,
    })
}

impl Allowed {
    /// Returns the target that is asked for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Returns true if [`check`](Self::check) takes long enough to hold up others.
    pub fn is_costly(&self) -> bool {
        let input = self.target.input();
        input.is_some_and(|input| input.is_costly(&self.arguments))
    }

    /// Checks the arguments against the target's input schema.
    ///
    /// # Errors
    /// Fails if they are not valid.
    pub fn check(self) -> Result<Decided, Denied> {
        if let Some(number) = &self.inexact {
            let short: String = number.chars().take(40).collect();
            return Err(self.invalid(&format!(
                "the number {short} is not read alike by all programs (RFC 8785 §3.2.2.3): \
                 an integer beyond 2^53-1, or a fraction that is not the shortest of its value; \
                 shorten it, or send it as text where the target allows that"
            )));
        }
        let Some(input) = self.target.input() else {
            return Err(self.invalid("there are no suggestions for them"));
        };
        match input.check(&self.arguments) {
            Ok(()) => Ok(Decided {
                target: self.target,
                arguments: Arc::new(self.arguments),
            }),
            Err(wrong) => Err(self.invalid(&wrong)),
        }
    }

    fn invalid(&self, why: &str) -> Denied {
        let message = format!("the arguments are not valid: {why}");
        self.denied(RefusalReason::InvalidArguments, message)
    }

    /// Denies this call for `reason`.
    pub fn denied(&self, reason: RefusalReason, message: String) -> Denied {
        Denied::of(&self.target, reason, message)
    }
}

impl Decided {
    /// Returns the target of the call.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Returns the arguments, valid against the target's input schema.
    pub fn arguments(&self) -> &Arc<Value> {
        &self.arguments
    }
}

impl Denied {
    /// Denies a request that is not about one target.
    pub fn general(reason: RefusalReason, message: &str) -> Self {
        Self {
            reason,
            target: None,
            scopes: Vec::new(),
            lacking: Vec::new(),
            message: message.to_owned(),
            wait: None,
            denial: None,
        }
    }

    /// Returns the same because of the operator's denial with this identifier.
    #[must_use]
    pub fn because_of(self, denial: Option<&str>) -> Self {
        Self {
            denial: denial.map(String::from),
            ..self
        }
    }

    /// Denies a call of `target` that its grant had allowed.
    pub fn of_granted(target: &Target, reason: RefusalReason, message: String) -> Self {
        let mut denied = Self::of(target, reason, message);
        if let Some(named) = &mut denied.target {
            named.grant = Some(target.backing().grant.clone());
        }
        denied
    }

    /// Denies a call of `target`.
    pub fn of(target: &Target, reason: RefusalReason, message: String) -> Self {
        let named = Named {
            kind: target.kind(),
            name: target.name().to_owned(),
            component: target.backing().component.digest.clone(),
            grant: None,
        };
        Self {
            target: Some(named),
            message,
            ..Self::general(reason, "")
        }
    }
}
