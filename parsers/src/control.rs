//! Claimed counts, totals and numbers beside the computed ones.

use serde::Serialize;

use crate::{Figure, Location};

/// One claim of a file about itself, compared with what we computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Control {
    /// The standard's name of the claim: `SE01`, `IEA02`, `BPR02`.
    pub name: &'static str,
    /// How much of the file the claim is about: `file`, `interchange`, `group`, `set`, `deposit`, `batch`, `payment`, `account`.
    pub level: &'static str,
    /// What the file says.
    pub claimed: Figure,
    /// What we computed.
    pub computed: Figure,
    /// Whether the two agree.
    pub ok: bool,
    /// Where the claim stands.
    pub location: Location,
}
