//! Open items: what customers owe, as files and the ERP tell it, and as the ledger has settled it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;

use super::{
    Conflict, Kind, Past, PastItem, Tx,
    bulk::Rows,
    value::{Columns, json, values},
};
use crate::domain::{Currency, CustomerId, FileId, ItemKind, ItemStatus, OpenItem, OpenItemId, SellerId, TermsOfPayment};

/// An item as an invoice file or the ERP tells it. (seller, number) is its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOpenItem {
    pub seller: SellerId,
    pub customer: CustomerId,
    pub number: String,
    /// The ERP's own id, which stays when it numbers the item anew.
    pub external_id: Option<String>,
    pub kind: ItemKind,
    pub currency: Currency,
    /// Negative for a credit memo.
    pub amount_minor: i64,
    /// What the sender holds to be open of it. Once our own ledger has settled a part, only less than is open here says something new.
    pub open_minor: i64,
    pub discount_exempt_minor: i64,
    pub issue_date: NaiveDate,
    pub entered_date: NaiveDate,
    pub due_date: NaiveDate,
    pub terms: TermsOfPayment,
    pub po: Option<String>,
    pub bol: Option<String>,
    pub pro: Option<String>,
    pub closed_date: Option<NaiveDate>,
    /// The sender takes it back (BIG08 `01`).
    pub cancels: bool,
    pub file: Option<FileId>,
}

impl NewOpenItem {
    /// The item as it is once it was entered. Like every importer we believe a closed item closed and an open one open.
    pub fn entered(self, id: OpenItemId) -> OpenItem {
        OpenItem {
            id,
            status: self.status(),
            seller: self.seller,
            customer: self.customer,
            number: self.number,
            kind: self.kind,
            currency: self.currency,
            amount_minor: self.amount_minor,
            open_minor: self.open_minor,
            discount_exempt_minor: self.discount_exempt_minor,
            issue_date: self.issue_date,
            entered_date: self.entered_date,
            due_date: self.due_date,
            terms: self.terms,
            po: self.po,
            bol: self.bol,
            pro: self.pro,
            closed_date: self.closed_date,
        }
    }

    const fn status(&self) -> ItemStatus {
        if self.open_minor == 0 { ItemStatus::Closed } else { ItemStatus::Open }
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    Inserted,
    Unchanged,
    Updated,
    /// Less of it is open elsewhere than here, where something was applied to it: the rest counts as settled elsewhere, and a person is told.
    SettledElsewhere,
    /// Cash or a deduction was applied to it and the row says something else now: nothing was stored, a person decides.
    ConflictApplied,
    /// A file names another amount, currency, customer or kind: nothing was stored, a person decides.
    ConflictFile,
    /// Another item bears its id, and it cannot be that one under a new number: nothing was stored, a person decides.
    ConflictId,
    /// The row cancels an item that we do not know.
    NotFound,
}

impl ItemOutcome {
    /// What a person is told who must decide; nothing where nobody must.
    pub const fn question(self) -> Option<&'static str> {
        match self {
            Self::SettledElsewhere => Some(
                "came with less open than was open here after something was applied to it; the rest now counts as settled elsewhere: \
                 find out by what",
            ),
            Self::ConflictApplied => Some("came again with other content after something was applied to it; it was not changed"),
            Self::ConflictFile => Some(
                "came again in a file with another amount, currency, customer or kind; it was not changed: import it if the file is right",
            ),
            Self::ConflictId => Some(
                "is the item that a row with another number or amount names by its invoice_id; the row was not taken: import it with the right \
                 number and invoice_id",
            ),
            Self::Inserted | Self::Unchanged | Self::Updated | Self::NotFound => None,
        }
    }

    /// Nothing was stored of the row.
    pub const fn is_refused(self) -> bool {
        matches!(self, Self::ConflictApplied | Self::ConflictFile | Self::ConflictId | Self::NotFound)
    }
}

/// A row, what became of it, and the item it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemStored {
    pub item: Option<OpenItemId>,
    pub outcome: ItemOutcome,
}

/// A change of an item that `ledger` decided on the locked row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ItemChange {
    pub(crate) id: OpenItemId,
    /// What the open amount goes down by; the sign of the open amount closes, the other reopens.
    pub(crate) closes_minor: i64,
    pub(crate) day: NaiveDate,
}

const COLUMNS: &str = "i.id, i.seller_id, i.customer_id, i.number, i.kind, i.currency, i.amount_minor, i.open_minor, \
                       i.discount_exempt_minor, i.issue_date, i.entered_date, i.due_date, i.terms, i.po, i.bol, i.pro, i.status, i.closed_date";
const STORED: &str = "id, seller_id, customer_id, number, kind, currency, amount_minor, open_minor, settled_elsewhere_minor, \
                      discount_exempt_minor, issue_date, entered_date, due_date, terms, po, bol, pro, status, closed_date, source, file_id, external_id, changed";

/// An item while its rows are compared: as stored, or as an earlier row of the same batch made it.
struct Known {
    id: i64,
    new: NewOpenItem,
    settled_elsewhere_minor: i64,
    status: ItemStatus,
    /// The ledger has settled a part of it.
    applied: bool,
    fate: Fate,
    /// What its row said before this batch, for the past.
    before: Option<PastItem>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Keep,
    Insert,
    Update,
}

impl Tx {
    /// Stores items from a file or the ERP, row by row in order, and tells what became of each.
    ///
    /// Equal content changes nothing. Other content replaces what is stored as long as nothing is applied to the item; a row that came in
    /// a file never changes who owes what. A row with another number and the id of a known item is that item under a new number.
    pub async fn upsert_open_items(&mut self, rows: &[NewOpenItem], source: &str) -> anyhow::Result<Vec<ItemStored>> {
        let mut known = self.known_items(rows).await?;
        let mut by_id = self.items_by_external_id(rows, &known).await?;
        let fresh = rows.iter().filter(|row| !row.cancels && !known.contains_key(&key(row))).count();
        let mut ids = self.reserve(Kind::OpenItem, fresh + by_id.len()).await?.into_iter();
        // First what has another number now: the number it had may be that of another row, wherever that stands.
        let mut renumbered = HashMap::new();
        for (at, row) in rows.iter().enumerate().filter(|(_, row)| !known.contains_key(&key(row))).collect::<Vec<_>>() {
            let Some(mut item) = external(row).and_then(|id| by_id.remove(&id)) else { continue };
            let number = key(&item.new);
            let outcome = item.renumber(row);
            renumbered.insert(at, ItemStored { item: Some(OpenItemId(item.id)), outcome });
            if outcome != ItemOutcome::ConflictId {
                known.remove(&number);
                known.insert(key(row), item);
            }
        }
        let mut stored = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            let other = external(row).and_then(|id| by_id.get(&id)).map(|item| item.id);
            let outcome = match known.get_mut(&key(row)) {
                _ if let Some(found) = renumbered.remove(&at) => found,
                Some(item) if item.is_another(row, other) => {
                    ItemStored { item: Some(OpenItemId(other.unwrap_or(item.id))), outcome: ItemOutcome::ConflictId }
                }
                Some(item) => ItemStored { item: Some(OpenItemId(item.id)), outcome: item.meet(row) },
                // Its number was another item's until this list: which is which is asked.
                None if let Some(other) = other => ItemStored { item: Some(OpenItemId(other)), outcome: ItemOutcome::ConflictId },
                None if row.cancels => ItemStored { item: None, outcome: ItemOutcome::NotFound },
                None => {
                    // One id was reserved for each row that is not known; a repeat inside the batch leaves some unused.
                    let id = ids.next().unwrap_or_default();
                    known.insert(key(row), Known::fresh(id, row));
                    ItemStored { item: Some(OpenItemId(id)), outcome: ItemOutcome::Inserted }
                }
            };
            stored.push(outcome);
        }
        self.write_items(known.into_values().collect(), source).await?;
        Ok(stored)
    }

    /// Items that rows name by the ERP's id and not by the number they are known by. An id that several rows bear is none.
    async fn items_by_external_id(
        &mut self,
        rows: &[NewOpenItem],
        known: &HashMap<(i64, String), Known>,
    ) -> anyhow::Result<HashMap<(i64, String), Known>> {
        let mut numbers: BTreeMap<(i64, String), BTreeSet<&str>> = BTreeMap::new();
        for row in rows {
            if let Some(id) = external(row) {
                numbers.entry(id).or_default().insert(&row.number);
            }
        }
        let mut ids = Rows::of_width(2);
        for ((seller, id), numbers) in &numbers {
            let one = numbers.iter().next().filter(|_| numbers.len() == 1);
            let bears = |item: &Known| item.new.external_id.as_deref() == Some(id.as_str());
            if one.is_some_and(|number| !known.get(&(*seller, (*number).to_owned())).is_some_and(bears)) {
                ids.push(values![*seller, id]);
            }
        }
        let lock = self.for_update_of("i");
        let sql = format!(
            "{{v}} select {COLUMNS}, i.settled_elsewhere_minor, i.file_id, i.external_id from open_item i \
             join v on i.seller_id = v.seller and i.external_id = v.external order by i.id{lock}"
        );
        let found = self.all_with_rows("seller, external", ids, &sql, Vec::new()).await?;
        let mut items: HashMap<_, Known> = HashMap::new();
        let mut twice = Vec::new();
        for row in &found {
            let item = Known::read(row)?;
            let Some(id) = external(&item.new) else { continue };
            if items.insert(id.clone(), item).is_some() {
                twice.push(id);
            }
        }
        twice.iter().for_each(|id| drop(items.remove(id)));
        Ok(items)
    }

    async fn known_items(&mut self, rows: &[NewOpenItem]) -> anyhow::Result<HashMap<(i64, String), Known>> {
        let mut keys = Rows::of_width(2);
        for (seller, number) in rows.iter().map(key).collect::<BTreeSet<_>>() {
            keys.push(values![seller, number]);
        }
        let lock = self.for_update_of("i");
        let sql = format!(
            "{{v}} select {COLUMNS}, i.settled_elsewhere_minor, i.file_id, i.external_id from open_item i join v on i.seller_id = v.seller and i.number = v.number order by i.id{lock}"
        );
        let found = self.all_with_rows("seller, number", keys, &sql, Vec::new()).await?;
        found.iter().map(|row| Known::read(row).map(|item| (key(&item.new), item))).collect()
    }

    async fn write_items(&mut self, mut items: Vec<Known>, source: &str) -> anyhow::Result<()> {
        items.retain(|item| item.fate != Fate::Keep);
        items.sort_by_key(|item| item.id);
        if items.is_empty() {
            return Ok(());
        }
        let changed = items.iter().filter(|item| item.fate == Fate::Update);
        let past = changed.filter_map(|item| Some(Past::Item(item.before.clone()?))).collect::<Vec<_>>();
        self.keep_past(&past).await?;
        let mark = self.change_mark().await?;
        let (mut inserts, mut updates) = (Rows::of_width(23), Rows::of_width(23));
        for item in &items {
            let row = item.row(source, mark)?;
            if item.fate == Fate::Insert { inserts.push(row) } else { updates.push(row) }
        }
        let expected = items.len() as u64;
        let sets: Vec<_> =
            STORED.split(", ").filter(|column| *column != "id").map(|column| format!("{column} = v.{column}")).collect();
        let sql =
            format!("{{v}} update open_item set {}, version = version + 1 from v where open_item.id = v.id", sets.join(", "));
        // What has another number now makes room for what is new under the one it had.
        let updated = self.with_rows(STORED, updates, &sql, Vec::new()).await?;
        let inserted = self.insert("open_item", STORED, "on conflict (seller_id, number) do nothing", inserts).await?;
        if inserted + updated != expected {
            return Err(Conflict("an open item".to_owned()).into());
        }
        Ok(())
    }

    /// The items of these ids, in order of id.
    pub async fn open_items(&mut self, ids: &[OpenItemId]) -> anyhow::Result<Vec<OpenItem>> {
        self.items_by_id(ids, "").await
    }

    /// The same, locked in order of id until the transaction ends.
    pub(crate) async fn lock_open_items(&mut self, ids: &[OpenItemId]) -> anyhow::Result<Vec<OpenItem>> {
        let lock = self.for_update_of("i");
        self.items_by_id(ids, &lock).await
    }

    async fn items_by_id(&mut self, ids: &[OpenItemId], lock: &str) -> anyhow::Result<Vec<OpenItem>> {
        let mut rows = Rows::of_width(1);
        for id in ids.iter().collect::<BTreeSet<_>>() {
            rows.push(values![*id]);
        }
        let sql = format!("{{v}} select {COLUMNS} from open_item i join v on i.id = v.id order by i.id{lock}");
        self.all_with_rows("id", rows, &sql, Vec::new()).await?.iter().map(|row| read(&mut Columns::of(row))).collect()
    }

    pub async fn open_item_by_number(&mut self, seller: SellerId, number: &str) -> anyhow::Result<Option<OpenItem>> {
        let sql = format!("select {COLUMNS} from open_item i where i.seller_id = $1 and i.number = $2");
        self.first(&sql, values![seller, number]).await?.map(|row| read(&mut Columns::of(&row))).transpose()
    }

    /// Items of any seller with that number.
    pub async fn open_items_numbered(&mut self, number: &str) -> anyhow::Result<Vec<OpenItem>> {
        let sql = format!("select {COLUMNS} from open_item i where i.number = $1 order by i.id");
        self.all(&sql, values![number]).await?.iter().map(|row| read(&mut Columns::of(row))).collect()
    }

    /// Items stored or changed since the mark, with the mark to ask with next time. Marks start at 0.
    pub async fn open_items_changed_since(&mut self, mark: i64) -> anyhow::Result<(Vec<OpenItem>, i64)> {
        let horizon = self.horizon().await?;
        let rows =
            self.all(&format!("select {COLUMNS} from open_item i where i.changed >= $1 order by i.id"), values![mark]).await?;
        Ok((rows.iter().map(|row| read(&mut Columns::of(row))).collect::<anyhow::Result<_>>()?, horizon))
    }

    /// All items with what was settled of each outside of this ledger.
    pub async fn items_with_settled(&mut self) -> anyhow::Result<Vec<PastItem>> {
        let rows =
            self.all(&format!("select {COLUMNS}, i.settled_elsewhere_minor from open_item i order by i.id"), Vec::new()).await?;
        let item = |row| {
            let mut columns = Columns::of(row);
            Ok(PastItem { item: read(&mut columns)?, settled_elsewhere_minor: columns.number()? })
        };
        rows.iter().map(item).collect()
    }

    /// Settles or reopens items that `ledger` locked; the guard refuses to go beyond amount or zero.
    pub(crate) async fn settle_items(&mut self, changes: &[ItemChange]) -> anyhow::Result<()> {
        let mark = self.change_mark().await?;
        let mut rows = Rows::of_width(3);
        for change in changes {
            rows.push(values![change.id, change.closes_minor, change.day]);
        }
        let sql = "{v} update open_item set open_minor = open_minor - v.closes, \
                   status = case when open_minor = v.closes then 'closed' else 'open' end, \
                   closed_date = case when open_minor = v.closes then v.day else null end, version = version + 1, changed = {1} \
                   from v where open_item.id = v.id and status <> 'cancelled' \
                   and ((amount_minor >= 0 and open_minor - v.closes between 0 and amount_minor) \
                   or (amount_minor < 0 and open_minor - v.closes between amount_minor and 0))";
        if self.with_rows("id, closes, day", rows, sql, values![mark]).await? != changes.len() as u64 {
            return Err(Conflict("an open item".to_owned()).into());
        }
        Ok(())
    }
}

impl Known {
    fn fresh(id: i64, row: &NewOpenItem) -> Self {
        let mut known = Self {
            id,
            new: row.clone(),
            settled_elsewhere_minor: 0,
            status: ItemStatus::Open,
            applied: false,
            fate: Fate::Insert,
            before: None,
        };
        known.take(row);
        known
    }

    fn read(row: &sqlx::any::AnyRow) -> anyhow::Result<Self> {
        let columns = &mut Columns::of(row);
        let item = read(columns)?;
        let settled_elsewhere_minor = columns.number()?;
        let before = Some(PastItem { item: item.clone(), settled_elsewhere_minor });
        let file = columns.number_opt()?.map(FileId);
        let external_id = columns.text_opt()?;
        let applied = item.amount_minor - settled_elsewhere_minor != item.open_minor;
        let status = item.status;
        let OpenItem { id, seller, customer, number, kind, currency, amount_minor, open_minor, discount_exempt_minor, .. } = item;
        let OpenItem { issue_date, entered_date, due_date, terms, po, bol, pro, closed_date, .. } = item;
        let new = NewOpenItem {
            seller,
            customer,
            number,
            external_id,
            kind,
            currency,
            amount_minor,
            open_minor,
            discount_exempt_minor,
            issue_date,
            entered_date,
            due_date,
            terms,
            po,
            bol,
            pro,
            closed_date,
            cancels: false,
            file,
        };
        Ok(Self { id: id.0, new, settled_elsewhere_minor, status, applied, fate: Fate::Keep, before })
    }

    /// Compares a row with what is known and takes it over where that is allowed.
    fn meet(&mut self, row: &NewOpenItem) -> ItemOutcome {
        let cancelled = self.status == ItemStatus::Cancelled;
        let same = if row.cancels { cancelled } else { !cancelled && self.says_the_same(row) };
        if same && self.applied && !row.cancels && row.open_minor.unsigned_abs() < self.new.open_minor.unsigned_abs() {
            return self.settle_elsewhere(row);
        }
        if same {
            if self.new.external_id.is_none() && row.external_id.is_some() && self.fate == Fate::Keep {
                // What is known of it stays the same; it can be found when it gets another number.
                self.new.external_id.clone_from(&row.external_id);
                self.fate = Fate::Update;
            }
            return ItemOutcome::Unchanged;
        }
        if self.applied {
            return ItemOutcome::ConflictApplied;
        }
        if row.file.is_some() && self.is_rewritten_by(row) {
            return ItemOutcome::ConflictFile;
        }
        if row.cancels {
            // It is taken back as a whole: nothing of it is open, and nothing was applied.
            self.settled_elsewhere_minor = self.new.amount_minor;
            self.new.open_minor = 0;
            self.status = ItemStatus::Cancelled;
            self.new.closed_date = Some(row.entered_date);
        } else {
            self.take(row);
        }
        if self.fate == Fate::Keep {
            self.fate = Fate::Update;
        }
        ItemOutcome::Updated
    }

    /// Whether a row with the number of this item is about something else: its id is that of `other`, or is new and comes with other money.
    fn is_another(&self, row: &NewOpenItem, other: Option<i64>) -> bool {
        let ids = (self.new.external_id.as_ref(), row.external_id.as_ref());
        other.is_some_and(|other| other != self.id)
            || matches!(ids, (Some(ours), Some(theirs)) if ours != theirs) && self.is_rewritten_by(row)
    }

    /// The ERP gave the item another number. Only who imports may say so, and everything that makes it this receivable must be the same.
    fn renumber(&mut self, row: &NewOpenItem) -> ItemOutcome {
        if row.cancels || row.file.is_some() || self.is_rewritten_by(row) {
            return ItemOutcome::ConflictId;
        }
        let before = std::mem::replace(&mut self.new.number, row.number.clone());
        match self.meet(row) {
            ItemOutcome::ConflictApplied | ItemOutcome::ConflictFile => {
                self.new.number = before;
                ItemOutcome::ConflictId
            }
            outcome => {
                self.fate = Fate::Update;
                if outcome == ItemOutcome::Unchanged { ItemOutcome::Updated } else { outcome }
            }
        }
    }

    /// What was paid past us must not be paid again.
    fn settle_elsewhere(&mut self, row: &NewOpenItem) -> ItemOutcome {
        self.settled_elsewhere_minor += self.new.open_minor - row.open_minor;
        self.new.open_minor = row.open_minor;
        if row.open_minor == 0 {
            self.status = ItemStatus::Closed;
            self.new.closed_date = row.closed_date.or(self.new.closed_date);
        }
        self.fate = Fate::Update;
        ItemOutcome::SettledElsewhere
    }

    /// Who owes what. A file may correct terms and references, never these.
    fn is_rewritten_by(&self, row: &NewOpenItem) -> bool {
        let money = |item: &NewOpenItem| (item.amount_minor, item.currency, item.customer, item.kind);
        money(&self.new) != money(row)
    }

    /// What was entered first stays: a resend does not make an item younger.
    fn take(&mut self, row: &NewOpenItem) {
        let entered_date = self.new.entered_date.min(row.entered_date);
        let external_id = row.external_id.clone().or_else(|| self.new.external_id.clone());
        self.new = NewOpenItem { entered_date, external_id, ..row.clone() };
        self.settled_elsewhere_minor = row.amount_minor - row.open_minor;
        self.status = row.status();
    }

    fn says_the_same(&self, row: &NewOpenItem) -> bool {
        let (new, open_differs) = (&self.new, self.new.open_minor != row.open_minor);
        let told = NewOpenItem {
            open_minor: new.open_minor,
            entered_date: new.entered_date,
            closed_date: new.closed_date,
            file: new.file,
            external_id: new.external_id.clone(),
            ..row.clone()
        };
        // Once we have settled a part, the sender's idea of the open amount is older than ours.
        told == *new && (self.applied || !open_differs)
    }

    fn row(&self, source: &str, mark: i64) -> anyhow::Result<Vec<super::value::Value>> {
        let new = &self.new;
        Ok(values![
            self.id,
            new.seller,
            new.customer,
            &new.number,
            new.kind.as_str(),
            new.currency,
            new.amount_minor,
            new.open_minor,
            self.settled_elsewhere_minor,
            new.discount_exempt_minor,
            new.issue_date,
            new.entered_date,
            new.due_date,
            json(&new.terms)?,
            &new.po,
            &new.bol,
            &new.pro,
            self.status.as_str(),
            new.closed_date,
            source,
            new.file,
            &new.external_id,
            mark,
        ])
    }
}

fn key(row: &NewOpenItem) -> (i64, String) {
    (row.seller.0, row.number.clone())
}

/// The item by the ERP's id.
fn external(row: &NewOpenItem) -> Option<(i64, String)> {
    Some((row.seller.0, row.external_id.clone()?))
}

fn read(columns: &mut Columns<'_>) -> anyhow::Result<OpenItem> {
    Ok(OpenItem {
        id: OpenItemId(columns.number()?),
        seller: SellerId(columns.number()?),
        customer: CustomerId(columns.number()?),
        number: columns.text()?,
        kind: columns.code()?,
        currency: columns.currency()?,
        amount_minor: columns.number()?,
        open_minor: columns.number()?,
        discount_exempt_minor: columns.number()?,
        issue_date: columns.date()?,
        entered_date: columns.date()?,
        due_date: columns.date()?,
        terms: columns.json()?,
        po: columns.text_opt()?,
        bol: columns.text_opt()?,
        pro: columns.text_opt()?,
        status: columns.code()?,
        closed_date: columns.date_opt()?,
    })
}
