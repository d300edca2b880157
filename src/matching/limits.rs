//! Bounds of the work one decision may cost. Each says what it stops; whoever meets one says so in the exception.

/// Lines of one advice. Beyond it a person splits the advice; a partner's mistake must not hold up everybody's cash.
pub(super) const LINES_MAX: usize = 5_000;
/// Characters of one reference. Longer ones are text somebody put into the wrong field.
pub(super) const REFERENCE_CHARS_MAX: usize = 128;
/// Bytes of free text looked at for references.
pub(super) const TEXT_BYTES_MAX: usize = 16_384;
/// Items compared with references in one decision: thousands of lines that all name one order stop here, and texts of hundreds of numbers.
pub(super) const COMPARISONS_MAX: u32 = 200_000;
/// Comparisons that one letter by letter counts for.
pub(super) const LETTER_BY_LETTER: u32 = 4;
/// Items kept as candidates of one line.
pub(super) const CANDIDATES_MAX: usize = 64;
/// Open items of a payer looked at when nothing is named.
pub(super) const OWN_ITEMS_MAX: usize = 4_096;
/// Lines that have more than one candidate and take part in the search.
pub(super) const BRANCHING_LINES_MAX: usize = 512;
/// Steps of the search for complete explanations.
pub(super) const SEARCH_STEPS_MAX: u32 = 20_000;
/// Earlier payments compared with one payment.
pub(super) const ALIKE_MAX: usize = 1_024;
/// Customers compared by name.
pub(super) const NAMES_MAX: usize = 256;
/// Evidence items kept for one step; the rest is counted.
pub(super) const EVIDENCE_MAX: usize = 2_000;
/// Proposals offered.
pub(super) const PROPOSALS_MAX: usize = 3;
