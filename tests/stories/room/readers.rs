//! Clients that read slowly keep their answers waiting, and nothing else.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::mcp;
use bailiwick_tests::hostile::Guest;
use bailiwick_tests::{Plan, World, count, ensure_eq, reasons};
use serde_json::json;
use socket2::SockRef;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

use super::turns::{SHORTLY, metric};
use super::{head, read_until};
use crate::operations::OPERATIONS;

/// A tool that reports more progress than the buffers of a connection hold: a thousand reports of
/// 512 zeros, which JSON spells with six characters each.
const TALKER: &str = "talker";

fn talker() -> Result<Vec<u8>> {
    // It computes between two reports, so that the host hands on each of them.
    let code = "
        (loop $report
          (global.set $done (f64.add (global.get $done) (f64.const 1)))
          (call $report (global.get $done) (i32.const 0) (f64.const 0)
            (i32.const 1) (i32.const 200000) (i32.const 512))
          (global.set $left (i32.const 200000))
          (loop $compute
            (global.set $left (i32.sub (global.get $left) (i32.const 1)))
            (br_if $compute (global.get $left)))
          (br_if $report (f64.lt (global.get $done) (f64.const 1000))))";
    let guest = Guest::with_host_functions()
        .main("(global $done (mut f64) (f64.const 0)) (global $left (mut i32) (i32.const 0))")
        .call(code);
    Ok(wat::parse_str(guest.text(TALKER))?)
}

/// Returns a connection with little room for what the client does not read.
async fn dial_narrow(world: &World) -> Result<TcpStream> {
    let port = world.host.port().context("a port")?;
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    // The host's system makes room for a number of segments, which are huge on the loopback.
    SockRef::from(&socket).set_tcp_mss(536)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Ok(socket.connect(address).await?)
}

#[tokio::test]
async fn a_client_that_does_not_read_its_events_holds_up_neither_the_record_nor_the_place()
-> Result<()> {
    let world = World::with(Plan {
        components: vec![(format!("{TALKER}.wasm"), talker()?)],
        config: Box::new(|config| {
            config.limits = format!(
                "[limits]\ncpu = \"5s\"\nprogress_reports = 1000\nprogress_per_second = 1000\n{OPERATIONS}"
            );
        }),
        ..Plan::default()
    })
    .await?;
    let params = json!({"name": TALKER, "arguments": {}, "_meta": {"progressToken": "p"}});
    let body = mcp::message("tools/call", &params).to_string();
    let head = head(&world, &world.token("alice")?, TALKER, body.len());
    let mut stream = dial_narrow(&world).await?;
    stream.write_all((head + &body).as_bytes()).await?;
    while count(&world.records()?, "call.closed") == 0 {
        sleep(SHORTLY).await;
    }
    ensure_eq(reasons(&world.records()?, "call.closed"), [""], "the end")?;
    while metric(&world, "bailiwick_places_used{part=\"calls\"}").await? > 0 {
        sleep(SHORTLY).await;
    }
    let tasks = metric(&world, "bailiwick_places_used{part=\"tasks\"}").await?;
    ensure_eq(tasks, 1, "answers that wait for their reader")?;
    let answer = read_until(&mut stream, "\"isError\"").await?;
    ensure!(
        answer.contains("text/event-stream") && answer.contains("notifications/progress"),
        "{}",
        answer.get(..2000).unwrap_or(&answer)
    );
    Ok(())
}
