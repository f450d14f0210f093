CREATE TABLE "audit_event" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"actor" text NOT NULL,
	"role" text NOT NULL,
	"action" text NOT NULL,
	"target" text,
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pruned_count" (
	"event_type" text NOT NULL,
	"status" text NOT NULL,
	"count" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "pruned_count_event_type_status_pk" PRIMARY KEY("event_type","status")
);
--> statement-breakpoint
CREATE TABLE "worker" (
	"id" uuid PRIMARY KEY NOT NULL,
	"queues" text[] NOT NULL,
	"providers" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "delivery" ADD COLUMN "failure" text;--> statement-breakpoint
ALTER TABLE "delivery" ADD COLUMN "dead_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "notification" ADD COLUMN "traceparent" text;--> statement-breakpoint
ALTER TABLE "person" ADD COLUMN "webhook_url" text;--> statement-breakpoint
ALTER TABLE "person" ADD COLUMN "directory_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "person" ADD COLUMN "audit_id" uuid DEFAULT gen_random_uuid() NOT NULL;--> statement-breakpoint
CREATE INDEX "audit_event_actor" ON "audit_event" USING btree ("actor","id");--> statement-breakpoint
CREATE INDEX "audit_event_target" ON "audit_event" USING btree ("target","id");--> statement-breakpoint
CREATE INDEX "delivery_dead" ON "delivery" USING btree ("dead_at","id") WHERE state = 'dead';