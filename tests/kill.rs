//! Kill -9 at any moment: nothing lost, nothing doubled.
//!
//! A home takes in the samples. The process is killed again and again, at every named point between two durable steps and at random
//! times, and started again on the same files. After each kill `tieout check` must find every promise kept; when a run is at last left
//! alone, its exports must be those of a home that was never disturbed. Both databases are tried. `TIEOUT_TEST_KILL_SEED` replays a run.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Map, Value};
use support::{Backend, Home, Ran, random::Random, text};
use tieout::failpoint::POINTS;

/// Points that only the folder watcher of `serve` passes.
const NOT_PASSED_BY_INGEST: &[&str] = &["inbox_before_removal"];
/// After so many kills a home is left alone to finish, so that the comparison is made often.
const KILLS_PER_HOME: usize = 15;
/// Homes in a row in which no kill came in time.
const BARREN_MAX: usize = 10;

#[test]
fn twenty_kills_on_sqlite() {
    campaign(Backend::Sqlite, 20);
}

#[test]
fn twenty_kills_on_postgres() {
    campaign(Backend::Postgres, 20);
}

#[test]
#[ignore = "long form: 500 kills or TIEOUT_TEST_KILLS, about ten minutes"]
fn five_hundred_kills_on_sqlite() {
    campaign(Backend::Sqlite, long_form());
}

#[test]
#[ignore = "long form: 500 kills or TIEOUT_TEST_KILLS, about twenty minutes"]
fn five_hundred_kills_on_postgres() {
    campaign(Backend::Postgres, long_form());
}

/// Exports by name, each as its set of rows.
type State = BTreeMap<&'static str, BTreeSet<String>>;

/// How a process is ended.
#[derive(Clone, Debug)]
enum Kill {
    /// It aborts itself at the given pass of a named point.
    Point(&'static str, usize),
    /// It gets SIGKILL after this time.
    After(Duration),
}

fn campaign(backend: Backend, kills: usize) {
    let Some(undisturbed) = Home::on(backend) else { return };
    let seed = seed();
    println!("{backend:?}: {kills} kills, TIEOUT_TEST_KILL_SEED={seed}");
    let mut random = Random::new(seed);

    undisturbed.import_samples();
    let began = Instant::now();
    undisturbed.ingest_samples();
    let duration = began.elapsed();
    let expected = state(&undisturbed);
    drop(undisturbed);

    let mut hit: BTreeMap<String, usize> = BTreeMap::new();
    let mut plan = named_points();
    let (mut killed, mut barren) = (0, 0);
    while killed < kills {
        let home = Home::on(backend).expect("the server answered before");
        home.import_samples();
        let here = disturb(&home, &mut plan, (kills - killed).min(KILLS_PER_HOME), duration, &mut random, &mut hit);
        // One draw that comes too late ends the work of a home; only one home after the other without a kill is wrong.
        barren = if here > 0 { 0 } else { barren + 1 };
        assert!(barren < BARREN_MAX, "nothing could be killed: the failpoints are dead, or the samples are too small");
        killed += here;
        home.ingest_samples();
        promises_are_kept(&home, "after the last run");
        same(&expected, &state(&home));
    }
    println!("{backend:?}: {killed} kills, 0 cents lost or doubled; {hit:?}");
    let missed: Vec<_> =
        POINTS.iter().filter(|point| !NOT_PASSED_BY_INGEST.contains(*point) && !hit.contains_key(**point)).collect();
    assert!(missed.is_empty(), "no kill at {missed:?}: no step passes these points");
}

/// Every named point once, in the order a file passes them, so that there is work left for the next one.
fn named_points() -> Vec<Kill> {
    let passed = POINTS.iter().filter(|point| !NOT_PASSED_BY_INGEST.contains(*point));
    let mut plan: Vec<Kill> = passed.map(|point| Kill::Point(point, 1)).collect();
    plan.reverse();
    plan
}

/// Kills runs on one home until the work is done or there were enough of them; how many there were.
fn disturb(
    home: &Home,
    plan: &mut Vec<Kill>,
    most: usize,
    duration: Duration,
    random: &mut Random,
    hit: &mut BTreeMap<String, usize>,
) -> usize {
    let mut killed = 0;
    let mut misses = 0;
    while killed < most && misses < 5 {
        let kill = plan.pop().unwrap_or_else(|| draw(duration, random));
        match run_killed(home, &kill) {
            None => misses += 1,
            Some(name) => {
                *hit.entry(name).or_default() += 1;
                killed += 1;
                promises_are_kept(home, &format!("after {kill:?}"));
            }
        }
    }
    killed
}

fn draw(duration: Duration, random: &mut Random) -> Kill {
    if random.below(3) == 0 {
        let points: Vec<&'static str> = POINTS.iter().copied().filter(|point| !NOT_PASSED_BY_INGEST.contains(point)).collect();
        return Kill::Point(points[random.below(points.len())], 1 + random.below(40));
    }
    let micros = usize::try_from(duration.as_micros()).expect("a run is short");
    Kill::After(Duration::from_micros(u64::try_from(random.below(micros)).expect("a short time")))
}

/// Starts an ingest and ends it; the name of the kill, or nothing when the process was done before.
fn run_killed(home: &Home, kill: &Kill) -> Option<String> {
    let mut command: Command = home.command(&["ingest", "--by-day", &home.drop_samples()]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let name = match kill {
        Kill::Point(name, pass) => {
            command.env("TIEOUT_FAILPOINT", format!("{name}:{pass}"));
            (*name).to_owned()
        }
        Kill::After(_) => "at random".to_owned(),
    };
    let mut child: Child = command.spawn().expect("the binary runs");
    if let Kill::After(wait) = kill {
        thread::sleep(*wait);
        child.kill().expect("a child can be killed");
    }
    let status = child.wait().expect("the child ends");
    match status.code() {
        Some(0 | 1) => None,
        Some(code) => panic!("{kill:?}: the run failed by itself with exit code {code}"),
        None => Some(name),
    }
}

fn promises_are_kept(home: &Home, when: &str) {
    let ran: Ran = home.run(&["check"]);
    assert_eq!(ran.code, Some(0), "a promise is broken {when}\n{}\n{}", ran.stdout, ran.stderr);
}

/// What a home knows in the end, without what differs from run to run.
fn state(home: &Home) -> State {
    let payments = home.export("payments");
    let names: BTreeMap<String, String> = payments
        .iter()
        .map(|payment| {
            (text(payment, "payment"), ["file", "line", "position", "trace"].map(|field| text(payment, field)).join(" "))
        })
        .collect();
    let mut state = BTreeMap::new();
    for what in ["payments", "applications", "exceptions", "files", "postings"] {
        let mut lines = BTreeSet::new();
        for row in home.export(what) {
            let line = comparable(row, &names);
            // Equal rows are told apart by their number, so that a doubled one shows.
            let twin = (1..).find(|twin| !lines.contains(&format!("{line} #{twin}"))).unwrap_or(1);
            lines.insert(format!("{line} #{twin}"));
        }
        state.insert(what, lines);
    }
    state
}

/// A row without ids and instants, payments named by their file and place.
fn comparable(row: Value, names: &BTreeMap<String, String>) -> String {
    let Value::Object(fields) = row else { panic!("an export has one object a line") };
    let kept: Map<String, Value> = fields
        .into_iter()
        .filter(|(name, _)| !is_of_one_run(name))
        .map(|(name, value)| match name.as_str() {
            "payment" | "reversal_of" => {
                let key = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (name, Value::from(names.get(&key).cloned().unwrap_or_default()))
            }
            _ => (name, value),
        })
        .collect();
    Value::Object(kept).to_string()
}

fn is_of_one_run(field: &str) -> bool {
    const NAMES: &[&str] = &[
        "id",
        "at",
        "exception",
        "application",
        "decision",
        "entry",
        "message",
        "key",
        "arrivals",
        "actor",
        "version",
        "due",
        "sla",
    ];
    NAMES.contains(&field) || field.ends_with("_at") || (field.ends_with("_id") && !["seller_id", "customer_id"].contains(&field))
}

fn same(expected: &State, found: &State) {
    for (what, rows) in expected {
        let found = &found[what];
        let lost: Vec<_> = rows.difference(found).take(5).collect();
        let new: Vec<_> = found.difference(rows).take(5).collect();
        assert!(lost.is_empty() && new.is_empty(), "{what} differ from an undisturbed run\nmissing {lost:#?}\nmore {new:#?}");
    }
}

/// Kills of the long form; fewer make a piece of it, under a seed of its own.
#[expect(clippy::disallowed_methods, reason = "the length of a test comes from its environment")]
fn long_form() -> usize {
    std::env::var("TIEOUT_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(500)
}

#[expect(clippy::disallowed_methods, reason = "the seed of a test comes from its environment or the time")]
fn seed() -> u64 {
    let given = std::env::var("TIEOUT_TEST_KILL_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::from(since.subsec_nanos())
    })
}
