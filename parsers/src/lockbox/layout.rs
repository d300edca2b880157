//! Layouts as data: which columns of which record hold what. A bank's own layout is a file, not code.

use std::sync::{Arc, LazyLock};

use thiserror::Error;

use super::toml::{self, Value};

/// Columns of all records of one bank's lockbox files.
///
/// ```
/// use tieout_parsers::Layout;
/// let shipped = Layout::shipped();
/// assert!(shipped.len() >= 4);
/// let layout = Layout::parse("name = \"own\"\nrecord_size = 80\n[check]\nbatch = [2, 4, \"digits\"]\n")?;
/// assert_eq!(layout.name(), "own");
/// assert!(Layout::parse("name = \"own\"\n[check]\nweight = [2, 4, \"digits\"]\n").is_err());
/// # Ok::<(), tieout_parsers::LayoutError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    name: String,
    title: String,
    /// Record size that record 2 declares for this layout.
    record_size: usize,
    sections: [Columns; SECTIONS],
}

/// Why a layout file was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {message}")]
pub struct LayoutError {
    /// Line in the layout file, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// Kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// 1.
    Header,
    /// 2.
    Service,
    /// 5.
    Lockbox,
    /// 6.
    Check,
    /// 4.
    Detail,
    /// 4 that holds keyed text.
    Keyed,
    /// 7.
    BatchTotal,
    /// 8.
    LockboxTotal,
    /// 9.
    Trailer,
}

const SECTIONS: usize = 9;

/// What a field is checked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// Anything.
    #[default]
    Text,
    /// A name: anything but digits alone.
    Name,
    /// A number with letters: no blanks inside, at least one digit.
    Number,
    /// Digits, blanks and dashes.
    Digits,
    /// Digits.
    Count,
    /// Cents, with a leading minus sign or none.
    Amount,
    /// A date as YYMMDD.
    Ymd,
    /// A date as MMDDYY.
    Mdy,
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        /// Names of fields, as layout files write them. Where a record holds several of a kind they end in `_1`, `_2` and so on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Name { $($(#[$doc])* $name,)+ }

        impl Name {
            const ALL: &'static [Self] = &[$(Self::$name,)+];

            fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

names! {
    Batch = "batch";
    Item = "item";
    /// Type of the record that a 4 belongs to, or `T` for keyed text.
    What = "kind";
    Sequence = "sequence";
    Last = "last";
    Amount = "amount";
    Routing = "routing";
    Account = "account";
    Check = "check";
    Date = "date";
    Remitter = "remitter";
    Payee = "payee";
    Reference = "reference";
    ReferenceRest = "reference_rest";
    Paid = "paid";
    Deduction = "deduction";
    Reason = "reason";
    Discount = "discount";
    Gross = "gross";
    Qualifier = "qualifier";
    PurchaseOrder = "po";
    Customer = "customer";
    Text = "text";
    Lockbox = "lockbox";
    Count = "count";
    Total = "total";
    Records = "records";
    RecordSize = "record_size";
    Destination = "destination";
    Origin = "origin";
}

const NAMES: usize = Name::ALL.len();

/// Columns of one field, counted from 0; an empty stretch means that the layout has no such field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub from: u16,
    pub to: u16,
    pub kind: Kind,
}

/// Columns of one kind of record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    /// One set of fields per item that a record holds; most records hold one.
    items: Vec<[Span; NAMES]>,
    all: Vec<Span>,
}

impl Columns {
    /// The columns of a field of the first item.
    #[inline]
    pub fn of(&self, name: Name) -> Span {
        self.item(0, name)
    }

    /// The columns of a field of item `index`.
    #[inline]
    pub fn item(&self, index: usize, name: Name) -> Span {
        self.items.get(index).and_then(|fields| fields.get(name as usize)).copied().unwrap_or_default()
    }

    /// How many items a record holds.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// All fields.
    pub fn all(&self) -> &[Span] {
        &self.all
    }
}

/// Widest record that a layout may describe.
const COLUMNS_MAX: usize = 1024;
/// Most items that one record may hold.
const ITEMS_MAX: usize = 20;

impl Layout {
    /// Reads a layout file.
    ///
    /// # Errors
    ///
    /// When the file is not the subset of TOML that layouts use, or names a section, a field or a kind that there is not.
    pub fn parse(text: &str) -> Result<Self, LayoutError> {
        let mut layout = Self {
            name: String::new(),
            title: String::new(),
            record_size: 0,
            sections: std::array::from_fn(|_| Columns::default()),
        };
        for toml::Entry { section, key, value, line } in toml::read(text)? {
            let fault = |message: String| LayoutError { line, message };
            match (section.as_str(), key.as_str(), value) {
                ("", "name", Value::Text(name)) => layout.name = name,
                ("", "title", Value::Text(title)) => layout.title = title,
                ("", "record_size", Value::Number(size)) => layout.record_size = size,
                ("", ..) => return Err(fault(format!("{key:?} is none of name, title (texts) and record_size (a number)"))),
                (_, _, Value::List(cells)) => layout.add(&section, &key, &cells).map_err(fault)?,
                _ => return Err(fault(format!("field {key:?} needs a list: first column, last column, kind"))),
            }
        }
        if layout.name.is_empty() {
            return Err(LayoutError { line: 1, message: "the layout has no name".to_owned() });
        }
        Ok(layout)
    }

    fn add(&mut self, section: &str, key: &str, cells: &[Value]) -> Result<(), String> {
        let section = section_named(section).ok_or_else(|| format!("there is no section {section:?}"))?;
        let (name, index) = split_index(key);
        let name = Name::parse(name).ok_or_else(|| format!("there is no field {key:?}"))?;
        let [Value::Number(first), Value::Number(last), Value::Text(kind)] = cells else {
            return Err(format!("field {key:?} needs first column, last column and kind"));
        };
        let kind = kind_named(kind).ok_or_else(|| format!("there is no kind {kind:?}"))?;
        if *first < 1 || last < first || *last > COLUMNS_MAX || index >= ITEMS_MAX {
            return Err(format!("field {key:?} needs columns from 1 to {COLUMNS_MAX} in order, and at most {ITEMS_MAX} items"));
        }
        let column = |column: usize| u16::try_from(column).unwrap_or(u16::MAX);
        let span = Span { from: column(first.saturating_sub(1)), to: column(*last), kind };
        let Some(columns) = self.sections.get_mut(section as usize) else { return Ok(()) };
        while columns.items.len() <= index {
            columns.items.push([Span::default(); NAMES]);
        }
        if let Some(slot) = columns.items.get_mut(index).and_then(|fields| fields.get_mut(name as usize)) {
            *slot = span;
        }
        columns.all.push(span);
        Ok(())
    }

    /// The layouts that come with the program, in the order in which they are preferred.
    pub fn shipped() -> &'static [Arc<Self>] {
        static SHIPPED: LazyLock<Vec<Arc<Layout>>> = LazyLock::new(|| {
            let texts = [
                include_str!("../../layouts/bai-80.toml"),
                include_str!("../../layouts/bai-80-remitter.toml"),
                include_str!("../../layouts/bai-104.toml"),
                include_str!("../../layouts/bai-160-names.toml"),
                include_str!("../../layouts/bai-80-invoices.toml"),
            ];
            // A shipped layout that does not read is left out; a test proves that all of them read.
            texts.iter().filter_map(|text| Layout::parse(text).ok()).map(Arc::new).collect()
        });
        &SHIPPED
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, in one line.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Record size that record 2 declares for it.
    pub(super) fn record_size(&self) -> usize {
        self.record_size
    }

    #[inline]
    pub(super) fn section(&self, section: Section) -> &Columns {
        static NONE: Columns = Columns { items: Vec::new(), all: Vec::new() };
        self.sections.get(section as usize).unwrap_or(&NONE)
    }
}

fn section_named(name: &str) -> Option<Section> {
    Some(match name {
        "header" => Section::Header,
        "service" => Section::Service,
        "lockbox" => Section::Lockbox,
        "check" => Section::Check,
        "detail" => Section::Detail,
        "keyed" => Section::Keyed,
        "batch_total" => Section::BatchTotal,
        "lockbox_total" => Section::LockboxTotal,
        "trailer" => Section::Trailer,
        _ => return None,
    })
}

fn kind_named(name: &str) -> Option<Kind> {
    Some(match name {
        "text" => Kind::Text,
        "name" => Kind::Name,
        "number" => Kind::Number,
        "digits" => Kind::Digits,
        "count" => Kind::Count,
        "amount" => Kind::Amount,
        "YYMMDD" => Kind::Ymd,
        "MMDDYY" => Kind::Mdy,
        _ => return None,
    })
}

/// `reference_2` is the second reference; a name without a number is the first.
fn split_index(key: &str) -> (&str, usize) {
    match key.rsplit_once('_').map(|(name, number)| (name, number.parse::<usize>())) {
        Some((name, Ok(number))) if number > 0 => (name, number.saturating_sub(1)),
        _ => (key, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_layout_reads() {
        let names: Vec<&str> = Layout::shipped().iter().map(|layout| layout.name()).collect();
        assert_eq!(names, ["bai-80", "bai-80-remitter", "bai-104", "bai-160-names", "bai-80-invoices"]);
        for layout in Layout::shipped() {
            assert!(!layout.title().is_empty() && layout.record_size() > 0);
            assert!(layout.section(Section::Check).of(Name::Amount).to > 0, "{}", layout.name());
        }
    }

    #[test]
    fn faults_name_their_line() {
        let fault = |text: &str| Layout::parse(text).expect_err("a fault").to_string();
        assert!(fault("name = \"x\"\n[cheque]\namount = [8, 17, \"amount\"]").starts_with("line 3: there is no section"));
        assert!(
            fault("name = \"x\"\n[check]\namount = [8, 7, \"amount\"]").starts_with("line 3: field \"amount\" needs columns")
        );
        assert!(fault("name = \"x\"\n[check]\namount = [8, 17, \"euro\"]").starts_with("line 3: there is no kind"));
        assert!(fault("name = \"x\"\n[check]\namount = 8").starts_with("line 3: field \"amount\" needs a list"));
        assert!(fault("[check]\namount = [8, 17, \"amount\"]").ends_with("the layout has no name"));
    }
}
