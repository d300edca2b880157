//! How sure a decision is, and whether that is enough to post.
//!
//! The weights stand in `rules/engine.toml`. They only order decisions; how rarely those above a threshold are wrong is known from labels, and the
//! [`Permits`] say from where on a bundle may post.

use super::candidate::Finder;
use super::chance::{Amounts, ln_milli};
use super::decide::{Found, State};
use super::draft::Draft;
use super::trail::Trail;
use super::verdict::{self, Judged};
use crate::domain::{AmountClass, Confidence, ConfidencePart, Lacked, LackedKind, Outcome, Payment, Permit, Permits, Reason};
use crate::rules::{Fact, FactSet};

/// What the weakest line is worth, less the number of lines, and what lead and chance add.
pub(super) fn of(found: &Found, state: &State, payment: &Payment, finder: &Finder<'_>) -> Option<Confidence> {
    let best = found.drafts.first()?;
    let rules = &finder.rules.certificate;
    let (class, share_ppm) =
        (rules.class(payment.currency, payment.amount_minor), rules.share_ppm(payment.currency, payment.amount_minor));
    let engine = &finder.rules.engine;
    let worth = |facts: FactSet| engine.weights(facts).map(|weight| weight.milli).fold(0_i32, i32::saturating_add);
    let lines = best.lines.iter().map(|line| state.facts.union(*line));
    let weakest = lines.min_by_key(|facts| worth(*facts)).unwrap_or(state.facts);
    let mut parts: Vec<ConfidencePart> = engine
        .weights(weakest)
        .filter_map(|weight| {
            let fact = weight.when.any_of().iter().find(|fact| weakest.has(*fact))?;
            Some(ConfidencePart { what: fact.sentence().into(), milli: weight.milli })
        })
        .collect();
    if best.lines.len() > 1 {
        let milli = -small(ln_milli(i64::try_from(best.lines.len()).unwrap_or(i64::MAX)));
        parts.push(ConfidencePart { what: format!("{} lines, of which the weakest counts", best.lines.len()).into(), milli });
    }
    parts.push(lead(found, i64::from(engine.confidence.margin_max_milli)));
    parts.extend(coincidence(best, found, state, finder));
    let milli = parts.iter().map(|part| part.milli).fold(0, i32::saturating_add);
    Some(Confidence { milli, class, share_ppm, parts })
}

fn lead(found: &Found, most: i64) -> ConfidencePart {
    let margin = verdict::margin(found);
    let what =
        if found.drafts.len() < 2 { "no other explanation was found" } else { "the lead over the second-best explanation" };
    ConfidencePart { what: what.into(), milli: small(margin.clamp(0, most)) }
}

/// A small chance of a coincidence, where amounts had to make up for references.
fn coincidence(best: &Draft, found: &Found, state: &State, finder: &Finder<'_>) -> Option<ConfidencePart> {
    let ppm = state.chance_ppm.or_else(|| leaning_chance_ppm(best, found, finder))?;
    let most = i64::from(finder.rules.engine.confidence.chance_max_milli);
    let milli = small(1_000_000_i64.checked_div(ppm).map_or(most, ln_milli).clamp(0, most));
    let what = format!("about {ppm} in a million unrelated amounts would fit as well").into();
    Some(ConfidencePart { what, milli })
}

/// The chance that the amount of a line whose reference does not name its item is a coincidence: that of the worst line.
fn leaning_chance_ppm(best: &Draft, found: &Found, finder: &Finder<'_>) -> Option<i64> {
    let items = &finder.snapshot.items;
    let leans = |facts: &FactSet| facts.has(Fact::OneItemEqual) || facts.has(Fact::ReferenceFuzzy);
    let lines = best.proposal.lines.iter().zip(&best.lines).filter(|(_, facts)| leans(facts));
    let worst = lines
        .filter_map(|(line, _)| {
            let slot = items.slot(line.item)? as usize;
            let owner = items.customer[slot];
            Some(Amounts::of_customer(owner, finder).chance_ppm(items.open_minor[slot], items.open_of(owner).len()))
        })
        .max();
    worst.max(Some(found.named.chance_ppm).filter(|ppm| *ppm > 0))
}

fn small(milli: i64) -> i32 {
    i32::try_from(milli).unwrap_or(if milli < 0 { i32::MIN } else { i32::MAX })
}

/// Holds what would post and is not sure enough; gives the certificate that lets it post, where one does.
pub(super) fn permit(judged: &mut Judged, sure: Option<&Confidence>, permits: &Permits, trail: &mut Trail) -> Option<i64> {
    if matches!(judged.outcome, Outcome::Hold { .. }) {
        return None;
    }
    let (milli, class) = sure.map_or((i32::MIN, AmountClass::Large), |sure| (sure.milli, sure.class));
    let permit = permits.of(&judged.rule, class, judged.uncertified.is_none());
    if permit.covers(milli) {
        if let (Permit::From { confidence_milli }, Some(number)) = (permit, permits.certificate) {
            let least = super::explain::points(confidence_milli.into());
            trail.note("certificate", format!("certificate {number} lets {} amounts post from {least} on", class.as_str()));
        }
        return permits.certificate;
    }
    let points = |milli: i32| super::explain::points(milli.into());
    let mut why = match permit.least() {
        Some(least) => {
            format!("{} fits with a confidence of {}, and posts from {} on", judged.rule, points(milli), points(least))
        }
        None if judged.uncertified.is_some() => format!("{} fits, and posts only with a certificate", judged.rule),
        None => format!("{} fits, and posts nothing until it is certified again", judged.rule),
    };
    if let Some(lacking) = &judged.uncertified {
        why.push_str(&format!("; without one, {lacking}"));
    }
    trail.note_with("certificate", Some(&judged.rule), why.clone(), Vec::new());
    judged.outcome = Outcome::Hold { reason: Reason::NotCertified };
    judged.why_not = Some(why);
    judged.lacked = Some(Lacked { rule: judged.rule.clone(), kind: LackedKind::Certificate, condition: String::new() });
    None
}
