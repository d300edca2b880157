-- The life of a rule: what a decision stood on, which rules ran, what history says about a change, and who let it run.

-- How much of the store the decision knew, and what the payment itself said then, as JSON: history is replayed on it.
alter table decision add column inputs text;
-- The rule in stage shadow that would have decided otherwise; people who clear exceptions do not see it.
alter table decision add column shadow text;
create index decision_rule on decision (rule);
create index application_decision on application (decision_id);
-- What the engine gave away, for the circuit breakers: few rows, found by day.
create index application_granted on application (business_day)
    where actor = 'engine' and (discount_minor <> 0 or deduction_minor <> 0 or write_off_minor <> 0);

-- What a row said before it was changed, so that the past can be seen as it was. Open amounts are not kept here: the applications tell them.
create table past (
    id bigint primary key,
    kind text not null check (kind in ('open_item', 'customer', 'payment')),
    subject_id bigint not null,
    content text not null,
    at text not null
);

-- Every set of rules that ran, as it was written, by its content hash.
create table rule_set (
    hash text primary key,
    files text not null,
    first_seen_at text not null
);

-- The rules of a set, each with the hash of its own text.
create table rule_in_set (
    rule_set text not null references rule_set (hash),
    rule text not null,
    hash text not null,
    primary key (rule_set, rule)
);

-- What a set would have done with the payments that came before.
create table backtest (
    id bigint primary key,
    rule_set text not null references rule_set (hash),
    at text not null,
    actor text not null,
    -- Empty for a backtest over all history; only such a one lets a set run.
    first_day text,
    last_day text,
    decisions bigint not null,
    -- The newest decision that it replayed.
    newest_decision bigint not null,
    passed bigint not null check (passed in (0, 1)),
    report text not null
);
create index backtest_set on backtest (rule_set);

-- Which set runs: the newest row. The first set a ledger sees needs nobody; every later one a passing backtest and two people.
create table activation (
    id bigint primary key,
    rule_set text not null references rule_set (hash),
    at text not null,
    business_day text not null,
    actor text not null,
    approved_by text,
    backtest_id bigint references backtest (id)
);

-- A rule that was reversed more often than it may be: as it is written, it only suggests from then on.
create table demotion (
    rule text not null,
    hash text not null,
    at text not null,
    business_day text not null,
    posts bigint not null,
    reversals bigint not null,
    primary key (rule, hash)
);

insert into counter (name, next) values ('past', 1), ('backtest', 1), ('activation', 1);

create trigger activation_no_update before update on activation
begin
    select raise(abort, 'activation is insert-only: activate another set');
end;
create trigger activation_no_delete before delete on activation
begin
    select raise(abort, 'activation is insert-only: activate another set');
end;
