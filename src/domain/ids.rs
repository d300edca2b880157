//! One newtype per id, so that a payment is never looked up as an invoice. Ids show with a letter: `P17`, `F3`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $letter:literal;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(pub i64);

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{}{}", $letter, self.0)
                }
            }

            impl FromStr for $name {
                type Err = String;

                /// Accepts `P17`, `p17` and `17`.
                fn from_str(text: &str) -> Result<Self, Self::Err> {
                    let digits = text.strip_prefix([$letter, $letter.to_ascii_lowercase()]).unwrap_or(text);
                    digits
                        .parse()
                        .map(Self)
                        .map_err(|_| format!("{text:?} is not an id; expected a number such as {}17", $letter))
                }
            }
        )+
    };
}

ids! {
    /// A file, by content.
    FileId = 'F';
    /// A payment.
    PaymentId = 'P';
    /// A remittance.
    RemittanceId = 'R';
    /// An open item: invoice, credit memo or debit memo.
    OpenItemId = 'I';
    /// A customer.
    CustomerId = 'C';
    /// A seller: the legal entity or factoring client whose receivable it is.
    SellerId = 'S';
    /// A stored decision of the engine.
    DecisionId = 'D';
    /// Money moved from a payment.
    ApplicationId = 'A';
    /// Work for a person.
    ExceptionId = 'E';
    /// A job.
    JobId = 'J';
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_what_they_print() {
        for text in ["P17", "p17", "17"] {
            assert_eq!(text.parse(), Ok(PaymentId(17)));
        }
        assert_eq!(PaymentId(17).to_string(), "P17");
        assert!("F17".parse::<PaymentId>().is_err());
    }
}
