-- Where rows are copied to as they come; controlplane/tee.h.
create table tee (
    id         text primary key,
    name       text not null unique collate nocase,
    sink       text not null,
    status     text not null,
    options    text not null,    -- JSON: what is no secret
    url        blob not null,    -- sealed: it may be a credential itself
    shown      text not null,    -- of the address
    headers    blob not null,    -- sealed: a JSON object
    secret     blob not null,    -- sealed: signs what a webhook gets
    last4      text not null,
    created_ms integer not null,
    updated_ms integer not null,
    rev        integer not null,
    done       integer not null, -- the last row it was given, or that was left
    sent       integer not null default 0,
    lost       integer not null default 0,
    last_ms    integer,          -- of the last attempt
    last_status integer,
    last_error text
) strict, without rowid;
