//! A mapping file as written: its settings by name, strict TOML.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::field::Field;

/// The file as written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sheet {
    pub name: String,
    pub yields: Yields,
    #[serde(default)]
    pub method: Option<String>,
    pub header: Header,
    pub columns: BTreeMap<Field, Vec<String>>,
    #[serde(default)]
    pub records: Option<Records>,
    #[serde(default)]
    pub blocks: Blocks,
    #[serde(default)]
    pub totals: Option<Totals>,
    #[serde(default)]
    pub returns: Option<Returns>,
    #[serde(default)]
    pub amounts: Amounts,
    pub dates: Dates,
    #[serde(default)]
    pub values: Values,
}

/// What the rows of a file become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Yields {
    /// Money received, with lines where the file has them.
    Payments,
    /// Advices without the money.
    Advices,
}

/// What tells a header of this mapping from others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// Fields that must all have a column.
    pub required: Vec<Field>,
    /// Fields of which at least one must have a column.
    #[serde(default)]
    pub any: Vec<Field>,
    /// Column names that only other files have.
    #[serde(default)]
    pub absent: Vec<String>,
}

/// What a row is, by the text of one of its columns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Records {
    pub column: Field,
    /// What a row with another text is; without it such a row is a finding.
    #[serde(default)]
    pub other: Option<RowKind>,
    pub values: BTreeMap<String, RowKind>,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RowKind {
    /// Begins a payment.
    Payment,
    /// A line of the payment above, or of an advice.
    Line,
    /// A payment taken back.
    Return,
    /// Claims a total, and perhaps a count.
    Total,
    /// Says nothing.
    Ignore,
}

impl RowKind {
    /// The name in mapping files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Line => "line",
            Self::Return => "return",
            Self::Total => "total",
            Self::Ignore => "ignore",
        }
    }
}

/// Which rows belong to one advice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Blocks {
    /// Neighbouring rows with the same text in these columns, or with none in a row that is not the first.
    pub by: Vec<Field>,
}

/// What total rows claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Totals {
    pub of: TotalOf,
    pub amount: Field,
    #[serde(default)]
    pub count: Option<Field>,
    /// A file or advice without total row has lost its end.
    pub required: bool,
}

/// What a total is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TotalOf {
    /// One advice.
    Advice,
    /// All rows of its currency.
    File,
}

/// What rows of returned payments hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Returns {
    /// Column of the reason.
    pub code: Field,
}

/// How amounts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Amounts {
    #[serde(default)]
    pub decimal: DecimalSign,
}

/// Which sign parts whole units from decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DecimalSign {
    /// The text tells; one that could mean two amounts is refused.
    #[default]
    Auto,
    /// `1,234.56`.
    Point,
    /// `1.234,56`.
    Comma,
}

/// How dates are written: the first format that fits counts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dates {
    pub formats: Vec<String>,
}

/// What the file leaves unsaid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Values {
    #[serde(default)]
    pub currency: Option<String>,
    /// Qualifier of item numbers.
    #[serde(default)]
    pub qualifier: Option<String>,
}
