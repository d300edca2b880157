//! Makes exceptions out of what a file lacks, and routes them by rule.

use serde_json::json;
use tieout_parsers::{Finding, Location, without_ibans};

use super::directory::Directory;
use crate::{
    domain::{Currency, ExceptionFacts, FileId, Level, OpenItemId, Payment, Reason, Remittance},
    ledger::{held_key, return_key, waiting_key},
    rules::RuleSet,
    store::{BankReturn, NewException, NewOpenItem},
};

/// Routes what is raised while a file is recorded or matched.
pub struct Raiser<'a> {
    pub rules: &'a RuleSet,
    pub directory: &'a Directory,
}

/// The whole file waits for a person, or nothing could be read of it. No customer is known of a file, so the rules are enough.
pub fn exception_of_file(rules: &RuleSet, file: FileId, message: String) -> NewException {
    let route = rules.routing.route(&facts(Reason::FileHeld, Level::File));
    let mut exception = NewException::new(held_key(file), Level::File, Reason::FileHeld, route, message);
    exception.file = Some(file);
    exception
}

impl Raiser<'_> {
    /// One record was set aside. `ordinal` counts the set-aside records of the file.
    pub fn set_aside(&self, file: FileId, ordinal: u64, finding: &Finding) -> NewException {
        let message = format!("{}; expected {}, found {}", finding.message, finding.expected, finding.found);
        let mut exception = self.record(file, ordinal, &finding.location, message);
        exception.details = json!({ "finding": finding });
        exception
    }

    /// One record cannot be used, for a reason that is not its form.
    pub fn record(&self, file: FileId, ordinal: u64, location: &Location, message: String) -> NewException {
        let route = self.rules.routing.route(&facts(Reason::RecordSetAside, Level::Record));
        let key = format!("record:{file}:{ordinal}");
        let mut exception = NewException::new(key, Level::Record, Reason::RecordSetAside, route, message);
        exception.file = Some(file);
        exception.byte = Some(location.byte);
        exception.line = location.line;
        exception
    }

    /// A bank tells what to change in later entries; no money moved.
    pub fn notice(&self, file: FileId, finding: &Finding) -> NewException {
        let reason = Reason::ChangeNotified;
        let route = self.rules.routing.route(&facts(reason, Level::Record));
        let key = format!("notice:{file}:{}", finding.location.byte);
        let mut exception = NewException::new(key, Level::Record, reason, route, finding.message.clone());
        exception.file = Some(file);
        exception.byte = Some(finding.location.byte);
        exception.line = finding.location.line;
        exception.details = json!({ "finding": finding });
        exception
    }

    /// An invoice that names nobody we know, or an item that we do not have.
    pub fn invoice(&self, file: FileId, location: &Location, message: String) -> NewException {
        let mut exception = self.record(file, 0, location, message);
        exception.key = format!("invoice:{file}:{}", location.byte);
        exception
    }

    /// An invoice or a row of a list says something else of an item than is known; `question` tells what came of it.
    pub fn changed_item(
        &self,
        file: Option<FileId>,
        row: &NewOpenItem,
        item: Option<OpenItemId>,
        question: &str,
    ) -> NewException {
        let customer = self.directory.customer_of(Some(row.customer));
        let facts = ExceptionFacts {
            amount_minor: row.amount_minor,
            currency: row.currency,
            seller_code: self.directory.seller_code(Some(row.seller)),
            customer_code: customer.map(|customer| customer.code.clone()),
            portfolio_owner: customer.and_then(|customer| customer.portfolio_owner.clone()),
            ..facts(Reason::ChangedResend, Level::OpenItem)
        };
        let route = self.rules.routing.route(&facts);
        let key = format!("item:{}:changed", item.map_or(0, |item| item.0));
        let message = format!("item {} {question}", row.number);
        let mut exception = NewException::new(key, Level::OpenItem, Reason::ChangedResend, route, message);
        (exception.file, exception.open_item) = (file, item);
        (exception.seller, exception.customer) = (Some(row.seller), Some(row.customer));
        exception.amount = Some((row.amount_minor, row.currency));
        exception
    }

    /// An advice whose cash has not come.
    pub fn waiting(&self, remittance: &Remittance) -> NewException {
        let facts = ExceptionFacts {
            amount_minor: remittance.total_minor.unwrap_or(0),
            currency: remittance.currency,
            seller_code: self.directory.seller_code(remittance.seller),
            ..facts(Reason::RemittanceWithoutPayment, Level::Remittance)
        };
        let route = self.rules.routing.route(&facts);
        let who = remittance.payer.name.as_deref().unwrap_or("an unnamed payer");
        let trace = remittance.trace.as_deref().map(|trace| format!(" under {}", without_ibans(trace))).unwrap_or_default();
        let message = format!("{who} announces a payment{trace} that has not come");
        let key = waiting_key(remittance.id);
        let mut exception = NewException::new(key, Level::Remittance, Reason::RemittanceWithoutPayment, route, message);
        exception.file = Some(remittance.source.file);
        exception.remittance = Some(remittance.id);
        exception.seller = remittance.seller;
        exception.amount = remittance.total_minor.map(|total| (total, remittance.currency));
        exception.byte = Some(remittance.source.location.byte);
        exception.line = remittance.source.location.line;
        exception
    }

    /// A payment that the bank took back, or a return that belongs to no payment we know.
    pub fn bank_return(&self, returned: &BankReturn, payment: Option<&Payment>, message: String) -> NewException {
        let reason = Reason::PaymentReturned;
        let key = return_key(returned.id);
        let mut exception = match payment {
            Some(payment) => self.payment(payment, reason, key, message),
            None => {
                NewException::new(key, Level::Record, reason, self.rules.routing.route(&facts(reason, Level::Record)), message)
            }
        };
        exception.file = Some(returned.file);
        exception.seller = exception.seller.or(returned.seller);
        exception.amount = Some((returned.amount_minor, returned.currency));
        exception
    }

    /// A payment that a person must look at.
    pub fn payment(&self, payment: &Payment, reason: Reason, key: String, message: String) -> NewException {
        let customer = self.directory.customer_of(payment.payer.customer);
        let facts = ExceptionFacts {
            amount_minor: payment.amount_minor,
            currency: payment.currency,
            seller_code: self.directory.seller_code(payment.seller),
            customer_code: customer.map(|customer| customer.code.clone()),
            portfolio_owner: customer.and_then(|customer| customer.portfolio_owner.clone()),
            ..facts(reason, Level::Payment)
        };
        let route = self.rules.routing.route(&facts);
        let mut exception = NewException::new(key, Level::Payment, reason, route, message);
        exception.file = Some(payment.source.file);
        exception.payment = Some(payment.id);
        exception.remittance = payment.remittance;
        exception.seller = payment.seller;
        exception.customer = payment.payer.customer;
        exception.amount = Some((payment.amount_minor, payment.currency));
        exception.byte = Some(payment.source.location.byte);
        exception.line = payment.source.location.line;
        exception
    }
}

fn facts(reason: Reason, level: Level) -> ExceptionFacts {
    ExceptionFacts {
        reason,
        level,
        amount_minor: 0,
        currency: Currency::USD,
        seller_code: None,
        customer_code: None,
        portfolio_owner: None,
        reason_code: None,
    }
}
