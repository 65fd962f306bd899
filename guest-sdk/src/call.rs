//! One call, as a function sees it: its identity, its settings, and its connections to the outside.
//!
//! Made by [`crate::export`] for a real call and by `testing::Scene` for a test. Invariant: nothing
//! here takes a user, a tenant, a token or an address, because the host decides these.

use std::time::Duration;

use serde::de::{DeserializeOwned, IgnoredAny};

use crate::identity::{
    Asked, Binding, Correlation, DelegationMode, Envelope, Executor, GrantedService, Login,
    Principal,
};
use crate::log::{self, Level};
#[cfg(target_arch = "wasm32")]
use crate::outside::Outside as _;
use crate::outside::Reached;
use crate::questions::Decided;
use crate::{Answer, Client, DownstreamError, Error, Request, Response, Service};

/// One call: of a tool, a resource, a prompt or a completion.
pub struct Call {
    asked: Asked,
    answers: Vec<(String, String)>,
    state: Option<Vec<u8>>,
    outside: Reached,
}

impl Call {
    /// Begins a call that reaches `outside`.
    pub(crate) fn new(
        outside: Reached,
        answers: Vec<(String, String)>,
        state: Option<Vec<u8>>,
    ) -> Self {
        Self {
            asked: Asked::default(),
            answers,
            state,
            outside,
        }
    }

    /// Returns the principal that asked, which is always the pair (`iss`, `sub`).
    pub fn actor(&self) -> &Principal {
        self.asked.actor.get_or_init(|| self.outside.actor())
    }

    /// Returns the actor's login.
    pub fn login(&self) -> &Login {
        self.asked.login.get_or_init(|| self.outside.login())
    }

    /// Returns the client that executes for the actor.
    pub fn agent(&self) -> &Executor {
        self.asked.agent.get_or_init(|| self.outside.agent())
    }

    /// Returns the session of the call. For correlation only, never an input to a decision.
    pub fn session(&self) -> &Correlation {
        self.asked.session.get_or_init(|| self.outside.session())
    }

    /// Returns the token's scopes, narrowed to what this call requires; sorted. The scopes that
    /// the function declares are always there.
    pub fn scopes(&self) -> &[String] {
        self.asked.scopes.get_or_init(|| self.outside.scopes())
    }

    /// Returns the services that this call may reach, sorted by name.
    pub fn services(&self) -> &[GrantedService] {
        self.asked.services.get_or_init(|| self.outside.services())
    }

    /// Returns the mode in which the host calls a service, if the call may reach it.
    pub fn mode_of(&self, service: &str) -> Option<DelegationMode> {
        let granted = self.services().iter().find(|held| held.name == service);
        granted.map(|held| held.mode)
    }

    /// Returns the values that bind the envelope: this call, its component and its arguments.
    pub fn binding(&self) -> &Binding {
        self.asked.binding.get_or_init(|| self.outside.binding())
    }

    /// Returns the Execution Identity Envelope as signed JSON, character for character as a
    /// verifier needs it.
    pub fn envelope_json(&self) -> &str {
        self.asked
            .envelope
            .get_or_init(|| self.outside.envelope_json())
    }

    /// Returns the whole envelope as a value that can be a result or part of one.
    pub fn envelope(&self) -> Envelope {
        Envelope(self.envelope_json().to_owned())
    }

    /// Returns the client, which says about itself what it speaks and can do.
    pub fn client(&self) -> Client<'_> {
        Client::new(self)
    }

    /// Returns a service that the function declares and the operator granted.
    pub fn service<'call>(&'call self, name: &'call str) -> Service<'call> {
        Service::new(self, name)
    }

    /// Sends several requests at once; the answers are in the order of the requests.
    pub fn send_all<'call>(
        &self,
        requests: impl IntoIterator<Item = Request<'call>>,
    ) -> Vec<Result<Response, DownstreamError>> {
        let requests = requests.into_iter().map(Request::into_wire).collect();
        let answers = self.outside().send_all(requests);
        answers
            .into_iter()
            .map(|answer| answer.map(Response))
            .collect()
    }

    /// Returns the operator's settings for this component; an empty object if there are none.
    ///
    /// # Errors
    /// [`Error::Failed`] if the settings do not have the shape of `T`; the operator's log has the
    /// reason.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.outside().settings()).map_err(|error| {
            log::write(
                Level::Error,
                &format!("settings of this component: {error}"),
            );
            Error::failed("the operator's settings for this tool are not as it needs them")
        })
    }

    /// Reports progress to the client. `done` must grow; `total` is its value at the end, if known.
    pub fn progress<'text>(
        &self,
        done: f64,
        total: impl Into<Option<f64>>,
        message: impl Into<Option<&'text str>>,
    ) {
        self.outside().progress(done, total.into(), message.into());
    }

    /// Returns the time since 1970-01-01 UTC, in steps of at least a millisecond.
    pub fn now(&self) -> Duration {
        Duration::from_millis(self.outside().now())
    }

    /// Returns random bytes from the host's cryptographically secure generator.
    pub fn random<const LEN: usize>(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        self.outside().random(&mut bytes);
        bytes
    }

    /// Returns the user's answer to a form asked before
    /// ([`Questions::form`](crate::Questions::form)), if there is one.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if what the user filled in does not have the shape of `T`.
    pub fn form<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Answer<T>>, Error> {
        self.answer::<Decided<T>>(key)?
            .map(Decided::into_answer)
            .transpose()
            .map_err(|why| Error::InvalidInput(format!("the answer to `{key}`: {why}")))
    }

    /// Returns the user's decision about a page shown before
    /// ([`Questions::url`](crate::Questions::url)), if there is one. It says whether the user
    /// agreed to open the page, not what happened there.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the answer is no decision.
    pub fn page(&self, key: &str) -> Result<Option<Answer<()>>, Error> {
        let decided = self.answer::<Decided<IgnoredAny>>(key)?;
        Ok(decided.map(|decided| decided.action.of(|| ())))
    }

    /// Returns the client's answer to any question asked before, as the client gave it: for a form
    /// `{"action": …, "content": …}`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the answer does not have the shape of `T`.
    pub fn answer<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let answer = self.answers.iter().find(|(held, _)| held == key);
        let parsed = answer
            .map(|(_, json)| serde_json::from_str(json))
            .transpose();
        parsed.map_err(|error| Error::InvalidInput(format!("the answer to `{key}`: {error}")))
    }

    /// Returns the state given with the questions, unchanged and unseen by the client.
    pub fn state(&self) -> Option<&[u8]> {
        self.state.as_deref()
    }

    pub(crate) fn outside(&self) -> &Reached {
        &self.outside
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;
    use crate::testing::Scene;

    #[test]
    fn settings_answers_and_state_are_typed() {
        let scene = Scene::new().settings(r#"{"currency":"EUR"}"#);
        let call = scene.answer("sure", "true").state(b"step 2").call();
        let settings: Result<std::collections::BTreeMap<String, String>, _> = call.settings();
        assert_eq!(
            settings.map(|held| held.get("currency").cloned()),
            Ok(Some("EUR".into()))
        );
        assert_eq!(call.answer::<bool>("sure"), Ok(Some(true)));
        assert_eq!(call.answer::<bool>("other"), Ok(None));
        assert!(matches!(
            call.answer::<u8>("sure"),
            Err(Error::InvalidInput(_))
        ));
        assert_eq!(call.state(), Some(b"step 2".as_slice()));
        assert!(matches!(call.settings::<Vec<u8>>(), Err(Error::Failed(_))));
    }

    #[test]
    fn a_request_reaches_the_outside_as_built() {
        let scene = Scene::new().on_send(|request| {
            let headers = [("content-type".to_owned(), "application/json".to_owned())];
            assert_eq!(
                (&*request.service, &*request.method),
                ("orders_api", "POST")
            );
            assert_eq!(request.path, path!["orders", Part::ActorSub]);
            assert_eq!(request.query, [("dry".to_owned(), Part::from(1_u32))]);
            assert_eq!(
                (&*request.headers, &*request.body),
                (&headers[..], b"[1]".as_slice())
            );
            Ok(Response::new(201, "{}"))
        });
        let call = scene.call();
        let path = path!["orders", Part::ActorSub];
        let request = call
            .service("orders_api")
            .post(path)
            .query("dry", 1_u32)
            .json(&[1]);
        let answer = request.map(Request::send);
        assert_eq!(answer, Ok(Ok(Response::new(201, "{}"))));
    }

    #[test]
    fn several_requests_are_answered_in_order() {
        let scene = Scene::new().on_send(|request| match request.path.first() {
            Some(Part::Text(text)) if text == "2" => Err(DownstreamError::TimedOut),
            _ => Ok(Response::new(200, "")),
        });
        let call = scene.call();
        let service = call.service("orders_api");
        let answers = call.send_all(["1", "2", "3"].map(|id| service.get([id])));
        let oks: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(oks, [true, false, true]);
    }

    #[test]
    fn the_host_is_asked_for_each_answer_at_most_once() {
        let asked = std::rc::Rc::new(std::cell::Cell::new(0));
        let counted = std::rc::Rc::clone(&asked);
        let scene = Scene::new().actor("user_7").identity(|identity| {
            identity.scopes = vec!["orders:read".to_owned()];
        });
        let call = scene
            .on_question(move || counted.set(counted.get() + 1))
            .call();
        assert_eq!(asked.get(), 0);
        assert_eq!(call.actor().sub, "user_7");
        assert_eq!(call.actor().iss, "https://idp.example");
        assert_eq!(asked.get(), 1);
        assert_eq!(call.scopes(), call.scopes());
        assert_eq!(call.mode_of("orders_api"), call.mode_of("billing_api"));
        assert_eq!(asked.get(), 3);
    }

    #[test]
    fn an_envelope_is_a_result_as_it_is() {
        let call = Scene::new().actor("user_7").call();
        let shown = serde_json::to_string(&call.envelope()).unwrap_or_default();
        assert_eq!(shown, call.envelope_json());
        assert!(shown.contains("user_7"));
    }

    #[test]
    fn time_and_randomness_are_there() {
        let call = Scene::new().now(1_763_712_000_000).call();
        assert_eq!(call.now().as_secs(), 1_763_712_000);
        assert_ne!(call.random::<16>(), call.random::<16>());
    }
}
