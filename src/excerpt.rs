//! A piece of a file around a place, with a caret under what is meant, for reports and screens.
//!
//! Pure: the caller reads the bytes around the place. Account numbers never show whole: in segments that carry them every long run of
//! digits is masked, and so it is in text of no known structure.

use std::ops::Range;

use tieout_parsers::{Location, ibans, x12::Delimiters};

/// Bytes worth reading on either side of a place.
pub const WINDOW_BYTES: u64 = 4096;
/// Characters of one excerpt; longer segments are cut around the place.
const WIDTH: usize = 100;
/// Digits that a name, an amount or a date in an account segment has at most.
const ACCOUNT_DIGITS_MIN: usize = 5;
/// Characters of an account that show.
const SHOWN: usize = 4;
/// Digits in a row that may be an account number in text without structure.
const LOOSE_DIGITS_MIN: usize = 8;

/// Segments that carry no account numbers where they belong; in all others, unknown ones among them, long runs of digits are masked.
const WITHOUT_ACCOUNTS: &[&[u8]] = &[
    b"ISA", b"GS", b"ST", b"SE", b"GE", b"IEA", b"TA1", b"BPR", b"BPS", b"TRN", b"CUR", b"REF", b"N9", b"DTM", b"N1", b"N2",
    b"N3", b"N4", b"NM1", b"PER", b"ENT", b"RMR", b"ADX", b"IT1", b"SLN", b"SAC", b"TXI", b"NTE", b"BIG", b"ITD", b"TDS", b"CTT",
    b"B3", b"C3", b"LX", b"L0", b"L1", b"L3", b"L5", b"L11", b"AK1", b"AK2", b"AK3", b"AK4", b"AK5", b"AK9", b"IK3", b"IK4",
    b"IK5", b"CTX", b"AMT", b"QTY", b"UNA", b"UNB", b"UNG", b"UNH", b"UNS", b"UNT", b"UNE", b"UNZ", b"BGM", b"NAD", b"CUX",
    b"DOC", b"MOA", b"AJT", b"LIN", b"TAX", b"ALC", b"PAT", b"PCD", b"CNT", b"PIA", b"IMD", b"PRI",
];

/// One line of a file and what is meant in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// Printable characters only.
    pub text: String,
    /// Characters of `text` that are meant; never empty.
    pub meant: Range<usize>,
}

impl Excerpt {
    /// The segment, record or line at `location`. `window` holds bytes of the file from `window_byte` on.
    pub fn at(location: &Location, window: &[u8], window_byte: u64, delimiters: Option<&Delimiters>) -> Option<Self> {
        let at = usize::try_from(location.byte.checked_sub(window_byte)?).ok().filter(|at| *at <= window.len())?;
        let piece = match delimiters {
            Some(delimiters) => segment_around(window, at, delimiters.terminator.as_bytes()),
            None => line_around(window, at),
        };
        let meant = meant(window, at, &piece, location, delimiters);
        let mut hidden = match delimiters {
            Some(delimiters) => hidden_in_segment(window.get(piece.clone())?, delimiters, meant.start - piece.start),
            None => digit_runs(window.get(piece.clone())?, LOOSE_DIGITS_MIN),
        };
        hidden.extend(ibans(window.get(piece.clone())?).into_iter().map(|iban| iban.start..iban.end.saturating_sub(SHOWN)));
        Some(drawn(window.get(piece.clone())?, meant.start - piece.start..meant.end - piece.start, &hidden))
    }

    /// Two lines for a fixed-width page: the text behind `label`, and the caret with `remark` behind it.
    pub fn render(&self, label: &str, remark: &str) -> String {
        let carets = "^".repeat(self.meant.len());
        let blanks = " ".repeat(self.meant.start);
        let text = &self.text;
        format!("{label:>5} | {text}\n      | {blanks}{carets} {remark}").trim_end().to_owned()
    }
}

/// The segment that holds byte `at`, with its terminator, without the blanks before it.
fn segment_around(window: &[u8], at: usize, terminator: &[u8]) -> Range<usize> {
    let starts_here = |position: usize| window.get(position..).is_some_and(|rest| rest.starts_with(terminator));
    // A place at a terminator belongs to the segment that it ends.
    let mut start = (0..at).rev().find(|position| starts_here(*position)).map_or(0, |position| position + terminator.len());
    let mut end =
        (at..window.len()).find(|position| starts_here(*position)).map_or(window.len(), |position| position + terminator.len());
    while start < at && window[start].is_ascii_whitespace() {
        start += 1;
    }
    while end > at + 1 && window[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    start..end.max(start)
}

fn line_around(window: &[u8], at: usize) -> Range<usize> {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let start = window[..at].iter().rposition(is_break).map_or(0, |position| position + 1);
    let end = window[at..].iter().position(is_break).map_or(window.len(), |position| at + position);
    start..end
}

/// The element at the place; the tag where no element is named; one character where it is empty.
fn meant(window: &[u8], at: usize, piece: &Range<usize>, location: &Location, delimiters: Option<&Delimiters>) -> Range<usize> {
    let rest = &window[at.min(piece.end)..piece.end];
    let length = match delimiters {
        Some(delimiters) => rest
            .iter()
            .enumerate()
            .position(|(position, byte)| {
                *byte == delimiters.element
                    || rest[position..].starts_with(delimiters.terminator.as_bytes())
                    || (location.component.is_some() && *byte == delimiters.component)
            })
            .unwrap_or(rest.len()),
        None => rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len()),
    };
    let start = at.clamp(piece.start, piece.end);
    start..start + length
}

/// Long runs of digits in the elements that carry bank accounts and social security numbers.
fn hidden_in_segment(segment: &[u8], delimiters: &Delimiters, meant: usize) -> Vec<Range<usize>> {
    let segment = segment.strip_suffix(delimiters.terminator.as_bytes()).unwrap_or(segment);
    let mut elements = Vec::new();
    let mut start = 0;
    for piece in segment.split(|byte| *byte == delimiters.element) {
        elements.push((start, piece));
        start += piece.len() + 1;
    }
    let value = |n: usize| elements.get(n).map_or(&[][..], |(_, piece)| piece.trim_ascii());
    // Where a terminator was lost, the payment order stands inside another segment.
    let order = (0..elements.len()).find(|n| value(*n).ends_with(b"BPR") || value(*n).ends_with(b"BPS"));
    let is_personal = |qualifier: &[u8]| matches!(qualifier, b"SY" | b"34");
    let least = |n: usize| match (order, value(0)) {
        (Some(order), _) if n > order => {
            // Elements shift where a separator is missing, so everything from the payer's bank on is hidden; the date is the last, or
            // one before when a finding points there.
            let (n, points_here) = (n - order, elements.get(n).is_some_and(|(start, _)| *start == meant));
            let is_shown_date = order == 0 && is_date(value(n)) && (n == 16 || (n == 15 && points_here));
            // Handling, amount, flag, method and format come before; where they shifted, an account stands among them.
            let least = if n >= 6 { ACCOUNT_DIGITS_MIN } else { LOOSE_DIGITS_MIN };
            (!is_shown_date).then_some(least)
        }
        (_, b"DEP" | b"DFI") => Some(ACCOUNT_DIGITS_MIN),
        (_, b"REF" | b"N9") if n == 2 && is_personal(value(1)) => Some(ACCOUNT_DIGITS_MIN),
        (_, b"NM1") if n == 9 && is_personal(value(8)) => Some(ACCOUNT_DIGITS_MIN),
        (_, b"N1") if n == 4 && is_personal(value(3)) => Some(ACCOUNT_DIGITS_MIN),
        (_, tag) if WITHOUT_ACCOUNTS.contains(&tag) => None,
        _ => Some(LOOSE_DIGITS_MIN),
    };
    let runs = |(n, (start, piece)): (usize, &(usize, &[u8]))| -> Vec<Range<usize>> {
        let found = least(n).map_or_else(Vec::new, |least| match least {
            // Where an account belongs, one with letters in it is hidden, too.
            ACCOUNT_DIGITS_MIN => runs_of(piece, least, u8::is_ascii_alphanumeric),
            least => digit_runs(piece, least),
        });
        found.into_iter().map(|run| start + run.start..start + run.end).collect()
    };
    elements.iter().enumerate().flat_map(runs).collect()
}

/// CCYYMMDD or YYMMDD.
fn is_date(value: &[u8]) -> bool {
    let short = match value.len() {
        6 => value,
        8 if value.starts_with(b"19") || value.starts_with(b"20") => &value[2..],
        _ => return false,
    };
    let (month, day) = (&short[2..4], &short[4..6]);
    value.iter().all(u8::is_ascii_digit)
        && (b"01"..=b"12").contains(&month.as_array().unwrap_or(b"00"))
        && (b"01"..=b"31").contains(&day.as_array().unwrap_or(b"00"))
}

/// What of each run of at least `least` digits must not show: all but the last four, and never less than half. Blanks, hyphens and
/// line breaks within a run do not end it.
fn digit_runs(bytes: &[u8], least: usize) -> Vec<Range<usize>> {
    runs_of(bytes, least, u8::is_ascii_digit)
}

/// The same of runs of other characters that have a digit among them.
fn runs_of(bytes: &[u8], least: usize, belongs: fn(&u8) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut digits: Vec<usize> = Vec::new();
    let mut close = |digits: &mut Vec<usize>| {
        let has_digit = digits.iter().any(|at| bytes[*at].is_ascii_digit());
        if digits.len() >= least && has_digit {
            let shown = SHOWN.min(digits.len() / 2);
            let last = digits[digits.len() - shown - 1];
            runs.push(digits[0]..last + 1);
        }
        digits.clear();
    };
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            byte if belongs(byte) => digits.push(at),
            b' ' | b'-' | b'\n' | b'\r' if !digits.is_empty() => {}
            _ => close(&mut digits),
        }
    }
    close(&mut digits);
    runs
}

/// Bytes as printable characters, one each; cut around what is meant. Line breaks within a wrapped segment are left out.
fn drawn(piece: &[u8], meant: Range<usize>, hidden: &[Range<usize>]) -> Excerpt {
    let mut characters = Vec::with_capacity(piece.len());
    let (mut from, mut until) = (None, 0);
    let mut at = 0;
    while at < piece.len() {
        let (character, length) = character_at(&piece[at..]);
        if !matches!(character, '\n' | '\r') {
            if at >= meant.start && from.is_none() {
                from = Some(characters.len());
            }
            let mask = hidden.iter().any(|run| run.contains(&at)) && character.is_ascii_alphanumeric();
            characters.push(if mask { '•' } else { printable(character) });
            if at < meant.end {
                until = characters.len();
            }
        }
        at += length;
    }
    let from = from.unwrap_or(characters.len());
    let until = until.max(from + 1);
    cut(&characters, from, until)
}

fn cut(characters: &[char], from: usize, until: usize) -> Excerpt {
    if characters.len() <= WIDTH && until <= WIDTH + 1 {
        return Excerpt { text: characters.iter().collect(), meant: from..until };
    }
    let first = from.saturating_sub(WIDTH / 3);
    let last = (first + WIDTH).min(characters.len());
    let (before, after) = (if first > 0 { "…" } else { "" }, if last < characters.len() { "…" } else { "" });
    let text = format!("{before}{}{after}", characters[first..last].iter().collect::<String>());
    let shift = before.chars().count();
    let from = from - first + shift;
    Excerpt { text, meant: from..(until - first + shift).min(last - first + shift).max(from + 1) }
}

/// The character at the start of `bytes`; a byte that is no UTF-8 stands for itself.
fn character_at(bytes: &[u8]) -> (char, usize) {
    let text = match std::str::from_utf8(&bytes[..bytes.len().min(4)]) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    };
    text.chars().next().map_or(('\u{fffd}', 1), |character| (character, character.len_utf8()))
}

/// Control characters would move the terminal's cursor.
fn printable(character: char) -> char {
    match character {
        '\t' => ' ',
        c if c.is_control() => '·',
        // Marks that turn the direction of writing could hide what stands there.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => '·',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use tieout_parsers::x12::{Delimiters, Terminator};

    use super::*;

    fn check(bytes: &str, meant: &str, element: Option<u16>, delimiters: Option<Delimiters>, expected: &str) {
        let byte = bytes.find(meant).expect("it is there") as u64;
        let location = Location { byte, element, ..Location::default() };
        let excerpt = Excerpt::at(&location, bytes.as_bytes(), 0, delimiters.as_ref()).expect("it is inside");
        assert_eq!(excerpt.render("14", "!"), expected);
    }

    fn x12(terminator: u8) -> Option<Delimiters> {
        Some(Delimiters { terminator: Terminator::byte(terminator), ..Delimiters::bare(b'~') })
    }

    #[test]
    fn a_caret_stands_under_what_is_meant() {
        let set = "ST*820*1~\r\nRMR*IV*INV-10443**1200.505~\r\nSE*3*1~";
        check(set, "1200.505", Some(4), x12(b'~'), "   14 | RMR*IV*INV-10443**1200.505~\n      |                   ^^^^^^^^ !");
        check(set, "RMR", None, x12(b'~'), "   14 | RMR*IV*INV-10443**1200.505~\n      | ^^^ !");
        check(set, "*1200", Some(3), x12(b'~'), "   14 | RMR*IV*INV-10443**1200.505~\n      |                  ^ !");
        check(set, "SE", None, x12(b'~'), "   14 | SE*3*1~\n      | ^^ !");
        check(
            "ST*820*1\nDTM*003*2026\u{9}0230\n",
            "2026",
            Some(2),
            x12(b'\n'),
            "   14 | DTM*003*2026 0230\n      |         ^^^^^^^^^ !",
        );
    }

    #[test]
    fn account_numbers_never_show_whole() {
        let bpr = "BPR*C*77.77*C*ACH*CTX*01*234056789*DA*0099109999*1123454321**01*045678099*DA*1008973899*20031016~";
        check(
            bpr,
            "77.77",
            Some(2),
            x12(b'~'),
            "   14 | BPR*C*77.77*C*ACH*CTX*01*•••••6789*DA*••••••9999*••••••4321**01*•••••8099*DA*••••••3899*20031016~\n      |       ^^^^^ !",
        );
        let shifted = "BPR*C*1*C*ACH*CTX*01*234056789*DA*00991-09999*112*01*0456\r\n78099*DA*1008973899*20031016~";
        let location = Location { byte: 4, ..Location::default() };
        let excerpt = Excerpt::at(&location, shifted.as_bytes(), 0, x12(b'~').as_ref()).expect("inside");
        for secret in ["234056", "00991", "045678", "100897"] {
            assert!(!excerpt.text.contains(secret), "{}", excerpt.text);
        }
        check(
            "BPR*0099109999*C*1234567.00~",
            "C*",
            None,
            x12(b'~'),
            "   14 | BPR*••••••9999*C*1234567.00~\n      |                ^ !",
        );
        check("REF*SY*123456789~", "REF", None, x12(b'~'), "   14 | REF*SY*•••••6789~\n      | ^^^ !");
        check("REF*IV*123456789~", "REF", None, x12(b'~'), "   14 | REF*IV*123456789~\n      | ^^^ !");
        check("R*C*1*DA*0099109999~", "R*", None, x12(b'~'), "   14 | R*C*1*DA*••••••9999~\n      | ^ !");
        check("6220123456789012\n", "622", None, None, "   14 | ••••••••••••9012\n      | ^^^^^^^^^^^^^^^^ !");
    }

    #[test]
    fn accounts_with_letters_show_their_end_only() {
        let row = "2026;DE89370400440532013000;12,345\n";
        check(
            row,
            "12,345",
            Some(3),
            None,
            "   14 | 2026;••••••••••••••••••3000;12,345\n      |                             ^^^^^^ !",
        );
        let bpr = "BPR*C*77.77*C*FWT**01*234056789*DA*NWBK60161331*1123454321**01*045678099*DA*1008973899*20031016~";
        let location = Location { byte: 4, ..Location::default() };
        let shown = Excerpt::at(&location, bpr.as_bytes(), 0, x12(b'~').as_ref()).expect("inside").text;
        assert!(shown.contains("*••••••••1331*") && !shown.contains("NWBK"), "{shown}");
    }

    #[test]
    fn long_segments_are_cut_around_the_place() {
        let long = format!("NTE*ADD*{}X{}~", "a".repeat(300), "b".repeat(300));
        let location = Location { byte: 308, ..Location::default() };
        let excerpt = Excerpt::at(&location, long.as_bytes(), 0, x12(b'~').as_ref()).expect("inside");
        assert_eq!(excerpt.text.chars().nth(excerpt.meant.start), Some('X'));
        assert_eq!((excerpt.text.chars().count(), excerpt.text.chars().next()), (WIDTH + 2, Some('…')));
    }

    #[test]
    fn any_place_in_any_bytes_draws_something_or_nothing() {
        let bytes = b"ISA*\xff\xfe\x00\x1b[31m\xe2\x80\xaeX~~\r\n\xc3";
        for byte in 0..=bytes.len() as u64 + 2 {
            for delimiters in [None, x12(b'~'), x12(b'\n')] {
                let location = Location { byte, ..Location::default() };
                let drawn = Excerpt::at(&location, bytes, 0, delimiters.as_ref());
                assert_eq!(drawn.is_some(), byte <= bytes.len() as u64);
                assert!(drawn.is_none_or(|drawn| !drawn.meant.is_empty() && drawn.text.chars().all(|c| !c.is_control())));
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// However a payment order is damaged, its account numbers stay hidden wherever the caret points.
        #[test]
        fn damage_reveals_no_account(at in 0_usize..120, to in proptest::prelude::any::<u8>(), remove: bool, byte in 0_u64..120) {
            let mut bytes = b"ST*820*1~BPR*C*77.77*C*ACH*CTX*01*234056789*DA*0099109999*1123454321**01*045678099*DA*1008973899*20031016~SE*3*1~".to_vec();
            let at = at % bytes.len();
            if remove {
                bytes.remove(at);
            } else {
                bytes[at] = to;
            }
            let location = Location { byte, ..Location::default() };
            for delimiters in [x12(b'~'), None] {
                if let Some(drawn) = Excerpt::at(&location, &bytes, 0, delimiters.as_ref()) {
                    let shown = ["0099109999", "1008973899", "234056789", "045678099"].into_iter().find(|secret| drawn.text.contains(secret));
                    proptest::prop_assert_eq!(shown, None, "{}", drawn.text);
                }
            }
        }
    }
}
