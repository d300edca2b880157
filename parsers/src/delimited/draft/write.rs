//! The draft as a mapping file with its comments. Values of the file are never quoted: they may be account numbers.

use std::fmt::Write as _;

use super::{
    super::{
        field::Field,
        header::{mapping_of, plain},
        sheet::{DecimalSign, RowKind},
    },
    columns::{Confidence, Plan},
    forms::Forms,
    table::Table,
};
use crate::x12::value;

/// What a person should know first.
pub(super) fn head(table: &Table, records: usize, set_aside: usize) -> String {
    let mut text = format!(
        "# Drafted from a {}; header in row {}, {} rows below it.\n# With this mapping the file gives {records} payments or lines, and {set_aside} \
         findings set records aside. Check what is marked\n# GUESS or AMBIGUOUS, and the name, before money follows it.\n",
        table.written,
        table.header_row,
        table.rows.len(),
    );
    let names: Vec<String> = table.header.iter().map(|name| plain(name)).collect();
    if let Some(shipped) = mapping_of(&names, &[]) {
        let _ = writeln!(
            text,
            "# The shipped mapping {:?} reads this header already; a mapping of your own goes before it.",
            shipped.name()
        );
    }
    text.push('\n');
    text
}

/// The mapping.
pub(super) fn body(table: &Table, plan: &Plan, forms: &Forms) -> String {
    let mut text = String::new();
    let yields = if plan.pays { "payments" } else { "advices" };
    let _ = writeln!(text, "name = \"draft, {yields}\"   # what people see; name the sender");
    let _ = writeln!(text, "yields = \"{yields}\"");
    if plan.pays {
        text.push_str("method = \"other\"   # ach, wire, check or card, where all payments are one\n");
    }
    header(&mut text, plan);
    columns(&mut text, table, plan);
    if !plan.pays {
        let all = [Field::Advice, Field::Payer, Field::PayerId, Field::Trace, Field::Date];
        let shared = if plan.has(Field::Advice) { &all[..1] } else { &all[1..] };
        let by: Vec<String> = shared.iter().filter(|field| plan.has(**field)).map(|field| quoted(field.as_str())).collect();
        let _ = writeln!(text, "\n[blocks]\nby = [{}]   # rows that share these belong to one advice", by.join(", "));
    }
    records(&mut text, table, plan);
    let decimal = match forms.decimal {
        DecimalSign::Auto => "auto",
        DecimalSign::Point => "point",
        DecimalSign::Comma => "comma",
    };
    let _ = writeln!(text, "\n[amounts]\ndecimal = \"{decimal}\"   # {}", forms.decimal_why);
    let dates: Vec<String> = forms.dates.iter().map(|format| quoted(format)).collect();
    let _ = writeln!(text, "\n[dates]\nformats = [{}]   # {}", dates.join(", "), forms.dates_why);
    if let Some(currency) = forms.currency {
        let _ = writeln!(text, "\n[values]\ncurrency = \"{currency}\"   # {}", forms.currency_why);
    }
    text
}

fn header(text: &mut String, plan: &Plan) {
    let wanted: &[Field] = if plan.pays {
        &[Field::Record, Field::Date, Field::Amount, Field::Credit, Field::Text, Field::Trace]
    } else {
        &[Field::Advice, Field::Invoice, Field::Net, Field::Trace, Field::Payer]
    };
    let required: Vec<String> = wanted.iter().filter(|field| plan.has(**field)).map(|field| quoted(field.as_str())).collect();
    let _ = writeln!(
        text,
        "\n[header]\nrequired = [{}]   # a file with all of these columns is read by this mapping",
        required.join(", ")
    );
}

fn columns(text: &mut String, table: &Table, plan: &Plan) {
    text.push_str("\n[columns]\n");
    for (field, known) in &plan.fields {
        let name = table.header.get(known.column).map_or("", String::as_str);
        let why = match known.sure {
            Confidence::Sure => "sure: a known name, and its content agrees",
            Confidence::Likely => "likely: the name holds a known word, and its content agrees",
            Confidence::Guess => "GUESS: by its content alone",
        };
        let _ = writeln!(text, "{} = [{}]   # column {}; {why}", field.as_str(), quoted(name), known.column.saturating_add(1));
    }
    let taken = |column: usize| plan.fields.values().any(|known| known.column == column);
    for (column, name) in table.header.iter().enumerate().filter(|(column, name)| !taken(*column) && !name.is_empty()) {
        let _ = writeln!(text, "# column {}, {}, is not used", column.saturating_add(1), quoted(name));
    }
}

/// What rows are, and what totals and returns say.
fn records(text: &mut String, table: &Table, plan: &Plan) {
    let Some((column, values)) = &plan.records else { return };
    let _ = writeln!(text, "\n[records]\ncolumn = \"{}\"", column.as_str());
    if *column != Field::Record {
        let _ = writeln!(text, "other = \"{}\"", if plan.pays { "payment" } else { "line" });
    }
    text.push_str("\n[records.values]\n");
    for (value, kind) in values {
        let _ = writeln!(text, "{} = \"{}\"", quoted(value), kind.as_str());
    }
    if !plan.totals.is_empty() {
        totals(text, table, plan);
    }
    if values.iter().any(|(_, kind)| *kind == RowKind::Return) {
        let code = return_code(table, plan, values);
        let _ = writeln!(text, "\n[returns]\ncode = \"{}\"   # the reason why it came back", code.as_str());
    }
}

fn totals(text: &mut String, table: &Table, plan: &Plan) {
    let rows: Vec<_> = plan.totals.iter().filter_map(|index| table.rows.get(*index)).collect();
    let of_advice = plan.has(Field::Advice) && rows.iter().all(|row| plan.cell(row, Field::Advice).is_some());
    let amount = if plan.pays { [Field::Amount, Field::Credit] } else { [Field::Net, Field::Amount] };
    let amount = amount.into_iter().find(|field| plan.has(*field)).unwrap_or(Field::Amount);
    let of = if of_advice { "advice" } else { "file" };
    let _ = writeln!(text, "\n[totals]\nof = \"{of}\"\namount = \"{}\"", amount.as_str());
    let is_count = |field: &Field| {
        rows.iter().all(|row| plan.cell(row, *field).is_some_and(|cell| value::count(cell.text.as_bytes()).is_some()))
    };
    let count = [Field::Trace, Field::Text].into_iter().find(is_count).filter(|_| plan.has(Field::Record));
    if let Some(field) = count {
        let _ = writeln!(text, "count = \"{}\"   # the total rows hold whole numbers here", field.as_str());
    }
    let required = of_advice || plan.has(Field::Record);
    let _ = writeln!(text, "required = {required}   # whether a file without it has lost its end");
}

/// The column that is filled in the rows of returns.
fn return_code(table: &Table, plan: &Plan, values: &[(String, RowKind)]) -> Field {
    let is_return = |text: &str| values.iter().any(|(value, kind)| *kind == RowKind::Return && value == text);
    let fields = [Field::Reason, Field::Text, Field::Trace];
    let is_filled = |field: &Field| {
        let returns = table.rows.iter().filter(|row| plan.cell(row, Field::Record).is_some_and(|cell| is_return(&cell.text)));
        returns.into_iter().all(|row| plan.cell(row, *field).is_some())
    };
    fields.into_iter().find(is_filled).or_else(|| fields.into_iter().find(|field| plan.has(*field))).unwrap_or(Field::Record)
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => drop(write!(quoted, "\\u{:04X}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
