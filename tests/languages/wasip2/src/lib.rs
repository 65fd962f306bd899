//! A tool built for `wasm32-wasip2`: greets the caller, and looks at the system that the standard
//! library shows it.

use std::env;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _};
use std::time::{Instant, SystemTime};

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Args {
    a: f64,
    b: f64,
    /// The order's number.
    order_id: String,
}

#[derive(Deserialize)]
struct Settings {
    word: String,
}

#[derive(Deserialize)]
struct Order {
    status: String,
}

#[derive(Serialize, JsonSchema)]
struct Greeting {
    greeting: String,
    sum: f64,
    status: String,
}

/// Greets whoever asks, adds two numbers, and says where an order is.
#[bailiwick_sdk::tool(scopes = ["orders:read"], services = ["orders_api"], read_only)]
fn greet_wasip2(call: &Call, args: Args) -> Result<Greeting, Error> {
    let Settings { word } = call.settings()?;
    let Order { status } = call
        .service("orders_api")
        .get(["orders", &args.order_id])
        .send()?
        .json()?;
    bailiwick_sdk::info!("greeting");
    Ok(Greeting {
        greeting: format!("{word}, {}", call.actor().sub),
        sum: args.a + args.b,
        status,
    })
}

#[derive(Serialize, JsonSchema)]
struct Seen {
    /// Names of environment variables.
    variables: Vec<String>,
    arguments: Vec<String>,
    /// Paths that could be opened.
    opened: Vec<String>,
    /// Bytes of standard input.
    input: usize,
    /// The smallest step of the monotonic clock, in nanoseconds.
    step: u64,
    /// What the wall clock says below a millisecond, in nanoseconds.
    below_millisecond: u32,
    /// Milliseconds between the wall clock and the host's.
    apart: u64,
    random: u64,
}

/// Looks at the system, and says so on its standard output and error.
#[bailiwick_sdk::tool]
fn look_wasip2(call: &Call) -> Result<Seen, Error> {
    let subject = &call.actor().sub;
    println!("output for {subject}\u{1b}[2J");
    eprintln!("error for {subject}\u{1b}[2J");
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Ok(Seen {
        variables: env::vars().map(|(name, _)| name).collect(),
        arguments: env::args().collect(),
        opened: opened(),
        input: io::stdin().read_to_end(&mut Vec::new()).unwrap_or_default(),
        step: step(),
        below_millisecond: since.subsec_nanos() % 1_000_000,
        apart: u64::try_from(since.abs_diff(call.now()).as_millis()).unwrap_or_default(),
        random: RandomState::new().hash_one(0),
    })
}

fn opened() -> Vec<String> {
    let paths = [
        "/",
        ".",
        "..",
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/urandom",
        "/tmp",
        "bailiwick.toml",
    ];
    let mut opened: Vec<String> = paths.map(str::to_owned).into();
    opened.retain(|path| {
        fs::File::open(path).is_ok() || fs::read_dir(path).is_ok() || fs::metadata(path).is_ok()
    });
    opened.extend(
        fs::write("/tmp/from-a-tool", "")
            .is_ok()
            .then(|| "written".to_owned()),
    );
    opened
}

/// Waits for the clock to move three times.
fn step() -> u64 {
    let steps = (0..3).map(|_| {
        let began = Instant::now();
        loop {
            let passed = began.elapsed();
            if !passed.is_zero() {
                return u64::try_from(passed.as_nanos()).unwrap_or_default();
            }
        }
    });
    steps.min().unwrap_or_default()
}

bailiwick_sdk::export!(greet_wasip2, look_wasip2);
