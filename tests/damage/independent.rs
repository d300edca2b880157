//! A second reader of X12 envelopes, written for the damage test only: plain, slow, and without any tolerance of form.
//!
//! It answers one question about a file: do its claims about itself hold? Where the form is not plain it gives no answer.

/// What the second reader says about a file.
#[derive(Debug)]
pub enum Opinion {
    /// Every count and control number agrees.
    Consistent(Vec<Set>),
    /// A claim is wrong, or the end is missing.
    Contradicts(String),
    /// The form is not plain; no opinion.
    Unclear,
}

/// A transaction set.
#[derive(Debug)]
pub struct Set {
    /// ST01.
    pub kind: String,
    /// Offset of ST and the offset behind the terminator of SE.
    pub range: (u64, u64),
}

const ISA_BYTES: usize = 106;
const ISA_SEPARATORS: [usize; 16] = [3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103];

pub fn read(bytes: &[u8]) -> Opinion {
    let mut sets = Vec::new();
    let mut at = skip_blanks(bytes, 0);
    loop {
        match interchange(bytes, at, &mut sets) {
            Ok(end) => at = skip_blanks(bytes, end),
            Err(opinion) => return opinion,
        }
        if at == bytes.len() {
            return Opinion::Consistent(sets);
        }
    }
}

fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// What is open while the segments of an interchange pass.
#[derive(Default)]
struct Open {
    isa13: String,
    groups: u64,
    gs06: Option<String>,
    sets: u64,
    set: Option<OpenSet>,
}

struct OpenSet {
    number: String,
    kind: String,
    segments: u64,
    from: usize,
}

/// Reads one interchange that begins at `at`; the offset behind its IEA.
fn interchange(bytes: &[u8], at: usize, sets: &mut Vec<Set>) -> Result<usize, Opinion> {
    let header = bytes.get(at..at + ISA_BYTES).ok_or(Opinion::Unclear)?;
    let (separator, terminator) = (header[3], header[105]);
    if !header.starts_with(b"ISA") || ISA_SEPARATORS.iter().any(|place| header[*place] != separator) {
        return Err(Opinion::Unclear);
    }
    let mut open = Open { isa13: String::from_utf8_lossy(&header[90..99]).into_owned(), ..Open::default() };
    let mut from = at + ISA_BYTES;
    loop {
        from = skip_blanks(bytes, from);
        if from == bytes.len() {
            return Err(Opinion::Contradicts("the file ends before IEA".to_owned()));
        }
        // The last terminator may be missing: IEA02 has the last word on whether the end is there.
        let length = bytes[from..].iter().position(|byte| *byte == terminator).unwrap_or(bytes.len() - from);
        let text = String::from_utf8_lossy(&bytes[from..from + length]).into_owned();
        let elements: Vec<&str> = text.split(char::from(separator)).map(str::trim).collect();
        let end = (from + length + 1).min(bytes.len());
        if elements[0] == "IEA" {
            close_interchange(&open, &elements)?;
            return Ok(end);
        }
        if !(elements.len() == 1 && elements[0].is_empty()) {
            // Something foreign before a tag is a matter of form, and the reader under test may look past it.
            if !is_tag(elements[0]) {
                return Err(Opinion::Unclear);
            }
            open.segment(&elements, from, end, sets)?;
        }
        from = end;
    }
}

impl Open {
    fn segment(&mut self, elements: &[&str], from: usize, end: usize, sets: &mut Vec<Set>) -> Result<(), Opinion> {
        if let Some(set) = &mut self.set {
            set.segments += 1;
        }
        let element = |n: usize| elements.get(n).copied().unwrap_or("");
        match element(0) {
            "ISA" => Err(Opinion::Contradicts("an ISA before the IEA of the one before".to_owned())),
            "GS" if self.gs06.is_some() => Err(Opinion::Contradicts("GE is missing".to_owned())),
            "GS" => {
                (self.gs06, self.sets, self.groups) = (Some(element(6).to_owned()), 0, self.groups + 1);
                Ok(())
            }
            "ST" if self.set.is_some() => Err(Opinion::Contradicts("SE is missing".to_owned())),
            "ST" if self.gs06.is_none() => Err(Opinion::Unclear),
            "ST" => {
                self.set = Some(OpenSet { number: element(2).to_owned(), kind: element(1).to_owned(), segments: 1, from });
                Ok(())
            }
            "SE" => {
                let set = self.set.take().ok_or(Opinion::Unclear)?;
                agree("SE01", element(1), &set.segments.to_string())?;
                agree("SE02", element(2), &set.number)?;
                self.sets += 1;
                sets.push(Set { kind: set.kind, range: (offset(set.from), offset(end)) });
                Ok(())
            }
            "GE" if self.set.is_some() => Err(Opinion::Contradicts("SE is missing".to_owned())),
            "GE" => {
                let gs06 = self.gs06.take().ok_or(Opinion::Unclear)?;
                agree("GE01", element(1), &self.sets.to_string())?;
                agree("GE02", element(2), &gs06)
            }
            _ => Ok(()),
        }
    }
}

fn close_interchange(open: &Open, elements: &[&str]) -> Result<(), Opinion> {
    if open.set.is_some() || open.gs06.is_some() {
        return Err(Opinion::Contradicts("SE or GE is missing before IEA".to_owned()));
    }
    agree("IEA01", elements.get(1).copied().unwrap_or(""), &open.groups.to_string())?;
    agree("IEA02", elements.get(2).copied().unwrap_or(""), &open.isa13)
}

/// Two or three capital letters and digits, a letter first.
fn is_tag(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    plain && (2..=3).contains(&text.len()) && text.as_bytes()[0].is_ascii_uppercase()
}

/// Equal as text or as numbers.
fn agree(name: &str, claimed: &str, computed: &str) -> Result<(), Opinion> {
    let number = |text: &str| text.parse::<u64>().ok();
    if claimed == computed || (number(claimed).is_some() && number(claimed) == number(computed)) {
        return Ok(());
    }
    Err(Opinion::Contradicts(format!("{name} claims {claimed:?}, there is {computed:?}")))
}

fn offset(at: usize) -> u64 {
    u64::try_from(at).expect("offsets fit 64 bits")
}
