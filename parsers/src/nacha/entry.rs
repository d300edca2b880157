//! Record 6 with its addenda: a payment, a return, a remittance without money, or nothing to apply.

use crate::{
    Account, Currency, Direction, Effect, Finding, FindingCode, Limits, Location, Method, Money, Party, Payment, Reference,
    Remittance, Return, Severity, SharedParty, Text, mask,
    utf8::Utf8,
    x12::{lexer::Tape, output::Output},
};

use super::{
    addenda::{Addenda, NO_ADDENDA},
    advice,
    batch::Batch,
    code::{Form, Purpose, Transaction, changed_field, is_disputed, is_known},
    head::Head,
    layout::{addenda as more, entry as at},
    line::{Line, Span, number},
};

/// A payment with nothing in it.
const BLANK: Payment<'static> = Payment {
    seq: 0,
    method: Method::Ach,
    direction: Direction::Credit,
    amount: Money::zero(Currency::USD),
    value_date: None,
    payer: SharedParty::NOBODY,
    payee: SharedParty::NOBODY,
    trace: None,
    references: Vec::new(),
    text: None,
    remittance: None,
    location: Location {
        byte: 0,
        line: None,
        segment: None,
        tag: None,
        element: None,
        repeat: None,
        component: None,
        sheet: None,
    },
    exchange: None,
};

/// Digits of corrected data that may be an account number; transaction codes have two.
const CHANGED_DIGITS_MIN: usize = 4;

/// An entry whose last addenda has passed.
#[derive(Debug)]
pub(super) struct Entry<'w, 'b> {
    pub base: u64,
    pub spans: &'b [Span],
    pub head: Head,
    pub batch: &'b Batch,
    /// Who sends the batch.
    pub originator: &'b Party<'w>,
    pub limits: &'b Limits,
}

impl<'w> Entry<'w, '_> {
    /// Makes records of the entry; the payment, which comes last, is given back. What cannot be read was told about when the totals took it.
    /// The tape is memory for reading what the addenda say.
    pub fn read(&self, text: &mut Utf8<'w>, tape: &mut Tape, out: &mut Output<'w>) -> Option<Box<Payment<'w>>> {
        let line = self.spans.first().map(|span| span.line_of_texts(text, self.base))?;
        let (transaction, amount) = (self.head.transaction?, self.head.amount?);
        let gathered;
        let addenda: &Addenda<'w> = if self.spans.len() > 1 {
            gathered = Addenda::gather(self, &line, text, out);
            &gathered
        } else {
            &NO_ADDENDA
        };
        self.check_count(&line, out);
        if let Some(returned) = &addenda.returned {
            self.give_back(&line, returned, addenda, transaction, amount, out);
        } else if let Some(changed) = &addenda.changed {
            self.change(&line, changed, addenda, out);
        } else {
            match transaction.purpose {
                Purpose::Accounts => {}
                Purpose::Returns => {
                    let message = "the transaction code is that of a return, but addenda 98 or 99 is missing".to_owned();
                    let code = FindingCode::MissingSegment;
                    let expected = "addenda 99 with the reason and the original trace";
                    out.finding(line.finding(&at::TRANSACTION_CODE, code, Effect::RecordSetAside, message, expected));
                }
                Purpose::Prenote | Purpose::ZeroDollar if amount > 0 => {
                    let message = "the transaction code says that no money moves, but the amount is not zero".to_owned();
                    out.finding(line.finding(&at::AMOUNT, FindingCode::BadAmount, Effect::RecordSetAside, message, "0000000000"));
                }
                Purpose::Prenote => {}
                Purpose::ZeroDollar if self.batch.form == Form::Message => {}
                Purpose::Moves | Purpose::ZeroDollar => {
                    return self.pay(&line, addenda, (transaction.direction, amount), tape, out);
                }
            }
        }
        None
    }

    /// Addenda Record Indicator and, where the class has one, the number of addenda. The batch control proves the count; these only help
    /// to see where a record was lost.
    fn check_count(&self, line: &Line<'w>, out: &mut Output<'w>) {
        if self.batch.form == Form::Adv {
            return;
        }
        let count = self.spans.len().saturating_sub(1) as u64;
        let indicator = line.raw(&at::ADDENDA_INDICATOR);
        let expected = if count == 0 { "0" } else { "1" };
        if indicator != expected.as_bytes() {
            let message = format!("the addenda record indicator does not suit the {count} addenda that follow");
            let code = FindingCode::ControlCountMismatch;
            out.finding(line.finding(&at::ADDENDA_INDICATOR, code, Effect::Noted, message, expected));
        }
        let field = match self.batch.form {
            Form::Ctx => &at::CTX_ADDENDA_COUNT,
            Form::Iat => &at::IAT_ADDENDA_COUNT,
            _ => return,
        };
        let claim = line.value(field);
        let claimed = if claim.is_empty() { Some(0) } else { number(claim) };
        // A return repeats the field of the original entry and counts its own addenda.
        let returns = self.head.transaction.is_some_and(|code| code.purpose == Purpose::Returns);
        // Some count the seven mandatory records of an international entry only.
        let mandatory = self.batch.form == Form::Iat && claimed == Some(7) && count > 7;
        if claimed != Some(count) && !returns && !mandatory {
            let message = format!("the entry says how many addenda follow, but {count} do");
            let code = FindingCode::ControlCountMismatch;
            out.finding(line.finding(field, code, Effect::Noted, message, &format!("{count:04}")));
        }
    }

    fn pay(
        &self,
        line: &Line<'w>,
        addenda: &Addenda<'w>,
        (direction, cents): (Direction, i64),
        tape: &mut Tape,
        out: &mut Output<'w>,
    ) -> Option<Box<Payment<'w>>> {
        // Filled where it stays: payments are large, and moving one costs as much as reading it.
        let mut payment = Box::new(BLANK);
        payment.direction = direction;
        payment.amount = Money::new(cents, Currency::USD);
        payment.value_date = self.batch.value_date;
        payment.trace = line.text(&at::TRACE);
        payment.location = line.location();
        let Payment { payer, payee, references, .. } = &mut *payment;
        self.fill_originator(addenda, payer);
        self.fill_receiver(line, addenda, payee);
        let identification = self.identification(line);
        if direction == Direction::Debit {
            payee.id = identification.or(payee.id.take());
            std::mem::swap(payer, payee);
        } else if let Some(value) = identification {
            references.push(Reference { qualifier: Text::Borrowed("CR"), value });
        }
        let foreign = addenda.receiver.as_ref().and_then(|line| line.text(&more::IAT_FOREIGN_TRACE));
        references.extend(foreign.map(|value| Reference { qualifier: Text::Borrowed("TN"), value }));
        if self.batch.reverses {
            self.tell_reversal(line, out);
        }
        if !addenda.payment.is_empty() {
            let source = advice::Source { entry: line, lines: &addenda.payment, disorder: addenda.disorder, limits: self.limits };
            let advice = source.read(&payment, tape, out);
            payment.text = advice.text;
            payment.references.extend(advice.references);
            payment.remittance = advice.remittance.map(|remittance| out.remittance(remittance));
        } else if let Some(terminal) = &addenda.terminal {
            payment.text = terminal.text(&more::TERMINAL);
        }
        if cents > 0 {
            out.number_payment(&mut payment);
            return Some(payment);
        }
        if payment.remittance.is_none() && (payment.text.is_some() || !payment.references.is_empty()) {
            out.remittance(bare_remittance(*payment));
        }
        None
    }

    fn tell_reversal(&self, line: &Line<'w>, out: &mut Output<'w>) {
        let message = "the batch says REVERSAL: the entry takes back an earlier one".to_owned();
        out.finding(line.finding_here(FindingCode::CorrectsEarlier, Effect::Noted, message, "an entry of its own"));
    }

    /// Addenda 99: money that went out or came in is taken back.
    fn give_back(
        &self,
        line: &Line<'w>,
        returned: &Line<'w>,
        addenda: &Addenda<'w>,
        transaction: Transaction,
        cents: i64,
        out: &mut Output<'w>,
    ) {
        self.expect_return_code(line, transaction, out);
        let reason = returned.raw(&more::RETURN_REASON);
        if is_disputed(reason) {
            out.finding(Finding {
                code: FindingCode::CorrectsEarlier,
                severity: Severity::Error,
                effect: Effect::RecordSetAside,
                message: "a return is sent back or contested; a person must find out which side keeps the money".to_owned(),
                expected: "a return with reason R01 to R53 or R80 to R85".to_owned(),
                found: String::from_utf8_lossy(reason).into_owned(),
                location: returned.location_of(&more::RETURN_REASON),
            });
            return;
        }
        let amount = Money::new(cents, Currency::USD);
        self.push_return(line, returned, addenda, amount, out);
    }

    /// Addenda 98, a notification of change: the receiving bank tells what to write in later entries. No money moves and nothing is taken
    /// back, so it is a notice for a person. The corrected data may be an account number, of which only the end shows.
    fn change(&self, line: &Line<'w>, changed: &Line<'w>, addenda: &Addenda<'w>, out: &mut Output<'w>) {
        let mut receiver = Party::default();
        self.fill_receiver(line, addenda, &mut receiver);
        let code = changed.text(&more::RETURN_REASON).unwrap_or_default();
        let original = changed.text(&more::ORIGINAL_TRACE).unwrap_or_else(|| "unknown".into());
        let corrected = changed.text(&more::CORRECTED_DATA).unwrap_or_default();
        let corrected = if code == "C02" { corrected.into_owned() } else { mask::digits(&corrected, CHANGED_DIGITS_MIN) };
        let (what, name) = (changed_field(code.as_bytes()), receiver.name.as_deref().unwrap_or("an unnamed receiver"));
        let message = format!(
            "the bank of {name} notifies a change ({code}) of entry {original}: {what} was wrong; right is {}",
            corrected.trim()
        );
        out.finding(Finding {
            severity: Severity::Warning,
            found: corrected,
            ..changed.finding(
                &more::CORRECTED_DATA,
                FindingCode::ChangeNotified,
                Effect::Noted,
                message,
                "correct data in later entries",
            )
        });
    }

    fn push_return(&self, line: &Line<'w>, more: &Line<'w>, addenda: &Addenda<'w>, amount: Money, out: &mut Output<'w>) {
        let mut payer = Party::default();
        self.fill_receiver(line, addenda, &mut payer);
        payer.id = self.identification(line).or(payer.id);
        let mut payee = Party::default();
        self.fill_originator(addenda, &mut payee);
        let code = more.text(&more::RETURN_REASON).unwrap_or_default();
        let original_trace = more.text(&more::ORIGINAL_TRACE);
        let trace = line.text(&at::TRACE);
        if !is_known(code.as_bytes()) {
            let message = "the reason is none of the rules".to_owned();
            let expected = "a reason such as R01 or C01";
            out.finding(more.finding(&more::RETURN_REASON, FindingCode::BadCode, Effect::Noted, message, expected));
        }
        if original_trace.is_none() {
            let message = "the return does not say which entry it returns".to_owned();
            let code = FindingCode::MissingElement;
            out.finding(more.finding(&more::ORIGINAL_TRACE, code, Effect::Noted, message, "the trace number of the original"));
        }
        let (payer, payee) = (payer.into(), payee.into());
        out.payment_return(Return { seq: 0, amount, code, original_trace, trace, payer, payee, location: line.location() });
    }

    fn expect_return_code(&self, line: &Line<'w>, transaction: Transaction, out: &mut Output<'w>) {
        if transaction.purpose != Purpose::Returns {
            let message = "addenda 99 follows, so the entry is read as a return in spite of its transaction code".to_owned();
            let code = FindingCode::BadCode;
            out.finding(line.finding(&at::TRANSACTION_CODE, code, Effect::Noted, message, "a code that ends in 1 or 6"));
        }
    }

    /// Who sends the entry.
    #[inline]
    fn fill_originator(&self, addenda: &Addenda<'w>, party: &mut Party<'w>) {
        party.clone_from(self.originator);
        if let Some(line) = &addenda.originator {
            party.name = line.text(&more::IAT_ORIGINATOR_NAME);
        }
        if let Some(bank) = addenda.originator_bank.as_ref().and_then(|line| line.text(&more::IAT_ORIGINATOR_BANK)) {
            party.bank = Some(bank);
        }
    }

    /// Whom the entry reaches.
    #[inline]
    fn fill_receiver(&self, line: &Line<'w>, addenda: &Addenda<'w>, party: &mut Party<'w>) {
        let mut account = &at::ACCOUNT;
        party.name = match self.batch.form {
            Form::Iat => {
                account = &at::IAT_ACCOUNT;
                addenda.receiver.as_ref().and_then(|line| line.text(&more::IAT_RECEIVER_NAME))
            }
            Form::Ctx => line.text(&at::CTX_NAME),
            _ => line.text(&at::NAME),
        };
        party.id = addenda.receiver_id.as_ref().and_then(|line| line.text(&more::IAT_RECEIVER_ID));
        party.bank = line.text(&at::ROUTING_NUMBER);
        party.account = line.text(account).map(Account::new);
    }

    /// Individual Identification Number, which an international entry does not have.
    fn identification(&self, line: &Line<'w>) -> Option<Text<'w>> {
        if self.batch.form == Form::Iat { None } else { line.text(&at::IDENTIFICATION) }
    }
}

/// A zero-dollar entry whose addenda is free text: an advice without lines.
fn bare_remittance(payment: Payment<'_>) -> Remittance<'_> {
    Remittance {
        seq: 0,
        total: Some(payment.amount),
        date: payment.value_date,
        payer: payment.payer,
        payee: payment.payee,
        trace: payment.trace,
        lines: Vec::new(),
        text: payment.text,
        references: payment.references,
        location: payment.location,
        exchange: None,
    }
}
