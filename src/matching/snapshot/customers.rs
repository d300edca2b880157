//! Customers with everything a payer may be recognised by.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use chrono::NaiveDate;

use super::index::Hashed;
use crate::domain::{AccountKey, Customer, CustomerId, Relation};
use crate::normalise::{self, Name};
use crate::rules::RelationKind;

/// Customers by internal number, with the indexes that identify a payer.
#[derive(Clone, Debug, Default)]
pub(in crate::matching) struct Customers {
    by_id: HashMap<CustomerId, u32, BuildHasherDefault<Hashed>>,
    entries: Vec<Entry>,
    accounts: HashMap<AccountKey, Vec<u32>>,
    originators: HashMap<String, Vec<u32>>,
    codes: HashMap<String, Vec<u32>>,
    stems: HashMap<String, Vec<u32>>,
    /// Ordered, so that a name cut by a bank finds every name that begins with it.
    compacts: BTreeMap<String, Vec<u32>>,
    words: HashMap<String, Vec<u32>>,
    relations: HashMap<CustomerId, Vec<Relation>>,
    children: HashMap<CustomerId, Vec<u32>>,
}

#[derive(Clone, Debug)]
struct Entry {
    id: CustomerId,
    code: String,
    parent: Option<CustomerId>,
    originator: Option<String>,
    accounts: Vec<AccountKey>,
    names: Vec<Name>,
}

impl Customers {
    /// Longest chain of parents followed; a longer one is a mistake in the data.
    const PARENTS_MAX: usize = 16;

    /// The internal number of a customer; one that was never described gets an empty entry.
    pub(in crate::matching) fn number(&mut self, id: CustomerId) -> u32 {
        *self.by_id.entry(id).or_insert_with(|| {
            self.entries.push(Entry {
                id,
                code: String::new(),
                parent: None,
                originator: None,
                accounts: Vec::new(),
                names: Vec::new(),
            });
            u32::try_from(self.entries.len() - 1).expect("fewer than four billion customers fit in memory")
        })
    }

    pub(in crate::matching) fn upsert(&mut self, customer: &Customer) {
        let number = self.number(customer.id);
        self.unfile(number);
        let names =
            std::iter::once(&customer.name).chain(&customer.aliases).map(|name| Name::new(name)).filter(|name| !name.is_empty());
        self.entries[number as usize] = Entry {
            id: customer.id,
            code: customer.code.clone(),
            parent: customer.parent,
            originator: customer.originator_id.as_deref().map(normalise::fold).filter(|id| !id.is_empty()),
            accounts: customer.accounts.clone(),
            names: names.collect(),
        };
        self.file(number);
    }

    pub(in crate::matching) fn relate(&mut self, relation: &Relation) {
        let of_payer = self.relations.entry(relation.payer).or_default();
        let same = |known: &&mut Relation| {
            (known.pays_for, &known.kind, known.from) == (relation.pays_for, &relation.kind, relation.from)
        };
        match of_payer.iter_mut().find(same) {
            // Its last day may have been agreed since.
            Some(known) => known.until = relation.until,
            None => of_payer.push(relation.clone()),
        }
    }

    pub(in crate::matching) fn id(&self, number: u32) -> CustomerId {
        self.entries[number as usize].id
    }

    pub(in crate::matching) fn code(&self, number: u32) -> &str {
        &self.entries[number as usize].code
    }

    pub(in crate::matching) fn names(&self, number: u32) -> &[Name] {
        &self.entries[number as usize].names
    }

    pub(in crate::matching) fn find(&self, id: CustomerId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    pub(in crate::matching) fn with_account(&self, account: &AccountKey) -> &[u32] {
        self.accounts.get(account).map_or(&[], Vec::as_slice)
    }

    pub(in crate::matching) fn with_originator(&self, folded: &str) -> &[u32] {
        self.originators.get(folded).map_or(&[], Vec::as_slice)
    }

    pub(in crate::matching) fn with_code(&self, folded: &str) -> &[u32] {
        self.codes.get(folded).map_or(&[], Vec::as_slice)
    }

    pub(in crate::matching) fn with_stem(&self, stem: &str) -> &[u32] {
        self.stems.get(stem).map_or(&[], Vec::as_slice)
    }

    /// Customers one of whose names begins with the text, at most `most` of them.
    pub(in crate::matching) fn beginning_with(&self, compact: &str, most: usize) -> Vec<u32> {
        let mut found: Vec<u32> = self
            .compacts
            .range(compact.to_owned()..)
            .take_while(|(name, _)| name.starts_with(compact))
            .flat_map(|(_, numbers)| numbers.iter().copied())
            .take(most)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Customers that share the rarest known word with the name, at most `most` of them.
    pub(in crate::matching) fn sharing_a_word(&self, name: &Name, most: usize) -> Vec<u32> {
        let mut lists: Vec<_> = name.words().filter_map(|word| self.words.get(word)).filter(|list| list.len() <= most).collect();
        lists.sort_by_key(|list| list.len());
        let mut found: Vec<u32> = lists.into_iter().take(3).flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Customers whose parent this one is.
    pub(in crate::matching) fn children(&self, number: u32) -> &[u32] {
        self.children.get(&self.id(number)).map_or(&[], Vec::as_slice)
    }

    /// The head of the family a customer belongs to: itself when it has no parent.
    pub(in crate::matching) fn root(&self, number: u32) -> CustomerId {
        let mut id = self.id(number);
        for _ in 0..Self::PARENTS_MAX {
            match self.find(id).and_then(|at| self.entries[at as usize].parent) {
                Some(parent) if parent != id => id = parent,
                _ => break,
            }
        }
        id
    }

    /// How two customers are kin, seen from the payer: the nearest kind by their parents.
    pub(in crate::matching) fn kinship(&self, payer: u32, owner: u32) -> Option<RelationKind> {
        let parent = |number: u32| self.entries[number as usize].parent;
        if parent(owner) == Some(self.id(payer)) {
            Some(RelationKind::Parent)
        } else if parent(payer) == Some(self.id(owner)) {
            Some(RelationKind::Child)
        } else if self.root(payer) != self.root(owner) {
            None
        } else if self.id(payer) == self.root(owner) {
            Some(RelationKind::Parent)
        } else if self.id(owner) == self.root(payer) {
            Some(RelationKind::Child)
        } else {
            Some(RelationKind::Sibling)
        }
    }

    /// The relation that lets `payer` pay for `owner` on `day`.
    pub(in crate::matching) fn relation(&self, payer: u32, owner: u32, day: NaiveDate) -> Option<&Relation> {
        let pays_for = self.id(owner);
        self.relations
            .get(&self.id(payer))?
            .iter()
            .filter(|relation| {
                relation.pays_for == pays_for && relation.from <= day && relation.until.is_none_or(|until| day <= until)
            })
            .min_by(|a, b| (a.from, &a.kind).cmp(&(b.from, &b.kind)))
    }

    fn file(&mut self, number: u32) {
        let entry = self.entries[number as usize].clone();
        for account in &entry.accounts {
            add(self.accounts.entry(account.clone()).or_default(), number);
        }
        if let Some(parent) = entry.parent {
            add(self.children.entry(parent).or_default(), number);
        }
        if let Some(id) = entry.originator {
            add(self.originators.entry(id).or_default(), number);
        }
        let code = normalise::fold(&entry.code);
        if !code.is_empty() {
            add(self.codes.entry(code).or_default(), number);
        }
        for name in &entry.names {
            add(self.stems.entry(name.stem.clone()).or_default(), number);
            add(self.compacts.entry(name.compact.clone()).or_default(), number);
            for word in name.words().filter(|word| word.len() >= 3) {
                add(self.words.entry(word.to_owned()).or_default(), number);
            }
        }
    }

    fn unfile(&mut self, number: u32) {
        let entry = self.entries[number as usize].clone();
        for account in &entry.accounts {
            take(self.accounts.get_mut(account), number);
        }
        if let Some(id) = &entry.originator {
            take(self.originators.get_mut(id), number);
        }
        if let Some(parent) = entry.parent {
            take(self.children.get_mut(&parent), number);
        }
        take(self.codes.get_mut(&normalise::fold(&entry.code)), number);
        for name in &entry.names {
            take(self.stems.get_mut(&name.stem), number);
            take(self.compacts.get_mut(&name.compact), number);
            for word in name.words() {
                take(self.words.get_mut(word), number);
            }
        }
    }
}

fn add(list: &mut Vec<u32>, number: u32) {
    if let Err(place) = list.binary_search(&number) {
        list.insert(place, number);
    }
}

fn take(list: Option<&mut Vec<u32>>, number: u32) {
    if let Some(list) = list {
        list.retain(|other| *other != number);
    }
}
