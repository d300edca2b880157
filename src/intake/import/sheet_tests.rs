//! One table per kind of file: what goes in, what is read or refused.

use std::fmt::Debug;

use tieout_parsers::Account;

use super::*;
use crate::{
    domain::{ItemKind, ItemStatus, TermsOfPayment},
    intake::import::{BankAccountRow, CustomerRow, KnownAccount, OpenItemRow, RateRow},
};

fn import<T: Importable>(text: &str, mapping: &str) -> Imported<T> {
    let mapping = Mapping::parse("m.toml", mapping, T::COLUMNS).expect("a mapping");
    read("in.csv", &mut text.as_bytes(), &mapping, &mut |_| {}).expect("memory can be read")
}

fn good<T: Importable>(text: &str, mapping: &str) -> Vec<T> {
    let imported = import::<T>(text, mapping);
    assert_eq!(imported.wrong, [], "nothing is wrong");
    imported.rows.into_iter().map(|row| row.value).collect()
}

/// The messages about a file, and how many rows were good all the same.
#[track_caller]
fn check_wrong<T: Importable + Debug>(text: &str, expected: &[&str], good_rows: usize) {
    let imported = import::<T>(text, "");
    let messages: Vec<_> = imported.wrong.iter().map(ToString::to_string).collect();
    assert_eq!(messages, expected);
    assert_eq!(imported.rows.len(), good_rows, "{:?}", imported.rows);
}

const ITEMS: &str = "invoice_id,invoice_number,seller_id,customer_id,type,amount,open_amount,currency,issue_date,entered_date,due_date,terms,po_number,bol_number,status,closed_date\n";

fn items(rows: &str) -> String {
    format!("{ITEMS}{rows}")
}

#[test]
fn open_items_are_read() {
    let text = items(
        "I1,INV-1,S01,C1,INV,2101.96,2101.96,USD,2026-01-04,2026-01-05,2026-02-03,2/10N30,0052805,BOL7,open,\n\
         I2,CM-2,S01,C1,CM,-50,-20.00,USD,2026-01-04,,,N30,,,,\n\
         I3,INV-3,S02,C2,INV,7,0,JPY,2026-01-04,2026-01-04,2026-02-03,,,,closed,2026-02-01\n",
    );
    let rows = good::<OpenItemRow>(&text, "");
    let seen: Vec<_> =
        rows.iter().map(|row| (row.number.as_str(), row.kind, row.amount_minor, row.open_minor, row.status)).collect();
    assert_eq!(
        seen,
        [
            ("INV-1", ItemKind::Invoice, 210_196, 210_196, ItemStatus::Open),
            ("CM-2", ItemKind::CreditMemo, -5_000, -2_000, ItemStatus::Open),
            ("INV-3", ItemKind::Invoice, 7, 0, ItemStatus::Closed),
        ]
    );
    assert_eq!((rows[0].po.as_deref(), rows[0].bol.as_deref()), (Some("0052805"), Some("BOL7")), "leading zeros stay");
    assert_eq!(rows[1].entered_date.to_string(), "2026-01-04", "without entry date it exists from its issue on");
    assert_eq!(rows[1].due_date.to_string(), "2026-02-03", "without due date it is due by its terms");
    assert_eq!(rows[1].terms, TermsOfPayment { net_days: Some(30), ..TermsOfPayment::default() });
    assert_eq!(rows[2].closed_date.map(|date| date.to_string()).as_deref(), Some("2026-02-01"));
}

#[test]
fn another_layout_is_read_by_its_mapping() {
    let mapping = "[format]\ndate = '%d.%m.%Y'\ndecimal_comma = true\n[columns]\ninvoice_number = 'Beleg'\ncustomer_id = 'Debitor'\namount = 'Betrag'\nissue_date = 'Datum'\ntype = 'Art'\n[values]\nseller_id = 'S01'\ncurrency = 'EUR'\n[types]\nRV = 'INV'\nRG = 'CM'\n";
    let text = "\u{feff}Beleg;Debitor;Art;Betrag;Datum;Notiz\r\n0090;C1;RV;1.234,50;31.01.2026;\"a;b\"\r\n0091;C1;RG;12,00-;31.01.2026;\r\n";
    let imported = import::<OpenItemRow>(text, mapping);
    assert_eq!(imported.wrong, []);
    assert_eq!(imported.unused_columns, ["Notiz"]);
    let seen: Vec<_> = imported.rows.iter().map(|row| (row.line, row.value.number.as_str(), row.value.amount_minor)).collect();
    assert_eq!(seen, [(2, "0090", 123_450), (3, "0091", -1_200)]);
    assert_eq!(imported.rows[0].value.currency.as_str(), "EUR");
}

#[test]
fn every_wrong_value_of_an_item_is_named() {
    let good_row = "I9,INV-9,S01,C1,INV,1,1,USD,2026-01-04,2026-01-04,2026-02-03,N30,,,open,\n";
    let text = items(&format!(
        "I1,,S01,C1,INV,12.345,1,USD,2026-02-30,2026-01-05,2026-02-03,PROX,,,open,\n\
         I2,INV-2,S01,C1,BILL,1,1,USD,2026-01-04,2026-01-05,2026-02-03,N30,,,open,\n\
         I3,INV-3,S01,C1,CM,10,10,USD,2026-01-04,2026-01-05,2026-02-03,N30,,,open,\n\
         I4,INV-4,S01,C1,INV,10,11,USD,2026-01-04,2026-01-05,2026-02-03,N30,,,open,\n\
         I5,INV-5,S01,C1,INV,10,10,USD,2026-01-04,2026-01-05,2026-02-03,N30,,,closed,\n\
         I6,INV-6,S01,C1,INV,10,10,DOLLAR,0226-01-04,2026-01-05,2026-02-03,N30,,,paid,\n\
         I7,INV-7\n{good_row}{good_row}"
    ));
    check_wrong::<OpenItemRow>(
        &text,
        &[
            "in.csv:2, column invoice_number: expected the number of the invoice, found nothing",
            "in.csv:2, column terms: expected terms such as 2/10N30 (2 % within 10 days, net 30), N30 or COD, found \"PROX\"",
            "in.csv:2, column issue_date: expected a date of the years 1950 to 2199 written %Y-%m-%d, found \"2026-02-30\"",
            "in.csv:2, column amount: expected an amount of USD with a decimal point (3 decimals, but USD has 2), found \"12.345\"",
            "in.csv:3, column type: expected INV, CM or DM; map yours under [types], found \"BILL\"",
            "in.csv:4, column amount: expected a negative amount for a credit memo, found \"10\"",
            "in.csv:5, column open_amount: expected an amount between zero and the amount of the item, found \"11\"",
            "in.csv:6, column status: expected open, because part of the item is open, found \"closed\"",
            "in.csv:7, column issue_date: expected a date of the years 1950 to 2199 written %Y-%m-%d, found \"0226-01-04\"",
            "in.csv:7, column currency: expected a currency of three letters, such as USD, found \"DOLLAR\"",
            "in.csv:8: expected 16 values as in the header, found 2 values",
            "in.csv:10, column invoice_number: expected each only once; INV-9 of seller S01 stands on line 9, found INV-9 of seller S01 again",
        ],
        1,
    );
}

#[test]
fn a_wrong_header_refuses_the_file() {
    check_wrong::<RateRow>(
        "currency,rate\nUSD,1\n",
        &["in.csv:1, column usd_rate: expected this column; name yours in a mapping file, found the columns currency, rate"],
        0,
    );
    check_wrong::<RateRow>(
        "currency,usd_rate,Currency\n",
        &["in.csv:1, column currency: expected one column of this name, found two"],
        0,
    );
    check_wrong::<RateRow>("", &["in.csv:1: expected a header line, found an empty file"], 0);
}

#[test]
fn customers_are_read() {
    let text = "customer_id,name,aliases,parent_id,country,currency,terms,seller_ids,known_accounts,ach_originator_id\n\
                C3,\"BNW Solar, Inc.\",BNW| B.N.W. ,C1,US,USD,2/10N30,S01|S03,100119804:29855278888|DE89370400440532013000,9021531628\n\
                C4,Cape Fear,,,US,USD,,,,\n";
    let rows = good::<CustomerRow>(text, "");
    assert_eq!(rows[0].aliases, ["BNW", "B.N.W."]);
    assert_eq!(rows[0].seller_codes, ["S01", "S03"]);
    let known = |bank: Option<&str>, number: &'static str| KnownAccount {
        bank: bank.map(str::to_owned),
        account: Account::new(number.into()),
    };
    assert_eq!(rows[0].accounts, [known(Some("100119804"), "29855278888"), known(None, "DE89370400440532013000")]);
    assert_eq!((rows[1].parent_code.as_deref(), rows[1].accounts.len()), (None, 0));
    assert!(!format!("{rows:?}").contains("29855278888"), "account numbers never show");
}

#[test]
fn wrong_customers_are_named_without_their_accounts() {
    check_wrong::<CustomerRow>(
        "customer_id,name,currency,parent_id,known_accounts\nC1,,USD,C1,1:2:3\nC2,B,USD,,\nC2,B,USD,,\n",
        &[
            "in.csv:2, column name: expected a name, found nothing",
            "in.csv:2, column known_accounts: expected bank:account, or several of them with | between, found another text",
            "in.csv:2, column parent_id: expected another customer, found \"C1\"",
            "in.csv:4, column customer_id: expected each only once; customer C2 stands on line 3, found customer C2 again",
        ],
        1,
    );
}

#[test]
fn bank_accounts_and_rates_are_read() {
    let text = "seller_id,seller_name,kind,bank_routing,account,currency,layout\nS01,Alder,lockbox,071300001,7000111,USD,104\nS01,Alder,card,,MID000001,,csv\nS01,Alder,card,,MID000001,,csv\n";
    let imported = import::<BankAccountRow>(text, "");
    assert_eq!(imported.rows.len(), 2);
    assert_eq!(imported.rows[0].value.bank.as_deref(), Some("071300001"));
    let message = imported.wrong[0].to_string();
    assert!(message.contains("card account ••••0001 in XXX stands on line 3") && !message.contains("MID000001"), "{message}");
    let rates = good::<RateRow>("currency,usd_rate\nUSD,1.0\nKWD,3.25\n", "");
    assert_eq!(rates[1].usd_rate.to_string(), "3.25");
    check_wrong::<RateRow>(
        "currency,usd_rate\nUSD,0\nEUR,1e3\n",
        &[
            "in.csv:2, column usd_rate: expected a rate above zero, found \"0\"",
            "in.csv:3, column usd_rate: expected a rate above zero, found \"1e3\"",
        ],
        0,
    );
}

#[test]
fn bytes_that_are_no_text_are_refused_at_their_place() {
    let mapping = Mapping::default();
    let imported: Imported<RateRow> =
        read("in.csv", &mut &b"currency,usd_rate\nUSD,1\n\xff\xfe,2\n"[..], &mapping, &mut |_| {}).expect("memory can be read");
    assert_eq!(
        imported.wrong[0].to_string(),
        "in.csv:3, column currency: expected UTF-8; export the file as UTF-8, found bytes that are not"
    );
    assert_eq!((imported.rows.len(), imported.rows_refused), (1, 1));
}

/// Every column stands in the documentation, in bold when it must be there; and nothing else is promised.
#[test]
fn the_documentation_names_every_column() {
    let page = include_str!("../../../docs/import.md");
    let check = |kind: &str, columns: &[crate::intake::import::Column]| {
        let names: Vec<_> = columns
            .iter()
            .map(|column| if column.required { format!("**{}**", column.name) } else { column.name.to_owned() })
            .collect();
        let row = format!("| {kind} | {} |", names.join(", "));
        assert!(page.contains(&row), "docs/import.md lacks the row\n{row}");
    };
    check("customers", CustomerRow::COLUMNS);
    check("open-items", OpenItemRow::COLUMNS);
    check("bank-accounts", BankAccountRow::COLUMNS);
    check("rates", RateRow::COLUMNS);
}

/// The mapping of the documentation is one.
#[test]
fn the_documented_mapping_is_right() {
    let page = include_str!("../../../docs/import.md");
    let toml = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    Mapping::parse("docs", toml, OpenItemRow::COLUMNS).expect("it can be read");
}

/// It is told where it opens, and what it takes in counts as refused; it must not pass for a long value.
#[test]
fn a_quote_that_is_never_closed_is_named_where_it_opens() {
    let good = "I1,INV-1,S01,C1,INV,10.00,10.00,USD,2026-01-04,2026-01-05,2026-02-03,N30,PO,BOL,open,2026-02-01";
    let open = good.replace("INV-1", "\"INV-2");
    let third = good.replace("INV-1", "INV-3");
    let imported = import::<OpenItemRow>(&items(&format!("{good}\n{open}\n{third}\n")), "");
    assert_eq!((imported.rows.len(), imported.rows_refused), (1, 2));
    let [wrong] = imported.wrong.as_slice() else { panic!("{:?}", imported.wrong) };
    assert_eq!((wrong.line, wrong.expected.as_str()), (3, "a closing quote in the same line"));
    assert!(wrong.found.contains("up to line 4"), "{}", wrong.found);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Whatever a file holds, each of its rows is good or named, and nothing breaks.
    #[test]
    fn every_row_is_good_or_named(rows in proptest::collection::vec("[-0-9.,a-zA-Z%/ ]{0,12}(,[-0-9.,A-Z\"]{0,10}){0,15}", 0..8), bytes: Vec<u8>) {
        let text = items(&rows.iter().map(|row| format!("{row}\n")).collect::<String>());
        let imported = import::<OpenItemRow>(&text, "");
        proptest::prop_assert_eq!(imported.wrong.is_empty(), imported.rows_refused == 0);
        let mixed = [ITEMS.as_bytes(), &bytes].concat();
        let mapping = Mapping::default();
        let read: Imported<OpenItemRow> = read("in.csv", &mut &mixed[..], &mapping, &mut |_| {}).expect("memory can be read");
        proptest::prop_assert_eq!(read.wrong.is_empty(), read.rows_refused == 0);
    }

    /// One wrong value spoils its own row only.
    #[test]
    fn one_wrong_value_spoils_one_row(column in 0_usize..16, garbage in "[?]{1,5}") {
        let good = "I1,INV-1,S01,C1,INV,10.00,10.00,USD,2026-01-04,2026-01-05,2026-02-03,N30,PO,BOL,open,2026-02-01";
        let other = good.replace("INV-1", "INV-2");
        let spoiled: Vec<_> = other.split(',').enumerate().map(|(at, value)| if at == column { garbage.as_str() } else { value }).collect();
        let imported = import::<OpenItemRow>(&items(&format!("{good}\n{}\n", spoiled.join(","))), "");
        let is_text = [0, 1, 2, 3, 12, 13].contains(&column);
        proptest::prop_assert_eq!(imported.rows.len(), if is_text { 2 } else { 1 });
        proptest::prop_assert!(imported.wrong.iter().all(|wrong| wrong.line == 3));
    }
}
