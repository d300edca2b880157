//! Small ledgers for tests, in a few words: customers, items, a payment with its lines, and what came out.

use chrono::{Days, NaiveDate};

use super::rules;
use crate::domain::{
    AccountKey, Currency, Customer, CustomerId, Decision, FileId, ItemKind, ItemStatus, Location, Method, OpenItem, OpenItemId,
    Outcome, Payer, Payment, PaymentId, PaymentState, Permits, Reason, Relation, Remittance, RemittanceAdjustment, RemittanceId,
    RemittanceLine, RemittanceState, SellerId, Source, TermsOfPayment,
};
use crate::matching::explain::{Names, render};
use crate::matching::{Case, Snapshot, decide};

/// The business day of all tests.
pub fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 16).expect("a valid date")
}

/// A day before or after [`today`].
pub fn day(offset: i64) -> NaiveDate {
    let days = Days::new(offset.unsigned_abs());
    let day = if offset < 0 { today().checked_sub_days(days) } else { today().checked_add_days(days) };
    day.expect("a day near 2026")
}

/// A ledger in the making. Ids are positions, from 1.
#[derive(Clone, Default)]
pub struct World {
    pub customers: Vec<Customer>,
    pub items: Vec<OpenItem>,
    pub relations: Vec<Relation>,
    pub earlier: Vec<(Payment, Option<Remittance>)>,
}

impl World {
    /// One customer, Acme Industrial Supply, known by its account.
    pub fn acme() -> Self {
        let mut world = Self::default();
        world.customer("C1", "Acme Industrial Supply Inc.").accounts.push(AccountKey("acme".to_owned()));
        world
    }

    pub fn customer(&mut self, code: &str, name: &str) -> &mut Customer {
        let id = CustomerId(i64::try_from(self.customers.len()).expect("few customers") + 1);
        self.customers.push(Customer {
            id,
            code: code.to_owned(),
            name: name.to_owned(),
            aliases: Vec::new(),
            parent: None,
            country: "US".to_owned(),
            currency: Currency::USD,
            terms: "N30".to_owned(),
            sellers: vec![SellerId(1)],
            accounts: Vec::new(),
            originator_id: None,
            portfolio_owner: None,
        });
        self.customers.last_mut().expect("just pushed")
    }

    /// An open item of the customer described last.
    pub fn item(&mut self, number: &str, amount_minor: i64) -> &mut OpenItem {
        let id = OpenItemId(i64::try_from(self.items.len()).expect("few items") + 1);
        let customer = self.customers.last().expect("a customer comes before its items").id;
        self.items.push(OpenItem {
            id,
            seller: SellerId(1),
            customer,
            number: number.to_owned(),
            kind: if amount_minor < 0 { ItemKind::CreditMemo } else { ItemKind::Invoice },
            currency: Currency::USD,
            amount_minor,
            open_minor: amount_minor,
            discount_exempt_minor: 0,
            issue_date: day(-20),
            entered_date: day(-20),
            due_date: day(10),
            terms: TermsOfPayment::default(),
            po: None,
            bol: None,
            pro: None,
            status: ItemStatus::Open,
            closed_date: None,
        });
        self.items.last_mut().expect("just pushed")
    }

    pub fn closed(&mut self, number: &str, amount_minor: i64) -> &mut OpenItem {
        let item = self.item(number, amount_minor);
        item.open_minor = 0;
        item.status = ItemStatus::Closed;
        item.closed_date = Some(day(-5));
        item
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::new(&self.customers, &self.relations, &self.items);
        for (payment, remittance) in &self.earlier {
            snapshot.saw_payment(payment, remittance.as_ref());
        }
        snapshot
    }

    pub fn decide(&self, paying: &Paying) -> Outcomes<'_> {
        self.decide_on(&self.snapshot(), paying)
    }

    /// Decides on a snapshot that knows more than the world describes.
    pub fn decide_on(&self, snapshot: &Snapshot, paying: &Paying) -> Outcomes<'_> {
        let case = Case {
            payment: &paying.payment,
            remittance: paying.remittance.as_ref(),
            today: today(),
            permits: &Permits::default(),
        };
        let decision = decide(&case, snapshot, rules());
        let outcomes = Outcomes { decision, world: self };
        outcomes.conserves(paying.payment.unapplied_minor);
        outcomes
    }
}

/// A payment in the making, with its advice.
#[derive(Clone)]
pub struct Paying {
    pub payment: Payment,
    pub remittance: Option<Remittance>,
}

/// A payment from Acme's account.
pub fn pay(amount_minor: i64) -> Paying {
    let account = Some(AccountKey("acme".to_owned()));
    let payer = Payer { name: Some("ACME INDUSTRIAL SUPPLY".to_owned()), account, ..Payer::default() };
    Paying {
        payment: Payment {
            id: PaymentId(100),
            source: Source { file: FileId(10), location: Location::default() },
            seq: 0,
            seller: Some(SellerId(1)),
            method: Method::Ach,
            currency: Currency::USD,
            amount_minor,
            unapplied_minor: amount_minor,
            value_date: today(),
            business_day: today(),
            payer,
            trace: Some("071000010000123".to_owned()),
            text: None,
            remittance: None,
            state: PaymentState::Received,
            version: 1,
        },
        remittance: None,
    }
}

impl Paying {
    /// From nobody known.
    pub fn by_unknown(mut self) -> Self {
        self.payment.payer = Payer::default();
        self
    }

    pub fn by_name(mut self, name: &str) -> Self {
        self.payment.payer = Payer { name: Some(name.to_owned()), ..Payer::default() };
        self
    }

    pub fn text(mut self, text: &str) -> Self {
        self.payment.text = Some(text.to_owned());
        self
    }

    /// A line with its net.
    pub fn line(self, reference: &str, net_minor: i64) -> Self {
        self.with(|line| {
            line.reference = reference.to_owned();
            line.net_minor = Some(net_minor);
        })
    }

    /// A line of any form.
    pub fn with(mut self, fill: impl FnOnce(&mut RemittanceLine)) -> Self {
        let payment = &self.payment;
        let remittance = self.remittance.get_or_insert_with(|| Remittance {
            id: RemittanceId(1),
            source: payment.source,
            seq: 0,
            seller: payment.seller,
            currency: payment.currency,
            total_minor: None,
            date: Some(payment.value_date),
            payer: Payer::default(),
            trace: payment.trace.clone(),
            lines: Vec::new(),
            text: None,
            balanced: None,
            payment: Some(payment.id),
            state: RemittanceState::Linked,
        });
        let mut line = RemittanceLine {
            qualifier: "IV".to_owned(),
            byte: 600 + 40 * remittance.lines.len() as u64,
            ..RemittanceLine::default()
        };
        fill(&mut line);
        remittance.lines.push(line);
        self
    }
}

/// An adjustment of a line; negative reduces the payment.
pub fn coded(amount_minor: i64, reason: &str) -> RemittanceAdjustment {
    RemittanceAdjustment { amount_minor, reason: reason.to_owned(), reference: None }
}

/// A decision, asked in the words of tests.
pub struct Outcomes<'w> {
    pub decision: Decision,
    world: &'w World,
}

impl Outcomes<'_> {
    /// Number and cash of each line of the first proposal, in order of the number.
    pub fn lines(&self) -> Vec<(&str, i64)> {
        let number = |id| self.world.items.iter().find(|item| item.id == id).map_or("?", |item| item.number.as_str());
        let mut lines: Vec<_> =
            self.decision.proposals[0].lines.iter().map(|line| (number(line.item), line.cash_minor)).collect();
        lines.sort_unstable();
        lines
    }

    pub fn posts(&self) -> bool {
        !matches!(self.decision.outcome, Outcome::Hold { .. })
    }

    #[track_caller]
    pub fn posted(self, lines: &[(&str, i64)]) -> Self {
        assert_eq!(self.decision.outcome, Outcome::Post, "{}", self.text());
        assert_eq!(self.lines(), lines, "{}", self.text());
        self
    }

    #[track_caller]
    pub fn posted_with(self, reasons: &[Reason], lines: &[(&str, i64)]) -> Self {
        assert_eq!(self.decision.outcome, Outcome::PostWithFollowUp { reasons: reasons.to_vec() }, "{}", self.text());
        assert_eq!(self.lines(), lines, "{}", self.text());
        self
    }

    #[track_caller]
    pub fn held(self, reason: Reason) -> Self {
        assert_eq!(self.decision.outcome, Outcome::Hold { reason }, "{}", self.text());
        assert!(self.decision.evidence.why_not.is_some(), "a hold says why: {}", self.text());
        self
    }

    #[track_caller]
    pub fn says(self, part: &str) -> Self {
        let text = self.text();
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
        self
    }

    /// Closed beyond cash on an item, as `kind amount reason`.
    pub fn adjustments(&self) -> Vec<String> {
        let all = self.decision.proposals[0].lines.iter().flat_map(|line| &line.adjustments);
        all.map(|adjustment| format!("{:?} {} {}", adjustment.kind, adjustment.amount_minor, adjustment.reason)).collect()
    }

    pub fn text(&self) -> String {
        let names = Names {
            currency: Currency::USD,
            item: &|id| self.world.items.iter().find(|item| item.id == id).map(|item| item.number.clone()),
            customer: &|id| self.world.customers.iter().find(|customer| customer.id == id).map(|customer| customer.name.clone()),
        };
        render(&self.decision, &names)
    }

    /// What holds for every decision: each proposal accounts for the cash, takes each item once and takes no more than is open.
    #[track_caller]
    fn conserves(&self, amount_minor: i64) {
        for proposal in &self.decision.proposals {
            let cash: i64 = proposal.lines.iter().map(|line| line.cash_minor).sum();
            assert_eq!(cash + proposal.on_account_minor + proposal.unapplied_minor, amount_minor, "{}", self.text());
            assert!(proposal.unapplied_minor >= 0 || !self.posts(), "{}", self.text());
            let mut items: Vec<_> = proposal.lines.iter().map(|line| line.item).collect();
            items.sort_unstable();
            items.dedup();
            assert_eq!(items.len(), proposal.lines.len(), "an item twice: {}", self.text());
            for line in &proposal.lines {
                let open = self.world.items.iter().find(|item| item.id == line.item).map_or(0, |item| item.open_minor);
                let closes = line.closes_minor().expect("sums fit");
                assert!(closes.abs() <= open.abs() && closes.signum() * open.signum() >= 0, "{}", self.text());
            }
        }
    }
}
