-- How rarely automatic postings are wrong: labels from people, and the certificates that follow from them.

-- What a decision is counted with: its bundle is `rule`.
alter table decision add column confidence bigint;
alter table decision add column amount_class text;
-- The amount as a share of the cap of its currency, in parts per million.
alter table decision add column amount_share bigint;
-- The certificate in force when it posted.
alter table decision add column certificate_id bigint;

-- Postings drawn at random for people to look at.
create table audit_draw (
    decision_id bigint primary key references decision (id),
    payment_id bigint not null references payment (id),
    at text not null,
    business_day text not null
);
create index audit_draw_day on audit_draw (business_day);

-- What people said about decisions, in the order in which they said it. Insert-only: what is in force follows from these rows alone.
create table label (
    id bigint primary key,
    decision_id bigint not null references decision (id),
    source text not null check (source in ('audit', 'reversal', 'queue')),
    wrong bigint not null check (wrong in (0, 1)),
    at text not null,
    business_day text not null,
    actor text not null,
    unique (decision_id, source)
);

create table certificate (
    id bigint primary key,
    at text not null,
    business_day text not null,
    actor text not null,
    rule_set text not null,
    -- The last label that it knows; later ones go to the alarm.
    labels_until bigint not null,
    body text not null
);

create sequence label_id;
create sequence certificate_id;

create trigger label_insert_only before update or delete on label for each row execute function refuse_change();
create trigger certificate_insert_only before update or delete on certificate for each row execute function refuse_change();
