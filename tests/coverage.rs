//! Whether the certificate keeps its promise: of 100 certificates on fresh data, how many bounds cover the true rate. A simulation always runs; the ignored
//! form reads replays of labelled worlds, so that it measures the engine and not a model of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tieout::{
    certificate::{Given, Label, Plan, issue},
    domain::{AmountClass, Permit, Stratum},
};

const TRIALS: u64 = 100;
/// Labels from which a threshold is judged in so small a trial.
const LABELS_MIN: usize = 50;
/// Bounds that must hold, of 100 at a confidence of 95 %.
const HELD_MIN: u64 = 95;

/// A fixed stream of numbers (splitmix64).
struct Stream(u64);

impl Stream {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn plan(budget_ppm: u32) -> Plan {
    Plan {
        budget_ppm,
        delta_ppm: 50_000,
        grid_milli: vec![18_000, 16_000, 14_000, 12_000, 10_000, 8_000, 6_000],
        labels_min: LABELS_MIN as u64,
    }
}

fn given(rule: &str, labels: Vec<Label>, posts: Permit) -> Given {
    let stratum = Stratum { rule: rule.to_owned(), class: AmountClass::Normal };
    let posted = labels.len() as u64;
    Given { stratum, safe: posts == Permit::Always, posts, labels, waiting: 0, overdue: 0, posted, undone: 0 }
}

/// Errors grow from 0.05 % at a confidence of 20 to 6.4 % at 6: the true rate above each threshold is known, and the certificate sees 600 labels.
#[test]
fn simulated_certificates_cover_the_true_rate() {
    let wrong_ppm = |confidence_milli: i32| 500_u64 << ((20_000 - confidence_milli) / 2_000).clamp(0, 7);
    let confidences: Vec<i32> = (6_000..20_000).step_by(100).collect();
    let (mut held, mut posting) = (0, 0);
    for trial in 0..TRIALS {
        let mut stream = Stream(trial * 7_919 + 17);
        let draw = |_| {
            let confidence_milli = confidences[usize::try_from(stream.below(confidences.len() as u64)).expect("small")];
            Label { confidence_milli, wrong: stream.below(1_000_000) < wrong_ppm(confidence_milli), posted: false, share_ppm: 1 }
        };
        let labels: Vec<Label> = (0..600).map(draw).collect();
        let line = issue(plan(20_000), String::new(), &[given("simulated", labels, Permit::Never)]).strata.remove(0);
        let Permit::From { confidence_milli: from } = line.posts else {
            held += 1;
            continue;
        };
        posting += 1;
        let above: Vec<u64> = confidences.iter().filter(|milli| **milli >= from).map(|milli| wrong_ppm(*milli)).collect();
        held += u64::from(above.iter().sum::<u64>() <= u64::from(line.bound_ppm) * above.len() as u64);
    }
    assert!(posting >= 50, "a certificate that lets nothing post is never wrong: {posting} of {TRIALS} let something post");
    assert!(held >= HELD_MIN, "{held} of {TRIALS} bounds held");
}

/// `TIEOUT_TEST_WORLDS` is a folder of profiles, each a folder of worlds with `truth.jsonl` and the `applications.jsonl` of a replay. Each world certifies, and
/// the error rate of all the others of its profile is what its bounds must cover.
#[test]
#[ignore = "needs replayed worlds in TIEOUT_TEST_WORLDS; docs/benchmarks.md says how they are made"]
#[expect(clippy::disallowed_methods, reason = "the folder of a long test comes from its environment")]
fn certificates_of_worlds_cover_the_others() {
    let folder = env::var("TIEOUT_TEST_WORLDS").expect("TIEOUT_TEST_WORLDS names a folder of profiles");
    println!("stratum: statements, of them held; labels of a world; true error rate of what posts");
    let (mut trials, mut trials_held, mut all, mut all_held) = (0, 0, 0, 0);
    for profile in folders(Path::new(&folder)) {
        let worlds: Vec<Strata> = folders(&profile).iter().map(|world| read(world)).collect();
        let rules: BTreeSet<&str> = worlds.iter().flat_map(|world| world.keys().map(String::as_str)).collect();
        println!("{}: {} worlds, {}", profile.display(), worlds.len(), posted_share(&profile));
        let mut whole = vec![true; worlds.len()];
        for rule in rules {
            let Judged { statements, labels, errors } = judge(rule, &worlds);
            let held = statements.iter().filter(|statement| statement.held).count();
            statements.iter().filter(|statement| !statement.held).for_each(|statement| whole[statement.world] = false);
            (all, all_held) = (all + statements.len(), all_held + held);
            let mut bounds: Vec<u32> = statements.iter().map(|statement| statement.bound_ppm).collect();
            bounds.sort_unstable();
            let bound =
                bounds.get(bounds.len() / 2).map_or_else(String::new, |ppm| format!("; bound of half of them {ppm} ppm or less"));
            println!(
                "  {rule}: {}, {held}; about {}; {errors} of {labels}{bound}",
                statements.len(),
                labels / worlds.len().max(1)
            );
        }
        (trials, trials_held) = (trials + whole.len(), trials_held + whole.iter().filter(|held| **held).count());
    }
    println!("all: {all_held} of {all} statements held; in {trials_held} of {trials} trials every one");
    assert!(all >= trials, "nothing was certified");
    assert!(all_held * 100 >= all * 95, "{all_held} of {all} bounds held");
}

/// How much of a profile posts, whatever the size of its payments.
fn posted_share(profile: &Path) -> String {
    let (mut payments, mut posted) = (0_usize, 0_usize);
    for world in folders(profile) {
        // Returns post too, and are no payments.
        let rows = rows(&world, "applications.jsonl")
            .into_iter()
            .filter(|row| row["payment_id"].as_str().is_some_and(|id| id.starts_with('P')));
        for row in rows {
            payments += 1;
            posted += usize::from(row["status"] == "auto");
        }
    }
    format!("{posted} of {payments} payments posted")
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut folders: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Labels by bundle; whether a bundle posts stands in each label.
type Strata = BTreeMap<String, Vec<Label>>;

/// What worlds state about a bundle.
struct Judged {
    statements: Vec<Statement>,
    labels: usize,
    errors: usize,
}

struct Statement {
    /// The world that made it.
    world: usize,
    bound_ppm: u32,
    /// It is true of the others.
    held: bool,
}

fn judge(rule: &str, worlds: &[Strata]) -> Judged {
    let none = Vec::new();
    let of = |world: &Strata| world.get(rule).unwrap_or(&none).clone();
    let count = |world: &Strata, from: i32| {
        let above = of(world).into_iter().filter(|label| label.confidence_milli >= from);
        above.fold((0_u64, 0_u64), |(count, wrong), label| (count + 1, wrong + u64::from(label.wrong)))
    };
    let mut statements = Vec::new();
    for (place, world) in worlds.iter().enumerate() {
        let labels = of(world);
        if labels.len() < LABELS_MIN {
            continue;
        }
        let posts = if labels[0].posted { Permit::Always } else { Permit::Never };
        let line = issue(plan(20_000), String::new(), &[given(rule, labels, posts)]).strata.remove(0);
        let Some(from) = line.posts.least() else { continue };
        let others = worlds.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, other)| count(other, from));
        let (count, wrong) = others.fold((0, 0), |(counts, wrongs), (count, wrong)| (counts + count, wrongs + wrong));
        let held = wrong * 1_000_000 <= u64::from(line.bound_ppm) * count;
        statements.push(Statement { world: place, bound_ppm: line.bound_ppm, held });
    }
    let total = worlds.iter().map(|world| count(world, i32::MIN)).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let small = |number: u64| usize::try_from(number).expect("small");
    Judged { statements, labels: small(total.0), errors: small(total.1) }
}

/// What posts under a bundle, and what waits for a certificate, each with whether it is right.
fn read(world: &Path) -> Strata {
    let truth: BTreeMap<String, Value> = rows(world, "truth.jsonl")
        .into_iter()
        .map(|row| (row["payment_id"].as_str().unwrap_or_default().to_owned(), row))
        .collect();
    let mut strata = Strata::new();
    for row in rows(world, "applications.jsonl") {
        let posted = row["status"] == "auto";
        let (Some(rule), Some(confidence)) = (row["rule"].as_str(), row["confidence_milli"].as_i64()) else { continue };
        if row["amount_class"] != "normal" || !(posted || row["reason"] == "not_certified") {
            continue;
        }
        let true_lines = row["payment_id"].as_str().and_then(|id| truth.get(id)).map(|truth| cash(&truth["lines"]));
        let wrong = true_lines.is_none_or(|lines| !agrees(&lines, &cash(&row["lines"])));
        let confidence_milli = i32::try_from(confidence).expect("small");
        let label = Label { confidence_milli, wrong, posted, share_ppm: 1 };
        strata.entry(rule.to_owned()).or_default().push(label);
        if posted {
            strata.entry("everything that posts".to_owned()).or_default().push(label);
        }
    }
    strata
}

fn rows(world: &Path, name: &str) -> Vec<Value> {
    let path = world.join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn cash(lines: &Value) -> BTreeMap<String, i64> {
    let mut cash = BTreeMap::new();
    for line in lines.as_array().into_iter().flatten() {
        *cash.entry(line["invoice_id"].as_str().unwrap_or_default().to_owned()).or_default() +=
            line["applied"].as_i64().unwrap_or(0);
    }
    cash
}

/// The same invoices, each with the same cash within the unit that small differences are allowed.
fn agrees(truth: &BTreeMap<String, i64>, found: &BTreeMap<String, i64>) -> bool {
    truth.len() == found.len()
        && truth.iter().all(|(invoice, cash)| found.get(invoice).is_some_and(|found| (found - cash).abs() <= 100))
}
