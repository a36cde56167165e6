-- W3C trace context of a request, as shared/trace.h packs it.  A trace begun
-- here has the request's id in its own; those of clients are looked for here.
alter table request add column trace_context blob;
create index request_trace on request (substr(trace_context, 1, 16))
    where length(trace_context) = 33;
