//! An alarm that may be looked at after every label and is still wrong with probability delta at most (test martingale; Ville 1939).
//!
//! For each of some rates above the budget a bet is kept: a wrong label multiplies it by `rate / budget`, a right one by `(1 - rate) / (1 - budget)`. While
//! the true rate is within the budget no bet grows on average. Stakes are spread over the days on which a drift may begin, `1 / t(t + 1)` on label t, so
//! that many good labels do not make the alarm deaf.

#![expect(
    clippy::float_arithmetic,
    reason = "stakes are multiplied by fractions; only multiplications, divisions and sums, which are the same everywhere"
)]

/// Rates that are bet on, as multiples of the budget.
const MULTIPLES: [f64; 5] = [2.0, 4.0, 8.0, 16.0, 32.0];
/// A rate above this is bet on as this one.
const RATE_MAX: f64 = 0.5;

/// Watches one stratum.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    bets: [Bet; MULTIPLES.len()],
    labels: u32,
    /// Stakes at which it fires.
    enough: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Bet {
    stake: f64,
    on_wrong: f64,
    on_right: f64,
}

impl Alarm {
    /// An alarm for rates above `budget_ppm` that fires falsely with probability `delta_ppm` at most, however long it runs.
    pub fn new(budget_ppm: u32, delta_ppm: u32) -> Self {
        let budget = f64::from(budget_ppm.max(1)) / 1e6;
        let bets = MULTIPLES.map(|multiple| {
            // A budget above the largest rate leaves nothing to bet on: then the stake stays what it is.
            let rate = (budget * multiple).min(RATE_MAX).max(budget);
            Bet { stake: 0.0, on_wrong: rate / budget, on_right: (1.0 - rate) / (1.0 - budget) }
        });
        Self { bets, labels: 0, enough: 1e6 / f64::from(delta_ppm.max(1)) }
    }

    /// Takes the next label, and says whether the alarm fires.
    pub fn see(&mut self, wrong: bool) -> bool {
        self.labels = self.labels.saturating_add(1);
        let label = f64::from(self.labels);
        let (begins, kept) = (1.0 / (label * (label + 1.0)), 1.0 / (label + 1.0));
        let mut stakes = 0.0;
        for bet in &mut self.bets {
            bet.stake = (bet.stake + begins) * if wrong { bet.on_wrong } else { bet.on_right };
            stakes += bet.stake;
        }
        stakes / MULTIPLES_COUNT + kept >= self.enough
    }
}

const MULTIPLES_COUNT: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixed stream of numbers below a million (splitmix64).
    struct Stream(u64);

    impl Stream {
        fn below_million(&mut self) -> u32 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            u32::try_from((mixed ^ (mixed >> 31)) % 1_000_000).expect("below a million")
        }
    }

    /// The label at which it fires, among so many at this rate after `good` right ones.
    fn fires(seed: u64, good: u32, labels: u32, rate_ppm: u32) -> Option<u32> {
        let (mut alarm, mut stream) = (Alarm::new(10_000, 50_000), Stream(seed));
        assert!((0..good).all(|_| !alarm.see(false)), "right labels never fire");
        (1..=labels).find(|_| alarm.see(stream.below_million() < rate_ppm))
    }

    #[test]
    fn stakes_do_not_grow_on_average_at_the_budget() {
        let alarm = Alarm::new(10_000, 50_000);
        for bet in alarm.bets {
            let mean = 0.01 * bet.on_wrong + 0.99 * bet.on_right;
            assert!((mean - 1.0).abs() < 1e-12, "{bet:?}");
        }
    }

    #[test]
    fn it_rarely_fires_within_the_budget_however_often_it_is_looked_at() {
        let false_alarms = (0..400).filter(|seed| fires(*seed, 0, 5_000, 10_000).is_some()).count();
        assert!(false_alarms <= 20, "{false_alarms} of 400 is more than 5 %");
    }

    #[test]
    fn it_fires_soon_after_a_drift_even_after_many_right_labels() {
        let mut waits: Vec<u32> = (0..100).map(|seed| fires(seed, 10_000, 3_000, 100_000).unwrap_or(u32::MAX)).collect();
        waits.sort_unstable();
        assert!(
            waits[49] <= 200 && waits[94] <= 400,
            "median {} and 95th {} labels at ten times the budget",
            waits[49],
            waits[94]
        );
    }

    /// By hand: the first label is wrong. Each bet starts with half, the other half is kept: (2 + 4 + 8 + 16 + 32) / 5 / 2 + 1/2 = 6.7 times the start.
    #[test]
    fn one_wrong_label_is_no_drift_and_two_at_once_are() {
        let mut alarm = Alarm::new(10_000, 50_000);
        assert!(!alarm.see(true), "6.7 is below 20");
        assert!(alarm.see(true), "the second makes it more than 20");
    }
}
