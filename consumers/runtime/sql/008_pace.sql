-- How long each replica lets its cycles wait, as it last said: for operators only.
create table pace (
  replica  text        primary key,
  state    json        not null, -- of its transactions and of its publishing, see infra/linger/linger.ts
  noted_at timestamptz not null default now()
);
