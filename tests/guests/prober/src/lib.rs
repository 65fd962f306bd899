//! Tries everything that a tool must not be able to do: find a token in its memory, ask services
//! beyond its grant, and use more than its share. Each attempt is a tool of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Hunt {
    /// What to look for, each byte one higher, so that the question is not the find.
    pattern: Vec<u8>,
    /// A path of the orders service to ask first, so that the host has had credentials at hand.
    #[serde(default)]
    after: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Found {
    times: usize,
    searched: usize,
}

/// Looks for bytes in all of its own memory.
#[bailiwick_sdk::tool(services = ["orders_api"], read_only)]
fn hunt(call: &Call, args: Hunt) -> Result<Found, Error> {
    if !args.after.is_empty() {
        call.service("orders_api")
            .get(&args.after)
            .send()?
            .success()?;
    }
    // Identity is in memory once the tool has asked for it, so there is something to find.
    let session = call.session();
    let memory = memory();
    let hit = |window: &&[u8]| {
        let pairs = window.iter().zip(&args.pattern);
        pairs
            .into_iter()
            .all(|(seen, wanted)| seen.wrapping_add(1) == *wanted)
    };
    let windows = memory.windows(args.pattern.len().max(1));
    let found = Found {
        times: windows.filter(hit).count(),
        searched: memory.len(),
    };
    std::hint::black_box(session);
    Ok(found)
}

/// Returns all linear memory but the first bytes, which no address may name.
#[cfg(target_arch = "wasm32")]
fn memory() -> &'static [u8] {
    let end = core::arch::wasm32::memory_size(0) * 65_536;
    // SAFETY: linear memory is readable from its first to its last byte; nothing writes meanwhile.
    unsafe { core::slice::from_raw_parts(1 as *const u8, end - 1) }
}

#[cfg(not(target_arch = "wasm32"))]
fn memory() -> &'static [u8] {
    &[]
}

#[derive(Deserialize, JsonSchema)]
struct Ask {
    service: String,
    method: String,
    path: Vec<String>,
    #[serde(default)]
    query: Vec<(String, String)>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: String,
    /// The type of the body; JSON unless given.
    content_type: Option<String>,
    /// How often; once unless given.
    #[serde(default)]
    times: u32,
}

#[derive(Serialize, JsonSchema)]
struct Answers {
    /// A status, or the name of an error.
    each: Vec<String>,
    /// Headers and body of the last answer.
    last: String,
}

/// Asks a service for whatever it is told to. `{actor.sub}` and the like are left to the host, and
/// `a|b` is one segment or value of two pieces.
#[bailiwick_sdk::tool(services = ["orders_api"])]
fn ask(call: &Call, args: Ask) -> Result<Answers, Error> {
    let mut answers = Answers {
        each: Vec::new(),
        last: String::new(),
    };
    for _ in 0..args.times.max(1) {
        let path = args.path.iter().map(|text| part(text));
        let mut request = call.service(&args.service).request(&args.method, path);
        for (name, value) in &args.query {
            request = request.query(name, part(value));
        }
        for (name, value) in &args.headers {
            request = request.header(name, value.as_str());
        }
        if !args.body.is_empty() {
            let kind = args.content_type.as_deref().unwrap_or("application/json");
            request = request.body(kind, args.body.as_bytes());
        }
        match request.send() {
            Ok(answer) => {
                answers.each.push(answer.status().to_string());
                answers.last = format!("{answer:?} {}", String::from_utf8_lossy(answer.body()));
            }
            Err(error) => answers
                .each
                .push(format!("{error:?}").replacen("Error::", "", 1)),
        }
    }
    Ok(answers)
}

fn part(text: &str) -> Part {
    if text == "{slash}" {
        return Part::joined([]);
    }
    match text.split('|').map(piece).collect::<Vec<_>>().as_slice() {
        [Piece::Text(text)] => Part::from(text),
        [Piece::ActorSub] => Part::ActorSub,
        [Piece::ActorTenant] => Part::ActorTenant,
        [Piece::ActorIssuer] => Part::ActorIssuer,
        pieces => Part::joined(pieces.iter().cloned()),
    }
}

fn piece(text: &str) -> Piece {
    match text {
        "{actor.sub}" => Piece::ActorSub,
        "{actor.tenant}" => Piece::ActorTenant,
        "{actor.iss}" => Piece::ActorIssuer,
        text => Piece::from(text),
    }
}

static CALLS: AtomicU32 = AtomicU32::new(0);

/// Counts how often this instance was called.
#[bailiwick_sdk::tool(read_only)]
fn count(_call: &Call) -> Result<u32, Error> {
    Ok(CALLS.fetch_add(1, Ordering::Relaxed) + 1)
}

/// Computes for ever.
#[bailiwick_sdk::tool(read_only)]
fn spin(_call: &Call) -> Result<String, Error> {
    let mut turns = 0_u64;
    loop {
        turns = core::hint::black_box(turns.wrapping_add(1));
    }
}

/// Takes memory until there is none.
#[bailiwick_sdk::tool(read_only)]
fn hog(_call: &Call) -> Result<String, Error> {
    let mut held: Vec<Vec<u8>> = Vec::new();
    loop {
        held.push(core::hint::black_box(vec![1; 1 << 20]));
    }
}

/// Answers with more than anybody wants to read.
#[bailiwick_sdk::tool(read_only)]
fn shout(_call: &Call) -> Result<String, Error> {
    Ok("x".repeat(8 << 20))
}

/// Breaks off in the middle, with words that hold a path.
#[bailiwick_sdk::tool(read_only)]
fn crash(_call: &Call) -> Result<String, Error> {
    panic!("secret-of-the-guest")
}

#[derive(Deserialize, JsonSchema)]
struct Descend {
    depth: u32,
}

/// Calls itself, with some bytes of stack at each depth.
#[bailiwick_sdk::tool(read_only)]
fn descend(_call: &Call, args: Descend) -> Result<u32, Error> {
    Ok(level(args.depth))
}

fn level(depth: u32) -> u32 {
    let held = core::hint::black_box([depth; 16]);
    if depth == 0 {
        return 0;
    }
    level(depth - 1) + held.iter().map(|it| it / depth).sum::<u32>() / 16
}

#[derive(Deserialize, JsonSchema)]
struct Fold {
    /// Lists in lists.
    value: serde_json::Value,
    /// So many more, as a service could answer.
    more: usize,
}

/// Parses lists in lists, and returns how many there are.
#[bailiwick_sdk::tool(read_only)]
fn fold(_call: &Call, args: Fold) -> Result<u32, Error> {
    let (open, close) = ("[".repeat(args.more), "]".repeat(args.more));
    let text = format!("{open}{}{close}", args.value);
    let all: serde_json::Value = serde_json::from_str(&text)?;
    let (mut value, mut levels) = (&all, 0);
    while let Some(inner) = value.get(0) {
        value = inner;
        levels += 1;
    }
    Ok(levels)
}

#[derive(Deserialize, JsonSchema)]
struct Say {
    text: String,
    times: u32,
}

/// Writes log lines.
#[bailiwick_sdk::tool(read_only)]
fn say(_call: &Call, args: Say) -> Result<String, Error> {
    for _ in 0..args.times {
        bailiwick_sdk::info!("{}", args.text);
    }
    Ok("said".to_owned())
}

/// Returns what the operator configured for it.
#[bailiwick_sdk::tool(read_only)]
fn configured(call: &Call) -> Result<Configured, Error> {
    call.settings()
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Configured {
    #[serde(default)]
    currency: String,
    #[serde(default)]
    limits: Vec<u32>,
}

bailiwick_sdk::export!(hunt, ask, count, spin, hog, shout, crash, descend, fold, say, configured);
