//! Ten tools like `echo`. The bench copies the component and replaces `aaaa` in the names by the
//! number of the copy, so the names are long enough not to be compared as numbers in the code.

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The message.
    message: String,
}

#[derive(Serialize, JsonSchema)]
struct Echo {
    /// The same message.
    message: String,
}

macro_rules! tools {
    ($($name:ident),+ $(,)?) => {
        $(
            /// Returns the message.
            #[bailiwick_sdk::tool(read_only, idempotent)]
            fn $name(_call: &Call, args: Args) -> Result<Echo, Error> {
                Ok(Echo {
                    message: args.message,
                })
            }
        )+

        bailiwick_sdk::export!($($name),+);
    };
}

tools!(
    measured_number_aaaa_0,
    measured_number_aaaa_1,
    measured_number_aaaa_2,
    measured_number_aaaa_3,
    measured_number_aaaa_4,
    measured_number_aaaa_5,
    measured_number_aaaa_6,
    measured_number_aaaa_7,
    measured_number_aaaa_8,
    measured_number_aaaa_9,
);
