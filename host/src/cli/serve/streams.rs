//! The standard streams of `bailiwick serve --stdio`, and the place of the client's token.

use std::env;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use bailiwick::app::StandardStreams;
use bailiwick::transport::TokenPlace;

/// Returns the standard streams of this process, without the buffers that other code may use.
pub(super) fn standard() -> anyhow::Result<StandardStreams> {
    let input = io::stdin().as_fd().try_clone_to_owned();
    let output = io::stdout().as_fd().try_clone_to_owned();
    Ok(StandardStreams {
        input: Box::new(File::from(input.context("there is no standard input")?)),
        output: Box::new(File::from(output.context("there is no standard output")?)),
        token: place(env::var_os(FILE), env::var_os(TOKEN))?,
    })
}

/// Returns the place of the token by the values of the two variables. An empty one is as none.
fn place(
    file: Option<std::ffi::OsString>,
    token: Option<std::ffi::OsString>,
) -> anyhow::Result<TokenPlace> {
    let [file, token] = [file, token].map(|value| value.filter(|value| !value.is_empty()));
    match (file, token) {
        (Some(file), None) => Ok(TokenPlace::File(PathBuf::from(file))),
        (None, Some(token)) => {
            let token = token.into_string();
            let token = token.map_err(|_| anyhow::anyhow!("{TOKEN}: expected an access token"))?;
            Ok(TokenPlace::Variable(TOKEN, token))
        }
        (Some(_), Some(_)) => bail!("expected {FILE} or {TOKEN}, not both"),
        (None, None) => bail!(
            "--stdio: expected an access token: set {FILE} to the path of a file that has it, or \
             {TOKEN} to the token itself"
        ),
    }
}

/// The variable with the path of a file that has the token.
const FILE: &str = "BAILIWICK_TOKEN_FILE";
/// The variable with the token.
const TOKEN: &str = "BAILIWICK_TOKEN";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_token_has_exactly_one_place() {
        let file = || TokenPlace::File("/run/token".into());
        let token = || TokenPlace::Variable(TOKEN, "abc".into());
        for (values, expected) in [
            (["/run/token", ""], Ok(file())),
            (["", "abc"], Ok(token())),
            (["", ""], Err("set BAILIWICK_TOKEN_FILE to the path")),
            (["/run/token", "abc"], Err("not both")),
        ] {
            let [file, token] = values.map(|value| Some(value.into()));
            match expected {
                Ok(expected) => assert_eq!(place(file, token).unwrap(), expected),
                Err(expected) => {
                    let error = place(file, token).unwrap_err().to_string();
                    assert!(
                        error.contains(expected) && !error.contains("abc"),
                        "{error}"
                    );
                }
            }
        }
    }
}
