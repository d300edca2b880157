//! The `tieout` program: read the command line, dispatch, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    tieout::commands::main().into()
}
