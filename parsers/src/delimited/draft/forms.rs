//! How amounts and dates are written: every form that all values allow, and what remains open.

use super::{
    super::{amount, day, field::Field, rows::Kind, sheet::DecimalSign},
    columns::{Plan, words},
    table::{Cell, Table},
};
use crate::Currency;

/// Formats that are tried, of those that may mean the same text differently the one of most countries with this decimal sign first.
const DATES: [&str; 14] = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%Y%m%d",
    "%d-%m-%Y",
    "%Y/%m/%d",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%d-%b-%y",
];

/// What was found out, each with the sentence that says why.
#[derive(Debug)]
pub(super) struct Forms {
    pub decimal: DecimalSign,
    pub decimal_why: String,
    pub dates: Vec<&'static str>,
    pub dates_why: String,
    /// Where no column names it.
    pub currency: Option<Currency>,
    pub currency_why: String,
}

const MONEY: [Field; 8] =
    [Field::Amount, Field::Credit, Field::Debit, Field::Net, Field::Gross, Field::Discount, Field::Deduction, Field::Balance];

/// Currencies whose marks an amount may carry.
const CURRENCIES: [&str; 4] = ["USD", "EUR", "GBP", "JPY"];

/// Whether a cell may hold an amount in some form.
pub(super) fn is_amount(cell: &Cell) -> bool {
    cell.kind == Kind::Number
        || (cell.kind != Kind::Day && [DecimalSign::Point, DecimalSign::Comma].into_iter().any(|sign| reads(&cell.text, sign)))
}

fn reads(text: &str, sign: DecimalSign) -> bool {
    CURRENCIES.iter().filter_map(|code| Currency::parse(code)).any(|currency| amount::parse(text, currency, sign).is_ok())
}

/// Whether a cell may hold a date in some form.
pub(super) fn is_date(cell: &Cell) -> bool {
    cell.kind == Kind::Day || (cell.kind == Kind::Plain && DATES.iter().any(|format| is_dated(&cell.text, format)))
}

fn is_dated(text: &str, format: &str) -> bool {
    day::parse(text, &[format.to_owned()]).is_some()
}

pub(super) fn of(table: &Table, plan: &Plan) -> Forms {
    let money: Vec<&Cell> = MONEY.iter().flat_map(|field| plan.cells(table, *field)).collect();
    let (decimal, decimal_why) = decimal(&money);
    let (dates, dates_why) = dates(table, plan, decimal);
    let (currency, currency_why) = currency(table, plan, decimal, &money);
    Forms { decimal, decimal_why, dates, dates_why, currency, currency_why }
}

fn decimal(money: &[&Cell]) -> (DecimalSign, String) {
    let texts: Vec<&str> = money.iter().filter(|cell| cell.kind == Kind::Plain).map(|cell| cell.text.as_str()).collect();
    let fits = |sign| texts.iter().filter(|text| reads(text, sign)).count();
    let (point, comma, all) = (fits(DecimalSign::Point), fits(DecimalSign::Comma), texts.len());
    match point.cmp(&comma) {
        _ if all == 0 => (DecimalSign::Point, "every amount is stored as a number".to_owned()),
        std::cmp::Ordering::Greater => {
            (DecimalSign::Point, format!("{point} of {all} amounts can be read so, {comma} with a comma"))
        }
        std::cmp::Ordering::Less => {
            (DecimalSign::Comma, format!("{comma} of {all} amounts can be read so, {point} with a point"))
        }
        std::cmp::Ordering::Equal => {
            let signs = texts.iter().any(|text| text.contains(['.', ',']));
            let why = if signs {
                "AMBIGUOUS: as many amounts can be read with a point as with a comma; what could mean two is set aside until you decide"
            } else {
                "no amount has decimals; what could mean two is set aside"
            };
            (DecimalSign::Auto, why.to_owned())
        }
    }
}

fn dates(table: &Table, plan: &Plan, decimal: DecimalSign) -> (Vec<&'static str>, String) {
    let (mut chosen, mut notes): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    for field in [Field::Date, Field::InvoiceDate] {
        let cells = plan.cells(table, field);
        let texts: Vec<&str> = cells.iter().filter(|cell| cell.kind == Kind::Plain).map(|cell| cell.text.as_str()).collect();
        let count = |format: &str| texts.iter().filter(|text| is_dated(text, format)).count();
        let most = DATES.iter().map(|format| count(format)).max().unwrap_or(0);
        if most == 0 {
            continue;
        }
        let fitting: Vec<&'static str> = DATES.into_iter().filter(|format| count(format) == most).collect();
        // Whoever writes a decimal comma puts the day first.
        let day_first = fitting.iter().find(|format| format.starts_with("%d") && decimal == DecimalSign::Comma);
        let Some(format) = day_first.or(fitting.first()) else { continue };
        notes.push(format!("{most} of {} values of {}", texts.len(), field.as_str()));
        let others: Vec<&str> = fitting.iter().filter(|other| *other != format).copied().collect();
        if !others.is_empty() {
            notes.push(format!("AMBIGUOUS: {} fits all of them too; ask the sender which comes first", others.join(", ")));
        }
        if !chosen.contains(format) && !chosen.iter().any(|held| texts.iter().any(|text| is_dated(text, held))) {
            chosen.push(format);
        }
    }
    if chosen.is_empty() {
        return (vec!["%Y-%m-%d"], "no date is written as text".to_owned());
    }
    (chosen, notes.join("; "))
}

fn currency(table: &Table, plan: &Plan, decimal: DecimalSign, money: &[&Cell]) -> (Option<Currency>, String) {
    let rows = table.rows.iter().enumerate().filter(|(index, _)| !plan.totals.contains(index)).map(|(_, row)| row);
    let unnamed =
        rows.filter(|row| row.iter().any(|cell| !cell.text.is_empty()) && plan.cell(row, Field::Currency).is_none()).count();
    if plan.has(Field::Currency) && unnamed == 0 {
        return (None, String::new());
    }
    let in_name = |name: &String| name.split(|c: char| !c.is_alphanumeric()).find_map(|word| words().currency(word));
    if let Some(found) = table.header.iter().find_map(in_name) {
        return (Some(found), "a column name says so".to_owned());
    }
    for (mark, code) in [("€", "EUR"), ("£", "GBP"), ("$", "USD")] {
        if money.iter().any(|cell| cell.text.contains(mark)) {
            return (Currency::parse(code), format!("amounts carry {mark}"));
        }
    }
    let code = if decimal == DecimalSign::Comma { "EUR" } else { "USD" };
    (Currency::parse(code), "GUESS: the file names none; write the currency of the account".to_owned())
}
