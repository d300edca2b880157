//! Transaction codes and entry classes: which way money moves, or that none does.

use crate::Direction;

/// What a transaction code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transaction {
    /// The side on which the amount counts in the totals, seen from the receiver of the entry.
    pub direction: Direction,
    pub purpose: Purpose,
}

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Money moves.
    Moves,
    /// A return or a notification of change.
    Returns,
    /// Tests an account; no money.
    Prenote,
    /// Remittance without money.
    ZeroDollar,
    /// A line of an accounting advice (ADV); money that other files bring.
    Accounts,
}

impl Transaction {
    /// Reads a transaction code: 2x checking, 3x savings, 4x general ledger, 5x loan, 8x accounting.
    pub fn read(code: &[u8]) -> Option<Self> {
        use Direction::{Credit, Debit};
        use Purpose::{Accounts, Moves, Prenote, Returns, ZeroDollar};
        let &[account, kind] = code else { return None };
        let (direction, purpose) = match (account, kind) {
            (b'2'..=b'5', b'1') => (Credit, Returns),
            (b'2'..=b'5', b'2') => (Credit, Moves),
            (b'2'..=b'5', b'3') => (Credit, Prenote),
            (b'2'..=b'5', b'4') => (Credit, ZeroDollar),
            (b'5', b'5') => (Debit, Moves),
            (b'2'..=b'5', b'6') => (Debit, Returns),
            (b'2'..=b'4', b'7') => (Debit, Moves),
            (b'2'..=b'4', b'8') => (Debit, Prenote),
            (b'2'..=b'4', b'9') => (Debit, ZeroDollar),
            (b'8', b'1' | b'3' | b'5' | b'7') => (Credit, Accounts),
            (b'8', b'2' | b'4' | b'6' | b'8') => (Debit, Accounts),
            _ => return None,
        };
        Some(Self { direction, purpose })
    }
}

/// The form of the entries of a batch, by its standard entry class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// CCD, PPD, WEB, TEL, CIE and the check conversions: name in columns 55 to 76.
    #[default]
    Plain,
    /// CTX, and TRX, which shares its columns.
    Ctx,
    /// IAT.
    Iat,
    /// ADV: an accounting file with totals of 20 digits.
    Adv,
    /// ACK, ATX, DNE, ENR, COR: messages about entries; never money to apply.
    Message,
}

impl Form {
    /// The form of a class in capital letters; nothing for a class we do not know.
    pub fn of(class: &[u8]) -> Option<Self> {
        Some(match class {
            b"CTX" | b"TRX" => Self::Ctx,
            b"IAT" => Self::Iat,
            b"ADV" => Self::Adv,
            b"ACK" | b"ATX" | b"DNE" | b"ENR" | b"COR" => Self::Message,
            b"CCD" | b"PPD" | b"WEB" | b"TEL" | b"CIE" | b"ARC" | b"BOC" | b"POP" | b"POS" | b"RCK" | b"SHR" | b"MTE"
            | b"XCK" | b"TRC" => Self::Plain,
            _ => return None,
        })
    }
}

/// The check digit of a routing number by its first eight digits.
pub(super) fn check_digit(routing: u64) -> u64 {
    let mut rest = routing;
    let mut sum: u64 = 0;
    // From the eighth digit to the first.
    for weight in [7_u64, 3, 1, 7, 3, 1, 7, 3] {
        sum = sum.wrapping_add(weight.wrapping_mul(rest % 10));
        rest /= 10;
    }
    (10_u64.wrapping_sub(sum % 10)) % 10
}

/// Whether the rules have a reason of a return or a change: R01 to R47, R50 to R53, R61 to R77, R80 to R85, C01 to C14, C61 to C69.
pub(super) fn is_known(reason: &[u8]) -> bool {
    let &[letter, tens, ones] = reason else { return false };
    let code = (tens.is_ascii_digit() && ones.is_ascii_digit()).then_some([tens, ones]);
    match (letter, code.as_ref()) {
        (b'R', Some(b"00" | b"48" | b"49" | b"60" | b"78" | b"79")) => false,
        (b'R', Some([b'0'..=b'4' | b'6' | b'7', _] | [b'5', b'0'..=b'3'] | [b'8', b'0'..=b'5'])) => true,
        (b'C', Some([b'0', b'1'..=b'9'] | [b'1', b'0'..=b'4'] | [b'6', b'1'..=b'9'])) => true,
        _ => false,
    }
}

/// What a change code (C01 to C14, and C61 to C69 when the notification itself was wrong) says is wrong in the entry.
pub(super) fn changed_field(code: &[u8]) -> &'static str {
    match code {
        b"C01" => "the account number",
        b"C02" => "the routing number",
        b"C03" => "the routing number and the account number",
        b"C04" => "the name of the receiver",
        b"C05" => "the transaction code",
        b"C06" => "the account number and the transaction code",
        b"C07" => "the routing number, the account number and the transaction code",
        b"C08" => "the identification of the foreign bank",
        b"C09" => "the identification number",
        b"C13" => "the format of the addenda",
        b"C14" => "the entry class of an international entry",
        [b'C', b'6', _] => "the notification of change itself",
        _ => "something",
    }
}

/// Reasons of returns that were sent back or contested (R61 to R77): the return itself is in dispute, so nothing is taken back by it.
pub(super) fn is_disputed(reason: &[u8]) -> bool {
    matches!(reason, [b'R' | b'r', b'6' | b'7', _])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transaction_codes_say_which_way() {
        use Direction::{Credit, Debit};
        for (code, expected) in [
            ("21", Some((Credit, Purpose::Returns))),
            ("22", Some((Credit, Purpose::Moves))),
            ("33", Some((Credit, Purpose::Prenote))),
            ("24", Some((Credit, Purpose::ZeroDollar))),
            ("26", Some((Debit, Purpose::Returns))),
            ("37", Some((Debit, Purpose::Moves))),
            ("55", Some((Debit, Purpose::Moves))),
            ("57", None),
            ("25", None),
            ("82", Some((Debit, Purpose::Accounts))),
            ("00", None),
            ("2", None),
        ] {
            let found = Transaction::read(code.as_bytes()).map(|code| (code.direction, code.purpose));
            assert_eq!(found, expected, "{code}");
        }
    }

    #[test]
    fn check_digits_of_known_banks() {
        for (routing, digit) in [(12_100_035, 8), (23_138_010, 4), (12_104_288, 2), (7_640_125, 1)] {
            assert_eq!(check_digit(routing), digit, "{routing}");
        }
    }
}
