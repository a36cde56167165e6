-- Sums of usage, made from the rows of `request` up to the id in meta
-- 'rollup_mark'; the program makes them anew from there, so what was summed up
-- before this step is made again.
drop table usage_hour;

-- By one dimension at a time, for a minute (level 0), an hour (1), a day (2).
create table usage_sum (
    level integer not null,
    dim   integer not null,  -- enum rollup_dim
    at_ms integer not null,
    name  text not null,
    requests integer not null,
    failed integer not null,    -- outcome other than ok
    unknown integer not null,   -- counts with provenance none
    estimated integer not null, -- counts partly or wholly ours
    unpriced integer not null,  -- counts, but no price
    input_tokens integer not null,
    cache_read_tokens integer not null,
    cache_write_tokens integer not null,
    output_tokens integer not null,
    reasoning_tokens integer not null,
    duration_ms integer not null,
    cost integer not null,      -- pico-dollars
    saved integer not null,
    hist blob not null,         -- controlplane/hist.h
    primary key (level, dim, at_ms, name)
) strict, without rowid;

-- By all of them, for an hour or a day.
create table usage_cube (
    level integer not null,
    at_ms integer not null,
    tenant_id text not null,
    key_id text not null,
    channel_id text not null,
    model text not null,
    rule text not null,
    tag text not null,
    requests integer not null,
    failed integer not null,
    unknown integer not null,
    estimated integer not null,
    unpriced integer not null,
    input_tokens integer not null,
    cache_read_tokens integer not null,
    cache_write_tokens integer not null,
    output_tokens integer not null,
    reasoning_tokens integer not null,
    duration_ms integer not null,
    cost integer not null,
    saved integer not null,
    primary key (level, at_ms, tenant_id, key_id, channel_id, model, rule, tag)
) strict, without rowid;
