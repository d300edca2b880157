//! `rules/normalise.toml`: how references and names are cleaned before they are compared.
//!
//! The raw text is always kept, because a hit on the raw reference outranks one on the cleaned one. Cleaning removes what a
//! payer wrote around a number; it never invents one.

use serde::Deserialize;

use super::{
    mask::Mask,
    rule::{Stage, rule},
};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormaliseRules {
    pub version: u32,
    /// Characters that scanners and people mix up; each class reads as its digit: `"O0"`.
    pub ocr_classes: Vec<OcrClass>,
    /// Endings of company names that say nothing about who it is.
    pub legal_forms: Vec<String>,
    /// Words of company names with their usual short forms: `CO` for `COMPANY`.
    #[serde(default)]
    pub abbreviations: std::collections::BTreeMap<String, String>,
    #[serde(default, rename = "pattern")]
    pub patterns: Vec<Pattern>,
}

/// Characters that are mixed up; the last one is the digit they read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcrClass(Vec<u8>);

impl<'de> Deserialize<'de> for OcrClass {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let alphanumeric = text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
        if text.len() >= 2 && alphanumeric && text.ends_with(|last: char| last.is_ascii_digit()) {
            Ok(Self(text.into_bytes()))
        } else {
            Err(serde::de::Error::custom(format!(
                "{text:?} is no class; expected capitals and then the digit they read as: \"O0\""
            )))
        }
    }
}

rule! {
    /// How one kind of reference looks. The first pattern that fits decides; those of a partner come before the global ones.
    pub struct Pattern shown by NormaliseGiven => NormaliseExpect {
        /// Code of the customer whose references look like this; absent: everybody's.
        pub partner: Option<String>,
        pub kind: ReferenceKind,
        /// Words that may stand before the number and are removed. The pattern fits only where one of them stands, unless the list is empty.
        #[serde(default)]
        pub strip: Words,
        /// Endings that are removed where they stand.
        #[serde(default)]
        pub strip_end: Vec<String>,
        /// Form of what is left: `#` a digit, `@` a letter, `?` either, `{2,5}` or `+` after it how often, `(` `)` around what to keep.
        pub extract: Option<Mask>,
        #[serde(default)]
        pub check_digit: CheckDigit,
    }
}

/// What a reference names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    #[default]
    Unknown,
    Invoice,
    CreditMemo,
    PurchaseOrder,
    BillOfLading,
    Pro,
    /// Text that names nothing: `SEE ATTACHED`.
    Noise,
}

/// How the last digit proves the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckDigit {
    #[default]
    None,
    /// Luhn.
    Mod10,
    /// Remainder of the rest by 7: the check digit of airline and many carrier numbers.
    Mod7,
    /// Weights 2 to 7 from the right, remainder subtracted from 11.
    Mod11,
}

/// A reference as it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// As the payer wrote it, blanks around it removed.
    pub raw: String,
    /// Capitals and digits only, without the words that were stripped.
    pub folded: String,
    /// Without letters and zeros before the first significant digit; the folded text when nothing would be left.
    pub core: String,
    /// Runs of letters and runs of digits.
    pub parts: Vec<String>,
    pub kind: ReferenceKind,
    /// Id of the pattern that fitted.
    pub rule: Option<String>,
}

impl NormaliseRules {
    /// Cleans a reference of a payer, whose customer code is given where it is known.
    pub fn reference(&self, raw: &str, partner: Option<&str>) -> Reference {
        let raw = raw.trim();
        let (rest, kind, rule) = match self.fitting(raw, partner) {
            Some((pattern, rest)) => (rest, pattern.kind, Some(pattern.id.clone())),
            None => (raw, ReferenceKind::Unknown, None),
        };
        let folded = fold(rest);
        Reference { raw: raw.to_owned(), core: core(&folded).to_owned(), parts: parts(rest), folded, kind, rule }
    }

    /// The pattern that fits a reference, and what it keeps of it.
    pub fn fitting<'a>(&self, raw: &'a str, partner: Option<&str>) -> Option<(&Pattern, &'a str)> {
        let raw = raw.trim();
        let own = self.patterns.iter().filter(|pattern| pattern.partner.is_some() && pattern.partner.as_deref() == partner);
        let general = self.patterns.iter().filter(|pattern| pattern.partner.is_none());
        own.chain(general)
            .filter(|pattern| pattern.stage == Stage::Auto)
            .find_map(|pattern| pattern.apply(raw).map(|rest| (pattern, rest)))
    }

    /// A folded reference in which characters that are mixed up read alike.
    pub fn ocr(&self, folded: &str) -> String {
        let read = |byte: u8| {
            let class = self.ocr_classes.iter().find(|class| class.0.contains(&byte));
            class.and_then(|class| class.0.last()).copied().unwrap_or(byte)
        };
        folded.bytes().map(|byte| char::from(read(byte))).collect()
    }

    /// A company name as it is compared: capitals, single blanks, usual short forms, no legal form at its end.
    pub fn name(&self, raw: &str) -> String {
        let upper: String = raw.chars().flat_map(char::to_uppercase).filter(|c| !matches!(c, '.' | '\'')).collect();
        let mut words: Vec<&str> = upper.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        while words.len() > 1 && words.last().is_some_and(|last| self.legal_forms.iter().any(|form| form == last)) {
            words.pop();
        }
        let short: Vec<&str> = words.into_iter().map(|word| self.abbreviations.get(word).map_or(word, String::as_str)).collect();
        short.join(" ")
    }
}

/// Capitals and digits only.
pub fn fold(text: &str) -> String {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_uppercase())).collect()
}

/// A folded text without the letters before its first digit and without leading zeros; all of it when nothing would be left.
pub fn core(folded: &str) -> &str {
    let digits = folded.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() { folded } else { significant }
}

/// Runs of letters and runs of digits, in capitals.
pub fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut previous = None;
    for byte in text.bytes() {
        let class = match byte {
            b'0'..=b'9' => Some(true),
            b'a'..=b'z' | b'A'..=b'Z' => Some(false),
            _ => None,
        };
        let letter = char::from(byte.to_ascii_uppercase());
        match parts.last_mut() {
            Some(part) if class.is_some() && class == previous => part.push(letter),
            _ if class.is_some() => parts.push(letter.to_string()),
            _ => {}
        }
        previous = class;
    }
    parts
}

impl Pattern {
    /// What is left of the reference, or `None` where the pattern does not fit.
    fn apply<'a>(&self, raw: &'a str) -> Option<&'a str> {
        let mut rest = raw;
        if !self.strip.is_empty() {
            rest = self.strip.longest_before(raw)?;
        }
        for ending in &self.strip_end {
            rest = strip_ending(rest, ending);
        }
        let kept = match &self.extract {
            Some(mask) => mask.extract(rest)?,
            None => rest,
        };
        (self.kind == ReferenceKind::Noise || !kept.is_empty()).then_some(())?;
        self.check_digit.proves(kept).then_some(kept)
    }
}

/// Words that may stand before a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct Words {
    words: Vec<String>,
    /// One bit for each ASCII character that a word begins with, so that nearly all references need no further look.
    firsts: u128,
}

impl From<Vec<String>> for Words {
    fn from(words: Vec<String>) -> Self {
        let firsts = words.iter().map(|word| first_bit(word)).fold(0, |all, one| all | one);
        Self { words, firsts }
    }
}

impl std::ops::Deref for Words {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.words
    }
}

impl Words {
    /// What follows the longest of the words that the text begins with.
    fn longest_before<'a>(&self, text: &'a str) -> Option<&'a str> {
        if self.firsts & first_bit(text) == 0 {
            return None;
        }
        self.words.iter().filter_map(|word| strip_word(text, word)).min_by_key(|rest| rest.len())
    }
}

/// The bit of the first character, in capitals; all bits where it is not ASCII.
fn first_bit(text: &str) -> u128 {
    match text.bytes().next() {
        Some(byte) if byte.is_ascii() => 1 << byte.to_ascii_uppercase(),
        _ => u128::MAX,
    }
}

/// Removes a word and the separators after it. A word that ends in a letter must end there: `PO` does not fit `PORTLAND`.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word))?;
    let rest = text.get(word.len()..)?;
    let runs_on = head.ends_with(|c: char| c.is_ascii_alphabetic()) && rest.starts_with(|c: char| c.is_ascii_alphabetic());
    (!runs_on).then(|| rest.trim_start_matches([' ', '#', ':', '.', '-', '/', '=']))
}

fn strip_ending<'a>(text: &'a str, ending: &str) -> &'a str {
    let at = text.len().saturating_sub(ending.len());
    match (text.get(..at), text.get(at..)) {
        (Some(head), Some(tail)) if !head.is_empty() && tail.eq_ignore_ascii_case(ending) => head.trim_end(),
        _ => text,
    }
}

impl CheckDigit {
    /// Whether the last digit of the text proves the digits before it.
    pub fn proves(self, text: &str) -> bool {
        if self == Self::None {
            return true;
        }
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
        let Some((&check, body)) = digits.split_last() else { return false };
        match self {
            Self::None => true,
            Self::Mod10 => {
                let doubled = |(at, digit): (usize, &u32)| if at % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { *digit };
                (body.iter().rev().enumerate().map(doubled).sum::<u32>() + check).is_multiple_of(10)
            }
            Self::Mod7 => body.iter().fold(0, |rest, digit| (rest * 10 + digit) % 7) == check,
            Self::Mod11 => {
                let sum: u32 = body.iter().rev().zip((2..=7).cycle()).map(|(digit, weight)| digit * weight).sum();
                match 11 - sum % 11 {
                    11 => check == 0,
                    10 => false,
                    expected => check == expected,
                }
            }
        }
    }
}

/// Given of an example: a reference or a company name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NormaliseGiven {
    pub raw: Option<String>,
    pub partner: Option<String>,
    pub name: Option<String>,
}

/// Expected of an example.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NormaliseExpect {
    pub folded: Option<String>,
    pub core: Option<String>,
    pub parts: Option<Vec<String>>,
    pub kind: Option<ReferenceKind>,
    pub ocr: Option<String>,
    pub name: Option<String>,
}
