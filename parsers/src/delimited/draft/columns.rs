//! Which column stands for which field: by its name, by what is in it, and by what the other columns already are.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::{
    super::{field::Field, header::plain, rows::Kind, sheet::RowKind},
    DraftError,
    forms::{is_amount, is_date},
    table::{Cell, Table},
};
use crate::Currency;

/// The words of the list that comes along.
#[derive(Debug, Deserialize)]
pub(super) struct Words {
    #[serde(flatten)]
    fields: BTreeMap<Field, Vec<String>>,
    kinds: BTreeMap<RowKind, Vec<String>>,
    currencies: Vec<String>,
}

pub(super) fn words() -> &'static Words {
    static WORDS: LazyLock<Words> = LazyLock::new(|| {
        // A test reads the list, so that it is never empty here.
        toml::from_str(include_str!("../../../mappings/words/columns.toml")).unwrap_or_else(|_| Words {
            fields: BTreeMap::new(),
            kinds: BTreeMap::new(),
            currencies: Vec::new(),
        })
    });
    &WORDS
}

impl Words {
    /// Whether some field has this plain name.
    pub fn knows(&self, name: &str) -> bool {
        self.fields.values().flatten().any(|word| word == name)
    }

    /// The currency that a word names, in any case.
    pub fn currency(&self, word: &str) -> Option<Currency> {
        let code = word.trim().to_ascii_uppercase();
        Currency::parse(&code).filter(|_| self.currencies.contains(&code))
    }

    /// What a row with this text is.
    pub fn kind(&self, text: &str) -> Option<RowKind> {
        let text = plain(text);
        self.kinds.iter().find(|(_, words)| words.contains(&text)).map(|(kind, _)| *kind)
    }
}

/// How sure a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Confidence {
    /// Only what stands in it speaks for it.
    Guess,
    /// Its name holds a known word, and nothing in it speaks against that.
    Likely,
    /// It has a known name, and what stands in it agrees.
    Sure,
}

/// A column that was recognised.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub column: usize,
    pub sure: Confidence,
}

/// What the mapping will say.
#[derive(Debug)]
pub(super) struct Plan {
    pub pays: bool,
    pub fields: BTreeMap<Field, Known>,
    /// The column that says what a row is, with the texts in it.
    pub records: Option<(Field, Vec<(String, RowKind)>)>,
    /// Total rows, by their number in the table.
    pub totals: Vec<usize>,
}

impl Plan {
    /// The filled cells of a field.
    pub fn cells<'t>(&self, table: &'t Table, field: Field) -> Vec<&'t Cell> {
        self.fields.get(&field).map(|known| filled(table, known.column).collect()).unwrap_or_default()
    }

    pub fn has(&self, field: Field) -> bool {
        self.fields.contains_key(&field)
    }

    /// The cell of a field in a row.
    pub fn cell<'t>(&self, row: &'t [Cell], field: Field) -> Option<&'t Cell> {
        row.get(self.fields.get(&field)?.column).filter(|cell| !cell.text.is_empty())
    }
}

fn filled(table: &Table, column: usize) -> impl Iterator<Item = &Cell> {
    table.rows.iter().filter_map(move |row| row.get(column)).filter(|cell| !cell.text.is_empty())
}

pub(super) fn plan(table: &Table) -> Result<Plan, DraftError> {
    let mut fields = named(table);
    guess(table, &mut fields);
    let has = |fields: &BTreeMap<Field, Known>, field| fields.contains_key(&field);
    let is_statement = [Field::Credit, Field::Debit, Field::Balance, Field::Mark].into_iter().any(|field| has(&fields, field));
    let pays = has(&fields, Field::Record) || is_statement || !has(&fields, Field::Invoice);
    if !pays && !has(&fields, Field::Net) {
        // The only amount of a list of invoices is what was paid for each.
        let only = fields.remove(&Field::Amount).or_else(|| fields.remove(&Field::Gross));
        fields.extend(only.map(|known| (Field::Net, known)));
    }
    if pays && !has(&fields, Field::Amount) && !has(&fields, Field::Credit) {
        let only = fields.remove(&Field::Net).or_else(|| fields.remove(&Field::Gross));
        fields.extend(only.map(|known| (Field::Amount, known)));
    }
    let money: &[Field] = if pays { &[Field::Amount, Field::Credit] } else { &[Field::Net] };
    if !money.iter().any(|field| has(&fields, *field)) {
        return Err(DraftError::NoMoney(
            "no column holds amounts, so that this is no list of payments or of paid invoices".to_owned(),
        ));
    }
    if pays && !has(&fields, Field::Date) {
        return Err(DraftError::NoMoney("no column holds the dates of payments".to_owned()));
    }
    let mut plan = Plan { pays, fields, records: None, totals: Vec::new() };
    plan.records = records(table, &plan);
    if let Some((field, values)) = &plan.records {
        let is_total = |text: &str| values.iter().any(|(held, kind)| *kind == RowKind::Total && plain(held) == plain(text));
        let totals =
            table.rows.iter().enumerate().filter(|(_, row)| plan.cell(row, *field).is_some_and(|cell| is_total(&cell.text)));
        plan.totals = totals.map(|(index, _)| index).collect();
    }
    Ok(plan)
}

/// Columns by their names, the best match first; what stands in a column may veto its name.
fn named(table: &Table) -> BTreeMap<Field, Known> {
    let names: Vec<String> = table.header.iter().map(|name| without_currency(&plain(name))).collect();
    let mut matches = Vec::new();
    for (field, words) in &words().fields {
        for (column, name) in names.iter().enumerate() {
            let found = words.iter().enumerate().filter_map(|(rank, word)| {
                let sure = if name == word {
                    Confidence::Sure
                } else if format!(" {name} ").contains(&format!(" {word} ")) {
                    Confidence::Likely
                } else {
                    return None;
                };
                // A longer word says more, and an earlier one is preferred.
                Some((sure, word.len(), std::cmp::Reverse(rank)))
            });
            if let Some(found) = found.max().filter(|_| agrees(table, *field, column)) {
                matches.push((found, *field, column));
            }
        }
    }
    matches.sort_by(|a, b| b.0.cmp(&a.0).then(a.2.cmp(&b.2)));
    let mut fields: BTreeMap<Field, Known> = BTreeMap::new();
    for ((sure, ..), field, column) in matches {
        if !fields.contains_key(&field) && fields.values().all(|known| known.column != column) {
            fields.insert(field, Known { column, sure });
        }
    }
    fields
}

/// `amount in usd` is an amount.
fn without_currency(name: &str) -> String {
    let is_code = |word: &str| words().currency(word).is_some();
    let words: Vec<&str> = name.split(' ').collect();
    match words.split_last() {
        Some((last, rest)) if is_code(last) && !rest.is_empty() => rest.join(" ").trim_end_matches(" in").to_owned(),
        _ => name.to_owned(),
    }
}

/// Whether what stands in a column can be what its name says. A column without anything in it says nothing.
fn agrees(table: &Table, field: Field, column: usize) -> bool {
    let cells: Vec<&Cell> = filled(table, column).collect();
    let most = |fits: &dyn Fn(&Cell) -> bool| cells.iter().filter(|cell| fits(cell)).count().saturating_mul(2) >= cells.len();
    match field {
        Field::Amount
        | Field::Credit
        | Field::Debit
        | Field::Net
        | Field::Gross
        | Field::Discount
        | Field::Deduction
        | Field::Balance => most(&is_amount),
        Field::Date | Field::InvoiceDate => most(&is_date),
        Field::Currency => most(&|cell| words().currency(&cell.text).is_some()),
        Field::Record => cells.iter().any(|cell| words().kind(&cell.text).is_some()),
        _ => true,
    }
}

/// Columns that only their content tells: dates, the one amount, and the longest text.
fn guess(table: &Table, fields: &mut BTreeMap<Field, Known>) {
    let free = |fields: &BTreeMap<Field, Known>| -> Vec<usize> {
        let taken = |column: &usize| fields.values().any(|known| known.column == *column);
        (0..table.header.len()).filter(|column| !taken(column) && filled(table, *column).next().is_some()).collect()
    };
    let all = |column: &usize, fits: &dyn Fn(&Cell) -> bool| filled(table, *column).all(fits);
    let sure = Confidence::Guess;
    if !fields.contains_key(&Field::Date) {
        let found = free(fields).into_iter().find(|column| all(column, &is_date));
        fields.extend(found.map(|column| (Field::Date, Known { column, sure })));
    }
    let money = [Field::Amount, Field::Credit, Field::Net];
    if !money.iter().any(|field| fields.contains_key(field)) {
        let has_decimals = |cell: &Cell| is_amount(cell) && cell.text.contains(['.', ',']);
        let found = free(fields).into_iter().find(|column| filled(table, *column).any(has_decimals) && all(column, &is_amount));
        fields.extend(found.map(|column| (Field::Amount, Known { column, sure })));
    }
    if !fields.contains_key(&Field::Text) && !fields.contains_key(&Field::Invoice) {
        let is_words =
            |cell: &Cell| cell.kind == Kind::Plain && cell.text.chars().filter(|letter| letter.is_alphabetic()).count() > 3;
        let letters = |column: &usize| filled(table, *column).map(|cell| cell.text.len()).sum::<usize>();
        let found = free(fields).into_iter().filter(|column| all(column, &is_words)).max_by_key(letters);
        fields.extend(found.map(|column| (Field::Text, Known { column, sure })));
    }
}

/// The column that says what rows are, or in which a total has its label.
fn records(table: &Table, plan: &Plan) -> Option<(Field, Vec<(String, RowKind)>)> {
    let labels = |field: Field, only_totals: bool| {
        let mut found: BTreeMap<String, RowKind> = BTreeMap::new();
        for cell in plan.cells(table, field) {
            let kind = words().kind(&cell.text).filter(|kind| !only_totals || *kind == RowKind::Total);
            found.extend(kind.map(|kind| (cell.text.clone(), kind)));
        }
        (!found.is_empty()).then(|| (field, found.into_iter().collect()))
    };
    if plan.has(Field::Record) {
        return labels(Field::Record, false);
    }
    // A total in a list of bookings has no date, and would be set aside rather than counted.
    let beside = if plan.pays { [Field::Text, Field::Payer, Field::Trace] } else { [Field::Invoice, Field::Payer, Field::Trace] };
    beside.into_iter().find_map(|field| labels(field, true))
}
