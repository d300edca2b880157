//! Customers, accounts, rates and open items from CSV rows into the store; open-item lists may also arrive as files in the drop folder.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::{BufRead, BufReader, Read, Seek},
};

use anyhow::Context;
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;
use tieout_parsers::{Effect, Finding, FindingCode, Format, Location, Severity, Status};

use super::{
    engine::{ENGINE, Engine},
    exceptions::{Raiser, exception_of_file},
    invoices::Changes,
    rule_life::Person,
    second_look::look_again,
};
use crate::{
    audit,
    domain::{AccountKey, BankAccount, Currency, Customer, CustomerId, FileId, ItemStatus, Relation, SellerId},
    intake::import::{
        BankAccountRow, CustomerRow, Importable, Imported, Mapping, OpenItemRow, RateRow, RelationRow, Row, Wrong, read,
    },
    ledger::{self, Mandate},
    secret::Vault,
    store::{
        AuditEvent, File, FileCounts, FileState, FileTotal, ItemOutcome, NewBankAccount, NewCustomer, NewOpenItem, Rate,
        Recording, TotalKind, Tx,
    },
};

/// What became of the rows of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    pub inserted: u64,
    pub updated: u64,
    pub unchanged: u64,
    /// Rows that change an item after something was applied to it, or in a file; each is an exception now.
    pub conflicts: u64,
    /// Rows that were taken and left a question; each is an exception, too.
    pub questions: u64,
    /// Payments that wait for a person and are decided anew because of it.
    pub held_again: u64,
}

/// A row of an otherwise good file that names something we do not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// Which of the rows it is, over all files of the import.
    pub row: usize,
    pub line: u64,
    pub column: &'static str,
    pub found: String,
}

/// Who imports, and what: kept in the audit trail together with what became of the rows.
#[derive(Clone, Copy)]
pub struct Import<'a> {
    pub mandate: &'a Mandate<'a>,
    pub files: &'a [ImportedFile],
    /// Have what waits for a person decided anew where something changed; the items of a labelled world come like lists in files, which do not.
    pub looks_again: bool,
}

/// A file that rows came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportedFile {
    pub name: String,
    /// Of the content, in lower-case hex.
    pub sha256: String,
    /// Good rows.
    pub rows: u64,
}

impl Import<'_> {
    /// Refuses who may only look.
    fn allowed(&self) -> anyhow::Result<()> {
        Ok(ledger::may_work(self.mandate.role, "import")?)
    }

    /// Each relation that is new or has another last day now.
    async fn tell_relations<'a>(
        &self,
        tx: &mut Tx,
        changed: impl Iterator<Item = (&'a Start, &'a Option<NaiveDate>)>,
    ) -> anyhow::Result<()> {
        let event = |((payer, pays_for, kind, from), until): (&Start, &Option<NaiveDate>)| AuditEvent {
            actor: self.mandate.actor.to_owned(),
            action: "relation".to_owned(),
            subject: format!("{payer} pays for {pays_for}"),
            detail: json!({ "kind": kind, "from": from, "until": until }).to_string(),
        };
        audit::record(tx, &changed.map(event).collect::<Vec<_>>()).await
    }

    async fn record(&self, tx: &mut Tx, what: &str, stored: &Stored) -> anyhow::Result<()> {
        let Stored { inserted, updated, unchanged, conflicts, questions: _, held_again } = stored;
        let detail = json!({
            "files": self.files, "added": inserted, "changed": updated, "unchanged": unchanged, "not_taken": conflicts,
            "held_again": held_again,
        });
        let event = AuditEvent {
            actor: self.mandate.actor.to_owned(),
            action: "import".to_owned(),
            subject: what.to_owned(),
            detail: detail.to_string(),
        };
        audit::record(tx, &[event]).await
    }
}

impl Engine {
    pub async fn import_customers(&self, import: &Import<'_>, rows: &[CustomerRow]) -> anyhow::Result<Stored> {
        import.allowed()?;
        let mut customers = Vec::with_capacity(rows.len());
        for row in rows {
            customers.push(new_customer(row, &self.vault)?);
        }
        let sellers: BTreeMap<_, _> =
            rows.iter().flat_map(|row| &row.seller_codes).map(|code| (code.clone(), code.clone())).collect();
        self.db
            .transact(async |tx| {
                let before = customers_by_code(tx).await?;
                tx.upsert_sellers(&sellers).await?;
                tx.upsert_customers(&customers, "import").await?;
                let after = customers_by_code(tx).await?;
                let mut stored = Stored::counted(rows.iter().map(|row| row.code.clone()), &before, &after);
                stored.look_again(tx, import).await?;
                import.record(tx, "customers", &stored).await?;
                Ok(stored)
            })
            .await
            .context("storing customers")
    }

    pub async fn import_bank_accounts(&self, import: &Import<'_>, rows: &[BankAccountRow]) -> anyhow::Result<Stored> {
        import.allowed()?;
        let sellers: BTreeMap<_, _> = rows
            .iter()
            .map(|row| (row.seller_code.clone(), row.seller_name.clone().unwrap_or_else(|| row.seller_code.clone())))
            .collect();
        self.db
            .transact(async |tx| {
                let ids = tx.upsert_sellers(&sellers).await?;
                let before = accounts_by_key(tx).await?;
                let mut edi_ids: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
                let mut accounts = Vec::with_capacity(rows.len());
                for row in rows {
                    let seller = *ids.get(&row.seller_code).context("a seller that was just stored is known")?;
                    if !row.edi_ids.is_empty() {
                        edi_ids.entry(seller).or_default().extend(row.edi_ids.iter().cloned());
                    }
                    let account =
                        self.vault.seal_account(row.bank.as_deref(), &row.account)?.context("an account number was empty")?;
                    accounts.push(NewBankAccount {
                        seller,
                        kind: row.kind.clone(),
                        bank: row.bank.clone(),
                        account,
                        number: self.vault.key_of(None, &row.account),
                        deposit: self.deposit(row),
                        currency: row.currency,
                        layout: row.layout.clone().unwrap_or_default(),
                    });
                }
                tx.upsert_bank_accounts(&accounts).await?;
                tx.replace_edi_ids(&edi_ids).await?;
                let after = accounts_by_key(tx).await?;
                let keys = accounts.into_iter().map(|new| (new.account.key, new.kind, new.currency));
                let stored = Stored::counted(keys, &before, &after);
                import.record(tx, "bank_accounts", &stored).await?;
                Ok(stored)
            })
            .await
            .context("storing bank accounts")
    }

    pub async fn import_rates(&self, import: &Import<'_>, rows: &[RateRow]) -> anyhow::Result<Stored> {
        import.allowed()?;
        // A rate without a day has always been valid: business days of the past need it, too.
        let always = NaiveDate::default();
        let rates: Vec<_> = rows
            .iter()
            .map(|row| Rate {
                currency: row.currency,
                valid_from: row.date.unwrap_or(always),
                usd_rate: row.usd_rate.to_string(),
            })
            .collect();
        self.db
            .transact(async |tx| {
                let before = rates_by_day(tx).await?;
                tx.upsert_rates(&rates).await?;
                let after = rates_by_day(tx).await?;
                let stored = Stored::counted(rates.iter().map(|rate| (rate.currency, rate.valid_from)), &before, &after);
                import.record(tx, "rates", &stored).await?;
                Ok(stored)
            })
            .await
            .context("storing rates")
    }

    /// Stores who may pay for whom, which lets the engine post one customer's money on another's items: whoever may let rules run may say so. Codes
    /// nobody knows are returned; then nothing was stored unless `partial`.
    pub async fn import_relations(
        &self,
        import: &Import<'_>,
        rows: &[Row<RelationRow>],
        partial: bool,
    ) -> anyhow::Result<(Stored, Vec<UnknownName>)> {
        let Mandate { actor: name, role, .. } = *import.mandate;
        self.may_rule(&Person { name, role }, "say who pays for whom")?;
        self.db
            .transact(async |tx| {
                let (relations, unknown) = relations(tx, rows).await?;
                if !unknown.is_empty() && !partial {
                    return Ok((Stored::default(), unknown));
                }
                let before = relations_by_start(tx).await?;
                tx.upsert_relations(&relations).await?;
                let after = relations_by_start(tx).await?;
                let mut stored = Stored::counted(relations.iter().map(start_of), &before, &after);
                stored.look_again(tx, import).await?;
                let changed = after.iter().filter(|(start, until)| before.get(start) != Some(until));
                import.tell_relations(tx, changed).await?;
                import.record(tx, "relations", &stored).await?;
                Ok((stored, unknown))
            })
            .await
            .context("storing relations")
    }

    /// Stores open items. Names nobody knows are returned; then nothing was stored unless `partial`.
    pub async fn import_open_items(
        &self,
        import: &Import<'_>,
        rows: &[Row<OpenItemRow>],
        partial: bool,
    ) -> anyhow::Result<(Stored, Vec<UnknownName>)> {
        import.allowed()?;
        self.db
            .transact(async |tx| {
                let (items, unknown) = open_items(tx, rows).await?;
                if !unknown.is_empty() && !partial {
                    return Ok((Stored::default(), unknown));
                }
                let mut stored = self.store_open_items(tx, &items, None).await?;
                stored.look_again(tx, import).await?;
                import.record(tx, "open_items", &stored).await?;
                Ok((stored, unknown))
            })
            .await
            .context("storing open items")
    }

    /// Where the deposits of a lockbox go: the account at its bank, and the number alone.
    fn deposit(&self, row: &BankAccountRow) -> Option<(AccountKey, AccountKey)> {
        let account = row.deposit_account.as_ref()?;
        let bank = row.deposit_bank.as_deref().or(row.bank.as_deref());
        self.vault.key_of(bank, account).zip(self.vault.key_of(None, account))
    }

    /// The rows of an open-item list that came as a file; nothing when the content is something else.
    pub(super) fn recognise_open_items(
        &self,
        format: Format,
        file: &File,
        bytes: &mut std::fs::File,
    ) -> anyhow::Result<Option<Imported<OpenItemRow>>> {
        if format != Format::Unknown {
            return Ok(None);
        }
        bytes.rewind()?;
        let mut header = String::new();
        // A file without line ends must not be read whole for its first line.
        let read_header = BufReader::new(Read::take(&mut *bytes, 64 << 10)).read_line(&mut header);
        let has = |column: &str| header.to_ascii_lowercase().contains(column);
        if read_header.is_err() || !OpenItemRow::COLUMNS.iter().filter(|column| column.required).all(|column| has(column.name)) {
            return Ok(None);
        }
        bytes.rewind()?;
        Ok(Some(read(&file.name, &mut BufReader::new(bytes), &Mapping::default(), &mut |_| {})?))
    }

    /// Stores items; each that contradicts what is known becomes a matter for a person.
    async fn store_open_items(&self, tx: &mut Tx, items: &[NewOpenItem], file: Option<FileId>) -> anyhow::Result<Stored> {
        let directory = self.directory(tx).await?;
        let raiser = Raiser { rules: &self.rules, directory: &directory };
        let (mut stored, mut questions, mut changes) = (Stored::default(), BTreeMap::new(), Changes::default());
        for (row, outcome) in items.iter().zip(tx.upsert_open_items(items, "import").await?) {
            changes.count(row, outcome);
            if let Some((question, item)) = outcome.outcome.question().zip(outcome.item) {
                questions.insert(item, raiser.changed_item(file, row, outcome.item, question));
            }
            match outcome.outcome {
                ItemOutcome::Inserted => stored.inserted += 1,
                ItemOutcome::Updated => stored.updated += 1,
                ItemOutcome::SettledElsewhere => {
                    stored.updated += 1;
                    stored.questions += 1;
                }
                ItemOutcome::Unchanged | ItemOutcome::NotFound => stored.unchanged += 1,
                ItemOutcome::ConflictApplied | ItemOutcome::ConflictFile | ItemOutcome::ConflictId => stored.conflicts += 1,
            }
        }
        let questions: Vec<_> = questions.into_values().collect();
        tx.raise_exceptions(&questions, ENGINE).await?;
        if let Some(file) = file {
            changes.record(tx, file, None).await?;
        }
        Ok(stored)
    }

    /// T2 of an open-item list: good rows become items, wrong ones are set aside.
    pub(super) async fn record_open_items(&self, tx: &mut Tx, file: &File, list: Imported<OpenItemRow>) -> anyhow::Result<()> {
        let (mut items, unknown) = open_items(tx, &list.rows).await?;
        for item in &mut items {
            item.file = Some(file.id);
        }
        let wrong: Vec<_> = list.wrong.iter().map(wrong_finding).chain(unknown.iter().map(unknown_finding)).collect();
        let mut totals: BTreeMap<Currency, (u64, i64)> = BTreeMap::new();
        for item in &items {
            let total = totals.entry(item.currency).or_default();
            *total = (total.0 + 1, total.1.saturating_add(item.amount_minor));
        }
        let stored = self.store_open_items(tx, &items, Some(file.id)).await?;
        tx.record_findings(file.id, 0, &wrong).await?;
        let refused = list.rows_refused + unknown.len() as u64;
        if !wrong.is_empty() {
            let message = format!("{refused} rows of the list are wrong and were set aside; {} were taken", items.len());
            let exception = exception_of_file(&self.rules, file.id, message);
            tx.raise_exceptions(&[exception], ENGINE).await?;
        }
        let counts = FileCounts {
            invoices: items.len() as u64,
            invoices_taken: items.len() as u64 - stored.conflicts,
            invoices_refused: stored.conflicts,
            set_aside: 0,
            findings: wrong.len() as u64,
            ..FileCounts::default()
        };
        let kind = TotalKind::Invoice;
        let recording = Recording {
            file: file.id,
            state: FileState::Recorded,
            format: "csv",
            verdict: if wrong.is_empty() { Status::Accepted } else { Status::AcceptedWithFindings }.as_str(),
            sender: None,
            receiver: None,
            counts,
            totals: totals
                .into_iter()
                .map(|(currency, (records, amount_minor))| FileTotal { kind, currency, records, amount_minor })
                .collect(),
        };
        anyhow::ensure!(tx.record_file(&recording).await?, "file {} was recorded before", file.id);
        Ok(())
    }
}

impl Stored {
    /// What changed may explain payments that wait.
    async fn look_again(&mut self, tx: &mut Tx, import: &Import<'_>) -> anyhow::Result<()> {
        if import.looks_again && self.inserted + self.updated > 0 {
            self.held_again = look_again(tx).await?;
        }
        Ok(())
    }

    /// Counts what an import did by comparing what was known under each key before and after it.
    fn counted<K: Ord, V: PartialEq>(keys: impl Iterator<Item = K>, before: &BTreeMap<K, V>, after: &BTreeMap<K, V>) -> Self {
        let mut stored = Self::default();
        for key in keys.collect::<BTreeSet<_>>() {
            match before.get(&key) {
                None => stored.inserted += 1,
                known if known == after.get(&key) => stored.unchanged += 1,
                Some(_) => stored.updated += 1,
            }
        }
        stored
    }
}

async fn customers_by_code(tx: &mut Tx) -> anyhow::Result<BTreeMap<String, Customer>> {
    let (customers, _) = tx.customers_changed_since(0).await?;
    Ok(customers.into_iter().map(|customer| (customer.code.clone(), customer)).collect())
}

async fn accounts_by_key(tx: &mut Tx) -> anyhow::Result<BTreeMap<(AccountKey, String, Currency), BankAccount>> {
    let accounts = tx.bank_accounts().await?.into_iter();
    Ok(accounts.map(|account| ((account.account.clone(), account.kind.clone(), account.currency), account)).collect())
}

async fn rates_by_day(tx: &mut Tx) -> anyhow::Result<BTreeMap<(Currency, NaiveDate), String>> {
    Ok(tx.rates().await?.into_iter().map(|rate| ((rate.currency, rate.valid_from), rate.usd_rate)).collect())
}

/// What a relation is known by: who pays for whom, as what, from which day.
type Start = (CustomerId, CustomerId, String, NaiveDate);

fn start_of(relation: &Relation) -> Start {
    (relation.payer, relation.pays_for, relation.kind.clone(), relation.from)
}

async fn relations_by_start(tx: &mut Tx) -> anyhow::Result<BTreeMap<Start, Option<NaiveDate>>> {
    Ok(tx.relations().await?.iter().map(|relation| (start_of(relation), relation.until)).collect())
}

/// Rows as relations, and the codes in them that nobody knows.
async fn relations(tx: &mut Tx, rows: &[Row<RelationRow>]) -> anyhow::Result<(Vec<Relation>, Vec<UnknownName>)> {
    let customers = tx.customer_ids().await?;
    let (mut relations, mut unknown) = (Vec::with_capacity(rows.len()), Vec::new());
    for (at, Row { line, value: row }) in rows.iter().enumerate() {
        let mut find = |column, code: &String| {
            let customer = customers.get(code).copied();
            if customer.is_none() {
                unknown.push(UnknownName { row: at, line: *line, column, found: code.clone() });
            }
            customer
        };
        let both = (find("payer_id", &row.payer), find("pays_for_id", &row.pays_for));
        if let (Some(payer), Some(pays_for)) = both {
            relations.push(Relation { payer, pays_for, kind: row.kind.as_str().to_owned(), from: row.from, until: row.until });
        }
    }
    Ok((relations, unknown))
}

/// A customer as it is stored, with its accounts sealed.
pub(super) fn new_customer(row: &CustomerRow, vault: &Vault) -> anyhow::Result<NewCustomer> {
    let mut accounts = Vec::with_capacity(row.accounts.len());
    for known in &row.accounts {
        accounts.extend(vault.seal_account(known.bank.as_deref(), &known.account)?);
    }
    Ok(NewCustomer {
        code: row.code.clone(),
        name: row.name.clone(),
        aliases: row.aliases.clone(),
        parent_code: row.parent_code.clone(),
        country: row.country.clone(),
        currency: row.currency,
        terms: row.terms.clone(),
        seller_codes: row.seller_codes.clone(),
        accounts,
        originator_id: row.originator_id.clone(),
        portfolio_owner: row.portfolio_owner.clone(),
    })
}

/// Rows as items, and the names in them that nobody knows.
async fn open_items(tx: &mut Tx, rows: &[Row<OpenItemRow>]) -> anyhow::Result<(Vec<NewOpenItem>, Vec<UnknownName>)> {
    let names = Names {
        customers: tx.customer_ids().await?,
        sellers: tx.sellers().await?.into_iter().map(|seller| (seller.code, seller.id)).collect(),
    };
    let (mut items, mut unknown) = (Vec::with_capacity(rows.len()), Vec::new());
    for (at, row) in rows.iter().enumerate() {
        match names.item(row) {
            Ok(item) => items.push(item),
            Err(missing) => unknown.push(UnknownName { row: at, ..missing }),
        }
    }
    Ok((items, unknown))
}

/// Customers and sellers by the codes that rows name them with.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) customers: HashMap<String, CustomerId>,
    pub(super) sellers: BTreeMap<String, SellerId>,
}

impl Names {
    /// The item of a row, or the name in it that nobody knows.
    pub(super) fn item(&self, Row { line, value: row }: &Row<OpenItemRow>) -> Result<NewOpenItem, UnknownName> {
        let missing = |column, found: &str| UnknownName { row: 0, line: *line, column, found: found.to_owned() };
        let seller = *self.sellers.get(&row.seller_code).ok_or_else(|| missing("seller_id", &row.seller_code))?;
        let customer = *self.customers.get(&row.customer_code).ok_or_else(|| missing("customer_id", &row.customer_code))?;
        Ok(NewOpenItem {
            seller,
            customer,
            number: row.number.clone(),
            external_id: row.external_id.clone(),
            kind: row.kind,
            currency: row.currency,
            amount_minor: row.amount_minor,
            open_minor: row.open_minor,
            discount_exempt_minor: row.discount_exempt_minor,
            issue_date: row.issue_date,
            entered_date: row.entered_date,
            due_date: row.due_date,
            terms: row.terms.clone(),
            po: row.po.clone(),
            bol: row.bol.clone(),
            pro: row.pro.clone(),
            closed_date: row.closed_date,
            cancels: row.status == ItemStatus::Cancelled,
            file: None,
        })
    }
}

fn wrong_finding(wrong: &Wrong) -> Finding {
    row_finding(wrong.line, wrong.column.as_deref().unwrap_or("the row"), &wrong.expected, &wrong.found)
}

fn unknown_finding(unknown: &UnknownName) -> Finding {
    row_finding(unknown.line, unknown.column, "the code of one that was imported", &unknown.found)
}

fn row_finding(line: u64, column: &str, expected: &str, found: &str) -> Finding {
    Finding {
        code: FindingCode::BadText,
        severity: Severity::Error,
        effect: Effect::RecordSetAside,
        message: format!("column {column} of line {line} cannot be read"),
        expected: expected.to_owned(),
        found: found.to_owned(),
        location: Location { line: Some(line), ..Location::default() },
    }
}
