-- Limits and the addresses to be used from, as JSON; see controlplane/limit_set.h.
alter table tenant add column limits text not null default '{}';
alter table tenant add column ips text not null default '[]';
alter table client_key add column limits text not null default '{}';
alter table client_key add column ips text not null default '[]';
