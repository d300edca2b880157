//! Named points at which a test may kill the process, to prove that nothing is lost or doubled wherever the power fails.
//!
//! `TIEOUT_FAILPOINT=archive_renamed:3` aborts at the third pass of that point. Without it a point costs one load of a static. Points
//! stand where a step has become durable and the next one has not begun; this module leaves choosing them to their owners.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

/// All points, in the order a file passes them.
pub const POINTS: &[&str] = &[
    "archive_written",
    "archive_renamed",
    "receive_before_commit",
    "receive_committed",
    "inbox_before_removal",
    "record_before_commit",
    "record_committed",
    "apply_before_commit",
    "apply_committed",
    "outbound_before_rename",
    "audit_head_before_write",
];

static ARMED: OnceLock<Failpoint> = OnceLock::new();

/// A point and the pass at which the process ends.
#[derive(Debug)]
pub struct Failpoint {
    name: String,
    pass: u64,
    passes: AtomicU64,
}

impl Failpoint {
    /// Reads `name` or `name:pass`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, pass) = text.split_once(':').unwrap_or((text, "1"));
        if !POINTS.contains(&name) {
            return Err(format!("{name:?} is not a failpoint; expected one of {}", POINTS.join(", ")));
        }
        match pass.parse() {
            Ok(pass) if pass > 0 => Ok(Self { name: name.to_owned(), pass, passes: AtomicU64::new(0) }),
            _ => Err(format!("{pass:?} is not a pass; expected a number from 1, as in {name}:3")),
        }
    }

    /// Counts one pass of `name`; true when it is the one to end at.
    fn passed(&self, name: &str) -> bool {
        self.name == name && self.passes.fetch_add(1, Ordering::SeqCst) + 1 == self.pass
    }
}

/// Arms one point for the life of the process. A second call changes nothing.
pub fn arm(failpoint: Failpoint) {
    ARMED.get_or_init(|| failpoint);
}

/// Passes the point `name`; ends the process at once, without unwinding or flushing, when it is armed for this pass.
pub fn pass(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "{name} is missing in failpoint::POINTS");
    if ARMED.get().is_some_and(|armed| armed.passed(name)) {
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_ends_at_the_pass_named_and_at_no_other() {
        let point = Failpoint::parse("archive_renamed:3").expect("a point");
        assert!(!point.passed("archive_renamed"));
        assert!(!point.passed("archive_written"));
        assert!(!point.passed("archive_renamed"));
        assert!(point.passed("archive_renamed"));
        assert!(!point.passed("archive_renamed"));
    }

    #[test]
    fn a_mistyped_point_is_refused() {
        for bad in ["archive_renamd", "archive_renamed:0", "archive_renamed:x", ""] {
            assert!(Failpoint::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Failpoint::parse("apply_committed").expect("a point").pass, 1);
    }
}
