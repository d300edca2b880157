//! Runs a whole case of `rules/tests/*.toml` through the engine and says what came out differently.

use std::collections::HashMap;

use chrono::Days;

use super::decide::{Case, decide};
use super::snapshot::Snapshot;
use crate::domain::{
    AccountKey, Currency, Customer, CustomerId, Decision, FileId, ItemStatus, Location, Method, OpenItem, OpenItemId, Outcome,
    Payer, Payment, PaymentId, PaymentState, Permits, Proposal, ProposalLine, Relation, Remittance, RemittanceAdjustment,
    RemittanceId, RemittanceLine, RemittanceReference, RemittanceState, SellerId, Source, TermsOfPayment,
};
use crate::rules::RuleSet;
use crate::rules::amount::SignedAmount;
use crate::rules::case::{CaseAdvice, CaseItem, CaseLine, CasePayment, ExpectedApplication, ExpectedOutcome, TestCase};

/// What a case expected and did not get under the rules in force on its day, as sentences; empty when it passes.
pub fn run_case(case: &TestCase, rules: &RuleSet) -> Vec<String> {
    let rules = match rules.clone().in_force(case.today) {
        Ok(rules) => rules,
        Err(errors) => return errors.0.iter().map(|error| format!("today: {error}")).collect(),
    };
    let world = World::of(case);
    let decision = world.decide(case, &rules);
    compare(case, &decision, &world)
}

/// The decision of a case, for explanations.
pub fn decide_case(case: &TestCase, rules: &RuleSet) -> Decision {
    World::of(case).decide(case, rules)
}

/// A case in domain terms.
struct World {
    snapshot: Snapshot,
    items: HashMap<String, OpenItem>,
    sellers: Vec<String>,
    customers: Vec<String>,
}

impl World {
    fn of(case: &TestCase) -> Self {
        let mut sellers: Vec<String> = case.items.iter().map(|item| item.seller.clone()).collect();
        sellers.push(case.payment.seller.clone());
        sellers.sort();
        sellers.dedup();
        let customers = case.customers.iter().map(|customer| customer.code.clone()).collect();
        let mut world = Self { snapshot: Snapshot::default(), items: HashMap::new(), sellers, customers };
        for customer in world.domain_customers(case) {
            world.snapshot.upsert_customer(&customer);
        }
        for relation in &case.relations {
            world.snapshot.upsert_relation(&Relation {
                payer: world.customer(&relation.payer),
                pays_for: world.customer(&relation.pays_for),
                kind: relation.kind.clone(),
                from: relation.from,
                until: relation.until,
            });
        }
        for (index, item) in case.items.iter().enumerate() {
            let item = world.item(index, item);
            world.snapshot.upsert_item(&item);
            world.items.insert(item.number.clone(), item);
        }
        for (index, earlier) in case.earlier.iter().enumerate() {
            // Earlier payments come from other files and paid what the advice of the case names, if they name nothing themselves.
            let payment = world.payment(case, earlier, index);
            let advice = case.advice.as_ref().map(|advice| world.remittance(case, advice));
            world.snapshot.saw_payment(&payment, advice.as_ref().filter(|_| earlier.text.is_none()));
        }
        world
    }

    fn decide(&self, case: &TestCase, rules: &RuleSet) -> Decision {
        let payment = self.payment(case, &case.payment, case.earlier.len());
        let remittance = case.advice.as_ref().map(|advice| self.remittance(case, advice));
        let permits = Permits::default();
        let case = Case { payment: &payment, remittance: remittance.as_ref(), today: case.today, permits: &permits };
        decide(&case, &self.snapshot, rules)
    }

    fn seller(&self, code: &str) -> SellerId {
        SellerId(position(&self.sellers, code))
    }

    fn customer(&self, code: &str) -> CustomerId {
        CustomerId(position(&self.customers, code))
    }

    fn domain_customers(&self, case: &TestCase) -> Vec<Customer> {
        let described = case.customers.iter().map(|customer| Customer {
            id: self.customer(&customer.code),
            code: customer.code.clone(),
            name: customer.name.clone(),
            aliases: customer.aliases.clone(),
            parent: customer.parent.as_deref().map(|parent| self.customer(parent)),
            country: "US".to_owned(),
            currency: case.payment.currency,
            terms: String::new(),
            sellers: Vec::new(),
            accounts: customer.accounts.iter().cloned().map(AccountKey).collect(),
            originator_id: customer.originator_id.clone(),
            portfolio_owner: None,
        });
        described.collect()
    }

    fn item(&self, index: usize, item: &CaseItem) -> OpenItem {
        let amount_minor = minor(&item.amount, item.currency);
        let open_minor = match (&item.open, item.status) {
            (Some(open), _) => minor(open, item.currency),
            (None, ItemStatus::Open) => amount_minor,
            (None, _) => 0,
        };
        OpenItem {
            id: OpenItemId(position_of(index)),
            seller: self.seller(&item.seller),
            customer: self.customer(&item.customer),
            number: item.number.clone(),
            kind: item.kind,
            currency: item.currency,
            amount_minor,
            open_minor,
            discount_exempt_minor: item.exempt.as_ref().map_or(0, |exempt| minor(exempt, item.currency)),
            issue_date: item.issued,
            entered_date: item.issued,
            due_date: item.due.or_else(|| item.issued.checked_add_days(Days::new(30))).unwrap_or(item.issued),
            terms: item.terms.as_deref().map(terms).unwrap_or_default(),
            po: item.po.clone(),
            bol: item.bol.clone(),
            pro: item.pro.clone(),
            status: item.status,
            closed_date: item.closed,
        }
    }

    fn payment(&self, case: &TestCase, payment: &CasePayment, index: usize) -> Payment {
        let amount_minor = minor(&payment.amount, payment.currency);
        Payment {
            id: PaymentId(position_of(index)),
            source: Source { file: FileId(position_of(index)), location: Location::default() },
            seq: 0,
            seller: Some(self.seller(&payment.seller)),
            method: Method::Ach,
            currency: payment.currency,
            amount_minor,
            unapplied_minor: amount_minor,
            value_date: payment.date.unwrap_or(case.today),
            business_day: case.today,
            payer: Payer {
                name: payment.payer_name.clone(),
                id: payment.payer_id.clone(),
                account: payment.payer_account.clone().map(AccountKey),
                account_last4: None,
                customer: None,
            },
            trace: payment.trace.clone(),
            text: payment.text.clone(),
            remittance: None,
            state: PaymentState::Received,
            version: 1,
        }
    }

    fn remittance(&self, case: &TestCase, advice: &CaseAdvice) -> Remittance {
        let currency = case.payment.currency;
        let total_minor = advice.total.as_ref().map(|total| minor(total, currency));
        let lines: Vec<RemittanceLine> =
            advice.lines.iter().enumerate().map(|(index, line)| remittance_line(index, line, currency)).collect();
        let sum = lines.iter().try_fold(0i64, |sum, line| sum.checked_add(line.net_minor?));
        Remittance {
            id: RemittanceId(1),
            source: Source { file: FileId(position_of(case.earlier.len())), location: Location::default() },
            seq: 0,
            seller: Some(self.seller(&case.payment.seller)),
            currency,
            total_minor,
            date: case.payment.date,
            payer: Payer::default(),
            trace: case.payment.trace.clone(),
            lines,
            text: advice.text.clone(),
            balanced: advice.balanced.or_else(|| total_minor.zip(sum).map(|(total, sum)| total == sum)),
            payment: Some(PaymentId(position_of(case.earlier.len()))),
            state: RemittanceState::Linked,
        }
    }
}

fn remittance_line(index: usize, line: &CaseLine, currency: Currency) -> RemittanceLine {
    let amount = |amount: &Option<SignedAmount>| amount.as_ref().map(|amount| minor(amount, currency));
    let adjustments = line.adjustments.iter().map(|adjustment| RemittanceAdjustment {
        amount_minor: minor(&adjustment.amount, currency),
        reason: adjustment.reason.clone(),
        reference: None,
    });
    let references = line
        .references
        .iter()
        .map(|reference| RemittanceReference { qualifier: reference.qualifier.clone(), value: reference.value.clone() });
    RemittanceLine {
        reference: line.reference.clone(),
        qualifier: line.qualifier.clone(),
        action: line.action.clone(),
        gross_minor: amount(&line.gross),
        discount_minor: amount(&line.discount),
        net_minor: amount(&line.net),
        adjustments: adjustments.collect(),
        date: line.date,
        po: line.po.clone(),
        references: references.collect(),
        byte: u64::try_from(index).unwrap_or(0),
        segment: None,
    }
}

/// Terms as written: `2/10N30`, `N30`. What cannot be read gives no discount.
fn terms(text: &str) -> TermsOfPayment {
    let (discount, net) = text.split_once(['N', 'n']).unwrap_or((text, ""));
    let (percent, days) = discount.split_once('/').unwrap_or(("", ""));
    TermsOfPayment {
        discount_percent: percent.parse().ok(),
        discount_days: days.parse().ok(),
        net_days: net.parse().ok(),
        discount_date: None,
    }
}

fn minor(amount: &SignedAmount, currency: Currency) -> i64 {
    // The loader refuses amounts that do not fit their currency.
    amount.minor(currency).unwrap_or(0)
}

fn position(codes: &[String], code: &str) -> i64 {
    codes.iter().position(|known| known == code).map_or(0, position_of)
}

fn position_of(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX - 1) + 1
}

fn compare(case: &TestCase, decision: &Decision, world: &World) -> Vec<String> {
    let mut faults = Vec::new();
    let (found, reasons) = match &decision.outcome {
        Outcome::Post => (ExpectedOutcome::Post, Vec::new()),
        Outcome::PostWithFollowUp { reasons } => (ExpectedOutcome::PostWithFollowUp, reasons.clone()),
        Outcome::Hold { reason } => (ExpectedOutcome::Hold, vec![*reason]),
    };
    let expected = &case.expect;
    if found != expected.outcome {
        let why = decision.evidence.why_not.as_deref().unwrap_or_default();
        faults.push(format!("outcome: expected {:?}, found {found:?} {reasons:?} {why}", expected.outcome));
    }
    let mut wanted = expected.reasons.clone();
    let mut got = reasons;
    wanted.sort_unstable();
    got.sort_unstable();
    if wanted != got && !(wanted.is_empty() && found == ExpectedOutcome::Hold) {
        faults.push(format!("reasons: expected {wanted:?}, found {got:?}"));
    }
    let empty = Proposal::default();
    let first = decision.proposals.first().unwrap_or(&empty);
    if let Some(rule) = expected.rule.as_ref().filter(|rule| **rule != first.rule) {
        faults.push(format!("rule: expected {rule}, found {}", first.rule));
    }
    let posted: &[ProposalLine] = if found == ExpectedOutcome::Hold { &[] } else { &first.lines };
    faults.extend(compare_lines("applications", &expected.applications, posted, case, world));
    if let Some(proposal) = &expected.proposal {
        faults.extend(compare_lines("proposal", proposal, &first.lines, case, world));
    }
    if let Some(unapplied) = &expected.unapplied {
        let left = if found == ExpectedOutcome::Hold {
            minor(&case.payment.amount, case.payment.currency)
        } else {
            first.unapplied_minor
        };
        if left != minor(unapplied, case.payment.currency) {
            faults.push(format!("unapplied: expected {unapplied}, found {left} minor units"));
        }
    }
    for open in &expected.open {
        let Some(item) = world.items.get(&open.item) else { continue };
        let closes = posted.iter().find(|line| line.item == item.id).and_then(ProposalLine::closes_minor).unwrap_or(0);
        if item.open_minor - closes != minor(&open.amount, item.currency) {
            faults.push(format!("open {}: expected {}, found {} minor units", open.item, open.amount, item.open_minor - closes));
        }
    }
    faults
}

/// Compares what items get, whatever the order of lines and adjustments.
fn compare_lines(
    what: &str,
    expected: &[ExpectedApplication],
    found: &[ProposalLine],
    case: &TestCase,
    world: &World,
) -> Vec<String> {
    let currency = case.payment.currency;
    let mut wanted: Vec<String> = expected
        .iter()
        .map(|line| {
            let mut adjustments: Vec<String> = line
                .adjustments
                .iter()
                .map(|adjustment| format!("{:?} {} {}", adjustment.kind, minor(&adjustment.amount, currency), adjustment.reason))
                .collect();
            adjustments.sort();
            format!("{} {} [{}]", line.item, minor(&line.cash, currency), adjustments.join(", "))
        })
        .collect();
    let mut got: Vec<String> = found
        .iter()
        .map(|line| {
            let number = world.items.values().find(|item| item.id == line.item).map_or("?", |item| item.number.as_str());
            let mut adjustments: Vec<String> = line
                .adjustments
                .iter()
                .map(|adjustment| format!("{:?} {} {}", adjustment.kind, adjustment.amount_minor, adjustment.reason))
                .collect();
            adjustments.sort();
            format!("{number} {} [{}]", line.cash_minor, adjustments.join(", "))
        })
        .collect();
    wanted.sort();
    got.sort();
    if wanted == got { Vec::new() } else { vec![format!("{what}: expected {wanted:?}, found {got:?}")] }
}
