CREATE TABLE "inbox_item" (
	"delivery_id" uuid PRIMARY KEY NOT NULL,
	"person_id" text NOT NULL,
	"notification_id" uuid NOT NULL,
	"type" text NOT NULL,
	"title" text NOT NULL,
	"body" text NOT NULL,
	"data" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"read_at" timestamp with time zone
);
--> statement-breakpoint
CREATE INDEX "inbox_item_person" ON "inbox_item" USING btree ("person_id","created_at");