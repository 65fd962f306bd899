//! A tunnel through a forward proxy, the one place through which a closed network is left.
//!
//! The proxy gets the name and the port of a destination, and bytes of TLS. It is asked to connect
//! and for nothing else (RFC 9110 §9.3.6), so that it sees no request, no answer and no credential.
//!
//! Trusts nothing that the proxy says but whether it connected: the destination's certificate
//! proves who is at the other end.

use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::USER_AGENT;

/// A tunnel that was not made.
#[derive(Debug, thiserror::Error)]
pub(super) enum TunnelError {
    #[error("the connection to the proxy broke")]
    Broken(#[from] std::io::Error),
    #[error("the proxy answered {0}")]
    Refused(u16),
    #[error("the proxy's answer is not HTTP")]
    NotHttp,
    #[error("only https goes through a proxy")]
    NotTls,
    #[error("`{0}` is no name that a proxy may resolve")]
    Name(String),
}

/// Checks a name that the proxy will resolve: it names no place of the proxy's own machine, and is
/// no other spelling of an address.
pub(super) fn check_name(host: &str) -> Result<(), TunnelError> {
    let name = host.trim_end_matches('.');
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    if is_number || last.eq_ignore_ascii_case("localhost") {
        return Err(TunnelError::Name(host.to_owned()));
    }
    Ok(())
}

/// Has the proxy at the other end of `stream` connect to a destination.
pub(super) async fn tunnel(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &str,
    port: u16,
) -> Result<(), TunnelError> {
    let authority = if host
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_ipv6())
    {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let request = format!(
        "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: {USER_AGENT}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    // What follows the head is the destination's, so nothing more is read.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == MAX_HEAD {
            return Err(TunnelError::NotHttp);
        }
        head.push(stream.read_u8().await?);
    }
    match status(&head) {
        Some(200..=299) => Ok(()),
        Some(other) => Err(TunnelError::Refused(other)),
        None => Err(TunnelError::NotHttp),
    }
}

/// Reads the status of an answer (RFC 9112 §4).
fn status(head: &[u8]) -> Option<u16> {
    let rest = head
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| head.strip_prefix(b"HTTP/1.0 "))?;
    let (digits, after) = rest.split_at_checked(3)?;
    let digits = digits.iter().all(u8::is_ascii_digit).then_some(digits)?;
    matches!(after.first(), Some(b' ' | b'\r')).then_some(())?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The longest answer to a request to connect, bytes.
const MAX_HEAD: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_mean_the_proxys_own_machine_or_hides_an_address_is_not_sent() {
        for name in [
            "localhost",
            "LOCALHOST.",
            "x.localhost",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "127.0.0.0x1",
            "0177.0.0.1",
            "",
            ".",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
        for name in [
            "orders.example",
            "a.b.c.",
            "xn--bcher-kva.example",
            "intranet",
            "7.example",
        ] {
            assert!(check_name(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn only_a_whole_status_line_is_a_status() {
        for (head, expected) in [
            ("HTTP/1.1 200 OK\r\n\r\n", Some(200)),
            ("HTTP/1.0 204\r\n\r\n", Some(204)),
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
                Some(407),
            ),
            ("HTTP/1.1 2000 OK\r\n\r\n", None),
            ("HTTP/1.1 +20 OK\r\n\r\n", None),
            ("HTTP/2 200\r\n\r\n", None),
            ("ICY 200 OK\r\n\r\n", None),
            ("HTTP/1.1 20", None),
            ("\r\n\r\n", None),
        ] {
            assert_eq!(status(head.as_bytes()), expected, "{head:?}");
        }
    }
}
