//! Reads a rule set: the one place where files are opened, and the canonical form that is hashed.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use serde::de::DeserializeOwned;

use super::{
    RuleError, RuleErrors, RuleSet,
    case::{CaseFile, TestCase},
    check,
    customer::Overlay,
    written::{Written, sha256, write_canonical},
};

/// The files every set has.
const FILES: [&str; 8] = [
    "authority.toml",
    "certificate.toml",
    "engine.toml",
    "normalise.toml",
    "payers.toml",
    "reasons.toml",
    "routing.toml",
    "tolerance.toml",
];

impl RuleSet {
    /// Reads the rule folder.
    pub fn load(dir: &Path) -> Result<Self, RuleErrors> {
        Self::from_texts(&Self::read_files(dir)?)
    }

    /// The files of a rule folder, by path inside it.
    pub fn read_files(dir: &Path) -> Result<BTreeMap<String, String>, RuleErrors> {
        let mut texts = BTreeMap::new();
        let mut errors = Vec::new();
        for folder in ["", "customers/", "tests/"] {
            read_folder(dir, folder, &mut texts, &mut errors);
        }
        if errors.is_empty() { Ok(texts) } else { Err(RuleErrors(errors)) }
    }

    /// Makes a set from the text of its files, by path inside the rule folder.
    pub fn from_texts(texts: &BTreeMap<String, String>) -> Result<Self, RuleErrors> {
        let mut reader = Reader { texts, errors: Vec::new() };
        let set = reader.set();
        match set {
            Some(set) if reader.errors.is_empty() => Ok(set),
            _ => Err(RuleErrors(reader.errors)),
        }
    }
}

fn read_folder(dir: &Path, folder: &str, texts: &mut BTreeMap<String, String>, errors: &mut Vec<RuleError>) {
    let path = dir.join(folder);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        // Overlays and tests may be absent; the other files are missed by name.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => return errors.push(unreadable(folder, &error)),
    };
    for entry in entries {
        let path = match entry {
            Ok(entry) => entry.path(),
            Err(error) => return errors.push(unreadable(folder, &error)),
        };
        if !path.is_file() || path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = format!("{folder}{}", path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default());
        match fs::read_to_string(&path) {
            Ok(text) => drop(texts.insert(name, text)),
            Err(error) => errors.push(unreadable(&name, &error)),
        }
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> RuleError {
    RuleError {
        file: file.to_owned(),
        line: None,
        key: String::new(),
        expected: "a readable UTF-8 text".to_owned(),
        found: error.to_string(),
        advice: "check the path and its permissions".to_owned(),
    }
}

/// Reads file after file and collects every fault, so that one run shows them all.
struct Reader<'a> {
    texts: &'a BTreeMap<String, String>,
    errors: Vec<RuleError>,
}

impl Reader<'_> {
    fn set(&mut self) -> Option<RuleSet> {
        let authority = self.file("authority.toml");
        let certificate = self.file("certificate.toml");
        let engine = self.file("engine.toml");
        let normalise = self.file("normalise.toml");
        let payers = self.file("payers.toml");
        let reasons = self.file("reasons.toml");
        let routing = self.file("routing.toml");
        let tolerance = self.file("tolerance.toml");
        let mut customers = BTreeMap::new();
        let mut cases = Vec::new();
        for path in self.texts.keys().filter(|path| !FILES.contains(&path.as_str())) {
            if path.starts_with("customers/") {
                if let Some(overlay) = self.file::<Overlay>(path) {
                    let overlay = Overlay { file: path.clone(), ..overlay };
                    if let Some(first) = customers.insert(overlay.customer.clone(), overlay) {
                        self.errors.push(second_overlay(path, &first));
                    }
                }
            } else if path.starts_with("tests/") {
                let read = self.file::<CaseFile>(path).into_iter().flat_map(|file| file.cases);
                cases.extend(read.map(|case| TestCase { file: path.clone(), ..case }));
            } else {
                self.errors.push(unknown_file(path));
            }
        }
        let mut set = RuleSet {
            hash: hash(self.texts),
            engine: engine?,
            normalise: normalise?,
            payers: payers?,
            tolerance: tolerance?,
            reasons: reasons?,
            routing: routing?,
            authority: authority?,
            certificate: certificate?,
            customers,
            cases,
            written: Written::of(self.texts),
        };
        set.reasons.index();
        check::check(&set, self.texts, &mut self.errors);
        Some(set)
    }

    fn file<T: DeserializeOwned>(&mut self, path: &str) -> Option<T> {
        let Some(text) = self.texts.get(path) else {
            self.errors.push(RuleError {
                file: path.to_owned(),
                line: None,
                key: String::new(),
                expected: "a file of this name".to_owned(),
                found: "none".to_owned(),
                advice: "copy the shipped one and change what differs".to_owned(),
            });
            return None;
        };
        match toml::from_str(text) {
            Ok(file) => Some(file),
            Err(error) => {
                self.errors.push(syntax(path, text, &error));
                None
            }
        }
    }
}

fn second_overlay(path: &str, first: &Overlay) -> RuleError {
    RuleError {
        file: path.to_owned(),
        line: None,
        key: "customer".to_owned(),
        expected: "a customer without overlay".to_owned(),
        found: format!("{}, which {} is about", first.customer, first.file),
        advice: "put both into one file".to_owned(),
    }
}

fn unknown_file(path: &str) -> RuleError {
    RuleError {
        file: path.to_owned(),
        line: None,
        key: String::new(),
        expected: format!("one of {}, customers/*.toml, tests/*.toml", FILES.join(", ")),
        found: "a file of another name".to_owned(),
        advice: "rename it, or move it out of the rule folder".to_owned(),
    }
}

fn syntax(path: &str, text: &str, error: &toml::de::Error) -> RuleError {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let found = line.and_then(|line| text.lines().nth(line - 1)).unwrap_or_default().trim();
    RuleError {
        file: path.to_owned(),
        line,
        key: String::new(),
        expected: "what the schema of this file allows".to_owned(),
        found: format!("`{found}`"),
        advice: error.message().to_owned(),
    }
}

/// SHA-256 over the files in order of their path, each as canonical text; examples and tests are not part of it.
fn hash(texts: &BTreeMap<String, String>) -> String {
    let mut canonical = String::new();
    for (path, text) in texts.iter().filter(|(path, _)| !path.starts_with("tests/")) {
        let table = text.parse::<toml::Table>().unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(canonical, "{path}");
        write_canonical(&toml::Value::Table(table), &mut canonical);
        canonical.push('\n');
    }
    sha256(&canonical)
}
