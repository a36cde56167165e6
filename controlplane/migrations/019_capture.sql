-- Bodies of requests and answers, where the settings ask for them; packed with
-- zstd.  controlplane/captured.h
create table capture (
    id         integer primary key,
    request_id text not null unique,
    at_ms      integer not null,
    request    blob not null,
    response   blob not null,
    request_bytes  integer not null, -- of the whole
    response_bytes integer not null,
    request_cut    integer not null, -- only its beginning is here
    response_cut   integer not null,
    redacted   integer not null
) strict;
create index capture_at on capture (at_ms);
