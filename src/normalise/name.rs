//! Names of companies in comparable forms.
//!
//! Banks write names in upper case without accents and cut them at 16, 22 or 35 characters; people leave the legal form out and shorten words.

use std::borrow::Cow;

use super::upper_ascii;

/// A company name with its comparable forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// All letters and digits of the words, upper case, without accents, legal form included: what a cut name is a beginning of.
    pub compact: String,
    /// The same without the legal form.
    pub stem: String,
    /// Where each word ends in the compact form.
    ends: [u32; Self::WORDS_MAX],
    count: usize,
    /// One bit for each word that says something: neither a legal form nor a word that joins others.
    telling: u32,
}

/// Words that tell the legal form. Language knowledge, not knowledge of a customer.
fn is_legal_form(word: &str) -> bool {
    matches!(
        word,
        "AB" | "AG"
            | "AS"
            | "ASA"
            | "BHD"
            | "BV"
            | "CO"
            | "COMPANY"
            | "CORP"
            | "CORPORATION"
            | "CV"
            | "DBA"
            | "EV"
            | "EG"
            | "GBR"
            | "GMBH"
            | "INC"
            | "INCORPORATED"
            | "KFT"
            | "KG"
            | "KGAA"
            | "KK"
            | "LIMITED"
            | "LLC"
            | "LLP"
            | "LP"
            | "LTD"
            | "LTDA"
            | "MBH"
            | "NV"
            | "OHG"
            | "OY"
            | "OYJ"
            | "PLC"
            | "PTE"
            | "PTY"
            | "SA"
            | "SAS"
            | "SARL"
            | "SE"
            | "SDN"
            | "SL"
            | "SLU"
            | "SPA"
            | "SRL"
            | "SRO"
            | "UG"
            | "ULC"
            | "ZOO"
    )
}

/// Words that join others and carry nothing.
fn joins(word: &str) -> bool {
    matches!(word, "AND" | "THE" | "OF" | "UND" | "ET" | "Y" | "E" | "DE" | "DER" | "DES")
}

/// Letters that the beginnings of two names must share to be one name cut or filled.
const ALIKE_MIN: usize = 4;

impl Name {
    /// Words kept of a name; no company needs more.
    pub const WORDS_MAX: usize = 24;

    /// Whether two texts may name one party; `None` when one of them names none. Banks cut names and fill them up.
    pub fn may_be_one(ours: Option<&str>, theirs: Option<&str>) -> Option<bool> {
        let compact = |text: Option<&str>| Self::new(text.unwrap_or_default()).compact;
        let (ours, theirs) = (compact(ours), compact(theirs));
        if ours.is_empty() || theirs.is_empty() {
            return None;
        }
        let alike = ours.chars().zip(theirs.chars()).take_while(|(a, b)| a == b).count();
        Some(alike >= ALIKE_MIN || alike == ours.len().min(theirs.len()))
    }

    pub fn new(text: &str) -> Self {
        let plain = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(upper_ascii(text)) };
        let mut name = Self {
            compact: String::with_capacity(plain.len()),
            stem: String::new(),
            ends: [0; Self::WORDS_MAX],
            count: 0,
            telling: 0,
        };
        name.read(&plain);
        name.compact.make_ascii_uppercase();
        name.weigh();
        name
    }

    /// Single letters in a row (`L.L.C.`) become one word.
    fn read(&mut self, text: &str) {
        let mut initials = false;
        for run in text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()).take(Self::WORDS_MAX) {
            let single = run.chars().nth(1).is_none();
            if !(single && initials) {
                self.count += 1;
            }
            self.compact.push_str(run);
            self.ends[self.count - 1] = u32::try_from(self.compact.len()).unwrap_or(u32::MAX);
            initials = single;
        }
    }

    /// Tells the words that say something from the others.
    fn weigh(&mut self) {
        let mut end = self.count;
        while end > 1 && is_legal_form(self.word(end - 1)) {
            end -= 1;
        }
        let mut stem = String::with_capacity(self.compact.len());
        for at in 0..self.count {
            let word = self.word(at);
            let joining = joins(word);
            if at < end && !joining {
                stem.push_str(word);
            }
            self.telling |= u32::from(!joining && !is_legal_form(word)) << at;
        }
        self.stem = stem;
    }

    fn word(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.compact[start as usize..self.ends[at] as usize]
    }

    /// Words, upper case, without accents and signs.
    pub fn words(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.count).map(|at| self.word(at))
    }

    fn telling_words(&self) -> impl Iterator<Item = (usize, &str)> {
        (0..self.count).filter(|at| self.telling & 1 << at != 0).map(|at| (at, self.word(at)))
    }

    pub fn is_empty(&self) -> bool {
        self.compact.is_empty()
    }
}

/// How alike two names are, in thousandths: the share of their letters that answer each other word by word, where a word may be shortened. `None`
/// where it is less than `least`.
pub fn similarity_milli(theirs: &Name, ours: &Name, least: u32) -> Option<u32> {
    let letters = |name: &Name| name.telling_words().map(|(_, word)| word.len()).sum::<usize>();
    let total = letters(theirs) + letters(ours);
    if total == 0 {
        return None;
    }
    let (mut used, mut answered, mut unanswered) = (0u32, 0, 0);
    for (_, word) in theirs.telling_words() {
        let best = ours
            .telling_words()
            .filter(|(at, _)| used & 1 << at == 0)
            .map(|(at, own)| (word_milli(word, own), std::cmp::Reverse(at), own.len()))
            .max();
        if let Some((milli, std::cmp::Reverse(at), length)) = best.filter(|(milli, ..)| *milli >= 800) {
            used |= 1 << at;
            answered += (word.len() + length) * milli as usize / 1000;
        } else {
            unanswered += word.len();
        }
        if (total - unanswered) * 1000 < total * least as usize {
            return None;
        }
    }
    u32::try_from(answered * 1000 / total).ok().filter(|milli| *milli >= least)
}

/// How alike two words are: equal, shortened (`MFG` for `MANUFACTURING`, `IND` for `INDUSTRIAL`) or mistyped.
fn word_milli(theirs: &str, ours: &str) -> u32 {
    if theirs == ours {
        return 1000;
    }
    let (short, long) = if theirs.len() <= ours.len() { (theirs, ours) } else { (ours, theirs) };
    if short.len() >= 2 && long.starts_with(short) {
        return if short.len() >= 3 { 930 } else { 850 };
    }
    if short.len() >= 3 && short.as_bytes().first() == long.as_bytes().first() && is_subsequence(short, long) {
        return 880;
    }
    if !may_be_alike(theirs, ours) {
        return 0;
    }
    let alike = strsim::jaro_winkler(theirs, ours);
    // strsim answers with a float; it is compared with fixed steps at once, so that no float goes further.
    if alike >= 0.95 {
        900
    } else if alike >= 0.90 {
        820
    } else {
        0
    }
}

/// Whether two words share so many letters that their Jaro-Winkler similarity can reach the least step asked for; a quick no for nearly all pairs.
fn may_be_alike(a: &str, b: &str) -> bool {
    if !a.is_ascii() || !b.is_ascii() {
        return true;
    }
    let letters = |word: &str| word.bytes().fold(0u64, |set, byte| set | 1 << (byte & 63));
    let shared = |word: &str, other: u64| word.bytes().filter(|byte| other & 1 << (byte & 63) != 0).count();
    // What one has and the other lacks cannot match. Of m matches the similarity is at most (m/a + m/b + 1) / 3, and four equal first letters lift it
    // by four tenths of what is missing: 0.90 needs 0.833 before that.
    let most = shared(a, letters(b)).min(shared(b, letters(a)));
    (most * (a.len() + b.len()) + a.len() * b.len()) * 100 >= 3 * 83 * a.len() * b.len()
}

fn is_subsequence(short: &str, long: &str) -> bool {
    let mut rest = long.chars();
    short.chars().all(|c| rest.any(|other| other == c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legal_form_is_not_part_of_the_stem() {
        for (written, expected) in [
            ("Acme Industrial Supply, Inc.", "ACMEINDUSTRIALSUPPLY"),
            ("ACME INDUSTRIAL SUPPLY L.L.C.", "ACMEINDUSTRIALSUPPLY"),
            ("Müller Bäckerei GmbH & Co. KG", "MULLERBACKEREI"),
            ("Inc.", "INC"),
            ("", ""),
        ] {
            assert_eq!(Name::new(written).stem, expected, "{written}");
        }
    }

    #[test]
    fn a_cut_name_is_the_beginning_of_the_compact_form() {
        let full = Name::new("Chesapeake Building Materials, LLC");
        for cut in [16, 22, 34] {
            let seen = Name::new(&upper_ascii("Chesapeake Building Materials, LLC")[..cut]);
            assert!(full.compact.starts_with(&seen.compact), "{}", seen.compact);
        }
    }

    #[test]
    fn shortened_words_answer_the_long_ones_and_strangers_do_not() {
        let ours = Name::new("Northern Industrial Manufacturing Inc.");
        assert!(similarity_milli(&Name::new("NRTHN IND MFG INC"), &ours, 850).is_some());
        assert!(similarity_milli(&Name::new("NORTHERN INDUSTRIAL MANUFATURING"), &ours, 900).is_some());
        assert_eq!(similarity_milli(&Name::new("NORTHERN FOODS"), &ours, 600), None);
        assert_eq!(similarity_milli(&Name::new(""), &ours, 1), None);
    }
}
