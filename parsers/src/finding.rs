//! Something wrong or odd in a file, with its place, what was expected and what was found.

use serde::Serialize;

use crate::Location;

/// One thing wrong or odd in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing it is; the table of all kinds is [`FindingCode`].
    pub code: FindingCode,
    /// How serious it is here.
    pub severity: Severity,
    /// What happens to the file or record because of it.
    pub effect: Effect,
    /// One sentence for a person, without the file name and the place.
    pub message: String,
    /// What should have stood there.
    pub expected: String,
    /// What stands there, shortened to a readable length; never an account number.
    pub found: String,
    /// Where it stands.
    pub location: Location,
}

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Odd, and accepted.
    Warning,
    /// Wrong; something is set aside, held or rejected.
    Error,
}

/// What happens because of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing: the value was read all the same.
    Noted,
    /// The transaction, entry or record is set aside; its neighbours go on.
    RecordSetAside,
    /// Nothing from the file posts until a person decides.
    FileHeld,
    /// Nothing in the file could be read.
    FileRejected,
}

macro_rules! finding_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $title:literal, $advice:literal;)+) => {
        /// Every kind of finding, defined once: code, title and advice.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FindingCode { $($(#[$doc])* #[doc = $title] $name,)+ }

        impl FindingCode {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable code that exports and scripts use.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $code,)+ } }

            /// A short title for screens.
            pub const fn title(self) -> &'static str { match self { $(Self::$name => $title,)+ } }

            /// What the reader should do about it.
            pub const fn advice(self) -> &'static str { match self { $(Self::$name => $advice,)+ } }
        }
    };
}

finding_codes! {
    UnknownFormat = "unknown_format", "The content is no format we know", "Ask the sender what the file is.";
    UnsupportedFormat = "unsupported_format", "The format is recognised but not read", "Nothing was taken from it; it stays in the archive.";
    LimitReached = "limit_reached", "A limit was reached", "Raise the limit if the sender is trusted, or ask for smaller files.";
    BadEnvelope = "bad_envelope", "The envelope cannot be read", "Ask the sender to send the file again.";
    OddEnvelope = "odd_envelope", "The envelope deviates from the standard", "Read all the same; tell the sender when convenient.";
    UnexpectedEnd = "unexpected_end", "The file ends too early", "Ask the sender to send the whole file again.";
    MissingTrailer = "missing_trailer", "A trailer is missing", "Ask the sender to send the whole file again.";
    ControlNumberMismatch = "control_number_mismatch", "Header and trailer control numbers differ", "Check with the sender that two files were not joined.";
    ControlCountMismatch = "control_count_mismatch", "A claimed count differs from the count", "Check with the sender that nothing is missing, then release or reject the file.";
    ControlTotalMismatch = "control_total_mismatch", "A claimed total differs from the sum", "Check with the sender that nothing is missing, then release or reject the file.";
    DuplicateControlNumber = "duplicate_control_number", "The control number was used before", "Check whether the sender repeated the file or numbered two files alike.";
    UnknownSegment = "unknown_segment", "The segment is not part of the message", "Skipped; tell the sender when convenient.";
    MissingSegment = "missing_segment", "A required segment is missing", "Ask the sender for a corrected message.";
    MissingElement = "missing_element", "A required element is missing", "Ask the sender for a corrected message.";
    BadAmount = "bad_amount", "The amount is not a number of the currency", "Ask the sender for a corrected message.";
    BadDate = "bad_date", "The date does not exist", "Ask the sender for a corrected message.";
    BadCode = "bad_code", "The code is not in the code list", "Kept as text; tell the sender when convenient.";
    BadText = "bad_text", "The text cannot be right", "Kept as it is.";
    OutOfBalance = "out_of_balance", "The parts do not add up to the total", "A person must decide; ask the payer for a corrected remittance.";
    LineOutOfBalance = "line_out_of_balance", "Gross, discount and adjustments do not give the net", "Compare the line with the invoice.";
    InferredCentury = "inferred_century", "The century of a six-digit date was inferred", "Nothing to do unless the date looks wrong.";
    ImpliedDecimalPoint = "implied_decimal_point", "An amount with implied decimals holds a decimal point", "The written point decided; tell the sender.";
    FurtherTerms = "further_terms", "Payment terms that were not used", "Compare them with the contract when the customer takes them.";
    OddSign = "odd_sign", "The sign of the amount does not suit the document", "Check with the sender whether it is an invoice or a credit memo.";
    CorrectsEarlier = "corrects_earlier", "The document corrects or adds to an earlier one", "Compare it with the earlier one before asking for money.";
    ChangeNotified = "change_notified", "A bank tells what to change in later entries", "Correct the customer's data before the next entry; no money moved.";
    InferredParty = "inferred_party", "A party was taken from another role", "Check that the right customer is charged.";
    NotUtf8 = "not_utf8", "The text is not UTF-8", "Read as Windows-1252; check names.";
    TrailingData = "trailing_data", "Something stands after the end or between the parts", "Skipped; check that nothing was lost.";
    MissingLoop = "missing_loop", "A loop header is missing", "Read all the same.";
}

impl Serialize for FindingCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
