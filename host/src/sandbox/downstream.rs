//! The `downstream` import: a tool's request goes to the services of this call.

use futures_util::future::join_all;

use super::bindings::bailiwick::tool::downstream as wit;
use super::state::CallState;
use crate::downstream::{DownstreamError, Part, Piece, Request, Response};

impl wit::Host for CallState {
    async fn send(
        &mut self,
        request: wit::Request,
    ) -> wasmtime::Result<Result<wit::Response, wit::Error>> {
        let began = self.ticks();
        let services = &self.scope("downstream")?.services;
        let answer = services.send(request.into()).await;
        self.answered(began, [&answer]);
        Ok(answer.map(Into::into).map_err(Into::into))
    }

    async fn send_all(
        &mut self,
        requests: Vec<wit::Request>,
    ) -> wasmtime::Result<Vec<Result<wit::Response, wit::Error>>> {
        let began = self.ticks();
        let call = self.scope("downstream")?;
        // A batch that is certainly over the bound must cost the host nothing more.
        let over = requests
            .len()
            .saturating_sub(call.most_requests.saturating_add(1));
        let within = requests.len().saturating_sub(over);
        let asked = requests
            .into_iter()
            .take(within)
            .map(|request| call.services.send(request.into()));
        let answers = join_all(asked).await;
        self.answered(began, &answers);
        let answers = answers.into_iter();
        let answers = answers.map(|answer| answer.map(Into::into).map_err(Into::into));
        Ok(answers
            .chain(std::iter::repeat_with(|| Err(wit::Error::QuotaExhausted)).take(over))
            .collect())
    }
}

impl CallState {
    /// Takes note that the guest waited for these answers. Requests that the host did not even try
    /// do not count, because there may be any number of them.
    fn answered<'a>(
        &mut self,
        began: u64,
        answers: impl IntoIterator<Item = &'a Result<Response, DownstreamError>>,
    ) {
        let tried = |answer: &Result<_, _>| !matches!(answer, Err(DownstreamError::QuotaExhausted));
        if answers.into_iter().any(tried) {
            self.waited_since(began);
        }
    }
}

impl From<wit::Request> for Request {
    fn from(request: wit::Request) -> Self {
        Self {
            service: request.service,
            method: request.method,
            path: request.path.into_iter().map(Into::into).collect(),
            query: request
                .query
                .into_iter()
                .map(|(key, part)| (key, part.into()))
                .collect(),
            headers: request.headers,
            body: request.body,
        }
    }
}

impl From<wit::Part> for Part {
    fn from(part: wit::Part) -> Self {
        Self(match part {
            wit::Part::Text(text) => vec![Piece::Text(text)],
            wit::Part::ActorSub => vec![Piece::ActorSub],
            wit::Part::ActorTenant => vec![Piece::ActorTenant],
            wit::Part::ActorIssuer => vec![Piece::ActorIssuer],
            wit::Part::Joined(pieces) => pieces.into_iter().map(Into::into).collect(),
        })
    }
}

impl From<wit::Piece> for Piece {
    fn from(piece: wit::Piece) -> Self {
        match piece {
            wit::Piece::Text(text) => Self::Text(text),
            wit::Piece::ActorSub => Self::ActorSub,
            wit::Piece::ActorTenant => Self::ActorTenant,
            wit::Piece::ActorIssuer => Self::ActorIssuer,
        }
    }
}

impl From<Response> for wit::Response {
    fn from(response: Response) -> Self {
        Self {
            status: response.status,
            headers: response.headers,
            body: response.body,
        }
    }
}

impl From<DownstreamError> for wit::Error {
    fn from(error: DownstreamError) -> Self {
        match error {
            DownstreamError::UnknownService => Self::UnknownService,
            DownstreamError::NotGranted(why) | DownstreamError::PolicyUnavailable(why) => {
                Self::NotGranted(why)
            }
            DownstreamError::DeniedByRule(denied) => Self::NotGranted(denied.to_string()),
            // The name of its rule is for the operator.
            DownstreamError::DeniedByPolicy(_) => {
                Self::NotGranted("the operator's policy point denies it".into())
            }
            DownstreamError::InvalidRequest(why) => Self::InvalidRequest(why),
            // The interface has no case of its own for them. None is worth another try.
            error @ (DownstreamError::Denied | DownstreamError::DenialsUnavailable) => {
                Self::NotGranted(error.to_string())
            }
            DownstreamError::DefinitionChanged => Self::NotGranted(
                "the remote server's definition of the tool is not the one that the operator \
                 accepted"
                    .into(),
            ),
            DownstreamError::IdentityUnavailable => Self::IdentityUnavailable,
            DownstreamError::ConsentRequired(hint) => Self::ConsentRequired(hint),
            DownstreamError::ScopeDenied(scopes) => Self::ScopeDenied(scopes),
            DownstreamError::CredentialRefused(why) => Self::CredentialRefused(why),
            DownstreamError::Unavailable(what) => Self::Unavailable(what),
            DownstreamError::TimedOut => Self::TimedOut,
            DownstreamError::TooLarge => Self::TooLarge,
            DownstreamError::QuotaExhausted => Self::QuotaExhausted,
            DownstreamError::UnknownOutcome(_) => Self::UnknownOutcome,
            DownstreamError::AuditUnavailable => {
                Self::Unavailable("the host cannot record the call".into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, clippy::unwrap_used, reason = "tests")]
    use std::sync::{Arc, Mutex, PoisonError};

    use futures_util::future::BoxFuture;

    use super::super::state::{CallScope, Purpose};
    use super::super::testing::{envelope_of_test, state_of_test as state};
    use super::wit::Host as _;
    use super::*;
    use crate::conditions::DeniedBy;
    use crate::downstream::Services;

    /// Services that answer a request for `orders` with its body and know no other service.
    #[derive(Default)]
    struct Echo(Mutex<Vec<Request>>);

    impl Services for Echo {
        fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, DownstreamError>> {
            let answer = match request.service.as_str() {
                "orders" => Ok(Response {
                    status: 200,
                    headers: Vec::new(),
                    body: request.body.clone(),
                }),
                _ => Err(DownstreamError::UnknownService),
            };
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(request);
            Box::pin(async { answer })
        }
    }

    impl Echo {
        fn asked(&self) -> usize {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
        }
    }

    fn call(services: &Arc<Echo>, most_requests: usize) -> Purpose {
        Purpose::Call(Box::new(CallScope {
            envelope: envelope_of_test(),
            services: Arc::<Echo>::clone(services),
            most_requests,
            settings: "{}".into(),
            client: Arc::default(),
            reports: None,
        }))
    }

    fn request(service: &str) -> wit::Request {
        wit::Request {
            service: service.into(),
            method: "POST".into(),
            path: vec![wit::Part::Text("v1".into()), wit::Part::ActorSub],
            query: vec![("t".into(), wit::Part::ActorTenant)],
            headers: vec![("accept".into(), "*/*".into())],
            body: b"body".to_vec(),
        }
    }

    #[tokio::test]
    async fn a_tools_request_reaches_the_services_of_its_call_as_it_was_made() {
        let services = Arc::<Echo>::default();
        let Some(mut state) = state(call(&services, 16)) else {
            panic!("no state");
        };
        let sent = state.send(request("orders")).await;
        assert!(
            matches!(&sent, Ok(Ok(answer)) if answer.status == 200 && answer.body == b"body"),
            "{sent:?}"
        );
        let sent = state.send(request("billing")).await;
        assert!(
            matches!(sent, Ok(Err(wit::Error::UnknownService))),
            "{sent:?}"
        );
        let asked = services.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [first, _] = asked.as_slice() else {
            panic!("{asked:?}");
        };
        assert_eq!(first.method, "POST");
        let part = |piece| Part(vec![piece]);
        let segments = [part(Piece::Text("v1".into())), part(Piece::ActorSub)];
        assert_eq!(first.path, segments);
        assert_eq!(first.query, [("t".to_owned(), part(Piece::ActorTenant))]);
        assert_eq!(first.headers, [("accept".to_owned(), "*/*".to_owned())]);
    }

    #[tokio::test]
    async fn of_many_requests_the_first_over_the_bound_is_the_last_to_reach_the_services() {
        let services = Arc::<Echo>::default();
        let Some(mut state) = state(call(&services, 2)) else {
            panic!("no state");
        };
        let sent = state.send_all(vec![request("orders"); 5]).await;
        let answers = sent.unwrap_or_default();
        // The services see one request over the bound, so that they can refuse and record it.
        assert_eq!((answers.len(), services.asked()), (5, 3));
        let refused =
            |answer: &Result<_, wit::Error>| matches!(answer, Err(wit::Error::QuotaExhausted));
        assert_eq!(answers.iter().filter(|answer| refused(answer)).count(), 2);
    }

    #[derive(serde::Deserialize)]
    struct Refusal {
        text: String,
        rule: Option<String>,
        unclear: Option<String>,
    }

    /// The SDKs read the rule's name from the same texts.
    #[test]
    fn a_tool_reads_which_rule_denies_its_request() {
        let cases = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../guest-sdk/tests/refusals.json"
        );
        let cases = std::fs::read_to_string(cases).unwrap();
        for case in serde_json::from_str::<Vec<Refusal>>(&cases).unwrap() {
            let Some(rule) = case.rule else {
                continue;
            };
            let denied = DeniedBy {
                rule: rule.into(),
                unclear: case.unclear,
            };
            let told = wit::Error::from(DownstreamError::DeniedByRule(denied));
            assert!(matches!(told, wit::Error::NotGranted(text) if text == case.text));
        }
    }

    #[tokio::test]
    async fn outside_a_call_there_are_no_services() {
        let Some(mut state) = state(Purpose::Describe) else {
            panic!("no state");
        };
        assert!(state.send(request("orders")).await.is_err());
        assert!(state.send_all(vec![request("orders")]).await.is_err());
    }

    #[tokio::test]
    async fn only_requests_that_were_tried_are_waits() {
        let answer = |error| Err::<Response, _>(error);
        for (answers, waited) in [
            (vec![answer(DownstreamError::UnknownService)], true),
            (vec![answer(DownstreamError::QuotaExhausted)], false),
            (
                vec![
                    answer(DownstreamError::QuotaExhausted),
                    answer(DownstreamError::TimedOut),
                ],
                true,
            ),
            (Vec::new(), false),
        ] {
            let Some(mut state) = state(Purpose::Describe) else {
                panic!("no state");
            };
            // Ticks have come since.
            state.answered(u64::MAX, &answers);
            assert_eq!(state.has_waited(), waited, "{answers:?}");
        }
    }
}
