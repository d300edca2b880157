//! The same money seen in several files: which records are further sources of a payment, and which lines are only the sum of items.
//!
//! Records are counted, never looked up: each file can tell of a payment once, so two equal cheques stay two however many files list them.
//! What a bank numbered is linked by its number, what a final report must repeat by amount and day. Anything weaker is a doubt for a person.

mod sums;

use std::collections::{BTreeMap, HashMap};

use crate::domain::{FileId, Method, PaymentId, PaymentState, Report, Sighted};
use crate::normalise::Name;

pub use sums::{SUM_DAYS, SumOf, doubts_of, possible, sums};

/// Days that may lie between two reports of the same money when a bank's number names it.
pub const WINDOW_DAYS: u64 = 7;
/// Days within which one payer's equal amount in two kinds of reports is at least a doubt.
const DOUBT_DAYS: u64 = 3;
/// A number of this length may be cut by a format with less room (MT940: 16 characters) and still name the same payment.
const CUT_MARK_MIN: usize = 12;

/// A record that tells of money which another record told of before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Same {
    pub record: PaymentId,
    /// The record that counts.
    pub counts: PaymentId,
    pub why: &'static str,
}

/// A record that may tell of the same money as others: nothing of it moves until a person has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    pub payment: PaymentId,
    pub others: Vec<PaymentId>,
    pub why: &'static str,
}

/// How surely two records are one payment; the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// A bank numbered it.
    Numbered,
    /// The payer's number on the same day, in reports that must both have it.
    Named,
    /// The final report of the day repeats what the interim report told.
    Repeated,
    Doubtful,
}

impl Level {
    const CERTAIN: [Self; 3] = [Self::Numbered, Self::Named, Self::Repeated];

    const fn why(self) -> &'static str {
        match self {
            Self::Numbered => "same account, amount and bank reference",
            Self::Named => "same account, amount, day and payer's reference in two kinds of reports",
            Self::Repeated => "the final report of the day repeats the interim one",
            Self::Doubtful => "same account and amount, and nothing tells whether it is one payment or two",
        }
    }
}

/// What two records say of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Same(Level),
    /// They name different money, or stand in one report.
    Different,
    /// Nothing ties them.
    Unrelated,
}

/// Pairs the records of a file that was just read with payments known before.
///
/// `records` are live rows of the file; `known` are all rows of other files with their accounts and amounts, void ones too.
pub fn pairs(records: &[Sighted], known: &[Sighted]) -> (Vec<Same>, Vec<Doubt>) {
    let (mut same, mut doubts) = (Vec::new(), Vec::new());
    let clusters = clusters(known);
    let mut groups: BTreeMap<_, Vec<&Sighted>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.sighting.own.is_some()) {
        groups.entry(group_key(record)).or_default().push(record);
    }
    for (key, records) in groups {
        let Some(clusters) = clusters.get(&key) else { continue };
        pair_group(&records, clusters, &mut same, &mut doubts);
    }
    (same, doubts)
}

type GroupKey<'s> = (&'s str, &'s str, i64, bool);

/// Only records of one account, currency and amount are ever compared; a sum is never one of its items.
fn group_key(record: &Sighted) -> GroupKey<'_> {
    let own = record.sighting.own.as_ref().map_or("", |own| own.0.as_str());
    (own, record.currency.as_str(), record.amount_minor, record.sighting.is_sum)
}

/// A payment with all records that told of it.
struct Cluster<'s> {
    root: PaymentId,
    sources: Vec<&'s Sighted>,
}

fn clusters(known: &[Sighted]) -> HashMap<GroupKey<'_>, Vec<Cluster<'_>>> {
    let mut roots: BTreeMap<(GroupKey<'_>, PaymentId), Vec<&Sighted>> = BTreeMap::new();
    for row in known {
        let rejected = row.state == PaymentState::Void && row.duplicate_of.is_none() && !row.is_explained;
        if row.state != PaymentState::Held && !rejected {
            roots.entry((group_key(row), row.duplicate_of.unwrap_or(row.payment))).or_default().push(row);
        }
    }
    let mut clusters: HashMap<_, Vec<_>> = HashMap::new();
    for ((key, root), sources) in roots {
        clusters.entry(key).or_default().push(Cluster { root, sources });
    }
    clusters
}

/// The surest pairs first; of equally sure ones, the record with the fewest choices, so that none takes what another needs.
fn pair_group(records: &[&Sighted], clusters: &[Cluster<'_>], same: &mut Vec<Same>, doubts: &mut Vec<Doubt>) {
    let mut taken = vec![false; clusters.len()];
    let mut open: Vec<(&Sighted, Vec<(usize, Level)>)> = records
        .iter()
        .map(|record| {
            let levels = clusters.iter().enumerate().filter_map(|(place, cluster)| Some((place, cluster.level(record)?)));
            (*record, levels.collect())
        })
        .collect();
    for level in Level::CERTAIN {
        open.sort_by_key(|(record, levels)| (levels.iter().filter(|(_, found)| *found == level).count(), record.payment));
        open.retain(|(record, levels)| {
            let free = levels.iter().filter(|(place, found)| *found == level && !taken[*place]);
            let nearest = free.min_by_key(|(place, _)| (clusters[*place].distance(record), clusters[*place].root));
            let Some((place, _)) = nearest else { return true };
            taken[*place] = true;
            same.push(Same { record: record.payment, counts: clusters[*place].root, why: level.why() });
            false
        });
    }
    for (record, levels) in open {
        let free = levels.iter().filter(|(place, _)| !taken[*place]);
        let others: Vec<_> = free.map(|(place, _)| clusters[*place].root).collect();
        if !others.is_empty() {
            doubts.push(Doubt { payment: record.payment, others, why: Level::Doubtful.why() });
        }
    }
}

impl Cluster<'_> {
    /// How surely the record is another source of this payment. One record that names other money outweighs all but a bank's number.
    fn level(&self, record: &Sighted) -> Option<Level> {
        let mut best: Option<Level> = None;
        let mut different = false;
        for source in &self.sources {
            match compare(record, source) {
                Verdict::Same(level) => best = Some(best.map_or(level, |best| best.min(level))),
                Verdict::Different if told_by(source) == told_by(record) => return None,
                Verdict::Different => different = true,
                Verdict::Unrelated => {}
            }
        }
        best.filter(|level| !different || *level == Level::Numbered)
    }

    fn distance(&self, record: &Sighted) -> (u64, bool) {
        let days = self.sources.iter().map(|source| days_apart(source, record)).min().unwrap_or(u64::MAX);
        (days, !self.sources.iter().any(|source| names_agree(source, record) == Some(true)))
    }
}

/// A file tells of a payment once.
fn told_by(record: &Sighted) -> (FileId, Report) {
    (record.file, record.sighting.report)
}

fn compare(record: &Sighted, source: &Sighted) -> Verdict {
    let reports = (record.sighting.report, source.sighting.report);
    let sellers_differ = record.seller.zip(source.seller).is_some_and(|(ours, theirs)| ours != theirs);
    // Two orders for one amount are for the matching to judge: a debt may have been paid twice.
    if told_by(record) == told_by(source) || sellers_differ || reports == (Report::Order, Report::Order) {
        return Verdict::Different;
    }
    if !methods_agree(record, source) {
        return Verdict::Different;
    }
    let days = days_apart(record, source);
    let one_kind = reports.0 == reports.1 && record.format == source.format;
    let (ours, theirs) = (&record.sighting.marks, &source.sighting.marks);
    let doubtful_name = names_agree(record, source) == Some(false);
    if shared(&ours.bank, &theirs.bank) {
        return match days {
            0 if !doubtful_name => Verdict::Same(Level::Numbered),
            1..=WINDOW_DAYS if !one_kind && !doubtful_name => Verdict::Same(Level::Numbered),
            0..=WINDOW_DAYS => Verdict::Same(Level::Doubtful),
            _ => Verdict::Different,
        };
    }
    let named = shared(&ours.payer, &theirs.payer) || shared(&ours.payer, &theirs.bank) || shared(&ours.bank, &theirs.payer);
    if named {
        return match days {
            0 if !one_kind && !doubtful_name => Verdict::Same(Level::Named),
            0 => Verdict::Same(Level::Doubtful),
            1..=DOUBT_DAYS if !one_kind => Verdict::Same(Level::Doubtful),
            _ => Verdict::Different,
        };
    }
    unnumbered(record, source, days)
}

/// Two records that share no number.
fn unnumbered(record: &Sighted, source: &Sighted, days: u64) -> Verdict {
    let (ours, theirs) = (&record.sighting, &source.sighting);
    let both = |list: fn(&Sighted) -> &Vec<String>| !list(record).is_empty() && !list(source).is_empty();
    let one_bank = family(&record.format) == family(&source.format);
    // One bank numbers in one way: where both records have its numbers and they differ, it is other money. So it is with cheques.
    let numbered = one_bank && (both(|row| &row.sighting.marks.bank) || both(|row| &row.sighting.marks.payer));
    let cheques = both(|row| &row.sighting.marks.payer) && record.method == Method::Check && source.method == Method::Check;
    if numbered || cheques {
        return Verdict::Different;
    }
    let names = names_agree(record, source);
    if ours.report == Report::Order || theirs.report == Report::Order {
        return Verdict::Unrelated;
    }
    let interim = |report: Report| report == Report::Interim;
    match days {
        0 if one_bank
            && interim(ours.report) != interim(theirs.report)
            && both_booked(record, source)
            && names != Some(false) =>
        {
            Verdict::Same(Level::Repeated)
        }
        0 if both_booked(record, source) || names != Some(false) => Verdict::Same(Level::Doubtful),
        1..=DOUBT_DAYS if ours.report != theirs.report && names == Some(true) => Verdict::Same(Level::Doubtful),
        _ => Verdict::Unrelated,
    }
}

const fn both_booked(record: &Sighted, source: &Sighted) -> bool {
    record.sighting.report.is_booking() && source.sighting.report.is_booking()
}

/// Formats in which one bank writes the same numbers.
fn family(format: &str) -> &str {
    match format {
        "mt940" | "mt942" => "swift",
        _ => format.split('.').next().unwrap_or(format),
    }
}

/// Whether two lists share a number; a long one may be cut at either end.
fn shared(ours: &[String], theirs: &[String]) -> bool {
    let cut = |long: &str, short: &str| short.len() >= CUT_MARK_MIN && (long.starts_with(short) || long.ends_with(short));
    ours.iter().any(|mark| theirs.iter().any(|other| mark == other || cut(mark, other) || cut(other, mark)))
}

/// A cheque is never a transfer, and a card sale neither. ACH and wire are told apart where the format tells them surely.
fn methods_agree(record: &Sighted, source: &Sighted) -> bool {
    let sure = |row: &Sighted| matches!(row.format.as_str(), "nacha" | "bai2");
    match (record.method, source.method) {
        (ours, theirs) if ours == theirs => true,
        (Method::Other, _) | (_, Method::Other) => true,
        (Method::Ach, Method::Wire) | (Method::Wire, Method::Ach) => !(sure(record) && sure(source)),
        _ => false,
    }
}

/// Whether two records name one payer; `None` when one of them names none.
fn names_agree(record: &Sighted, source: &Sighted) -> Option<bool> {
    Name::may_be_one(record.payer_name.as_deref(), source.payer_name.as_deref())
}

fn days_apart(record: &Sighted, source: &Sighted) -> u64 {
    record.value_date.signed_duration_since(source.value_date).num_days().unsigned_abs()
}

#[cfg(test)]
mod tests;
