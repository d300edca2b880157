//! The ledger's questions, answered by the rule files.

use crate::{
    domain::{Currency, ExceptionFacts, Route},
    ledger::{DeductionRoute, Policy},
    rules::{Period, Power, Role, RuleSet},
};

impl Policy for RuleSet {
    fn limit_minor(&self, role: &str, power: Power, currency: Currency) -> i64 {
        Role::parse(role).map_or(0, |role| self.authority.limit(role, power, currency).minor)
    }

    fn unapply_days(&self, role: &str, currency: Currency) -> Option<u32> {
        Role::parse(role).and_then(|role| self.authority.unapply_days(role, currency))
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
