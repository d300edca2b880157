//! Names of companies in comparable forms.
//!
//! Banks write names in upper case without accents and cut them at 16, 22 or 35 characters; people leave the legal form out and shorten words.

use super::upper_ascii;

/// A company name with its comparable forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Words, upper case, without accents and signs.
    pub words: Vec<String>,
    /// All letters and digits of the words, legal form included: what a cut name is a beginning of.
    pub compact: String,
    /// The same without the legal form.
    pub stem: String,
}

/// Words that tell the legal form. Language knowledge, not knowledge of a customer.
const LEGAL_FORMS: &[&str] = &[
    "AB",
    "AG",
    "AS",
    "ASA",
    "BHD",
    "BV",
    "CO",
    "COMPANY",
    "CORP",
    "CORPORATION",
    "CV",
    "DBA",
    "EV",
    "EG",
    "GBR",
    "GMBH",
    "INC",
    "INCORPORATED",
    "KFT",
    "KG",
    "KGAA",
    "KK",
    "LIMITED",
    "LLC",
    "LLP",
    "LP",
    "LTD",
    "LTDA",
    "MBH",
    "NV",
    "OHG",
    "OY",
    "OYJ",
    "PLC",
    "PTE",
    "PTY",
    "SA",
    "SAS",
    "SARL",
    "SE",
    "SDN",
    "SL",
    "SLU",
    "SPA",
    "SRL",
    "SRO",
    "UG",
    "ULC",
    "ZOO",
];

/// Words that join others and carry nothing.
const JOINING: &[&str] = &["AND", "THE", "OF", "UND", "ET", "Y", "E", "DE", "DER", "DES"];

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
        let words = words(text);
        let compact: String = words.concat();
        let stem = stem(&words);
        Self { words, compact, stem }
    }

    /// The name without its first `count` words: banks put codes such as `ORIG:` before it.
    pub fn without_lead(&self, count: usize) -> Option<Self> {
        let words = self.words.get(count..).filter(|rest| !rest.is_empty())?.to_vec();
        Some(Self { compact: words.concat(), stem: stem(&words), words })
    }

    pub fn is_empty(&self) -> bool {
        self.compact.is_empty()
    }
}

/// Upper-case words; single letters in a row (`L.L.C.`) become one word.
fn words(text: &str) -> Vec<String> {
    let plain = upper_ascii(text);
    let mut words: Vec<String> = Vec::new();
    let mut initials = false;
    for run in plain.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()).take(Name::WORDS_MAX) {
        let single = run.chars().count() == 1;
        match words.last_mut() {
            Some(last) if single && initials => last.push_str(run),
            _ => words.push(run.to_owned()),
        }
        initials = single;
    }
    words
}

fn stem(words: &[String]) -> String {
    let mut end = words.len();
    while end > 1 && LEGAL_FORMS.contains(&words[end - 1].as_str()) {
        end -= 1;
    }
    words[..end].iter().filter(|word| !JOINING.contains(&word.as_str())).map(String::as_str).collect()
}

/// How alike two names are, in thousandths: the share of their letters that answer each other word by word, where a word may be shortened.
pub fn similarity_milli(theirs: &Name, ours: &Name) -> u32 {
    let theirs_words = meaningful(&theirs.words);
    let ours_words = meaningful(&ours.words);
    let total: usize = theirs_words.iter().chain(&ours_words).map(|word| word.len()).sum();
    if total == 0 {
        return 0;
    }
    let mut used = vec![false; ours_words.len()];
    let mut answered = 0;
    for word in &theirs_words {
        let best = ours_words
            .iter()
            .enumerate()
            .filter(|(at, _)| !used[*at])
            .map(|(at, own)| (word_milli(word, own), at))
            .max_by_key(|(milli, at)| (*milli, usize::MAX - at));
        if let Some((milli, at)) = best.filter(|(milli, _)| *milli >= 800) {
            used[at] = true;
            answered += (word.len() + ours_words[at].len()) * milli as usize / 1000;
        }
    }
    u32::try_from(answered * 1000 / total).unwrap_or(1000)
}

fn meaningful(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).filter(|word| !LEGAL_FORMS.contains(word) && !JOINING.contains(word)).collect()
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
        assert!(similarity_milli(&Name::new("NRTHN IND MFG INC"), &ours) >= 850);
        assert!(similarity_milli(&Name::new("NORTHERN INDUSTRIAL MANUFATURING"), &ours) >= 900);
        assert!(similarity_milli(&Name::new("NORTHERN FOODS"), &ours) < 600);
        assert_eq!(similarity_milli(&Name::new(""), &ours), 0);
    }
}
