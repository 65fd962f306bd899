//! The schemes by which the front door accepts tokens. To add one, add a file here and a line
//! below.

mod bearer;

use http::request::Parts;

use super::presented::{Presented, Scheme};
use crate::reason::RefusalReason;
use bearer::Bearer;

/// The schemes, in the order in which they are asked.
const SCHEMES: &[&dyn Scheme] = &[&Bearer];

impl Presented {
    /// Takes the credentials out of a request's head.
    ///
    /// # Errors
    /// [`RefusalReason::TokenMissing`] or [`RefusalReason::TokenMalformed`] unless there is exactly
    /// one token, presented as one of the schemes defines.
    pub fn take(head: &mut Parts) -> Result<Self, RefusalReason> {
        Self::take_by(SCHEMES, head)
    }
}
