//! BAI type codes as data: what each one means and what becomes of it.
//!
//! The level decides more than the name: status and summary codes stand in 03, detail codes in 16. A code that is not in the table is
//! judged by its range.

use crate::Method;

/// What an amount with a type code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A balance or float (03).
    Status,
    /// A sum of other records (03); never money by itself.
    Total,
    /// Money that a customer may have sent.
    Receipt(Method),
    /// Several receipts in one sum: a lockbox deposit, a card settlement. Its items come in another file.
    Deposit(Method),
    /// Our own money moving between our accounts.
    Internal,
    /// A receipt that is taken back.
    Return,
    /// Money that leaves the account.
    Outgoing,
    /// Text without money (890).
    Text,
    /// A loan (7xx): neither in nor out.
    Loan,
}

/// Which way an amount counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Credit,
    Debit,
    Neither,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct TypeCode {
    pub code: u16,
    pub meaning: Meaning,
    pub name: &'static str,
}

const fn row(code: u16, meaning: Meaning, name: &'static str) -> TypeCode {
    TypeCode { code, meaning, name }
}

use Meaning::{Deposit, Internal, Outgoing, Receipt, Return, Status, Text, Total};
use Method::{Ach, Card, Check, Other, Wire};

/// Ascending by code.
const TABLE: &[TypeCode] = &[
    row(10, Status, "opening_ledger"),
    row(11, Status, "average_opening_ledger_month_to_date"),
    row(12, Status, "average_opening_ledger_year_to_date"),
    row(15, Status, "closing_ledger"),
    row(20, Status, "average_closing_ledger_month_to_date"),
    row(21, Status, "average_closing_ledger_previous_month"),
    row(22, Status, "aggregate_balance_adjustments"),
    row(24, Status, "average_closing_ledger_year_to_date_previous_month"),
    row(25, Status, "average_closing_ledger_year_to_date"),
    row(30, Status, "current_ledger"),
    row(37, Status, "ach_net_position"),
    row(40, Status, "opening_available"),
    row(41, Status, "average_opening_available_month_to_date"),
    row(42, Status, "average_opening_available_year_to_date"),
    row(43, Status, "average_available_previous_month"),
    row(44, Status, "disbursing_opening_available"),
    row(45, Status, "closing_available"),
    row(50, Status, "average_closing_available_month_to_date"),
    row(51, Status, "average_closing_available_last_month"),
    row(54, Status, "average_closing_available_year_to_date_last_month"),
    row(55, Status, "average_closing_available_year_to_date"),
    row(57, Status, "loan_balance"),
    row(59, Status, "total_investment_position"),
    row(60, Status, "current_available"),
    row(61, Status, "average_current_available_month_to_date"),
    row(62, Status, "average_current_available_year_to_date"),
    row(63, Status, "total_float"),
    row(70, Status, "zero_day_float"),
    row(72, Status, "one_day_float"),
    row(73, Status, "closing_float"),
    row(74, Status, "two_or_more_days_float"),
    row(75, Status, "three_or_more_days_float"),
    row(76, Status, "adjustment_to_balances"),
    row(100, Total, "total_credits"),
    row(101, Total, "total_credits_month_to_date"),
    row(105, Total, "credits_not_detailed"),
    row(106, Total, "deposits_subject_to_float"),
    row(107, Total, "total_adjustment_credits_year_to_date"),
    row(108, Receipt(Other), "credit"),
    row(109, Total, "current_day_total_lockbox_deposits"),
    row(110, Total, "total_lockbox_deposits"),
    row(115, Deposit(Check), "lockbox_deposit"),
    row(116, Receipt(Check), "item_in_lockbox_deposit"),
    row(118, Receipt(Other), "lockbox_adjustment_credit"),
    row(120, Total, "edi_transaction_credits"),
    row(121, Receipt(Ach), "edi_transaction_credit"),
    row(122, Receipt(Ach), "edibanx_credit_received"),
    row(123, Receipt(Ach), "edibanx_credit_return"),
    row(130, Total, "total_concentration_credits"),
    row(131, Total, "total_dtc_credits"),
    row(135, Deposit(Other), "dtc_concentration_credit"),
    row(136, Receipt(Other), "item_in_dtc_deposit"),
    row(140, Total, "total_ach_credits"),
    row(142, Receipt(Ach), "ach_credit_received"),
    row(143, Receipt(Ach), "item_in_ach_deposit"),
    row(145, Internal, "ach_concentration_credit"),
    row(146, Total, "total_bank_card_deposits"),
    row(147, Deposit(Card), "individual_bank_card_deposit"),
    row(150, Total, "total_preauthorized_payment_credits"),
    row(155, Receipt(Ach), "preauthorized_draft_credit"),
    row(156, Receipt(Ach), "item_in_pac_deposit"),
    row(160, Total, "total_ach_disbursing_funding_credits"),
    row(162, Total, "corporate_trade_payment_settlement"),
    row(163, Total, "corporate_trade_payment_credits"),
    row(164, Receipt(Ach), "corporate_trade_payment_credit"),
    row(165, Receipt(Ach), "preauthorized_ach_credit"),
    row(166, Internal, "ach_settlement"),
    row(167, Total, "ach_settlement_credits"),
    row(168, Internal, "ach_return_item_or_adjustment_settlement"),
    row(169, Receipt(Ach), "miscellaneous_ach_credit"),
    row(170, Total, "total_other_check_deposits"),
    row(171, Internal, "individual_loan_deposit"),
    row(172, Deposit(Check), "deposit_correction"),
    row(173, Deposit(Check), "bank_prepared_deposit"),
    row(174, Deposit(Check), "other_deposit"),
    row(175, Deposit(Check), "check_deposit_package"),
    row(176, Deposit(Check), "re_presented_check_deposit"),
    row(178, Total, "list_post_credits"),
    row(180, Total, "total_loan_proceeds"),
    row(182, Total, "total_bank_prepared_deposits"),
    row(184, Internal, "draft_deposit"),
    row(185, Total, "total_miscellaneous_deposits"),
    row(186, Total, "total_cash_letter_credits"),
    row(187, Deposit(Check), "cash_letter_credit"),
    row(188, Total, "total_cash_letter_adjustments"),
    row(190, Total, "total_incoming_money_transfers"),
    row(191, Receipt(Wire), "individual_incoming_internal_money_transfer"),
    row(195, Receipt(Wire), "incoming_money_transfer"),
    row(196, Internal, "money_transfer_adjustment"),
    row(198, Internal, "compensation"),
    row(200, Total, "total_automatic_transfer_credits"),
    row(201, Receipt(Other), "automatic_transfer_credit"),
    row(205, Total, "total_book_transfer_credits"),
    row(206, Receipt(Wire), "book_transfer_credit"),
    row(207, Total, "total_international_money_transfer_credits"),
    row(208, Receipt(Wire), "international_money_transfer_credit"),
    row(210, Total, "total_international_credits"),
    row(212, Receipt(Other), "foreign_letter_of_credit"),
    row(213, Receipt(Other), "letter_of_credit"),
    row(214, Receipt(Other), "foreign_exchange_of_credit"),
    row(215, Total, "total_letters_of_credit"),
    row(216, Receipt(Wire), "foreign_remittance_credit"),
    row(218, Receipt(Wire), "foreign_collection_credit"),
    row(221, Receipt(Check), "foreign_check_purchase"),
    row(222, Deposit(Check), "foreign_checks_deposited"),
    row(224, Receipt(Other), "commission"),
    row(230, Total, "total_security_credits"),
    row(250, Total, "total_checks_posted_and_returned"),
    row(251, Total, "total_debit_reversals"),
    row(252, Internal, "debit_reversal"),
    row(254, Internal, "posting_error_correction_credit"),
    row(255, Internal, "check_posted_and_returned"),
    row(256, Total, "total_ach_return_items"),
    row(257, Internal, "individual_ach_return_item"),
    row(258, Internal, "ach_reversal_credit"),
    row(260, Total, "total_rejected_credits"),
    row(261, Internal, "individual_rejected_credit"),
    row(263, Internal, "overdraft"),
    row(266, Internal, "return_item"),
    row(268, Internal, "return_item_adjustment"),
    row(270, Total, "total_zba_credits"),
    row(274, Internal, "cumulative_zba_or_disbursement_credit"),
    row(275, Internal, "zba_credit"),
    row(276, Internal, "zba_float_adjustment"),
    row(277, Internal, "zba_credit_transfer"),
    row(278, Internal, "zba_credit_adjustment"),
    row(281, Internal, "individual_controlled_disbursing_credit"),
    row(301, Deposit(Check), "commercial_deposit"),
    row(303, Total, "total_securities_purchased"),
    row(354, Internal, "interest_credit"),
    row(357, Receipt(Other), "credit_adjustment"),
    row(366, Deposit(Other), "currency_and_coin_deposited"),
    row(390, Total, "total_miscellaneous_credits"),
    row(399, Receipt(Other), "miscellaneous_credit"),
    row(400, Total, "total_debits"),
    row(401, Total, "total_debits_month_to_date"),
    row(405, Total, "debits_not_detailed"),
    row(408, Outgoing, "float_adjustment"),
    row(409, Outgoing, "debit"),
    row(410, Total, "total_ytd_adjustment"),
    row(412, Total, "total_debits_less_returned_items"),
    row(415, Outgoing, "lockbox_debit"),
    row(416, Total, "total_lockbox_debits"),
    row(420, Total, "edi_transaction_debits"),
    row(421, Outgoing, "edi_transaction_debit"),
    row(430, Total, "total_payable_through_drafts"),
    row(435, Outgoing, "payable_through_draft"),
    row(445, Outgoing, "ach_concentration_debit"),
    row(446, Total, "total_ach_disbursement_funding_debits"),
    row(447, Outgoing, "ach_disbursement_funding_debit"),
    row(450, Total, "total_ach_debits"),
    row(451, Outgoing, "ach_debit_received"),
    row(452, Outgoing, "item_in_ach_disbursement"),
    row(455, Outgoing, "preauthorized_ach_debit"),
    row(462, Outgoing, "account_holder_initiated_ach_debit"),
    row(463, Total, "corporate_trade_payment_debits"),
    row(464, Outgoing, "corporate_trade_payment_debit"),
    row(465, Outgoing, "corporate_trade_payment_settlement"),
    row(466, Outgoing, "ach_settlement"),
    row(467, Total, "ach_settlement_debits"),
    row(468, Return, "ach_return_item_or_adjustment_settlement"),
    row(469, Outgoing, "miscellaneous_ach_debit"),
    row(470, Total, "total_check_paid"),
    row(475, Outgoing, "check_paid"),
    row(481, Outgoing, "individual_loan_payment"),
    row(490, Total, "total_outgoing_money_transfers"),
    row(491, Outgoing, "individual_outgoing_internal_money_transfer"),
    row(493, Outgoing, "customer_terminal_initiated_money_transfer"),
    row(495, Outgoing, "outgoing_money_transfer"),
    row(496, Outgoing, "money_transfer_adjustment"),
    row(498, Outgoing, "compensation"),
    row(500, Total, "total_automatic_transfer_debits"),
    row(501, Outgoing, "individual_automatic_transfer_debit"),
    row(505, Total, "total_book_transfer_debits"),
    row(506, Outgoing, "book_transfer_debit"),
    row(508, Outgoing, "international_money_transfer_debit"),
    row(550, Total, "total_deposited_items_returned"),
    row(551, Total, "total_credit_reversals"),
    row(552, Return, "credit_reversal"),
    row(554, Outgoing, "posting_error_correction_debit"),
    row(555, Return, "deposited_item_returned"),
    row(556, Total, "total_ach_return_items"),
    row(557, Return, "individual_ach_return_item"),
    row(558, Return, "ach_reversal_debit"),
    row(560, Total, "total_rejected_debits"),
    row(561, Outgoing, "individual_rejected_debit"),
    row(566, Outgoing, "return_item_debit"),
    row(570, Total, "total_zba_debits"),
    row(574, Outgoing, "cumulative_zba_debit"),
    row(575, Outgoing, "zba_debit"),
    row(577, Outgoing, "zba_debit_transfer"),
    row(581, Outgoing, "individual_controlled_disbursing_debit"),
    row(595, Total, "total_controlled_disbursing_debits"),
    row(631, Outgoing, "debit_adjustment"),
    row(654, Outgoing, "interest_debit"),
    row(661, Outgoing, "account_analysis_fee"),
    row(690, Total, "total_miscellaneous_debits"),
    row(695, Outgoing, "deposited_item_charge"),
    row(698, Outgoing, "miscellaneous_fees"),
    row(699, Outgoing, "miscellaneous_debit"),
    row(890, Text, "text"),
];

/// Place of each code in the table plus one; zero for codes that are not in it.
const PLACES: [u8; 1000] = places();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "computed at compile time, where a fault stops the build"
)]
const fn places() -> [u8; 1000] {
    let mut places = [0; 1000];
    let mut place = 0;
    while place < TABLE.len() {
        places[TABLE[place].code as usize] = place as u8 + 1;
        place += 1;
    }
    places
}

/// Reads three digits.
pub(super) fn number(text: &[u8]) -> Option<u16> {
    let [hundreds, tens, ones] = text else { return None };
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u16::from(byte.wrapping_sub(b'0')));
    Some(digit(hundreds)?.wrapping_mul(100).wrapping_add(digit(tens)?.wrapping_mul(10)).wrapping_add(digit(ones)?))
}

/// The row of a code, where the table has it.
pub(super) fn known(code: u16) -> Option<&'static TypeCode> {
    let place = PLACES.get(usize::from(code))?;
    TABLE.get(usize::from(*place).checked_sub(1)?)
}

/// What a code means, by the table or else by its range.
pub(super) fn meaning(code: u16) -> Meaning {
    if let Some(row) = known(code) {
        return row.meaning;
    }
    match code {
        0..=99 | 900..=919 => Status,
        100..=399 | 920..=959 => Receipt(Other),
        400..=699 | 960..=999 => Outgoing,
        700..=799 => Meaning::Loan,
        _ => Text,
    }
}

/// Which way an amount in a 16 with this code counts.
pub(super) fn side(code: u16) -> Side {
    match code {
        100..=399 | 920..=959 => Side::Credit,
        400..=699 | 960..=999 => Side::Debit,
        _ => Side::Neither,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ascends_and_agrees_with_the_ranges() {
        assert!(TABLE.len() < 255 && TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        for row in TABLE {
            let expected = match row.meaning {
                Receipt(_) | Deposit(_) | Internal => Some(Side::Credit),
                Return | Outgoing => Some(Side::Debit),
                Status | Text | Meaning::Loan => Some(Side::Neither),
                Total => None,
            };
            assert!(expected.is_none_or(|expected| expected == side(row.code)), "{} {}", row.code, row.name);
            assert_eq!(known(row.code).map(|found| found.name), Some(row.name));
        }
        assert_eq!(meaning(388), Receipt(Other));
        assert_eq!(meaning(985), Outgoing);
    }
}
