//! Runs the examples that stand beside each rule.
//!
//! A hit must be decided by its rule, a near miss must not; besides, what the example expects must come out.

use std::fmt;

use super::{
    Aim, Condition, Example, Failed, RuleSet, Stage, Verdict,
    amount::{Amount, SignedAmount},
    authority::{AuthorityExpect, AuthorityGiven, Permission, RoleLimit},
    certificate::{CapExpect, CapGiven, CertificateRules},
    engine::{EngineExpect, EngineGiven, EngineRules},
    normalise::{NormaliseExpect, NormaliseGiven, NormaliseRules},
    payers::{Answer, MayPay, PayerExpect, PayerGiven, PayerRules},
    reasons::{ReasonExpect, ReasonGiven, ReasonRules},
    routing::{RoutingExpect, RoutingGiven, RoutingRules},
    tolerance::{DiscountPolicy, Tolerance, ToleranceExpect, ToleranceGiven},
};
use crate::domain::{Currency, ExceptionFacts, Level, TermsOfPayment};

/// How one example came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleResult {
    /// File inside the rule folder.
    pub file: String,
    /// Rule it stands beside.
    pub rule: String,
    /// Ordinal among the examples of the rule, from 1.
    pub number: usize,
    pub case: Aim,
    pub passed: bool,
    pub expected: String,
    pub found: String,
}

impl fmt::Display for ExampleResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed { "ok" } else { "FAILED" };
        write!(f, "{}: {}: example {}: {verdict}", self.file, self.rule, self.number)?;
        if !self.passed {
            write!(f, ": expected {}, found {}", self.expected, self.found)?;
        }
        Ok(())
    }
}

/// Runs all examples of a set.
pub fn run_examples(rules: &RuleSet) -> Vec<ExampleResult> {
    let mut runs = Runs::default();
    runs.engine(&rules.engine);
    runs.normalise(&rules.normalise);
    runs.payers(&rules.payers);
    runs.reasons(&rules.reasons);
    runs.routing(&rules.routing);
    runs.file = "authority.toml".to_owned();
    for limit in &rules.authority.limits {
        runs.each(&limit.id, limit.stage, &limit.examples, |given| authority(rules, limit, given));
    }
    runs.file = "certificate.toml".to_owned();
    for cap in &rules.certificate.caps {
        runs.each(&cap.id, cap.stage, &cap.examples, |given| capped(&rules.certificate, given, &cap.id));
    }
    runs.file = "tolerance.toml".to_owned();
    runs.tolerance(&rules.tolerance.tolerances, &rules.tolerance.discounts);
    for overlay in rules.customers.values() {
        runs.file = overlay.file.clone();
        runs.tolerance(&overlay.tolerances, &overlay.discounts);
        for relation in &overlay.relations {
            runs.each(&relation.id, relation.stage, &relation.examples, |given| relation_between(rules, given, &relation.id));
        }
        for limit in &overlay.limits {
            runs.each(&limit.id, limit.stage, &limit.examples, |given| authority(rules, limit, given));
        }
    }
    runs.results
}

/// Whether the rule decided, and what came out.
type Run<E> = (bool, E);

/// Something whose stated fields can be compared with what came out.
trait Expect: fmt::Debug {
    fn agrees(&self, found: &Self) -> bool;
}

macro_rules! expect {
    ($($name:ident { $($field:ident),+ })+) => {
        $(impl Expect for $name {
            fn agrees(&self, found: &Self) -> bool {
                $((self.$field.is_none() || self.$field == found.$field))&&+
            }
        })+
    };
}

expect! {
    EngineExpect { posts, reason, follow_up, lacks, certified, weight_milli }
    CapExpect { class }
    NormaliseExpect { folded, core, parts, kind, ocr, name }
    PayerExpect { gives, may_pay }
    ReasonExpect { queue, reason, gl, treatment, notice }
    RoutingExpect { queue, owner, due_hours, severity }
    AuthorityExpect { allowed, who_may }
    ToleranceExpect { treatment, band, timing, allowed, unearned }
}

#[derive(Default)]
struct Runs {
    file: String,
    results: Vec<ExampleResult>,
}

impl Runs {
    fn each<G, E: Expect>(&mut self, rule: &str, stage: Stage, examples: &[Example<G, E>], run: impl Fn(&G) -> Run<E>) {
        // A draft is ignored wherever rules are asked, so its examples would show nothing.
        for (index, example) in examples.iter().enumerate().filter(|_| stage != Stage::Draft) {
            let (decided, found) = run(&example.given);
            let wanted = example.case == Aim::Hit;
            let passed = decided == wanted && example.expect.agrees(&found);
            let said = |decides: bool| if decides { "the rule decides" } else { "the rule does not decide" };
            self.results.push(ExampleResult {
                file: self.file.clone(),
                rule: rule.to_owned(),
                number: index + 1,
                case: example.case,
                passed,
                expected: format!("{}, {:?}", said(wanted), example.expect),
                found: format!("{}, {found:?}", said(decided)),
            });
        }
    }

    fn engine(&mut self, rules: &EngineRules) {
        self.file = "engine.toml".to_owned();
        for veto in &rules.vetoes {
            self.each(&veto.id, veto.stage, &veto.examples, |given| verdict(rules, given, &veto.id, false));
        }
        for never in &rules.never_auto {
            self.each(&never.id, never.stage, &never.examples, |given| verdict(rules, given, &never.id, false));
        }
        for bundle in &rules.bundles {
            self.each(&bundle.id, bundle.stage, &bundle.examples, |given| verdict(rules, given, &bundle.id, true));
        }
        for follow in &rules.follow_ups {
            self.each(&follow.id, follow.stage, &follow.examples, |given| {
                let (_, found) = verdict(rules, given, &follow.id, true);
                (found.follow_up.iter().flatten().any(|reason| *reason == follow.reason), found)
            });
        }
        for step in &rules.cascade {
            self.each(&step.id, step.stage, &step.examples, |given| {
                let evidence = given.evidence.as_deref().unwrap_or_default();
                (rules.steps(evidence).any(|found| found.id == step.id), EngineExpect::default())
            });
        }
        for weight in &rules.weights {
            self.each(&weight.id, weight.stage, &weight.examples, |given| {
                let sum = rules.weights(given.facts).map(|weight| weight.milli).sum();
                (weight.when.holds(given.facts), EngineExpect { weight_milli: Some(sum), ..EngineExpect::default() })
            });
        }
        for breaker in &rules.circuit_breakers {
            self.each(&breaker.id, breaker.stage, &breaker.examples, |given| {
                let tripped = given.spending.as_ref().and_then(|spending| {
                    let minor = |amount: &Amount| amount.minor(spending.currency).unwrap_or(i64::MAX);
                    rules.trips(spending.action, spending.per, spending.currency, minor(&spending.used), minor(&spending.amount))
                });
                let posts = Some(tripped.is_none());
                (tripped.is_some_and(|tripped| tripped.id == breaker.id), EngineExpect { posts, ..EngineExpect::default() })
            });
        }
    }

    fn normalise(&mut self, rules: &NormaliseRules) {
        self.file = "normalise.toml".to_owned();
        for pattern in &rules.patterns {
            self.each(&pattern.id, pattern.stage, &pattern.examples, |given| normalise(rules, given, &pattern.id));
        }
    }

    fn payers(&mut self, rules: &PayerRules) {
        self.file = "payers.toml".to_owned();
        for identify in &rules.identify {
            self.each(&identify.id, identify.stage, &identify.examples, |given| {
                let found = rules.order().find(|way| given.succeeds.contains(&way.by) && given.agreeing.max(1) >= way.count_min);
                let decided = found.is_some_and(|way| way.id == identify.id);
                (decided, PayerExpect { gives: found.map(|way| way.gives), may_pay: None })
            });
        }
        for policy in &rules.relation_policies {
            self.each(&policy.id, policy.stage, &policy.examples, |given| {
                let (Some(kind), Some(on)) = (given.kind, given.on) else { return (false, PayerExpect::default()) };
                may_pay(rules.relation(kind, given.from, given.until, on), &policy.id)
            });
        }
        for relation in &rules.relations {
            self.each(&relation.id, relation.stage, &relation.examples, |given| {
                let (Some(payer), Some(other), Some(on)) = (&given.payer, &given.pays_for, given.on) else {
                    return (false, PayerExpect::default());
                };
                may_pay(rules.may_pay(payer, other, on), &relation.id)
            });
        }
    }

    fn reasons(&mut self, rules: &ReasonRules) {
        self.file = "reasons.toml".to_owned();
        for group in &rules.groups {
            self.each(&group.id, group.stage, &group.examples, |given: &ReasonGiven| {
                let meaning = rules.meaning(&given.code);
                let found = ReasonExpect {
                    queue: Some(meaning.queue.clone()),
                    reason: Some(meaning.reason),
                    gl: Some(meaning.gl.clone()),
                    treatment: Some(meaning.treatment),
                    notice: Some(meaning.notice),
                };
                (meaning.group == group.id, found)
            });
        }
    }

    fn routing(&mut self, rules: &RoutingRules) {
        self.file = "routing.toml".to_owned();
        for route in &rules.routes {
            self.each(&route.id, route.stage, &route.examples, |given| {
                let (facts, found) = routed(rules, given);
                (rules.route(&facts).rule == route.id, found)
            });
        }
        for escalation in &rules.escalations {
            self.each(&escalation.id, escalation.stage, &escalation.examples, |given| {
                let (facts, found) = routed(rules, given);
                let raised = rules.escalation(facts.currency, facts.amount_minor, given.age_hours);
                (raised.is_some_and(|raised| raised.id == escalation.id), found)
            });
        }
    }

    fn tolerance(&mut self, tolerances: &[Tolerance], discounts: &[DiscountPolicy]) {
        for tolerance in tolerances {
            self.each(&tolerance.id, tolerance.stage, &tolerance.examples, |given| band(tolerance, given));
        }
        for policy in discounts {
            self.each(&policy.id, policy.stage, &policy.examples, |given| discount(policy, given));
        }
    }
}

fn verdict(rules: &EngineRules, given: &EngineGiven, rule: &str, posting: bool) -> Run<EngineExpect> {
    let vetoes = rules.vetoes.iter().flat_map(|veto| veto.requires.any_of().iter()).filter(|fact| !given.without.has(*fact));
    let facts = given.facts.union(vetoes.collect());
    let verdict = rules.may_post_lines(&facts, &given.lines);
    let decided = verdict.rule() == rule && verdict.may_post() == posting;
    let found = match verdict {
        Verdict::Post { follow_up, uncertified, .. } => EngineExpect {
            posts: Some(uncertified.is_none()),
            follow_up: Some(follow_up),
            certified: Some(uncertified.is_some()),
            lacks: uncertified.and_then(|why| lacking(&why.failed)),
            ..EngineExpect::default()
        },
        Verdict::Hold(why) => {
            let lacks = lacking(&why.failed);
            EngineExpect { posts: Some(false), reason: why.reason, lacks, ..EngineExpect::default() }
        }
    };
    (decided, found)
}

fn lacking(failed: &Failed) -> Option<Condition> {
    match failed {
        Failed::Veto(condition) | Failed::Missing(condition) => Some(*condition),
        Failed::Never(_) | Failed::Stage(_) | Failed::Demoted | Failed::NoBundle => None,
    }
}

fn capped(rules: &CertificateRules, given: &CapGiven, rule: &str) -> Run<CapExpect> {
    let minor = given.amount.minor(given.currency).unwrap_or(i64::MAX);
    let decided = rules.cap(given.currency, minor).is_some_and(|(cap, _)| cap.id == rule);
    (decided, CapExpect { class: Some(rules.class(given.currency, minor)) })
}

fn normalise(rules: &NormaliseRules, given: &NormaliseGiven, rule: &str) -> Run<NormaliseExpect> {
    let reference = rules.reference(given.raw.as_deref().unwrap_or_default(), given.partner.as_deref());
    let decided = reference.rule.as_deref() == Some(rule);
    let found = NormaliseExpect {
        ocr: Some(rules.ocr(&reference.folded)),
        folded: Some(reference.folded),
        core: Some(reference.core),
        parts: Some(reference.parts),
        kind: Some(reference.kind),
        name: given.name.as_deref().map(|name| rules.name(name)),
    };
    (decided, found)
}

fn may_pay(answer: MayPay<'_>, rule: &str) -> Run<PayerExpect> {
    let (decided, answer) = match &answer {
        MayPay::Yes { rule: found } => (*found == rule, Answer::Yes),
        MayPay::Ask { rule: found } => (*found == rule, Answer::Ask),
        MayPay::No => (false, Answer::No),
    };
    (decided, PayerExpect { gives: None, may_pay: Some(answer) })
}

fn relation_between(rules: &RuleSet, given: &PayerGiven, rule: &str) -> Run<PayerExpect> {
    let (Some(payer), Some(other), Some(on)) = (&given.payer, &given.pays_for, given.on) else {
        return (false, PayerExpect::default());
    };
    may_pay(rules.for_customer(Some(other)).may_pay(payer, other, on), rule)
}

fn routed(rules: &RoutingRules, given: &RoutingGiven) -> (ExceptionFacts, RoutingExpect) {
    let currency = given.currency.as_deref().and_then(Currency::parse).unwrap_or(Currency::USD);
    let facts = ExceptionFacts {
        reason: given.reason,
        level: given.level.unwrap_or(Level::Payment),
        amount_minor: given.amount.as_ref().and_then(|amount| amount.minor(currency)).unwrap_or(0),
        currency,
        seller_code: given.seller.clone(),
        customer_code: given.customer.clone(),
        portfolio_owner: given.portfolio_owner.clone(),
        reason_code: given.reason_code.clone(),
    };
    let route = rules.route(&facts);
    let found = RoutingExpect {
        queue: Some(route.queue),
        owner: route.owner,
        due_hours: Some(route.due_hours),
        severity: Some(rules.severity(&facts, given.age_hours)),
    };
    (facts, found)
}

/// A limit decides when it allows the amount; an overlay's limit caps that of the role.
fn authority(rules: &RuleSet, limit: &RoleLimit, given: &AuthorityGiven) -> Run<AuthorityExpect> {
    if let Some(age) = given.unapply_days {
        let allowed = rules.authority.unapply_days(given.role, given.currency).is_some_and(|days| age <= days);
        let concerned = limit.role == given.role && limit.currencies.has(given.currency);
        let who_may = rules.authority.who_may_unapply(given.currency, age).filter(|_| !allowed);
        return (allowed && concerned, AuthorityExpect { allowed: Some(allowed), who_may });
    }
    let (Some(action), Some(amount)) = (given.action, given.amount.as_ref()) else { return (false, AuthorityExpect::default()) };
    let minor = amount.minor(given.currency).unwrap_or(i64::MAX);
    let concerned = limit.role == given.role && limit.currencies.has(given.currency);
    let own = limit.amount(action).and_then(|amount| amount.minor(given.currency)).unwrap_or(0);
    let general = rules.authority.check(given.role, action, given.currency, minor);
    let allowed = general.allowed() && (!concerned || minor <= own);
    let who_may = match general {
        Permission::Above { who_may, .. } => who_may,
        Permission::Allowed { .. } => None,
    };
    (allowed && concerned, AuthorityExpect { allowed: Some(allowed), who_may })
}

fn band(tolerance: &Tolerance, given: &ToleranceGiven) -> Run<ToleranceExpect> {
    let minor = |amount: &Option<SignedAmount>| amount.as_ref().and_then(|amount| amount.minor(given.currency));
    let asked = given.level.is_none_or(|level| level == tolerance.level) && given.side.is_none_or(|side| side == tolerance.side);
    let concerned = asked && tolerance.currencies.has(given.currency);
    let (Some(base), Some(diff), true) = (given.base.minor(given.currency), minor(&given.diff), concerned) else {
        return (false, ToleranceExpect::default());
    };
    let band = tolerance.band(given.currency, base, diff);
    let number = band.id.rsplit_once('#').and_then(|(_, number)| number.parse().ok());
    // The last band is what happens anyway, so the rule has decided when an earlier one did.
    let decided = number.is_some_and(|number| number < tolerance.bands.len() || tolerance.bands.len() == 1);
    (decided, ToleranceExpect { treatment: Some(band.treatment), band: number, ..ToleranceExpect::default() })
}

fn discount(policy: &DiscountPolicy, given: &ToleranceGiven) -> Run<ToleranceExpect> {
    let currency = given.currency;
    let terms = given.terms.as_deref().and_then(|terms| terms.parse::<TermsOfPayment>().ok()).unwrap_or_default();
    let minor = |amount: &Option<Amount>| amount.as_ref().and_then(|amount| amount.minor(currency)).unwrap_or(0);
    let (Some(base), Some(issued), Some(paid)) = (given.base.minor(currency), given.issued, given.paid) else {
        return (false, ToleranceExpect::default());
    };
    let (exempt, taken) = (minor(&given.exempt), minor(&given.taken));
    let judgement = policy.judge_terms(&terms, currency, issued, base, exempt, taken, paid);
    let written = |minor: i64| Amount::of(minor, currency);
    let found = ToleranceExpect {
        timing: Some(judgement.timing),
        allowed: Some(written(judgement.allowed_minor)),
        unearned: Some(written(judgement.unearned_minor)),
        ..ToleranceExpect::default()
    };
    (policy.currencies.has(currency) && judgement.unearned_minor == 0, found)
}
