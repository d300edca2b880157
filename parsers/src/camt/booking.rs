//! An entry becomes payments and returns: one per transaction with its own amount, or one for the entry.

use crate::{
    Account, Currency, Direction, Effect, Figure, Finding, FindingCode, Location, Method, Money, Party, Payment, Reference,
    Remittance, Return, Severity, Text,
    x12::output::{Claim, Output},
};

use super::{
    advice::{self, Strd},
    entry::{Entry, Side, Tx},
    statement::{Statement, is_booked},
};

/// Pieces of Ustrd at least this long were cut because they were full; a word may go on in the next.
const FULL_PIECE: usize = 130;

/// Puts out what the entry is, and counts it.
pub(super) fn put(mut entry: Entry, statement: &mut Statement, out: &mut Output<'_>) {
    let (Some(amount), Some(credit)) = (entry.amount, entry.credit) else {
        if !entry.set_aside {
            let finding =
                about(&entry, FindingCode::MissingElement, Effect::RecordSetAside, "the entry has no amount or no direction");
            out.finding(Finding { expected: "Amt and CdtDbtInd".to_owned(), ..finding });
        }
        return;
    };
    statement.count(&entry, amount, credit);
    if !is_booked(&entry) {
        let mut finding = about(&entry, FindingCode::BadCode, Effect::Noted, "the entry is not booked; it is no money yet");
        (finding.expected, finding.found) = ("BOOK".to_owned(), entry.status.clone());
        finding.severity = Severity::Info;
        out.finding(finding);
        return;
    }
    check_batch(&entry, amount, credit, out);
    if entry.set_aside {
        return;
    }
    let mut txs = std::mem::take(&mut entry.txs);
    let booking = Booking { entry: &entry, credit, own: statement.own(), single: txs.len() < 2, batched: txs.len() > 1 };
    if txs.len() < 2 {
        wait_for_details(&entry, out);
    }
    if txs.is_empty() {
        let tx = Tx { location: entry.location, ..Tx::default() };
        booking.put(tx, amount, out);
        return;
    }
    let single = txs.len() == 1;
    for tx in txs.drain(..) {
        // What was booked is the money of a single transaction; of many, each has its own.
        match if single { Some(amount) } else { amount_in(&tx, amount.currency) } {
            Some(amount) => booking.put(tx, amount, out),
            None => out.finding(Finding {
                code: FindingCode::MissingElement,
                severity: Severity::Error,
                effect: Effect::RecordSetAside,
                message: "a transaction of several in one entry has no amount in the currency of the entry".to_owned(),
                expected: format!("Amt or AmtDtls/TxAmt/Amt in {}", amount.currency),
                found: String::new(),
                location: tx.location,
            }),
        }
    }
}

/// What all transactions of an entry have in common.
struct Booking<'e> {
    entry: &'e Entry,
    credit: bool,
    own: Party<'static>,
    /// The texts and references of the entry describe its only transaction.
    single: bool,
    batched: bool,
}

impl Booking<'_> {
    fn put(&self, mut tx: Tx, amount: Money, out: &mut Output<'_>) {
        let credit = if self.single { self.credit } else { tx.credit.unwrap_or(self.credit) };
        if amount.minor == 0 {
            let mut finding =
                about(self.entry, FindingCode::BadAmount, Effect::Noted, "the transaction moves no money; its amount is zero");
            finding.severity = Severity::Info;
            finding.location = tx.location;
            out.finding(finding);
            return;
        }
        let trace = self.trace(&tx).map(|trace| Text::Owned(trace.to_owned()));
        let text = self.text(&tx);
        let (debtor, creditor) = (party(&tx.debtor), party(&tx.creditor));
        let comes_back =
            self.entry.reversal || tx.returned || self.sub_family(&tx).is_some_and(|code| matches!(code, "UPDD" | "RRTN"));
        if !credit && comes_back {
            // Of what comes back, the debtor of the original payment is named; some banks turn the parties round.
            let payer = if debtor.is_empty() { creditor } else { debtor }.into();
            let payee = self.own.clone().into();
            let original_trace = original(&tx).map(|trace| Text::Owned(trace.to_owned()));
            let code = Text::Owned(std::mem::take(&mut tx.return_reason));
            out.payment_return(Return { seq: 0, amount, code, original_trace, trace: None, payer, payee, location: tx.location });
            return;
        }
        let references = self.references(&tx, amount, trace.as_deref());
        let (payer, payee) = if credit { (debtor, self.own_side(creditor)) } else { (self.own_side(debtor), creditor) };
        let mut payment = Payment {
            seq: 0,
            method: self.method(&tx),
            direction: if credit { Direction::Credit } else { Direction::Debit },
            amount,
            value_date: self.entry.value_date.or(self.entry.booked),
            payer: payer.into(),
            payee: payee.into(),
            trace,
            references,
            text,
            remittance: None,
            location: tx.location,
            exchange: None,
        };
        let mut lines = Vec::new();
        for strd in tx.strds {
            strd.lines(&mut lines);
        }
        if !lines.is_empty() {
            advice::check_total(&lines, amount, tx.location, out);
            payment.remittance = Some(out.remittance(Remittance {
                seq: 0,
                total: Some(amount),
                date: payment.value_date,
                payer: payment.payer.clone(),
                payee: payment.payee.clone(),
                trace: payment.trace.clone(),
                lines,
                text: payment.text.clone(),
                references: Vec::new(),
                location: tx.location,
                exchange: None,
            }));
        }
        out.payment(payment);
    }

    /// The account is ours whatever the transaction calls us.
    fn own_side(&self, named: Party<'static>) -> Party<'static> {
        Party { name: self.own.name.clone().or(named.name), id: named.id, ..self.own.clone() }
    }

    /// The bank's reference of the transaction, of the entry where it is the only one, or what else names it; the number of a cheque.
    fn trace<'t>(&'t self, tx: &'t Tx) -> Option<&'t str> {
        let transaction = tx.refs.iter().find(|(qualifier, _)| *qualifier == "TXID").map_or("", |(_, id)| id.as_str());
        let of_entry = if self.single { self.entry.servicer.as_str() } else { "" };
        [tx.cheque.as_str(), &tx.servicer, of_entry, transaction, &tx.end_to_end].into_iter().find(|text| !text.is_empty())
    }

    fn references(&self, tx: &Tx, amount: Money, trace: Option<&str>) -> Vec<Reference<'static>> {
        let mut references = Vec::new();
        let mut push = |qualifier: &'static str, value: &str| {
            if !value.is_empty() {
                references.push(Reference { qualifier: Text::Borrowed(qualifier), value: Text::Owned(value.to_owned()) });
            }
        };
        push("EREF", &tx.end_to_end);
        for (qualifier, value) in &tx.refs {
            push(qualifier, value);
        }
        for (qualifier, value) in [("ASRV", &tx.servicer), ("NTRY", &self.entry.servicer)] {
            if trace != Some(value.as_str()) {
                push(qualifier, value);
            }
        }
        let code = tx.code.text();
        push("BKTX", &if code.is_empty() { self.entry.code.text() } else { code });
        if let Some(instructed) = tx.instructed.filter(|instructed| *instructed != amount) {
            push("INSD", &instructed.to_string());
            push("XRAT", &tx.rate);
        }
        let charges = if self.single && tx.charges.records.is_empty() && tx.charges.total.is_none() {
            &self.entry.charges
        } else {
            &tx.charges
        };
        let charged = charges.sum(amount.currency);
        if charged != 0 {
            push("CHGS", &format!("{} {}", Figure::decimal(charged, amount.currency.exponent()), amount.currency));
        }
        push("RTRN", &tx.return_reason);
        if let Some((count, _)) = self.entry.batch_count.filter(|(count, _)| *count > 1 && !self.batched) {
            push("BTCH", &count.to_string());
        }
        if self.entry.reversal {
            push("RVSL", "true");
        }
        references
    }

    /// Unstructured text and the notes of structured lines; what the bank adds where the payer said nothing.
    fn text(&self, tx: &Tx) -> Option<Text<'static>> {
        let mut text = joined(&tx.pieces, &tx.strds);
        if text.is_empty() && tx.strds.is_empty() {
            text = if !tx.info.is_empty() || !self.single { tx.info.clone() } else { self.entry.info.clone() };
        }
        (!text.is_empty()).then_some(Text::Owned(text))
    }

    fn sub_family<'t>(&'t self, tx: &'t Tx) -> Option<&'t str> {
        [tx.code.sub_family.as_str(), &self.entry.code.sub_family].into_iter().find(|code| !code.is_empty())
    }

    /// By the family of the bank transaction code.
    fn method(&self, tx: &Tx) -> Method {
        let code = if tx.code.domain.is_empty() { &self.entry.code } else { &tx.code };
        match (code.family.as_str(), code.sub_family.as_str()) {
            _ if !tx.cheque.is_empty() => Method::Check,
            ("RCHQ" | "ICHQ", _) => Method::Check,
            ("MCRD" | "CCRD", _) => Method::Card,
            (_, "XBCT" | "SDVA" | "FICT") => Method::Wire,
            ("RCDT" | "ICDT" | "RRCT" | "IRCT" | "IDDT" | "RDDT", _) => Method::Ach,
            _ => Method::Other,
        }
    }
}

/// Ustrd in order and the notes of structured lines, with a blank between pieces unless one was full.
pub(super) fn joined(pieces: &[String], strds: &[Strd]) -> String {
    let mut text = String::new();
    let mut full = true;
    let notes = strds.iter().flat_map(|strd| &strd.notes);
    for piece in pieces.iter().chain(notes) {
        if !full && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(piece);
        full = piece.chars().count() >= FULL_PIECE;
    }
    text
}

/// What a return repeats of the payment it takes back. Its own bank reference is new.
fn original(tx: &Tx) -> Option<&str> {
    let repeated = |wanted: &str| tx.refs.iter().find(|(qualifier, _)| *qualifier == wanted).map(|(_, value)| value.as_str());
    let first = [tx.end_to_end.as_str(), &tx.cheque].into_iter().find(|text| !text.is_empty());
    first.or_else(|| repeated("TXID")).or_else(|| repeated("INST"))
}

pub(super) fn party(side: &Side) -> Party<'static> {
    let some = |text: &str| (!text.is_empty()).then(|| Text::Owned(text.to_owned()));
    Party {
        name: some(&side.name).or_else(|| some(&side.ultimate)),
        id: some(&side.id),
        bank: some(&side.bank),
        account: some(&side.account).map(Account::new),
    }
}

/// The amount of a transaction in the currency of its entry, wherever it stands.
fn amount_in(tx: &Tx, currency: Currency) -> Option<Money> {
    [tx.amount, tx.transferred, tx.countervalue, tx.instructed].into_iter().flatten().find(|money| money.currency == currency)
}

/// The transactions must give the entry, before or after charges; the batch header must name their number and sum.
fn check_batch(entry: &Entry, amount: Money, credit: bool, out: &mut Output<'_>) {
    if let Some((total, location)) = entry.batch_total.filter(|(total, _)| total.currency == amount.currency) {
        let ok = total == amount || explained(entry, amount, total.minor.into());
        compare(
            "Btch/TtlAmt",
            "the amount of the entry",
            (total.minor.into(), amount.minor.into()),
            amount.currency,
            (ok, location),
            out,
        );
    }
    if entry.txs.is_empty() {
        return;
    }
    let single = entry.txs.len() == 1;
    // One transaction may stand for the whole batch.
    if let Some((claimed, location)) = entry.batch_count.filter(|(claimed, _)| !single || *claimed < 2) {
        let number = entry.txs.len() as u64;
        let claim = Claim { code: FindingCode::ControlCountMismatch, what: "the number of transactions of the entry", location };
        out.compare("Btch/NbOfTxs", "batch", (Figure::count(claimed), Figure::count(number)), claimed == number, claim);
    }
    let mut sum: i128 = 0;
    for tx in &entry.txs {
        // What a payer ordered is not what was booked; of a single transaction the entry says the rest.
        let of_single = [tx.amount, tx.transferred].into_iter().flatten().find(|money| money.currency == amount.currency);
        let Some(money) = (if single { of_single } else { amount_in(tx, amount.currency) }) else { return };
        let same_way = single || tx.credit.unwrap_or(credit) == credit;
        sum = if same_way { sum.saturating_add(money.minor.into()) } else { sum.saturating_sub(money.minor.into()) };
    }
    let ok = sum == i128::from(amount.minor) || explained(entry, amount, sum);
    // One transaction that agrees with its entry is no claim worth a line.
    if single && sum == i128::from(amount.minor) {
        return;
    }
    let sides = (amount.minor.into(), sum);
    compare("Ntry/Amt", "the sum of its transactions", sides, amount.currency, (ok, entry.location), out);
}

/// Whether charges, or an exchange of a single transaction, account for the difference.
fn explained(entry: &Entry, amount: Money, sum: i128) -> bool {
    let charges = entry.txs.iter().map(|tx| tx.charges.sum(amount.currency)).fold(0_i128, i128::saturating_add);
    let of_entry = entry.charges.sum(amount.currency);
    let difference = sum.saturating_sub(amount.minor.into()).saturating_abs();
    [charges, of_entry, charges.saturating_add(of_entry)].into_iter().any(|charged| charged != 0 && charged == difference)
}

fn compare(
    name: &'static str,
    what: &'static str,
    sides: (i128, i128),
    currency: Currency,
    verdict: (bool, Location),
    out: &mut Output<'_>,
) {
    let (ok, location) = verdict;
    let figures = (Figure::decimal(sides.0, currency.exponent()), Figure::decimal(sides.1, currency.exponent()));
    out.compare(name, "batch", figures, ok, Claim { code: FindingCode::ControlTotalMismatch, what, location });
}

/// A batch without its transactions: the notification with the same reference brings them.
fn wait_for_details(entry: &Entry, out: &mut Output<'_>) {
    if let Some((count, location)) = entry.batch_count.filter(|(count, _)| *count > 1) {
        let message = "the batch comes without its transactions; a notification with the same reference should bring them";
        let mut finding = about(entry, FindingCode::MissingLoop, Effect::Noted, message);
        (finding.expected, finding.found) = (format!("{count} TxDtls"), "none".to_owned());
        finding.location = location;
        out.finding(finding);
    }
}

fn about(entry: &Entry, code: FindingCode, effect: Effect, message: &str) -> Finding {
    Finding {
        code,
        severity: if effect == Effect::Noted { Severity::Warning } else { Severity::Error },
        effect,
        message: message.to_owned(),
        expected: "a booked amount".to_owned(),
        found: String::new(),
        location: entry.location,
    }
}
