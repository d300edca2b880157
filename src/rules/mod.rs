//! What the business decides: rule files, strictly read, and the questions the engine asks of them.
//!
//! Each file of `rules/` has one module with its types and its one or two questions. [`RuleSet`] holds them together with the
//! hash that is stamped on every decision. Rules decide nothing about particular payments: `matching` establishes facts and
//! asks; `ledger` asks for limits. Nothing here knows the clock, the store or the network; only [`RuleSet::load`] reads files.
//! `docs/rules.md` describes the files for those who write them.

pub mod amount;
pub mod authority;
pub mod case;
pub mod certificate;
mod check;
pub mod customer;
mod diff;
pub mod engine;
mod error;
mod examples;
pub mod fact;
mod load;
pub mod mask;
pub mod normalise;
pub mod payers;
pub mod reasons;
mod remedy;
pub mod routing;
mod rule;
pub mod tolerance;
mod verdict;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

pub use authority::{AuthorityRules, Limit, Permission, Power, Role};
pub use case::TestCase;
pub use certificate::CertificateRules;
pub use customer::{Overlay, View};
pub use diff::{Difference, RuleChange, diff};
pub use engine::{Budget, Bundle, CreditMemos, EngineRules, Need, Period, StepKind};
pub use error::{RuleError, RuleErrors};
pub use examples::{ExampleResult, run_examples};
pub use fact::{Condition, Fact, FactSet};
pub use normalise::{NormaliseRules, Reference, ReferenceKind};
pub use payers::{IdentifyBy, MayPay, PayerRules, RelationKind};
pub use reasons::{CodeTreatment, ReasonCode, ReasonRules};
pub use remedy::{Remedy, sentence_of};
pub use routing::{ForeignAccounts, RoutingRules, Severity};
pub use rule::{Aim, Example, Header, Rule, Stage};
pub use tolerance::{
    Band, DiscountJudgement, DiscountPolicy, DiscountTiming, Side, ToleranceLevel, ToleranceRules, Treatment, WhenUnearned,
};
pub use verdict::{Failed, Verdict, WhyNot};
pub(crate) use written::Written;

/// All rules, checked as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSet {
    /// SHA-256 of the merged set in canonical form, lower-case hex. Comments, order of keys, examples and tests do not change it.
    pub hash: String,
    pub engine: EngineRules,
    pub normalise: NormaliseRules,
    pub payers: PayerRules,
    pub tolerance: ToleranceRules,
    pub reasons: ReasonRules,
    pub routing: RoutingRules,
    pub authority: AuthorityRules,
    pub certificate: CertificateRules,
    /// Overlays by customer code.
    pub customers: BTreeMap<String, Overlay>,
    /// Whole cases of `tests/`.
    pub cases: Vec<TestCase>,
    /// The rules one by one as they are written, for comparing sets.
    pub(crate) written: Written,
}

impl RuleSet {
    /// The rules that count on a business day: those that take effect later are left out. The hash stays that of the whole set, so
    /// a decision is reproduced from the hash and its business day.
    pub fn in_force(mut self, day: NaiveDate) -> Result<Self, RuleErrors> {
        fn keep<R: Rule>(rules: &mut Vec<R>, day: NaiveDate) {
            rules.retain(|rule| rule.header().effective <= day);
        }
        keep(&mut self.engine.vetoes, day);
        keep(&mut self.engine.never_auto, day);
        keep(&mut self.engine.bundles, day);
        keep(&mut self.engine.follow_ups, day);
        keep(&mut self.engine.cascade, day);
        keep(&mut self.engine.circuit_breakers, day);
        keep(&mut self.engine.weights, day);
        keep(&mut self.certificate.caps, day);
        keep(&mut self.normalise.patterns, day);
        keep(&mut self.payers.identify, day);
        keep(&mut self.payers.relation_policies, day);
        keep(&mut self.payers.relations, day);
        keep(&mut self.tolerance.tolerances, day);
        keep(&mut self.tolerance.discounts, day);
        keep(&mut self.reasons.groups, day);
        keep(&mut self.routing.routes, day);
        keep(&mut self.routing.escalations, day);
        keep(&mut self.authority.limits, day);
        for overlay in self.customers.values_mut() {
            keep(&mut overlay.tolerances, day);
            keep(&mut overlay.discounts, day);
            keep(&mut overlay.relations, day);
            keep(&mut overlay.limits, day);
        }
        self.reasons.index();
        let faults = check::compulsory(&self, day);
        if faults.is_empty() { Ok(self) } else { Err(RuleErrors(faults)) }
    }

    /// The set with bundles that hold what they would post, whatever stage they are written in: those demoted with exactly this text.
    pub fn demoted(mut self, demotions: &BTreeSet<(String, String)>) -> Self {
        for bundle in self.engine.bundles.iter_mut().filter(|bundle| bundle.stage == Stage::Auto) {
            if let Some(hash) = self.written.hash_of(&bundle.id)
                && demotions.contains(&(bundle.id.clone(), hash.to_owned()))
            {
                bundle.stage = Stage::Suggest;
                bundle.demoted = true;
            }
        }
        self
    }

    /// Each rule with the hash of its own text.
    pub fn rule_hashes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.written.hashes()
    }

    /// The hash of a rule's own text.
    pub fn hash_of_rule(&self, id: &str) -> Option<&str> {
        self.written.hash_of(id)
    }

    /// The rules as they apply to a customer; `None` or an unknown code gives the general rules.
    pub fn for_customer(&self, code: Option<&str>) -> View<'_> {
        View { rules: self, overlay: code.and_then(|code| self.customers.get(code)) }
    }
}

#[cfg(test)]
mod tests;
