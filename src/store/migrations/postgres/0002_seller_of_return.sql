-- Whose account a return leaves: one trace may have been used by the banks of several sellers.
alter table bank_return add column seller_id bigint references seller (id);
