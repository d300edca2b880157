//! Refusals of `payers.toml` and `normalise.toml`, and of what overlays say about payers.

use std::collections::BTreeSet;

use super::Checker;
use crate::rules::{
    Fact, FactSet, RuleSet, Stage,
    normalise::{CheckDigit, NormaliseRules, Pattern},
    payers::RelationRule,
};

pub(super) fn check(checker: &mut Checker<'_>, set: &RuleSet) {
    checker.enter("payers.toml");
    identify(checker, set);
    let mut kinds = BTreeSet::new();
    for policy in &set.payers.relation_policies {
        if !kinds.insert(policy.kind) {
            checker.refuse(&policy.id, "kind", "each kind once", format!("{:?} again", policy.kind), "remove one of them");
        }
    }
    relations(checker, set, &set.payers.relations);
    for overlay in set.customers.values() {
        checker.enter(&overlay.file);
        relations(checker, set, &overlay.relations);
        for id in overlay.cascade.iter().flatten() {
            if !set.engine.cascade.iter().any(|step| step.id == *id) {
                let found = format!("{id:?}");
                checker.refuse("", "cascade", "ids of cascade steps in engine.toml", found, "correct the id");
            }
        }
        for by in overlay.identify.iter().flatten() {
            if !set.payers.identify.iter().any(|identify| identify.by == *by) {
                checker.refuse("", "identify", "ways that payers.toml has", format!("{by:?}"), "add it there first");
            }
        }
    }
    checker.enter("normalise.toml");
    patterns(checker, &set.normalise);
}

/// Facts about who paid; a way to identify a payer establishes nothing else.
const PAYER_FACTS: FactSet = FactSet::EMPTY
    .with(Fact::PayerAccount)
    .with(Fact::PayerId)
    .with(Fact::PayerNameStrong)
    .with(Fact::PayerNameWeak)
    .with(Fact::PayerVotedByReferences);

fn identify(checker: &mut Checker<'_>, set: &RuleSet) {
    let mut ways = BTreeSet::new();
    for identify in &set.payers.identify {
        if !ways.insert(identify.by) {
            checker.refuse(&identify.id, "by", "each way once", format!("{:?} again", identify.by), "remove one of them");
        }
        if !PAYER_FACTS.has(identify.gives) {
            let known: Vec<_> = PAYER_FACTS.iter().map(Fact::code).collect();
            checker.refuse(
                &identify.id,
                "gives",
                format!("one of {}", known.join(", ")),
                identify.gives.code(),
                "correct the fact",
            );
        }
    }
    if ways.is_empty() {
        checker.refuse("", "identify", "at least one way to identify a payer", "none", "add one");
    }
}

fn relations(checker: &mut Checker<'_>, set: &RuleSet, relations: &[RelationRule]) {
    for relation in relations {
        if relation.pays_for.is_empty() || relation.pays_for.iter().any(|code| code.contains('*') || code.trim().is_empty()) {
            let found = format!("{:?}", relation.pays_for);
            checker.refuse(
                &relation.id,
                "pays_for",
                "the customers it pays for, by code",
                found,
                "nobody may pay for anybody: name them",
            );
        }
        if relation.until.is_some_and(|until| until < relation.from) {
            let found = format!("until before {}", relation.from);
            checker.refuse(&relation.id, "until", "a last day after the first", found, "swap them");
        }
        if !set.payers.relation_policies.iter().any(|policy| policy.kind == relation.kind) {
            let found = format!("{:?}", relation.kind);
            checker.refuse(&relation.id, "kind", "a kind with a relation_policy", found, "add the policy to payers.toml");
        }
    }
}

fn patterns(checker: &mut Checker<'_>, rules: &NormaliseRules) {
    for (index, pattern) in rules.patterns.iter().enumerate() {
        let earlier = rules.patterns.iter().take(index).filter(|earlier| earlier.stage == Stage::Auto);
        if let Some(first) = earlier.into_iter().find(|earlier| always_before(earlier, pattern)) {
            checker.unreachable(&pattern.id, &first.id);
        }
    }
    for word in rules.legal_forms.iter().chain(rules.abbreviations.keys()).chain(rules.abbreviations.values()) {
        if word.is_empty() || !word.chars().all(|c| c.is_alphanumeric() && !c.is_lowercase()) {
            let expected = "words in capitals without blanks and points";
            checker.refuse("", "legal_forms", expected, format!("{word:?}"), "write it as a cleaned name has it");
        }
    }
}

/// Whether an earlier pattern of the same scope takes everything that the later one would.
fn always_before(earlier: &Pattern, later: &Pattern) -> bool {
    let same_scope = earlier.partner == later.partner;
    let any_word = earlier.strip.is_empty()
        || (!later.strip.is_empty()
            && later.strip.iter().all(|word| earlier.strip.iter().any(|first| first.eq_ignore_ascii_case(word))));
    let any_form = earlier.extract.is_none() || earlier.extract == later.extract;
    same_scope && any_word && any_form && earlier.check_digit == CheckDigit::None
}
