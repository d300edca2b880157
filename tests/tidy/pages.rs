//! Rules about the pages: generated tables are current, links lead somewhere, formats have their section.

use std::{collections::BTreeSet, env, fs, path::Path};

use tieout::{config::SETTINGS, domain::Reason};
use tieout_parsers::{FindingCode, Format};

use super::{files, report, root};

/// First folders of absolute paths that exist on one machine only.
const FOREIGN_ROOTS: &[&str] = &["home", "root", "work", "Users"];

/// What a line says about the place where it was written.
pub fn local_words(line: &str) -> impl Iterator<Item = String> + '_ {
    foreign_paths(line).chain(tracker_numbers(line))
}

/// Absolute paths below such a folder; inside a relative path the name is as good as any.
fn foreign_paths(line: &str) -> impl Iterator<Item = String> + '_ {
    FOREIGN_ROOTS.iter().map(|folder| format!("/{folder}/")).filter(|path| {
        let opens = |at: usize| {
            let before = line[..at].chars().next_back();
            before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-' | '}' | '*' | '>' | '~'))
        };
        line.match_indices(path.as_str()).any(|(at, _)| opens(at))
    })
}

/// Numbers of a tracker that readers of the repository cannot see.
fn tracker_numbers(line: &str) -> impl Iterator<Item = String> + '_ {
    let lower = line.to_lowercase();
    let after = lower.split("issue ").nth(1).map(str::to_owned);
    after
        .into_iter()
        .filter(|rest| rest.trim_start_matches('#').starts_with(|c: char| c.is_ascii_digit()))
        .map(|_| "issue number".to_owned())
}

/// Compares a generated page with the one in the repository; `UPDATE_EXPECT=1` writes it.
fn generated(page: &str, text: &str) {
    let path = root().join(page);
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, text).expect("the page can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "{page} is not what the tables in the code say; run `UPDATE_EXPECT=1 cargo test --test tidy`");
}

#[test]
fn reasons_and_findings_are_documented_from_their_tables() {
    let mut text = String::from(
        "# Reasons and findings\n\nThis page is generated from the tables in `src/domain/reason.rs` and `parsers/src/finding.rs`.\n\n\
         ## Reasons\n\nWhy something is work for a person. A routing rule may send it to another queue than the one named here.\n\n\
         | reason | title | queue | what to do |\n|---|---|---|---|\n",
    );
    for reason in Reason::ALL {
        text += &format!("| `{}` | {} | {} | {} |\n", reason.code(), reason.title(), reason.default_queue(), reason.advice());
    }
    text += "\n## Findings\n\nWhat is wrong or odd in a file. What it does to the record or file stands beside each finding as its effect.\n\n\
             | code | title | what to do |\n|---|---|---|\n";
    for code in FindingCode::ALL {
        text += &format!("| `{}` | {} | {} |\n", code.as_str(), code.title(), code.advice());
    }
    generated("docs/reasons.md", &text);
}

#[test]
fn settings_are_documented_from_their_table() {
    let mut table = String::from("\n| key | variable | default | what it is for |\n|---|---|---|---|\n");
    for setting in SETTINGS {
        let key = if setting.environment_only() { "".to_owned() } else { format!("`{}`", setting.key) };
        let default = if setting.default.is_empty() { String::new() } else { format!("`{}`", setting.default) };
        table += &format!("| {key} | `{}` | {default} | {} |\n", setting.variable(), setting.purpose);
    }
    let page = "docs/operations.md";
    let text = fs::read_to_string(root().join(page)).expect("docs/operations.md");
    let (before, rest) = text.split_once("<!-- settings begin").expect("the mark where settings begin");
    let (mark, rest) = rest.split_once('\n').expect("the mark is a line");
    let (_, after) = rest.split_once("<!-- settings end -->").expect("the mark where settings end");
    generated(page, &format!("{before}<!-- settings begin{mark}\n{table}\n<!-- settings end -->{after}"));
}

#[test]
fn codes_are_unique() {
    let reasons: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    let findings: BTreeSet<&str> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(reasons.len(), Reason::ALL.len(), "two reasons share a code");
    assert_eq!(findings.len(), FindingCode::ALL.len(), "two findings share a code");
}

/// Sets whose content is read: each has a section that says what is taken from it.
const SECTIONS: &[&str] = &["820", "810", "210", "997", "999", "TA1"];

#[test]
fn every_format_has_its_section() {
    let page = fs::read_to_string(root().join("docs/formats.md")).expect("docs/formats.md");
    let unnamed = Format::ALL.iter().filter(|format| !page.contains(&format!("`{}`", format.as_str())));
    let mut broken: Vec<String> = unnamed
        .map(|format| format!("docs/formats.md: `{}` is not in the table of formats; say what comes out of it", format.as_str()))
        .collect();
    let headed = |name: &str| page.lines().any(|line| line.starts_with("## ") && line.contains(name));
    let missing = SECTIONS.iter().filter(|name| !headed(name));
    broken.extend(missing.map(|name| format!("docs/formats.md: no section on {name}; say what we read of it and what not")));
    report(broken);
}

#[test]
fn links_lead_somewhere() {
    let mut pages: Vec<_> = files(&root().join("docs")).into_iter().chain(files(&root().join("samples"))).collect();
    pages.extend(["README.md", "CHANGELOG.md"].map(|name| root().join(name)));
    let mut broken = Vec::new();
    for page in pages.iter().filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
        let Ok(text) = fs::read_to_string(page) else { continue };
        for target in link_targets(&text) {
            let file = target.split('#').next().unwrap_or("");
            let there = page.parent().unwrap_or(Path::new("")).join(file).exists();
            if !file.is_empty() && !there {
                broken.push(format!("{}: link to {target}, which is not there", page.display()));
            }
        }
    }
    report(broken);
}

/// Targets of `[text](target)` inside the repository.
fn link_targets(text: &str) -> Vec<&str> {
    let ends = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    ends.filter(|target| !target.contains("://") && !target.starts_with("mailto:")).collect()
}

#[test]
fn local_words_are_recognised() {
    let seen = |line: &str| local_words(line).count();
    assert_eq!(seen(&format!("see /{}/x", "root")), 1);
    assert_eq!(seen(&format!("src/{}/parse.rs and tests", "work")), 0);
    assert_eq!(seen(&format!("fixes issue {}", 12)), 1);
    assert_eq!(seen("an issue of trust"), 0);
}
