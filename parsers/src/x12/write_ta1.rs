//! Writing the TA1: the verdict on an envelope.

use super::{
    received::{Codes, InterchangeReceived},
    write::Writer,
};

/// Note codes, the gravest first; a TA1 has room for one.
const GRAVEST_FIRST: [u8; 5] = [23, 25, 1, 21, 22];

/// Writes the TA1 with the note codes that apply. An envelope whose numbers or counts are wrong is rejected: nothing of it is taken until a person decides.
pub(crate) fn write(interchange: &InterchangeReceived, codes: Codes, writer: &mut Writer) {
    let gravest = GRAVEST_FIRST.into_iter().find(|code| codes.contains(*code)).or_else(|| codes.iter().next());
    writer
        .segment("TA1")
        .text(interchange.control_number.as_str())
        .text(interchange.date.as_str())
        .text(interchange.time.as_str())
        .text(if gravest.is_some() { "R" } else { "A" })
        .text(&format!("{:03}", gravest.unwrap_or(0)))
        .end();
}
