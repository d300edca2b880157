//! What a file says, in the words of the trade and independent of its format.
//!
//! Records borrow their text from the bytes they were read from. Their JSON form is the public contract of `tieout parse`.

use std::borrow::Cow;

use chrono::NaiveDate;
use serde::Serialize;

use crate::{Account, Control, Exchange, Finding, Location, Money, SharedParty, mask, x12::received::Received};

/// Text from a file: borrowed where the bytes are UTF-8, owned where they had to be decoded.
pub type Text<'a> = Cow<'a, str>;

/// Everything read from one file, and everything wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// What the file says.
    pub document: Document<'a>,
    /// What is wrong or odd in it, in file order.
    pub findings: Vec<Finding>,
    /// What came in as X12, for acknowledgments; empty for other formats.
    pub received: Received,
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document<'a> {
    /// Format by content.
    pub format: Format,
    /// The verdict on the whole file.
    pub status: Status,
    /// Money received or announced, in file order.
    pub payments: Vec<Payment<'a>>,
    /// Advices, in file order.
    pub remittances: Vec<Remittance<'a>>,
    /// Invoices and credit memos, in file order.
    pub invoices: Vec<Invoice<'a>>,
    /// Payments taken back.
    pub returns: Vec<Return<'a>>,
    /// Account balances.
    pub balances: Vec<Balance>,
    /// Acknowledgments of what we sent.
    pub acknowledgments: Vec<Acknowledgment<'a>>,
    /// Claimed counts, totals and numbers beside the computed ones.
    pub controls: Vec<Control>,
}

/// One record of a document, as the streaming form hands it over. The large kinds are boxed: records change hands often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record<'a> {
    /// Money received or announced.
    Payment(Box<Payment<'a>>),
    /// An advice. It comes before the payment that refers to it.
    Remittance(Box<Remittance<'a>>),
    /// An invoice or credit memo.
    Invoice(Box<Invoice<'a>>),
    /// A payment taken back.
    Return(Box<Return<'a>>),
    /// A balance.
    Balance(Balance),
    /// An acknowledgment.
    Acknowledgment(Box<Acknowledgment<'a>>),
    /// A control.
    Control(Control),
    /// A finding.
    Finding(Finding),
}

macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)+) => {
        /// A format by content, never by file name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Format { $($(#[$doc])* $name,)+ }

        impl Format {
            /// All formats, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name in exports and on the command line.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $code,)+ } }

            /// The format of that name.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($code => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

formats! {
    /// X12 820 Payment Order/Remittance Advice.
    X12Payment820 = "x12.820";
    /// X12 810 Invoice.
    X12Invoice810 = "x12.810";
    /// X12 210 Motor Carrier Freight Details and Invoice.
    X12Freight210 = "x12.210";
    /// X12 823 Lockbox.
    X12Lockbox823 = "x12.823";
    /// X12 812 Credit/Debit Adjustment.
    X12Adjustment812 = "x12.812";
    /// X12 824 Application Advice.
    X12Advice824 = "x12.824";
    /// X12 997 Functional Acknowledgment.
    X12Ack997 = "x12.997";
    /// X12 999 Implementation Acknowledgment.
    X12Ack999 = "x12.999";
    /// X12 interchange that holds TA1 segments only.
    X12Ta1 = "x12.ta1";
    /// X12 with several kinds of sets.
    X12Mixed = "x12.mixed";
    /// X12 with sets that are not ours.
    X12Other = "x12.other";
    /// NACHA ACH file.
    Nacha = "nacha";
    /// BAI2 cash-management statement.
    Bai2 = "bai2";
    /// BAI lockbox file with fixed columns.
    LockboxBai = "lockbox.bai";
    /// SWIFT MT940 Customer Statement Message.
    Mt940 = "mt940";
    /// SWIFT MT942 Interim Transaction Report.
    Mt942 = "mt942";
    /// ISO 20022 camt.052 Bank to Customer Account Report.
    Camt052 = "camt.052";
    /// ISO 20022 camt.053 Bank to Customer Statement.
    Camt053 = "camt.053";
    /// ISO 20022 camt.054 Bank to Customer Debit Credit Notification.
    Camt054 = "camt.054";
    /// ISO 20022 pain.001 Customer Credit Transfer Initiation.
    Pain001 = "pain.001";
    /// ISO 20022 remt.001 Remittance Advice.
    Remt001 = "remt.001";
    /// UN/EDIFACT REMADV Remittance Advice.
    EdifactRemadv = "edifact.remadv";
    /// UN/EDIFACT INVOIC Invoice.
    EdifactInvoic = "edifact.invoic";
    /// UN/EDIFACT with several kinds of messages.
    EdifactMixed = "edifact.mixed";
    /// UN/EDIFACT with messages that are not ours.
    EdifactOther = "edifact.other";
    /// CSV or another delimited text whose header fits a mapping.
    Csv = "csv";
    /// XLSX workbook with a sheet whose header fits a mapping.
    Xlsx = "xlsx";
    /// Nothing we know.
    Unknown = "unknown";
}

impl Serialize for Format {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The verdict on a whole file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Read whole, nothing to say.
    Accepted,
    /// Read, with findings; records may have been set aside.
    AcceptedWithFindings,
    /// Counts, totals or numbers disagree, or the end is missing: nothing posts until a person decides.
    Held,
    /// Nothing in it could be read.
    Rejected,
    /// Recognised, not ours to read.
    Unsupported,
}

impl Status {
    /// The name in exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::AcceptedWithFindings => "accepted_with_findings",
            Self::Held => "held",
            Self::Rejected => "rejected",
            Self::Unsupported => "unsupported",
        }
    }
}

/// Money received or announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Payment<'a> {
    /// Position among the payments of the file, counted from 0.
    pub seq: u32,
    /// How the money moves.
    pub method: Method,
    /// Which way, seen from the payee.
    pub direction: Direction,
    /// How much.
    pub amount: Money,
    /// When the money is good (820: BPR16).
    pub value_date: Option<NaiveDate>,
    /// Who pays.
    pub payer: SharedParty<'a>,
    /// Who is paid: our side.
    pub payee: SharedParty<'a>,
    /// The number that ties advice and money together (820: TRN02), or the cheque number.
    #[serde(serialize_with = "mask::serialize_text")]
    pub trace: Option<Text<'a>>,
    /// References of the payment as a whole.
    pub references: Vec<Reference<'a>>,
    /// Free text.
    #[serde(serialize_with = "mask::serialize_text")]
    pub text: Option<Text<'a>>,
    /// `seq` of the remittance that came with it.
    pub remittance: Option<u32>,
    /// Where its record begins.
    pub location: Location,
    /// The envelope it travelled in, where its format has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange<'a>>,
}

/// How money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Automated clearing house.
    Ach,
    /// Wire transfer.
    Wire,
    /// Cheque.
    Check,
    /// Card settlement.
    Card,
    /// Anything else.
    Other,
}

impl Method {
    /// The name in exports and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ach => "ach",
            Self::Wire => "wire",
            Self::Check => "check",
            Self::Card => "card",
            Self::Other => "other",
        }
    }
}

/// Which way money moves, seen from the payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Money comes in.
    Credit,
    /// Money is taken.
    Debit,
}

/// A party to a payment or invoice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Party<'a> {
    /// Name as the file writes it, trailing blanks removed.
    pub name: Option<Text<'a>>,
    /// Identification (N104, originating company id).
    pub id: Option<Text<'a>>,
    /// Bank: routing number or BIC.
    pub bank: Option<Text<'a>>,
    /// Account number. It leaves as its last four characters only.
    #[serde(rename = "account_last4")]
    pub account: Option<Account<'a>>,
}

impl Party<'_> {
    /// Whether nothing is known of it.
    pub fn is_empty(&self) -> bool {
        *self == Party::default()
    }
}

/// A reference with its qualifier (element 128).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference<'a> {
    /// What kind of number it is: `PO`, `BM`, `IV`.
    pub qualifier: Text<'a>,
    /// The number.
    #[serde(serialize_with = "mask::serialize_value")]
    pub value: Text<'a>,
}

/// An advice: what a payment is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remittance<'a> {
    /// Position among the remittances of the file, counted from 0.
    pub seq: u32,
    /// The amount the advice names for the whole payment; empty where it names none.
    pub total: Option<Money>,
    /// Date of the advice or of the payment it announces.
    pub date: Option<NaiveDate>,
    /// Who pays.
    pub payer: SharedParty<'a>,
    /// Who is paid.
    pub payee: SharedParty<'a>,
    /// The number that ties it to the money.
    #[serde(serialize_with = "mask::serialize_text")]
    pub trace: Option<Text<'a>>,
    /// One per item paid, adjusted or mentioned.
    pub lines: Vec<RemittanceLine<'a>>,
    /// Free text.
    #[serde(serialize_with = "mask::serialize_text")]
    pub text: Option<Text<'a>>,
    /// References of the advice as a whole, when no payment came with it that holds them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference<'a>>,
    /// Where it begins.
    pub location: Location,
    /// The envelope it travelled in, where its format has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange<'a>>,
}

/// One line of an advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RemittanceLine<'a> {
    /// Number of the item paid (RMR02), as written. Empty for an adjustment that names no item.
    pub reference: Text<'a>,
    /// What kind of number it is (RMR01).
    pub qualifier: Text<'a>,
    /// Payment action (RMR03, element 482), where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Text<'a>>,
    /// Amount before discount (RMR05).
    pub gross: Option<Money>,
    /// Discount taken (RMR06).
    pub discount: Option<Money>,
    /// Adjustments that belong to this line (inner ADX), already inside `net`.
    pub adjustments: Vec<Adjustment<'a>>,
    /// Amount paid for the line (RMR04), or the whole of a free adjustment (outer ADX).
    pub net: Option<Money>,
    /// Invoice date.
    pub date: Option<NaiveDate>,
    /// Purchase order.
    pub po: Option<Text<'a>>,
    /// Further references of the line (REF after RMR).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference<'a>>,
    /// Where the line begins.
    pub location: Location,
}

/// An adjustment with its reason code (element 426).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Adjustment<'a> {
    /// How much; negative reduces the payment.
    pub amount: Money,
    /// Reason code as the file writes it; codes of EDIFACT (4465) have `AJT` in front, because X12 gives the same numbers other meanings.
    pub reason: Text<'a>,
    /// Number of the adjustment, such as a debit memo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Text<'a>>,
}

/// An invoice or credit memo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invoice<'a> {
    /// Number (BIG02, B302).
    pub number: Text<'a>,
    /// Invoice or credit memo.
    pub kind: InvoiceKind,
    /// What the sender wants done with it.
    pub purpose: InvoicePurpose,
    /// Date (BIG01, B306).
    pub date: Option<NaiveDate>,
    /// Net due date, stated or computed from the terms.
    pub due_date: Option<NaiveDate>,
    /// Total; negative for a credit memo.
    pub amount: Money,
    /// Who owes.
    pub bill_to: Party<'a>,
    /// Whose receivable it is.
    pub seller: Party<'a>,
    /// Purchase order.
    pub po: Option<Text<'a>>,
    /// Bill of lading.
    pub bol: Option<Text<'a>>,
    /// Carrier's progressive number.
    pub pro: Option<Text<'a>>,
    /// Payment terms.
    pub terms: Terms,
    /// Further references (REF, N9, L11).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference<'a>>,
    /// Where it begins.
    pub location: Location,
    /// The envelope it travelled in, where its format has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange<'a>>,
}

/// Invoice or credit memo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceKind {
    /// The customer owes.
    Invoice,
    /// We owe the customer.
    CreditMemo,
}

/// What the sender of an invoice wants done with it (BIG08; B308).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoicePurpose {
    /// A new debt.
    Original,
    /// Takes an earlier one back.
    Cancel,
    /// Stands in place of an earlier one.
    Replace,
    /// A copy of one sent before.
    Duplicate,
}

/// Payment terms; the first tier when several are given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// Discount in percent, as decimal text.
    pub discount_percent: Option<rust_decimal::Decimal>,
    /// Days within which the discount may be taken.
    pub discount_days: Option<u32>,
    /// Days until the net amount is due.
    pub net_days: Option<u32>,
    /// Last day of the discount, stated or computed where its days do not count from the invoice date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount_date: Option<NaiveDate>,
    /// Discount as an amount, where stated (ITD08, TDS04).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount_amount: Option<Money>,
    /// Part of the total that the discount is taken from, where it is not the whole (TDS02): freight and tax are often left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount_base: Option<Money>,
}

/// A payment taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Return<'a> {
    /// Position among the returns of the file, counted from 0.
    pub seq: u32,
    /// How much goes back, as a positive amount.
    pub amount: Money,
    /// Return reason code.
    pub code: Text<'a>,
    /// Trace of the payment taken back.
    pub original_trace: Option<Text<'a>>,
    /// Number of the return itself, where the bank gives it one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Text<'a>>,
    /// Who had paid.
    pub payer: SharedParty<'a>,
    /// Whom it is taken from: the account, lockbox or merchant number of ours that it leaves.
    #[serde(skip_serializing_if = "SharedParty::is_empty")]
    pub payee: SharedParty<'a>,
    /// Where it begins.
    pub location: Location,
}

/// A balance of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Last four characters of the account.
    pub account_last4: String,
    /// Kind of balance.
    pub kind: String,
    /// How much.
    pub amount: Money,
    /// When.
    pub date: Option<NaiveDate>,
    /// Where it stands.
    pub location: Location,
}

/// An acknowledgment of something we sent (TA1, 997, 999), or a judgement of its content (824).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Acknowledgment<'a> {
    /// What it is about.
    pub level: AckLevel,
    /// Control number acknowledged (TA101, AK102, AK202, OTI09); empty where an 824 names none.
    pub control_number: Text<'a>,
    /// Group the set belongs to (AK102, OTI08); only for sets and items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_control: Option<Text<'a>>,
    /// Functional id (AK101) or set id (AK201, OTI10); empty for TA1.
    pub id: Text<'a>,
    /// Verdict as sent: `A`, `E`, `P`, `R`, ... (824: the second letter of OTI01).
    pub verdict: Text<'a>,
    /// Error and note codes: those of AK5, AK9 and TA1 as sent, those of a segment or an element after its place, such as `NM1@8=8` (segment 8
    /// is NM1) and `NM108@8=7`.
    pub codes: Vec<Text<'a>>,
    /// The number judged, such as an invoice (824: OTI02, OTI03).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference<'a>>,
    /// What is wrong in words (824: TED02, NTE02).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Text<'a>>,
    /// Where it stands.
    pub location: Location,
}

/// What an acknowledgment is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AckLevel {
    /// A whole interchange.
    Interchange,
    /// A functional group.
    Group,
    /// A transaction set.
    Set,
    /// One item of a transaction set, such as an invoice (824).
    Item,
}
