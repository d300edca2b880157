//! What the loader refuses. A set with one fault is not used at all, and one run names every fault.

mod authority;
mod cases;
mod certificate;
mod engine;
mod payers;
mod reasons;
mod routing;
mod tolerance;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Header, Rule, RuleError, RuleSet, Stage,
    amount::{Amount, Currencies},
};

/// The version of the files this program reads.
const VERSION: u32 = 1;

/// Adds every fault of the set to `errors`.
pub(super) fn check(set: &RuleSet, texts: &BTreeMap<String, String>, errors: &mut Vec<RuleError>) {
    let mut checker = Checker { texts, file: String::new(), errors };
    checker.versions(set);
    checker.headers(set);
    engine::check(&mut checker, &set.engine);
    tolerance::check(&mut checker, set);
    reasons::check(&mut checker, set);
    routing::check(&mut checker, set);
    authority::check(&mut checker, set);
    certificate::check(&mut checker, &set.certificate);
    payers::check(&mut checker, set);
    cases::check(&mut checker, set);
}

/// What must not be missing on any day the rules are used: what a question without answer would fall back on.
pub(super) fn compulsory(set: &RuleSet, day: chrono::NaiveDate) -> Vec<RuleError> {
    let mut errors = Vec::new();
    let mut missing = |file: &str, key: &str, what: &str| {
        errors.push(RuleError {
            file: file.to_owned(),
            line: None,
            key: key.to_owned(),
            expected: what.to_owned(),
            found: format!("none on {day}"),
            advice: "let it take effect earlier".to_owned(),
        });
    };
    if !set.routing.routes.last().is_some_and(|last| last.when.is_empty() && last.stage == Stage::Auto) {
        missing("routing.toml", "route", "a default route in force");
    }
    for code in reasons::COMPULSORY_CODES.into_iter().filter(|code| !set.reasons.knows(code)) {
        missing("reasons.toml", "group", &format!("the compulsory code {code:?} in force"));
    }
    errors
}

/// Collects faults of one file after the other.
struct Checker<'a> {
    texts: &'a BTreeMap<String, String>,
    file: String,
    errors: &'a mut Vec<RuleError>,
}

impl Checker<'_> {
    /// Says from where on faults are found.
    fn enter(&mut self, file: &str) {
        file.clone_into(&mut self.file);
    }

    /// One fault of a rule, or of the file where `id` is empty; `key` is the field.
    fn refuse(&mut self, id: &str, key: &str, expected: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) {
        let key = [id, key].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
        self.errors.push(RuleError {
            line: self.line(id),
            file: self.file.clone(),
            key,
            expected: expected.into(),
            found: found.into(),
            advice: advice.into(),
        });
    }

    /// Where the rule begins; an id is written once.
    fn line(&self, id: &str) -> Option<usize> {
        let quoted = format!("\"{id}\"");
        let names = |line: &str| {
            line.split_once("id = ").is_some_and(|(before, rest)| {
                !before.ends_with(|c: char| c.is_alphanumeric() || c == '_') && rest.starts_with(&quoted)
            })
        };
        let index = self.texts.get(&self.file)?.lines().position(names)?;
        (!id.is_empty()).then_some(index + 1)
    }

    fn versions(&mut self, set: &RuleSet) {
        let named = [
            ("engine.toml", set.engine.version),
            ("normalise.toml", set.normalise.version),
            ("payers.toml", set.payers.version),
            ("tolerance.toml", set.tolerance.version),
            ("reasons.toml", set.reasons.version),
            ("routing.toml", set.routing.version),
            ("authority.toml", set.authority.version),
            ("certificate.toml", set.certificate.version),
        ];
        let overlays = set.customers.values().map(|overlay| (overlay.file.as_str(), overlay.version));
        for (file, version) in named.into_iter().chain(overlays) {
            self.enter(file);
            if version != VERSION {
                self.refuse("", "version", VERSION.to_string(), version.to_string(), "use a program that reads this version");
            }
        }
    }

    /// What every rule must have: an id of its own, an owner, examples, and a proof where it acts alone.
    fn headers(&mut self, set: &RuleSet) {
        let cases: BTreeSet<_> = set.cases.iter().map(|case| case.id.as_str()).collect();
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (file, header) in set.headers() {
            self.enter(file);
            if header.id.is_empty() || header.id.contains(char::is_whitespace) {
                self.refuse(header.id, "id", "a name without blanks", format!("{:?}", header.id), "give it a name");
            }
            if header.owner.trim().is_empty() {
                self.refuse(header.id, "owner", "who answers for the rule", "nothing", "name a team or a person");
            }
            if let Some(first) = seen.insert(header.id, file) {
                self.refuse(header.id, "id", "an id of its own", format!("one used in {first} too"), "rename one of them");
            }
            self.proof(&header, &cases);
            self.shown(&header, set);
        }
    }

    fn proof(&mut self, header: &Header<'_>, cases: &BTreeSet<&str>) {
        if header.stage == Stage::Auto && header.proof.is_empty() {
            let expected = "the tests that cover an automatic rule";
            self.refuse(
                header.id,
                "proof",
                expected,
                "none",
                "write proof = [\"examples\"] or name cases, or use stage \"suggest\"",
            );
        }
        for name in header.proof {
            if name != "examples" && !cases.contains(name.as_str()) {
                let found = format!("{name:?}");
                self.refuse(
                    header.id,
                    "proof",
                    "\"examples\" or the id of a case in tests/",
                    found,
                    "correct the name or add the case",
                );
            }
        }
    }

    /// A rule nobody has seen at work, or just beside its work, is not understood.
    fn shown(&mut self, header: &Header<'_>, set: &RuleSet) {
        if header.stage == Stage::Draft {
            return;
        }
        let hits = set.cases.iter().filter(|case| case.expect.rule.as_deref() == Some(header.id)).count();
        let misses = set.cases.iter().filter(|case| case.expect.near_miss_of.iter().any(|id| id == header.id)).count();
        if header.hits + hits == 0 {
            self.refuse(header.id, "example", "at least one hit", "none", "add an example with case = \"hit\"");
        }
        if header.near_misses + misses == 0 {
            self.refuse(header.id, "example", "at least one near miss", "none", "add an example with case = \"near_miss\"");
        }
    }

    /// A rule with amounts needs currencies, and each amount must fit each of them.
    fn amounts(&mut self, id: &str, key: &str, currencies: &Currencies, amounts: &[Option<&Amount>]) {
        if currencies.0.is_empty() {
            self.refuse(id, "currencies", "at least one currency", "none", "name the currencies the amounts are in");
        }
        for amount in amounts.iter().flatten() {
            if let Some(currency) = currencies.iter().find(|currency| amount.minor(*currency).is_none()) {
                let expected = format!("at most {} decimals for {currency}", currency.exponent());
                self.refuse(id, key, expected, format!("{amount}"), "give this currency a rule of its own");
            }
        }
    }

    fn unreachable(&mut self, id: &str, by: &str) {
        let expected = "a rule that can be reached";
        self.refuse(id, "", expected, format!("one that {by} always precedes"), "put it before, narrow the other, or remove it");
    }
}

impl RuleSet {
    /// The head of every rule with the file it stands in.
    pub fn headers(&self) -> Vec<(&str, Header<'_>)> {
        let mut all = Vec::new();
        let engine = &self.engine;
        add(&mut all, "engine.toml", &engine.vetoes);
        add(&mut all, "engine.toml", &engine.never_auto);
        add(&mut all, "engine.toml", &engine.bundles);
        add(&mut all, "engine.toml", &engine.follow_ups);
        add(&mut all, "engine.toml", &engine.cascade);
        add(&mut all, "engine.toml", &engine.circuit_breakers);
        add(&mut all, "engine.toml", &engine.weights);
        add(&mut all, "normalise.toml", &self.normalise.patterns);
        add(&mut all, "payers.toml", &self.payers.identify);
        add(&mut all, "payers.toml", &self.payers.relation_policies);
        add(&mut all, "payers.toml", &self.payers.relations);
        add(&mut all, "tolerance.toml", &self.tolerance.tolerances);
        add(&mut all, "tolerance.toml", &self.tolerance.discounts);
        add(&mut all, "reasons.toml", &self.reasons.groups);
        add(&mut all, "routing.toml", &self.routing.routes);
        add(&mut all, "routing.toml", &self.routing.escalations);
        add(&mut all, "authority.toml", &self.authority.limits);
        add(&mut all, "certificate.toml", &self.certificate.caps);
        for overlay in self.customers.values() {
            add(&mut all, &overlay.file, &overlay.tolerances);
            add(&mut all, &overlay.file, &overlay.discounts);
            add(&mut all, &overlay.file, &overlay.relations);
            add(&mut all, &overlay.file, &overlay.limits);
        }
        all
    }
}

fn add<'a, R: Rule>(all: &mut Vec<(&'a str, Header<'a>)>, file: &'a str, rules: &'a [R]) {
    all.extend(rules.iter().map(|rule| (file, rule.header())));
}
