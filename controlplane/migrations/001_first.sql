-- Times are milliseconds since 1970, UTC.  Lists and maps are JSON texts.
-- A secret is sealed with the master key; see controlplane/vault.h.

create table meta (
    name  text primary key,
    value any
) strict, without rowid;

-- Only what differs from the defaults; see controlplane/settings.c.
create table setting (
    id    integer primary key check (id = 1),
    body  text not null,
    rev   integer not null,
    updated_ms integer not null
) strict;

create table channel (
    id         text primary key,
    name       text not null unique collate nocase,
    type       text not null,
    base_url   text not null,
    endpoints  text not null,
    models     text not null,
    priority   integer not null,
    weight     integer not null,
    status     text not null,
    tags       text not null,
    headers    text not null,
    timeouts   text not null,
    proxy_url  blob,             -- sealed: it may hold a password
    ca_file    text not null,
    created_ms integer not null,
    updated_ms integer not null,
    rev        integer not null
) strict, without rowid;

create table credential (
    id         text primary key,
    channel_id text not null references channel (id) on delete cascade,
    position   integer not null,
    kind       text not null,
    secret     blob not null,    -- sealed
    last4      text not null,
    status     text not null,
    created_ms integer not null
) strict, without rowid;
create index credential_channel on credential (channel_id, position);

create table tenant (
    id         text primary key,
    name       text not null unique collate nocase,
    status     text not null,
    models     text not null,
    channels   text not null,
    created_ms integer not null,
    updated_ms integer not null,
    rev        integer not null
) strict, without rowid;

create table client_key (
    id         text primary key,
    name       text not null,
    tenant_id  text not null references tenant (id),
    digest     blob not null unique,
    last4      text not null,
    status     text not null,
    expires_ms integer not null, -- 0: never
    may_force_channel integer not null,
    models     text not null,
    channels   text not null,
    created_ms integer not null,
    updated_ms integer not null,
    rev        integer not null
) strict, without rowid;
create index client_key_tenant on client_key (tenant_id, created_ms);
create index client_key_created on client_key (created_ms);

create table admin_token (
    id         text primary key,
    name       text not null,
    digest     blob not null unique,
    last4      text not null,
    created_ms integer not null
) strict, without rowid;

create table audit (
    id      integer primary key autoincrement,
    at_ms   integer not null,
    actor   text not null,
    action  text not null,
    kind    text not null,
    item_id text not null,
    name    text not null,
    detail  text not null
) strict;

-- Answers kept for who repeats a POST with the same Idempotency-Key.
create table idempotency (
    actor   text not null,
    key     text not null,
    request blob not null,       -- digest of method, path and body
    status  integer not null,
    answer  blob not null,       -- sealed: it may hold a new key
    at_ms   integer not null,
    primary key (actor, key)
) strict, without rowid;
create index idempotency_at on idempotency (at_ms);

-- One row per request that a data plane answered.  A count that is NULL is
-- unknown, which is not 0.
create table request (
    id          integer primary key,
    plane       text not null,
    boot        integer not null,
    seq         integer not null,
    request_id  text not null,
    started_ms  integer not null,
    tenant_id   text not null,
    key_id      text not null,
    dialect     text not null,
    operation   text not null,
    stream      integer not null,
    model_requested text not null,
    model       text not null,
    model_served text not null,
    channel_id  text not null,
    channel     text not null,
    rule        text not null,
    session     text not null,
    tag         text not null,
    user_agent  text not null,
    client_ip   text not null,
    status      integer not null,
    outcome     text not null,
    reason      text not null,
    finish      text not null,
    ttft_ms     integer,
    duration_ms integer not null,
    request_bytes  integer not null,
    response_bytes integer not null,
    in_uncached integer,
    cache_read  integer,
    cache_write_5m integer,
    cache_write_1h integer,
    cache_write_other integer,
    in_tool_use integer,
    out_total   integer,
    out_reasoning integer,
    in_audio    integer,
    in_image    integer,
    out_audio   integer,
    out_image   integer,
    web_searches integer,
    web_fetches integer,
    service_tier text not null,
    provenance  text not null,
    unique (plane, boot, seq)
) strict;
create index request_started on request (started_ms);
create index request_tenant on request (tenant_id, started_ms);
create index request_key on request (key_id, started_ms);
create index request_channel on request (channel_id, started_ms);
create index request_request_id on request (request_id);

create table attempt (
    request     integer not null references request (id) on delete cascade,
    position    integer not null,
    channel_id  text not null,
    channel     text not null,
    credential_id text not null,
    model       text not null,
    status      integer not null,
    code        text not null,
    reason      text not null,
    start_ms    integer not null,
    connect_ms  integer not null,
    first_byte_ms integer not null,
    total_ms    integer not null,
    reused      integer not null,
    bytes       integer not null,
    upstream_request_id text not null,
    usage       text,            -- JSON of what it said it cost
    primary key (request, position)
) strict, without rowid;

-- Sums per hour, kept in the same transaction as the rows they are made of.
create table usage_hour (
    hour_ms    integer not null,
    tenant_id  text not null,
    key_id     text not null,
    channel_id text not null,
    model      text not null,
    requests   integer not null,
    failed     integer not null, -- outcome other than ok
    unknown    integer not null, -- counts with provenance none
    estimated  integer not null, -- counts partly or wholly ours
    input_tokens integer not null,
    cache_read_tokens integer not null,
    cache_write_tokens integer not null,
    output_tokens integer not null,
    reasoning_tokens integer not null,
    duration_ms integer not null,
    primary key (hour_ms, tenant_id, key_id, channel_id, model)
) strict, without rowid;

-- How far each incarnation of each data plane has been taken in.
create table plane_progress (
    plane    text not null,
    boot     integer not null,
    last_seq integer not null,
    dropped  integer not null,
    at_ms    integer not null,
    primary key (plane, boot)
) strict, without rowid;
