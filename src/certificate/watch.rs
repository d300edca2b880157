//! What posts now: the thresholds of the last certificate, tightened by the alarm of each stratum as labels come in.
//!
//! It is a fold over rows that are never changed, so that after a restart, and in any other process, it is the same.

use std::collections::HashMap;

use super::{Alarm, Certificate, Label, Plan};
use crate::domain::{Permit, Permits, Stratum};

/// Follows labels in the order in which they came.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    plan: Plan,
    permits: Permits,
    alarms: HashMap<Stratum, Alarm>,
}

/// A threshold that the alarm of its stratum raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tightened {
    pub stratum: Stratum,
    pub before: Permit,
    pub after: Permit,
}

impl Watch {
    /// Starts at a certificate, or at the rule files where there is none.
    pub fn new(plan: Plan, certificate: Option<(i64, &Certificate)>) -> Self {
        let permits = certificate.map(|(number, certificate)| certificate.permits(number)).unwrap_or_default();
        Self { plan, permits, alarms: HashMap::new() }
    }

    /// Takes the next label of a posted decision. `safe` says whether the bundle of the stratum posts without a certificate.
    pub fn see(&mut self, stratum: &Stratum, safe: bool, label: &Label) -> Option<Tightened> {
        let before = self.permits.of(&stratum.rule, stratum.class, safe);
        // What would not post any more says nothing about what does.
        if !label.posted || !before.covers(label.confidence_milli) {
            return None;
        }
        let alarm = self.alarms.entry(stratum.clone()).or_insert_with(|| Alarm::new(self.plan.budget_ppm, self.plan.delta_ppm));
        if !alarm.see(label.wrong) {
            return None;
        }
        self.alarms.remove(stratum);
        let after = stricter(&self.plan.grid_milli, before);
        self.permits.set(stratum, after);
        Some(Tightened { stratum: stratum.clone(), before, after })
    }

    pub const fn permits(&self) -> &Permits {
        &self.permits
    }
}

/// The next threshold of the grid, which is strict first; beyond the strictest nothing posts.
fn stricter(grid_milli: &[i32], permit: Permit) -> Permit {
    let next = match permit {
        Permit::Always => grid_milli.last(),
        Permit::From { confidence_milli } => grid_milli.iter().rev().find(|threshold| **threshold > confidence_milli),
        Permit::Never => None,
    };
    next.map_or(Permit::Never, |threshold| Permit::From { confidence_milli: *threshold })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AmountClass;

    #[test]
    fn each_alarm_tightens_by_one_threshold_until_nothing_posts() {
        let plan = Plan { budget_ppm: 1_000, delta_ppm: 50_000, grid_milli: vec![9_000, 7_000], labels_min: 1 };
        let mut watch = Watch::new(plan, None);
        let stratum = Stratum { rule: "post.x".to_owned(), class: AmountClass::Normal };
        let label = |confidence_milli, wrong| Label { confidence_milli, wrong, posted: true, share_ppm: 0 };
        let mut steps = Vec::new();
        for number in 0..60 {
            steps.extend(watch.see(&stratum, true, &label(9_500, number % 3 == 0)).map(|tightened| tightened.after));
        }
        let expected = [Permit::From { confidence_milli: 7_000 }, Permit::From { confidence_milli: 9_000 }, Permit::Never];
        assert_eq!(steps, expected);
        assert_eq!(watch.permits().of("post.x", AmountClass::Normal, true), Permit::Never);
        assert_eq!(watch.permits().of("post.x", AmountClass::Large, true), Permit::Always, "a stratum of its own");
    }

    #[test]
    fn labels_of_what_does_not_post_any_more_do_not_count() {
        let plan = Plan { budget_ppm: 1_000, delta_ppm: 50_000, grid_milli: vec![9_000], labels_min: 1 };
        let mut watch = Watch::new(plan, None);
        let stratum = Stratum { rule: "post.x".to_owned(), class: AmountClass::Normal };
        let wrong = Label { confidence_milli: 8_000, wrong: true, posted: true, share_ppm: 0 };
        assert_eq!((0..10).find(|_| watch.see(&stratum, true, &wrong).is_some()), Some(1), "the second wrong one at once fires");
        assert!((0..10).all(|_| watch.see(&stratum, true, &wrong).is_none()));
        let proposed = Label { posted: false, confidence_milli: 9_500, ..wrong };
        assert!((0..10).all(|_| watch.see(&stratum, true, &proposed).is_none()), "a proposal posted nothing");
    }
}
