//! 820 Payment Order/Remittance Advice: one payment, what it is for, or an advice of money that moves elsewhere.
//!
//! The set is one [`Advice`]; the envelope has been compared before.

use super::{advice::Advice, output::Output, set::Set};

/// Reads one set.
pub(super) fn read<'w>(set: &Set<'w, '_>, out: &mut Output<'w>) {
    let mut advice = Advice::of_set(set, out);
    advice.take_all(set, out);
    advice.finish(set, out);
}

/// Reads segments that no set encloses: an advice of money that the caller knows of, without BPR and without ENT. What has a BPR all the
/// same is read like a set.
pub(super) fn read_segments<'w>(set: &Set<'w, '_>, out: &mut Output<'w>) {
    let mut advice = Advice::of_set(set, out);
    advice.need_no_entity();
    advice.take_all(set, out);
    if advice.has_header() {
        advice.finish(set, out);
    } else {
        advice.finish_without_header(set, out);
    }
}
