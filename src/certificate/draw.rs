//! The audit sample: which posted payments a person looks at.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Whether the payment of that name is drawn. The name is hashed with a seed that whoever pays or posts does not know, so nobody can tell before, and the
/// same payment is always drawn or never.
pub fn drawn(seed: &[u8], payment: &str, share_ppm: u32) -> bool {
    let Ok(mut hash) = Hmac::<Sha256>::new_from_slice(seed) else { return true };
    hash.update(payment.as_bytes());
    let digest = hash.finalize().into_bytes();
    let (head, _) = digest.split_at(8);
    let number = head.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    // A whole million stands for everything.
    u128::from(number) * 1_000_000 < u128::from(share_ppm) << 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_drawn_and_depends_on_the_seed() {
        let drawn_of =
            |seed: &[u8]| (0..20_000).filter(|number| drawn(seed, &format!("payment {number}"), 10_000)).collect::<Vec<_>>();
        let (one, other) = (drawn_of(b"one"), drawn_of(b"other"));
        assert!((140..=260).contains(&one.len()), "about 200 of 20,000: {}", one.len());
        assert_ne!(one, other, "another seed draws others");
        assert_eq!(one, drawn_of(b"one"), "the same seed draws the same");
        assert!(drawn(b"any", "x", 1_000_000) && !drawn(b"any", "x", 0));
    }
}
