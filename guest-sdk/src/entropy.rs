//! Random bytes for other crates: the custom backend of `getrandom` 0.3 and later.
//!
//! Present when the build passes `--cfg getrandom_backend="custom"`, as `bailiwick build` does.

use getrandom::Error;

/// Fills `len` bytes at `dest` from the host's generator.
#[expect(
    unsafe_code,
    clippy::unnecessary_wraps,
    reason = "the name and the signature are getrandom's contract"
)]
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(dest: *mut u8, len: usize) -> Result<(), Error> {
    // SAFETY: getrandom hands over memory of `len` bytes that is valid for writes; zeroing it first
    // makes it initialized.
    let bytes = unsafe {
        dest.write_bytes(0, len);
        std::slice::from_raw_parts_mut(dest, len)
    };
    crate::outside::fill(bytes);
    Ok(())
}
