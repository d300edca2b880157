-- A download of a bank without the account: its rows are compared with those of other downloads by day, amount and text.
create index payment_without_account on payment (value_date, amount_minor) where own_key is null and report = 'final';
