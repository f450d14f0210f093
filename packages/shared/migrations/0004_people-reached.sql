CREATE TABLE "broadcast" (
	"id" uuid PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"title" text NOT NULL,
	"message" text NOT NULL,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"priority" text NOT NULL,
	"channels" text[] NOT NULL,
	"groups" text[] DEFAULT '{}' NOT NULL,
	"caller" text NOT NULL,
	"status" text NOT NULL,
	"cursor" text,
	"total" integer DEFAULT 0 NOT NULL,
	"reached" integer DEFAULT 0 NOT NULL,
	"send_at" timestamp with time zone,
	"expires_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "inbox" (
	"person_id" text PRIMARY KEY NOT NULL,
	"last_seq" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "realtime_session" (
	"id" uuid PRIMARY KEY NOT NULL,
	"person_id" text NOT NULL,
	"node" uuid,
	"transport" text NOT NULL,
	"device" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"connected_at" timestamp with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "device" (
	"id" uuid PRIMARY KEY NOT NULL,
	"person_id" text NOT NULL,
	"platform" text NOT NULL,
	"address" text NOT NULL,
	"keys" jsonb,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "device_address_unique" UNIQUE("address")
);
--> statement-breakpoint
DROP INDEX "inbox_item_person";--> statement-breakpoint
ALTER TABLE "inbox_item" ADD COLUMN "seq" bigint;--> statement-breakpoint
UPDATE inbox_item SET seq = numbered.seq
FROM (SELECT delivery_id, row_number() OVER (PARTITION BY person_id ORDER BY created_at, delivery_id) AS seq FROM inbox_item) AS numbered
WHERE inbox_item.delivery_id = numbered.delivery_id;--> statement-breakpoint
INSERT INTO inbox (person_id, last_seq)
SELECT person_id, max(seq) FROM inbox_item JOIN person ON person.id = inbox_item.person_id GROUP BY person_id;--> statement-breakpoint
ALTER TABLE "inbox_item" ALTER COLUMN "seq" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "notification" ADD COLUMN "broadcast_id" uuid;--> statement-breakpoint
ALTER TABLE "person" ADD COLUMN "event_preferences" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "person" ADD COLUMN "quiet_hours" jsonb;--> statement-breakpoint
ALTER TABLE "inbox" ADD CONSTRAINT "inbox_person_id_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "realtime_session" ADD CONSTRAINT "realtime_session_person_id_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "device" ADD CONSTRAINT "device_person_id_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "broadcast_open" ON "broadcast" USING btree ("send_at") WHERE status IN ('scheduled', 'running');--> statement-breakpoint
CREATE INDEX "broadcast_ended" ON "broadcast" USING btree ("ended_at");--> statement-breakpoint
CREATE INDEX "realtime_session_person" ON "realtime_session" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "realtime_session_seen" ON "realtime_session" USING btree ("seen_at");--> statement-breakpoint
CREATE INDEX "device_person" ON "device" USING btree ("person_id");--> statement-breakpoint
CREATE UNIQUE INDEX "inbox_item_seq" ON "inbox_item" USING btree ("person_id","seq");--> statement-breakpoint
CREATE INDEX "inbox_item_notification" ON "inbox_item" USING btree ("notification_id");--> statement-breakpoint
CREATE UNIQUE INDEX "notification_broadcast" ON "notification" USING btree ("broadcast_id","person_id") WHERE broadcast_id IS NOT NULL;