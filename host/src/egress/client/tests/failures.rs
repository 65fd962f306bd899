//! Requests that get no answer: whether they left, and why.

use std::pin::Pin;

use futures_util::poll;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;

use super::*;

/// Sends one request to `uri` by `client`. Returns the error and whether the request may have
/// arrived.
async fn unanswered(client: &Client, uri: &str) -> (EgressError, bool) {
    let sent = Sent::default();
    let mut request = Request::post(uri).body(Full::default()).expect("a request");
    sent.follow(&mut request);
    let answer = client
        .send_for(Party::Everyone, request, Duration::from_millis(500), 1024)
        .await;
    (answer.expect_err("no answer"), sent.may_have_arrived())
}

/// A service that accepts connections, keeps them open, and never writes.
async fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    address
}

#[tokio::test]
async fn an_address_that_must_not_be_dialled_is_found_in_the_error() {
    let tls = Tls::new(RootCertStore::empty()).expect("TLS");
    let strict = Client::new(&tls, AddressPolicy::new(Vec::new()));
    for uri in [
        "http://127.0.0.1:9",
        "https://127.0.0.1:9",
        "http://169.254.169.254",
        "https://[fe80::1]",
    ] {
        let (error, arrived) = unanswered(&strict, uri).await;
        assert!(matches!(error, EgressError::Blocked(_)), "{uri}: {error:?}");
        assert!(!arrived, "{uri}");
    }
}

#[tokio::test]
async fn the_causes_tell_failures_to_connect_apart() {
    let silent = silent().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let refusing = closed.local_addr().expect("an address");
    drop(closed);
    let plain = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let not_tls = plain.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    for (uri, cause) in [
        (format!("http://{refusing}"), "refused"),
        (format!("https://{not_tls}"), "corrupt message"),
        (format!("http://{silent}"), "within the deadline"),
    ] {
        let (error, _) = unanswered(&client(), &uri).await;
        let text = error.with_causes();
        assert!(text.contains(cause), "{uri}: {text}");
    }
}

#[tokio::test]
async fn a_deadline_that_passes_before_the_request_is_handed_over_sends_nothing() {
    let silent = silent().await;
    for (uri, expected) in [
        (format!("https://{silent}/"), false),
        (format!("http://{silent}/"), true),
    ] {
        let (error, arrived) = unanswered(&client(), &uri).await;
        assert!(
            matches!(error, EgressError::TimedOut(_)),
            "{uri}: {error:?}"
        );
        assert_eq!(arrived, expected, "{uri}");
    }
}

#[tokio::test]
async fn a_deadline_that_passes_in_a_full_backlog_sends_nothing() {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(any).expect("a port");
    let full = socket.listen(1).expect("a listener");
    let uri = format!("http://{}/", full.local_addr().expect("an address"));
    let client = client();
    let all = (0..8).map(|_| unanswered(&client, &uri));
    let ends = futures_util::future::join_all(all).await;
    for (error, _) in &ends {
        assert!(matches!(error, EgressError::TimedOut(_)), "{error:?}");
    }
    let arrived = ends.iter().filter(|(_, arrived)| *arrived).count();
    assert!((1..8).contains(&arrived), "{arrived} of 8 were sent");
}

/// A connection that takes a request and gives it back unwritten when its work is dropped.
async fn closing() -> (Connection, Pin<Box<dyn Future<Output = ()>>>) {
    let (stream, other_end) = tokio::io::duplex(1024);
    let made = http1::handshake::<_, Full<Bytes>>(TokioIo::new(stream)).await;
    let (connection, work) = made.expect("a connection");
    let connection = Connection::Http1(connection, CancellationToken::new().drop_guard());
    let mut work: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move {
        let _open = other_end;
        let _ = work.await;
    });
    assert!(poll!(&mut work).is_pending() && connection.is_ready());
    (connection, work)
}

#[tokio::test]
async fn between_two_kept_connections_a_request_can_be_given_up_and_otherwise_arrives_once() {
    let kind = *KINDS.first().expect("a kind");
    for is_given_up in [true, false] {
        let service = Service::start(kind, Late::Never).await.expect("a service");
        let (client, party) = (client(), actor("alice"));
        let answer = ask(&client, &service, kind, "alice", party.clone()).await;
        assert!(answer.is_some() && client.pool.count(Connection::is_ready) == 1);
        let uri = format!("http://{}/orders/7", service.address);
        let request = Request::get(uri).header("x-user", "alice");
        let mut request = request.body(Full::default()).expect("a request");
        let lane = Lane {
            destination: address(&mut request.clone()).expect("a destination"),
            party: party.clone(),
        };
        let (connection, work) = closing().await;
        client.pool.keep(lane, connection, Instant::now());

        let sent = Sent::default();
        sent.follow(&mut request);
        let time = Duration::from_secs(10);
        let mut answer = Box::pin(client.send_for(party.clone(), request, time, 1024));
        assert!(poll!(&mut answer).is_pending() && sent.may_have_arrived());
        drop(work);
        // A denial looks after each step of the request, so it must find a step here.
        assert!(poll!(&mut answer).is_pending() && !sent.may_have_arrived());
        let answer = if is_given_up {
            drop(answer);
            ask(&client, &service, kind, "alice", party).await
        } else {
            answer.await.ok()
        };
        assert!(answer.is_some_and(|answer| answer.body == mark("alice").as_bytes()));
        let [requests, connections] = [&service.requests, &service.connections];
        assert_eq!(requests.load(Ordering::SeqCst), 2);
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }
}
