//! Damaged files: the reader never panics, and it never accepts what contradicts itself.
//!
//! Samples are damaged in one to four ways each and read again. Four independent witnesses judge every variant that is accepted:
//!
//! 1. *its own answer*: accepted means that every control agrees, and held or rejected that a finding or control says why;
//! 2. *a second reader* of the envelope, which knows only counts and control numbers: where it sees a contradiction or a missing end,
//!    the file must not be accepted, and where it sees none, every set must have become a record or a finding;
//! 3. *the lines*: a payment whose lines do not add up to it carries a finding that says so;
//! 4. *the undamaged file*: a payment or invoice that is balanced and without a finding has an amount that stood in the original.
//!
//! The fourth is what a thief or a bit flip would have to beat: an amount may change only when the file shows it.

#[path = "damage/independent.rs"]
mod independent;
#[path = "damage/mutate.rs"]
mod mutate;
mod support;

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use independent::Opinion;
use support::random::Random;
use tieout_parsers::{Currency, Effect, FindingCode, Invoice, Limits, Parsed, Payment, Remittance, Severity, Status};

const VARIANTS: u64 = 20_000;
const VARIANTS_LONG: u64 = 500_000;

#[test]
fn twenty_thousand_damaged_files_are_read_or_refused() {
    run(0, VARIANTS);
}

#[test]
#[ignore = "long form: half a million variants, several minutes"]
fn half_a_million_damaged_files_are_read_or_refused() {
    run(1 << 32, VARIANTS_LONG);
}

#[test]
fn the_undamaged_samples_satisfy_the_witnesses() {
    for sample in load_samples() {
        let wrong = judge(&sample, &sample.bytes);
        assert!(wrong.is_empty(), "{}: {}", sample.name, wrong.join("; "));
    }
}

/// A sample with what the reader says about it undamaged.
struct Sample {
    name: String,
    bytes: Vec<u8>,
    /// The second reader has an opinion on it.
    plain: bool,
    amounts: Amounts,
}

/// How often each amount of money occurs.
type Amounts = BTreeMap<(i64, Currency), usize>;

fn load_samples() -> Vec<Sample> {
    let mut paths = Vec::new();
    for folder in ["good", "odd", "broken"] {
        let folder = support::samples().join("x12").join(folder);
        paths.extend(fs::read_dir(folder).expect("samples").map(|entry| entry.expect("an entry").path()));
    }
    paths.sort();
    paths.iter().map(|path| Sample::load(path)).collect()
}

impl Sample {
    fn load(path: &Path) -> Self {
        let bytes = fs::read(path).expect("a readable sample");
        let parsed = tieout_parsers::parse(&bytes, &Limits::default());
        let mut amounts = Amounts::new();
        let payments = parsed.document.payments.iter().map(|payment| payment.amount);
        for amount in payments.chain(parsed.document.invoices.iter().map(|invoice| invoice.amount)) {
            *amounts.entry((amount.minor, amount.currency)).or_default() += 1;
        }
        let plain = matches!(independent::read(&bytes), Opinion::Consistent(_));
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        Self { name, plain, amounts, bytes }
    }
}

fn run(first: u64, count: u64) {
    let samples = load_samples();
    let mut failures = Vec::new();
    let mut statuses: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in first..first + count {
        let mut random = Random::new(seed);
        let sample = random.pick(&samples);
        let (damaged, kinds) = mutate::damage(&sample.bytes, &mut random);
        match catch_unwind(AssertUnwindSafe(|| (status(&damaged), judge(sample, &damaged)))) {
            Ok((status, wrong)) => {
                *statuses.entry(status).or_default() += 1;
                failures.extend(wrong.into_iter().map(|wrong| describe(seed, sample, &kinds, &damaged, &wrong)));
            }
            Err(_) => failures.push(describe(seed, sample, &kinds, &damaged, "panic")),
        }
    }
    println!("{count} damaged files from seed {first}: {statuses:?}");
    let accepted = statuses.get("accepted").copied().unwrap_or(0);
    assert!(accepted * 100 > count, "hardly anything was accepted, so hardly anything was judged");
    let shown: Vec<_> = failures.iter().take(12).cloned().collect();
    assert!(failures.is_empty(), "{} of {count} damaged files went wrong:\n{}", failures.len(), shown.join("\n"));
}

fn status(bytes: &[u8]) -> &'static str {
    tieout_parsers::parse(bytes, &Limits::default()).document.status.as_str()
}

/// One line for a failure; the damaged file is kept so that `tieout parse` can show it.
fn describe(seed: u64, sample: &Sample, kinds: &str, bytes: &[u8], wrong: &str) -> String {
    let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("damage-{seed}.edi"));
    fs::write(&kept, bytes).expect("the damaged file can be kept");
    format!("seed {seed}, {} ({kinds}): {wrong}; kept as {}", sample.name, kept.display())
}

/// Everything the witnesses have to say against the answer to `bytes`.
fn judge(sample: &Sample, bytes: &[u8]) -> Vec<String> {
    let parsed = tieout_parsers::parse(bytes, &Limits::default());
    let mut wrong = Vec::new();
    own_answer(&parsed, &mut wrong);
    if !matches!(parsed.document.status, Status::Accepted | Status::AcceptedWithFindings) {
        return wrong;
    }
    // The second reader takes the delimiters from the ISA and believes them; a damaged ISA is left to the other witnesses.
    if sample.plain && bytes.get(..106) == sample.bytes.get(..106) {
        second_reader(&parsed, &independent::read(bytes), &mut wrong);
    }
    lines(&parsed, &mut wrong);
    original(&parsed, &sample.amounts, &mut wrong);
    wrong
}

fn own_answer(parsed: &Parsed<'_>, wrong: &mut Vec<String>) {
    let (document, findings) = (&parsed.document, &parsed.findings);
    let disagrees = document.controls.iter().any(|control| !control.ok);
    let blocking = |effect: Effect| findings.iter().any(|finding| finding.effect == effect);
    match document.status {
        Status::Accepted if findings.iter().any(|finding| finding.severity == Severity::Error) => {
            wrong.push("accepted, and a finding is an error".to_owned());
        }
        Status::Accepted | Status::AcceptedWithFindings if blocking(Effect::FileHeld) || blocking(Effect::FileRejected) => {
            wrong.push("accepted, and a finding holds or rejects the file".to_owned());
        }
        Status::Held if !blocking(Effect::FileHeld) && !blocking(Effect::FileRejected) && !disagrees => {
            wrong.push("held, and nothing says why".to_owned())
        }
        Status::Rejected | Status::Unsupported if findings.is_empty() => wrong.push("refused, and nothing says why".to_owned()),
        _ => {}
    }
    for payment in &document.payments {
        let index = payment.remittance.map(|index| usize::try_from(index).expect("an index"));
        if index.is_some_and(|index| index >= document.remittances.len()) {
            wrong.push(format!("payment {} refers to a remittance that is not there", payment.seq));
        }
        if payment.amount.minor < 0 {
            wrong.push(format!("payment {} is negative", payment.seq));
        }
    }
}

fn second_reader(parsed: &Parsed<'_>, opinion: &Opinion, wrong: &mut Vec<String>) {
    match opinion {
        Opinion::Contradicts(why) => wrong.push(format!("accepted, but {why}")),
        Opinion::Unclear => {}
        Opinion::Consistent(sets) => {
            for set in sets {
                let inside = |byte: u64| (set.range.0..set.range.1).contains(&byte);
                let document = &parsed.document;
                let told = document.payments.iter().any(|record| inside(record.location.byte))
                    || document.remittances.iter().any(|record| inside(record.location.byte))
                    || document.invoices.iter().any(|record| inside(record.location.byte))
                    || document.acknowledgments.iter().any(|record| inside(record.location.byte))
                    || parsed.findings.iter().any(|finding| inside(finding.location.byte));
                if !told {
                    wrong.push(format!("the {} set at byte {} vanished without a word", set.kind, set.range.0));
                }
            }
        }
    }
}

/// The sum of the lines, when every line has an amount.
fn sum(remittance: &Remittance<'_>) -> Option<i128> {
    remittance.lines.iter().map(|line| line.net.map(|net| i128::from(net.minor))).sum()
}

fn balanced(payment: &Payment<'_>, parsed: &Parsed<'_>) -> Option<bool> {
    let index = usize::try_from(payment.remittance?).expect("an index");
    let remittance = parsed.document.remittances.get(index)?;
    if remittance.lines.is_empty() {
        return None;
    }
    Some(sum(remittance)? == i128::from(payment.amount.minor))
}

fn lines(parsed: &Parsed<'_>, wrong: &mut Vec<String>) {
    let unbalanced = parsed.document.payments.iter().filter(|payment| balanced(payment, parsed) == Some(false)).count();
    let told = parsed.findings.iter().filter(|finding| finding.code == FindingCode::OutOfBalance).count();
    if unbalanced > told {
        wrong.push(format!("{unbalanced} payments are out of balance, {told} findings say so"));
    }
}

fn original(parsed: &Parsed<'_>, amounts: &Amounts, wrong: &mut Vec<String>) {
    let mut left = amounts.clone();
    let mut take = |amount: tieout_parsers::Money| match left.get_mut(&(amount.minor, amount.currency)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    for payment in parsed.document.payments.iter().filter(|payment| balanced(payment, parsed) == Some(true)) {
        if !take(payment.amount) {
            wrong.push(format!("payment {} of {} was never sent, and it balances", payment.seq, payment.amount));
        }
    }
    for invoice in parsed.document.invoices.iter().filter(|invoice| !has_finding(invoice, parsed)) {
        if !take(invoice.amount) {
            wrong.push(format!("invoice {} of {} was never sent, and nothing is said of it", invoice.number, invoice.amount));
        }
    }
}

/// Whether anything was found between this invoice and the next one.
fn has_finding(invoice: &Invoice<'_>, parsed: &Parsed<'_>) -> bool {
    let from = invoice.location.byte;
    let later = parsed.document.invoices.iter().map(|other| other.location.byte).filter(|byte| *byte > from);
    let to = later.min().unwrap_or(u64::MAX);
    parsed.findings.iter().any(|finding| (from..to).contains(&finding.location.byte))
}
