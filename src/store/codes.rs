//! The closed lists of the domain as the text the store keeps.

use super::{ApplicationKind, FileState};
use crate::domain::{AmountClass, ItemKind, ItemStatus, Level, Method, PaymentState, Reason, RemittanceState, Report, SignKind};

/// A value with a code in the store.
pub(crate) trait Code: Sized {
    fn from_code(code: &str) -> Option<Self>;
}

macro_rules! codes {
    ($($kind:ident: $($name:ident)+;)+) => {
        $(impl Code for $kind {
            fn from_code(code: &str) -> Option<Self> {
                [$(Self::$name),+].into_iter().find(|value| value.as_str() == code)
            }
        })+
    };
}

codes! {
    Method: Ach Wire Check Card Other;
    PaymentState: Held Received Posted Exception Returned Void;
    RemittanceState: Held Waiting Linked Void;
    ItemKind: Invoice CreditMemo DebitMemo;
    ItemStatus: Open Closed Cancelled;
    Report: Order Items Notice Interim Final;
    Level: File Record Payment Remittance OpenItem;
    ApplicationKind: Item OnAccount Refund Return;
    AmountClass: Normal Large;
    SignKind: Account Id Name;
    FileState: Received Recorded Held Rejected Unsupported;
}

impl Code for Reason {
    fn from_code(code: &str) -> Option<Self> {
        Self::parse(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_what_they_write() {
        assert_eq!(PaymentState::from_code(PaymentState::Exception.as_str()), Some(PaymentState::Exception));
        assert_eq!(ItemKind::from_code("debit_memo"), Some(ItemKind::DebitMemo));
        assert_eq!(Level::from_code("nonsense"), None);
    }
}
