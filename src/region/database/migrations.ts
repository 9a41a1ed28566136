/** In order, each for good once it was in a release: what is to be different comes as another. */
export const MIGRATIONS: readonly { readonly name: string; readonly sql: string }[] = [
  {
    name: 'operators, racks and what they serve',
    sql: `
      CREATE TABLE operator (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL UNIQUE,
        email text NOT NULL,
        password text NOT NULL, -- scrypt
        is_admin boolean NOT NULL,
        created timestamptz NOT NULL DEFAULT now()
      );
      CREATE TABLE api_key (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        operator_id int NOT NULL REFERENCES operator ON DELETE CASCADE,
        name text NOT NULL,
        consumer_key text NOT NULL,
        token_key text NOT NULL UNIQUE,
        secret_hash text NOT NULL, -- SHA-256, hex
        created timestamptz NOT NULL DEFAULT now()
      );
      CREATE TABLE enrol_token (
        hash text PRIMARY KEY, -- SHA-256, hex
        rack_name text, -- whose it is to be; null: anybody's
        expires timestamptz NOT NULL,
        created_by text NOT NULL
      );
      CREATE TABLE rack (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        name text NOT NULL UNIQUE,
        key_hash text NOT NULL, -- SHA-256, hex
        next_key_hash text, -- takes the place of the other when it is first used
        token_hash text NOT NULL, -- what it was enrolled with
        enrolled timestamptz NOT NULL DEFAULT now(),
        plan jsonb NOT NULL DEFAULT '{}', -- the config of its answer
        plan_version bigint NOT NULL DEFAULT 1, -- grows with its plan and its orders
        orders jsonb NOT NULL DEFAULT '{}'
      );
      -- Apart from it, as a report each 30 seconds must not be in the way of whoever changes what all racks are to serve
      CREATE TABLE rack_report (
        rack_id uuid PRIMARY KEY REFERENCES rack ON DELETE CASCADE,
        seen timestamptz NOT NULL, -- when it came
        seen_at text NOT NULL, -- the address it came from
        skew_ms bigint NOT NULL, -- what the rack's clock is ahead of this one
        status jsonb NOT NULL, -- the report itself, without the file
        file_hash text,
        file_config jsonb -- sections of its own file
      );
      -- Without what only racks themselves need
      CREATE VIEW known_rack AS
        SELECT id, name, enrolled, plan, plan_version, orders, seen, seen_at, skew_ms, status, file_hash, file_config
        FROM rack LEFT JOIN rack_report ON rack_id = id;
      CREATE TABLE domain (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL UNIQUE,
        authoritative boolean NOT NULL DEFAULT true,
        ttl int
      );
      INSERT INTO domain (name) VALUES ('maas');
      CREATE TABLE dns_resource (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        domain_id int NOT NULL REFERENCES domain ON DELETE RESTRICT,
        name text NOT NULL,
        ttl int,
        addresses inet[] NOT NULL DEFAULT '{}',
        UNIQUE (domain_id, name)
      );
      CREATE TABLE subnet (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        rack_id uuid REFERENCES rack ON DELETE CASCADE, -- who serves it; null: nobody yet
        interface text, -- of that rack; null: reached through relays
        name text NOT NULL,
        cidr cidr NOT NULL,
        management text NOT NULL DEFAULT 'none', -- as in the rack's file
        router inet,
        broadcast inet,
        dns inet[] NOT NULL DEFAULT '{}',
        domain_id int NOT NULL REFERENCES domain ON DELETE RESTRICT,
        description text NOT NULL DEFAULT '',
        UNIQUE NULLS NOT DISTINCT (rack_id, cidr)
      );
      CREATE TABLE ip_range (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        subnet_id int NOT NULL REFERENCES subnet ON DELETE CASCADE,
        type text NOT NULL CHECK (type IN ('dynamic', 'static', 'reserved')),
        low inet NOT NULL,
        high inet NOT NULL,
        comment text NOT NULL DEFAULT ''
      );
      CREATE TABLE reserved_ip (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        subnet_id int NOT NULL REFERENCES subnet ON DELETE CASCADE,
        ip inet NOT NULL,
        mac macaddr NOT NULL,
        comment text NOT NULL DEFAULT '',
        UNIQUE (subnet_id, ip),
        UNIQUE (subnet_id, mac)
      );
      CREATE TABLE boot_source (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        url text NOT NULL UNIQUE,
        name text NOT NULL DEFAULT '',
        keyring_filename text NOT NULL DEFAULT '',
        keyring_data bytea NOT NULL DEFAULT '',
        priority int NOT NULL,
        enabled boolean NOT NULL DEFAULT true,
        is_unsigned boolean NOT NULL DEFAULT false
      );
      CREATE TABLE boot_source_selection (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        source_id int NOT NULL REFERENCES boot_source ON DELETE CASCADE,
        os text NOT NULL,
        release text NOT NULL,
        arches text[] NOT NULL,
        subarches text[] NOT NULL,
        labels text[] NOT NULL,
        UNIQUE (source_id, os, release, arches, subarches, labels)
      );
      CREATE TABLE setting (name text PRIMARY KEY, value jsonb NOT NULL);
      CREATE TABLE audit (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        who text NOT NULL, -- an operator, or "command line"
        did text NOT NULL, -- create, update, delete …
        what text NOT NULL, -- "subnet 3"
        before jsonb,
        after jsonb
      );
      CREATE TABLE turn (); -- has no rows: whoever changes something has it locked meanwhile
    `,
  },
  {
    name: 'what racks tell',
    sql: `
      CREATE TABLE stream (
        rack_id uuid NOT NULL REFERENCES rack ON DELETE CASCADE,
        stream uuid NOT NULL, -- of the rack's outbox
        kept bigint NOT NULL, -- all of it up to this number is here
        forgotten bigint NOT NULL DEFAULT 0, -- what the rack gave up while this region was gone
        mended bigint NOT NULL DEFAULT 0, -- records that were not as they should be
        told timestamptz NOT NULL DEFAULT now(), -- when something of it came last
        PRIMARY KEY (rack_id, stream)
      );
      CREATE TABLE event (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        rack_id uuid NOT NULL, -- there may be millions of a rack that is removed: they go later
        at timestamptz NOT NULL, -- by the rack's clock
        received timestamptz NOT NULL DEFAULT now(), -- by this one: what is forgotten goes by it
        kind text NOT NULL,
        mac macaddr,
        address inet,
        body jsonb NOT NULL
      );
      CREATE INDEX event_mac ON event (mac, id) WHERE mac IS NOT NULL;
      CREATE INDEX event_kind ON event (kind, id);
      CREATE INDEX event_rack ON event (rack_id, id);
      CREATE INDEX event_received ON event USING brin (received);
      CREATE TABLE removed_rack (id uuid PRIMARY KEY); -- of which there may be events
      CREATE TABLE lease (
        rack_id uuid NOT NULL REFERENCES rack ON DELETE CASCADE,
        address inet NOT NULL,
        mac macaddr NOT NULL,
        name text,
        expires timestamptz, -- null: for good
        told boolean NOT NULL DEFAULT true, -- false while a whole telling has not come to it
        PRIMARY KEY (rack_id, address)
      );
      CREATE INDEX lease_mac ON lease (mac);
      CREATE TABLE neighbour (
        rack_id uuid NOT NULL REFERENCES rack ON DELETE CASCADE,
        interface text NOT NULL,
        vlan text NOT NULL, -- '' for none
        address inet NOT NULL,
        mac macaddr NOT NULL,
        first_seen timestamptz NOT NULL,
        last_seen timestamptz NOT NULL,
        PRIMARY KEY (rack_id, interface, vlan, address)
      );
      CREATE TABLE foreign_dhcp_server (
        rack_id uuid NOT NULL REFERENCES rack ON DELETE CASCADE,
        interface text NOT NULL,
        server text NOT NULL,
        since timestamptz NOT NULL,
        body jsonb NOT NULL,
        PRIMARY KEY (rack_id, interface, server)
      );
      CREATE TABLE machine (
        mac macaddr PRIMARY KEY,
        rack_id uuid NOT NULL REFERENCES rack ON DELETE CASCADE, -- who saw it last
        seen timestamptz NOT NULL,
        kind text NOT NULL, -- of the event by which it was seen last
        report jsonb -- what it said of itself
      );
    `,
  },
];
