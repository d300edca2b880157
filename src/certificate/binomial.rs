//! The exact one-sided upper bound of an error rate (Clopper and Pearson 1934).

#![expect(clippy::float_arithmetic, reason = "tails of the binomial distribution are no whole numbers; what leaves this file is")]

/// The whole in parts per million.
const WHOLE_PPM: u32 = 1_000_000;

/// The largest error rate, in parts per million rounded up, that still makes so few errors among so many trials likely: with probability
/// `1 - delta` the true rate is not above it. No trials bound nothing.
pub fn upper_bound_ppm(errors: u64, trials: u64, delta_ppm: u32) -> u32 {
    if errors >= trials {
        return WHOLE_PPM;
    }
    let delta = share(delta_ppm);
    // The tail falls as the rate rises: the least whole number at which it is at most delta.
    let (mut above, mut least) = (0, WHOLE_PPM);
    while least - above > 1 {
        let middle = above + (least - above) / 2;
        if at_most(errors, trials, share(middle)) <= delta { least = middle } else { above = middle }
    }
    least
}

fn share(ppm: u32) -> f64 {
    f64::from(ppm) / f64::from(WHOLE_PPM)
}

/// Probability of at most `errors` errors among `trials` at this rate.
fn at_most(errors: u64, trials: u64, rate: f64) -> f64 {
    if errors >= trials || rate <= 0.0 {
        return 1.0;
    }
    if rate >= 1.0 {
        return 0.0;
    }
    // From the largest term of the smaller side outwards, so that nothing is lost by cancellation.
    if rate * real(trials) >= real(errors) {
        ln_term(errors, trials, rate).exp() * series(errors, |i| real(i) / real(trials - i + 1) * ((1.0 - rate) / rate))
    } else {
        let first = errors + 1;
        let up = |step: u64| {
            let i = first + (trials - first - step);
            real(trials - i) / real(i + 1) * (rate / (1.0 - rate))
        };
        1.0 - ln_term(first, trials, rate).exp() * series(trials - first, up)
    }
}

/// `1 + r(n) + r(n) r(n-1) + …` down to `r(1)`, as long as the terms count.
fn series(from: u64, ratio: impl Fn(u64) -> f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for i in (1..=from).rev() {
        term *= ratio(i);
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

/// Logarithm of the probability of exactly `errors`.
fn ln_term(errors: u64, trials: u64, rate: f64) -> f64 {
    let few = errors.min(trials - errors);
    let ln_choose: f64 = (1..=few).map(|i| (real(trials - few + i) / real(i)).ln()).sum();
    ln_choose + real(errors) * rate.ln() + real(trials - errors) * (-rate).ln_1p()
}

/// Counts of labels are far below the 2^53 that a float holds exactly.
#[expect(clippy::cast_precision_loss, reason = "counts of labels are far below 2^53")]
const fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIVE_PERCENT: u32 = 50_000;

    /// Labels needed at 95 % by budget and errors, from tables of the Poisson and binomial distributions.
    #[test]
    fn as_many_labels_are_needed_as_the_table_says() {
        for (budget_ppm, needed) in [
            (2_000, [(0, 1_497), (1, 2_371), (2, 3_146), (5, 5_254), (10, 8_478)]),
            (1_000, [(0, 2_995), (1, 4_742), (2, 6_294), (5, 10_511), (10, 16_959)]),
            (500, [(0, 5_990), (1, 9_486), (2, 12_590), (5, 21_024), (10, 33_921)]),
        ] {
            for (errors, labels) in needed {
                assert!(upper_bound_ppm(errors, labels, FIVE_PERCENT) <= budget_ppm, "{errors} of {labels}");
                assert!(upper_bound_ppm(errors, labels - 1, FIVE_PERCENT) > budget_ppm, "{errors} of one less than {labels}");
            }
        }
    }

    #[test]
    fn small_samples_give_the_published_bounds() {
        // Exact one-sided 95 % limits of the binomial distribution.
        for (errors, trials, bound_ppm) in
            [(0, 10, 258_866), (1, 10, 394_164), (2, 10, 506_901), (5, 100, 102_254), (9, 10, 994_884)]
        {
            let found = upper_bound_ppm(errors, trials, FIVE_PERCENT);
            assert!(found.abs_diff(bound_ppm) <= 1, "{errors} of {trials}: {found}");
        }
        assert_eq!(upper_bound_ppm(0, 0, FIVE_PERCENT), WHOLE_PPM);
        assert_eq!(upper_bound_ppm(7, 7, FIVE_PERCENT), WHOLE_PPM);
    }

    /// The promise itself, by adding up the distribution: the bound misses the true rate at most as often as it may.
    #[test]
    fn the_bound_covers_every_rate() {
        for (trials, rate_ppm) in [(50, 20_000), (300, 1_000), (300, 150_000), (2_000, 2_000), (2_000, 700_000)] {
            let rate = share(rate_ppm);
            let exactly = |errors: u64| ln_term(errors, trials, rate).exp();
            let missed: f64 =
                (0..=trials).filter(|errors| upper_bound_ppm(*errors, trials, FIVE_PERCENT) < rate_ppm).map(exactly).sum();
            assert!(missed <= 0.05 + 1e-9, "{trials} labels at {rate_ppm} ppm: missed with probability {missed}");
        }
    }

    #[test]
    fn both_sides_of_the_distribution_agree() {
        for (trials, rate) in [(40, 0.3), (1_000, 0.002), (1_000, 0.9)] {
            let mut sum = 0.0;
            for errors in 0..trials {
                sum += ln_term(errors, trials, rate).exp();
                assert!((at_most(errors, trials, rate) - sum).abs() < 1e-9, "{errors} of {trials} at {rate}");
            }
        }
    }

    proptest! {
        #[test]
        fn more_errors_raise_the_bound_and_more_labels_lower_it(errors in 0..200_u64, more in 1..20_000_u64, delta in 1_000..200_000_u32) {
            let trials = errors + more;
            let bound = upper_bound_ppm(errors, trials, delta);
            prop_assert!(u64::from(bound) * trials >= errors * u64::from(WHOLE_PPM), "never below what was seen");
            prop_assert!(upper_bound_ppm(errors + 1, trials, delta) >= bound);
            prop_assert!(upper_bound_ppm(errors, trials + 1, delta) <= bound);
        }
    }
}
