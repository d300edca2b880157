//! The shipped set, what the loader refuses, and what it says then.

use std::{collections::BTreeMap, fs, path::Path};

use super::*;
use crate::domain::{Currency, ExceptionFacts, Level, Reason};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")
}

fn shipped() -> RuleSet {
    RuleSet::load(&folder()).unwrap_or_else(|errors| panic!("the shipped rules have faults:\n{errors}"))
}

fn texts() -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for sub in ["", "customers/", "tests/"] {
        for entry in fs::read_dir(folder().join(sub)).expect("the rule folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let name = format!("{sub}{}", path.file_name().expect("a name").to_string_lossy());
                texts.insert(name, fs::read_to_string(path).expect("a text"));
            }
        }
    }
    texts
}

#[test]
fn every_example_of_the_shipped_rules_holds() {
    let results = run_examples(&shipped());
    let failed: Vec<_> = results.iter().filter(|result| !result.passed).map(ToString::to_string).collect();
    assert!(failed.is_empty(), "{} of {} examples failed:\n{}", failed.len(), results.len(), failed.join("\n"));
    assert!(results.len() > 200, "only {} examples ran", results.len());
}

#[test]
fn an_example_that_does_not_hold_is_found() {
    let mut rules = shipped();
    rules.authority.limits[0].examples[0].case = Aim::NearMiss;
    let failed: Vec<_> = run_examples(&rules).into_iter().filter(|result| !result.passed).collect();
    assert_eq!(failed.len(), 1);
    assert!(failed[0].to_string().contains("authority.engine"), "{}", failed[0]);
}

#[test]
fn the_hash_follows_what_rules_say_and_nothing_else() {
    let hash = |change: &dyn Fn(&mut BTreeMap<String, String>)| {
        let mut texts = texts();
        change(&mut texts);
        RuleSet::from_texts(&texts).unwrap_or_else(|errors| panic!("{errors}")).hash
    };
    let original = hash(&|_| {});
    assert_eq!(original.len(), 64);
    let edit = |file: &'static str, from: &'static str, to: &'static str| {
        hash(&move |texts| {
            let text = texts.get_mut(file).expect(file);
            assert!(text.contains(from), "{file} holds {from}");
            *text = text.replacen(from, to, 1);
        })
    };
    assert_eq!(original, edit("engine.toml", "version = 1", "# another comment\nversion   =  1"));
    assert_eq!(original, edit("engine.toml", "without = [\"same_currency\"]", "without = [\"same_currency\", \"not_closed\"]"));
    assert_eq!(original, edit("tests/amounts.toml", "Two percent", "2 percent"));
    assert_ne!(original, edit("engine.toml", "closed_days = 120", "closed_days = 121"));
    assert_ne!(original, edit("customers/example.toml", "grace_days = 10", "grace_days = 11"));
}

/// What is changed in which shipped file, and what the message must then say.
struct Refusal {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    says: &'static [&'static str],
}

const fn refusal(file: &'static str, from: &'static str, to: &'static str, says: &'static [&'static str]) -> Refusal {
    Refusal { file, from, to, says }
}

const REFUSALS: &[Refusal] = &[
    refusal(
        "engine.toml",
        "minimum_milli = 3000",
        "minimum = 3000",
        &["engine.toml:", "unknown field `minimum`", "minimum_milli"],
    ),
    refusal("engine.toml", "version = 1", "version = 2", &["engine.toml: version: expected 1, found 2"]),
    refusal("engine.toml", "tolerance = \"0\"", "tolerance = \"1.00\"", &["combination.tolerance: expected 0, found 1.00"]),
    refusal(
        "engine.toml",
        "requires = \"unique\"",
        "requires = \"very_unique\"",
        &["\"very_unique\" is not a fact", "amount_exact"],
    ),
    refusal("engine.toml", "reason = \"ambiguous\"", "reason = \"dunno\"", &["\"dunno\" is not a reason; expected one of"]),
    refusal(
        "engine.toml",
        "requires = \"not_closed\"",
        "requires = \"not_duplicate\"",
        &["one that veto.not-duplicate always precedes"],
    ),
    refusal(
        "engine.toml",
        "all = [\n  \"account_clears\",\n",
        "all = [\n",
        &["post.past-due-clears", "post.account-clears always precedes"],
    ),
    refusal(
        "engine.toml",
        "stage = \"suggest\"",
        "stage = \"auto\"\nproof = [\"examples\"]",
        &["find.oldest-first.stage: expected at most \"suggest\""],
    ),
    refusal(
        "engine.toml",
        "case = \"near_miss\"",
        "case = \"hit\"",
        &["veto.same-currency.example: expected at least one near miss"],
    ),
    refusal(
        "engine.toml",
        "proof = [\"examples\", \"currency-mismatch\"]",
        "proof = []",
        &["veto.same-currency.proof: expected the tests that cover"],
    ),
    refusal(
        "engine.toml",
        "\"currency-mismatch\"]",
        "\"no-such-case\"]",
        &["veto.same-currency.proof", "found \"no-such-case\""],
    ),
    refusal(
        "engine.toml",
        "id = \"veto.not-closed\"",
        "id = \"veto.not-duplicate\"",
        &["veto.not-duplicate.id: expected an id of its own"],
    ),
    refusal("engine.toml", "owner = \"finance\"", "owner = \"\"", &["veto.same-currency.owner", "found nothing"]),
    refusal("engine.toml", "owner = \"finance\"\n", "", &["missing field `owner`"]),
    refusal(
        "tolerance.toml",
        "{ from = \"1.00\", treatment",
        "{ from = \"2.00\", treatment",
        &["bands[2]: expected from = 1.00", "found a gap"],
    ),
    refusal(
        "tolerance.toml",
        "{ from = \"1.00\", treatment",
        "{ from = \"0.50\", treatment",
        &["bands[2]: expected from = 1.00", "found an overlap"],
    ),
    refusal(
        "tolerance.toml",
        "  { from = \"1.00\", treatment = \"queue\" },\n",
        "",
        &["bands: expected a last band without end"],
    ),
    refusal(
        "tolerance.toml",
        "to = \"1.00\"",
        "to = \"1.01\"",
        &["expected at most 1.00 USD, what the engine may write_off, found 1.01"],
    ),
    refusal(
        "tolerance.toml",
        "bands = [{ from = \"0\", treatment = \"queue\" }]",
        "bands = [{ from = \"0\", treatment = \"deduct\" }]",
        &["nothing to charge back"],
    ),
    refusal("tolerance.toml", "to = \"100\"", "to = \"0.5\"", &["expected at most 0 decimals for JPY"]),
    refusal("tolerance.toml", "to = \"1.00\"", "to = 1.00", &["tolerance.toml:", "invalid type: floating point"]),
    refusal("tolerance.toml", "[\"JPY\"]", "[\"USD\"]", &["tolerance.item.under.jpy.currencies: expected each currency once"]),
    refusal(
        "reasons.toml",
        "queue = \"deductions.freight\"",
        "queue = \"freight\"",
        &["reason.freight.queue: expected a queue of routing.toml, found \"freight\""],
    ),
    refusal("reasons.toml", "unknown = \"Unknown code\"", "UNKNOWN = \"Unknown code\"", &["the compulsory code \"unknown\""]),
    refusal(
        "reasons.toml",
        "02 = ",
        "06 = ",
        &["reason.claim.codes: expected each code in one group, found 06, which reason.price has too"],
    ),
    refusal(
        "routing.toml",
        "queue = \"cash_application\"\ndue_hours",
        "when = { level = [\"payment\"] }\nqueue = \"cash_application\"\ndue_hours",
        &["a last route without selectors"],
    ),
    refusal(
        "routing.toml",
        "reason = [\"payment_returned\"]",
        "reason = [\"file_held\"]",
        &["route.returned: expected a rule that can be reached, found one that route.files always precedes"],
    ),
    refusal(
        "routing.toml",
        "queue = \"approvals\"",
        "queue = \"bosses\"",
        &["route.approvals.queue: expected a queue of this file, found \"bosses\""],
    ),
    refusal("routing.toml", "assign = \"portfolio_owner\"", "assign = \"anna\"", &["\"anna\" is nobody"]),
    refusal(
        "routing.toml",
        "reason_code = [\"01\"",
        "reason_code = [\"QQ\"",
        &["when.reason_code: expected a code of reasons.toml, found \"QQ\""],
    ),
    refusal(
        "authority.toml",
        "write_off = \"25.00\"",
        "write_off = \"0.50\"",
        &["authority.analyst.write_off: expected at least 1.00 USD", "smallest role"],
    ),
    refusal(
        "authority.toml",
        "write_off = \"1000000\"\n",
        "",
        &["authority.engine.jpy.write_off: expected a person who may write_off JPY", "somebody who may grant it"],
    ),
    refusal("authority.toml", "role = \"senior\"", "role = \"boss\"", &["unknown variant `boss`", "supervisor"]),
    refusal(
        "authority.toml",
        "role = \"senior\"",
        "role = \"analyst\"",
        &["authority.senior.currencies: expected each role once per currency"],
    ),
    refusal("payers.toml", "gives = \"payer_id\"", "gives = \"unique\"", &["payer.originator-id.gives", "found unique"]),
    refusal("payers.toml", "by = \"originator_id\"", "by = \"account\"", &["payer.originator-id.by: expected each way once"]),
    refusal("customers/example.toml", "pays_for = [\"EXAMPLE-MART\"]", "pays_for = [\"*\"]", &["nobody may pay for anybody"]),
    refusal(
        "customers/example.toml",
        "until = \"2026-12-31\"",
        "until = \"2025-12-31\"",
        &["expected a last day after the first"],
    ),
    refusal(
        "customers/example.toml",
        "\"find.text-references\"]",
        "\"find.gold\"]",
        &["cascade: expected ids of cascade steps", "find.gold"],
    ),
    refusal("customers/example.toml", "to = \"25.00\"", "to = \"250000.00\"", &["what the engine may deduct"]),
    refusal("normalise.toml", "ocr_classes = [\"O0\"", "ocr_classes = [\"0O\"", &["\"0O\" is no class"]),
    refusal("normalise.toml", "extract = \"@{0,12}\"", "extract = \"@{12,0}\"", &["is not a mask: a repetition is wrong"]),
    refusal(
        "normalise.toml",
        "legal_forms = [\n  \"INC\"",
        "legal_forms = [\n  \"Inc.\"",
        &["legal_forms: expected words in capitals"],
    ),
    refusal(
        "tests/amounts.toml",
        "rule = \"post.reference-over\"",
        "rule = \"post.nothing\"",
        &["overpayment.expect: expected ids of rules, found \"post.nothing\""],
    ),
    refusal("tests/amounts.toml", "terms = \"2/10N30\"", "terms = \"two in ten\"", &["item INV-1001: terms \"two in ten\""]),
    refusal(
        "tests/payers.toml",
        "customer = \"C1\"",
        "customer = \"C9\"",
        &["customer C9 is not among the customers of the case"],
    ),
    refusal(
        "tests/payers.toml",
        "amount = \"1200.50\", payer_name",
        "amount = \"1200.505\", payer_name",
        &["1200.505 has more decimals than USD"],
    ),
];

#[test]
fn faults_are_refused_with_place_expected_found_and_advice() {
    for Refusal { file, from, to, says } in REFUSALS {
        let mut texts = texts();
        let text = texts.get_mut(*file).expect(file);
        assert!(text.contains(from), "{file} holds {from}");
        *text = text.replacen(from, to, 1);
        let errors = RuleSet::from_texts(&texts).expect_err(&format!("{file}: {from} -> {to}"));
        let message = errors.to_string();
        for part in *says {
            assert!(message.contains(part), "{file}: {from} -> {to}\nshould say {part}\nsays {message}");
        }
        assert!(errors.0.iter().all(|error| !error.advice.is_empty() && !error.expected.is_empty()), "{message}");
    }
}

#[test]
fn faults_name_the_line_of_the_rule() {
    let mut texts = texts();
    let text = texts.get_mut("tolerance.toml").expect("the file");
    *text = text.replacen("to = \"1.00\"", "to = \"1.01\"", 1);
    let line = text.lines().position(|line| line.contains("\"tolerance.item.under\"")).expect("the rule") + 1;
    let errors = RuleSet::from_texts(&texts).expect_err("above the authority");
    assert!(errors.0.iter().all(|error| error.line == Some(line)), "{errors}");
}

#[test]
fn a_missing_and_a_strange_file_are_named() {
    let mut texts = texts();
    texts.remove("reasons.toml");
    texts.insert("enigne.toml".to_owned(), String::new());
    let message = RuleSet::from_texts(&texts).expect_err("two faults").to_string();
    assert!(message.contains("reasons.toml: expected a file of this name, found none"), "{message}");
    assert!(message.contains("enigne.toml: expected one of authority.toml"), "{message}");
}

#[test]
fn two_overlays_of_one_customer_are_refused() {
    let mut texts = texts();
    let overlay = texts["customers/example.toml"].clone();
    texts.insert("customers/second.toml".to_owned(), overlay);
    let message = RuleSet::from_texts(&texts).expect_err("one customer twice").to_string();
    assert!(message.contains("customers/second.toml: customer"), "{message}");
}

#[test]
fn rules_that_take_effect_later_do_not_count_yet() {
    let mut texts = texts();
    let text = texts.get_mut("engine.toml").expect("the file");
    let rule = text.find("id = \"post.reference-amount\"").expect("the rule");
    let later = text[rule..].replacen("effective = \"2020-01-01\"", "effective = \"2026-06-01\"", 1);
    *text = format!("{}{later}", &text[..rule]);
    let rules = RuleSet::from_texts(&texts).expect("a set");
    let day = |text: &str| text.parse().expect("a day");
    let has = |rules: &RuleSet| rules.engine.bundles.iter().any(|bundle| bundle.id == "post.reference-amount");
    assert!(!has(&rules.clone().in_force(day("2026-05-31")).expect("in force")));
    assert!(has(&rules.clone().in_force(day("2026-06-01")).expect("in force")));
    let message = rules.in_force(day("2019-12-31")).expect_err("nothing is in force").to_string();
    assert!(message.contains("default route"), "{message}");
}

#[test]
fn an_overlay_that_takes_effect_later_does_not_count_yet() {
    let mut texts = texts();
    let overlay = texts.get_mut("customers/example.toml").expect("the file");
    *overlay = overlay.replace("effective = \"2020-01-01\"", "effective = \"2026-06-01\"");
    let rules = RuleSet::from_texts(&texts).expect("a set");
    let on = |day: &str| rules.clone().in_force(day.parse().expect("a day")).expect("in force");
    let day = |text: &str| text.parse().expect("a day");
    let given = |rules: &RuleSet| {
        let view = rules.for_customer(Some("EXAMPLE-MART"));
        let band = view.band(ToleranceLevel::Item, Side::Under, Currency::USD, 50_000, 1_000).treatment;
        let pays = view.may_pay("EXAMPLE-PAYMENTS", "EXAMPLE-MART", day("2026-06-02"));
        let limit = view.limit(Role::Analyst, Power::WriteOff, Currency::USD).minor;
        (band, view.discount(Currency::USD).map(|policy| policy.grace_days), pays == MayPay::No, limit)
    };
    let (before, after) = (given(&on("2026-05-31")), given(&on("2026-06-01")));
    assert_eq!(after, (Treatment::Deduct, Some(10), false, 500));
    assert_eq!((before.0, before.2, before.3), (Treatment::Queue, true, 2_500), "the general rules hold");
    assert_ne!(before.1, after.1);
}

#[test]
fn a_demotion_is_about_a_rule_as_it_is_written() {
    let rules = shipped();
    let id = "post.reference-amount";
    let stage =
        |rules: &RuleSet| rules.engine.bundles.iter().find(|bundle| bundle.id == id).map(|bundle| (bundle.stage, bundle.demoted));
    let hash = rules.hash_of_rule(id).expect("the rule").to_owned();
    let demoted = |hash: &str| rules.clone().demoted(&[(id.to_owned(), hash.to_owned())].into());
    assert_eq!(stage(&demoted(&hash)), Some((Stage::Suggest, true)));
    assert_eq!(stage(&demoted("another text")), Some((Stage::Auto, false)));
    assert_eq!(demoted(&hash).hash, rules.hash, "the set is the same; the ledger remembers what was demoted");
}

/// In other engines two steps of one kind do not chain, so "0 to 1 off, 1 to 25 charged back, above to a person" cannot be said.
#[test]
fn bands_of_one_kind_chain_without_a_gap() {
    let rules = shipped();
    let mart = rules.for_customer(Some("EXAMPLE-MART"));
    let treatment = |diff| mart.band(ToleranceLevel::Item, Side::Under, Currency::USD, 50_000, diff).treatment;
    let expected = [
        (1, Treatment::WriteOff),
        (10, Treatment::WriteOff),
        (11, Treatment::Deduct),
        (2_500, Treatment::Deduct),
        (2_501, Treatment::Queue),
    ];
    for (diff, expected) in expected {
        assert_eq!(treatment(diff), expected, "{diff}");
    }
}

#[test]
fn a_budget_is_a_number_and_a_share() {
    let budget = &shipped().engine.budget;
    for (posts, reversals, exceeded) in
        [(10, 2, false), (10, 3, true), (600, 3, false), (599, 3, true), (10_000, 50, false), (10_000, 51, true)]
    {
        assert_eq!(budget.is_exceeded(posts, reversals), exceeded, "{reversals} of {posts}");
    }
    assert!(budget.allows_wrong(0, 0) && !budget.allows_wrong(1, i64::MAX));
}

#[test]
fn an_overlay_replaces_only_what_differs() {
    let rules = shipped();
    let (general, mart) = (rules.for_customer(None), rules.for_customer(Some("EXAMPLE-MART")));
    let band = |view: &View<'_>, side, diff| view.band(ToleranceLevel::Item, side, Currency::USD, 50_000, diff).treatment;
    assert_eq!(band(&general, Side::Under, 1_000), Treatment::Queue);
    assert_eq!(band(&mart, Side::Under, 1_000), Treatment::Deduct);
    assert_eq!(band(&mart, Side::Over, 1), Treatment::Queue, "not overlaid");
    assert_eq!(
        mart.band(ToleranceLevel::Item, Side::Under, Currency::EUR, 50_000, 50).treatment,
        Treatment::WriteOff,
        "another currency"
    );
    assert_eq!(mart.discount(Currency::USD).map(|policy| policy.grace_days), Some(10));
    assert_eq!(general.steps(&[Need::Lines, Need::Payer]).len(), 3);
    assert_eq!(mart.steps(&[Need::Lines, Need::Payer]).len(), 1);
    assert!(general.identifies(IdentifyBy::Name) && !mart.identifies(IdentifyBy::Name) && mart.identifies(IdentifyBy::Account));
    assert_eq!(mart.limit(Role::Analyst, Power::WriteOff, Currency::USD).minor, 500);
    assert_eq!(general.limit(Role::Analyst, Power::WriteOff, Currency::USD).minor, 2_500);
    assert_eq!(rules.for_customer(Some("NOBODY")).limit(Role::Analyst, Power::WriteOff, Currency::USD).minor, 2_500);
}

#[test]
fn a_currency_nobody_named_has_neither_tolerance_nor_authority() {
    let rules = shipped();
    let currency = Currency::parse("XAU").expect("a code");
    assert_eq!(rules.tolerance.band(ToleranceLevel::Item, Side::Under, currency, 1_000, 1).treatment, Treatment::Queue);
    assert!(!rules.authority.check(Role::Supervisor, Power::WriteOff, currency, 1).allowed());
    assert!(rules.authority.check(Role::Engine, Power::WriteOff, currency, 0).allowed(), "nothing at all is allowed");
}

#[test]
fn every_reason_reaches_a_queue_that_exists() {
    let rules = shipped();
    for reason in Reason::ALL {
        let facts = ExceptionFacts {
            reason: *reason,
            level: Level::Payment,
            amount_minor: 100,
            currency: Currency::USD,
            seller_code: None,
            customer_code: None,
            portfolio_owner: None,
            reason_code: None,
        };
        assert!(rules.routing.has_queue(&rules.routing.route(&facts).queue), "{reason}");
    }
    assert_eq!(rules.reasons.meaning("no such code").code, "unknown");
    assert_eq!(rules.reasons.meaning(" d9 ").group, "reason.price", "blanks and case do not matter");
}

#[test]
fn there_are_whole_cases_of_every_kind() {
    let rules = shipped();
    assert!(rules.cases.len() >= 40, "{} cases", rules.cases.len());
    for reason in rules.cases.iter().flat_map(|case| &case.expect.reasons) {
        assert!(Reason::ALL.contains(reason));
    }
    let posting = rules.cases.iter().filter(|case| case.expect.outcome != case::ExpectedOutcome::Hold);
    for case in posting {
        assert!(!case.expect.applications.is_empty(), "{} posts nothing", case.id);
        let currency = case.payment.currency;
        let minor = |amount: &amount::SignedAmount| amount.minor(currency).expect("checked by the loader");
        let applied: i64 = case.expect.applications.iter().map(|application| minor(&application.cash)).sum();
        let rest = case.expect.unapplied.as_ref().map_or(0, minor);
        assert_eq!(applied + rest, minor(&case.payment.amount), "{}: cash in = applied + unapplied", case.id);
    }
}

#[test]
fn the_documentation_has_every_fact() {
    let text = fs::read_to_string(folder().join("../docs/rules.md")).expect("docs/rules.md");
    for fact in Fact::ALL {
        let row = format!("| `{}` | {} |", fact.code(), fact.sentence());
        assert!(text.contains(&row), "docs/rules.md lacks the row {row}");
    }
}

/// Every 29th line of every file goes missing once, and every 37th loses its last sign: a fault or a set, never a panic.
#[test]
fn damaged_files_are_refused_or_read_and_never_panic() {
    let original = texts();
    let (mut read, mut refused) = (0, 0);
    for (file, text) in &original {
        let lines: Vec<_> = text.lines().collect();
        for at in 0..lines.len() {
            let mut damaged: Vec<String> = lines.iter().map(ToString::to_string).collect();
            match (at % 29, at % 37) {
                (0, _) => drop(damaged.remove(at)),
                (_, 0) => drop(damaged[at].pop()),
                _ => continue,
            }
            let mut texts = original.clone();
            texts.insert(file.clone(), damaged.join("\n"));
            match RuleSet::from_texts(&texts) {
                Ok(rules) => read += usize::from(!run_examples(&rules).is_empty()),
                Err(errors) => refused += usize::from(!errors.0.is_empty()),
            }
        }
    }
    assert!(read > 5 && refused > 50, "{read} read, {refused} refused");
}

#[test]
fn the_chance_limit_is_read_in_millionths() {
    assert_eq!(shipped().engine.combination.chance_hits_max_ppm(), 5_000);
}
