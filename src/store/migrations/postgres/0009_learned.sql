-- What the ledger taught: which decisions stood on which learned fact, and which facts people revoked. A fact itself is never stored: it is
-- the count of payments that stand applied, so it follows from the applications.

-- Facts that the evidence of a decision names, so that a fact finds what it drove.
create table decision_fact (
    decision_id bigint not null references decision (id),
    fact text not null,
    version bigint not null,
    primary key (decision_id, fact)
);
create index decision_fact_fact on decision_fact (fact);

-- A person's word that a fact is not to be believed. Insert-only; what people apply after `until` may teach it again.
create table learned_revocation (
    id bigint primary key,
    fact text not null,
    -- The version that it ended.
    version bigint not null,
    kind text not null check (kind in ('account', 'id', 'name')),
    -- The keyed hash of the account, the folded id, the compact name.
    sign text not null,
    customer_id bigint not null references customer (id),
    for_good bigint not null check (for_good in (0, 1)),
    -- The newest application then.
    until bigint not null,
    at text not null,
    business_day text not null,
    actor text not null,
    role text not null,
    note text not null,
    unique (fact, version)
);

-- What the nearest rule lacked, as JSON, where a decision holds: the cause that reports count.
alter table decision add column lacked text;

create sequence learned_revocation_id;

create trigger learned_revocation_insert_only before update or delete on learned_revocation for each row execute function refuse_change();
