//! Follows the XML token by token. What a token said is kept as values, so any cut of the file into windows gives the same records.

mod faults;

use crate::{
    Currency, Effect, Finding, FindingCode, Format, Limits, Location, Record, Severity, Sink, Summary,
    reader::Reader,
    x12::{
        output::{Output, Tally, unlisted},
        received::{self, Received},
        segment::shown,
    },
};

pub(super) use self::faults::too_many_lines;
use super::{
    advice::Strd,
    announced::Announced,
    booking,
    element::{El, Names},
    entry::{Entry, Leaf, Place, Tx, line_breaks},
    statement::Statement,
    xml::{Token, Xml, attribute, is_same_name},
};

/// Elements within elements. Stops files that nest without end; the deepest real path has about twenty.
const DEPTH_MAX: usize = 64;

/// Bytes whose line breaks are counted together. A place in between counts those before it, and never more.
const LINES_AHEAD: usize = 4096;

/// The token in hand.
#[derive(Clone, Copy, Debug)]
struct Spot<'w> {
    window: &'w [u8],
    /// Its first byte in the window, and one past its last.
    at: usize,
    end: usize,
}

/// State between two windows.
#[derive(Debug)]
pub(crate) struct CamtReader {
    limits: Limits,
    names: Names,
    tally: Tally,
    /// File offset of the first byte of the window.
    base: u64,
    stopped: bool,
    /// Elements that are open, and their names for the end tags.
    path: Vec<El>,
    open: Vec<u8>,
    starts: Vec<usize>,
    /// Depth of Stmt, Ntry, TxDtls and Strd, where open.
    statement_at: usize,
    entry_at: usize,
    tx_at: usize,
    strd_at: usize,
    /// Text of the element in hand, and whether the element holds elements.
    text: String,
    leaf: bool,
    currency: Option<Currency>,
    /// File offset of the element in hand, and where its local name begins in `open`.
    leaf_byte: u64,
    leaf_name: usize,
    /// Line breaks before the position `counted` of the window.
    lines: u64,
    counted: usize,
    statement: Option<Statement>,
    entry: Option<Entry>,
    /// A message that announces payments, and its depth.
    announced: Option<Box<Announced>>,
    announced_at: usize,
    /// File offset of the entry in hand.
    entry_from: u64,
    entries: u32,
    messages: u32,
    statements: u32,
    format: Option<Format>,
    unsupported: bool,
    /// The declaration names an encoding of one byte.
    declared_single_byte: bool,
    not_utf8: bool,
    stray_text: bool,
}

impl CamtReader {
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            names: Names::new(),
            tally: Tally::new(limits.findings_max),
            base: 0,
            stopped: false,
            path: Vec::with_capacity(DEPTH_MAX),
            open: Vec::new(),
            starts: Vec::new(),
            statement_at: 0,
            entry_at: 0,
            tx_at: 0,
            strd_at: 0,
            text: String::new(),
            leaf: false,
            currency: None,
            leaf_byte: 0,
            leaf_name: 0,
            lines: 0,
            counted: 0,
            statement: None,
            entry: None,
            announced: None,
            announced_at: 0,
            entry_from: 0,
            entries: 0,
            messages: 0,
            statements: 0,
            format: None,
            unsupported: false,
            declared_single_byte: false,
            not_utf8: false,
            stray_text: false,
        }
    }

    /// Reads tokens from the window. Gives the offset of the first byte that is not done with.
    fn tokens<'w>(&mut self, window: &'w [u8], last: bool, out: &mut Output<'w>, sink: &mut dyn Sink<'w>) -> usize {
        let has_mark = self.base == 0 && window.starts_with(b"\xef\xbb\xbf");
        let mut xml = Xml::new(window, if has_mark { 3 } else { 0 });
        while !self.stopped {
            let at = xml.at();
            if at.saturating_sub(self.counted) > LINES_AHEAD {
                self.count_lines(window, at);
            }
            let Some(token) = xml.next() else { break };
            let end = if token == Token::Broken { window.len() } else { xml.at() };
            let spot = Spot { window, at, end };
            if end.saturating_sub(at) > self.limits.segment_bytes_max {
                self.stop_too_long(spot, out);
                break;
            }
            match token {
                Token::Text(_) | Token::Foreign | Token::Broken if end == window.len() && !last => return at,
                Token::Start { name, attributes, closed: false } if self.may_be_leaf() => {
                    self.start_or_leaf(spot, &mut xml, (name, attributes), out);
                }
                token => self.token(spot, token, out),
            }
            if out.has_records() {
                out.flush(sink);
            }
        }
        window.len()
    }

    fn token(&mut self, spot: Spot<'_>, token: Token<'_>, out: &mut Output<'_>) {
        match token {
            Token::Start { name, attributes, closed } => {
                self.start(spot, name, attributes, out);
                if closed && !self.stopped {
                    self.end(spot, name, out);
                }
            }
            Token::End(name) => self.end(spot, name, out),
            Token::Text(text) => {
                // Blanks before a text, and between elements, say nothing.
                if !self.text.is_empty() || !text.trim_ascii_start().is_empty() {
                    self.text.push_str(text);
                }
            }
            Token::Data(text) => self.text.push_str(text),
            Token::Reference(name) => self.reference(spot, name, out),
            Token::Doctype => self.refuse_doctype(spot, out),
            Token::Declaration(attributes) => {
                let encoding = attribute(attributes, "encoding").map(str::to_ascii_lowercase);
                self.declared_single_byte = encoding
                    .is_some_and(|name| name.starts_with("iso-8859") || name.starts_with("windows-125") || name == "latin1");
            }
            Token::Aside => {}
            Token::Foreign => self.foreign_bytes(spot, out),
            Token::Broken => self.stop_not_xml(spot, out),
        }
        self.check_sizes(spot, out);
    }

    /// Inside a statement most elements hold text and nothing else. They are read in one step.
    #[inline]
    fn may_be_leaf(&self) -> bool {
        self.statement.is_some() && self.path.len() < DEPTH_MAX
    }

    #[inline]
    fn start_or_leaf<'w>(&mut self, spot: Spot<'w>, xml: &mut Xml<'w>, tag: (&str, &str), out: &mut Output<'_>) {
        let (name, attributes) = tag;
        let (_, local) = split_name(name);
        let element = self.element(local);
        let text = if begins_part(element) { None } else { xml.leaf(name, self.leaf_end_max(spot)) };
        let Some(text) = text else {
            self.token(spot, Token::Start { name, attributes, closed: false }, out);
            return;
        };
        self.check_stray_text(spot, out);
        self.text.clear();
        self.leaf = false;
        self.leaf_name = self.open.len();
        self.leaf_byte = self.base.saturating_add(spot.at as u64);
        self.currency = if attributes.is_empty() { None } else { currency(attributes) };
        self.path.push(element);
        // Places are told at the end tag, as for text that comes in pieces.
        let end_tag = xml.at().saturating_sub(name.len().saturating_add(3));
        self.give(Spot { at: end_tag, ..spot }, text.trim_ascii(), local.as_bytes(), out);
        self.path.pop();
    }

    /// Behind this position an element would exceed a limit, which is told token by token.
    fn leaf_end_max(&self, spot: Spot<'_>) -> usize {
        let of_entry = self.entry_from.saturating_add(self.limits.transaction_bytes_max as u64).saturating_sub(self.base);
        let of_entry = if self.entry.is_some() { usize::try_from(of_entry).unwrap_or(usize::MAX) } else { usize::MAX };
        spot.at.saturating_add(self.limits.segment_bytes_max).min(of_entry)
    }

    fn start(&mut self, spot: Spot<'_>, name: &str, attributes: &str, out: &mut Output<'_>) {
        self.check_stray_text(spot, out);
        if self.path.len() >= DEPTH_MAX {
            self.stop(spot, FindingCode::LimitReached, "elements stand deeper within each other than allowed", "64 levels", out);
            return;
        }
        let (prefix, local) = split_name(name);
        let element = self.element(local);
        self.leaf_name = self.open.len().saturating_add(prefix);
        self.starts.push(self.open.len());
        self.open.extend_from_slice(name.as_bytes());
        self.path.push(element);
        if begins_part(element) {
            self.count_lines(spot.window, spot.at);
        }
        self.text.clear();
        self.leaf = true;
        self.currency = if attributes.is_empty() { None } else { currency(attributes) };
        self.leaf_byte = self.base.saturating_add(spot.at as u64);
        self.open_element(spot, (element, local, attributes), out);
    }

    /// Ordinal of the entry or announced payment in hand.
    fn ordinal(&self) -> Option<u32> {
        (self.entry.is_some() || self.announced.as_ref().is_some_and(|announced| announced.is_open())).then_some(self.entries)
    }

    /// Where the element in hand begins.
    fn here<'t>(&'t self, spot: Spot<'t>) -> Place<'t> {
        Place {
            byte: self.leaf_byte,
            lines: self.lines,
            uncounted: spot.window.get(self.counted..spot.at).unwrap_or_default(),
            entry: self.ordinal(),
            name: self.open.get(self.leaf_name..).unwrap_or_default(),
        }
    }

    /// The element of a name. In the first version the message element ends in its version, `BkToCstmrAcctRptV01`.
    #[inline]
    fn element(&self, local: &str) -> El {
        match (self.names.find(local), self.path.last()) {
            (El::Unknown, Some(El::Document)) => {
                let bare = local.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('V');
                self.names.find(bare)
            }
            (element, _) => element,
        }
    }

    /// Begins statement, entry, transaction and structured remittance, and tells the innermost of them.
    #[inline]
    fn open_element(&mut self, spot: Spot<'_>, tag: (El, &str, &str), out: &mut Output<'_>) {
        let (element, local, attributes) = tag;
        let depth = self.path.len();
        if self.announced.is_some() {
            self.open_announced(spot, out);
            return;
        }
        if self.statement.is_none() {
            match element {
                El::Stmt | El::Rpt | El::Ntfctn if message(self.path.iter().rev().nth(1).copied()).is_some() => {
                    self.statement = Some(Statement::new(self.here(spot).location()));
                    self.statements = self.statements.saturating_add(1);
                    self.statement_at = depth;
                }
                El::Document => self.begin_document(spot, attributes, out),
                _ if message(Some(element)).is_some() => {
                    if depth == 1 {
                        self.begin_document(spot, "", out);
                    }
                    self.begin_message(spot, element, local, out);
                }
                _ if depth > 1 && self.path.iter().rev().nth(1) == Some(&El::Document) => {
                    self.begin_message(spot, element, local, out)
                }
                _ => {}
            }
            return;
        }
        if self.entry.is_none() {
            if element == El::Ntry && depth == self.statement_at.saturating_add(1) {
                self.entries = self.entries.saturating_add(1);
                self.entry = Some(Entry::new(Location { segment: Some(self.entries), ..self.here(spot).location() }));
                self.entry_from = self.leaf_byte;
                (self.entry_at, self.tx_at, self.strd_at) = (depth, 0, 0);
            } else if element == El::Bal {
                let location = self.here(spot).location();
                if let Some(statement) = self.statement.as_mut() {
                    statement.begin(self.path.get(self.statement_at..).unwrap_or_default(), location);
                }
            }
            return;
        }
        // Only what begins a part of the entry has a place of its own.
        let location = if matches!(element, El::TxDtls | El::Strd) { self.here(spot).location() } else { Location::default() };
        let Some(entry) = self.entry.as_mut() else { return };
        let relative = self.path.get(self.entry_at..).unwrap_or_default();
        if let [El::NtryDtls, El::TxDtls] = relative {
            let mut location = location;
            location.repeat = u16::try_from(entry.txs.len().saturating_add(1)).ok();
            // Most entries have one, and room for more is large enough to be slow to get.
            if entry.txs.is_empty() {
                entry.txs.reserve_exact(1);
            }
            entry.txs.push(Tx::new(location));
            self.tx_at = depth;
        } else if let Some(tx) = entry.txs.last_mut().filter(|_| self.tx_at > 0) {
            let relative = self.path.get(self.tx_at..).unwrap_or_default();
            if let [El::RmtInf, El::Strd] = relative {
                if tx.strds.len() == self.limits.remittance_lines_max {
                    entry.set_aside = true;
                    out.finding(too_many_lines(self.limits.remittance_lines_max, location));
                }
                tx.strds.push(Strd::new(location));
                self.strd_at = depth;
            } else if let Some(strd) = tx.strds.last_mut().filter(|_| self.strd_at > 0) {
                strd.begin(self.path.get(self.strd_at..).unwrap_or_default());
            }
        }
    }

    /// An element of a message that announces payments begins.
    fn open_announced(&mut self, spot: Spot<'_>, out: &mut Output<'_>) {
        let path = self.path.get(self.announced_at..).unwrap_or_default();
        if self.announced.as_ref().is_some_and(|announced| announced.begins_advice(path)) {
            self.entries = self.entries.saturating_add(1);
            self.entry_from = self.leaf_byte;
        }
        let location = Location { segment: Some(self.entries), ..self.here(spot).location() };
        let path = self.path.get(self.announced_at..).unwrap_or_default();
        if let Some(announced) = &mut self.announced {
            announced.begin(path, location, self.limits.remittance_lines_max, out);
        }
    }

    fn end(&mut self, spot: Spot<'_>, name: &str, out: &mut Output<'_>) {
        let from = self.starts.pop().unwrap_or(0);
        let expected = self.open.get(from..).unwrap_or_default();
        if !is_same_name(expected, name.as_bytes()) || self.path.is_empty() {
            let expected = if self.path.is_empty() { "no end tag".to_owned() } else { format!("</{}>", shown(expected)) };
            let message = "the end tag does not close the element that is open";
            self.stop(spot, FindingCode::BadEnvelope, message, &expected, out);
            return;
        }
        if self.leaf {
            self.take_leaf(spot, out);
        } else {
            self.check_stray_text(spot, out);
        }
        self.open.truncate(from);
        self.text.clear();
        self.leaf = false;
        let depth = self.path.len();
        self.close_element(depth, out);
        self.path.pop();
    }

    /// Gives the text of an element without elements, which came in pieces.
    fn take_leaf(&mut self, spot: Spot<'_>, out: &mut Output<'_>) {
        // Taken out and put back, so that text and name can be lent while the rest changes.
        let (text, open) = (std::mem::take(&mut self.text), std::mem::take(&mut self.open));
        self.give(spot, text.trim_ascii(), open.get(self.leaf_name..).unwrap_or_default(), out);
        (self.text, self.open) = (text, open);
    }

    /// Gives the text of the element in hand to whom it belongs; `name` is its local name.
    #[inline]
    fn give(&mut self, spot: Spot<'_>, text: &str, name: &[u8], out: &mut Output<'_>) {
        if text.is_empty() {
            return;
        }
        let uncounted = spot.window.get(self.counted..spot.at).unwrap_or_default();
        let entry = self.ordinal();
        let place = Place { byte: self.leaf_byte, lines: self.lines, uncounted, entry, name };
        let leaf = Leaf { text, currency: self.currency, place };
        let path = self.path.as_slice();
        if let Some(announced) = &mut self.announced {
            announced.take(path.get(self.announced_at..).unwrap_or_default(), leaf, out);
            return;
        }
        match (&mut self.entry, &mut self.statement) {
            (Some(entry), _) => match entry.txs.last_mut().filter(|_| self.tx_at > 0) {
                Some(tx) => {
                    let readable = tx.take(path.get(self.tx_at..).unwrap_or_default(), leaf, out);
                    entry.set_aside |= !readable;
                }
                None => entry.take(path.get(self.entry_at..).unwrap_or_default(), leaf, out),
            },
            (None, Some(statement)) => statement.take(path.get(self.statement_at..).unwrap_or_default(), leaf, out),
            (None, None) => {}
        }
    }

    #[inline]
    fn close_element(&mut self, depth: usize, out: &mut Output<'_>) {
        if let Some(announced) = &mut self.announced {
            if depth > self.announced_at {
                announced.end(self.path.get(self.announced_at..).unwrap_or_default(), out);
            } else {
                announced.finish(out);
                self.announced = None;
            }
        } else if depth == self.strd_at {
            self.strd_at = 0;
        } else if depth == self.tx_at {
            self.tx_at = 0;
        } else if self.entry.is_some() && depth == self.entry_at {
            if let (Some(entry), Some(statement)) = (self.entry.take(), self.statement.as_mut()) {
                booking::put(entry, statement, out);
            }
        } else if self.statement.is_some() && self.entry.is_none() {
            if depth == self.statement_at {
                if let Some(statement) = self.statement.take() {
                    statement.finish(self.format == Some(Format::Camt053), out);
                }
            } else if self.path.get(self.statement_at..) == Some(&[El::Bal])
                && let Some(statement) = self.statement.as_mut()
            {
                statement.end_balance(out);
            }
        }
    }

    fn begin_message(&mut self, spot: Spot<'_>, element: El, local: &str, out: &mut Output<'_>) {
        let (format, ours) = message(Some(element)).unwrap_or((Format::Unknown, false));
        self.messages = self.messages.saturating_add(u32::from(ours));
        self.format = self.format.or(Some(format));
        if matches!(format, Format::Pain001 | Format::Remt001) {
            self.announced = Some(Box::new(Announced::new(format)));
            self.announced_at = self.path.len();
            self.statements = self.statements.saturating_add(1);
        }
        if !ours {
            self.unsupported = true;
            out.finding(Finding {
                code: FindingCode::UnsupportedFormat,
                severity: Severity::Warning,
                effect: if self.messages > 0 { Effect::FileHeld } else { Effect::Noted },
                message: "the message is none of those that are read".to_owned(),
                expected: "BkToCstmrAcctRpt, BkToCstmrStmt, BkToCstmrDbtCdtNtfctn, CstmrCdtTrfInitn or RmtAdvc".to_owned(),
                found: shown(local.as_bytes()),
                location: self.here(spot).location(),
            });
        }
    }

    /// The five entities of XML, and characters by number.
    fn reference(&mut self, spot: Spot<'_>, name: &str, out: &mut Output<'_>) {
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let character = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
                (Some(digits), _) => number(digits, 16),
                (None, Some(digits)) => number(digits, 10),
                (None, None) => None,
            },
        };
        match character {
            Some(character) => self.text.push(character),
            None => {
                let message = "an entity that XML does not define";
                self.stop(spot, FindingCode::BadEnvelope, message, "&amp; &lt; &gt; &quot; &apos;", out);
            }
        }
    }

    /// Memory is bounded by one entry and one text.
    #[inline]
    fn check_sizes(&mut self, spot: Spot<'_>, out: &mut Output<'_>) {
        let long_text = self.text.len() > self.limits.segment_bytes_max;
        let length = self.base.saturating_add(spot.end as u64).saturating_sub(self.entry_from);
        let long_entry = self.ordinal().is_some() && length > self.limits.transaction_bytes_max as u64;
        if (long_text || long_entry) && !self.stopped {
            let expected = format!("entries of at most {} bytes", self.limits.transaction_bytes_max);
            self.stop(spot, FindingCode::LimitReached, "an entry or a text is longer than allowed", &expected, out);
        }
    }

    /// The place of the token in hand.
    fn place(&self, spot: Spot<'_>) -> Location {
        Location {
            byte: self.base.saturating_add(spot.at as u64),
            line: Some(self.lines_before(spot.window, spot.at).saturating_add(1)),
            ..Location::default()
        }
    }

    /// Counts the line breaks up to a position.
    fn count_lines(&mut self, window: &[u8], at: usize) {
        (self.lines, self.counted) = (self.lines_before(window, at), at);
    }

    /// Line breaks before a position of the window, in the whole file.
    fn lines_before(&self, window: &[u8], at: usize) -> u64 {
        self.lines.saturating_add(line_breaks(window.get(self.counted..at).unwrap_or_default()))
    }
}

impl Reader for CamtReader {
    fn run<'w>(&mut self, window: &'w [u8], last: bool, sink: &mut dyn Sink<'w>) -> usize {
        let mut out = Output::new(std::mem::take(&mut self.tally));
        let consumed = self.tokens(window, last, &mut out, sink);
        if last && !self.stopped {
            self.end_of_file(window, &mut out);
        }
        out.flush(sink);
        self.tally = out.tally;
        self.count_lines(window, consumed);
        self.counted = 0;
        self.base = self.base.saturating_add(consumed as u64);
        consumed
    }

    fn finish(self: Box<Self>, sink: &mut dyn FnMut(Record<'static>)) -> Summary {
        if let Some(finding) = unlisted(&self.tally, self.base) {
            sink(Record::Finding(finding));
        }
        let read = self.statements > 0;
        let format = self.format.unwrap_or(Format::Unknown);
        let status = received::status(self.tally.worst(), read, self.unsupported && !read);
        Summary { format, status, received: Received::default() }
    }
}

/// The format of a message by its element, and whether it is read.
fn message(element: Option<El>) -> Option<(Format, bool)> {
    Some(match element? {
        El::BkToCstmrAcctRpt => (Format::Camt052, true),
        El::BkToCstmrStmt => (Format::Camt053, true),
        El::BkToCstmrDbtCdtNtfctn => (Format::Camt054, true),
        El::CstmrCdtTrfInitn => (Format::Pain001, true),
        El::RmtAdvc => (Format::Remt001, true),
        _ => return None,
    })
}

/// Where the local name of an element begins, and the local name.
#[inline]
fn split_name(name: &str) -> (usize, &str) {
    let prefix = name.bytes().rposition(|byte| byte == b':').map_or(0, |at| at.saturating_add(1));
    (prefix, name.get(prefix..).unwrap_or(name))
}

/// Elements whose beginning matters, so that they are never read in one step with their text.
#[inline]
fn begins_part(element: El) -> bool {
    matches!(element, El::Ntry | El::Bal | El::TxDtls | El::Strd | El::RfrdDocInf | El::AdjstmntAmtAndRsn)
}

/// Attribute Ccy.
fn currency(attributes: &str) -> Option<Currency> {
    if let Some(code) = attributes.trim_ascii().strip_prefix("Ccy=\"").and_then(|rest| rest.strip_suffix('"')) {
        return Currency::parse(code);
    }
    Currency::parse(attribute(attributes, "Ccy")?)
}
