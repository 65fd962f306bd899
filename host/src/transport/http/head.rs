//! The bytes of a request's head as they arrive: the end of the head, and the form of its lines.
//!
//! The HTTP library also ends lines at a bare LF (RFC 9112 §2.2 allows it). A proxy in front that
//! does not would see one header where the library sees two, so such a head is refused here.

/// The state of a head that is arriving.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Bytes so far.
    size: usize,
    /// Bytes of the present line.
    line: usize,
    /// True if the last byte was CR.
    after_cr: bool,
    /// True once there was a line that is not empty.
    begun: bool,
}

/// The result of looking at some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The head goes on.
    More,
    /// The head ends after so many of the bytes.
    End(usize),
    /// A line ends with LF alone.
    BareLf,
}

impl Head {
    /// Returns the bytes so far of a head that is not complete.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Returns true if there is more than empty lines, which a client may send after a body (RFC
    /// 9112 §2.2).
    pub(super) fn has_begun(&self) -> bool {
        self.begun || self.line > 0
    }

    /// Looks at more bytes. After the end of a head, a new one begins.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Seen {
        for (index, byte) in bytes.iter().enumerate() {
            let after_cr = std::mem::replace(&mut self.after_cr, *byte == b'\r');
            match byte {
                b'\n' if !after_cr => return Seen::BareLf,
                b'\n' if self.line == 0 && self.begun => {
                    *self = Self::default();
                    return Seen::End(index + 1);
                }
                b'\n' => {
                    self.begun |= self.line > 0;
                    self.line = 0;
                }
                b'\r' => self.line += usize::from(after_cr),
                _ => self.line += 1,
            }
        }
        self.size += bytes.len();
        Seen::More
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_begins_with_its_first_line_that_is_not_empty() {
        let mut head = Head::default();
        for (bytes, begun) in [
            ("\r\n", false),
            ("\r\n", false),
            ("G", true),
            ("ET / HTTP/1.1\r\n", true),
            ("\r\n", false),
        ] {
            head.scan(bytes.as_bytes());
            assert_eq!(head.has_begun(), begun, "after {bytes:?}");
        }
    }

    #[test]
    fn a_head_ends_at_an_empty_line_and_its_lines_end_with_cr_and_lf() {
        for (text, seen) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Seen::End(27)),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET", Seen::End(27)),
            ("\r\n\r\nGET / HTTP/1.1\r\n\r\nx", Seen::End(22)),
            ("GET / HTTP/1.1\r\nHost: a\r\n", Seen::More),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r", Seen::More),
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", Seen::BareLf),
            (
                "GET / HTTP/1.1\r\nX: a\nAuthorization: b\r\n\r\n",
                Seen::BareLf,
            ),
            ("GET / HTTP/1.1\r\nHost: a\r\n\n", Seen::BareLf),
            ("GET / HTTP/1.1\r\nHost: a\n\r\n", Seen::BareLf),
            ("\nGET / HTTP/1.1\r\n\r\n", Seen::BareLf),
            ("GET / HTTP/1.1\r\n\r\r\n", Seen::More),
        ] {
            assert_eq!(Head::default().scan(text.as_bytes()), seen, "{text:?}");
            // The same, byte by byte.
            let mut head = Head::default();
            let one_by_one =
                text.bytes()
                    .enumerate()
                    .find_map(|(index, byte)| match head.scan(&[byte]) {
                        Seen::More => None,
                        Seen::End(_) => Some(Seen::End(index + 1)),
                        Seen::BareLf => Some(Seen::BareLf),
                    });
            assert_eq!(one_by_one.unwrap_or(Seen::More), seen, "{text:?}");
        }
    }

    #[test]
    fn an_unfinished_head_has_a_size() {
        let mut head = Head::default();
        head.scan(b"GET / HTTP/1.1\r\n");
        head.scan(b"X: ");
        assert_eq!(head.size(), 19);
        head.scan(b"a\r\n\r\n");
        assert_eq!(head.size(), 0);
    }
}
