-- The whole store of tieout, first version.
--
-- Both databases get the same tables; what must differ (ids, change marks, guards) stands at the end of the file.
-- Only bigint and text are used: money is minor units, a date is ISO text, a timestamp is ISO-8601 text with Z,
-- structured values are JSON text, a truth value is 0 or 1. So one SQL text and one driver serve both databases.

-- Legal entities or factoring clients whose receivables these are.
create table seller (
    id bigint primary key,
    code text not null unique,
    name text not null
);

-- Our own accounts: the account a payment arrives on tells whose receivable it settles.
-- The number itself is kept as keyed hash (to find it) and as ciphertext (to show it to who may see it).
create table bank_account (
    id bigint primary key,
    seller_id bigint not null references seller (id),
    kind text not null,
    bank text,
    account_key text not null,
    account_cipher text,
    last4 text not null,
    currency text not null,
    layout text not null,
    unique (account_key, kind, currency)
);

create table customer (
    id bigint primary key,
    code text not null unique,
    name text not null,
    parent_id bigint references customer (id),
    country text not null,
    currency text not null,
    terms text not null,
    originator_id text,
    portfolio_owner text,
    changed bigint not null
);
-- Snapshots ask only for what changed since they last looked.
create index customer_changed on customer (changed);

create table customer_alias (
    customer_id bigint not null references customer (id),
    alias text not null,
    source text not null,
    primary key (customer_id, alias)
);

create table customer_account (
    customer_id bigint not null references customer (id),
    account_key text not null,
    account_cipher text,
    last4 text not null,
    source text not null,
    primary key (customer_id, account_key)
);
create index customer_account_key on customer_account (account_key);

create table customer_seller (
    customer_id bigint not null references customer (id),
    seller_id bigint not null references seller (id),
    primary key (customer_id, seller_id)
);

-- Dated, because a factor or parent may pay for somebody only while the agreement lasts.
create table customer_relation (
    payer_id bigint not null references customer (id),
    pays_for_id bigint not null references customer (id),
    kind text not null check (kind in ('parent', 'factor', 'third_party')),
    valid_from text not null,
    valid_until text,
    primary key (payer_id, pays_for_id, kind, valid_from)
);

-- How many USD one unit of the currency is worth, as decimal text.
create table rate (
    currency text not null,
    valid_from text not null,
    usd_rate text not null,
    primary key (currency, valid_from)
);

-- One row per content. The counts are what the reader counted while it read; `check` compares them with the rows.
create table file (
    id bigint primary key,
    sha256 text not null unique,
    name text not null,
    size_bytes bigint not null check (size_bytes >= 0),
    format text,
    format_forced text,
    state text not null check (state in ('received', 'recorded', 'held', 'rejected', 'unsupported')),
    verdict text,
    sender text,
    receiver text,
    business_day text not null,
    received_at text not null,
    recorded_at text,
    decided_by text,
    decided_at text,
    payments bigint not null default 0,
    returns bigint not null default 0,
    remittances bigint not null default 0,
    remittance_lines bigint not null default 0,
    invoices bigint not null default 0,
    invoices_taken bigint not null default 0,
    invoices_refused bigint not null default 0,
    set_aside bigint not null default 0,
    findings bigint not null default 0,
    version bigint not null default 1
);
create index file_day on file (business_day);

-- Totals of a file as its reader added them up, per kind of record and currency.
create table file_total (
    file_id bigint not null references file (id),
    kind text not null check (kind in ('payment', 'return', 'invoice', 'debit')),
    currency text not null,
    records bigint not null,
    amount_minor bigint not null,
    primary key (file_id, kind, currency)
);

-- The same bytes may come many times and by many doors; each time is an arrival of the one file.
create table arrival (
    id bigint primary key,
    file_id bigint not null references file (id),
    name text not null,
    door text not null,
    business_day text not null,
    at text not null,
    -- Names the single event of arriving, so that a repeat after a crash is not counted twice.
    key text not null unique
);
create index arrival_file on arrival (file_id);

-- The guard against a control number that is used again for other content.
create table interchange (
    id bigint primary key,
    file_id bigint not null references file (id),
    sender text not null,
    receiver text not null,
    control_number text not null,
    version text,
    unique (sender, receiver, control_number)
);
create index interchange_file on interchange (file_id);

create table control (
    file_id bigint not null references file (id),
    seq bigint not null,
    name text not null,
    level text not null,
    claimed text not null,
    computed text not null,
    ok bigint not null check (ok in (0, 1)),
    byte bigint not null,
    line bigint,
    segment bigint,
    tag text,
    element bigint,
    primary key (file_id, seq)
);

create table finding (
    file_id bigint not null references file (id),
    seq bigint not null,
    code text not null,
    severity text not null,
    effect text not null,
    message text not null,
    expected text not null,
    found text not null,
    byte bigint not null,
    line bigint,
    segment bigint,
    tag text,
    element bigint,
    repeat_no bigint,
    component bigint,
    primary key (file_id, seq)
);

-- Money received. `unapplied_minor` is a running amount: what is neither applied, on account, refunded nor returned.
create table payment (
    id bigint primary key,
    file_id bigint not null references file (id),
    seq bigint not null,
    -- Counted from 1 among the payments and returns of the file.
    position bigint not null,
    seller_id bigint references seller (id),
    method text not null,
    currency text not null,
    amount_minor bigint not null check (amount_minor >= 0),
    unapplied_minor bigint not null,
    value_date text not null,
    business_day text not null,
    payer_name text,
    payer_id text,
    payer_bank text,
    payer_account_key text,
    payer_account_cipher text,
    payer_account_last4 text,
    customer_id bigint references customer (id),
    trace text,
    text text,
    remittance_id bigint,
    state text not null check (state in ('held', 'received', 'posted', 'exception', 'returned', 'void')),
    -- Another record of the same money, which counts in its place.
    duplicate_of bigint references payment (id),
    -- How many times a person acted on it; zero means that no person was needed.
    touches bigint not null default 0,
    byte bigint not null,
    line bigint,
    segment bigint,
    tag text,
    received_at text not null,
    posted_at text,
    version bigint not null default 1,
    changed bigint not null,
    unique (file_id, seq),
    -- No cent is applied twice: the last line of defence behind the guarded updates.
    constraint payment_unapplied check (unapplied_minor >= 0 and unapplied_minor <= amount_minor)
);
create index payment_trace on payment (trace);
create index payment_changed on payment (changed);
create index payment_customer on payment (customer_id);
create index payment_duplicate on payment (duplicate_of);

create table bank_return (
    id bigint primary key,
    file_id bigint not null references file (id),
    seq bigint not null,
    position bigint not null,
    currency text not null,
    amount_minor bigint not null check (amount_minor >= 0),
    code text not null,
    original_trace text,
    -- The number of the return itself, where the bank gives it one.
    trace text,
    payer_name text,
    -- The payment taken back, once it is found.
    payment_id bigint references payment (id),
    state text not null check (state in ('held', 'received', 'posted', 'exception', 'void')),
    byte bigint not null,
    line bigint,
    segment bigint,
    unique (file_id, seq)
);
create index bank_return_payment on bank_return (payment_id);

create table remittance (
    id bigint primary key,
    file_id bigint not null references file (id),
    seq bigint not null,
    seller_id bigint references seller (id),
    currency text not null,
    total_minor bigint,
    advice_date text,
    payer_name text,
    payer_id text,
    payer_account_key text,
    payer_account_last4 text,
    customer_id bigint references customer (id),
    trace text,
    text text,
    lines text not null,
    line_count bigint not null,
    balanced bigint check (balanced in (0, 1)),
    payment_id bigint references payment (id),
    state text not null check (state in ('held', 'waiting', 'linked', 'void')),
    byte bigint not null,
    line bigint,
    segment bigint,
    tag text,
    changed bigint not null,
    unique (file_id, seq)
);
create index remittance_payment on remittance (payment_id);
create index remittance_trace on remittance (trace);
create index remittance_changed on remittance (changed);

-- What customers owe. `settled_elsewhere_minor` is what was closed outside of this ledger (paid before the start,
-- or cancelled), so that open = amount - settled elsewhere - applications holds for every row.
create table open_item (
    id bigint primary key,
    seller_id bigint not null references seller (id),
    customer_id bigint not null references customer (id),
    number text not null,
    kind text not null check (kind in ('invoice', 'credit_memo', 'debit_memo')),
    currency text not null,
    amount_minor bigint not null,
    open_minor bigint not null,
    settled_elsewhere_minor bigint not null default 0,
    discount_exempt_minor bigint not null default 0,
    issue_date text not null,
    entered_date text not null,
    due_date text not null,
    terms text not null,
    po text,
    bol text,
    pro text,
    status text not null check (status in ('open', 'closed', 'cancelled')),
    closed_date text,
    source text not null,
    file_id bigint references file (id),
    version bigint not null default 1,
    changed bigint not null,
    unique (seller_id, number),
    -- Never closed beyond its amount, never beyond zero; a credit memo has both with a minus.
    constraint open_item_open check (
        (amount_minor >= 0 and open_minor >= 0 and open_minor <= amount_minor)
        or (amount_minor < 0 and open_minor <= 0 and open_minor >= amount_minor)
    ),
    constraint open_item_status check ((status = 'open') = (open_minor <> 0))
);
create index open_item_changed on open_item (changed);
create index open_item_customer on open_item (customer_id);

-- What the engine decided and all it stood on. The key is payment and version, so a repeat stores nothing new.
create table decision (
    id bigint primary key,
    key text not null unique,
    payment_id bigint not null references payment (id),
    at text not null,
    business_day text not null,
    rule_set text not null,
    rule text not null,
    outcome text not null,
    proposals text not null,
    evidence text not null
);
create index decision_payment on decision (payment_id);

-- One change of the books, balanced per currency. The key makes a repeat harmless.
create table journal_entry (
    id bigint primary key,
    key text not null unique,
    kind text not null,
    at text not null,
    business_day text not null,
    actor text not null,
    file_id bigint references file (id),
    payment_id bigint references payment (id)
);
create index journal_entry_payment on journal_entry (payment_id);

-- Debits are positive, credits negative.
create table journal_line (
    entry_id bigint not null references journal_entry (id),
    line bigint not null,
    account text not null,
    seller_id bigint references seller (id),
    currency text not null,
    amount_minor bigint not null check (amount_minor <> 0),
    primary key (entry_id, line)
);

-- Money moved from a payment. Insert-only: an application is undone by its mirror image, at most once.
create table application (
    id bigint primary key,
    payment_id bigint not null references payment (id),
    kind text not null check (kind in ('item', 'on_account', 'refund', 'return')),
    open_item_id bigint references open_item (id),
    customer_id bigint references customer (id),
    -- Cash in the payment's currency.
    cash_minor bigint not null,
    -- The rest is in the currency of the item.
    applied_minor bigint not null,
    discount_minor bigint not null,
    deduction_minor bigint not null,
    write_off_minor bigint not null,
    closes_minor bigint not null,
    reason text not null,
    remittance_line bigint,
    decision_id bigint references decision (id),
    entry_id bigint not null references journal_entry (id),
    actor text not null,
    at text not null,
    business_day text not null,
    note text,
    reverses bigint unique references application (id),
    constraint application_closes check (closes_minor = applied_minor + discount_minor + deduction_minor + write_off_minor),
    constraint application_item check ((kind = 'item') = (open_item_id is not null))
);
create index application_payment on application (payment_id);
create index application_item_id on application (open_item_id);

create table deduction (
    id bigint primary key,
    application_id bigint not null references application (id),
    payment_id bigint not null references payment (id),
    open_item_id bigint not null references open_item (id),
    customer_id bigint references customer (id),
    currency text not null,
    amount_minor bigint not null,
    reason_code text not null,
    queue text not null,
    gl text not null,
    state text not null check (state in ('open', 'reversed')),
    at text not null
);
create index deduction_application on deduction (application_id);

-- Work for a person. The key names the matter, so that the same matter is one row however often it is found.
create table exception (
    id bigint primary key,
    key text not null unique,
    level text not null check (level in ('file', 'record', 'payment', 'remittance', 'open_item')),
    reason text not null,
    queue text not null,
    owner text,
    route text not null,
    state text not null check (state in ('open', 'resolved')),
    due_at text,
    opened_at text not null,
    file_id bigint references file (id),
    payment_id bigint references payment (id),
    remittance_id bigint references remittance (id),
    open_item_id bigint references open_item (id),
    seller_id bigint references seller (id),
    customer_id bigint references customer (id),
    amount_minor bigint,
    currency text,
    byte bigint,
    line bigint,
    message text not null,
    details text not null,
    resolution text,
    resolution_key text unique,
    resolved_by text,
    resolved_at text,
    -- Who touched it last and when: the loser of a race is told.
    changed_by text not null,
    changed_at text not null,
    version bigint not null default 1
);
create index exception_queue on exception (state, queue);
create index exception_payment on exception (payment_id);
create index exception_file on exception (file_id);

create table exception_note (
    id bigint primary key,
    exception_id bigint not null references exception (id),
    at text not null,
    actor text not null,
    text text not null
);
create index exception_note_exception on exception_note (exception_id);

-- What people asked for, by the key of the request: the same request again shows the first answer.
create table request (
    key text primary key,
    at text not null,
    actor text not null,
    exception_id bigint not null references exception (id),
    -- SHA-256 of the action, so that a key is never taken for another request.
    action_hash text not null,
    -- Nothing moved; somebody who may was asked.
    recommended bigint not null check (recommended in (0, 1)),
    answer text not null
);

-- Work for a machine. Claimed and completed in the transaction of its effect; parked where people can see it.
create table job (
    id bigint primary key,
    key text not null unique,
    kind text not null,
    payload text not null,
    state text not null check (state in ('ready', 'done', 'parked')),
    tries bigint not null default 0,
    not_before text not null,
    error text,
    created_at text not null,
    finished_at text
);
create index job_ready on job (kind, not_before, id) where state = 'ready';
create index job_parked on job (id) where state = 'parked';

-- Messages to the world, stored with the change they tell of and sent afterwards.
create table outbox (
    id bigint primary key,
    key text not null unique,
    topic text not null,
    payload text not null,
    created_at text not null,
    published_at text
);
create index outbox_waiting on outbox (id) where published_at is null;

-- Who did what. `seq` and the hashes are set when the row is sealed into the chain.
create table audit (
    id bigint primary key,
    at text not null,
    actor text not null,
    action text not null,
    subject text not null,
    detail text not null,
    seq bigint unique,
    version bigint,
    prev text,
    hash text,
    constraint audit_sealed check ((seq is null) = (hash is null) and (seq is null) = (prev is null) and (seq is null) = (version is null))
);
create index audit_unsealed on audit (id) where seq is null;

-- Facts about the database itself, such as which key its account numbers are sealed with.
create table setting (
    name text primary key,
    value text not null
);

-- What must differ: sequences hand out ids without making writers wait for each other. The change mark is the
-- transaction id, so it needs no counter.
create sequence seller_id;
create sequence bank_account_id;
create sequence customer_id;
create sequence file_id;
create sequence arrival_id;
create sequence interchange_id;
create sequence payment_id;
create sequence bank_return_id;
create sequence remittance_id;
create sequence open_item_id;
create sequence decision_id;
create sequence journal_entry_id;
create sequence application_id;
create sequence deduction_id;
create sequence exception_id;
create sequence exception_note_id;
create sequence job_id;
create sequence outbox_id;
create sequence audit_id;
create sequence acknowledgment_id;

-- Facts are never changed or taken away, not even by a repair script: they are undone by their mirror image.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is insert-only: undo it by a reversal', tg_table_name;
end
$$;
create trigger application_insert_only before update or delete on application for each row execute function refuse_change();
create trigger journal_entry_insert_only before update or delete on journal_entry for each row execute function refuse_change();
create trigger journal_line_insert_only before update or delete on journal_line for each row execute function refuse_change();
create trigger audit_no_update before update on audit for each row when (old.hash is not null) execute function refuse_change();
create trigger audit_no_delete before delete on audit for each row execute function refuse_change();
