//! The ledger's questions, answered by the rule files.

use crate::{
    domain::{Currency, ExceptionFacts, Route},
    ledger::{DeductionRoute, Policy, Power},
    rules::{Action, Role, RuleSet},
};

impl Policy for RuleSet {
    fn limit_minor(&self, role: &str, power: Power, currency: Currency) -> i64 {
        let action = match power {
            Power::Apply => Action::Apply,
            Power::Discount => Action::Discount,
            Power::Deduct => Action::Deduct,
            Power::WriteOff => Action::WriteOff,
            Power::Refund => Action::Refund,
        };
        Role::parse(role).map_or(0, |role| self.authority.limit(role, action, currency).minor)
    }

    fn may_decide(&self, role: &str) -> bool {
        Role::parse(role).is_some_and(|role| self.authority.may_decide(role))
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
