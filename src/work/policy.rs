//! The ledger's questions, answered by the rule files.

use crate::{
    domain::{Currency, ExceptionFacts, Route},
    ledger::{DeductionRoute, Policy},
    rules::{Period, Power, Role, RuleSet},
};

impl Policy for RuleSet {
    fn limit_minor(&self, role: &str, power: Power, currency: Currency, customer: Option<&str>) -> i64 {
        Role::parse(role).map_or(0, |role| self.for_customer(customer).limit(role, power, currency).minor)
    }

    fn who_may(&self, power: Power, currency: Currency, customer: Option<&str>, amount_minor: i64) -> Option<&'static str> {
        let may = |role: &Role| {
            amount_minor.unsigned_abs() <= self.for_customer(customer).limit(*role, power, currency).minor.unsigned_abs()
        };
        Role::PEOPLE.iter().copied().find(may).map(Role::as_str)
    }

    fn highest(&self, power: Power, currency: Currency) -> Option<&'static str> {
        self.authority.highest(power, currency).map(Role::as_str)
    }

    fn caps_customers(&self, role: &str) -> bool {
        let mut caps = self.customers.values().flat_map(|overlay| &overlay.limits);
        caps.any(|cap| cap.role.as_str() == role)
    }

    fn unapply_days(&self, role: &str, currency: Currency, customer: Option<&str>) -> Option<u32> {
        Role::parse(role).and_then(|role| self.for_customer(customer).unapply_days(role, currency))
    }

    fn who_may_unapply(&self, currency: Currency, age_days: u32) -> Option<&'static str> {
        self.authority.who_may_unapply(currency, age_days).map(Role::as_str)
    }

    fn may_decide(&self, role: &str) -> bool {
        Role::parse(role).is_some_and(|role| self.authority.may_decide(role))
    }

    fn breaker(&self, power: Power, per: Period, currency: Currency, used_minor: i64, amount_minor: i64) -> Option<String> {
        self.engine.trips(power, per, currency, used_minor, amount_minor).map(|breaker| breaker.id.clone())
    }

    fn deduction(&self, reason_code: &str) -> DeductionRoute {
        let meaning = self.reasons.meaning(reason_code);
        DeductionRoute { queue: meaning.queue.clone(), gl: meaning.gl.clone() }
    }

    fn knows_reason_code(&self, code: &str) -> bool {
        self.reasons.knows(code)
    }

    fn reason_codes(&self) -> Vec<String> {
        self.reasons.codes().map(|reason| reason.code.clone()).collect()
    }

    fn route(&self, facts: &ExceptionFacts) -> Route {
        self.routing.route(facts)
    }
}
