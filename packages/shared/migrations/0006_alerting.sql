CREATE SEQUENCE "public"."alert_code" INCREMENT BY 1 MINVALUE 1000 MAXVALUE 999999 START WITH 1000 CACHE 1 CYCLE;--> statement-breakpoint
CREATE TABLE "alert" (
	"id" uuid PRIMARY KEY NOT NULL,
	"code" integer DEFAULT nextval('alert_code') NOT NULL,
	"type" text NOT NULL,
	"level" text NOT NULL,
	"severity" text NOT NULL,
	"message" text NOT NULL,
	"source" text,
	"affected_systems" text[] DEFAULT '{}' NOT NULL,
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"dedup_key" text,
	"caller" text NOT NULL,
	"status" text DEFAULT 'open' NOT NULL,
	"count" integer DEFAULT 1 NOT NULL,
	"policy" jsonb,
	"steps" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp with time zone,
	"untold" boolean DEFAULT false NOT NULL,
	"exhausted" boolean DEFAULT false NOT NULL,
	"unmailed" boolean DEFAULT false NOT NULL,
	"opened_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_at" timestamp with time zone DEFAULT now() NOT NULL,
	"acknowledged_at" timestamp with time zone,
	"acknowledged_by" text,
	"acknowledged_via" text,
	"resolved_at" timestamp with time zone,
	"resolved_by" text,
	"resolved_via" text
);
--> statement-breakpoint
CREATE TABLE "alert_bundled" (
	"bundle_id" uuid NOT NULL,
	"alert_id" uuid NOT NULL,
	"notification_id" uuid NOT NULL,
	CONSTRAINT "alert_bundled_bundle_id_alert_id_pk" PRIMARY KEY("bundle_id","alert_id")
);
--> statement-breakpoint
CREATE TABLE "alert_event" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "alert_event_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"alert_id" uuid NOT NULL,
	"at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"kind" text NOT NULL,
	"actor" text,
	"via" text,
	"step" integer,
	"person_id" text,
	"notification_id" uuid,
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "alert_pass" (
	"person_id" text NOT NULL,
	"channel" text NOT NULL,
	"priority" text NOT NULL,
	"passes" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"origins" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"bundle_id" uuid,
	CONSTRAINT "alert_pass_person_id_channel_priority_pk" PRIMARY KEY("person_id","channel","priority")
);
--> statement-breakpoint
CREATE TABLE "alert_source" (
	"name" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"token_hash" text NOT NULL,
	"level" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp with time zone,
	CONSTRAINT "alert_source_token_hash_unique" UNIQUE("token_hash")
);
--> statement-breakpoint
CREATE TABLE "escalation_policy" (
	"name" text PRIMARY KEY NOT NULL,
	"steps" jsonb NOT NULL,
	"repeat" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "heartbeat" (
	"name" text PRIMARY KEY NOT NULL,
	"after_ms" bigint NOT NULL,
	"alert_type" text NOT NULL,
	"level" text NOT NULL,
	"message" text,
	"beat_at" timestamp with time zone DEFAULT now() NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"missed_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "on_call" (
	"alert_type" text PRIMARY KEY NOT NULL,
	"user_ids" text[] DEFAULT '{}' NOT NULL,
	"layers" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "on_call_override" (
	"id" uuid PRIMARY KEY NOT NULL,
	"alert_type" text NOT NULL,
	"user_id" text NOT NULL,
	"replaces" text,
	"starts_at" timestamp with time zone NOT NULL,
	"ends_at" timestamp with time zone NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "self_check" (
	"name" text PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mqtt_session" (
	"number" integer PRIMARY KEY NOT NULL,
	"holder" uuid,
	"leased_until" timestamp with time zone DEFAULT now() NOT NULL,
	"wanted_by" uuid
);
--> statement-breakpoint
ALTER TABLE "notification" ADD COLUMN "alert_id" uuid;--> statement-breakpoint
ALTER TABLE "notification" ADD COLUMN "alert_step" integer;--> statement-breakpoint
ALTER TABLE "notification" ADD COLUMN "canary" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "alert_bundled" ADD CONSTRAINT "alert_bundled_bundle_id_notification_id_fk" FOREIGN KEY ("bundle_id") REFERENCES "public"."notification"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "alert_event" ADD CONSTRAINT "alert_event_alert_id_alert_id_fk" FOREIGN KEY ("alert_id") REFERENCES "public"."alert"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "alert_pass" ADD CONSTRAINT "alert_pass_person_id_person_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."person"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "alert_dedup" ON "alert" USING btree ("dedup_key") WHERE status <> 'resolved' AND dedup_key IS NOT NULL;--> statement-breakpoint
CREATE INDEX "alert_due" ON "alert" USING btree ("due_at") WHERE status = 'open' AND due_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX "alert_unheard" ON "alert" USING btree ("id") WHERE status = 'open' AND (untold OR exhausted);--> statement-breakpoint
CREATE INDEX "alert_unmailed" ON "alert" USING btree ("id") WHERE status = 'open' AND unmailed;--> statement-breakpoint
CREATE INDEX "alert_by_code" ON "alert" USING btree ("code");--> statement-breakpoint
CREATE INDEX "alert_status" ON "alert" USING btree ("status","id");--> statement-breakpoint
CREATE INDEX "alert_type" ON "alert" USING btree ("type","id");--> statement-breakpoint
CREATE INDEX "alert_resolved" ON "alert" USING btree ("resolved_at") WHERE status = 'resolved';--> statement-breakpoint
CREATE INDEX "alert_event_alert" ON "alert_event" USING btree ("alert_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "alert_event_step" ON "alert_event" USING btree ("alert_id","step") WHERE kind = 'escalated';--> statement-breakpoint
CREATE INDEX "alert_event_person" ON "alert_event" USING btree ("person_id") WHERE person_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX "heartbeat_due" ON "heartbeat" USING btree ("due_at") WHERE missed_at IS NULL;--> statement-breakpoint
CREATE INDEX "on_call_override_type" ON "on_call_override" USING btree ("alert_type","ends_at");--> statement-breakpoint
CREATE INDEX "inbox_item_unread" ON "inbox_item" USING btree ("person_id","seq") WHERE read_at IS NULL;--> statement-breakpoint
CREATE INDEX "person_phone" ON "person" USING btree ("phone") WHERE phone IS NOT NULL;--> statement-breakpoint
CREATE INDEX "person_admin" ON "person" USING btree ("id") WHERE active AND roles && '{admin,Admin,ADMIN}';--> statement-breakpoint
CREATE UNIQUE INDEX "notification_alert" ON "notification" USING btree ("alert_id","alert_step","person_id") WHERE alert_id IS NOT NULL;