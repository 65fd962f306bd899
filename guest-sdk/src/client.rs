//! The client of a call: what it says about itself, and messages to it.
//!
//! Trusts nothing that it says: it reports this about itself, so nothing here decides who calls.

use serde::Serialize;

#[cfg(target_arch = "wasm32")]
use crate::outside::Outside as _;
use crate::{Call, Error};

/// The severity of a message (RFC 5424 §6.2.1), the least first.
pub use crate::bindings::client::Severity;

/// The client of a call.
#[derive(Clone, Copy)]
pub struct Client<'call> {
    call: &'call Call,
}

impl<'call> Client<'call> {
    pub(crate) fn new(call: &'call Call) -> Self {
        Self { call }
    }

    /// Returns the protocol revision of the call, such as `2026-07-28`.
    pub fn revision(self) -> String {
        self.call.outside().revision()
    }

    /// Returns true if the client declared this: a path in MCP's `ClientCapabilities`, such as
    /// `elicitation.url`.
    pub fn declares(self, capability: &str) -> bool {
        self.call.outside().declares(capability)
    }

    /// Sends a message, a text or any other value. Never blocks. The host drops it unless the
    /// client asked for messages of this severity, and drops what comes too fast.
    ///
    /// # Errors
    /// Fails if the value cannot be JSON.
    pub fn message(
        self,
        severity: Severity,
        data: &(impl Serialize + ?Sized),
    ) -> Result<(), Error> {
        let data = serde_json::to_string(data)?;
        self.call.outside().message(severity, &data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use serde_json::json;

    use super::Severity;
    use crate::Error;
    use crate::testing::Scene;

    #[test]
    fn a_client_says_what_it_speaks_and_can_do() {
        let call = Scene::new().call();
        assert_eq!(call.client().revision(), "2026-07-28");
        assert!(!call.client().declares("elicitation.form"));
        let scene = Scene::new().client("2025-11-25", &["elicitation.url"]);
        let call = scene.call();
        assert_eq!(call.client().revision(), "2025-11-25");
        assert!(call.client().declares("elicitation.url"));
        assert!(call.client().declares("elicitation"));
        assert!(!call.client().declares("elicitation.form"));
    }

    #[test]
    fn a_message_is_json_whatever_its_text() -> Result<(), Error> {
        let sent = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&sent);
        let scene = Scene::new().on_message(move |severity, data| {
            seen.borrow_mut().push((severity, data.to_owned()));
        });
        let call = scene.call();
        call.client().message(Severity::Info, "17")?;
        call.client()
            .message(Severity::Alert, &json!({"left": 3}))?;
        let expected = [
            (Severity::Info, r#""17""#.to_owned()),
            (Severity::Alert, r#"{"left":3}"#.to_owned()),
        ];
        assert_eq!(*sent.borrow(), expected);
        Ok(())
    }
}
