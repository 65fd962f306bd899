//! The operator's page: what the host did and does, for a browser. Read-only.
//!
//! It shows the journal's records as they become durable, the tools with their grants, and the
//! health of the host. The server renders all of it, from the values that the command line prints;
//! a script only says that there is something new.
//!
//! Trusts the journal and the policy, and no text in them: whatever a caller, a component or an
//! issuer chose is escaped, and its invisible characters are made visible.
//!
//! Invariant: it changes nothing, and no call waits for it. It takes lines of the journal from a
//! queue with bounds and shares no lock with calls. A record holds no token, argument or result, so
//! no page does.

mod book;
mod call;
mod calls;
mod feed;
mod filter;
mod frame;
mod gate;
mod health;
mod notice;
mod sequence;
mod timeline;
mod tools;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Bytes;
use maud::Markup;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::audit::{Journal, Recent, recent};
use crate::call::Host;
use crate::observe::ReadMemory;
use crate::transport::{PageBody, Pages, SIGN_IN};
use book::Book;
use feed::Feed;
use filter::Filter;
use frame::{PageFrame, Tab};
pub use gate::PageGate;

/// The ground of the pages: the host and its journal.
pub struct PageGround {
    /// The host.
    pub host: Arc<Host>,
    /// The journal's folder.
    pub folder: PathBuf,
    /// The file with the operator's notice, if there may be one.
    pub notice: Option<PathBuf>,
    /// Reads the figures of the program's allocator.
    pub memory: ReadMemory,
}

/// The pages of one host.
struct Site {
    ground: PageGround,
    gate: PageGate,
    book: Arc<Mutex<Book>>,
    changes: watch::Sender<u64>,
    listeners: Arc<Semaphore>,
}

/// The end of a journal as it was, and the way to follow it.
pub struct Following {
    before: Recent,
    feed: Feed,
}

impl Following {
    /// Follows the journal in `folder` from now on. To be called before anything is recorded: then
    /// no one writes to the files that this reads.
    pub fn begin(journal: &Journal, folder: &Path) -> Self {
        let before = recent(folder, BEFORE).unwrap_or_else(|error| {
            tracing::warn!(cause = %error, "the page lacks what the journal had before this start");
            Recent::default()
        });
        Self {
            before,
            feed: Feed::of(journal),
        }
    }
}

/// Opens the pages behind `gate`. They follow the journal until `stop` fires. Needs tokio's
/// runtime.
pub fn open(
    ground: PageGround,
    gate: PageGate,
    following: Following,
    stop: CancellationToken,
) -> Pages {
    let book = Arc::new(Mutex::new(Book::begin(&following.before)));
    let changes = watch::Sender::new(0);
    let keeping = following.feed;
    tokio::spawn(keeping.into_book(Arc::clone(&book), changes.clone(), stop.clone()));
    if let Some(file) = ground.notice.clone() {
        tokio::spawn(notice::follow(file, changes.clone(), stop));
    }
    let site = Site {
        ground,
        gate,
        book,
        changes,
        listeners: Arc::new(Semaphore::new(LISTENERS)),
    };
    Arc::new(move |request: Request<Bytes>| site.answer(&request))
}

impl Site {
    fn answer(&self, request: &Request<Bytes>) -> Response<PageBody> {
        let path = request.uri().path();
        if let Some((kind, text)) = frame::file(path) {
            return file(kind, text);
        }
        let now = self.ground.host.clock.now_ms();
        if path == SIGN_IN {
            return self.sign_in(request, now);
        }
        if !self.gate.admits(request.headers(), now) {
            return form(StatusCode::UNAUTHORIZED, path_of(request), false);
        }
        if path == LIVE {
            return self.live();
        }
        match self.found(request) {
            Some(markup) => page(StatusCode::OK, markup),
            None => page(StatusCode::NOT_FOUND, self.missing(path)),
        }
    }

    /// Renders the page that a request is for, if there is one.
    fn found(&self, request: &Request<Bytes>) -> Option<Markup> {
        let host = &self.ground.host;
        let filter = Filter::of(request.uri().query().unwrap_or_default());
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let book = book.fresh();
        let key = match request.uri().path() {
            "/" => {
                let notice = notice::read(self.ground.notice.as_deref());
                let notice = notice::place(notice.as_deref());
                return Some(timeline::page(book, &filter, &notice, host.clock.now_ms()));
            }
            "/tools" => return Some(tools::page(&host.serving.now())),
            "/health" => return Some(health::page(book, host, self.ground.memory)),
            path => path.strip_prefix("/calls/")?,
        };
        let policy = host.serving.now();
        call::page(book, &policy, key, &self.ground.folder)
    }

    fn missing(&self, path: &str) -> Markup {
        let call = path.strip_prefix("/calls/");
        let body = call.map_or_else(frame::nothing, |id| call::too_old(id, &self.ground.folder));
        PageFrame::of(Tab::Calls, "Not found").with(&body)
    }

    fn sign_in(&self, request: &Request<Bytes>, now: u64) -> Response<PageBody> {
        if request.method() != Method::POST {
            return form(StatusCode::OK, "/", false);
        }
        let sent = gate::SignInForm::read(request.body());
        match self.gate.cookie(&sent.token, now) {
            Some(cookie) => {
                let mut answer = page(StatusCode::SEE_OTHER, maud::html! {});
                let headers = answer.headers_mut();
                headers.insert(header::SET_COOKIE, cookie);
                headers.insert(header::LOCATION, sent.way());
                answer
            }
            None => form(StatusCode::UNAUTHORIZED, &sent.to, true),
        }
    }

    /// Answers with a stream of changes, if there is a place for one more listener.
    fn live(&self) -> Response<PageBody> {
        let Ok(place) = Arc::clone(&self.listeners).try_acquire_owned() else {
            let mut answer = page(StatusCode::SERVICE_UNAVAILABLE, frame::nothing());
            let later = HeaderValue::from_static("30");
            answer.headers_mut().insert(header::RETRY_AFTER, later);
            return answer;
        };
        let mut changes = self.changes.subscribe();
        changes.mark_unchanged();
        let mut answer = Response::new(PageBody::Changes(changes, place));
        protect(answer.headers_mut());
        let kind = HeaderValue::from_static("text/event-stream");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer
    }
}

/// Returns the path of a request with its query: where to go once the gate is open.
fn path_of(request: &Request<Bytes>) -> &str {
    request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
}

/// Answers with the form of the gate. From a page without a referrer, browsers would send it with
/// the origin `null`, which could be any page's.
fn form(status: StatusCode, to: &str, refused: bool) -> Response<PageBody> {
    let mut answer = page(status, gate::sign_in(to, refused));
    let headers = answer.headers_mut();
    let own = HeaderValue::from_static("same-origin");
    headers.insert(header::REFERRER_POLICY, own);
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        headers.insert(header::WWW_AUTHENTICATE, scheme);
    }
    answer
}

fn page(status: StatusCode, markup: Markup) -> Response<PageBody> {
    let body = PageBody::Whole(markup.into_string().into());
    respond(status, "text/html; charset=utf-8", body)
}

fn file(kind: &'static str, text: &'static str) -> Response<PageBody> {
    let body = PageBody::Whole(Bytes::from_static(text.as_bytes()));
    respond(StatusCode::OK, kind, body)
}

fn respond(status: StatusCode, kind: &'static str, body: PageBody) -> Response<PageBody> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    protect(answer.headers_mut());
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

/// Adds the headers of every answer: nothing is kept, framed, embedded or read as something else.
fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
const LIVE: &str = "/live";
/// The most listeners for changes at once. The listener's other connections stay free.
const LISTENERS: usize = 8;
/// The bytes of the journal that are read at the start: some thousand records.
const BEFORE: u64 = 2 << 20;
