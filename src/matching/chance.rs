//! How easily amounts agree by chance.
//!
//! The number of sums tried, divided by the number of values they may take, is the number of accidental hits to expect. The range comes from the
//! payer's own amounts; round amounts take fewer values.

use std::ops::RangeInclusive;

use super::candidate::Finder;
use super::limits::OWN_ITEMS_MAX;

/// The amounts a payer owes, as far as chance is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amounts {
    range_minor: i64,
    /// Every amount is a multiple of it: 2500 where all are in round 25s.
    grain_minor: i64,
    count: i64,
    /// Amounts that are a multiple of each of [`ROUND_STEPS`].
    round: [i64; ROUND_STEPS.len()],
}

/// Steps in which people round.
const ROUND_STEPS: [i64; 4] = [10_000, 2_500, 1_000, 100];

/// Amounts that show a grain.
const GRAIN_AMOUNTS_MIN: usize = 3;
/// Largest grain looked at: beyond it amounts are as good as equal.
const GRAIN_MAX: i64 = 10_000;

impl Amounts {
    pub(super) fn of(amounts: impl Iterator<Item = i64>) -> Self {
        let (mut most, mut grain, mut count) = (0i64, 0i64, 0usize);
        let mut round = [0i64; ROUND_STEPS.len()];
        for amount in amounts {
            count += 1;
            for (seen, step) in round.iter_mut().zip(ROUND_STEPS) {
                *seen += i64::from(amount % step == 0);
            }
            most = most.max(amount.saturating_abs());
            grain = greatest_common_divisor(grain, amount.saturating_abs());
        }
        // Of a few amounts anything is a common multiple.
        let grain = if count < GRAIN_AMOUNTS_MIN { 1 } else { grain };
        let count = i64::try_from(count).unwrap_or(i64::MAX - 1);
        Self { range_minor: most.max(1), grain_minor: grain.clamp(1, GRAIN_MAX), count, round }
    }

    /// The amounts of everything open of one customer.
    pub(super) fn of_customer(customer: u32, finder: &Finder<'_>) -> Self {
        let items = &finder.snapshot.items;
        Self::of(items.open_of(customer).iter().take(OWN_ITEMS_MAX).map(|slot| items.open_minor[*slot as usize]))
    }

    /// Accidental hits to expect among `tried` sums near an amount, in millionths of one.
    pub(super) fn chance_ppm(&self, amount_minor: i64, tried: usize) -> i64 {
        let range = self.range_minor.max(amount_minor.saturating_abs());
        let tried = i64::try_from(tried).unwrap_or(i64::MAX / 1_000_000).min(i64::MAX / 1_000_000);
        let hits = |grain: i64| (tried * 1_000_000 / (range / grain).max(1)).min(1_000_000);
        let plain = hits(self.grain_minor);
        // A round amount meets other round amounts, as many as there are among what this payer owes.
        let round = ROUND_STEPS.iter().zip(self.round).find(|(step, _)| amount_minor % *step == 0);
        round.map_or(plain, |(step, seen)| plain.max(hits(*step) * (seen + 1) / (self.count + 1)))
    }
}

/// Accidental hits to expect among `tried` sums of so many of these amounts, in millionths of one, by how many sums lie near `target`. Small amounts are
/// many, so their sums crowd where a range of equal chances does not expect them. The sums are a fixed sample: the same amounts give the same answer.
pub(super) fn near_ppm(amounts: &[i64], target: i64, size: usize, tried: usize) -> i64 {
    let (low, high) = (target - target / NEAR, target + target / NEAR);
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut any = || {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        amounts[usize::try_from(state % amounts.len() as u64).unwrap_or(0)]
    };
    if amounts.is_empty() || high <= low {
        return 0;
    }
    let mut near = 0i64;
    for _ in 0..SAMPLES {
        let sum = (0..size).fold(0i64, |sum, _| sum.saturating_add(any()));
        near += i64::from((low..=high).contains(&sum));
    }
    let tried = i64::try_from(tried).unwrap_or(i64::MAX);
    (tried.saturating_mul(near).saturating_mul(1_000_000 / SAMPLES) / (high - low)).min(1_000_000)
}

/// How rare a coincidence of so many millionths is, as log-odds in thousandths.
pub(super) fn rarity_milli(chance_ppm: i64) -> i64 {
    ln_milli(1_000_000 / chance_ppm.max(1))
}

/// Log-odds of a factor of two, in thousandths.
const LN_2_MILLI: i64 = 693;

/// Natural logarithm in thousandths, linear between powers of two: whole numbers give the same everywhere.
pub(super) fn ln_milli(number: i64) -> i64 {
    let power = i64::from(number.max(1).ilog2());
    let (whole, rest) = (1_i64 << power, number.max(1) - (1_i64 << power));
    LN_2_MILLI * power + i64::try_from(i128::from(LN_2_MILLI) * i128::from(rest) / i128::from(whole)).unwrap_or(0)
}

/// Part of an amount by which a sum near it may differ.
const NEAR: i64 = 10;
/// Sums drawn by [`near_ppm`].
const SAMPLES: i64 = 1_000;

const fn greatest_common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// How many sets of so many items there are among `items`.
pub(super) fn combinations(items: usize, sizes: RangeInclusive<usize>) -> usize {
    let mut total = 0usize;
    let mut count = 1usize;
    for size in 1..=items.min(*sizes.end()) {
        count = count.saturating_mul(items - size + 1) / size;
        if sizes.contains(&size) {
            total = total.saturating_add(count);
        }
    }
    total
}

/// Sums looked at: of more than these not all are counted before the search stops, and what is not counted is not unique.
pub(super) const SUMS_MAX: usize = 200_000;

/// Sets of so many indexes whose amounts, all positive, add up to `target`; it stops after `enough` of them, since more than one is no answer.
pub(super) fn subsets(amounts: &[i64], target: i64, sizes: RangeInclusive<usize>, enough: usize) -> Vec<Vec<usize>> {
    let end = i64::try_from(*sizes.end()).unwrap_or(i64::MAX);
    let largest = amounts.iter().copied().filter(|amount| *amount <= target).max();
    // Mostly nothing can reach, and then nothing is put in order.
    if largest.is_none_or(|largest| largest.saturating_mul(end) < target) {
        return Vec::new();
    }
    if sizes == (1..=1) {
        let equal = amounts.iter().enumerate().filter(|(_, amount)| **amount == target);
        return equal.map(|(index, _)| vec![index]).take(enough).collect();
    }
    // Largest first, so that sums leave the range early and what is missing is found by halving.
    let mut order: Vec<(std::cmp::Reverse<i64>, usize)> = amounts
        .iter()
        .enumerate()
        .filter(|(_, amount)| **amount <= target)
        .map(|(at, amount)| (std::cmp::Reverse(*amount), at))
        .collect();
    order.sort_unstable();
    let mut search = Subsets { order, chosen: Vec::with_capacity(*sizes.end()), sizes, enough, found: Vec::new() };
    search.descend(0, target);
    search.found
}

struct Subsets {
    /// Amounts with their indexes.
    order: Vec<(std::cmp::Reverse<i64>, usize)>,
    sizes: RangeInclusive<usize>,
    enough: usize,
    chosen: Vec<usize>,
    found: Vec<Vec<usize>>,
}

impl Subsets {
    fn descend(&mut self, from: usize, rest: i64) {
        let places = self.sizes.end() - self.chosen.len();
        let reach = i64::try_from(places).unwrap_or(i64::MAX);
        // Amounts above what is missing are left out.
        let from = from + self.order[from..].partition_point(|(amount, _)| amount.0 > rest);
        for at in from..self.order.len() {
            let (std::cmp::Reverse(amount), index) = self.order[at];
            // What is left is sorted downwards: when all places filled with this amount cannot reach, nothing later can.
            if self.found.len() >= self.enough || amount.saturating_mul(reach) < rest {
                return;
            }
            self.chosen.push(index);
            if amount == rest && self.sizes.contains(&self.chosen.len()) {
                self.found.push(self.chosen.clone());
            } else if amount < rest && places > 1 {
                self.descend(at + 1, rest - amount);
            }
            self.chosen.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_counted_not_guessed() {
        let amounts = [500, 300, 200, 700, 100];
        let mut found = subsets(&amounts, 1_000, 2..=3, 10);
        found.iter_mut().for_each(|set| set.sort_unstable());
        found.sort();
        assert_eq!(found, [vec![0, 1, 2], vec![1, 3], vec![2, 3, 4]]);
        assert!(subsets(&amounts, 99, 2..=3, 10).is_empty());
        assert_eq!(subsets(&amounts, 200, 1..=1, 10), [vec![2]]);
        assert_eq!(subsets(&amounts, 1_000, 2..=3, 2).len(), 2, "it stops when there are enough");
    }

    #[test]
    fn sums_crowd_where_the_amounts_do() {
        let amounts: Vec<i64> = (0..40).map(|n| 10_007 + n * 211).chain([9_000_001]).collect();
        let tried = combinations(amounts.len(), 2..=2);
        let evenly = Amounts::of(amounts.iter().copied()).chance_ppm(28_000, tried);
        let near = near_ppm(&amounts, 28_000, 2, tried);
        assert!(near > 20 * evenly, "820 sums of two lie between 20,014 and 36,472: {evenly}, {near}");
        assert_eq!(near, near_ppm(&amounts, 28_000, 2, tried));
        assert_eq!(near_ppm(&[], 28_000, 2, 1) + near_ppm(&amounts, 1, 2, 1), 0);
    }

    #[test]
    fn the_chance_of_a_coincidence_grows_with_sums_tried_and_with_round_amounts() {
        let amounts = Amounts::of([123_457, 50_001, 499_999].into_iter());
        let few = amounts.chance_ppm(250_001, combinations(40, 2..=3));
        let many = amounts.chance_ppm(250_001, combinations(40, 2..=4));
        assert!((15_000..=25_000).contains(&few), "about 2 % for 40 items and three at most: {few}");
        assert!((150_000..=250_000).contains(&many), "about 20 % for four at most: {many}");
        let round = Amounts::of([250_000, 50_000, 475_000].into_iter());
        assert_eq!(round.chance_ppm(250_000, combinations(40, 2..=3)), 1_000_000);
        assert_eq!(combinations(5, 2..=2), 10);
        assert_eq!(combinations(4, 2..=9), 11);
    }

    #[test]
    fn logarithms_are_whole_numbers_and_rise() {
        assert_eq!(
            [1, 2, 3, 4, 1_000_000].map(ln_milli),
            [0, 693, 1_039, 1_386, 13_795],
            "ln 3 is 1.099 and ln 1,000,000 is 13.816"
        );
        let values: Vec<i64> = (1..5_000).map(ln_milli).collect();
        assert!(values.is_sorted());
        assert_eq!(ln_milli(0), 0);
        assert!(ln_milli(i64::MAX) < 44_000);
    }
}
