//! A plain HTTP server: one thread for each processor, each with its own runtime, and connections
//! dealt to them in turn.

use std::convert::Infallible;
use std::thread;

use anyhow::Context as _;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use super::{listen, run};

/// Serves on a free port of loopback until it, or the bench, is killed. Each thread answers with
/// what `make` returns there.
pub(super) fn serve<A, F>(make: impl Fn() -> A) -> anyhow::Result<()>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let threads = thread::available_parallelism()?.get();
    let cores = (0..threads)
        .map(|_| core(make()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    run(&runtime()?, deal(&cores))
}

/// Accepts connections and deals them to the threads in turn.
async fn deal(cores: &[mpsc::UnboundedSender<std::net::TcpStream>]) -> anyhow::Result<()> {
    let listener = listen().await?;
    for core in cores.iter().cycle() {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        core.send(stream.into_std()?)
            .ok()
            .context("a thread has ended")?;
    }
    Ok(())
}

/// Starts a thread; returns where its connections go.
fn core<A, F>(answer: A) -> anyhow::Result<mpsc::UnboundedSender<std::net::TcpStream>>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let (deal, mut dealt) = mpsc::unbounded_channel();
    let runtime = runtime()?;
    thread::spawn(move || {
        runtime.block_on(async {
            while let Some(stream) = dealt.recv().await {
                if let Ok(stream) = TcpStream::from_std(stream) {
                    tokio::spawn(connection(stream, answer.clone()));
                }
            }
        });
    });
    Ok(deal)
}

async fn connection<A, F>(stream: TcpStream, answer: A)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    // A client that disconnects is no error.
    drop(
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

fn runtime() -> anyhow::Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Reads the JSON body of a request; null if it is none.
pub(super) async fn body(request: Request<Incoming>) -> Value {
    let body = request.into_body().collect().await;
    let bytes = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Makes the answer of a tool that returned `structured`.
pub(super) fn result(call: &Value, structured: &Value) -> Response<Full<Bytes>> {
    let text = structured.to_string();
    json_answer(&json!({"jsonrpc": "2.0", "id": call.get("id"), "result": {
        "content": [{"type": "text", "text": text}],
        "structuredContent": structured, "isError": false, "resultType": "complete",
    }}))
}

/// Makes an answer of JSON.
pub(super) fn json_answer(body: &Value) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    answer
}
