-- The same money is seen in several files: one of its records counts, the others are further sources of it.

-- Our own accounts: banks write their own name in many ways, so an account is also found by its number alone; and the cheques of a
-- lockbox are paid into a deposit account, where the statement shows them as one sum.
alter table bank_account add column number_key text;
alter table bank_account add column deposit_key text;
alter table bank_account add column deposit_number_key text;

-- Our account that was credited, and in what kind of report the record stands.
alter table payment add column own_key text;
alter table payment add column own_last4 text;
alter table payment add column report text;
-- 1 for a record that is the sum of items which another file lists.
alter table payment add column is_sum bigint not null default 0;
-- What was booked together with an item, and how many items a sum says it has.
alter table payment add column item_group text;
alter table payment add column item_count bigint;
-- Folded numbers that name the money, as JSON.
alter table payment add column marks text;
-- The sum that an item is a part of.
alter table payment add column part_of bigint references payment (id);

-- Equal amounts on one account are what linking looks at; the rest of a busy account is not read.
create index payment_own on payment (own_key, amount_minor) where own_key is not null;
create index payment_group on payment (own_key, value_date) where item_group is not null;
create index payment_part on payment (part_of) where part_of is not null;
create index payment_sum on payment (business_day) where is_sum = 1;

-- Two records that may be the same money: nothing of the first moves until a person has said whether they are.
create table doubt (
    payment_id bigint not null references payment (id),
    other_id bigint not null references payment (id),
    why text not null,
    state text not null check (state in ('open', 'same', 'other')),
    decided_by text,
    decided_at text,
    primary key (payment_id, other_id)
);
create index doubt_state on doubt (state);
