//! The fields a column can stand for, named once for mapping files and for the reader.

use serde::Deserialize;

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)+) => {
        /// What a column holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum Field { $($(#[$doc])* $name,)+ }

        impl Field {
            /// All fields, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name in mapping files.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $code,)+ } }
        }
    };
}

fields! {
    /// What the row is, where a column says so.
    Record = "record";
    /// Number of the advice a row belongs to.
    Advice = "advice";
    /// Date of the payment.
    Date = "date";
    /// Name of the payer.
    Payer = "payer";
    /// Number under which the payer is known.
    PayerId = "payer_id";
    /// Account of the payer.
    PayerAccount = "payer_account";
    /// Bank of the payer.
    PayerBank = "payer_bank";
    /// Reference that ties advice and money together.
    Trace = "trace";
    /// Currency of every amount of the row.
    Currency = "currency";
    /// Amount of the payment, with its sign.
    Amount = "amount";
    /// Amount of money that came in.
    Credit = "credit";
    /// Amount of money that went out.
    Debit = "debit";
    /// Says of an amount without sign whether it came in or went out.
    Mark = "mark";
    /// Free text.
    Text = "text";
    /// Number of the item paid.
    Invoice = "invoice";
    /// What kind of number that is.
    Qualifier = "qualifier";
    /// Date of the item paid.
    InvoiceDate = "invoice_date";
    /// Purchase order.
    Po = "po";
    /// Amount of the item before discount.
    Gross = "gross";
    /// Discount taken.
    Discount = "discount";
    /// Further amount kept back, as a positive amount.
    Deduction = "deduction";
    /// Amount paid for the item.
    Net = "net";
    /// Reason of a deduction or adjustment.
    Reason = "reason";
    /// Our own account or merchant number.
    OwnAccount = "own_account";
    /// Balance of the account after the row.
    Balance = "balance";
}

/// How many fields there are.
pub(crate) const COUNT: usize = Field::ALL.len();

impl Field {
    /// Whether its text is an account number, which no finding may show.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::PayerAccount | Self::OwnAccount)
    }
}
