-- What models cost; rates as JSON, see controlplane/price_read.c.  Each load of
-- a file and each change by hand is a version; rows say which one priced them.
create table price_version (
    id        integer primary key autoincrement,
    kind      text not null,     -- "built-in", "file", "override", "removed"
    source    text not null,     -- file or model
    format    text not null,     -- "litellm", "models.dev", "routex"
    digest    text not null,     -- of the file, hex
    models    integer not null,
    loaded_ms integer not null
) strict;

-- Of the newest file only.
create table price (
    name     text primary key,
    provider text not null,
    rates    text not null
) strict, without rowid;

-- What an operator set; no file changes it.
create table price_override (
    name       text primary key,
    rates      text not null,
    version    integer not null,
    updated_ms integer not null
) strict, without rowid;

-- Pico-dollars; NULL is unknown, which is not 0.
alter table request add column cost integer;
alter table request add column saved integer;
alter table request add column price_version integer;
alter table attempt add column cost integer;

-- What a channel charges of the list price, in millionths.
alter table channel add column cost_ppm integer not null default 1000000;
