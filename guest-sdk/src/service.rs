//! Requests to a service: the tool builds one, the host makes it, an answer comes back without
//! credentials.
//!
//! Trusts the host to refuse a request that is not granted. Invariant: a request names a service,
//! never an address, a user or a credential, and a body that is not a success is never read as one.

use serde::{Serialize, de::DeserializeOwned};

use crate::bindings::downstream;
#[cfg(target_arch = "wasm32")]
use crate::outside::Outside as _;
use crate::{Call, DownstreamError, Error, Part};

/// A service, by the name that the operator gave it.
#[derive(Clone, Copy)]
pub struct Service<'call> {
    call: &'call Call,
    name: &'call str,
}

impl<'call> Service<'call> {
    pub(crate) fn new(call: &'call Call, name: &'call str) -> Self {
        Self { call, name }
    }

    /// Begins a `GET` request; the path has one part per segment.
    pub fn get<P: Into<Part>>(self, path: impl IntoIterator<Item = P>) -> Request<'call> {
        self.request("GET", path)
    }

    /// Begins a `HEAD` request.
    pub fn head<P: Into<Part>>(self, path: impl IntoIterator<Item = P>) -> Request<'call> {
        self.request("HEAD", path)
    }

    /// Begins a `POST` request.
    pub fn post<P: Into<Part>>(self, path: impl IntoIterator<Item = P>) -> Request<'call> {
        self.request("POST", path)
    }

    /// Begins a `PUT` request.
    pub fn put<P: Into<Part>>(self, path: impl IntoIterator<Item = P>) -> Request<'call> {
        self.request("PUT", path)
    }

    /// Begins a `PATCH` request.
    pub fn patch<P: Into<Part>>(self, path: impl IntoIterator<Item = P>) -> Request<'call> {
        self.request("PATCH", path)
    }

    /// Begins a `DELETE` request.
    pub fn delete<P: Into<Part>>(self, path: impl IntoIterator<Item = P>) -> Request<'call> {
        self.request("DELETE", path)
    }

    /// Begins a request of any method that the interface knows; the host refuses others.
    pub fn request<P: Into<Part>>(
        self,
        method: &str,
        path: impl IntoIterator<Item = P>,
    ) -> Request<'call> {
        Request {
            call: self.call,
            wire: downstream::Request {
                service: self.name.to_owned(),
                method: method.to_owned(),
                path: path.into_iter().map(Into::into).collect(),
                query: Vec::new(),
                headers: Vec::new(),
                body: Vec::new(),
            },
        }
    }
}

/// One request to a service, not yet sent.
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'call> {
    call: &'call Call,
    wire: downstream::Request,
}

impl Request<'_> {
    /// Adds a query parameter.
    pub fn query(mut self, key: &str, value: impl Into<Part>) -> Self {
        self.wire.query.push((key.to_owned(), value.into()));
        self
    }

    /// Adds a header. The host refuses credentials, identity headers and all headers that are not
    /// on its list.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.wire.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets a JSON body and its content type.
    ///
    /// # Errors
    /// Fails if the value cannot be JSON (a map with keys that are not strings, for instance).
    pub fn json(self, body: &impl Serialize) -> Result<Self, Error> {
        Ok(self.body("application/json", serde_json::to_vec(body)?))
    }

    /// Sets a form as the body, and its content type (`application/x-www-form-urlencoded`). A key
    /// may come more than once, and may have brackets, such as `items[0][price]`.
    pub fn form<K, V>(self, fields: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        self.body("application/x-www-form-urlencoded", form_text(fields))
    }

    /// Sets the body and its content type.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.wire.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sends the request and waits. Every HTTP answer is `Ok`, whatever its status.
    ///
    /// # Errors
    /// Fails if there is no HTTP answer; see [`DownstreamError`].
    pub fn send(self) -> Result<Response, DownstreamError> {
        self.call.outside().send(self.wire).map(Response)
    }

    pub(crate) fn into_wire(self) -> downstream::Request {
        self.wire
    }
}

/// Returns fields as a form has them.
#[doc(hidden)]
pub fn form_text<K, V>(fields: impl IntoIterator<Item = (K, V)>) -> String
where
    K: AsRef<str>,
    V: AsRef<str>,
{
    let mut form = String::new();
    for (key, value) in fields {
        if !form.is_empty() {
            form.push('&');
        }
        encode(&mut form, key.as_ref());
        form.push('=');
        encode(&mut form, value.as_ref());
    }
    form
}

/// Appends a text as forms write it (URL Standard, "application/x-www-form-urlencoded
/// serializing").
fn encode(form: &mut String, text: &str) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    for byte in text.bytes() {
        match byte {
            b' ' => form.push('+'),
            b'*' | b'-' | b'.' | b'_' => form.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => form.push(char::from(byte)),
            _ => {
                form.push('%');
                let digits = [byte >> 4, byte & 15].map(|digit| DIGITS.get(usize::from(digit)));
                form.extend(digits.into_iter().flatten());
            }
        }
    }
}

/// An HTTP answer of a service, stripped of credentials.
#[derive(Clone, Debug, PartialEq)]
pub struct Response(pub(crate) downstream::Response);

impl Response {
    /// Makes an answer, for tests.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self(downstream::Response {
            status,
            headers: Vec::new(),
            body: body.into(),
        })
    }

    /// Returns the HTTP status, 200 to 599.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// Returns a header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.0.headers.iter();
        headers
            .find(|(held, _)| held.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns the body, whatever the status.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }

    /// Returns the answer, if its status is 2xx.
    ///
    /// # Errors
    /// Fails by the status, without the body: 403 is [`Error::Forbidden`], 404 and 410
    /// [`Error::NotFound`], 408, 429, 502, 503 and 504 [`Error::Unavailable`], everything else
    /// [`Error::Failed`]. Look at [`Response::status`] first to say more.
    pub fn success(self) -> Result<Self, Error> {
        match self.status() {
            200..=299 => Ok(self),
            status => Err(refusal(status)),
        }
    }

    /// Returns the body of a success, as JSON.
    ///
    /// # Errors
    /// Fails as [`Response::success`] does, and with [`Error::Failed`] if the body is not such
    /// JSON.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let answer = self.success()?;
        serde_json::from_slice(answer.body())
            .map_err(|_| Error::failed("a service sent an answer of the wrong shape"))
    }

    /// Returns the body of a success, as text.
    ///
    /// # Errors
    /// Fails as [`Response::success`] does, and with [`Error::Failed`] if the body is not UTF-8.
    pub fn text(self) -> Result<String, Error> {
        String::from_utf8(self.success()?.0.body)
            .map_err(|_| Error::failed("a service answered with something that is not text"))
    }
}

/// Returns the error that an unsuccessful status means for the caller.
fn refusal(status: u16) -> Error {
    match status {
        403 => Error::forbidden("the service does not allow this (HTTP 403)"),
        404 | 410 => Error::NotFound(format!("the service has no such thing (HTTP {status})")),
        408 | 429 | 502..=504 => {
            Error::Unavailable(format!("the service cannot answer now (HTTP {status})"))
        }
        500..=599 => Error::Failed(format!("the service failed (HTTP {status})")),
        _ => Error::Failed(format!("the service refused the request (HTTP {status})")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Response};
    use crate::testing::Scene;

    #[test]
    fn a_status_becomes_an_honest_error_without_the_body() {
        let error = |status| Response::new(status, "s3cret").json::<String>();
        assert!(matches!(error(403), Err(Error::Forbidden(_))));
        assert!(matches!(error(404), Err(Error::NotFound(_))));
        assert!(matches!(error(410), Err(Error::NotFound(_))));
        assert!(matches!(error(429), Err(Error::Unavailable(_))));
        assert!(matches!(error(503), Err(Error::Unavailable(_))));
        assert!(matches!(error(500), Err(Error::Failed(_))));
        assert!(matches!(error(302), Err(Error::Failed(_))));
        assert!(matches!(error(200), Err(Error::Failed(message)) if !message.contains("s3cret")));
        assert!(!error(400).is_err_and(|error| error.message().contains("s3cret")));
    }

    #[test]
    fn a_form_is_written_as_forms_are() {
        let call = Scene::new().call();
        let service = call.service("shop");
        let fields = [("charge", "ch 1"), ("metadata[who]", "ü&~'"), ("a", "")];
        let sent = service.post(["refunds"]).form(fields).into_wire();
        assert_eq!(
            String::from_utf8_lossy(&sent.body),
            "charge=ch+1&metadata%5Bwho%5D=%C3%BC%26%7E%27&a="
        );
        assert_eq!(
            sent.headers,
            [(
                "content-type".to_owned(),
                "application/x-www-form-urlencoded".to_owned()
            )]
        );
    }

    #[test]
    fn a_success_is_read() {
        assert_eq!(Response::new(200, "[1,2]").json(), Ok(vec![1, 2]));
        assert_eq!(Response::new(204, "").text(), Ok(String::new()));
    }
}
