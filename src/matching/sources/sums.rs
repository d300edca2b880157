//! A line of a statement that is only the sum of items which another file lists: a lockbox deposit and its cheques, a batch booking and
//! its transactions, one credit for the entries of an ACH batch.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::Doubt;
use crate::domain::{AccountKey, Currency, FileId, ItemGroup, Method, PaymentId, PaymentState, Sighted};
use crate::normalise::{self, Name};

/// Days between the deposit date of the items and the booking of their sum.
pub const SUM_DAYS: u64 = 4;
/// Letters of a company's name that the text of a bank must repeat.
const COMPANY_MIN: usize = 5;

/// A line and the items that it is the sum of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SumOf {
    pub line: PaymentId,
    pub groups: Vec<ItemGroup>,
    pub why: &'static str,
    /// Otherwise a person must say whether it is.
    pub is_certain: bool,
}

/// Batches that one line may sum up.
struct Whole<'b> {
    batches: Vec<usize>,
    first: &'b ItemGroup,
    items: i64,
    sum_minor: i64,
}

/// The sums that `batches` can have, one by one and by the levels above them, so that only lines with such an amount need be looked at.
pub fn possible(batches: &[ItemGroup]) -> BTreeSet<(AccountKey, Currency, i64)> {
    wholes(batches).into_iter().map(|whole| (whole.first.own.clone(), whole.first.currency, whole.sum_minor)).collect()
}

/// Explains lines by batches, each batch once. Lines that say of themselves that they are sums choose first.
pub fn sums(lines: &[Sighted], batches: &[ItemGroup]) -> Vec<SumOf> {
    let wholes = wholes(batches);
    let counts = |line: &&Sighted| line.duplicate_of.is_none() && !matches!(line.state, PaymentState::Held | PaymentState::Void);
    let booked = |line: &&Sighted| line.sighting.report.is_booking() && !line.is_explained;
    let mut order: Vec<&Sighted> = lines.iter().filter(booked).filter(counts).collect();
    order.sort_by_key(|line| (!line.sighting.is_sum, line.value_date, line.payment));
    let mut used = BTreeSet::new();
    let mut found = Vec::new();
    for line in order {
        let fits = wholes
            .iter()
            .filter(|whole| whole.sum_minor == line.amount_minor && whole.batches.iter().all(|at| !used.contains(at)));
        let judged = fits.filter_map(|whole| Some((whole, judge(line, whole)?)));
        let best =
            judged.min_by_key(|(whole, (certain, _))| (!*certain, days(line, whole.first), whole.batches.len(), whole.first));
        let Some((whole, (is_certain, why))) = best else { continue };
        used.extend(whole.batches.iter().copied());
        let groups = whole.batches.iter().map(|at| batches[*at].clone()).collect();
        found.push(SumOf { line: line.payment, groups, why, is_certain });
    }
    found
}

/// Account, currency, day, path, and the file unless all files of the day count together.
type Level<'b> = (&'b AccountKey, Currency, NaiveDate, &'b str, Option<FileId>);

/// Each batch, each level above it within its file, and the topmost level over all files of the day.
fn wholes(batches: &[ItemGroup]) -> Vec<Whole<'_>> {
    let mut levels: BTreeMap<Level<'_>, Vec<usize>> = BTreeMap::new();
    for (at, batch) in batches.iter().enumerate() {
        let mut path = batch.group.as_str();
        let mut add = |path, file| levels.entry((&batch.own, batch.currency, batch.value_date, path, file)).or_default().push(at);
        add(path, Some(batch.file));
        while let Some((above, _)) = path.rsplit_once('/') {
            path = above;
            add(path, Some(batch.file));
        }
        if path != batch.group {
            add(path, None);
        }
    }
    let mut wholes: Vec<Whole<'_>> = Vec::new();
    let mut seen = BTreeSet::new();
    for batch_places in levels.into_values() {
        let Some(first) = batch_places.first().and_then(|at| batches.get(*at)) else { continue };
        let of =
            |value: fn(&ItemGroup) -> i64| batch_places.iter().map(|at| value(&batches[*at])).try_fold(0_i64, i64::checked_add);
        let (Some(sum_minor), Some(items)) = (of(|batch| batch.sum_minor), of(|batch| batch.items)) else { continue };
        if seen.insert(batch_places.clone()) {
            wholes.push(Whole { batches: batch_places, first, items, sum_minor });
        }
    }
    wholes
}

/// Whether the line is the sum of the batches: surely, perhaps, or not at all.
fn judge(line: &Sighted, whole: &Whole<'_>) -> Option<(bool, &'static str)> {
    let batch = whole.first;
    let own = line.sighting.own.as_ref() == Some(&batch.own) && line.currency == batch.currency;
    let apart = days(line, batch);
    if !own || apart > SUM_DAYS || line.file == batch.file {
        return None;
    }
    let is_camt = |format: &str| format.starts_with("camt.");
    let is_lockbox = matches!(batch.format.as_str(), "lockbox.bai" | "x12.823");
    if line.sighting.is_sum && line.format == "bai2" {
        return is_lockbox.then_some((untouched(line), "a lockbox deposit of the account, to the cent the sum of its cheques"));
    }
    if is_camt(&line.format) && is_camt(&batch.format) {
        return by_entry(line, whole, apart);
    }
    let counted = line.sighting.is_sum && line.sighting.items.map(i64::from) == Some(whole.items);
    if counted {
        return Some((apart == 0 && untouched(line), "a batch booking with the number and the sum of the items"));
    }
    let said_otherwise = line.sighting.is_sum && line.sighting.items.is_some();
    if whole.items < 2 || said_otherwise {
        return None;
    }
    let suits = match line.method {
        Method::Other => true,
        Method::Check => is_lockbox,
        Method::Ach => batch.format == "nacha",
        Method::Wire | Method::Card => false,
    };
    if suits && batch.format == "nacha" && is_company(line, batch) {
        return Some((
            apart <= 1 && untouched(line),
            "one credit for the batch of a company, to the cent the sum of its entries",
        ));
    }
    (suits && apart == 0).then_some((false, "the amount of the line is to the cent the sum of the items of another file"))
}

/// A batch booking and the transactions that a notification lists under the same reference.
fn by_entry(line: &Sighted, whole: &Whole<'_>, apart: u64) -> Option<(bool, &'static str)> {
    let theirs = whole.first.group.split_once('=').map_or("", |(_, entry)| entry);
    let ours = line.sighting.group.as_deref().and_then(|group| group.split_once('=')).map_or("", |(_, entry)| entry);
    // An entry without its transactions has its reference as a number of its own.
    let marked = line.sighting.marks.bank.iter().any(|mark| mark == theirs.trim_start_matches('0'));
    let ours = if ours.is_empty() && marked { theirs } else { ours };
    let counted = line.sighting.items.map(i64::from) == Some(whole.items);
    match (ours, theirs) {
        ("", _) | (_, "") if counted => {
            Some((apart == 0 && untouched(line), "a batch booking with the number and the sum of the transactions"))
        }
        ("", _) | (_, "") if line.sighting.items.is_none() && whole.items > 1 && apart == 0 => {
            Some((false, "the amount of the entry is to the cent the sum of the transactions of another file"))
        }
        // One transaction is no sum: the entry and it are two records of one payment, or of two.
        (ours, theirs) if !ours.is_empty() && ours == theirs && whole.items > 1 => {
            Some((untouched(line), "the entry has the reference and the sum of the transactions"))
        }
        _ => None,
    }
}

/// Nothing was decided about the line yet; what a person or a rule has applied is not taken away without asking.
fn untouched(line: &Sighted) -> bool {
    matches!(line.state, PaymentState::Received | PaymentState::Exception)
}

fn is_company(line: &Sighted, batch: &ItemGroup) -> bool {
    let id = |id: &Option<String>| id.as_deref().map(normalise::fold).filter(|id| !id.is_empty());
    let ids = id(&line.payer_id).zip(id(&batch.payer_id)).map(|(ours, theirs)| ours == theirs);
    let name = |name: &Option<String>| Name::new(name.as_deref().unwrap_or_default()).compact;
    let (ours, theirs) = (name(&line.payer_name), name(&batch.payer_name));
    let named = ours.len().min(theirs.len()) >= COMPANY_MIN && (ours.starts_with(&theirs) || theirs.starts_with(&ours));
    ids.unwrap_or(named)
}

fn days(line: &Sighted, batch: &ItemGroup) -> u64 {
    line.value_date.signed_duration_since(batch.value_date).num_days().unsigned_abs()
}

/// A doubtful sum as doubts: about the line when it came last, about each item when the items did.
pub fn doubts_of(sum: &SumOf, parts: &[PaymentId], line_is_new: bool) -> Vec<Doubt> {
    if line_is_new {
        return vec![Doubt { payment: sum.line, others: parts.to_vec(), why: sum.why }];
    }
    parts.iter().map(|part| Doubt { payment: *part, others: vec![sum.line], why: sum.why }).collect()
}
