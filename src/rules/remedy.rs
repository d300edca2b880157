//! Where to look when a rule does not post: the file and key that decide it, and the set that would decide otherwise.

use super::{
    RuleSet,
    fact::{Condition, Fact},
    rule::Stage,
    verdict::AND,
};
use crate::domain::{Lacked, LackedKind};

/// The setting behind a cause.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Remedy {
    pub file: String,
    pub key: String,
    /// Other settings that the lacking facts follow from; changing one of these is often the better way.
    pub besides: Vec<String>,
}

impl RuleSet {
    /// What decides it; nothing where no rule file does, and where the rule is not in this set any more.
    pub fn remedy(&self, lacked: &Lacked) -> Option<Remedy> {
        let (file, _) = self.headers().into_iter().find(|(_, header)| header.id == lacked.rule)?;
        let Lacked { rule, condition, .. } = lacked;
        let key = match lacked.kind {
            LackedKind::Missing => format!("[[bundle]] {rule}: all, {condition:?}"),
            LackedKind::Veto => format!("[[veto]] {rule}: requires {condition:?}"),
            LackedKind::Never => format!("[[never_auto]] {rule}: when {condition:?}"),
            LackedKind::Stage => format!("[[bundle]] {rule}: stage {condition:?}"),
            LackedKind::Demoted => format!("[[bundle]] {rule}: what it posts wrong, then activate it anew"),
            LackedKind::Certificate => format!("[[bundle]] {rule}: certified; labels let it post (tieout certify)"),
            LackedKind::Engine => format!("{rule}: {condition:?}, which the engine holds to whatever the rule says"),
            LackedKind::NoRule => return None,
        };
        let facts = condition.split(AND).filter_map(|part| Condition::parse(part).ok()).flat_map(|part| part.any_of().iter());
        let mut besides: Vec<_> = facts.filter_map(setting).map(str::to_owned).collect();
        besides.dedup();
        Some(Remedy { file: file.to_owned(), key, besides })
    }

    /// This set with the one condition opened: dropped from its bundle, or the stage raised to `auto`. Nothing where that makes no set: a
    /// bundle without conditions posts anything, and what vetoes and certificates hold is not opened to look what happens.
    pub fn opened(&self, lacked: &Lacked) -> Option<Self> {
        let mut set = self.clone();
        let bundle = set.engine.bundles.iter_mut().find(|bundle| bundle.id == lacked.rule)?;
        match lacked.kind {
            LackedKind::Missing => {
                let before = bundle.all.len();
                bundle.all.retain(|condition| condition.to_string() != lacked.condition);
                (bundle.all.len() < before && !bundle.all.is_empty()).then_some(set)
            }
            LackedKind::Stage => {
                bundle.stage = Stage::Auto;
                Some(set)
            }
            _ => None,
        }
    }
}

/// What a rule lacked, in a sentence for a person.
pub fn sentence_of(lacked: &Lacked) -> String {
    let words = |part: &str| Condition::parse(part).map_or_else(|_| part.to_owned(), Condition::sentence);
    let condition = lacked.condition.split(AND).map(words).collect::<Vec<_>>().join("; and ");
    let rule = &lacked.rule;
    match lacked.kind {
        LackedKind::Missing => format!("{rule} came nearest; it lacks that {condition}"),
        LackedKind::Veto => format!("{rule} forbids it: it must hold that {condition}"),
        LackedKind::Never => format!("{rule} never posts: {condition}"),
        LackedKind::Stage => format!("{rule} holds, but its stage is {condition}, not auto"),
        LackedKind::Demoted => format!("{rule} holds, but it was demoted: what it posted was undone too often"),
        LackedKind::Certificate => format!("{rule} holds, and posts only with a certificate"),
        LackedKind::NoRule => "no rule allows posting".to_owned(),
        LackedKind::Engine if condition.is_empty() => "the engine does not post it, whatever rules say".to_owned(),
        LackedKind::Engine => format!("the engine does not post it, whatever rules say: it must hold that {condition}"),
    }
}

/// The setting that a fact follows from, where one decides it.
const fn setting(fact: Fact) -> Option<&'static str> {
    match fact {
        Fact::AmountTolerance => Some("tolerance.toml: [[tolerance]] bands"),
        Fact::AmountNetOfDiscount | Fact::AmountUnearnedDiscount => Some("tolerance.toml: [[discount]]"),
        Fact::AmountCoded | Fact::AmountChargedBack => Some("reasons.toml: the reason codes of deductions"),
        Fact::PayerRelated => Some("payers.toml: [[relation]]"),
        Fact::PayerKnown | Fact::PayerAccount | Fact::PayerId => {
            Some("master data: the payer's account and originator id (tieout import customers)")
        }
        Fact::PayerNameStrong | Fact::PayerNameWeak => Some("master data: the payer's names (tieout import customers)"),
        Fact::PayerAccountNew => Some("payers.toml: [alias] account_new_days"),
        Fact::WithinAuthority => Some("authority.toml: [[limit]] of the role engine"),
        Fact::MarginEnough => Some("engine.toml: [margin] minimum_milli"),
        Fact::ChanceLow => Some("engine.toml: [combination] chance_hits_max, one_item_chance_hits_max"),
        Fact::NotDuplicate => Some("engine.toml: [visibility] duplicate_days"),
        Fact::NotClosed => Some("engine.toml: [visibility] closed_days"),
        Fact::ReferenceFuzzy | Fact::ReferencePart | Fact::ReferenceCore => Some("normalise.toml: the patterns of references"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> RuleSet {
        RuleSet::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")).expect("the shipped rules")
    }

    #[test]
    fn a_condition_is_found_and_dropped_where_it_stands() {
        let rules = shipped();
        let bundle = rules.engine.bundles.iter().find(|bundle| bundle.all.len() > 1).expect("a bundle of several conditions");
        let condition = bundle.all[0].to_string();
        let lacked = Lacked { rule: bundle.id.clone(), kind: LackedKind::Missing, condition: condition.clone() };
        let remedy = rules.remedy(&lacked).expect("a rule decides it");
        assert_eq!(remedy.file, "engine.toml");
        assert!(remedy.key.contains(&bundle.id) && remedy.key.contains(&condition), "{}", remedy.key);
        let opened = rules.opened(&lacked).expect("it opens");
        let left = &opened.engine.bundles.iter().find(|other| other.id == bundle.id).expect("it is there").all;
        assert_eq!(left.as_slice(), &bundle.all[1..]);
        let gone = Lacked { rule: "post.long-gone".to_owned(), ..lacked.clone() };
        assert_eq!(rules.remedy(&gone), None);
        let other = Lacked { condition: "nothing of it".to_owned(), ..lacked };
        assert!(rules.opened(&other).is_none(), "another set wrote it otherwise");
        let engine = Lacked { rule: "engine".to_owned(), kind: LackedKind::Engine, condition: String::new() };
        assert!(rules.remedy(&engine).is_none() && rules.opened(&engine).is_none());
    }
}
