//! Services behind TLS: whom the host believes, what it proves, and the proxy between them.

use std::sync::Mutex;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::io::copy_bidirectional;

use super::*;
use crate::egress::testing::{
    AUTHORITY, CLIENT, CLIENT_KEY, OTHER, SERVER_KEY, STRANGER, STRANGER_KEY, Wants, acceptor,
    loopback, peer,
};
use crate::egress::{EgressError, PeerTls, Proxy, thumbprint};

const OWN: Option<(&[u8], &[u8])> = Some((CLIENT, CLIENT_KEY));

/// Starts a service for `orders.example` and `127.0.0.1`. It says whether it saw a certificate.
async fn service(wants: Wants) -> SocketAddr {
    let acceptor = acceptor(wants, &[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                let seen = stream.get_ref().1.peer_certificates().is_some();
                let body: &[u8] = if seen { b"seen" } else { b"none" };
                let mut request = [0; 4096];
                while stream.read(&mut request).await.ok()? > 0 {
                    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
                    stream.write_all(&[head, body].concat()).await.ok()?;
                }
                Some(())
            });
        }
    });
    address
}

/// Starts a service that speaks the protocols that TLS names so. Each answer is the user's text and
/// the number of the connection.
async fn speaking(protocols: &'static [&'static [u8]]) -> SocketAddr {
    let acceptor = acceptor(Wants::Nothing, protocols);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            number += 1;
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.ok()?;
                let answer = service_fn(move |request: Request<Incoming>| async move {
                    let user = request.headers().get("x-user").cloned();
                    let user = user.and_then(|user| user.to_str().map(str::to_owned).ok());
                    let authority = request.uri().authority().map(ToString::to_string);
                    let host = request.headers().contains_key(header::HOST);
                    let text = format!(
                        "{} {number} {} {host}",
                        user.unwrap_or_default(),
                        authority.is_some_and(|name| name == address.to_string())
                    );
                    Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from(text))))
                });
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), answer)
                    .await
                    .ok()
            });
        }
    });
    address
}

#[tokio::test]
async fn a_service_with_nothing_but_http_2_is_asked_and_a_connection_stays_one_users() {
    let address = speaking(&[b"h2"]).await;
    let mut own = peer(AUTHORITY, None);
    own.set_http2();
    let tls = Tls::new(RootCertStore::empty()).expect("TLS").of(&own);
    let client = Client::new(&tls, loopback());
    for (user, connection) in [
        ("alice", 1),
        ("bob", 2),
        ("alice", 1),
        ("bob", 2),
        ("carol", 3),
    ] {
        for method in ["GET", "POST"] {
            let uri = format!("https://{address}/orders/7");
            let request = Request::builder()
                .method(method)
                .uri(uri)
                .header("x-user", user);
            let request = request.body(Full::default()).expect("a request");
            let time = Duration::from_secs(10);
            let answer = client.send_for(actor(user), request, time, 1024).await;
            let body = answer.map(|reply| reply.body).expect("an answer");
            let expected = format!("{user} {connection} true false");
            assert_eq!(
                body,
                expected.as_bytes(),
                "user, connection, authority, no Host"
            );
        }
    }
}

#[tokio::test]
async fn a_service_that_does_not_agree_to_http_2_is_asked_nothing() {
    const OTHERS: [&[&[u8]]; 2] = [&[b"http/1.1"], &[]];
    let mut own = peer(AUTHORITY, None);
    own.set_http2();
    for protocols in OTHERS {
        let address = speaking(protocols).await;
        let error = answer(&own, loopback(), &format!("https://{address}/"))
            .await
            .err();
        assert!(
            matches!(error, Some(EgressError::Unreachable(_))),
            "{error:?}"
        );
    }
    let address = speaking(&[b"h2"]).await;
    let plain = answer(&own, loopback(), &format!("http://{address}/"))
        .await
        .err();
    let plain = plain.map(|error| error.with_causes()).unwrap_or_default();
    assert!(plain.contains("HTTP/2"), "{plain}");
}

async fn answer(peer: &PeerTls, policy: AddressPolicy, uri: &str) -> Result<Bytes, EgressError> {
    let tls = Tls::new(RootCertStore::empty()).expect("TLS").of(peer);
    let request = Request::get(uri).body(Full::default()).expect("a request");
    let client = Client::new(&tls, policy);
    let sent = client.send(request, Duration::from_secs(10), 1024);
    sent.await.map(|reply| reply.body)
}

#[tokio::test]
async fn a_destinations_own_roots_are_the_only_ones_and_its_name_is_checked() {
    let address = service(Wants::Nothing).await;
    let by_address = format!("https://{address}/");
    let by_name = format!("https://localhost:{}/", address.port());
    for (peer, uri, good) in [
        (peer(AUTHORITY, None), &by_address, true),
        (peer(&[OTHER, AUTHORITY].concat(), None), &by_address, true),
        (peer(OTHER, None), &by_address, false),
        (PeerTls::default(), &by_address, false),
        (peer(AUTHORITY, None), &by_name, false),
    ] {
        let answer = answer(&peer, loopback(), uri).await;
        assert_eq!(answer.is_ok(), good, "{uri}: {answer:?}");
        if let Err(error) = answer {
            assert!(error.with_causes().contains("certificate"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_service_that_asks_for_a_certificate_gets_that_of_its_own_configuration() {
    let address = service(Wants::Certificate).await;
    let uri = format!("https://{address}/");
    let with = answer(&peer(AUTHORITY, OWN), loopback(), &uri).await;
    assert_eq!(with.ok().as_deref(), Some(&b"seen"[..]));
    let stranger = Some((STRANGER, STRANGER_KEY));
    for wrong in [peer(AUTHORITY, None), peer(AUTHORITY, stranger)] {
        let refused = answer(&wrong, loopback(), &uri).await;
        assert!(refused.is_err(), "{wrong:?}: {refused:?}");
    }
}

/// All clients have one TLS to begin with, as in the host.
#[tokio::test]
async fn a_connection_without_a_certificate_takes_up_nothing_of_one_with_it() {
    let address = service(Wants::Maybe).await;
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(AUTHORITY).flatten() {
        roots.add(root).expect("a root");
    }
    let tls = Tls::new(roots).expect("TLS");
    let mut own = PeerTls::default();
    own.set_identity(CLIENT, CLIENT_KEY).expect("an identity");
    let with = Client::new(&tls.of(&own), loopback());
    let without = Client::new(&tls.of(&PeerTls::default()), loopback());
    for (client, expected) in [
        (&with, &b"seen"[..]),
        (&without, b"none"),
        (&with, b"seen"),
        (&without, b"none"),
    ] {
        let uri = format!("https://{address}/");
        let request = Request::get(uri).body(Full::default()).expect("a request");
        let sent = client.send(request, Duration::from_secs(10), 1024).await;
        let body = sent.map(|reply| reply.body).expect("an answer");
        assert_eq!(body, expected);
    }
}

#[test]
fn the_tls_of_two_destinations_is_the_same_only_with_the_same_certificates() {
    let stranger = Some((STRANGER, STRANGER_KEY));
    let mut http2 = peer(AUTHORITY, OWN);
    http2.set_http2();
    assert_eq!(peer(AUTHORITY, OWN), peer(AUTHORITY, OWN));
    for other in [
        PeerTls::default(),
        peer(AUTHORITY, None),
        peer(OTHER, OWN),
        peer(AUTHORITY, stranger),
        http2,
    ] {
        assert_ne!(other, peer(AUTHORITY, OWN));
    }
}

#[test]
fn the_thumbprint_of_an_identity_is_that_of_its_own_certificate() {
    let alone = thumbprint(CLIENT, CLIENT_KEY).expect("a thumbprint");
    let with_authority = [CLIENT, AUTHORITY].concat();
    for (chain, key, is_it) in [
        (CLIENT, CLIENT_KEY, true),
        (with_authority.as_slice(), CLIENT_KEY, true),
        (STRANGER, STRANGER_KEY, false),
    ] {
        let found = peer(AUTHORITY, Some((chain, key))).thumbprint();
        assert_eq!(found == Some(alone), is_it, "{found:?}");
    }
    assert_eq!(peer(AUTHORITY, None).thumbprint(), None);
}

#[test]
fn files_that_are_no_roots_and_no_identity_are_refused_with_the_reason() {
    let mut peer = PeerTls::default();
    for text in [&b""[..], b"no PEM", SERVER_KEY] {
        let refused = peer.set_roots(text).err().map(|error| error.to_string());
        assert!(refused.is_some_and(|why| why.contains("expected one certificate")));
    }
    for (chain, key, told) in [
        (CLIENT, SERVER_KEY, "does not belong"),
        (CLIENT, CLIENT, "expected one private key"),
        (CLIENT_KEY, CLIENT_KEY, "expected one certificate"),
    ] {
        let refused = peer
            .set_identity(chain, key)
            .err()
            .map(|error| error.to_string());
        assert!(
            refused.as_deref().is_some_and(|why| why.contains(told)),
            "{refused:?}"
        );
    }
    assert!(peer.set_identity(CLIENT, CLIENT_KEY).is_ok());
}

/// A proxy that connects every name to one place, or says something else.
async fn proxy(to: SocketAddr, says: &'static str) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let heard = Arc::clone(&heard);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.ok()?);
                }
                heard.lock().ok()?.push(String::from_utf8(head).ok()?);
                stream.write_all(says.as_bytes()).await.ok()?;
                let mut other = tokio::net::TcpSocket::new_v4()
                    .ok()?
                    .connect(to)
                    .await
                    .ok()?;
                copy_bidirectional(&mut stream, &mut other).await.ok()
            });
        }
    });
    (address, asked)
}

fn through(proxy: SocketAddr) -> AddressPolicy {
    let proxy = Proxy::new(&format!("http://{proxy}"), loopback()).expect("a proxy");
    AddressPolicy::default().through(proxy)
}

#[tokio::test]
async fn a_proxy_is_asked_to_connect_and_the_certificate_is_that_of_the_destination() {
    let service = service(Wants::Certificate).await;
    let (address, asked) = proxy(service, "HTTP/1.1 200 Connected\r\nX-A: b\r\n\r\n").await;
    let own = peer(AUTHORITY, OWN);
    let name = "https://orders.example/secret?of=alice";
    let body = answer(&own, through(address), name).await;
    assert_eq!(body.ok().as_deref(), Some(&b"seen"[..]));
    let heard = asked.lock().map(|heard| heard.join("")).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(
        "CONNECT orders.example:443 HTTP/1.1\r\nHost: orders.example:443\r\nUser-Agent: bailiwick/{version}\r\n\r\n"
    );
    assert_eq!(heard, expected, "and nothing else");
    // A proxy that connects to somebody else.
    for (peer, uri) in [(own, "https://billing.example/"), (peer(OTHER, OWN), name)] {
        let error = answer(&peer, through(address), uri).await.err();
        let error = error.map(|error| error.with_causes()).unwrap_or_default();
        assert!(error.contains("certificate"), "{uri}: {error}");
    }
}

#[tokio::test]
async fn what_a_proxy_may_not_do_for_the_host_is_not_asked_for() {
    let service = service(Wants::Nothing).await;
    let (address, asked) = proxy(service, "HTTP/1.1 200 OK\r\n\r\n").await;
    let own = peer(AUTHORITY, None);
    for (uri, told) in [
        ("http://orders.example/", "only https"),
        ("https://localhost/", "no name"),
        ("https://127.1/", "no name"),
        ("https://2130706433/", "no name"),
        ("https://127.0.0.1/", "private address"),
        ("https://169.254.169.254/", "never dialled"),
        ("https://[fd00:ec2::254]/", "never dialled"),
    ] {
        let error = answer(&own, through(address), uri).await.err();
        let error = error.map(|error| error.with_causes()).unwrap_or_default();
        assert!(error.contains(told), "{uri}: {error}");
    }
    assert!(asked.lock().is_ok_and(|heard| heard.is_empty()));
    let elsewhere = Proxy::new(
        &format!("http://{address}"),
        AddressPolicy::new("10.0.0.0/8".parse().into_iter().collect()),
    );
    let policy = AddressPolicy::default().through(elsewhere.expect("a proxy"));
    let blocked = answer(&own, policy, "https://orders.example/").await;
    assert!(
        matches!(blocked, Err(EgressError::Blocked(_))),
        "{blocked:?}"
    );
}

#[tokio::test]
async fn a_proxy_that_does_not_connect_is_named_with_what_it_said() {
    let service = service(Wants::Nothing).await;
    let endless: &'static str =
        Box::leak(format!("HTTP/1.1 200 OK\r\n{}", "X-A: b\r\n".repeat(2000)).into_boxed_str());
    for (says, told) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "answered 407",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n",
            "answered 302",
        ),
        ("SSH-2.0-OpenSSH\r\n\r\n", "is not HTTP"),
        (endless, "is not HTTP"),
    ] {
        let (address, _) = proxy(service, says).await;
        let uri = "https://orders.example/";
        let error = answer(&peer(AUTHORITY, None), through(address), uri)
            .await
            .err();
        let error = error.map(|error| error.with_causes()).unwrap_or_default();
        assert!(error.contains("proxy") && error.contains(told), "{error}");
    }
}
