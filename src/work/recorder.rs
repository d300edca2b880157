//! The second reading of a file: its records become rows, block by block, inside the transaction of T2.

use std::{collections::HashMap, fs::File};

use tieout_parsers as parsers;
use tieout_parsers::{Control, Direction, Finding, FindingCode, Format, Record};

use super::{
    engine::ENGINE,
    invoices::Invoices,
    setting::Setting,
    sighting::sighting,
    survey::{self, SetAsides, Survey},
};
use crate::{
    domain::{
        Currency, Payer, Payment, PaymentId, PaymentState, Remittance, RemittanceAdjustment, RemittanceId, RemittanceLine,
        RemittanceReference, RemittanceState, Source,
    },
    secret::Vault,
    store::{Kind, NewException, NewPayment, NewReturn, Tx},
};

/// Rows are written when so many records wait.
const BLOCK: usize = 1_000;

/// What was written, as far as the survey could not know it.
#[derive(Debug, Default)]
pub struct Recorded {
    pub invoices_taken: u64,
    pub invoices_refused: u64,
    /// Advices that came without their payment.
    pub waiting: usize,
    /// Records set aside for what they say, not for their form.
    pub set_aside_more: u64,
}

/// Reads the file again and stores its rows.
pub async fn record(tx: &mut Tx, file: &mut File, survey: &Survey, setting: &Setting<'_>) -> anyhow::Result<Recorded> {
    let mut recorder = Recorder::new(tx, survey, setting).await?;
    let mut reader = survey::ChunkReader::new(setting.options);
    while reader.next(file, |record| recorder.take(record))?.is_some() {
        if recorder.waiting() >= BLOCK {
            recorder.flush(tx).await?;
        }
    }
    if let Some(error) = recorder.failure.take() {
        return Err(error);
    }
    recorder.flush(tx).await?;
    let sender = survey.partners().map(|(sender, _)| sender);
    recorder.invoices.changes.record(tx, setting.file, sender.as_deref()).await?;
    recorder.recorded.invoices_taken = recorder.invoices.taken;
    recorder.recorded.invoices_refused = recorder.invoices.refused;
    Ok(recorder.recorded)
}

struct Recorder<'a> {
    setting: &'a Setting<'a>,
    format: Format,
    payment_ids: std::vec::IntoIter<i64>,
    remittance_ids: std::vec::IntoIter<i64>,
    /// Remittances that wait for their payment within the block, by `seq`.
    remittance_places: HashMap<u32, usize>,
    payments: Vec<NewPayment>,
    return_ids: std::vec::IntoIter<i64>,
    returns: Vec<NewReturn>,
    remittances: Vec<Remittance>,
    invoices: Invoices,
    controls: Vec<Control>,
    findings: Vec<Finding>,
    exceptions: Vec<NewException>,
    controls_written: usize,
    findings_written: usize,
    /// Payments and returns so far.
    position: u32,
    payment_seq: u32,
    set_aside: u64,
    set_asides: SetAsides,
    /// A debit in a file of this format is for a person; otherwise it is counted only.
    debits_raise: bool,
    recorded: Recorded,
    /// A record that could not be taken; the sink cannot return it.
    failure: Option<anyhow::Error>,
}

impl<'a> Recorder<'a> {
    async fn new(tx: &mut Tx, survey: &Survey, setting: &'a Setting<'a>) -> anyhow::Result<Self> {
        let reserve = |count: u64| usize::try_from(count);
        Ok(Self {
            setting,
            format: survey.format,
            payment_ids: tx.reserve(Kind::Payment, reserve(survey.counts.payments)?).await?.into_iter(),
            remittance_ids: tx.reserve(Kind::Remittance, reserve(survey.counts.remittances)?).await?.into_iter(),
            remittance_places: HashMap::new(),
            payments: Vec::new(),
            return_ids: tx.reserve(Kind::BankReturn, reserve(survey.counts.returns)?).await?.into_iter(),
            returns: Vec::new(),
            remittances: Vec::new(),
            invoices: Invoices::default(),
            controls: Vec::new(),
            findings: Vec::new(),
            exceptions: Vec::new(),
            controls_written: 0,
            findings_written: 0,
            position: 0,
            payment_seq: 0,
            set_aside: 0,
            set_asides: SetAsides::default(),
            debits_raise: setting.raiser.rules.routing.debits_raise(survey.format.as_str()),
            recorded: Recorded::default(),
            failure: None,
        })
    }

    fn waiting(&self) -> usize {
        self.payments.len()
            + self.returns.len()
            + self.remittances.len()
            + self.invoices.waiting()
            + self.controls.len()
            + self.findings.len()
    }

    fn take(&mut self, record: Record<'_>) {
        if self.failure.is_some() {
            return;
        }
        if !matches!(record, Record::Finding(_)) {
            self.set_asides.end();
        }
        let taken = match record {
            Record::Payment(payment) if payment.direction == Direction::Debit => {
                self.void_advice(payment.remittance);
                if self.debits_raise {
                    self.refuse(
                        &payment.location,
                        format!("a debit of {} takes money from us; it is no receipt", payment.amount),
                    );
                }
                Ok(())
            }
            Record::Payment(payment) => self.payment(*payment),
            Record::Remittance(remittance) => self.remittance(*remittance),
            Record::Invoice(invoice) => {
                // The invoices of a held file are read again when a person releases it.
                if !self.setting.held {
                    self.invoices.take(&invoice, self.setting);
                }
                Ok(())
            }
            Record::Control(control) => {
                // Sets that agree with themselves are the rule and too many to keep; `parse` shows them.
                if !(control.ok && control.level == "set") {
                    self.controls.push(control);
                }
                Ok(())
            }
            Record::Finding(finding) => {
                if self.set_asides.begins(&finding) {
                    self.set_aside += 1;
                    self.exceptions.push(self.setting.raiser.set_aside(self.setting.file, self.set_aside, &finding));
                }
                if finding.code == FindingCode::ChangeNotified {
                    self.exceptions.push(self.setting.raiser.notice(self.setting.file, &finding));
                }
                self.findings.push(finding);
                Ok(())
            }
            Record::Return(returned) => self.bank_return(*returned),
            Record::Balance(_) | Record::Acknowledgment(_) => Ok(()),
        };
        self.failure = taken.err();
    }

    fn payment(&mut self, payment: parsers::Payment<'_>) -> anyhow::Result<()> {
        let setting = self.setting;
        let id = PaymentId(next(&mut self.payment_ids)?);
        self.position += 1;
        let remittance = payment.remittance.and_then(|seq| self.link(seq, id));
        let (payer, payer_bank, payer_account_cipher) = payer(&payment.payer, setting.vault)?;
        let own = setting.directory.own().find(&payment.payee, setting.vault);
        let sighting = sighting(&payment, self.format, own, setting.vault);
        let stored = Payment {
            id,
            source: Source { file: setting.file, location: payment.location },
            seq: self.payment_seq,
            seller: setting.directory.payee(&payment.payee, payment.exchange.as_ref(), setting.vault),
            method: payment.method,
            currency: payment.amount.currency,
            amount_minor: payment.amount.minor,
            unapplied_minor: payment.amount.minor,
            value_date: payment.value_date.unwrap_or(setting.day),
            business_day: setting.day,
            payer,
            trace: payment.trace.map(|trace| trace.into_owned()),
            text: payment.text.as_deref().map(told),
            remittance,
            state: if setting.held { PaymentState::Held } else { PaymentState::Received },
            version: 1,
        };
        self.payment_seq += 1;
        let position = self.position;
        self.payments.push(NewPayment { payment: stored, position, payer_bank, payer_account_cipher, sighting });
        Ok(())
    }

    fn bank_return(&mut self, returned: parsers::Return<'_>) -> anyhow::Result<()> {
        self.position += 1;
        self.returns.push(NewReturn {
            id: next(&mut self.return_ids)?,
            source: Source { file: self.setting.file, location: returned.location },
            seq: returned.seq,
            position: self.position,
            currency: returned.amount.currency,
            amount_minor: returned.amount.minor,
            code: returned.code.into_owned(),
            original_trace: returned.original_trace.map(|trace| trace.into_owned()),
            trace: returned.trace.map(|trace| trace.into_owned()),
            seller: self.setting.directory.payee(&returned.payee, None, self.setting.vault),
            payer_name: returned.payer.name.as_deref().map(str::to_owned),
            held: self.setting.held,
        });
        Ok(())
    }

    /// Ties a payment to the remittance that came just before it in the same set.
    fn link(&mut self, seq: u32, payment: PaymentId) -> Option<RemittanceId> {
        let place = self.remittance_places.get(&seq)?;
        let remittance = self.remittances.get_mut(*place)?;
        remittance.payment = Some(payment);
        if remittance.state == RemittanceState::Waiting {
            remittance.state = RemittanceState::Linked;
        }
        Some(remittance.id)
    }

    /// What explains money taken from us must never explain money that comes in.
    fn void_advice(&mut self, seq: Option<u32>) {
        let place = seq.and_then(|seq| self.remittance_places.get(&seq));
        if let Some(remittance) = place.and_then(|place| self.remittances.get_mut(*place)) {
            remittance.state = RemittanceState::Void;
        }
    }

    fn remittance(&mut self, remittance: parsers::Remittance<'_>) -> anyhow::Result<()> {
        let setting = self.setting;
        let (payer, _, _) = payer(&remittance.payer, setting.vault)?;
        let currency = currency(&remittance);
        let seller = setting.directory.payee(&remittance.payee, remittance.exchange.as_ref(), setting.vault);
        let total_minor = remittance.total.map(|total| total.minor);
        let lines: Vec<_> = remittance.lines.into_iter().map(line).collect();
        self.remittance_places.insert(remittance.seq, self.remittances.len());
        self.remittances.push(Remittance {
            id: RemittanceId(next(&mut self.remittance_ids)?),
            source: Source { file: setting.file, location: remittance.location },
            seq: remittance.seq,
            seller,
            currency,
            total_minor,
            date: remittance.date,
            payer,
            trace: remittance.trace.map(|trace| trace.into_owned()),
            balanced: balanced(total_minor, &lines),
            lines,
            text: remittance.text.as_deref().map(told),
            payment: None,
            state: if setting.held { RemittanceState::Held } else { RemittanceState::Waiting },
        });
        Ok(())
    }

    fn refuse(&mut self, location: &parsers::Location, why: String) {
        self.set_aside += 1;
        self.recorded.set_aside_more += 1;
        self.exceptions.push(self.setting.raiser.record(self.setting.file, self.set_aside, location, why));
    }

    async fn flush(&mut self, tx: &mut Tx) -> anyhow::Result<()> {
        let setting = self.setting;
        tx.record_payments(&self.payments).await?;
        self.payments.clear();
        tx.record_returns(&self.returns).await?;
        self.returns.clear();
        self.recorded.waiting +=
            self.remittances.iter().filter(|remittance| remittance.state == RemittanceState::Waiting).count();
        tx.record_remittances(&self.remittances).await?;
        self.remittances.clear();
        self.remittance_places.clear();
        self.invoices.flush(tx, setting).await?;
        self.exceptions.append(&mut self.invoices.exceptions);
        tx.record_controls(setting.file, self.controls_written, &self.controls).await?;
        self.controls_written += self.controls.len();
        self.controls.clear();
        tx.record_findings(setting.file, self.findings_written, &self.findings).await?;
        self.findings_written += self.findings.len();
        self.findings.clear();
        tx.raise_exceptions(&self.exceptions, ENGINE).await?;
        self.exceptions.clear();
        Ok(())
    }
}

fn next(ids: &mut std::vec::IntoIter<i64>) -> anyhow::Result<i64> {
    ids.next().ok_or_else(|| anyhow::anyhow!("the second reading of the file found more records than the first"))
}

/// Free text without the account numbers in it: what the payer's is, its party tells.
fn told(text: &str) -> String {
    parsers::without_ibans(text).into_owned()
}

/// The payer with its account sealed, the bank, and the account's ciphertext.
pub(super) fn payer(party: &parsers::Party<'_>, vault: &Vault) -> anyhow::Result<(Payer, Option<String>, Option<String>)> {
    let own = |text: &Option<parsers::Text<'_>>| text.as_ref().map(|text| text.clone().into_owned());
    let sealed = match &party.account {
        Some(account) => vault.seal_account(party.bank.as_deref(), account)?,
        None => None,
    };
    let (account, last4, cipher) = match sealed {
        Some(sealed) => (Some(sealed.key), Some(sealed.last4), Some(sealed.ciphertext)),
        None => (None, None, None),
    };
    let payer = Payer { name: own(&party.name), id: own(&party.id), account, account_last4: last4, customer: None };
    Ok((payer, own(&party.bank), cipher))
}

/// Whether the lines of an advice add up to its total; nothing where it names no total or a line no amount.
pub(super) fn balanced(total_minor: Option<i64>, lines: &[RemittanceLine]) -> Option<bool> {
    let sum = lines.iter().map(|line| line.net_minor.map(i128::from)).sum::<Option<i128>>();
    total_minor.zip(sum).filter(|_| !lines.is_empty()).map(|(total, sum)| i128::from(total) == sum)
}

/// The currency of an advice: that of its total, or of the first amount in it.
fn currency(remittance: &parsers::Remittance<'_>) -> Currency {
    let amounts = remittance.lines.iter().flat_map(|line| [line.net, line.gross]).flatten();
    remittance.total.into_iter().chain(amounts).next().map_or(Currency::USD, |amount| amount.currency)
}

fn line(line: parsers::RemittanceLine<'_>) -> RemittanceLine {
    let minor = |amount: Option<parsers::Money>| amount.map(|amount| amount.minor);
    RemittanceLine {
        reference: line.reference.into_owned(),
        qualifier: line.qualifier.into_owned(),
        action: line.action.map(|action| action.into_owned()),
        gross_minor: minor(line.gross),
        discount_minor: minor(line.discount),
        net_minor: minor(line.net),
        adjustments: line
            .adjustments
            .into_iter()
            .map(|adjustment| RemittanceAdjustment {
                amount_minor: adjustment.amount.minor,
                reason: adjustment.reason.into_owned(),
                reference: adjustment.reference.map(|reference| reference.into_owned()),
            })
            .collect(),
        date: line.date,
        po: line.po.map(|po| po.into_owned()),
        references: line
            .references
            .into_iter()
            .map(|reference| RemittanceReference {
                qualifier: reference.qualifier.into_owned(),
                value: reference.value.into_owned(),
            })
            .collect(),
        byte: line.location.byte,
        segment: line.location.segment,
    }
}
