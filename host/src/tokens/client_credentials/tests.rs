//! The host's own token from an authorization server that answers when the test lets it.
#![expect(clippy::expect_used, reason = "tests")]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rustls::RootCertStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::*;
use crate::egress::Tls;
use crate::egress::testing::loopback;
use crate::tokens::endpoint::{ClientProof, ClientSettings};

#[derive(Default)]
struct Standing(AtomicU64);

impl Clock for Standing {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A token endpoint that gives this answer as often as the test lets it, and counts the requests.
struct Server {
    uri: http::Uri,
    asked: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
}

impl Server {
    async fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let uri = format!(
            "http://{}/token",
            listener.local_addr().expect("an address")
        )
        .parse()
        .expect("a URI");
        let server = Self {
            uri,
            asked: Arc::default(),
            go: Arc::new(Semaphore::new(0)),
        };
        let (asked, go) = (Arc::clone(&server.asked), Arc::clone(&server.go));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer, Arc::clone(&asked), Arc::clone(&go)));
            }
        });
        server
    }

    fn client(
        &self,
        scopes: &[&str],
        expected: &[&str],
    ) -> (Arc<ClientCredentials>, Arc<Standing>) {
        let settings = ClientSettings::new(
            self.uri.clone(),
            loopback(),
            "bailiwick".into(),
            ClientProof::SecretBasic(SecretString::from("secret".to_owned())),
        );
        let tls = Tls::new(RootCertStore::empty()).expect("TLS");
        let list = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let asking = Asking {
            scopes: list(scopes),
            expected: list(expected),
            audience: None,
        };
        let clock = Arc::new(Standing::default());
        let shared: Arc<dyn Clock> = clock.clone();
        let endpoint = TokenEndpoint::new(settings, &tls, &shared);
        let client = ClientCredentials::new(endpoint, asking, shared);
        (Arc::new(client), clock)
    }

    async fn until_asked(&self) {
        while self.asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &str,
    asked: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
) -> Option<()> {
    loop {
        let mut request = Vec::new();
        // Each form states its own length, so nothing is cut off.
        let whole = |request: &[u8]| {
            let text = String::from_utf8_lossy(request);
            FORMS.iter().any(|form| {
                text.ends_with(form) && text.contains(&format!("content-length: {}\r", form.len()))
            })
        };
        while !whole(&request) {
            request.push(stream.read_u8().await.ok()?);
        }
        asked.fetch_add(1, Ordering::SeqCst);
        go.acquire().await.ok()?.forget();
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

const FORMS: &[&str] = &[
    "grant_type=client_credentials",
    "grant_type=client_credentials&scope=read",
];

macro_rules! answer {
    ($status:literal, $body:literal) => {
        concat!(
            "HTTP/1.1 ",
            $status,
            "\r\nTransfer-Encoding: chunked\r\n\r\n",
            $body,
            "\r\n0\r\n\r\n"
        )
    };
}

const GOOD: &str = answer!(
    "200 OK",
    "3b\r\n{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":600}"
);
const WIDER: &str = answer!(
    "200 OK",
    "45\r\n{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"scope\":\"read write admin\"}"
);
const DOWN: &str = answer!("500 Internal Server Error", "2\r\n{}");

#[tokio::test]
async fn one_request_answers_everyone_who_waits_whether_it_succeeds_or_fails() {
    for (answer, succeeds) in [(GOOD, true), (DOWN, false)] {
        let server = Server::start(answer).await;
        let (client, _) = server.client(&[], &[]);
        let ask = || {
            let client = Arc::clone(&client);
            tokio::spawn(async move { client.token().await.is_ok() })
        };
        let asking: Vec<_> = (0..8).map(|_| ask()).collect();
        server.until_asked().await;
        server.go.add_permits(100);
        for asked in asking {
            assert_eq!(asked.await.ok(), Some(succeeds));
        }
        assert_eq!(
            server.asked.load(Ordering::SeqCst),
            1,
            "requests for 8 who ask at once: {answer}"
        );
    }
}

#[tokio::test]
async fn a_token_with_more_scopes_than_asked_for_is_not_used() {
    for (scopes, expected, used) in [
        (&["read"][..], &[][..], false),
        (&["read"], &["write"], false),
        (&["read"], &["write", "admin"], true),
        (&[], &[], true),
    ] {
        let server = Server::start(WIDER).await;
        server.go.add_permits(1);
        let (client, _) = server.client(scopes, expected);
        let told = client
            .token()
            .await
            .map(drop)
            .map_err(|error| error.to_string());
        assert_eq!(told.is_ok(), used, "{scopes:?} {expected:?}: {told:?}");
        assert!(told.is_ok() || told.is_err_and(|told| told.contains("auth.expect_scopes")));
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_in_a_while_and_only_if_it_is_the_present_one() {
    let server = Server::start(GOOD).await;
    server.go.add_permits(100);
    let (client, clock) = server.client(&[], &[]);
    assert!(client.token().await.is_ok());
    for (at_ms, refused, asked) in [
        (0, "t", 1),
        (29_999, "t", 1),
        (30_000, "older", 1),
        (30_000, "t", 2),
        (59_999, "t", 2),
    ] {
        clock.0.store(at_ms, Ordering::Relaxed);
        for _ in 0..3 {
            client.refused(refused);
            assert!(client.token().await.is_ok());
        }
        assert_eq!(
            server.asked.load(Ordering::SeqCst),
            asked,
            "requests after {refused} was refused at {at_ms} ms"
        );
    }
}
