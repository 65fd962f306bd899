//! The schemes by which the front door takes tokens. Adding one is a file here, and a line below.

mod bearer;

use http::request::Parts;

use super::presented::{Presented, Scheme};
use crate::reason::RefusalReason;
use bearer::Bearer;

/// The schemes, in the order in which they are asked.
const SCHEMES: &[&dyn Scheme] = &[&Bearer];

impl Presented {
    /// Takes what a request presents out of its head.
    ///
    /// # Errors
    /// [`RefusalReason::TokenMissing`] or [`RefusalReason::TokenMalformed`]: there is not exactly one token,
    /// presented as one of the schemes wants it.
    pub fn take(head: &mut Parts) -> Result<Self, RefusalReason> {
        Self::take_by(SCHEMES, head)
    }
}
