-- JSON as in the API; '' means: as the channel's type has it.
alter table channel add column transformers text not null default '';
