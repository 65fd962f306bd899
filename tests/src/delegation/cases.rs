//! The ways in which the authorization server lies or fails, in words.

use bailiwick_dev::Misbehaviour;

/// One way, and what it is called in the report.
pub(super) type Case = (Misbehaviour, &'static str);

/// Answers with a token that must not be used.
pub(super) const LIES: [Case; 18] = [
    (Misbehaviour::WrongSubject, "another user"),
    (Misbehaviour::WrongAudience, "another audience"),
    (Misbehaviour::WrongIssuer, "another issuer"),
    (Misbehaviour::WrongKey, "a key that is not published"),
    (Misbehaviour::OtherClient, "another client"),
    (Misbehaviour::NullClient, "a client that is null"),
    (Misbehaviour::WiderScope, "more scope than was asked for"),
    (
        Misbehaviour::Details,
        "authorization details that nobody asked for",
    ),
    (Misbehaviour::DetailsInAnswer, "such details in the answer"),
    (
        Misbehaviour::Outlives,
        "a longer life than the caller's token",
    ),
    (Misbehaviour::SameToken, "the caller's own token"),
    (Misbehaviour::IdToken, "an ID token"),
    (Misbehaviour::BoundToKey, "a token that is bound to a key"),
    (
        Misbehaviour::WrongTokenType,
        "an ID token as the issued type",
    ),
    (
        Misbehaviour::NoTokenType,
        "no issued type (RFC 8693 §2.2.1)",
    ),
    (Misbehaviour::NumberAsType, "a number as the issued type"),
    (Misbehaviour::NotABearer, "a type that is no bearer"),
    (Misbehaviour::ScopeList, "a list as the scope"),
];

/// Lies about the actor, for gateways that present an actor token.
pub(super) const LIES_ABOUT_THE_ACTOR: [Case; 7] = [
    (Misbehaviour::NoActor, "no actor"),
    (Misbehaviour::WrongActor, "another actor"),
    (Misbehaviour::ForeignActor, "an actor of another issuer"),
    (Misbehaviour::NullActor, "an actor that is null"),
    (Misbehaviour::NullNested, "a prior actor that is null"),
    (
        Misbehaviour::NestedStranger,
        "a prior actor whom nobody named",
    ),
    (Misbehaviour::NestedDeep, "the same prior actor nine times"),
];

/// The lie for gateways that present none.
pub(super) const AN_ACTOR: [Case; 1] = [(Misbehaviour::ActorWhenNone, "an actor of its own")];

/// Answers without a token.
pub(super) const FAILURES: [Case; 6] = [
    (Misbehaviour::InvalidGrant, "the exchange is refused"),
    (Misbehaviour::ConsentRequired, "the user must consent first"),
    (Misbehaviour::ServerError, "the server has an error"),
    (Misbehaviour::Empty, "the answer is empty"),
    (Misbehaviour::HtmlPage, "the answer is a page"),
    (Misbehaviour::Redirect, "the answer is a redirect"),
];
