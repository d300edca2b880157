-- Under which ids the invoices of a seller come by EDI, beside its code and its name: its own, or those of whoever sends for it. What
-- anybody else sends is no receivable of ours until a person says so.
create table seller_edi_id (
    seller_id bigint not null references seller (id),
    edi_id text not null,
    primary key (seller_id, edi_id)
);
