//! May an explanation post? The verdict names the rule that decided, or the nearest one and the condition it lacked.

use super::{
    engine::{EngineRules, NeverAuto},
    fact::{Condition, FactSet},
    rule::Stage,
};
use crate::domain::{Lacked, LackedKind, Reason};

/// Between the conditions of a mixture.
pub(super) const AND: &str = " and ";

/// May it post?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes, by this rule; `follow_up` is work that remains for a person. Where `uncertified` says what the nearest other rule lacks, it posts only with
    /// a certificate.
    Post { rule: String, follow_up: Vec<Reason>, uncertified: Option<WhyNot> },
    /// No.
    Hold(WhyNot),
}

impl Verdict {
    pub const fn may_post(&self) -> bool {
        matches!(self, Self::Post { .. })
    }

    /// It may, and needs no certificate for it.
    pub const fn posts_alone(&self) -> bool {
        matches!(self, Self::Post { uncertified: None, .. })
    }

    /// Id of the rule that decided, or that came nearest.
    pub fn rule(&self) -> &str {
        match self {
            Self::Post { rule, .. } => rule,
            Self::Hold(why) => &why.rule,
        }
    }
}

/// Why it may not post: the rule that came nearest and the single condition it lacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyNot {
    pub rule: String,
    pub failed: Failed,
    /// Index of the line that failed, where it was one of several.
    pub line: Option<usize>,
    /// Conditions of that rule that failed besides.
    pub also_failed: usize,
    /// What a person is told, where a veto or a `never_auto` rule decided.
    pub reason: Option<Reason>,
}

/// What kept a rule from posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The condition of a veto does not hold.
    Veto(Condition),
    /// The mixture of a `never_auto` rule is present.
    Never(Vec<Condition>),
    /// A condition of the nearest bundle does not hold.
    Missing(Condition),
    /// Everything holds, but the rule has not come that far.
    Stage(Stage),
    /// Everything holds, but what the rule posted was undone too often.
    Demoted,
    /// The file holds no bundle.
    NoBundle,
}

impl WhyNot {
    /// The same without the line, as reports count it.
    pub fn lacked(&self) -> Lacked {
        let (kind, condition) = match &self.failed {
            Failed::Missing(condition) => (LackedKind::Missing, condition.to_string()),
            Failed::Veto(condition) => (LackedKind::Veto, condition.to_string()),
            Failed::Never(when) => (LackedKind::Never, when.iter().map(ToString::to_string).collect::<Vec<_>>().join(AND)),
            Failed::Stage(stage) => (LackedKind::Stage, stage.as_str().to_owned()),
            Failed::Demoted => (LackedKind::Demoted, String::new()),
            Failed::NoBundle => (LackedKind::NoRule, String::new()),
        };
        Lacked { rule: self.rule.clone(), kind, condition }
    }

    /// One sentence for a person.
    pub fn sentence(&self) -> String {
        let line = self.line.map(|line| format!(" on line {}", line + 1)).unwrap_or_default();
        let more = if self.also_failed > 0 { format!(" (and {} more)", self.also_failed) } else { String::new() };
        match &self.failed {
            Failed::Veto(condition) => format!("{} forbids it{line}: it must hold that {}", self.rule, condition.sentence()),
            Failed::Never(when) => {
                let mixture: Vec<_> = when.iter().map(|condition| condition.sentence()).collect();
                format!("{} never posts{line}: {}", self.rule, mixture.join("; and "))
            }
            Failed::Missing(condition) => {
                format!("{} came nearest; it lacks{line} that {}{more}", self.rule, condition.sentence())
            }
            Failed::Stage(stage) => format!("{} holds, but its stage is {}, not auto", self.rule, stage.as_str()),
            Failed::Demoted => format!("{} holds, but it was demoted: what it posted was undone too often", self.rule),
            Failed::NoBundle => "no rule allows posting".to_owned(),
        }
    }
}

impl EngineRules {
    /// May an explanation with these facts post?
    pub fn may_post(&self, facts: &FactSet) -> Verdict {
        self.may_post_lines(facts, &[])
    }

    /// The same for an explanation of several lines: a condition holds when the payment has it, or every line.
    pub fn may_post_lines(&self, payment: &FactSet, lines: &[FactSet]) -> Verdict {
        self.verdict(payment, lines, &|stage| stage)
    }

    /// What would be decided if the rules in stage shadow acted; `None` where none is in that stage or they change nothing.
    pub fn shadow_verdict(&self, payment: &FactSet, lines: &[FactSet], actual: &Verdict) -> Option<Verdict> {
        let vetoes = self.vetoes.iter().map(|rule| rule.stage);
        let mut stages =
            vetoes.chain(self.never_auto.iter().map(|rule| rule.stage)).chain(self.bundles.iter().map(|rule| rule.stage));
        stages.any(|stage| stage == Stage::Shadow).then_some(())?;
        let acting = |stage| if stage == Stage::Shadow { Stage::Auto } else { stage };
        Some(self.verdict(payment, lines, &acting)).filter(|verdict| verdict.posts_alone() != actual.posts_alone())
    }

    fn verdict(&self, payment: &FactSet, lines: &[FactSet], counts_as: &dyn Fn(Stage) -> Stage) -> Verdict {
        let subject = Subject { payment: *payment, lines };
        for veto in self.vetoes.iter().filter(|veto| counts_as(veto.stage) == Stage::Auto) {
            if let Err(line) = subject.check(veto.requires) {
                let failed = Failed::Veto(veto.requires);
                return hold(&veto.id, failed, line, Some(veto.reason));
            }
        }
        for never in self.never_auto.iter().filter(|never| counts_as(never.stage) == Stage::Auto) {
            if let Some(line) = subject.mixture(never) {
                return hold(&never.id, Failed::Never(never.when.clone()), line, Some(never.reason));
            }
        }
        self.complete_bundle(&subject, counts_as)
    }

    /// The first bundle that is complete, or else the nearest: the fewest conditions lacking, then the most that hold.
    fn complete_bundle(&self, subject: &Subject<'_>, counts_as: &dyn Fn(Stage) -> Stage) -> Verdict {
        let mut nearest: Option<(usize, WhyNot)> = None;
        let mut held_back: Option<WhyNot> = None;
        let mut probable: Option<&str> = None;
        let shown =
            self.bundles.iter().map(|bundle| (counts_as(bundle.stage), bundle)).filter(|(stage, _)| *stage >= Stage::Suggest);
        for (stage, bundle) in shown {
            let mut failed =
                bundle.all.iter().filter_map(|condition| subject.check(*condition).err().map(|line| (*condition, line)));
            match failed.next() {
                None if stage == Stage::Auto && bundle.certified => probable = probable.or(Some(&bundle.id)),
                None if stage == Stage::Auto => return self.post(&bundle.id, None, subject),
                // A wider bundle behind it must not post what this one posted wrong.
                None if bundle.demoted => return hold(&bundle.id, Failed::Demoted, None, None),
                None if held_back.is_none() => {
                    held_back = Some(why_not(&bundle.id, Failed::Stage(stage), None, None));
                }
                None => {}
                Some((condition, line)) => {
                    let also_failed = failed.count();
                    let held = bundle.all.len() - 1 - also_failed;
                    let nearer = |(most, why): &(usize, WhyNot)| (also_failed, *most) < (why.also_failed, held);
                    if nearest.as_ref().is_none_or(nearer) {
                        let why = why_not(&bundle.id, Failed::Missing(condition), line, None);
                        nearest = Some((held, WhyNot { also_failed, ..why }));
                    }
                }
            }
        }
        let nearest = nearest.map(|(_, why)| why);
        let why = held_back.or(nearest).unwrap_or_else(|| why_not("engine", Failed::NoBundle, None, None));
        match probable {
            Some(rule) => self.post(rule, Some(why), subject),
            None => Verdict::Hold(why),
        }
    }

    fn post(&self, rule: &str, uncertified: Option<WhyNot>, subject: &Subject<'_>) -> Verdict {
        Verdict::Post { rule: rule.to_owned(), follow_up: self.follow_up(subject), uncertified }
    }

    fn follow_up(&self, subject: &Subject<'_>) -> Vec<Reason> {
        let present = subject.lines.iter().fold(subject.payment, |all, line| all.union(*line));
        let rules = self.follow_ups.iter().filter(|rule| rule.stage == Stage::Auto && rule.when.holds(present));
        let mut reasons: Vec<Reason> = rules.map(|rule| rule.reason).collect();
        reasons.dedup();
        reasons
    }
}

/// The facts of a payment and of its lines.
struct Subject<'a> {
    payment: FactSet,
    lines: &'a [FactSet],
}

impl Subject<'_> {
    /// `Err` carries the line that failed, where it was a line.
    fn check(&self, condition: Condition) -> Result<(), Option<usize>> {
        if condition.holds(self.payment) {
            return Ok(());
        }
        if self.lines.is_empty() {
            return Err(None);
        }
        match self.lines.iter().position(|line| !condition.holds(*line)) {
            None => Ok(()),
            Some(index) => Err((self.lines.len() > 1).then_some(index)),
        }
    }

    /// Where the mixture is present: in one line together with the payment, or in the payment alone.
    fn mixture(&self, never: &NeverAuto) -> Option<Option<usize>> {
        let present = |facts: FactSet| never.when.iter().all(|condition| condition.holds(facts)) && !facts.meets(never.without);
        if self.lines.is_empty() {
            return present(self.payment).then_some(None);
        }
        let index = self.lines.iter().position(|line| present(self.payment.union(*line)))?;
        Some((self.lines.len() > 1).then_some(index))
    }
}

fn hold(rule: &str, failed: Failed, line: Option<usize>, reason: Option<Reason>) -> Verdict {
    Verdict::Hold(why_not(rule, failed, line, reason))
}

fn why_not(rule: &str, failed: Failed, line: Option<usize>, reason: Option<Reason>) -> WhyNot {
    WhyNot { rule: rule.to_owned(), failed, line, also_failed: 0, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fact::Fact;

    fn rules() -> EngineRules {
        let head = r#"stage = "auto", owner = "finance", effective = "2026-01-01""#;
        toml::from_str(&format!(
            r#"
            version = 1
            margin = {{ minimum_milli = 3000 }}
            confidence = {{ margin_max_milli = 6000, chance_max_milli = 6000 }}
            combination = {{ items_max = 4, open_items_max = 40, tolerance = "0", chance_hits_max = "0.05", one_item_chance_hits_max = "0.05", any_items_chance_hits_max = "0.05", credit_memos = "if_remitted" }}
            visibility = {{ closed_days = 90, duplicate_days = 30 }}
            budget = {{ reversals_max = 2, reversals_percent = "0.5", wrong_percent = "0" }}
            veto = [{{ id = "v.currency", {head}, requires = "same_currency", reason = "currency_mismatch" }}]
            never_auto = [{{ id = "n.fuzzy", {head}, when = ["reference_fuzzy"], without = ["payer_account"], reason = "ambiguous" }}]
            bundle = [
              {{ id = "b.exact", {head}, all = ["reference_exact or reference_folded", "amount_exact or amount_coded"] }},
              {{ id = "b.likely", {head}, all = ["amount_exact"], certified = true }},
              {{ id = "b.fuzzy", {head}, all = ["reference_fuzzy", "amount_exact", "payer_account"] }},
            ]
            "#
        ))
        .expect("rules")
    }

    fn facts(codes: &str) -> FactSet {
        codes.split_whitespace().map(|code| Fact::parse(code).expect(code)).collect()
    }

    #[test]
    fn verdicts_name_the_rule_and_what_it_lacked() {
        for (payment, lines, rule, said) in [
            ("same_currency", vec!["reference_exact amount_exact", "reference_folded amount_coded"], "b.exact", "post"),
            ("same_currency", vec!["reference_exact amount_exact", "reference_folded"], "b.exact", "lacks on line 2"),
            ("", vec!["reference_exact amount_exact"], "v.currency", "forbids"),
            ("same_currency", vec!["reference_fuzzy amount_exact"], "n.fuzzy", "never posts"),
            ("same_currency payer_account", vec!["reference_fuzzy amount_exact"], "b.fuzzy", "post"),
            ("same_currency payer_account", vec!["reference_fuzzy"], "b.fuzzy", "lacks that the amount is what is open"),
            ("same_currency reference_exact amount_exact", vec![], "b.exact", "post"),
            (
                "same_currency payer_account",
                vec!["reference_core amount_exact"],
                "b.likely",
                "only with a certificate, for b.fuzzy came nearest",
            ),
        ] {
            let lines: Vec<_> = lines.into_iter().map(facts).collect();
            let verdict = rules().may_post_lines(&facts(payment), &lines);
            let text = match &verdict {
                Verdict::Post { uncertified: Some(why), .. } => format!("only with a certificate, for {}", why.sentence()),
                Verdict::Post { .. } => "post".to_owned(),
                Verdict::Hold(why) => why.sentence(),
            };
            assert_eq!(verdict.rule(), rule, "{text}");
            assert!(text.contains(said), "{text} should say {said}");
        }
    }

    #[test]
    fn a_rule_in_shadow_decides_and_changes_nothing() {
        let clear = facts("same_currency reference_exact amount_exact");
        let mut rules = rules();
        rules.bundles[0].stage = Stage::Shadow;
        let actual = rules.may_post(&clear);
        assert!(!actual.posts_alone(), "{actual:?}");
        assert_eq!(rules.shadow_verdict(&clear, &[], &actual).as_ref().map(Verdict::rule), Some("b.exact"));
        let nothing = facts("same_currency");
        assert_eq!(rules.shadow_verdict(&nothing, &[], &rules.may_post(&nothing)), None, "it would not have posted either");
        rules.bundles[0].stage = Stage::Auto;
        assert_eq!(rules.shadow_verdict(&clear, &[], &rules.may_post(&clear)), None, "no rule is in shadow");
        rules.vetoes[0].stage = Stage::Shadow;
        let unlike = facts("reference_exact amount_exact");
        let actual = rules.may_post(&unlike);
        assert!(actual.may_post(), "a veto in shadow stops nothing");
        assert_eq!(rules.shadow_verdict(&unlike, &[], &actual).as_ref().map(Verdict::rule), Some("v.currency"));
    }

    #[test]
    fn a_demoted_rule_holds_what_a_wider_one_would_post() {
        let clear = facts("same_currency reference_exact amount_exact reference_fuzzy payer_account");
        let mut rules = rules();
        rules.bundles[0].stage = Stage::Suggest;
        assert_eq!(rules.may_post(&clear).rule(), "b.fuzzy", "a rule that is only shown takes nothing from others");
        rules.bundles[0].demoted = true;
        let Verdict::Hold(why) = rules.may_post(&clear) else { panic!("it posts") };
        assert_eq!((why.rule.as_str(), why.failed), ("b.exact", Failed::Demoted));
    }

    #[test]
    fn a_rule_that_is_only_suggested_holds() {
        let mut rules = rules();
        rules.bundles[0].stage = Stage::Suggest;
        let verdict = rules.may_post(&facts("same_currency reference_exact amount_coded"));
        let Verdict::Hold(why) = verdict else { panic!("{verdict:?}") };
        assert_eq!(why.failed, Failed::Stage(Stage::Suggest));
    }
}
