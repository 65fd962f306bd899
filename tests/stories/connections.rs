//! A service that sends more than its answers, and users who must not get each other's answers.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use bailiwick_dev::jws::unverified_claims;
use bailiwick_tests::{Plan, World, ensure_eq};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Answers everyone rightly, but sends each answer once more before the next one on its connection.
async fn gossip() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(repeat(stream));
        }
    });
    Ok(address)
}

async fn repeat(mut stream: TcpStream) -> Result<()> {
    let mut said = String::new();
    loop {
        let user = read_user(&mut stream).await?;
        let body = format!(r#"{{"id":"A-1001","status":"parcel-of-{user}"}}"#);
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all((said + &answer).as_bytes()).await?;
        said = answer;
    }
}

/// Reads the head of a request; returns the user that its bearer token names.
async fn read_user(stream: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    let token = head
        .lines()
        .find_map(|line| line.strip_prefix("authorization: Bearer "))
        .unwrap_or_default();
    let sub = unverified_claims(token)
        .and_then(|claims| claims.get("sub").and_then(Value::as_str).map(String::from));
    Ok(sub.unwrap_or_default())
}

/// Lets two users ask in turns. Returns the number of answers that were for the other one.
async fn mix_ups(extra: &'static str) -> Result<usize> {
    let service = gossip().await?;
    let world = World::with(Plan::config(move |config| {
        let (before, after) = config.services.split_once("url = \"").unwrap_or_default();
        let rest = after.split_once('\n').map_or("", |(_, rest)| rest);
        config.services = format!("{before}url = \"http://{service}\"\n{extra}{rest}");
    }))
    .await?;
    let mut wrong = 0;
    for user in ["alice", "bob", "alice", "bob", "bob", "alice"] {
        let answer = world.order(&world.token(user)?, "A-1001").await?;
        let own = answer.raw.contains(&format!("parcel-of-{user}"));
        wrong += usize::from(answer.raw.contains("parcel-of-") && !own);
        ensure!(
            own || !extra.is_empty(),
            "{user} did not get the answer: {}",
            answer.raw
        );
    }
    Ok(wrong)
}

#[tokio::test]
async fn nobody_gets_another_users_answer_from_a_service_that_repeats_itself() -> Result<()> {
    ensure_eq(mix_ups("").await?, 0, "answers for the other user")
}

/// The negative control: one pool for all users, as the operator may configure, and the same judge.
#[tokio::test]
async fn where_data_is_shared_the_same_service_is_heard_by_others() -> Result<()> {
    ensure!(
        mix_ups("shared_data = true\n").await? > 0,
        "the judge finds no mix-up"
    );
    Ok(())
}
