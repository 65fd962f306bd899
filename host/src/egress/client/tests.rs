//! A faulty service that sends more than it was asked for, and two users who must not get each
//! other's answers.
#![expect(clippy::expect_used, reason = "tests")]

mod failures;
mod over_tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use rustls::RootCertStore;
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::*;
use crate::principal::{ActorId, Principal};
use crate::seams::hex;

/// The moment at which the service sends too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Late {
    /// Never: it is sound.
    Never,
    /// With the answer.
    Together,
    /// While the connection is idle, when the test says so.
    Idle,
    /// After the next request has arrived, before its answer.
    Next,
}

/// One way to answer, in which `{}` is the user's text.
#[derive(Debug, Clone, Copy)]
struct Kind {
    method: &'static str,
    answer: &'static str,
    /// Whether the client gets to see the body.
    body: bool,
    /// Whether the connection may carry the same user's next request.
    lives: bool,
}

const KINDS: &[Kind] = &[
    Kind {
        method: "GET",
        answer: "HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n{}",
        body: true,
        lives: true,
    },
    Kind {
        method: "GET",
        answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{}\r\n0\r\n\r\n",
        body: true,
        lives: true,
    },
    Kind {
        method: "POST",
        answer: "HTTP/1.1 201 Created\r\nContent-Length: 64\r\n\r\n{}",
        body: true,
        lives: true,
    },
    Kind {
        method: "HEAD",
        answer: "HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n",
        body: false,
        lives: false,
    },
    Kind {
        method: "GET",
        answer: "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
        body: false,
        lives: false,
    },
    Kind {
        method: "GET",
        answer: "HTTP/1.1 204 No Content\r\n\r\n",
        body: false,
        lives: false,
    },
    Kind {
        method: "GET",
        answer: "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n{}",
        body: true,
        lives: false,
    },
    Kind {
        method: "GET",
        answer: "HTTP/1.1 200 OK\r\nContent-Length: 64\r\nConnection: close\r\n\r\n{}",
        body: true,
        lives: false,
    },
];

/// A faulty service. Each request names its user, and every answer is made for that user.
struct Service {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    say: Arc<Notify>,
}

impl Service {
    async fn start(kind: Kind, late: Late) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let service = Self {
            address: listener.local_addr()?,
            connections: Arc::default(),
            requests: Arc::default(),
            say: Arc::default(),
        };
        let (connections, requests) = (service.connections.clone(), service.requests.clone());
        let say = service.say.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, (kind, late), requests.clone(), say.clone()));
            }
        });
        Ok(service)
    }
}

async fn serve(
    mut stream: TcpStream,
    (kind, late): (Kind, Late),
    requests: Arc<AtomicUsize>,
    say: Arc<Notify>,
) -> Option<()> {
    let mut more: Option<String> = None;
    loop {
        let user = read_user(&mut stream).await?;
        requests.fetch_add(1, Ordering::SeqCst);
        if let Some(more) = more.take() {
            stream.write_all(more.as_bytes()).await.ok()?;
        }
        stream
            .write_all(kind.answer.replace("{}", &mark(&user)).as_bytes())
            .await
            .ok()?;
        let extra = KINDS.first()?.answer.replace("{}", &mark(&user));
        match late {
            Late::Never => {}
            Late::Together => stream.write_all(extra.as_bytes()).await.ok()?,
            Late::Idle => {
                say.notified().await;
                stream.write_all(extra.as_bytes()).await.ok()?;
            }
            Late::Next => more = Some(extra),
        }
    }
}

/// Reads one request without a body; returns its `x-user`.
async fn read_user(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    head.lines()
        .find_map(|line| line.strip_prefix("x-user: "))
        .map(String::from)
}

/// Returns a text that only the service can make, for one user.
fn mark(user: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"the service's own key").expect("any key length");
    mac.update(user.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn client() -> Client {
    let tls = Tls::new(RootCertStore::empty()).expect("TLS");
    Client::new(&tls, crate::egress::testing::loopback())
}

fn actor(sub: &str) -> Party {
    Party::Actor(ActorId {
        principal: Principal::new("https://idp.example", sub),
        tenant: None,
        service: false,
    })
}

async fn ask(
    client: &Client,
    service: &Service,
    kind: Kind,
    user: &str,
    party: Party,
) -> Option<Reply> {
    let uri = format!("http://{}/orders/7", service.address);
    let request = Request::builder()
        .method(kind.method)
        .uri(uri)
        .header("x-user", user);
    let request = request.body(Full::default()).expect("a request");
    client
        .send_for(party, request, Duration::from_secs(10), 1024)
        .await
        .ok()
}

/// Lets two users take turns. Returns how many answers were for the other one.
async fn mix_ups(kind: Kind, late: Late, party: fn(&str) -> Party) -> usize {
    let service = Service::start(kind, late).await.expect("a service");
    let client = client();
    let mut wrong = 0;
    for user in ["mallory", "alice", "mallory", "mallory", "alice", "alice"] {
        if let Some(answer) = ask(&client, &service, kind, user, party(user)).await {
            let expected = if kind.body { mark(user) } else { String::new() };
            wrong += usize::from(answer.body != expected.as_bytes());
        }
        if late == Late::Idle {
            service.say.notify_one();
            nothing_kept(&client).await;
        }
    }
    wrong
}

/// Waits until no kept connection is usable.
async fn nothing_kept(client: &Client) {
    let closed = async {
        while client.pool.count(Connection::is_ready) > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), closed)
        .await
        .expect("bytes that nobody asked for close the connection");
}

#[tokio::test]
async fn nobody_gets_another_users_answer_whatever_a_service_sends_and_when() {
    for kind in KINDS {
        for late in [Late::Never, Late::Together, Late::Idle, Late::Next] {
            assert_eq!(mix_ups(*kind, late, actor).await, 0, "{kind:?} {late:?}");
        }
    }
}

/// The negative control: the same service and the same model, with one pool for all users.
#[tokio::test]
async fn one_pool_for_all_users_is_found_out() {
    for kind in KINDS.iter().filter(|kind| kind.lives) {
        assert_ne!(
            mix_ups(*kind, Late::Next, |_| Party::Everyone).await,
            0,
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_is_used_again_only_by_its_principal_and_only_where_its_answer_shows_its_end()
{
    for kind in KINDS {
        let service = Service::start(*kind, Late::Never).await.expect("a service");
        let client = client();
        for user in ["alice", "alice", "bob", "alice", "bob"] {
            let answer = ask(&client, &service, *kind, user, actor(user)).await;
            assert!(answer.is_some(), "{kind:?}");
        }
        let expected = if kind.lives { 2 } else { 5 };
        assert_eq!(
            service.connections.load(Ordering::SeqCst),
            expected,
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn a_request_without_a_principal_never_shares_a_connection() {
    let kind = *KINDS.first().expect("a kind");
    let service = Service::start(kind, Late::Never).await.expect("a service");
    let client = client();
    for _ in 0..3 {
        let uri = format!("http://{}/jwks", service.address);
        let request = Request::get(uri)
            .header("x-user", "host")
            .body(Full::default())
            .expect("a request");
        assert!(
            client
                .send(request, Duration::from_secs(10), 1024)
                .await
                .is_ok()
        );
    }
    assert_eq!(service.connections.load(Ordering::SeqCst), 3);
    assert_eq!(client.pool.count(|_| true), 0);
}

#[test]
fn a_request_goes_out_in_origin_form_with_its_host() {
    for (uri, target, host, destination) in [
        (
            "https://a.example/x?y=z",
            "/x?y=z",
            "a.example",
            "https://a.example/",
        ),
        (
            "https://a.example:443",
            "/",
            "a.example",
            "https://a.example:443/",
        ),
        (
            "http://a.example:80/x",
            "/x",
            "a.example",
            "http://a.example:80/",
        ),
        (
            "http://[::1]:8080/x",
            "/x",
            "[::1]:8080",
            "http://[::1]:8080/",
        ),
    ] {
        let mut request = Request::get(uri).body(Full::default()).expect("a request");
        let dialled = address(&mut request).expect("a destination");
        assert_eq!(request.uri().to_string(), target);
        assert_eq!(
            request
                .headers()
                .get(header::HOST)
                .map(HeaderValue::as_bytes),
            Some(host.as_bytes())
        );
        assert_eq!(dialled.to_string(), destination);
    }
}
