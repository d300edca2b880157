//! Keeps the sentences of `docs/architecture.md` true by reading the sources: who may know whom, who owns which power, and how long a
//! file or a function may be. Each rule is a row of a table; a failure names file and line, the rule, and what to do.

#![allow(clippy::disallowed_methods, reason = "a test may read its own environment")]

#[path = "tidy/pages.rs"]
mod pages;
#[path = "tidy/source.rs"]
mod source;

use std::path::{Path, PathBuf};

use source::{Source, files, rust_files};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

/// Small modules with one power each. They know nothing of the trade, and everything above `domain` may know them.
const TOOLS: &[&str] = &["clock", "config", "durable", "excerpt", "failpoint", "hex", "secret", "shipped"];

/// Which modules a module may name with `crate::`, besides itself. Pure modules stand first: they may not even know a tool.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("certificate", &["domain"]),
    ("rules", &["domain"]),
    ("normalise", &["domain", "rules"]),
    ("matching", &["domain", "rules", "normalise"]),
    ("store", &["domain", "TOOLS"]),
    ("audit", &["domain", "store", "TOOLS"]),
    ("ledger", &["domain", "rules", "store", "audit", "TOOLS"]),
    ("intake", &["domain", "rules", "store", "audit", "TOOLS"]),
    ("work", &["domain", "rules", "normalise", "matching", "certificate", "store", "audit", "ledger", "intake", "TOOLS"]),
    ("clock", &["TOOLS"]),
    ("config", &["TOOLS"]),
    ("durable", &["TOOLS"]),
    ("excerpt", &["domain"]),
    ("failpoint", &["TOOLS"]),
    ("hex", &[]),
    ("secret", &["domain", "TOOLS"]),
    ("shipped", &["rules"]),
];

/// May name everything.
const TOP: &[&str] = &["commands", "main", "lib"];

/// A power and who owns it: outside its owners none of the words may stand in code.
struct Power {
    sentence: &'static str,
    words: &'static [&'static str],
    /// Longer words that contain one of these and are fine everywhere.
    except: &'static [&'static str],
    owners: &'static [&'static str],
    advice: &'static str,
}

const POWERS: &[Power] = &[
    Power {
        sentence: "only `store` speaks SQL",
        words: &["sqlx::"],
        except: &[],
        owners: &["store"],
        advice: "put the query into src/store as a function with a name of the trade, and call that",
    },
    Power {
        sentence: "only `clock` knows the time",
        words: &["SystemTime::now", "Utc::now", "Local::now"],
        except: &[],
        owners: &["clock"],
        advice: "take a `Clock`, or take the date as an argument",
    },
    Power {
        sentence: "only `config` reads the environment",
        words: &["std::env::", "env::var", "env::vars", "env::var_os"],
        except: &[],
        owners: &["config"],
        advice: "add a field to the configuration and pass the value",
    },
    Power {
        sentence: "only `commands` prints",
        words: &["println!", "eprintln!", "print!", "eprint!", "io::stdout", "io::stderr"],
        except: &[],
        owners: &["commands", "main"],
        advice: "return what there is to say, or log it with tracing",
    },
    Power {
        sentence: "only `secret` reveals an account number",
        words: &[".reveal("],
        // The password of the database is a secret too, and the driver needs it.
        except: &["database_url.reveal("],
        owners: &["secret", "parsers"],
        advice: "use the last four characters, or ask `secret` for the keyed hash",
    },
    Power {
        sentence: "only `ledger` moves money",
        words: &["settle_items(", "change_payments(", "record_applications(", "record_entries(", "settle_bank_return("],
        except: &[],
        owners: &["ledger", "store"],
        advice: "ask `ledger` for the move; it writes application, journal and audit row together",
    },
    Power {
        sentence: "nothing is left for later",
        words: &["todo!", "unimplemented!", "dbg!"],
        except: &[],
        owners: &[],
        advice: "finish it, or leave it out and say so in the documentation",
    },
];

/// Where money is kept, moved and counted, and floating point may not stand.
const WITHOUT_FLOATS: &[&str] = &["parsers/src/", "src/domain/", "src/ledger", "src/store/", "src/audit", "src/rules/"];

/// Openings of SQL statements: all words of a row in one text make a statement.
const SQL: &[&[&str]] = &[
    &["select ", " from "],
    &["insert into "],
    &["update ", " set ", " where "],
    &["delete from "],
    &["create table "],
    &["create index "],
    &["alter table "],
    &["begin immediate"],
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let root = root();
    folders.iter().flat_map(|folder| rust_files(&root.join(folder))).map(|path| Source::read(&root, &path)).collect()
}

/// Sources of the engine and the parsers without modules that exist for tests only.
fn product() -> Vec<Source> {
    let mut all = sources(&["src", "parsers/src"]);
    let tests: Vec<String> = all.iter().flat_map(Source::test_module_paths).collect();
    let belongs = |path: &str, module: &str| path.strip_prefix(module).is_some_and(|rest| rest.starts_with('/') || rest == ".rs");
    all.retain(|source| !source.is_test() && !tests.iter().any(|module| belongs(&source.path, module)));
    all
}

fn report(mut broken: Vec<String>) {
    broken.sort();
    broken.dedup();
    assert!(broken.is_empty(), "{} places are not tidy:\n{}\n", broken.len(), broken.join("\n"));
}

#[test]
fn modules_know_only_whom_they_may() {
    let mut broken = Vec::new();
    for source in product().iter().filter(|source| source.path.starts_with("src/")) {
        let module = source.module();
        if TOP.contains(&module) {
            continue;
        }
        let Some((_, known)) = MAY_KNOW.iter().find(|(name, _)| *name == module) else {
            broken.push(format!(
                "{}: module `{module}` is not in MAY_KNOW of tests/tidy.rs; add it there and to docs/architecture.md",
                source.path
            ));
            continue;
        };
        for (at, other) in source.crate_modules() {
            let tool = known.contains(&"TOOLS") && TOOLS.contains(&other.as_str());
            if other != module && !known.contains(&other.as_str()) && !tool {
                let place = source.place(at);
                broken.push(format!(
                    "{place}: `{module}` must not know `{other}`; it may know {known:?}. Pass what it needs as an argument, or move the code up"
                ));
            }
        }
    }
    report(broken);
}

#[test]
fn the_parsers_stand_alone() {
    let manifest = std::fs::read_to_string(root().join("parsers/Cargo.toml")).expect("parsers/Cargo.toml");
    let dependencies = manifest.split("[dependencies]").nth(1).expect("a section of dependencies");
    let dependencies = dependencies.split("\n[").next().unwrap_or("");
    for word in ["tokio", "sqlx", "reqwest", "tieout", "clock"] {
        assert!(!dependencies.contains(word), "parsers/Cargo.toml: the parsers are pure and must not depend on {word}");
    }
    let mut broken = Vec::new();
    for source in product().iter().filter(|source| source.path.starts_with("parsers/")) {
        for word in ["std::fs", "std::net", "std::thread", "std::process", "Instant::now", "async fn"] {
            broken.extend(source.words(word).map(|at| {
                format!("{}: `{word}` in the parsers; they are pure, so take bytes and give records", source.place(at))
            }));
        }
    }
    report(broken);
}

#[test]
fn every_power_has_its_owner() {
    let mut broken = Vec::new();
    for source in &product() {
        let owner = if source.path.starts_with("parsers/") { "parsers" } else { source.module() };
        for power in POWERS.iter().filter(|power| !power.owners.contains(&owner)) {
            for word in power.words {
                let excepted = |at: usize| power.except.iter().any(|longer| source.code[..at + word.len()].ends_with(longer));
                let places = source.words(word).filter(|at| !excepted(*at)).map(|at| source.place(at));
                broken.extend(places.map(|place| format!("{place}: `{word}`: {}; {}", power.sentence, power.advice)));
            }
        }
    }
    report(broken);
}

#[test]
fn sql_stands_in_the_store_only() {
    let mut broken = Vec::new();
    for source in product().iter().filter(|source| source.module() != "store") {
        for (at, text) in &source.strings {
            let text = text.to_lowercase();
            if SQL
                .iter()
                .any(|words| words.iter().all(|word| text.contains(word)) && text.trim_start().starts_with(words[0].trim()))
            {
                let place = source.place(*at);
                broken
                    .push(format!("{place}: an SQL statement outside src/store; give it a function in the store and call that"));
            }
        }
    }
    report(broken);
}

#[test]
fn no_float_comes_near_money() {
    let mut broken = Vec::new();
    for source in product().iter().filter(|source| WITHOUT_FLOATS.iter().any(|folder| source.path.starts_with(folder))) {
        for word in ["f32", "f64"] {
            let places = source.words(word).map(|at| source.place(at));
            broken.extend(
                places.map(|place| format!("{place}: `{word}` near money; use minor units, parts per million or Decimal")),
            );
        }
    }
    report(broken);
}

#[test]
fn files_and_functions_fit_a_reader() {
    let mut broken = Vec::new();
    for source in &sources(&["src", "parsers", "tests", "benches", "fuzz"]) {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            broken.push(format!("{}: {lines} lines; split it by nouns of the trade, the limit is {FILE_LINES_MAX}", source.path));
        }
        for (name, at, lines) in source.functions() {
            if lines > FUNCTION_LINES_MAX {
                let place = source.place(at);
                broken.push(format!(
                    "{place}: function `{name}` has {lines} lines; name its parts, the limit is {FUNCTION_LINES_MAX}"
                ));
            }
        }
    }
    report(broken);
}

#[test]
fn modules_say_what_they_are_for() {
    let opens = |source: &Source| source.text.starts_with("//!");
    let silent =
        sources(&["src", "parsers/src", "tests"]).into_iter().filter(|source| !opens(source) && source.path != "src/main.rs");
    report(
        silent
            .map(|source| format!("{}: open with `//!` and say what it is for and what it leaves to others", source.path))
            .collect(),
    );
}

#[test]
fn nothing_speaks_of_one_machine() {
    let folders = ["src", "parsers", "tests", "benches", "fuzz", "docs", "rules", "samples", "scripts", ".ci"];
    let mut paths: Vec<PathBuf> = folders.iter().flat_map(|folder| files(&root().join(folder))).collect();
    paths.extend(["README.md", "CHANGELOG.md", "Cargo.toml", "deny.toml"].iter().map(|name| root().join(name)));
    let mut broken = Vec::new();
    for path in paths {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let name = path.strip_prefix(root()).unwrap_or(Path::new("")).display().to_string();
        for (index, line) in text.lines().enumerate() {
            let place = format!("{name}:{}", index + 1);
            broken.extend(
                pages::local_words(line)
                    .map(|word| format!("{place}: {word:?} means something on one machine only; say it for every reader")),
            );
        }
    }
    report(broken);
}

#[cfg(test)]
mod rules_catch_what_they_should {
    use super::*;

    fn source(text: &str) -> Source {
        Source::of("src/matching/mod.rs".to_owned(), text.to_owned())
    }

    #[test]
    fn comments_texts_and_tests_are_not_code() {
        let text = "// println!\nfn a() { let s = \"println!\"; }\n#[cfg(test)]\nmod tests { fn b() { println!() } }\nfn c() { println!() }\n";
        let places: Vec<String> = { source(text).words("println!").map(|at| source(text).place(at)).collect() };
        assert_eq!(places, ["src/matching/mod.rs:5"]);
        assert_eq!(source("let a = r#\"select \"x\" from y\"#; let b = '\"'; let c = \"d\";").strings.len(), 2);
    }

    #[test]
    fn groups_of_uses_are_seen() {
        let names = |text: &str| source(text).crate_modules().into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names("use crate::{domain::{Money, Payment}, store, Text};"), ["domain", "store"]);
        assert_eq!(names("let x = crate::ledger::apply(); use crate::Thing;"), ["ledger"]);
    }

    #[test]
    fn functions_are_measured_to_their_last_brace() {
        let text = "fn long(a: [u8; 3]) -> u8\nwhere\n{\n    if a { '{' } else { \"}\" }\n}\ntrait T { fn none(); }\n";
        assert_eq!(source(text).functions(), [("long".to_owned(), 0, 5)]);
    }
}
