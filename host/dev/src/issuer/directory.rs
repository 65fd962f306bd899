//! The users and clients of the development issuer, with their rights.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A person who can be the subject of tokens.
#[derive(Clone, Debug)]
pub struct User {
    /// The subject.
    pub sub: String,
    /// The name for people, if any.
    pub name: Option<String>,
    /// The tenant in the tokens, if any.
    pub tenant: Option<String>,
    /// The scopes that a client can get when the user logs in; `None` for every scope.
    pub scopes: Option<Vec<String>>,
    /// The scopes that the user may request by exchange, by audience.
    pub may: BTreeMap<String, Vec<String>>,
}

impl User {
    /// Makes a user without rights.
    pub fn new(sub: &str) -> Self {
        Self {
            sub: sub.to_owned(),
            name: None,
            tenant: None,
            scopes: None,
            may: BTreeMap::new(),
        }
    }

    /// Returns true if a client can get this scope when the user logs in.
    pub(super) fn may_be_granted(&self, scope: &str) -> bool {
        let scopes = self.scopes.as_ref();
        scopes.is_none_or(|scopes| scopes.iter().any(|granted| granted == scope))
    }

    /// Lets the user request scopes at an audience.
    #[must_use]
    pub fn may(mut self, audience: &str, scopes: &[&str]) -> Self {
        allow(&mut self.may, audience, scopes);
        self
    }

    /// Returns `alice` and `bob`, who may read and write orders and read their accounts, and
    /// `carol`, who may not.
    pub fn samples() -> Vec<Self> {
        let customer = |sub| {
            Self::new(sub)
                .may("orders", &["orders:read", "orders:write"])
                .may("billing", &["billing:read"])
        };
        vec![
            customer("alice"),
            customer("bob"),
            Self::new("carol").may("orders", &[]).may("billing", &[]),
        ]
    }
}

/// A client that may use the token endpoint.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its identifier.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// The scopes that it may request for itself, by audience.
    pub may: BTreeMap<String, Vec<String>>,
    /// Whether it may exchange tokens.
    pub exchanges: bool,
}

impl Client {
    /// Makes a client without rights.
    pub fn new(id: &str, secret: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            may: BTreeMap::new(),
            exchanges: false,
        }
    }

    /// Lets the client request scopes at an audience, for itself.
    #[must_use]
    pub fn may(mut self, audience: &str, scopes: &[&str]) -> Self {
        allow(&mut self.may, audience, scopes);
        self
    }

    /// Returns the host as `bailiwick`, which may exchange and read reports, and the autonomous
    /// agent `robot`, which may neither.
    pub fn samples() -> Vec<Self> {
        vec![Self::host(), Self::new("robot", "a secret of the robot")]
    }

    /// Returns the host: the client `bailiwick`.
    pub fn host() -> Self {
        let host = Self::new("bailiwick", "a secret of the host & only of it")
            .may("reports", &["reports:read"]);
        Self {
            exchanges: true,
            ..host
        }
    }
}

fn allow(may: &mut BTreeMap<String, Vec<String>>, audience: &str, scopes: &[&str]) {
    let allowed = may.entry(audience.to_owned()).or_default();
    allowed.extend(scopes.iter().map(|&scope| scope.to_owned()));
}

/// All users and clients.
pub(super) struct Directory {
    users: Vec<User>,
    clients: Vec<Client>,
    /// The scopes that everyone may request, by audience.
    open: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Directory {
    pub(super) fn new(users: Vec<User>, clients: Vec<Client>) -> Self {
        Self {
            users,
            clients,
            open: Mutex::default(),
        }
    }

    /// Lets everyone request scopes at an audience.
    pub(super) fn open(&self, audience: &str, scopes: &[String]) {
        self.lock().insert(audience.to_owned(), scopes.to_vec());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<String>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the audience at which a client may have all these scopes.
    pub(super) fn audience_of(&self, client: &Client, scopes: &[String]) -> Option<String> {
        let open = self.lock();
        let mut audiences = client.may.iter().chain(&*open);
        let found =
            audiences.find(|(_, allowed)| scopes.iter().all(|scope| allowed.contains(scope)));
        found.map(|(audience, _)| audience.clone())
    }

    pub(super) fn users(&self) -> &[User] {
        &self.users
    }

    pub(super) fn user(&self, sub: &str) -> Option<&User> {
        self.users.iter().find(|user| user.sub == sub)
    }

    pub(super) fn client(&self, id: &str, secret: &str) -> Option<&Client> {
        self.clients
            .iter()
            .find(|client| client.id == id && client.secret == secret)
    }

    /// Returns the scopes that a subject may request at an audience; `None` if the audience is not
    /// for it.
    pub(super) fn allowance(&self, sub: &str, audience: &str) -> Option<Vec<String>> {
        let client = || self.clients.iter().find(|client| client.id == sub);
        let may = match self.user(sub) {
            Some(user) => Some(&user.may),
            None => client().map(|client| &client.may),
        };
        let own = may.and_then(|may| may.get(audience));
        let open = self.lock();
        let all = [own, open.get(audience)];
        let known = all.iter().any(Option::is_some);
        known.then(|| all.into_iter().flatten().flatten().cloned().collect())
    }
}
