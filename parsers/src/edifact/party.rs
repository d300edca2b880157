//! Parties (NAD) and their banks (FII): the best role names each side.

use crate::{Account, Location, Party, Text};

use super::segment::Segment;

/// Roles (3035), the best first.
pub(super) type Roles = &'static [&'static str];

/// One side of a payment or invoice, as it is gathered.
#[derive(Debug)]
pub(super) struct Side<'w> {
    roles: Roles,
    bank_roles: Roles,
    named: Option<(usize, Text<'w>, Location)>,
    party: Party<'w>,
    bank_rank: Option<usize>,
    bank: Option<Text<'w>>,
    account: Option<Account<'w>>,
}

impl<'w> Side<'w> {
    pub fn new(roles: Roles, bank_roles: Roles) -> Self {
        Self { roles, bank_roles, named: None, party: Party::default(), bank_rank: None, bank: None, account: None }
    }

    /// NAD: a party counts when its role is better than that of the party before.
    pub fn take_party(&mut self, nad: &Segment<'w>) {
        let role = nad.code(1, 1);
        let Some(rank) = self.roles.iter().position(|listed| *listed == role) else { return };
        if self.named.as_ref().is_some_and(|(held, _, _)| *held <= rank) {
            return;
        }
        // C080 Party name, else C058 Name and address as free lines, of which the first is the name.
        let name = nad.joined(4, 1, 5).or_else(|| nad.text(3, 1));
        self.party = Party { name, id: nad.text(2, 1), bank: None, account: None };
        self.named = Some((rank, role, nad.location()));
    }

    /// FII: account (C078) and institution (C088).
    pub fn take_bank(&mut self, fii: &Segment<'w>) {
        let role = fii.code(1, 1);
        let Some(rank) = self.bank_roles.iter().position(|listed| *listed == role) else { return };
        if self.bank_rank.is_some_and(|held| held <= rank) {
            return;
        }
        self.bank_rank = Some(rank);
        self.account = fii.element(2).account(1);
        self.bank = fii.text(3, 1).or_else(|| fii.text(3, 4));
        if self.party.name.is_none() {
            self.party.name = fii.joined(2, 2, 3);
        }
    }

    /// The role that names the side, and where it stands.
    pub fn role(&self) -> Option<(&str, Location)> {
        self.named.as_ref().map(|(_, role, location)| (&**role, *location))
    }

    /// The party with its bank.
    pub fn finish(self) -> Party<'w> {
        Party { bank: self.bank, account: self.account, ..self.party }
    }
}
