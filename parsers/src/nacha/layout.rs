//! The columns of every record, by the standard's own names. Columns count from 1, both ends belong to the field.

/// One field of a record.
#[derive(Debug)]
pub(super) struct Field {
    /// The standard's name.
    pub name: &'static str,
    /// Its number in the record, counted from 1; the record type code is field 1.
    pub number: u16,
    /// First column.
    pub from: usize,
    /// Last column.
    pub to: usize,
}

const fn field(number: u16, from: usize, to: usize, name: &'static str) -> Field {
    Field { name, number, from, to }
}

/// Record 1, file header.
pub(super) mod file_header {
    use super::{Field, field};

    pub const FILE_CREATION_DATE: Field = field(5, 24, 29, "File Creation Date");
    pub const RECORD_SIZE: Field = field(8, 35, 37, "Record Size");
    pub const BLOCKING_FACTOR: Field = field(9, 38, 39, "Blocking Factor");
    pub const FORMAT_CODE: Field = field(10, 40, 40, "Format Code");
}

/// Record 5, batch header.
pub(super) mod batch_header {
    use super::{Field, field};

    pub const SERVICE_CLASS_CODE: Field = field(2, 2, 4, "Service Class Code");
    pub const COMPANY_NAME: Field = field(3, 5, 20, "Company Name");
    pub const COMPANY_DISCRETIONARY_DATA: Field = field(4, 21, 40, "Company Discretionary Data");
    /// Columns 5 to 40 as one, for a name that runs on.
    pub const COMPANY_NAME_LONG: Field = field(3, 5, 40, "Company Name");
    /// Of an IAT batch, whose columns 5 to 20 hold an indicator.
    pub const COMPANY_IDENTIFICATION: Field = field(5, 41, 50, "Company Identification");
    pub const STANDARD_ENTRY_CLASS: Field = field(6, 51, 53, "Standard Entry Class Code");
    pub const COMPANY_ENTRY_DESCRIPTION: Field = field(7, 54, 63, "Company Entry Description");
    pub const EFFECTIVE_ENTRY_DATE: Field = field(9, 70, 75, "Effective Entry Date");
    pub const SETTLEMENT_DATE: Field = field(10, 76, 78, "Settlement Date");
    pub const ORIGINATING_DFI: Field = field(12, 80, 87, "Originating DFI Identification");
    pub const BATCH_NUMBER: Field = field(13, 88, 94, "Batch Number");
}

/// Record 6, entry detail.
pub(super) mod entry {
    use super::{Field, field};

    pub const TRANSACTION_CODE: Field = field(2, 2, 3, "Transaction Code");
    pub const RECEIVING_DFI: Field = field(3, 4, 11, "Receiving DFI Identification");
    /// Receiving DFI and check digit: a whole routing number.
    pub const ROUTING_NUMBER: Field = field(3, 4, 12, "Receiving DFI Identification");
    pub const CHECK_DIGIT: Field = field(4, 12, 12, "Check Digit");
    pub const ACCOUNT: Field = field(5, 13, 29, "DFI Account Number");
    pub const AMOUNT: Field = field(6, 30, 39, "Amount");
    pub const IDENTIFICATION: Field = field(7, 40, 54, "Individual Identification Number");
    pub const NAME: Field = field(8, 55, 76, "Individual Name");
    pub const ADDENDA_INDICATOR: Field = field(10, 79, 79, "Addenda Record Indicator");
    pub const TRACE: Field = field(11, 80, 94, "Trace Number");

    pub const CTX_ADDENDA_COUNT: Field = field(8, 55, 58, "Number of Addenda Records");
    pub const CTX_NAME: Field = field(9, 59, 74, "Receiving Company Name");

    pub const IAT_ADDENDA_COUNT: Field = field(5, 13, 16, "Number of Addenda Records");
    pub const IAT_ACCOUNT: Field = field(8, 40, 74, "Foreign Receiver's Account Number");

    pub const ADV_AMOUNT: Field = field(6, 28, 39, "Amount");
}

/// Record 7, addenda.
pub(super) mod addenda {
    use super::{Field, field};

    pub const TYPE_CODE: Field = field(2, 2, 3, "Addenda Type Code");
    pub const PAYMENT_INFORMATION: Field = field(3, 4, 83, "Payment Related Information");
    pub const SEQUENCE: Field = field(4, 84, 87, "Addenda Sequence Number");
    pub const ENTRY_SEQUENCE: Field = field(5, 88, 94, "Entry Detail Sequence Number");

    /// 02: what a terminal says about the sale.
    pub const TERMINAL: Field = field(3, 4, 79, "Terminal Information");

    pub const RETURN_REASON: Field = field(3, 4, 6, "Return Reason Code");
    pub const ORIGINAL_TRACE: Field = field(4, 7, 21, "Original Entry Trace Number");

    pub const CORRECTED_DATA: Field = field(6, 36, 64, "Corrected Data");

    pub const IAT_FOREIGN_TRACE: Field = field(5, 25, 46, "Foreign Trace Number");
    pub const IAT_RECEIVER_NAME: Field = field(6, 47, 81, "Receiving Company Name");
    pub const IAT_ORIGINATOR_NAME: Field = field(3, 4, 38, "Originator Name");
    pub const IAT_ORIGINATOR_BANK: Field = field(5, 41, 74, "Originating DFI Identification");
    pub const IAT_RECEIVER_ID: Field = field(3, 4, 18, "Receiver Identification Number");
}

/// Record 8, batch control.
pub(super) mod batch_control {
    use super::{Field, field};

    pub const SERVICE_CLASS_CODE: Field = field(2, 2, 4, "Service Class Code");
    pub const ENTRY_ADDENDA_COUNT: Field = field(3, 5, 10, "Entry/Addenda Count");
    pub const ENTRY_HASH: Field = field(4, 11, 20, "Entry Hash");
    pub const TOTAL_DEBIT: Field = field(5, 21, 32, "Total Debit Entry Dollar Amount");
    pub const TOTAL_CREDIT: Field = field(6, 33, 44, "Total Credit Entry Dollar Amount");
    pub const ADV_TOTAL_DEBIT: Field = field(5, 21, 40, "Total Debit Entry Dollar Amount");
    pub const ADV_TOTAL_CREDIT: Field = field(6, 41, 60, "Total Credit Entry Dollar Amount");
    pub const COMPANY_IDENTIFICATION: Field = field(7, 45, 54, "Company Identification");
    pub const ORIGINATING_DFI: Field = field(10, 80, 87, "Originating DFI Identification");
    pub const BATCH_NUMBER: Field = field(11, 88, 94, "Batch Number");
}

/// Record 9, file control.
pub(super) mod file_control {
    use super::{Field, field};

    pub const BATCH_COUNT: Field = field(2, 2, 7, "Batch Count");
    pub const BLOCK_COUNT: Field = field(3, 8, 13, "Block Count");
    pub const ENTRY_ADDENDA_COUNT: Field = field(4, 14, 21, "Entry/Addenda Count");
    pub const ENTRY_HASH: Field = field(5, 22, 31, "Entry Hash");
    pub const TOTAL_DEBIT: Field = field(6, 32, 43, "Total Debit Entry Dollar Amount in File");
    pub const TOTAL_CREDIT: Field = field(7, 44, 55, "Total Credit Entry Dollar Amount in File");
    pub const ADV_TOTAL_DEBIT: Field = field(6, 32, 51, "Total Debit Entry Dollar Amount in File");
    pub const ADV_TOTAL_CREDIT: Field = field(7, 52, 71, "Total Credit Entry Dollar Amount in File");
}
