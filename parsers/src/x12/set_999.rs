//! 999 Implementation Acknowledgment: a 997 that also judges by an implementation guide.

use super::{
    output::Output,
    set::Set,
    set_997::{Dialect, read_as},
};

const DIALECT: Dialect = Dialect { segment: b"IK3", element: b"IK4", set: b"IK5", context: Some(b"CTX"), guide_codes: true };

/// Reads one 999.
pub(crate) fn read<'w>(set: &Set<'w, '_>, out: &mut Output<'w>) {
    read_as(DIALECT, set, out);
}
