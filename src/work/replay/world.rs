//! A labelled world: master data as an ERP would give it, and what happened day by day as JSON lines.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::Context;
use chrono::NaiveDate;

use super::event::{Event, Reading, What};
use crate::{
    domain::{Customer, CustomerId, Decision, ItemStatus, OpenItem, OpenItemId, Payment, PaymentId, SellerId},
    intake::import::{self, CustomerRow, Importable, Mapping, OpenItemRow, RateRow, Row},
    matching::{self, explain::Names as Shown},
    secret::Vault,
    work::master_data::{Names, new_customer},
};

/// What the engine may read of a world. The labels are not part of it. Everything bears the number that a fresh store gives it.
#[derive(Debug, Default)]
pub struct World {
    pub customers: Vec<Customer>,
    /// In the order of their codes.
    pub customer_rows: Vec<CustomerRow>,
    pub rates: Vec<RateRow>,
    /// In the order in which they were entered; the first is item 1.
    items: Vec<Row<OpenItemRow>>,
    /// What happened, in order of arrival.
    pub events: Vec<Event>,
    names: Names,
    /// `payments.jsonl`.
    text: String,
}

/// A day on which something happened.
#[derive(Clone, Copy, Debug)]
pub struct Day<'a> {
    pub day: NaiveDate,
    /// Items entered since the day before, and the number of the first.
    pub items: &'a [Row<OpenItemRow>],
    first_item: usize,
    events: &'a [Event],
    world: &'a World,
}

impl World {
    /// Reads `customers.csv`, `invoices.csv`, `rates.csv` where there is one, and `payments.jsonl` of a folder. Errors name file and line.
    pub fn read(folder: &Path, vault: &Vault) -> anyhow::Result<Self> {
        let customers = rows::<CustomerRow>(folder, "customers.csv")?.into_iter();
        let customers: BTreeMap<_, _> = customers.map(|row| (row.value.code.clone(), row.value)).collect();
        let mut world = Self { names: names(&customers), customer_rows: customers.into_values().collect(), ..Self::default() };
        world.customers = world.known_customers(vault)?;
        world.items = rows::<OpenItemRow>(folder, "invoices.csv")?;
        // What was cancelled before anybody knew it is nothing to us.
        world.items.retain(|row| row.value.status != ItemStatus::Cancelled);
        if let Some(unknown) = world.items.iter().find_map(|row| world.names.item(row).err()) {
            anyhow::bail!("invoices.csv:{}: nobody knows {} {}", unknown.line, unknown.column, unknown.found);
        }
        world.items.sort_by_key(|row| row.value.entered_date);
        if folder.join("rates.csv").is_file() {
            world.rates = rows::<RateRow>(folder, "rates.csv")?.into_iter().map(|row| row.value).collect();
        }
        let path = folder.join("payments.jsonl");
        world.text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        world.events = events(&world.text, &mut Reading::new(&world.names, vault), &path)?;
        Ok(world)
    }

    /// The days in the order of the world.
    pub fn days(&self) -> impl Iterator<Item = Day<'_>> {
        let mut entered = 0;
        self.events.chunk_by(|one, next| one.day == next.day).filter_map(move |events| {
            let day = events.first()?.day;
            let first_item = entered;
            let new = self.items.get(first_item..)?.iter().take_while(|row| row.value.entered_date <= day).count();
            entered += new;
            Some(Day { day, items: self.items.get(first_item..entered)?, first_item, events, world: self })
        })
    }

    /// The line of an event, with its end.
    pub(super) fn line(&self, event: &Event) -> &str {
        self.text.get(event.line.clone()).unwrap_or_default()
    }

    /// The world's own name of an item.
    pub(super) fn item_name(&self, id: OpenItemId) -> Option<&str> {
        let place = usize::try_from(id.0).ok()?.checked_sub(1)?;
        let row = &self.items.get(place)?.value;
        Some(row.external_id.as_deref().unwrap_or(&row.number))
    }

    /// Items by their names.
    pub(super) fn items_by_name(&self) -> BTreeMap<&str, OpenItemId> {
        let ids = (1..).map(OpenItemId);
        self.items.iter().zip(ids).map(|(row, id)| (row.value.external_id.as_deref().unwrap_or(&row.value.number), id)).collect()
    }

    /// The world's own names of its payments, with the payments as they came, in the order of their ids.
    pub(super) fn payments(&self) -> impl Iterator<Item = (&str, &Payment)> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Payment { name, new, .. } => Some((name.as_str(), &new.payment)),
            What::Advice(_) | What::Return { .. } => None,
        })
    }

    /// How a payment was decided, as `tieout explain` would tell it; nothing decided where there is no such payment.
    pub(super) fn tell(&self, name: &str, decision: impl FnOnce(PaymentId) -> Option<Decision>) -> String {
        let payment = self.payments().find(|(known, _)| *known == name).map(|(_, payment)| payment);
        let Some((payment, decision)) = payment.and_then(|payment| Some((payment, decision(payment.id)?))) else {
            return format!("{name}: there is no such payment in this world\n");
        };
        let names = Shown {
            currency: payment.currency,
            item: &|id| self.item_name(id).map(str::to_owned),
            customer: &|id| self.customers.iter().find(|customer| customer.id == id).map(|customer| customer.code.clone()),
        };
        format!("{name}\n{}", matching::explain::render(&decision, &names))
    }

    fn known_customers(&self, vault: &Vault) -> anyhow::Result<Vec<Customer>> {
        let customer = |row: &CustomerRow| {
            let id = |code: &String| self.names.customers.get(code).copied();
            let sellers = row.seller_codes.iter().filter_map(|code| self.names.sellers.get(code).copied()).collect();
            let own = id(&row.code).with_context(|| format!("customer {} has no number", row.code))?;
            Ok(new_customer(row, vault)?.known(own, row.parent_code.as_ref().and_then(id), sellers))
        };
        self.customer_rows.iter().map(customer).collect()
    }
}

impl<'a> Day<'a> {
    /// The items entered, with the numbers that the store gives them.
    pub fn entered(self) -> impl Iterator<Item = OpenItem> + use<'a> {
        let ids = (self.first_item + 1..).map(|number| OpenItemId(i64::try_from(number).unwrap_or(i64::MAX)));
        self.items.iter().zip(ids).filter_map(move |(row, id)| Some(self.world.names.item(row).ok()?.entered(id)))
    }

    /// The files that came, in order of arrival.
    pub fn files(self) -> impl Iterator<Item = &'a [Event]> {
        self.events.chunk_by(|one, next| one.file == next.file)
    }

    /// Payments that came on the day.
    pub fn payments(self) -> impl Iterator<Item = (&'a str, PaymentId)> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Payment { name, new, .. } => Some((name.as_str(), new.payment.id)),
            What::Advice(_) | What::Return { .. } => None,
        })
    }
}

/// Numbers as the store gives them: in the order of the codes.
fn names(customers: &BTreeMap<String, CustomerRow>) -> Names {
    let sellers: BTreeSet<&String> = customers.values().flat_map(|row| &row.seller_codes).collect();
    Names {
        customers: customers.keys().cloned().zip((1..).map(CustomerId)).collect(),
        sellers: sellers.into_iter().cloned().zip((1..).map(SellerId)).collect(),
    }
}

fn rows<T: Importable>(folder: &Path, name: &str) -> anyhow::Result<Vec<Row<T>>> {
    let (imported, _) = import::read_file::<T>(&folder.join(name), &Mapping::default(), &mut |_| {})?;
    if let Some(wrong) = imported.wrong.first() {
        anyhow::bail!("{wrong}");
    }
    Ok(imported.rows)
}

fn events(text: &str, reading: &mut Reading<'_>, path: &Path) -> anyhow::Result<Vec<Event>> {
    let mut events = Vec::new();
    let mut end = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let start = end;
        end += line.len();
        if !line.trim().is_empty() {
            let event = reading.event(line, start..end).with_context(|| format!("{}:{}", path.display(), index + 1))?;
            events.push(event);
        }
    }
    Ok(events)
}
