-- What people have to know of, and whom it is sent to; controlplane/alert.h,
-- controlplane/webhook.h.
create table alert (
    id         integer primary key autoincrement,
    kind       text not null,
    severity   text not null,
    about      text not null,
    subject    text not null,
    name       text not null,
    message    text not null,
    opened_ms  integer not null,
    updated_ms integer not null,
    closed_ms  integer,          -- NULL: open
    acked_ms   integer,
    acked_by   text,
    flapping   integer not null
) strict;
create index alert_open on alert (id) where closed_ms is null;

create table webhook (
    id         text primary key,
    name       text not null unique collate nocase,
    url        blob not null,    -- sealed: it may be a credential itself
    host       text not null,    -- what is shown of it
    secret     blob not null,    -- sealed
    last4      text not null,
    kinds      text not null,
    severity   text not null,    -- the least
    status     text not null,
    created_ms integer not null,
    updated_ms integer not null,
    rev        integer not null,
    last_ms    integer,          -- of the last attempt
    last_status integer,
    last_error text
) strict, without rowid;

-- Not delivered yet, or given up.
create table delivery (
    id         integer primary key autoincrement,
    webhook_id text not null references webhook (id) on delete cascade,
    event      text not null,
    body       text not null,
    created_ms integer not null,
    next_ms    integer not null,
    attempts   integer not null,
    failed_ms  integer
) strict;
create index delivery_next on delivery (next_ms) where failed_ms is null;
create index delivery_webhook on delivery (webhook_id);
