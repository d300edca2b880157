//! Records 7 of one entry, sorted by what they say.

use crate::{Effect, FindingCode, utf8::Utf8, x12::output::Output};

use super::{
    entry::Entry,
    layout::{addenda as more, entry as at},
    line::{Line, number},
};

/// The addenda of an entry, by what they say.
#[derive(Debug, Default)]
pub(super) struct Addenda<'w> {
    /// 05 and 17.
    pub payment: Vec<Line<'w>>,
    /// The first of them whose sequence number does not rise by one from 1, and the number expected.
    pub disorder: Option<(Line<'w>, usize)>,
    /// 99.
    pub returned: Option<Line<'w>>,
    /// 98.
    pub changed: Option<Line<'w>>,
    /// 02.
    pub terminal: Option<Line<'w>>,
    /// 10, 11, 13 and 15 of an international entry.
    pub receiver: Option<Line<'w>>,
    pub originator: Option<Line<'w>>,
    pub originator_bank: Option<Line<'w>>,
    pub receiver_id: Option<Line<'w>>,
}

/// Most entries have none.
pub(super) static NO_ADDENDA: Addenda<'static> = Addenda {
    payment: Vec::new(),
    disorder: None,
    returned: None,
    changed: None,
    terminal: None,
    receiver: None,
    originator: None,
    originator_bank: None,
    receiver_id: None,
};

impl<'w> Addenda<'w> {
    /// Sorts the addenda. One that names another entry is set aside: a remittance with the wrong payment is worse than none.
    pub fn gather(entry: &Entry<'w, '_>, line: &Line<'w>, text: &mut Utf8<'w>, out: &mut Output<'w>) -> Self {
        let mut addenda = Self::default();
        let trace = line.raw(&at::TRACE).get(8..).unwrap_or_default();
        for span in entry.spans.iter().skip(1) {
            let more = span.line_of_texts(text, entry.base);
            let place = match more.raw(&more::TYPE_CODE) {
                b"05" | b"17" => {
                    if is_foreign(&more, trace, entry.head.disturbed, out) {
                        continue;
                    }
                    if addenda.payment.is_empty() {
                        addenda.payment.reserve_exact(entry.spans.len());
                    }
                    addenda.payment.push(more);
                    let expected = addenda.payment.len() % 10_000;
                    let found = number(more.raw(&more::SEQUENCE));
                    // After 9,999 some count from 0 and some from 1.
                    let suits = found == Some(expected as u64) || (expected == 0 && found == Some(1));
                    if !suits {
                        addenda.disorder.get_or_insert((more, expected));
                    }
                    continue;
                }
                b"99" => &mut addenda.returned,
                b"98" => &mut addenda.changed,
                b"02" => &mut addenda.terminal,
                b"10" => &mut addenda.receiver,
                b"11" => &mut addenda.originator,
                b"13" => &mut addenda.originator_bank,
                b"15" => &mut addenda.receiver_id,
                b"12" | b"14" | b"16" | b"18" => continue,
                _ => {
                    let message = "the addenda type is none we know; it was skipped".to_owned();
                    let expected = "02, 05, 10 to 18, 98 or 99";
                    out.finding(more.finding(&more::TYPE_CODE, FindingCode::BadCode, Effect::Noted, message, expected));
                    continue;
                }
            };
            place.get_or_insert(more);
        }
        addenda
    }
}

/// Whether an addenda names another entry than the one it follows. `disturbed` says that a line between them is no record.
fn is_foreign(more: &Line<'_>, trace: &[u8], disturbed: bool, out: &mut Output<'_>) -> bool {
    let found = more.raw(&more::ENTRY_SEQUENCE);
    if found == trace {
        return false;
    }
    // A number that cannot be one says nothing; after a damaged line nothing but the right number is proof.
    if !disturbed && (number(found).is_none() || number(trace).is_none()) {
        return false;
    }
    let message = "the addenda names another entry than the one before it, so it is not used".to_owned();
    let code = FindingCode::ControlNumberMismatch;
    let expected = String::from_utf8_lossy(trace).into_owned();
    out.finding(more.finding(&more::ENTRY_SEQUENCE, code, Effect::RecordSetAside, message, &expected));
    true
}
