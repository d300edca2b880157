//! Terms of payment as people write them.

use std::str::FromStr;

use rust_decimal::Decimal;

use super::TermsOfPayment;

/// The percentage at which a discount stops being one.
const PERCENT_MAX: u32 = 50;
/// Days beyond this are a date or a number in the wrong column.
const DAYS_MAX: u32 = 730;

impl FromStr for TermsOfPayment {
    type Err = String;

    /// Reads `2/10N30`, `N30`, `2%10NET30`, `2% 10 days, net 30`, `2/10 n/30`, `30`, `COD`; nothing gives no terms.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).ok_or_else(|| "terms such as 2/10N30 (2 % within 10 days, net 30), N30 or COD".to_owned())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Number(&'a str),
    Net,
    Percent,
}

fn read(text: &str) -> Option<TermsOfPayment> {
    let upper = text.trim().to_ascii_uppercase();
    if matches!(upper.as_str(), "COD" | "CASH" | "CIA" | "PREPAID" | "DUE ON RECEIPT" | "DUE UPON RECEIPT" | "UPON RECEIPT") {
        return Some(TermsOfPayment { net_days: Some(0), ..TermsOfPayment::default() });
    }
    let tokens = tokens(&upper)?;
    let (percent, discount_days, net_days) = match tokens.as_slice() {
        [] => (None, None, None),
        [Token::Number(net)] | [Token::Net, Token::Number(net)] => (None, None, Some(*net)),
        [Token::Number(percent), Token::Number(days)] => (Some(*percent), Some(*days), None),
        [Token::Number(percent), Token::Percent, Token::Number(days)] => (Some(*percent), Some(*days), None),
        [Token::Number(percent), Token::Number(days), Token::Net, Token::Number(net)]
        | [Token::Number(percent), Token::Percent, Token::Number(days), Token::Net, Token::Number(net)] => {
            (Some(*percent), Some(*days), Some(*net))
        }
        _ => return None,
    };
    let terms = TermsOfPayment {
        discount_percent: optional(percent, percentage)?,
        discount_days: optional(discount_days, days)?,
        net_days: optional(net_days, days)?,
        discount_date: None,
    };
    // A discount that lasts longer than the credit is written the wrong way round.
    let ordered = !matches!((terms.discount_days, terms.net_days), (Some(discount), Some(net)) if discount > net);
    ordered.then_some(terms)
}

/// `None` when something stands there that belongs to no terms.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same_kind = |c: char| match first {
            '0'..='9' | '.' => c.is_ascii_digit() || c == '.',
            'A'..='Z' => c.is_ascii_uppercase(),
            _ => false,
        };
        let length = rest.find(|c| !same_kind(c)).unwrap_or(rest.len()).max(first.len_utf8());
        let (word, after) = rest.split_at(length);
        rest = after;
        match word {
            "N" | "NET" | "NETT" => tokens.push(Token::Net),
            "%" => tokens.push(Token::Percent),
            "/" | "," | "-" | " " | ";" | "D" | "DAY" | "DAYS" | "IN" => {}
            number if number.starts_with(|c: char| c.is_ascii_digit()) => tokens.push(Token::Number(number)),
            _ => return None,
        }
    }
    Some(tokens)
}

fn percentage(text: &str) -> Option<Decimal> {
    text.parse().ok().filter(|percent: &Decimal| *percent <= Decimal::from(PERCENT_MAX))
}

fn days(text: &str) -> Option<u32> {
    text.parse().ok().filter(|days| *days <= DAYS_MAX)
}

/// Reads what is there: nothing stays nothing, and a value that is wrong makes the whole wrong.
fn optional<T>(text: Option<&str>, read: fn(&str) -> Option<T>) -> Option<Option<T>> {
    text.map_or(Some(None), |text| read(text).map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, percent: Option<&str>, discount_days: Option<u32>, net_days: Option<u32>) {
        let discount_percent = percent.map(|percent| percent.parse().expect("a decimal"));
        let expected = TermsOfPayment { discount_percent, discount_days, net_days, discount_date: None };
        assert_eq!(text.parse(), Ok(expected), "{text:?}");
    }

    #[test]
    fn terms_are_read_however_they_are_written() {
        let same = ["2/10N30", "2%10NET30", "2/10 n/30", "2% 10, Net 30", "2% 10 days net 30 days", " 2 10 N 30 ", "2/10-N30"];
        for text in same {
            check(text, Some("2"), Some(10), Some(30));
        }
        check("1/15N45", Some("1"), Some(15), Some(45));
        check("1.5%15N45", Some("1.5"), Some(15), Some(45));
        check("2/10", Some("2"), Some(10), None);
        for text in ["N30", "net 30", "NET 30 DAYS", "n/30", "30"] {
            check(text, None, None, Some(30));
        }
        check("COD", None, None, Some(0));
        check("", None, None, None);
    }

    #[test]
    fn what_is_not_terms_is_refused() {
        for text in ["2/10N", "PROX", "2/30N10", "2026-01-01", "99/10N30", "2/10N30N60", "N30 EOM", "%", "2..5/10N30", "N99999"] {
            assert!(text.parse::<TermsOfPayment>().is_err(), "{text:?}");
        }
    }
}
