//! Who the development issuer knows: users with what they may do where, and clients.

use std::collections::BTreeMap;

/// A person who can be the subject of tokens.
#[derive(Clone, Debug)]
pub struct User {
    /// The subject.
    pub sub: String,
    /// The tenant in the tokens, if any.
    pub tenant: Option<String>,
    /// What the user may ask of an audience by exchange: audience and scopes.
    pub may: BTreeMap<String, Vec<String>>,
}

impl User {
    /// A user with scopes at the audience `orders`.
    pub fn with_orders(sub: &str, scopes: &[&str]) -> Self {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        Self { sub: sub.to_owned(), tenant: None, may: BTreeMap::from([("orders".to_owned(), scopes)]) }
    }

    /// `alice` and `bob`, who may read and write orders, and `carol`, who may not.
    pub fn samples() -> Vec<Self> {
        vec![
            Self::with_orders("alice", &["orders:read", "orders:write"]),
            Self::with_orders("bob", &["orders:read", "orders:write"]),
            Self::with_orders("carol", &[]),
        ]
    }
}

/// A client that may ask the token endpoint.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its identifier.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// What it may ask for itself: audience and scopes.
    pub may: BTreeMap<String, Vec<String>>,
    /// Whether it may exchange tokens.
    pub exchanges: bool,
}

impl Client {
    /// The host as `bailiwick`, which may exchange, and the autonomous agent `robot`, which may not.
    pub fn samples() -> Vec<Self> {
        vec![
            Self {
                id: "bailiwick".into(),
                secret: "a secret of the host & only of it".into(),
                may: BTreeMap::from([("reports".to_owned(), vec!["reports:read".to_owned()])]),
                exchanges: true,
            },
            Self { id: "robot".into(), secret: "a secret of the robot".into(), may: BTreeMap::new(), exchanges: false },
        ]
    }
}

/// Everyone who is known.
pub(super) struct Directory {
    users: Vec<User>,
    clients: Vec<Client>,
}

impl Directory {
    pub(super) fn new(users: Vec<User>, clients: Vec<Client>) -> Self {
        Self { users, clients }
    }

    pub(super) fn user(&self, sub: &str) -> Option<&User> {
        self.users.iter().find(|user| user.sub == sub)
    }

    pub(super) fn client(&self, id: &str, secret: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id && client.secret == secret)
    }

    /// What a subject may ask of an audience; `None` if the audience is not for it.
    pub(super) fn allowance(&self, sub: &str, audience: &str) -> Option<&[String]> {
        let may = match self.user(sub) {
            Some(user) => &user.may,
            None => &self.clients.iter().find(|client| client.id == sub)?.may,
        };
        may.get(audience).map(Vec::as_slice)
    }
}
