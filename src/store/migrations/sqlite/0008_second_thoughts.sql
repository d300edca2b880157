-- The ERP may number an invoice anew and keep its id: then it is the same receivable. A person may take an advice off a payment, and nobody
-- ties the two again.
alter table open_item add column external_id text;
create index open_item_external on open_item (seller_id, external_id) where external_id is not null;

create table advice_apart (
    remittance_id bigint not null references remittance (id),
    payment_id bigint not null references payment (id),
    decided_by text not null,
    decided_at text not null,
    primary key (remittance_id, payment_id)
);

-- What was done about one payment is told with its decision.
create index audit_subject on audit (subject);
