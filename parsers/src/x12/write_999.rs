//! Writing the 999, the acknowledgment of sets that follow an implementation guide.

use super::{
    received::GroupReceived,
    write::Writer,
    write_997::{Style, write_as},
};

/// The guide of the 999 itself (GS08, ST03).
pub(crate) const VERSION: &str = "005010X231A1";

/// Writes the 999 of a group.
pub(crate) fn write(group: &GroupReceived, writer: &mut Writer) {
    write_as(Style { id: "999", guide: VERSION, segment: "IK3", element: "IK4", set: "IK5" }, group, writer);
}
