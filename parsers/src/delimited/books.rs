//! Puts rows together: payments with their lines, advices, returns, totals.

use super::{
    amount::Mark,
    balance::{Booked, Running},
    block::{Block, for_advice},
    cells::Cells,
    field::Field,
    movement::{money_field, payee, payer, signed},
    sheet::{RowKind, TotalOf, Totals as Claims, Yields},
    totals::Totals,
};
use crate::{
    Account, Currency, Direction, Effect, Finding, FindingCode, Limits, Location, Money, Payment, Reference, Return, Severity,
    x12::output::Output,
};

/// What has been read since the header.
#[derive(Debug)]
pub(super) struct Books {
    pub out: Output<'static>,
    block: Option<Block>,
    /// Advices begun since the header: the total of a file with one advice is that of the advice.
    blocks: u64,
    totals: Totals,
    running: Running,
    currency_told: bool,
}

impl Books {
    pub fn new(out: Output<'static>) -> Self {
        Self { out, block: None, blocks: 0, totals: Totals::default(), running: Running::default(), currency_told: false }
    }

    /// Takes a row. `damaged` says why its cells cannot be trusted.
    pub fn row(&mut self, kind: Option<RowKind>, damaged: Option<Finding>, cells: &Cells<'_>, limits: &Limits) {
        if let Some(finding) = damaged {
            self.damaged(kind, finding, cells);
            return;
        }
        match (kind, cells.mapping.sheet.yields) {
            (Some(RowKind::Payment), _) => self.payment(&cells.tagged("PAYMENT")),
            (Some(RowKind::Return), _) => self.returned(&cells.tagged("RETURN")),
            (Some(RowKind::Line), Yields::Payments) => self.line_of_payment(&cells.tagged("LINE"), limits),
            (Some(RowKind::Line), Yields::Advices) => self.line_of_advice(&cells.tagged("LINE"), limits),
            (Some(RowKind::Total), _) => self.total(&cells.tagged("TOTAL")),
            (Some(RowKind::Ignore), _) => {}
            (None, _) => self.unknown(cells),
        }
    }

    /// A row whose cells cannot be told apart takes down what it may belong to and nothing else.
    fn damaged(&mut self, kind: Option<RowKind>, finding: Finding, cells: &Cells<'_>) {
        if kind == Some(RowKind::Total) {
            self.out.finding(Finding { effect: Effect::FileHeld, ..finding });
            return;
        }
        if cells.mapping.sheet.yields == Yields::Advices {
            self.enter_damaged(&finding, cells);
        } else if self.block.is_none() || matches!(kind, Some(RowKind::Payment | RowKind::Return)) {
            self.begin(Block::new(Vec::new(), None, cells.place));
        }
        self.out.finding(finding);
    }

    /// A damaged row of an advice: it belongs to the one in hand when it names it; else it may be the last of that or the first of the next.
    fn enter_damaged(&mut self, finding: &Finding, cells: &Cells<'_>) {
        let key = key(cells);
        if self.block.as_ref().is_some_and(|block| block.takes(&key)) {
            return;
        }
        if let Some(block) = self.block.as_ref().filter(|block| !block.totalled) {
            let message = "a row that cannot be read may belong to the advice".to_owned();
            let location = block.remittance.location;
            self.out.finding(Finding { message, location, ..finding.clone() });
        }
        self.close(cells.mapping.sheet.totals.as_ref());
        let mut block = Block::new(key, None, cells.place);
        block.torn = true;
        self.begin(block);
    }

    fn unknown(&mut self, cells: &Cells<'_>) {
        let Some(records) = &cells.mapping.sheet.records else { return };
        let says_money = [Field::Amount, Field::Net].into_iter().any(|field| cells.text(field).is_some());
        let finding =
            cells.wrong(records.column, FindingCode::UnknownSegment, "the row is of no known kind", "a known kind of row");
        if says_money {
            self.close(cells.mapping.sheet.totals.as_ref());
            self.out.begin_set(None);
            self.out.finding(*finding);
        } else {
            let (code, severity) = (FindingCode::TrailingData, Severity::Warning);
            self.out.finding(Finding { code, severity, effect: Effect::Noted, ..*finding });
        }
    }

    fn begin(&mut self, block: Block) {
        self.close(None);
        self.out.begin_set(None);
        self.block = Some(block);
        self.blocks = self.blocks.saturating_add(1);
    }

    /// Ends the payment or advice in hand. `claims` says whether an advice must have had its total.
    fn close(&mut self, claims: Option<&Claims>) {
        let Some(block) = self.block.take() else { return };
        let needs = claims.is_some_and(|claims| claims.required && claims.of == TotalOf::Advice);
        if needs && !block.totalled && block.payment.is_none() {
            self.out.finding(Finding {
                code: FindingCode::MissingTrailer,
                severity: Severity::Error,
                effect: Effect::FileHeld,
                message: "the total row of the advice is missing; rows of it may be lost".to_owned(),
                expected: "a total row".to_owned(),
                found: "none".to_owned(),
                location: block.remittance.location,
            });
        }
        block.close(&mut self.out);
    }

    /// The currency of a row: its own, else that of its payment or advice, else that of the mapping.
    fn currency(&mut self, cells: &Cells<'_>, held: Option<Currency>) -> Result<Currency, Box<Finding>> {
        let named = cells.currency()?;
        if let (Some(named), Some(held)) = (named, held)
            && named != held
        {
            let code = FindingCode::BadCode;
            return Err(cells.wrong(Field::Currency, code, "another currency than in the rows above", held.as_str()));
        }
        let Some(currency) = named.or(held).or(cells.mapping.currency) else {
            return Err(cells.missing(Field::Currency, "a code of three letters such as USD"));
        };
        if named.is_none() && held.is_none() && !std::mem::replace(&mut self.currency_told, true) {
            self.out.finding(Finding {
                code: FindingCode::OddEnvelope,
                severity: Severity::Info,
                effect: Effect::Noted,
                message: format!("the file names no currency; its amounts were read as {currency}"),
                expected: "a column with the currency".to_owned(),
                found: "none".to_owned(),
                location: cells.place,
            });
        }
        Ok(currency)
    }

    fn payment(&mut self, cells: &Cells<'_>) {
        self.begin(Block::new(Vec::new(), None, cells.place));
        let read = self.read_payment(cells);
        let Some(block) = &mut self.block else { return };
        match read {
            Ok(Some(payment)) => {
                block.currency = Some(payment.amount.currency);
                block.total(payment.amount, cells.location(Field::Amount));
                block.payment = Some(payment);
            }
            Ok(None) => self.block = None,
            Err(finding) => self.out.finding(*finding),
        }
    }

    /// The payment of a row; nothing for a row that moves no money.
    fn read_payment(&mut self, cells: &Cells<'_>) -> Result<Option<Payment<'static>>, Box<Finding>> {
        let currency = self.currency(cells, None)?;
        let amount = signed(cells, currency);
        match &amount {
            Ok(Some(amount)) => self.totals.add(currency, *amount),
            _ => self.totals.add_unread(currency),
        }
        let account = cells.text(Field::OwnAccount).map(|number| Account::new(number.into()));
        let date = cells.date(Field::Date);
        let balance = cells.amount(Field::Balance, currency);
        if let (Ok(amount), Ok(Some(balance))) = (&amount, &balance) {
            let minor = if balance.mark == Some(Mark::Debit) { balance.minor.saturating_neg() } else { balance.minor };
            let row = Booked {
                account: account.as_ref(),
                minor: amount.unwrap_or(0),
                balance: Some(Money::new(minor, currency)),
                date: date.as_ref().ok().copied().flatten(),
                location: cells.location(Field::Balance),
            };
            self.running.take(row, &mut self.out);
        } else if cells.columns.place(Field::Balance).is_some() {
            let minor = amount.as_ref().ok().copied().flatten().unwrap_or(0);
            let row = Booked { account: account.as_ref(), minor, balance: None, date: None, location: cells.place };
            self.running.take(row, &mut self.out);
        }
        let (amount, date, balance) = (amount?, date?, balance?);
        let Some(minor) = amount else {
            // The row of an opening or closing balance.
            return if balance.is_some() { Ok(None) } else { Err(cells.missing(money_field(cells), "an amount")) };
        };
        if date.is_none() {
            return Err(cells.missing(Field::Date, "the date of the payment"));
        }
        let has_returns = cells.mapping.sheet.returns.is_some();
        if minor == 0 || (minor < 0 && has_returns) {
            let expected = "an amount above zero";
            return Err(cells.wrong(money_field(cells), FindingCode::OddSign, "this is no payment received", expected));
        }
        let qualifier = cells.text(Field::Qualifier);
        let references = cells
            .text(Field::Invoice)
            .map(|value| Reference { qualifier: qualifier.unwrap_or_else(|| "IV".to_owned()).into(), value: value.into() });
        Ok(Some(Payment {
            seq: 0,
            method: cells.mapping.method,
            direction: if minor < 0 { Direction::Debit } else { Direction::Credit },
            amount: Money::new(minor.saturating_abs(), currency),
            value_date: date,
            payer: payer(cells).into(),
            payee: payee(cells).into(),
            trace: cells.text(Field::Trace).map(Into::into),
            references: references.into_iter().collect(),
            text: cells.text(Field::Text).map(Into::into),
            remittance: None,
            location: cells.place,
            exchange: None,
        }))
    }

    fn returned(&mut self, cells: &Cells<'_>) {
        self.close(None);
        self.out.begin_set(None);
        match self.read_return(cells) {
            Ok(returned) => drop(self.out.payment_return(returned)),
            Err(finding) => self.out.finding(*finding),
        }
    }

    fn read_return(&mut self, cells: &Cells<'_>) -> Result<Return<'static>, Box<Finding>> {
        let currency = self.currency(cells, None)?;
        let amount = signed(cells, currency);
        match &amount {
            Ok(Some(amount)) => self.totals.add(currency, *amount),
            _ => self.totals.add_unread(currency),
        }
        let Some(minor) = amount? else { return Err(cells.missing(money_field(cells), "an amount")) };
        cells.date(Field::Date)?;
        if minor >= 0 {
            let expected = "an amount below zero";
            return Err(cells.wrong(money_field(cells), FindingCode::OddSign, "this takes nothing back", expected));
        }
        let code = cells.mapping.sheet.returns.and_then(|returns| cells.text(returns.code));
        Ok(Return {
            seq: 0,
            amount: Money::new(minor.saturating_neg(), currency),
            code: code.unwrap_or_default().into(),
            original_trace: cells.text(Field::Trace).map(Into::into),
            trace: None,
            payer: payer(cells).into(),
            payee: payee(cells).into(),
            location: cells.place,
        })
    }

    fn line_of_payment(&mut self, cells: &Cells<'_>, limits: &Limits) {
        let trace = cells.text(Field::Trace);
        let is_aside = self.out.is_set_aside();
        let belongs = self.block.as_ref().is_some_and(|block| {
            let held = block.payment.as_ref().map(|payment| payment.trace.as_deref());
            is_aside || trace.is_none() || held == Some(trace.as_deref())
        });
        if !belongs {
            self.close(None);
            self.out.begin_set(None);
            let expected = "the reference of the payment above";
            let finding =
                cells.wrong(Field::Trace, FindingCode::MissingSegment, "the line belongs to no payment above it", expected);
            self.out.finding(*finding);
            return;
        }
        let held = self.block.as_ref().and_then(|block| block.currency);
        let currency = self.currency(cells, held);
        let Some(block) = &mut self.block else { return };
        match currency {
            Ok(currency) => block.line(cells, currency, limits, &mut self.out),
            // Without its payment nothing needs to be said of a line.
            Err(_) if is_aside => {}
            Err(finding) => self.out.finding(*finding),
        }
    }

    fn line_of_advice(&mut self, cells: &Cells<'_>, limits: &Limits) {
        self.enter_advice(cells);
        let held = self.block.as_ref().and_then(|block| block.currency);
        let currency = self.currency(cells, held);
        let Some(block) = &mut self.block else { return };
        let currency = match currency {
            Ok(currency) => currency,
            Err(finding) => return self.out.finding(*finding),
        };
        block.currency = Some(currency);
        if block.remittance.total.is_none() {
            match cells.amount(Field::Amount, currency) {
                Ok(Some(amount)) => block.total(Money::new(amount.minor, currency), cells.location(Field::Amount)),
                Ok(None) => {}
                Err(finding) => self.out.finding(*finding),
            }
        }
        match cells.amount(Field::Net, currency) {
            Ok(Some(net)) => self.totals.add(currency, for_advice(net)),
            _ => self.totals.add_unread(currency),
        }
        block.line(cells, currency, limits, &mut self.out);
    }

    /// Opens an advice unless the row belongs to the one in hand.
    fn enter_advice(&mut self, cells: &Cells<'_>) {
        let key = key(cells);
        if let Some(block) = &mut self.block {
            // The advice begins with a row that could not be read, so that this one tells which it is.
            if std::mem::take(&mut block.torn) && !block.takes(&key) {
                block.key.clone_from(&key);
            }
            if block.takes(&key) {
                return;
            }
        }
        self.close(cells.mapping.sheet.totals.as_ref());
        let mut block = Block::new(key, None, cells.place);
        block.remittance.payer = payer(cells).into();
        block.remittance.trace = cells.text(Field::Trace).map(Into::into);
        let date = cells.date(Field::Date);
        self.begin(block);
        let Some(block) = &mut self.block else { return };
        match date {
            Ok(date) => block.remittance.date = date,
            Err(finding) => self.out.finding(*finding),
        }
    }

    fn total(&mut self, cells: &Cells<'_>) {
        let Some(claims) = cells.mapping.sheet.totals else { return };
        match claims.of {
            TotalOf::Advice => self.total_of_advice(&claims, cells),
            TotalOf::File => self.total_of_file(&claims, cells),
        }
    }

    fn total_of_advice(&mut self, claims: &Claims, cells: &Cells<'_>) {
        // A total without lines is an advice that names only the money.
        self.enter_advice(cells);
        let held = self.block.as_ref().and_then(|block| block.currency);
        let total = self.currency(cells, held).and_then(|currency| Ok((cells.amount(claims.amount, currency)?, currency)));
        let Some(block) = &mut self.block else { return };
        block.totalled = true;
        match total {
            Ok((Some(total), currency)) => block.total(Money::new(for_advice(total), currency), cells.location(claims.amount)),
            Ok((None, _)) => {}
            Err(finding) => self.out.finding(*finding),
        }
        self.close(Some(claims));
    }

    fn total_of_file(&mut self, claims: &Claims, cells: &Cells<'_>) {
        let held = self.block.as_ref().and_then(|block| block.currency).filter(|_| cells.text(Field::Currency).is_none());
        let read = self.currency(cells, held).and_then(|currency| match cells.amount(claims.amount, currency)? {
            Some(amount) => Ok(Money::new(amount.minor, currency)),
            None => Err(cells.missing(claims.amount, "the total")),
        });
        match read {
            Ok(total) => {
                self.totals.claim(claims, total.currency, total.minor, cells);
                if let (Some(block), 1, Yields::Advices) = (&mut self.block, self.blocks, cells.mapping.sheet.yields)
                    && block.remittance.total.is_none()
                {
                    block.total(total, cells.location(claims.amount));
                }
            }
            Err(finding) => self.out.finding(Finding { effect: Effect::FileHeld, ..*finding }),
        }
        self.close(None);
    }

    /// The end of the file, or another header: everything must have been totalled by here.
    pub fn end_section(&mut self, claims: Option<&Claims>, end: Location) {
        self.close(claims);
        let of_file = claims.filter(|claims| claims.of == TotalOf::File);
        self.totals.compare(of_file.is_some_and(|claims| claims.required), end, &mut self.out);
        self.blocks = 0;
    }

    /// The end of a sheet: another one has balances of its own.
    pub fn end_sheet(&mut self, claims: Option<&Claims>, end: Location) {
        self.end_section(claims, end);
        self.finish();
        self.running = Running::default();
    }

    /// The end of the file.
    pub fn finish(&mut self) {
        self.running.finish(&mut self.out);
    }
}

/// What the rows of an advice have in common.
fn key(cells: &Cells<'_>) -> Vec<Option<String>> {
    cells.mapping.sheet.blocks.by.iter().map(|field| cells.text(*field)).collect()
}
