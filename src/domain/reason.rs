//! Why something is work for a person: a closed list, defined once.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! reasons {
    ($($name:ident = $code:literal, $title:literal, $queue:literal, $advice:literal;)+) => {
        /// Why an exception exists. Screens, exports, routing rules and documentation read this one table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $(#[doc = $title] $name,)+ }

        impl Reason {
            /// All reasons, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable code of exports, rules and scripts.
            pub const fn code(self) -> &'static str { match self { $(Self::$name => $code,)+ } }

            /// The title for screens.
            pub const fn title(self) -> &'static str { match self { $(Self::$name => $title,)+ } }

            /// The queue when no routing rule says otherwise.
            pub const fn default_queue(self) -> &'static str { match self { $(Self::$name => $queue,)+ } }

            /// What to do next.
            pub const fn advice(self) -> &'static str { match self { $(Self::$name => $advice,)+ } }
        }
    };
}

reasons! {
    UnidentifiedPayer = "unidentified_payer", "Unidentified payer", "identify", "Find out who paid; the account is learned from your answer.";
    NoRemittance = "no_remittance", "No remittance", "cash_application", "Ask the payer what the money is for, or apply to the items proposed.";
    RemittanceWithoutPayment = "remittance_without_payment", "Remittance without payment", "cash_application", "Wait for the cash, or link the payment it belongs to.";
    ReferenceNotFound = "reference_not_found", "Reference not found", "cash_application", "Correct the reference, or keep the cash on account.";
    Ambiguous = "ambiguous", "Ambiguous", "cash_application", "Several answers fit equally well: choose one, or ask the payer.";
    ShortPaid = "short_paid", "Short paid", "collections", "Ask the customer why less was paid; apply what came and keep the rest open.";
    Overpaid = "overpaid", "Overpaid", "cash_application", "Keep the rest on account, or refund it.";
    UnearnedDiscount = "unearned_discount", "Unearned discount", "collections", "Allow it within your limit, or charge it back.";
    DeductionToValidate = "deduction_to_validate", "Deduction to validate", "deductions", "Gather the evidence the reason code asks for; approve or charge back.";
    DuplicatePayment = "duplicate_payment", "Duplicate payment", "cash_application", "Confirm that it was paid twice; keep on account or refund.";
    AlreadyPaid = "already_paid", "Already paid", "cash_application", "The item is closed; find what else is meant, keep on account or refund.";
    CreditMemoOpen = "credit_memo_open", "Credit memo open", "cash_application", "The customer took a credit that we do not know or that is used up.";
    ThirdPartyPayer = "third_party_payer", "Third-party payer not related", "identify", "Confirm that this payer may pay for the customer; record the relation.";
    CurrencyMismatch = "currency_mismatch", "Currency mismatch", "cash_application", "Payment and item are in different currencies and no rate was given.";
    RemittanceOutOfBalance = "remittance_out_of_balance", "Remittance out of balance", "cash_application", "The lines do not add up to the payment; ask the payer for a corrected advice.";
    PaymentReturned = "payment_returned", "Payment returned", "collections", "The bank took the money back. If it did not say which payment came back, name it; then the items are open again.";
    AboveAuthority = "above_authority", "Above authority", "approvals", "A second person with a higher limit must decide.";
    FileHeld = "file_held", "File held", "files", "Counts or totals disagree; check with the sender, then release or reject the file.";
    RecordSetAside = "record_set_aside", "Record set aside", "files", "Ask the sender for a corrected record.";
    SameMoney = "same_money", "May be the same money", "cash_application", "Two files may tell of one payment: say mark-duplicate or not-duplicate; nothing of it moves until then.";
    DepositUnexplained = "deposit_unexplained", "Deposit without details", "cash_application", "Ask the bank for the file that lists the items, or apply the sum.";
    ChangeNotified = "change_notified", "Change notified", "identify", "Correct the customer's data before the next entry; no money moved.";
    NotCertified = "not_certified", "Not certified", "cash_application", "The answer is likely, and no certificate shows yet how rarely such answers are wrong: accept the proposal, or correct it.";
    AuditSample = "audit_sample", "Audit sample", "audit", "This posting was drawn at random: say confirm if it is right and wrong if it is not; never skip one.";
    DriftAlarm = "drift_alarm", "Drift alarm", "audit", "More automatic postings were wrong than the budget allows, so fewer post from now on: find the cause, then certify again.";
    ChangedResend = "changed_resend", "Changed resend", "files", "Something known came again with other content; decide which is right.";
    RuleDemoted = "rule_demoted", "Rule demoted", "approvals", "A rule was reversed too often and only suggests now; change it, backtest it and activate it.";
}

impl Reason {
    /// The reason with that code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Reason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|reason| reason.code()).collect();
            format!("{text:?} is not a reason; expected one of {}", known.join(", "))
        })
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
