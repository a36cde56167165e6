-- Where requests go.  Conditions and targets are JSON as the API shows them,
-- but that channels stand by id.
create table rule (
    id         text primary key,
    name       text not null unique collate nocase,
    type       text not null,
    condition  text not null,
    target     text not null,
    priority   integer not null,
    strict     integer not null,
    status     text not null,
    created_ms integer not null,
    updated_ms integer not null,
    rev        integer not null
) strict, without rowid;
create index rule_order on rule (priority desc, created_ms);

-- Conditions written in Lua.
create table function (
    id         text primary key,
    name       text not null unique collate nocase,
    source     text not null,
    created_ms integer not null,
    updated_ms integer not null,
    rev        integer not null
) strict, without rowid;

-- Why a request went where it went; JSON, empty when it went nowhere.
alter table request add column trace text not null default '';
